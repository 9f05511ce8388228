"""What was observed: files to canonical evidence, printed numbers to estimates, and the audit."""
