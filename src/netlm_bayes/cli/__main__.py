"""`python -m netlm_bayes.cli`."""

from netlm_bayes.cli import main

main()
