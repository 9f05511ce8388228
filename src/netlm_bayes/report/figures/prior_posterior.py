"""What was believed before the evidence, and what is believed after it."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.formats import DEVIATION
from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.scale import Scale, ratio_scale
from netlm_bayes.report.figures.style import BLUE, PALE, Ink, styled
from netlm_bayes.report.figures.tidy import (
    centres,
    interval_of,
    level_text,
    marks,
    ratio_name,
    ratios_of,
)
from netlm_bayes.report.labels import Labels

PRIOR = Ink(PALE, line_width=7)
POSTERIOR = Ink(BLUE, "o", line_width=1.6)
COLUMNS = ("Prior", "Posterior")
HETEROGENEITY = Scale(
    "heterogeneity τ: standard deviation of log ratios between institutions", kind=DEVIATION
)


@styled
def prior_posterior(effects: pd.DataFrame, labels: Labels) -> Figure:
    """Draw prior and posterior of the pooled or each cohort's effects, and heterogeneity."""
    posterior = ratios_of(effects, labels)
    cohorts = labels.ordered_cohorts(centres(posterior["cohort"]))
    panels = [_effects_panel(effects, posterior, cohorts, labels)]
    heterogeneity = effects[effects["estimand"] == "heterogeneity"]
    if len(heterogeneity):
        panels.append(_heterogeneity_panel(heterogeneity, labels))
    whose = "pooled effects" if cohorts == centres(["pooled"]) else "effects"
    title = f"Prior and posterior of {whose}, with {level_text(posterior)}s"
    return chart(title, panels, {"prior": PRIOR, "posterior": POSTERIOR})


def _effects_panel(
    effects: pd.DataFrame, posterior: pd.DataFrame, cohorts: list[str], labels: Labels
) -> Panel:
    """Panel of ratios, grouped by covariate."""
    estimand = ratio_name(posterior)
    scale = ratio_scale(estimand, labels.event_of(posterior["endpoint"]))
    by_covariate: dict[str, list[Row]] = {}
    for contrast in labels.ordered_contrasts(posterior["contrast"]):
        covariate, _, levels = contrast.partition(": ")
        for cohort in cohorts:
            name = levels or contrast
            name = f"{name}, {labels.cohort(cohort)}" if len(cohorts) > 1 else name
            where = {"estimand": estimand, "contrast": contrast, "cohort": cohort}
            row = _row(name, effects, where, scale)
            by_covariate.setdefault(labels.contrast(covariate), []).append(row)
    groups = tuple(Group(heading, tuple(rows)) for heading, rows in by_covariate.items())
    return Panel(scale, groups, COLUMNS, title=estimand.replace("_", " ").capitalize())


def _heterogeneity_panel(heterogeneity: pd.DataFrame, labels: Labels) -> Panel:
    """Panel of the standard deviations between institutions."""
    rows = tuple(
        _row(
            labels.covariates.get(name, f"Baseline {name.replace('_', ' ')}"),
            heterogeneity,
            {"contrast": name},
            HETEROGENEITY,
        )
        for name in labels.ordered_contrasts(heterogeneity["contrast"])
    )
    return Panel(HETEROGENEITY, (Group("", rows),), COLUMNS, title="Heterogeneity")


def _row(name: str, table: pd.DataFrame, where: dict[str, str], scale: Scale) -> Row:
    """One quantity, its posterior over its prior."""
    before = interval_of(table, method="prior", **where)
    after = interval_of(table, method="posterior", **where)
    drawn = marks((PRIOR, before), (POSTERIOR, after))
    return Row(name, drawn, (scale.text(before), scale.text(after)))
