"""An invented disease in two invented cohorts, written to files, and draws without a sampler."""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.model import Model
from netlm_bayes.sampling.gate import Accepted, Check

TOOLS = Path(__file__).parents[2] / "tools"
CODEBOOK = """\
id = "invented"

[endpoints]
pfs = "PFS"
local = { label = "local PFS", part_of = "pfs" }

[covariates.size]
label = "Size"
levels = ["small", "middle", "large", "huge"]
reference = "small"

[covariates.size.groups]
lesser = ["small", "middle"]
greater = ["large", "huge"]

[covariates.spread]
label = "Spread"
levels = ["no", "yes"]
reference = "no"

[covariates.response]
label = "Response"
levels = ["nonresponders", "responders"]
reference = "nonresponders"
post_baseline = true
"""

Document = dict[str, Any]


def ratio(kind: str, covariate: str, level: str, versus: str, **more: Any) -> Document:
    item = {"kind": kind, "covariate": covariate, "level": [level], "versus": [versus]}
    return {**item, "source": "Table 2", "role": "fit", **more}


def hazard_ratio(covariate: str, level: str, versus: str, **more: Any) -> Document:
    return ratio("hazard_ratio", covariate, level, versus, **{"endpoint": "pfs", **more})


def printed(kind: str, source: str = "Text", **more: Any) -> Document:
    return {"kind": kind, "source": source, **more}


def margin(covariate: str, **values: int) -> Document:
    return printed("margin", "Table 1", covariate=covariate, values=values)


def counts(responders: int, nonresponders: int) -> Document:
    values = {"responders": responders, "nonresponders": nonresponders}
    return printed("counts", "Table 3", values=values, role="fit")


def east() -> Document:
    by_size = {"adjusted_for": ["spread"], "events_reference": 20}
    return {
        "id": "east",
        "label": "East",
        "n": 100,
        "source": "invented",
        "codebook": "book.toml",
        "institution": "East hospital",
        "published": [
            margin("size", small=40, middle=30, large=20, huge=10),
            margin("spread", no=60, yes=40),
            printed("statistic", name="follow-up", unit="months", maximum=20),
            printed("median", endpoint="pfs", months=12.0, role="fit"),
            hazard_ratio("size", "middle", "small", estimate=1.5, lower=0.8, upper=2.8, **by_size),
            hazard_ratio("size", "large", "small", estimate=2.0, lower=1.0, upper=4.0, **by_size),
            hazard_ratio("size", "huge", "small", estimate=3.0, lower=1.3, upper=6.9, **by_size),
            hazard_ratio(
                "spread", "yes", "no", estimate=2.0, lower=1.2, upper=3.4, adjusted_for=["size"]
            ),
            ratio("odds_ratio", "spread", "yes", "no", estimate=0.5, lower=0.2, upper=1.25),
            counts(70, 30),
        ],
    }


def west() -> Document:
    lent = {"cohort": "east", "covariates": ["size"], "log_sd": 0.5, "why": "not printed"}
    joined = ("size", "greater", "lesser")
    return {
        "id": "west",
        "label": "West",
        "n": 60,
        "source": "invented",
        "codebook": "book.toml",
        "borrowed_margins": lent,
        "published": [
            margin("spread", no=60, yes=0),
            printed("median", endpoint="local", months=10.0, role="fit"),
            hazard_ratio(*joined, estimate=2.5, p=0.02, endpoint="local"),
            ratio("odds_ratio", *joined, estimate=4.0, p=0.01, event="non_response"),
            counts(45, 15),
        ],
    }


def as_toml(value: Any) -> str:
    """Write a value inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_file(folder: Path, document: Document) -> str:
    path = folder / f"{document['id']}.toml"
    lines = [f"{json.dumps(key)} = {as_toml(value)}" for key, value in document.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[..., tuple[CohortFile, ...]]:
    """Read documents of cohorts from files of their own, beside the invented codebook."""

    def read(*documents: Document) -> tuple[CohortFile, ...]:
        (tmp_path / "book.toml").write_text(CODEBOOK, "utf-8")
        return read_cohorts([as_file(tmp_path, document) for document in documents])

    return read


@pytest.fixture
def analysis_of(files_of: Callable[..., tuple[CohortFile, ...]]) -> Callable[..., Analysis]:
    """Meet a model of both covariates with documents of cohorts."""

    def meet(*documents: Document, **choices: Any) -> Analysis:
        values = {"name": "m", "outcome": "survival", "covariates": ["size", "spread"], **choices}
        if values["outcome"] == "survival":
            values = {"also": ["local"], "anchor": 12, **values}
        return analyse(Model.model_validate(values), files_of(*documents))

    return meet


def accepted(
    analysis: Analysis, cohorts: Sequence[Sequence[float]], shape: tuple[int, int], **more: Any
) -> Accepted:
    """Draws that are all alike: each cohort's parameters, and whatever else is given.

    An array of more dimensions than (chain, draw) gives every draw of a parameter.
    """
    own = ["level", "log_shape"] if analysis.spec.outcome == "survival" else ["level"]
    coords = {"heterogeneity": [*own, *analysis.patterns.covariates]}
    dims = {"tau": ["heterogeneity"], "hazard_share": ["part"]}
    coords["part"] = list(analysis.endpoints[1:])
    found = {}
    for name, values in {"theta": cohorts, **more}.items():
        value: NDArray[np.float64] = np.asarray(values, dtype=float)
        if value.shape[:2] != shape:
            value = np.broadcast_to(value, (*shape, *value.shape)).copy()
        last = dims.get(name, [f"{name}_{i}" for i in range(value.ndim - 2)])
        found[name] = (["chain", "draw", *last], value)
    used = {key: coords[key] for name in found for key in dims.get(name, [])}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(found, coords=used)})
    return Accepted(tree, (Check("invented", 0.0, 1.0, True),))


@pytest.fixture(scope="session")
def invented() -> SimpleNamespace:
    """Documents of the invented cohorts, their items, and draws to order."""
    return SimpleNamespace(
        east=east, west=west, ratio=ratio, hazard_ratio=hazard_ratio, accepted=accepted
    )


@pytest.fixture(scope="session")
def load_tool() -> Callable[[str], ModuleType]:
    """Load a module of `tools` by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load
