"""Individual participant data."""
