"""How probable a response is, level by level."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.scale import percent_scale
from netlm_bayes.report.figures.style import BLACK, BLUE, ORANGE, PURPLE, Ink, styled
from netlm_bayes.report.figures.tidy import interval_of, level_text, marks, percent
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels

POOL = Ink(ORANGE, "D", size=5.5, line_width=1.9)
MARKERS = ("o", "s", "^", "v", "P", "*", "X")  # odd in number, so that filled and hollow alternate
COLOURS = (BLUE, BLACK, PURPLE)
APART = 0.1
MOST_COLUMNS = 4  # more numbers do not fit beside the plot


@styled
def response_by_subgroup(subgroups: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the probability of response of every level, by cohort and pooled."""
    found = subgroups[subgroups["estimand"] == "response_probability"]
    found = percent(found[found["cohort"] != NEXT_INSTITUTION])
    cohorts = labels.ordered_cohorts(found["cohort"])
    inks = {name: _cohort_ink(index) for index, name in enumerate(cohorts)}
    inks |= {POOLED: POOL} if POOLED in cohorts else {}
    by_covariate: dict[str, list[Row]] = {}
    for subgroup in labels.ordered_contrasts(found["subgroup"]):
        covariate, _, level = subgroup.partition(": ")
        about = found[found["subgroup"] == subgroup]
        heading = labels.contrast(covariate) if level else ""
        row = _row(level or "All patients", about, inks)
        by_covariate.setdefault(heading, []).append(row)
    overall = by_covariate.pop("", [])
    groups = [Group("", tuple(overall))] if overall else []
    groups += [Group(heading, tuple(rows)) for heading, rows in by_covariate.items()]
    columns = tuple(labels.cohort(name) for name in cohorts)
    panel = Panel(percent_scale(), tuple(groups), columns if len(cohorts) <= MOST_COLUMNS else ())
    title = f"Probability of response by subgroup, percent, with {level_text(found)}s"
    return chart(title, [panel], {labels.cohort(name): ink for name, ink in inks.items()})


def _cohort_ink(index: int) -> Ink:
    """Ink of a cohort; twice as many as there are markers differ in shape or filling."""
    marker, colour = MARKERS[index % len(MARKERS)], COLOURS[index % len(COLOURS)]
    return Ink(colour, marker, hollow=index % 2 == 1, size=7.0 if marker == "*" else 5.5)


def _row(name: str, about: pd.DataFrame, inks: dict[str, Ink]) -> Row:
    """One level: the cohorts below each other, their numbers beside each other."""
    intervals = {cohort: interval_of(about, cohort=cohort) for cohort in inks}
    drawn = marks(*((inks[cohort], found) for cohort, found in intervals.items()), apart=APART)
    if len(inks) > MOST_COLUMNS:
        return Row(name, drawn)
    return Row(name, drawn, tuple(percent_scale().text(found) for found in intervals.values()))
