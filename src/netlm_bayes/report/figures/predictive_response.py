"""The observed share of responders beside what the model predicts of the same patients."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.predictive import OVERALL, cohort_name
from netlm_bayes.report.figures.scale import percent_scale
from netlm_bayes.report.figures.style import BLACK, BLUE, Ink, styled
from netlm_bayes.report.figures.tidy import interval_of, level_text, marks, percent
from netlm_bayes.report.labels import Labels

RESPONSE = "predictive_response"
OBSERVED = Ink(BLACK, "o", hollow=True, size=6.0, line_width=0)
PREDICTED = Ink(BLUE, "D", size=4.5, line_width=1.9)


@styled
def predictive_responses(predictive: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the observed share of responders in the predicted ones' interval, by subgroup."""
    table = percent(predictive[predictive["estimand"] == RESPONSE])
    cohorts = labels.ordered_cohorts(table["cohort"])
    rows = [_row(cohort_name(name, labels), table, name, OVERALL) for name in cohorts]
    groups = {"": rows}
    own = table[table["cohort"] == cohorts[-1]]
    for subgroup in labels.ordered_contrasts(own["subgroup"]):
        covariate, _, level = subgroup.partition(": ")
        if level:
            row = _row(level, own, cohorts[-1], subgroup)
            groups.setdefault(labels.contrast(covariate), []).append(row)
    panel = Panel(
        percent_scale(),
        tuple(Group(heading, tuple(found)) for heading, found in groups.items()),
        ("observed", "predicted"),
    )
    legend = {f"posterior predictive, {level_text(table)}": PREDICTED, "observed": OBSERVED}
    return chart("Predicted and observed share of responders, percent", [panel], legend)


def _row(name: str, table: pd.DataFrame, cohort: str, subgroup: str) -> Row:
    """One subgroup: the predicted interval with the observed share over it."""
    where = {"cohort": cohort, "subgroup": subgroup}
    predicted = interval_of(table, method="posterior predictive", **where)
    observed = interval_of(table, method="observed", **where)
    drawn = marks((PREDICTED, predicted), (OBSERVED, observed))
    scale = percent_scale()
    return Row(name, drawn, (scale.text(observed), scale.text(predicted)))
