"""One row a printed number: what it is predicted to be, and how far out it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import arviz_stats as azs
import numpy as np
import pandas as pd

from netlm_bayes.formats import error_column
from netlm_bayes.page.criticism import Predicted
from netlm_bayes.posterior.replication import Replicate
from netlm_bayes.posterior.summary import mean_errors, quantiles
from netlm_bayes.results import table

AT_ODDS = NormalDist().inv_cdf(0.995)
"""|z| of a printed number from which it is said to be at odds with its prediction, 2.58: one in a
hundred is by chance."""
PREDICTION = ("predicted", "lower", "upper")


def replication_table(replicates: Sequence[Replicate], level: float, chains: int) -> pd.DataFrame:
    r"""Summarise predictions: each with its interval, and how far out the printed number lies.

    .. math:: z = \pm \frac{y - E(\tilde y)}{\mathrm{sd}(\tilde y)}

    on the number's own scale, positive where what is printed is larger than predicted. Numbers of
    a page are predicted by all others of it; other numbers in posterior predictive draws.
    """
    rows = []
    for one in replicates:
        found = _in_draws(one, level, chains) if one.draws.size else {}
        if one.predicted is not None:
            found = _by_the_others(one, one.predicted, level)
        at_odds = abs(found.get("z", 0.0)) > AT_ODDS
        typed = (
            "selected",
            "number",
            "printed",
            "role",
            "note",
            "events",
            "total",
            "reached",
            "taken_out",
        )
        rows.append(
            {
                **one.item,
                **{name: getattr(one, name) for name in typed},
                **found,
                "unit": one.scale.unit,
                "in_conflict": at_odds,
                "interval": level,
            }
        )
    return table("replication", rows)


def _by_the_others(one: Replicate, said: Predicted, level: float) -> dict[str, float]:
    """Prediction by all other numbers of the page, normal on the number's scale."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * said.sd
    ends = sorted(float(one.scale.printed(said.mean + side * reach)) for side in (-1, 1))
    values = (float(one.scale.printed(said.mean)), *ends)
    return {**dict(zip(PREDICTION, values, strict=True)), "z": one.scale.sign * said.z}


def _in_draws(one: Replicate, level: float, chains: int) -> dict[str, float]:
    """Prediction in posterior predictive draws."""
    tail, draws = (1 - level) / 2, one.draws.reshape(chains, -1)
    found = quantiles(draws, [0.5, tail, 1 - tail])
    errors = tuple(error_column(name) for name in PREDICTION)
    own = one.on_number_scale(draws)
    sd = float(own.std())
    z = float(one.on_number_scale(one.printed) - own.mean()) / sd if sd > 0 else math.nan
    sd_error = float(azs.mcse(own, method="sd", chain_axis=0, draw_axis=1))
    error = float(np.hypot(mean_errors(own), z * sd_error)) / sd if sd > 0 else math.nan
    return {
        **dict(zip(PREDICTION, found.estimates.tolist(), strict=True)),
        **dict(zip(errors, found.errors.tolist(), strict=True)),
        "z": one.scale.sign * z,
        "z_mcse": error,
    }
