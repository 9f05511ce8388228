"""Evidence to a PyMC model: parameters once, one likelihood term per cohort on them."""
