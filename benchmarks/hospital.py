"""A second fit of one shape in one process: what a hospital waits for after the first.

Run by `benchmarks/run.py hospital`; prints seconds.
"""

from __future__ import annotations

import sys
import time

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.sampling.sample import compile_model, sample


def main() -> None:
    """Fit the patients of a file twice with one compiled graph, and time the second."""
    spec = read_model("pfs-weibull")
    analysis = analyse(spec, read_cohorts([sys.argv[1]]))
    structure = structure_of(analysis)
    graph = compile_model(build(structure, data_of(analysis)), pointwise_names(structure))
    sample(graph, packed(data_of(analysis)), spec.sampling, seed=1)
    start = time.perf_counter()
    sample(graph, packed(data_of(analysis)), spec.sampling, seed=2)
    print(f"{time.perf_counter() - start:.2f}")


if __name__ == "__main__":
    main()
