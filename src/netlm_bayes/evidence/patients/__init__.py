"""Patients: a hospital's table to one canonical form, or every fault with its line."""
