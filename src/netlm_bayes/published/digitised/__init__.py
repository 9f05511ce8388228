"""Digitised Kaplan-Meier curves: clicks to patients, and to what a likelihood takes of them."""
