"""The way through, one module a command: audit, fit and pool, and the whole reanalysis."""
