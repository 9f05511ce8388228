"""A site's table: sums over groups of patients that it may share, and nothing else."""
