"""Tidy tables to figures: what was computed is drawn, and nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.report.figures.curve_data import curve_covariates
from netlm_bayes.report.figures.curves import curves_by
from netlm_bayes.report.figures.evidence_map import evidence_map
from netlm_bayes.report.figures.forest import forest
from netlm_bayes.report.figures.predictive import (
    has_curves,
    predictive_covariates,
    predictive_curves,
    predictive_curves_by,
)
from netlm_bayes.report.figures.predictive_response import predictive_responses
from netlm_bayes.report.figures.prior_posterior import prior_posterior
from netlm_bayes.report.figures.replication import replication
from netlm_bayes.report.figures.response import response_by_subgroup
from netlm_bayes.report.figures.sensitivity import heterogeneity, scenarios
from netlm_bayes.report.figures.style import save
from netlm_bayes.report.figures.tidy import ratios_of
from netlm_bayes.report.labels import Labels

__all__ = [
    "Labels",
    "curves_by",
    "draw",
    "evidence_map",
    "forest",
    "heterogeneity",
    "predictive_curves",
    "predictive_curves_by",
    "predictive_responses",
    "prior_posterior",
    "replication",
    "response_by_subgroup",
    "scenarios",
]

type Drawing = tuple[str, Callable[[], Figure]]


def draw(tables: Mapping[str, pd.DataFrame], labels: Labels, folder: Path) -> tuple[Path, ...]:
    """Draw every figure for which there are tables, as PNG (200 dpi) and as SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    drawings = (*_curves(tables, labels), *_predictive(tables, labels), *_charts(tables, labels))
    for name, drawing in drawings:
        written += save(drawing(), folder, re.sub(r"[^\w.-]+", "-", name))
    return tuple(written)


def _curves(tables: Mapping[str, pd.DataFrame], labels: Labels) -> Iterator[Drawing]:
    """A figure of curves for each covariate."""
    if "curves" not in tables:
        return
    curves, printed = tables["curves"], tables.get("replication")
    for covariate in curve_covariates(curves, labels):
        name = f"{labels.primary_endpoint}_by_{covariate}"
        yield name, partial(curves_by, covariate, curves, printed, labels)


def _predictive(tables: Mapping[str, pd.DataFrame], labels: Labels) -> Iterator[Drawing]:
    """Predicted beside observed: curves overall and by covariate, or shares of responders."""
    if "predictive" not in tables:
        return
    predictive, observed = tables["predictive"], tables.get("kaplan_meier")
    if "predictive_response" in set(predictive["estimand"]):
        yield "predictive", partial(predictive_responses, predictive, labels)
    if observed is None or not has_curves(predictive, observed):
        return
    yield "predictive", partial(predictive_curves, predictive, observed, labels)
    for name in predictive_covariates(predictive, observed, labels):
        drawing = partial(predictive_curves_by, name, predictive, observed, labels)
        yield f"predictive_by_{name}", drawing


def _charts(tables: Mapping[str, pd.DataFrame], labels: Labels) -> Iterator[Drawing]:
    """Charts of estimates, each where its table has rows for it."""

    def has_ratios(name: str) -> bool:
        return name in tables and len(ratios_of(tables[name], labels)) > 0

    if has_ratios("effects"):
        effects = tables["effects"]
        if "comparison" in tables:
            yield "forest", partial(forest, tables["comparison"], effects, labels)
        yield "prior_posterior", partial(prior_posterior, effects, labels)
    if "replication" in tables and tables["replication"]["predicted"].notna().any():
        yield "replication", partial(replication, tables["replication"], labels)
    if has_ratios("heterogeneity"):
        yield "heterogeneity", partial(heterogeneity, tables["heterogeneity"], labels)
    if has_ratios("scenarios"):
        yield "scenarios", partial(scenarios, tables["scenarios"], labels)
    if "evidence_map" in tables:
        yield "evidence_map", partial(evidence_map, tables["evidence_map"], labels)
    if "subgroups" in tables and "response_probability" in set(tables["subgroups"]["estimand"]):
        yield (
            "response_by_subgroup",
            partial(response_by_subgroup, tables["subgroups"], labels),
        )
