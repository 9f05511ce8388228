"""Evidence to a PyMC model: parameters once, one term a kind of evidence, rows a cohort."""
