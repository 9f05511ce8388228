"""Evidence of every kind, read, checked and assembled into an analysis."""
