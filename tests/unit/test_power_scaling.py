"""Power-scaling of conjugate normals, where it is known what prior and evidence weigh."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns
from netlm_bayes.posterior.prior import BOTH, COLUMNS, NEITHER, PRIOR, power_scaling

ANALYSIS = Analysis(
    Model.model_validate({"name": "m", "outcome": "response", "covariates": ["size"]}),
    Codebook.model_validate(
        {
            "id": "book",
            "covariates": {
                "size": {"label": "Size", "levels": ["small", "large"], "reference": "small"}
            },
        }
    ),
    Patterns(("size",), (("small", "large"),), ("small",)),
    (),
)
SHAPE = (4, 1000)


def posterior_of(estimate: float, se: float) -> xr.DataTree:
    """Draws of an effect with prior N(0, 1) after one normal estimate, and of a level untouched."""
    rng = np.random.default_rng(8)
    weight = 1 / (1 + se**2)
    effect = rng.normal(weight * estimate, np.sqrt(weight) * se, SHAPE)
    level = rng.normal(1.0, 1.0, SHAPE)
    theta = np.stack([level, effect], axis=-1)[:, :, None, :]
    coords = {"parameter": ["level", "size: large"], "cohort": ["east"]}
    dims = ["chain", "draw", "cohort", "parameter"]
    log_likelihood = stats.norm.logpdf(estimate, effect, se)[..., None]
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"theta": (dims, theta)}, coords=coords),
            "log_likelihood": xr.Dataset({"ratios": (["chain", "draw", "row"], log_likelihood)}),
        }
    )


@pytest.mark.parametrize(
    ("estimate", "se", "diagnosis"), [(0.4, 0.1, NEITHER), (0.3, 3.0, PRIOR), (3.0, 0.8, BOTH)]
)
def test_what_weighs_is_said(estimate: float, se: float, diagnosis: str) -> None:
    found = power_scaling(posterior_of(estimate, se), ANALYSIS).set_index("parameter")
    assert list(found.reset_index().columns) == list(COLUMNS)
    assert found.loc["theta[east, size: large]", "diagnosis"] == diagnosis


def test_a_part_of_the_log_likelihood_does_not_pass_for_all_of_it() -> None:
    tree = posterior_of(0.4, 0.3)
    kept = tree["log_likelihood"]["ratios"].assign_coords(cells_cohort=("row", ["east"]))
    tree["log_likelihood"] = xr.Dataset({"cells": kept})
    assert len(power_scaling(tree, ANALYSIS, ["east"])) == 2
    assert power_scaling(tree, ANALYSIS, ["east", "west"]).empty
    assert power_scaling(tree, ANALYSIS, ["eas"]).empty
    tree["log_likelihood"] = xr.Dataset({"cells": kept, "patients": kept})
    assert len(power_scaling(tree, ANALYSIS, ["east", "west"])) == 2


def test_a_run_without_log_likelihoods_has_no_rows() -> None:
    tree = posterior_of(0.4, 0.3)
    del tree["log_likelihood"]
    assert power_scaling(tree, ANALYSIS).empty


def test_kinds_whose_rows_belong_to_cohorts_weigh_together() -> None:
    tree = posterior_of(0.4, 0.3)
    values = tree["log_likelihood"]["ratios"]
    own = {kind: values.rename(row=f"{kind}_row") for kind in ("ratios", "curve")}
    named = {k: x.assign_coords({f"{k}_cohort": (f"{k}_row", ["east"])}) for k, x in own.items()}
    tree["log_likelihood"] = xr.Dataset(named)
    both = power_scaling(tree, ANALYSIS)
    tree["log_likelihood"] = xr.Dataset(own)
    assert both.equals(power_scaling(tree, ANALYSIS))
    assert len(both) == 2
