"""Evidence and a model to a PyMC graph: one term a kind of evidence."""
