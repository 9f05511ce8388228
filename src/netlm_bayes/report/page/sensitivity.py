"""How far the answer depends on choices: heterogeneity, scenarios, weights, and each source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from netlm_bayes.formats import DEVIATION, Estimate, estimate_of, shown
from netlm_bayes.report.figures.scale import Scale, ratio_scale
from netlm_bayes.report.figures.tidy import centres, interval_of, level_text, ratio_name, ratios_of
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED
from netlm_bayes.report.page.charts import Figure, Line, Series, intervals_chart, mark
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, text_table

MAIN = Series("main model", "diamond", accent=True)
POOL = Series("pooled", "diamond", accent=True)
NEXT = Series("next institution", "triangle", hollow=True)
PRIOR = Series("prior", "bar")
POSTERIOR = Series("posterior", "circle", accent=True)
TAU = Scale("standard deviation of log ratios between institutions, τ", kind=DEVIATION)


@dataclass(frozen=True)
class Variant:
    """One table of ratios under several conditions, and how to show it."""

    table: str  # its file
    column: str  # names the condition of a row
    id: str  # id, title, subject: of the figure; `subject` says what is varied
    title: str
    subject: str
    main: str = ""  # condition of the main model, if it is among them


SCENARIOS = Variant("scenarios", "scenario", "scenarios", "By scenario", "scenario", "main")
WITHOUT = Variant(
    "leave_one_source_out",
    "left_out",
    "without",
    "Without each source",
    "source left out",
    "main",
)


def variant_figure(run: PageRun, variant: Variant) -> Figure | None:
    """Effects under each condition: scenarios, or one source left out."""
    table = run.tables.get(variant.table)
    if table is None or variant.column not in table or "contrast" not in table:
        return None
    ratios = ratios_of(table, run.labels)
    if ratios.empty:
        return None
    scale = ratio_scale(ratio_name(ratios), run.labels.event_of(ratios["endpoint"]))
    lines = list(_variant_lines(ratios, variant, run, scale))
    whose = "Pooled effects" if POOLED in set(ratios["cohort"]) else "Effects"
    title = f"{whose}: {variant.title.lower()}, with {level_text(ratios)}s"
    chart = intervals_chart(scale, (MAIN, Series(variant.subject, "circle", hollow=True)), lines)
    return Figure(
        variant.id, title, _spread(ratios, variant, run), chart, _of(title, lines, "Estimate")
    )


def _variant_lines(
    ratios: pd.DataFrame, variant: Variant, run: PageRun, scale: Scale
) -> Iterator[Line]:
    """A row a condition, the main model first."""
    labels = run.labels
    cohorts = labels.ordered_cohorts(centres(ratios["cohort"]))
    conditions = sorted(dict.fromkeys(ratios[variant.column]), key=lambda x: x != variant.main)
    for contrast in labels.ordered_contrasts(ratios["contrast"]):
        for cohort in cohorts:
            heading = labels.contrast(contrast)
            heading = heading if len(cohorts) == 1 else f"{heading}, {labels.cohort(cohort)}"
            for condition in conditions:
                where = {"contrast": contrast, "cohort": cohort, variant.column: condition}
                found = interval_of(ratios, **where)
                is_main = condition == variant.main
                name = MAIN.name if is_main else _condition(condition, variant, run)
                if found.estimate == found.estimate:
                    one = mark(0 if is_main else 1, found, scale)
                    keys = {"estimate": found.estimate}
                    yield Line(name, heading, "", (one,), one.text, keys)


def _condition(condition: str, variant: Variant, run: PageRun) -> str:
    """Name a condition as a row does."""
    if variant is WITHOUT:
        return f"without {run.labels.cohort(condition)}"
    return str(condition)


def _spread(ratios: pd.DataFrame, variant: Variant, run: PageRun) -> str:
    """Say which effect moves most, and over what range."""
    chosen = ratios[ratios["cohort"].isin(centres(ratios["cohort"]))]
    pairs = dict.fromkeys(zip(chosen["contrast"], chosen["cohort"], strict=True))
    found = {pair: _ends(chosen, *pair) for pair in pairs}
    (contrast, cohort), (low, high) = max(
        found.items(), key=lambda one: one[1][1].estimate / one[1][0].estimate
    )
    ends = f"{shown(low.estimate, low.mcse)} to {shown(high.estimate, high.mcse)}"
    return (
        f"Most depends on the {variant.subject} for {run.labels.contrast(contrast)} "
        f"({run.labels.cohort(cohort)}): the estimate runs from {ends}."
    )


def _ends(ratios: pd.DataFrame, contrast: str, cohort: str) -> tuple[Estimate, Estimate]:
    """Smallest and largest estimate of one ratio."""
    own = ratios[(ratios["contrast"] == contrast) & (ratios["cohort"] == cohort)]
    rows = own.sort_values("estimate").iloc[[0, -1]].to_dict("records")
    return estimate_of(rows[0]), estimate_of(rows[1])


def heterogeneity_figure(run: PageRun) -> Figure | None:
    """Pooled and next institution's effects under each prior of the heterogeneity."""
    table = run.tables.get("heterogeneity")
    if table is None or table.empty:
        return None
    ratios, labels = ratios_of(table, run.labels), run.labels
    scale = ratio_scale(ratio_name(ratios), labels.event_of(ratios["endpoint"]))
    lines = []
    for contrast in labels.ordered_contrasts(ratios["contrast"]):
        about = ratios[ratios["contrast"] == contrast]
        for prior in sorted(set(about["heterogeneity_scale"]), key=float):
            under = about[about["heterogeneity_scale"] == prior]
            pair = (interval_of(under, cohort=POOLED), interval_of(under, cohort=NEXT_INSTITUTION))
            marks = tuple(mark(place, found, scale) for place, found in enumerate(pair))
            name = f"τ ~ HalfNormal({float(prior):g})"
            keys = {"estimate": pair[0].estimate}
            lines.append(Line(name, labels.contrast(contrast), "", marks, marks[0].text, keys))
    title = f"Pooled effects by the prior of the heterogeneity, with {level_text(ratios)}s"
    variant = Variant("", "heterogeneity_scale", "", "", "prior of the heterogeneity")
    chart = intervals_chart(scale, (POOL, NEXT), lines)
    table_of = _of(title, lines, "Pooled", "Next institution")
    return Figure("heterogeneity", title, _spread(ratios, variant, run), chart, table_of)


def prior_posterior_figure(run: PageRun) -> Figure | None:
    """What was believed before the evidence, and what is believed after it."""
    effects, labels = run.tables["effects"], run.labels
    if "prior" not in set(effects["method"]):
        return None
    posterior = ratios_of(effects, labels)
    scale = ratio_scale(ratio_name(posterior), labels.event_of(posterior["endpoint"]))
    lines = []
    cohorts = labels.ordered_cohorts(centres(posterior["cohort"]))
    for contrast in labels.ordered_contrasts(posterior["contrast"]):
        for cohort in cohorts:
            name = labels.contrast(contrast)
            name = name if len(cohorts) == 1 else f"{name}, {labels.cohort(cohort)}"
            lines.append(_before_and_after(name, effects, scale, cohort, contrast))
    title = f"Prior and posterior, with {level_text(posterior)}s"
    chart = intervals_chart(scale, (PRIOR, POSTERIOR), lines)
    summary = "Where the posterior is as wide as the prior, the evidence has said nothing."
    return Figure("prior", title, summary, chart, _of(title, lines, "Prior", "Posterior"))


def tau_figure(run: PageRun) -> Figure | None:
    """Heterogeneity between institutions, before and after the evidence."""
    effects, labels = run.tables["effects"], run.labels
    found = effects[effects["estimand"] == "heterogeneity"]
    if found.empty:
        return None
    lines = [
        _before_and_after(
            labels.covariates.get(name, f"baseline {name.replace('_', ' ')}"),
            found,
            TAU,
            POOLED,
            name,
        )
        for name in labels.ordered_contrasts(found["contrast"])
    ]
    title = "Heterogeneity between institutions, prior and posterior"
    summary = (
        "With few institutions the heterogeneity is mostly prior: where the two intervals agree, "
        "the evidence has not told institutions apart."
    )
    chart = intervals_chart(TAU, (PRIOR, POSTERIOR), lines)
    return Figure("tau", title, summary, chart, _of(title, lines, "Prior", "Posterior"))


def _before_and_after(
    name: str, table: pd.DataFrame, scale: Scale, cohort: str, contrast: str
) -> Line:
    """One quantity, its posterior over its prior."""
    about = table[(table["contrast"] == contrast) & (table["cohort"] == cohort)]
    pair = [interval_of(about, method=method) for method in ("prior", "posterior")]
    marks = tuple(mark(place, found, scale) for place, found in enumerate(pair))
    return Line(name, "", "", marks, marks[1].text, {"estimate": pair[1].estimate})


def _of(title: str, lines: list[Line], *names: str) -> TextTable:
    """Table of a chart: a column for each of a row's marks."""
    rows = [(_named(line), *(one.text for one in line.marks)) for line in lines]
    return text_table(title, ("What", *names), rows, names)


def _named(line: Line) -> str:
    return f"{line.group}: {line.label}" if line.group else line.label
