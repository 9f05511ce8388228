"""Charts of a run's tables as plain data: described once, drawn on paper and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from netlm_bayes.report.charts.curves import curve_covariates, curves_by, profile_curves
from netlm_bayes.report.charts.description import Chart
from netlm_bayes.report.charts.evidence import evidence_map, replication
from netlm_bayes.report.charts.predictive import (
    predictive_covariates,
    predictive_curves,
    predictive_curves_by,
    predictive_responses,
    profile_response,
    response_by_subgroup,
)
from netlm_bayes.report.charts.ratios import (
    SCENARIOS,
    forest,
    heterogeneity,
    prior_posterior,
    under_choices,
)
from netlm_bayes.report.labels import Labels

__all__ = ["Chart", "charts_of", "curve_covariates", "curves_by", "forest", "profile_chart"]

Tables = Mapping[str, pd.DataFrame]


def charts_of(tables: Tables, labels: Labels) -> Iterator[Chart]:
    """Every chart for which there are tables, as files of a run hold them."""
    found = (*_curves(tables, labels), *_predictive(tables, labels), *_estimates(tables, labels))
    return (chart for chart in found if chart is not None)


def _curves(tables: Tables, labels: Labels) -> Iterator[Chart | None]:
    """A chart of curves for each covariate."""
    if "curves" in tables:
        curves, printed = tables["curves"], tables.get("replication")
        for covariate in curve_covariates(curves, labels):
            yield curves_by(covariate, curves, printed, labels)


def _predictive(tables: Tables, labels: Labels) -> Iterator[Chart | None]:
    """Predicted beside observed: curves overall and by covariate, or shares of responders."""
    if "predictive" not in tables:
        return
    predictive, observed = tables["predictive"], tables.get("kaplan_meier")
    if "predictive_response" in set(predictive["estimand"]):
        yield predictive_responses(predictive, labels)
    if observed is not None:
        yield predictive_curves(predictive, observed, labels)
        for covariate in predictive_covariates(predictive, observed, labels):
            yield predictive_curves_by(covariate, predictive, observed, labels)


def _estimates(tables: Tables, labels: Labels) -> Iterator[Chart | None]:
    """Charts of estimates."""
    if "effects" in tables:
        effects = tables["effects"]
        if "comparison" in tables:
            yield forest(effects, tables["comparison"], labels)
        yield prior_posterior(effects, labels)
    if "replication" in tables:
        yield replication(tables["replication"], labels)
    if "heterogeneity" in tables:
        yield heterogeneity(tables["heterogeneity"], labels)
    if "scenarios" in tables:
        yield under_choices(tables["scenarios"], SCENARIOS, labels)
    if "evidence_map" in tables:
        yield evidence_map(tables["evidence_map"], labels)
    if "subgroups" in tables and "response_probability" in set(tables["subgroups"]["estimand"]):
        yield response_by_subgroup(tables["subgroups"], labels)


def profile_chart(tables: Tables, profile: Sequence[str], basis: str, labels: Labels) -> Chart:
    """A prediction of one kind of patient: its curves, or its probability of response."""
    estimates = tables["prediction"]
    if "prediction_curves" in tables:
        return profile_curves(tables["prediction_curves"], estimates, profile, basis, labels)
    return profile_response(estimates, profile, basis, labels)
