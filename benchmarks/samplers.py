"""One sampler on the PFS model, in a process of its own; see `run.py samplers`."""

from __future__ import annotations

import sys
import time

import pymc as pm

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.sampling.sample import compile_model, sample


def main() -> None:
    """Compile and draw, then draw again under other numbers."""
    spec = read_model("pfs-weibull")
    files = read_cohorts(BUNDLED_COHORTS)
    analysis = analyse(spec, files)
    other = analyse(spec.scenario("sceptical"), files)
    start = time.perf_counter()
    if sys.argv[1] == "nutpie":
        structure = structure_of(analysis)
        model = build(structure, data_of(analysis))
        compiled = compile_model(model, pointwise_names(structure))
        made = time.perf_counter()
        sample(compiled, packed(data_of(analysis)), spec.sampling, 1)
        first = time.perf_counter()
        sample(compiled, packed(data_of(other)), spec.sampling, 1)
        second = time.perf_counter()
        print(f"compile {made - start:.1f} s, first {first - made:.1f} s, ", end="")
    else:
        model, settings = build(structure_of(analysis), data_of(analysis)), spec.sampling
        for values in (data_of(analysis), data_of(other)):
            first = time.perf_counter()
            with model:
                pm.set_data(packed(values))
                pm.sample(
                    settings.draws,
                    tune=settings.tune,
                    chains=settings.chains,
                    target_accept=settings.target_accept,
                    nuts_sampler="numpyro",
                    nuts_sampler_kwargs={"chain_method": "vectorized"},
                    progressbar=False,
                    random_seed=1,
                    compute_convergence_checks=False,
                )
        second = time.perf_counter()
        print(f"compile and first {first - start:.1f} s, ", end="")
    print(f"second, other numbers {second - first:.1f} s")


if __name__ == "__main__":
    main()
