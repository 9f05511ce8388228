"""Draws that passed the gate to the quantities that are reported, per draw and summarised."""
