"""How far the answer depends on what was chosen: heterogeneity priors and scenarios."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.scale import Scale, months_scale, percent_scale, ratio_scale
from netlm_bayes.report.figures.style import BLACK, BLUE, GREY, ORANGE, PURPLE, Ink, styled
from netlm_bayes.report.figures.tidy import (
    centres,
    interval_of,
    level_text,
    marks,
    percent,
    ratio_name,
    ratios_of,
)
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels

POOL = Ink(ORANGE, "D", line_width=1.7)
NEXT = Ink(PURPLE, "^", hollow=True, size=5.5, line_style=(0, (3, 1.5)))
MAIN = Ink(BLACK, "D", line_width=1.9)
SCENARIO = Ink(BLUE, "o", hollow=True, line_width=1.4)
GUIDE = Ink(GREY, line_width=0.8, line_style=":")
APART = 0.095


@styled
def heterogeneity(table: pd.DataFrame, labels: Labels) -> Figure:
    """Draw pooled and next institution's effects under each prior of the heterogeneity."""
    ratios = ratios_of(table, labels)
    scale = ratio_scale(ratio_name(ratios), labels.event_of(ratios["endpoint"]))
    groups = []
    for contrast in labels.ordered_contrasts(ratios["contrast"]):
        about = ratios[ratios["contrast"] == contrast]
        rows = []
        for prior in sorted(set(about["heterogeneity_scale"]), key=float):
            under = about[about["heterogeneity_scale"] == prior]
            pool = interval_of(under, cohort=POOLED)
            ahead = interval_of(under, cohort=NEXT_INSTITUTION)
            drawn = marks((POOL, pool), (NEXT, ahead), apart=APART)
            cells = (scale.text(pool), scale.text(ahead))
            rows.append(Row(f"τ ~ HalfNormal({float(prior):g})", drawn, cells))
        groups.append(Group(labels.contrast(contrast), tuple(rows)))
    title = f"Pooled effects by the prior of the heterogeneity τ, with {level_text(ratios)}s"
    panel = Panel(scale, tuple(groups), ("Pooled", "Next institution"))
    return chart(title, [panel], {"pooled": POOL, "next institution": NEXT})


@styled
def scenarios(table: pd.DataFrame, labels: Labels) -> Figure:
    """Draw pooled effects (or each cohort's), and everyone's outcome, by scenario."""
    ratios = ratios_of(table, labels)
    cohorts = labels.ordered_cohorts(centres(ratios["cohort"]))
    scale = ratio_scale(ratio_name(ratios), labels.event_of(ratios["endpoint"]))
    groups = []
    for contrast in labels.ordered_contrasts(ratios["contrast"]):
        about = ratios[ratios["contrast"] == contrast]
        for cohort in cohorts:
            heading = _heading(labels.contrast(contrast), cohort, cohorts, labels)
            groups.append(_by_scenario(heading, about[about["cohort"] == cohort], scale))
    ratio_panel = Panel(scale, tuple(groups), (scale.label.split(" (")[0].capitalize(),))
    panels = [ratio_panel, *_everyone(table, cohorts, labels)]
    title = f"Effects by scenario, with {level_text(ratios)}s"
    legend = {"main model": MAIN, "scenario": SCENARIO, "estimate of the main model": GUIDE}
    title = f"Pooled effects{title.removeprefix('Effects')}" if cohorts == [POOLED] else title
    return chart(title, panels, legend)


def _everyone(table: pd.DataFrame, cohorts: list[str], labels: Labels) -> list[Panel]:
    """Panel of all patients' median, or of their probability of response, if in the table."""
    overall = table[(table["subgroup"] == "overall") & (table["method"] == "posterior")]
    medians = overall[overall["estimand"] == "median"]
    medians = medians[medians["endpoint"] == labels.primary_endpoint]
    responses = percent(overall[overall["estimand"] == "response_probability"])
    found = [
        ("Median, all patients", medians, months_scale()),
        ("Probability of response, all patients", responses, percent_scale()),
    ]
    panels = []
    for heading, rows, scale in found:
        groups = tuple(
            _by_scenario(
                _heading(heading, cohort, cohorts, labels), rows[rows["cohort"] == cohort], scale
            )
            for cohort in cohorts
        )
        if len(rows):
            panels.append(Panel(scale, groups, (scale.label.capitalize(),)))
    return panels


def _heading(text: str, cohort: str, cohorts: list[str], labels: Labels) -> str:
    """Heading that names the cohort where there are several."""
    return text if len(cohorts) == 1 else f"{text}, {labels.cohort(cohort)}"


def _by_scenario(heading: str, table: pd.DataFrame, scale: Scale) -> Group:
    """One row a scenario, the main model first and guiding the eye."""
    main = interval_of(table, scenario="main")
    rows = []
    for name in sorted(dict.fromkeys(table["scenario"]), key=lambda scenario: scenario != "main"):
        is_main = name == "main"
        interval = interval_of(table, scenario=name)
        drawn = marks((MAIN if is_main else SCENARIO, interval))
        rows.append(Row("main model" if is_main else name, drawn, (scale.text(interval),), is_main))
    return Group(heading, tuple(rows), guide=main.estimate)
