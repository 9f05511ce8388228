"""Whether each printed page can have come from the model, and what it says of its covariates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.page.criticism import Predicted, criticise
from netlm_bayes.page.layout import Factor
from netlm_bayes.page.trained import Trained
from netlm_bayes.posterior.pages import PageDraws
from netlm_bayes.posterior.printed_scale import scale_of
from netlm_bayes.posterior.summary import Array, quantiles
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.results import table

REFUTED = 0.001
"""P of a page's misfit below which the model is said to be refuted by it."""
INFORMED = 0.9
"""Posterior over prior standard deviation of an association, below which the page informs it."""


def page_fit_table(analysis: Analysis) -> pd.DataFrame:
    """A row a page: its misfit, the error of its emulator, and its number farthest out."""
    found = [(one.cohort, one.trained) for one in analysis.cohorts]
    rows = (_page(cohort, trained) for cohort, trained in found if trained is not None)
    return table("page_fit", rows)


def _page(cohort: Cohort, trained: Trained) -> dict[str, object]:
    """One page's fit."""
    found, out = criticise(trained), {*trained.conflicts, *trained.unemulated}
    held = [x for x in found.numbers if x.number not in out]
    printed = [x for x in held if trained.page.numbers[x.number].item >= 0]
    row: dict[str, object] = {
        "cohort": cohort.id,
        "numbers": len(held),
        "chi2": found.chi2 if found.freedom > 0 else math.nan,
        "freedom": found.freedom,
        "p": math.nan if found.p is None else found.p,
        "testable": found.p is not None,
        "refuted": found.p is not None and found.p < REFUTED,
        "conflicts": len(trained.conflicts),
        "emulator_rms": trained.gate.rms,
        "emulator_worst": trained.gate.worst,
    }
    worst = max(printed, key=lambda x: abs(x.z), default=None)
    return row if worst is None else row | _farthest(cohort, trained, worst)


def _farthest(cohort: Cohort, trained: Trained, worst: Predicted) -> dict[str, object]:
    """The number of a page that lies farthest from what the others predict."""
    number = trained.page.numbers[worst.number]
    return {
        "item": item_label(cohort.published[number.item]),
        "number": number.kind,
        "z": scale_of(number.kind).sign * worst.z,
    }


def association_table(
    analysis: Analysis, pages: Mapping[str, PageDraws], chains: int
) -> pd.DataFrame:
    r"""Odds ratios between the extreme levels of two covariates in a page's patients.

    .. math:: \mathrm{OR} = e^{s z}, \qquad z \sim N(m, 1) \text{ a priori}

    with `s` the page's standard deviation of the log odds ratio, 0.5, and `m` 0 or as declared.
    """
    rows = (row for page in pages.values() for row in _associations(analysis, page, chains))
    return table("association", rows)


def _associations(analysis: Analysis, drawn: PageDraws, chains: int) -> Iterator[dict[str, object]]:
    """A row a pair of covariates of one page."""
    page, level = drawn.rows.page, analysis.spec.level
    part, quoted = page.inputs.parts["association"], ((1 - level) / 2, 0.5, (1 + level) / 2)
    means, sds = page.prior_mean[part], np.sqrt(np.diag(page.prior_covariance))[part]
    for place, pair in enumerate(page.inputs.pairs):
        z = drawn.x[:, part][:, place]
        found = quantiles(z.reshape(chains, -1), quoted)
        odds = np.exp(page.association_sd * found.estimates)
        prior = np.exp(page.association_sd * norm(means[place], sds[place]).ppf(quoted))
        factor, other = (page.factors[i] for i in pair)
        yield {
            "cohort": page.cohort,
            "covariate": factor.name,
            "level": _extremes(factor),
            "other_covariate": other.name,
            "other_level": _extremes(other),
            "unit": "ratio",
            "interval": level,
            "informed": bool(z.std() < INFORMED * sds[place]),
            **_named(("lower", "estimate", "upper"), odds),
            **_named(
                ("lower_mcse", "mcse", "upper_mcse"), odds * page.association_sd * found.errors
            ),
            **_named(("prior_lower", "prior_estimate", "prior_upper"), prior),
        }


def _named(names: tuple[str, ...], values: Array) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _extremes(factor: Factor) -> str:
    """The last level of a covariate against its first; empty of a continuous one."""
    return "" if factor.continuous else f"{factor.levels[-1]} vs {factor.levels[0]}"
