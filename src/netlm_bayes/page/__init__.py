"""A printed page as one observation: simulated, emulated, and held against what is printed."""
