"""Sampling, and the gate that estimates must pass."""
