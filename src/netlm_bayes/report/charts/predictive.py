"""Predicted outcomes: curves and responses beside observed ones, and probabilities of response."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from netlm_bayes.ipd.patients import SMALLEST_SHOWN
from netlm_bayes.report.charts.curves import curve_of, sentence, who
from netlm_bayes.report.charts.description import (
    NEXT,
    POOL,
    Chart,
    CurvePanel,
    Curves,
    Group,
    Intervals,
    Mark,
    Marker,
    Panel,
    Row,
    Series,
)
from netlm_bayes.report.charts.scale import percent_scale
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, About, Labels
from netlm_bayes.report.rows import (
    by_about,
    interval_of,
    interval_text,
    percent,
    rows_of,
    time_unit_of,
    where,
)
from netlm_bayes.results import OVERALL

SURVIVAL = "predictive_survival"
FEW = f"<{SMALLEST_SHOWN}"
MOST_COHORTS = 6
OBSERVED = Series("observed (Kaplan-Meier)", "black", width=1.5)
PREDICTED = Series("posterior predictive median", "blue", width=1.2, dash="dashed")
Subgroup = tuple[str, str, str]
"""Cohort, covariate and level."""
# odd in number, so that filled and hollow alternate
MARKERS: tuple[Marker, ...] = (
    *("circle", "square", "triangle", "inverted", "plus", "star", "times"),
)
COLOURS = ("blue", "black", "purple")
APART = 0.1
MOST_COLUMNS = 4  # more numbers do not fit beside the plot
OBSERVED_SHARE = Series("observed", "black", "circle", hollow=True, size=6.0, width=0)
COHORT = Series("cohort", "blue", "circle", width=1.8)
SCALE = percent_scale()


def predictive_covariates(
    predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> list[str]:
    """Covariates by whose levels curves are predicted and observed, in the labels' order."""
    found = _observed(predictive, kaplan_meier)["covariate"]
    return [one.covariate for one in labels.ordered(About(name) for name in found if name)]


def predictive_curves(
    predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> Chart | None:
    """Every cohort's Kaplan-Meier curve over its posterior predictive curves."""
    about = where(_observed(predictive, kaplan_meier), subgroup=OVERALL)
    largest = _by_size(about["cohort"], kaplan_meier)[:MOST_COHORTS]
    groups = {(name, "", ""): of_everyone(name, labels) for name in labels.ordered_cohorts(largest)}
    if not groups:
        return None
    return _chart("predictive", "Predicted and observed", groups, about, kaplan_meier, labels)


def predictive_curves_by(
    covariate: str, predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> Chart:
    """The same by the levels of a covariate: of all patients, or of the largest cohort."""
    about = where(_observed(predictive, kaplan_meier), covariate=covariate)
    cohorts = _by_size(about["cohort"], kaplan_meier)
    name = POOLED if POOLED in cohorts else cohorts[0]
    about = where(about, cohort=name)
    groups = {(name, covariate, one.level): one.level for one in by_about(about, labels)}
    of_cohort = f" in {labels.cohort(name)}" if name != POOLED and len(cohorts) > 1 else ""
    title = f"{labels.covariate(covariate)}{of_cohort}: predicted and observed"
    return _chart(f"predictive_by_{covariate}", title, groups, about, kaplan_meier, labels)


def of_everyone(name: str, labels: Labels) -> str:
    """Name of a cohort; all patients together are no pool of a hierarchy."""
    return "All patients" if name == POOLED else labels.cohort(name)


def _observed(predictive: pd.DataFrame, kaplan_meier: pd.DataFrame) -> pd.DataFrame:
    """Predicted curves of those groups whose curve was observed too."""
    seen = where(kaplan_meier, estimand="survival")
    groups = set(map(_group, rows_of(seen[seen["estimate"].notna()])))
    predictive = where(predictive, estimand=SURVIVAL)
    return predictive[[_group(row) in groups for row in rows_of(predictive)]]


def _group(row: Any) -> Subgroup:
    return (row.cohort, row.covariate, row.level)


def _by_size(cohorts: Iterable[str], kaplan_meier: pd.DataFrame) -> list[str]:
    """Cohorts from the largest on, by how many are ever at risk."""
    at_risk = where(kaplan_meier, subgroup=OVERALL, estimand="at_risk")
    sizes = at_risk.groupby("cohort")["estimate"].max()
    return sorted(dict.fromkeys(cohorts), key=lambda name: -float(sizes.get(name, 0.0)))


def _chart(
    id_: str,
    what: str,
    groups: dict[Subgroup, str],
    predicted: pd.DataFrame,
    kaplan_meier: pd.DataFrame,
    labels: Labels,
) -> Chart:
    """A panel a group, with its title."""
    panels = tuple(_panel(title, g, predicted, kaplan_meier) for g, title in groups.items())
    band = Series(f"its {interval_text(predicted)} at each time", "lighter blue", width=8.0)
    last = max(panel.curves[0].x[-1] for panel in panels)
    return Chart(
        id_,
        f"{what} {labels.primary_label}",
        Curves(
            time_unit_of(predicted),
            labels.event_free_of([labels.primary_endpoint]),
            (0, last),
            (0, 1),
            panels,
            (OBSERVED, PREDICTED, band),
            percent=True,
        ),
        summary=_outside(panels),
    )


def _panel(
    title: str, group: Subgroup, predicted: pd.DataFrame, kaplan_meier: pd.DataFrame
) -> CurvePanel:
    """One group's prediction, observed curve and numbers at risk.

    All in steps from one month of the grid to the next, so that none of them runs ahead.
    """
    cohort, covariate, level = group
    own = {"cohort": cohort, "covariate": covariate, "level": level}
    seen = where(kaplan_meier, **own)
    observed = where(seen, estimand="survival").assign(lower=float("nan"), upper=float("nan"))
    at_risk = where(seen, estimand="at_risk").sort_values("horizon")
    return CurvePanel(
        title,
        (
            curve_of(where(predicted, **own), PREDICTED, step=True),
            curve_of(observed, OBSERVED, step=True),
        ),
        at_risk=tuple(
            (float(row.horizon), FEW if row.masked else f"{row.estimate:.0f}")
            for row in rows_of(at_risk)
        ),
    )


def _outside(panels: Iterable[CurvePanel]) -> str:
    """Say how much of the observed curves lies outside their bands."""
    pairs = [
        (value.estimate, band)
        for predicted, observed in (panel.curves for panel in panels)
        for bands in [dict(zip(predicted.x, predicted.estimates, strict=True))]
        for month, value in zip(observed.x, observed.estimates, strict=True)
        if (band := bands.get(month))
    ]
    out = sum(not band.lower <= value <= band.upper for value, band in pairs)
    return (
        f"Of {len(pairs)} points of the observed curves, {out} lie outside the posterior "
        "predictive band of these patients."
    )


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
        Intervals((_response_panel(groups, columns, APART),), tuple(series.values())),
    )


def _response_panel(
    groups: dict[str, list[Row]], columns: tuple[str, ...], apart: float = 0.0
) -> Panel:
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
        marks = (Mark(series, predicted), Mark(OBSERVED_SHARE, observed))
        return Row(name, marks, (SCALE.text(observed), SCALE.text(predicted)))

    overall = where(table, subgroup=OVERALL)
    groups = {"": [row(of_everyone(x, labels), where(overall, cohort=x)) for x in cohorts]}
    own = where(table, cohort=cohorts[-1])
    for one, about in by_about(own[own["covariate"].ne("")], labels).items():
        groups.setdefault(labels.covariate(one.covariate), []).append(row(one.text, about))
    return Chart(
        "predictive",
        "Predicted and observed share of responders, percent",
        Intervals((_response_panel(groups, ("observed", "predicted")),), (series, OBSERVED_SHARE)),
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
        Intervals((_response_panel({who(profile, labels): rows}, ("percent",)),), ()),
        footnote=sentence(basis),
    )
