"""How properties are tried, where trained pages are kept; the committed reanalysis with draws."""

import getpass
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from netlm_bayes import page, store
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.posterior.prior import accepted_prior

# Machines are shared and noisy: no example has a time limit. In CI every run tries the same
# examples, so that none fails for a change that it has nothing to do with; elsewhere each run
# looks for others.
settings.register_profile("explore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")


def kept_pages() -> Path:
    """Folder of trained pages, which workers and sessions share; another for other code."""
    code, found = Path(page.__file__).parent, hashlib.sha256()
    for file in sorted(code.glob("*.py")):
        found.update(file.read_bytes())
    name = f"netlm-bayes-pages-{getpass.getuser()}-{found.hexdigest()[:12]}"
    return Path(tempfile.gettempdir()) / name


os.environ.setdefault("NETLM_BAYES_CACHE", str(kept_pages()))

RESULTS = Path(__file__).parents[1] / "results" / "published"
MODELS = ("pfs-weibull", "response-logistic")
CHAINS, DRAWS = 4, 1000


@pytest.fixture(scope="session")
def reanalysis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the committed reanalysis whose draws are made from the prior, without sampling.

    What is held against draws - the page against `predict` - does not mind of what they are.
    """
    copy = tmp_path_factory.mktemp("reanalysis") / "results"
    left_out = shutil.ignore_patterns("figures", "posterior.nc", "report.html")
    shutil.copytree(RESULTS, copy, ignore=left_out)
    for model in MODELS:
        store.write_posterior(copy / model, draws_of(model))
    return copy


def draws_of(model: str) -> xr.DataTree:
    """Groups of a run's draws, each with the names and sizes that it has."""
    spec = read_model(model)
    analysis = emulated(analyse(spec, read_cohorts(BUNDLED_COHORTS)))
    rng, size = np.random.default_rng(1), (CHAINS, DRAWS)
    one, other = (accepted_prior(analysis, *size, seed).tree["posterior"] for seed in (1, 2))
    log_likelihood = {
        kind: xr.DataArray(
            rng.normal(-1, 0.3, (*size, len(labels))),
            dims=("chain", "draw", f"{kind}_row"),
            coords={f"{kind}_row": list(labels)},
        )
        for kind, labels in structure_of(analysis).rows
    }
    stats = {
        "diverging": (("chain", "draw"), np.zeros(size, dtype=bool)),
        "energy": (("chain", "draw"), rng.normal(40, 4, size)),
        "depth": (("chain", "draw"), np.full(size, 4)),
        "step_size": (("chain", "draw"), np.full(size, 0.4)),
    }
    return xr.DataTree.from_dict(
        {
            "posterior": one.to_dataset(),
            "prior": other.to_dataset(),
            "sample_stats": xr.Dataset(stats),
            "log_likelihood": xr.Dataset(log_likelihood),
        }
    )
