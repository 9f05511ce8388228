"""Probabilities of response: by level, predicted beside observed, and of a kind of patient."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from netlm_bayes.report.charts.curves import sentence, who
from netlm_bayes.report.charts.description import (
    NEXT,
    POOL,
    Chart,
    Group,
    Intervals,
    Mark,
    Marker,
    Panel,
    Row,
    Series,
)
from netlm_bayes.report.charts.predictive import of_everyone
from netlm_bayes.report.charts.scale import percent_scale
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels
from netlm_bayes.report.rows import by_about, interval_of, interval_text, percent, where
from netlm_bayes.results import OVERALL

# odd in number, so that filled and hollow alternate
MARKERS: tuple[Marker, ...] = (
    *("circle", "square", "triangle", "inverted", "plus", "star", "times"),
)
COLOURS = ("blue", "black", "purple")
APART = 0.1
MOST_COLUMNS = 4  # more numbers do not fit beside the plot
OBSERVED = Series("observed", "black", "circle", hollow=True, size=6.0, width=0)
COHORT = Series("cohort", "blue", "circle", width=1.8)
SCALE = percent_scale()


def response_by_subgroup(subgroups: pd.DataFrame, labels: Labels) -> Chart:
    """Probability of response of every level, by cohort and pooled."""
    found = percent(where(subgroups, estimand="response_probability"))
    found = found[found["cohort"] != NEXT_INSTITUTION]
    cohorts = labels.ordered_cohorts(found["cohort"])
    series = {name: _series_of(name, place, labels) for place, name in enumerate(cohorts)}
    columns = tuple(map(labels.cohort, cohorts)) if len(cohorts) <= MOST_COLUMNS else ()

    def row(name: str, about: pd.DataFrame) -> Row:
        intervals = {cohort: interval_of(about, cohort=cohort) for cohort in cohorts}
        marks = tuple(Mark(series[cohort], one) for cohort, one in intervals.items())
        return Row(name, marks, tuple(map(SCALE.text, intervals.values())) if columns else ())

    groups = {"": [row("All patients", where(found, subgroup=OVERALL))]}
    for one, table in by_about(found[found["covariate"].ne("")], labels).items():
        groups.setdefault(labels.covariate(one.covariate), []).append(row(one.text, table))
    return Chart(
        "response_by_subgroup",
        f"Probability of response by subgroup, percent, with {interval_text(found)}s",
        Intervals((_panel(groups, columns, APART),), tuple(series.values())),
    )


def _panel(groups: dict[str, list[Row]], columns: tuple[str, ...], apart: float = 0.0) -> Panel:
    """Panel of rows under their headings."""
    found = tuple(Group(heading, tuple(rows)) for heading, rows in groups.items())
    return Panel(SCALE, found, columns, apart=apart)


def _series_of(name: str, place: int, labels: Labels) -> Series:
    """Twice as many cohorts as there are markers differ in shape or filling; the pool is itself."""
    if name == POOLED:
        return Series(labels.cohort(name), POOL.colour, POOL.marker, size=5.5, width=1.9)
    marker, colour = MARKERS[place % len(MARKERS)], COLOURS[place % len(COLOURS)]
    size = 7.0 if marker == "star" else 5.5
    return Series(labels.cohort(name), colour, marker, hollow=place % 2 == 1, size=size)


def predictive_responses(predictive: pd.DataFrame, labels: Labels) -> Chart:
    """Observed share of responders in the predicted ones' interval, by subgroup."""
    table = percent(where(predictive, estimand="predictive_response"))
    cohorts = labels.ordered_cohorts(table["cohort"])
    series = Series(
        f"posterior predictive, {interval_text(table)}", "blue", "diamond", size=4.5, width=1.9
    )

    def row(name: str, about: pd.DataFrame) -> Row:
        methods = ("posterior predictive", "observed")
        predicted, observed = (interval_of(about, method=method) for method in methods)
        marks = (Mark(series, predicted), Mark(OBSERVED, observed))
        return Row(name, marks, (SCALE.text(observed), SCALE.text(predicted)))

    overall = where(table, subgroup=OVERALL)
    groups = {"": [row(of_everyone(x, labels), where(overall, cohort=x)) for x in cohorts]}
    own = where(table, cohort=cohorts[-1])
    for one, about in by_about(own[own["covariate"].ne("")], labels).items():
        groups.setdefault(labels.covariate(one.covariate), []).append(row(one.text, about))
    return Chart(
        "predictive",
        "Predicted and observed share of responders, percent",
        Intervals((_panel(groups, ("observed", "predicted")),), (series, OBSERVED)),
    )


def profile_response(
    estimates: pd.DataFrame, profile: Sequence[str], basis: str, labels: Labels
) -> Chart:
    """Probability of response of a kind of patient in every population."""
    found, rows = percent(estimates), []
    for cohort in labels.ordered_cohorts(found["cohort"]):
        series = {POOLED: POOL, NEXT_INSTITUTION: NEXT}.get(cohort, COHORT)
        interval = interval_of(found, cohort=cohort)
        cells = (SCALE.text(interval),)
        rows.append(Row(labels.cohort(cohort), (Mark(series, interval),), cells, cohort == POOLED))
    return Chart(
        "prediction",
        f"Predicted probability of response, with {interval_text(found)}s",
        Intervals((_panel({who(profile, labels): rows}, ("percent",)),), ()),
        footnote=sentence(basis),
    )
