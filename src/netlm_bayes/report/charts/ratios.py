"""Charts of ratios: beside the other method, before the evidence, and under other choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from netlm_bayes.compare.printed import COEFFICIENT
from netlm_bayes.formats import DEVIATION, Estimate, estimate_of, interval, shown
from netlm_bayes.report.charts.description import (
    COHORT,
    NEXT,
    POOL,
    PRINTED,
    Chart,
    Group,
    Intervals,
    Mark,
    Panel,
    Row,
    Series,
)
from netlm_bayes.report.charts.scale import Scale, percent_scale, ratio_scale, time_scale
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, About, Labels, about, support
from netlm_bayes.report.rows import (
    NOTHING,
    above_one,
    by_about,
    centres,
    interval_of,
    interval_text,
    percent,
    ratio_name,
    ratios_of,
    rows_of,
    where,
)
from netlm_bayes.results import MULTIVARIABLE, OVERALL

APART = 0.1
OTHERS = {"fit": "printed", "patients": "regression"}
"""What stands beside a posterior, by its role."""
ABOVE_ONE = "P > 1: probability that the ratio exceeds 1."
REGRESSION = (
    "Regression: multivariable Cox or logistic regression of the same patients, complete cases"
)
LIMITS = {
    "printed": "limits as printed",
    "p value": "limits computed from the printed p value",
    "standard error": "limits computed from the printed ones, at the posterior's level",
}
"""By `limits_from`, of what is printed."""
SIGNS = ("", "*", "†")

PRIOR = Series("prior", "pale", width=7)
POSTERIOR = Series("posterior", "blue", "circle", width=1.6)
TAU = Scale(
    "heterogeneity τ: standard deviation of log ratios between institutions", kind=DEVIATION
)

MAIN = Series("main model", "black", "diamond", width=1.9)
GUIDE = Series("estimate of the main model", "grey", width=0.8, dash="dotted")


def forest(effects: pd.DataFrame, comparison: pd.DataFrame | None, labels: Labels) -> Chart | None:
    """Every ratio cohort by cohort beside the other method's, then the pool's."""
    posterior, beside = ratios_of(effects), _beside(comparison)
    if posterior.empty:
        return None
    roles = set(beside["role"]) or {"fit"}
    other = " or ".join(name for role, name in OTHERS.items() if role in roles)
    modelled = {(about(row), row.cohort): row for row in rows_of(posterior)}
    own = {(about(row), row.cohort): row for row in rows_of(beside)}
    scale = _scale_of([*posterior["endpoint"], *beside["endpoint"]], posterior, labels)
    pair = _Pair(labels, scale, _signs(beside), replace(PRINTED, name=other))
    pairs = dict.fromkeys((*own, *modelled))
    groups = {
        one: Group(
            labels.about(one),
            tuple(
                pair.row(cohort, own.get((one, cohort)), modelled.get((one, cohort)))
                for cohort in labels.ordered_cohorts(name for key, name in pairs if key == one)
            ),
        )
        for one in labels.ordered(key for key, _ in pairs)
    }
    name = ratio_name(posterior).replace("_", " ")
    columns = (other.capitalize(), "Posterior", "P > 1")
    panels = tuple(
        Panel(axis, tuple(groups[one] for one in of), columns, title, apart=APART, main=1)
        for title, axis, of in _by_design(scale, ratio_name(posterior), list(groups), labels)
    )
    return Chart(
        "forest",
        f"{name.capitalize()}s, {other} and posterior, with {interval_text(posterior)}s",
        Intervals(panels, (pair.series, COHORT, POOL, NEXT)),
        footnote=_note(beside),
        summary=_clear(posterior, labels, name),
    )


def _by_design(
    scale: Scale, estimand: str, found: Sequence[About], labels: Labels
) -> Iterator[tuple[str, Scale, list[About]]]:
    """Titles, axes and contrasts of panels: treatments by their design, and then all others."""
    designs = dict.fromkeys(labels.design(one.covariate) for one in found)
    for design in designs:
        of = [one for one in found if labels.design(one.covariate) == design]
        if design:
            yield f"Treatment, {design}", _favouring(scale, estimand, of), of
        else:
            yield "Other covariates" if len(designs) > 1 else "", scale, of


def _favouring(scale: Scale, estimand: str, found: Sequence[About]) -> Scale:
    """Axis of treatments: who is favoured on each side of 1."""
    if not all(one.versus for one in found):
        return scale
    (level, versus), *others = dict.fromkeys((one.level, one.versus) for one in found)
    sides = ("the first of the two", "the second") if others else (level, versus)
    below, above = sides if estimand == "hazard_ratio" else sides[::-1]
    return replace(scale, below=f"favours {below}", above=f"favours {above}")


def _beside(comparison: pd.DataFrame | None) -> pd.DataFrame:
    """Published ratios that are fitted, and each cohort's own multivariable regression.

    Of several of one contrast the last is shown, which is the one adjusted for most.
    """
    if comparison is None:
        return pd.DataFrame(columns=["role", "limits_from", "endpoint"])
    own = comparison["role"].eq("patients") & comparison["cohort"].ne(POOLED)
    regression = own & comparison["adjustment"].eq(MULTIVARIABLE)
    found = comparison[comparison["role"].eq("fit") | regression]
    adjusted = found["adjusted_for"].astype(str)
    others = adjusted.str.count(", ") + adjusted.ne("")
    return found.iloc[np.argsort(others.to_numpy(), kind="stable")]


def _scale_of(endpoints: Iterable[str], table: pd.DataFrame, labels: Labels) -> Scale:
    """Axis of ratios of some endpoints."""
    return ratio_scale(ratio_name(table), labels.event_of(endpoints))


def _signs(beside: pd.DataFrame) -> dict[str, str]:
    """Sign of each origin of printed limits; none of the first, nor where there is one alone."""
    found = set(beside["limits_from"])
    return dict(zip((name for name in LIMITS if name in found), SIGNS, strict=False))


def _note(beside: pd.DataFrame) -> str:
    """What stands beside the posterior, and where its limits come from."""
    roles = set(beside["role"]) or {"fit"}
    limits = [f"{sign} {LIMITS[name]}".strip() for name, sign in _signs(beside).items()]
    fitted = "; ".join(["the fitted ratio that is adjusted for most", *limits])
    if "patients" not in roles:
        return f"Printed: {fitted}. {ABOVE_ONE} A dash: nothing fitted."
    other = f"{REGRESSION}; of a printed cohort, {fitted}" if "fit" in roles else REGRESSION
    return f"{other}. {ABOVE_ONE} A dash: no estimate."


@dataclass(frozen=True)
class _Pair:
    """Rows of a ratio by two methods."""

    labels: Labels
    scale: Scale
    signs: Mapping[str, str]
    series: Series  # of the other method

    def row(self, cohort: str, own: Any, modelled: Any) -> Row:
        """One cohort's ratio by both methods, or by one of them."""
        ink = {POOLED: POOL, NEXT_INSTITUTION: NEXT}.get(cohort, COHORT)
        before, sign = NOTHING, ""
        # A ratio of an endpoint with effects of its own has a posterior of its own.
        apart = own is not None and own.endpoint != getattr(modelled, "endpoint", "")
        one = own if modelled is None or (apart and own.estimand_is == COEFFICIENT) else modelled
        after = estimate_of(one, "posterior_" if one is own else "")
        marks = [Mark(ink, after)]
        if own is not None:
            before = estimate_of(own, "printed_")
            sign = self.signs.get(own.limits_from, "")
            marks = [Mark(self.series, before), Mark(ink, after)]
        cells = (self.scale.text(before) + sign, self.scale.text(after), above_one(one))
        label = self.labels.cohort_on(cohort, own.endpoint if own is not None else "")
        if modelled is not None and (remark := support(modelled)):
            label = f"{label}, {remark}"
        who = self.labels.cohort(cohort)
        keys = _keys(before, after, float(one.prob_above_null))
        return Row(label, tuple(marks), cells, cohort == POOLED, who, keys)


def _keys(before: Estimate, after: Estimate, above: float) -> dict[str, float]:
    """What ratios can be sorted by."""
    return {
        "estimate": after.estimate,
        "width of the interval": math.log(after.upper / after.lower),
        "probability above 1": above,
        "distance from the other method": abs(math.log(after.estimate / before.estimate)),
    }


def _clear(posterior: pd.DataFrame, labels: Labels, name: str) -> str:
    """Say which ratios are large and sure, in words."""
    pooled = posterior[posterior["cohort"] == POOLED]
    drawn = pooled if len(pooled) else posterior
    drawn = drawn[drawn["informed"]]
    clear = drawn[(drawn["lower"] > 1) | (drawn["upper"] < 1)]
    whose = ("pooled " if len(pooled) else "") + ("ratio" if len(drawn) == 1 else "ratios")
    if clear.empty:
        return f"Of {len(drawn)} {whose}, no interval excludes 1."
    listed = "; ".join(
        f"{labels.about(about(row))}, {name} {interval(estimate_of(row))}" for row in rows_of(clear)
    )
    excluding = f"{len(clear)} have an interval that excludes 1"
    return f"Of {len(drawn)} {whose}, {excluding}: {listed}."


def prior_posterior(effects: pd.DataFrame, labels: Labels) -> Chart | None:
    """Prior and posterior of the pooled or each cohort's effects, and of heterogeneity."""
    posterior = ratios_of(effects)
    if posterior.empty or "prior" not in set(effects["method"]):
        return None
    scale = _scale_of(posterior["endpoint"], posterior, labels)
    cohorts = centres(posterior["cohort"], labels)
    ratios = pd.concat([posterior, ratios_of(effects, "prior")])
    groups: dict[str, list[Row]] = {}
    for one, table in by_about(ratios, labels).items():
        for cohort in cohorts:
            name = _with_cohort(
                one.text or labels.covariate(one.covariate), cohort, cohorts, labels
            )
            row = _before_and_after(name, where(table, cohort=cohort), scale)
            groups.setdefault(labels.covariate(one.covariate), []).append(row)
    columns = ("Prior", "Posterior")
    title = ratio_name(posterior).replace("_", " ").capitalize()
    found = tuple(Group(heading, tuple(rows)) for heading, rows in groups.items())
    panels = [Panel(scale, found, columns, title, main=1)]
    heterogeneity = where(effects, estimand="heterogeneity")
    if len(heterogeneity):
        rows = tuple(_heterogeneity_rows(heterogeneity, labels))
        panels.append(Panel(TAU, (Group("", rows),), columns, "Heterogeneity", main=1))
    whose = "pooled effects" if cohorts == [POOLED] else "effects"
    return Chart(
        "prior_posterior",
        f"Prior and posterior of {whose}, with {interval_text(posterior)}s",
        Intervals(tuple(panels), (PRIOR, POSTERIOR)),
        summary=(
            "Where the posterior is as wide as the prior, the data add little. With few "
            "institutions this is true of the heterogeneity."
        ),
    )


def _heterogeneity_rows(table: pd.DataFrame, labels: Labels) -> Iterator[Row]:
    """Standard deviations between institutions, of effects and then of the baseline."""
    for one, effect in by_about(table, labels).items():
        for parameter in dict.fromkeys(effect["parameter"]):
            own = where(effect, parameter=parameter)
            baseline = f"Baseline {parameter.replace('_', ' ')}"
            yield _before_and_after(labels.covariate(one.covariate) or baseline, own, TAU)


def _before_and_after(name: str, table: pd.DataFrame, scale: Scale) -> Row:
    """One quantity, its posterior over its prior."""
    before, after = (interval_of(table, method=method) for method in ("prior", "posterior"))
    marks = (Mark(PRIOR, before), Mark(POSTERIOR, after))
    return Row(name, marks, (scale.text(before), scale.text(after)))


def _with_cohort(text: str, cohort: str, cohorts: Sequence[str], labels: Labels) -> str:
    """Text that names the cohort where there are several."""
    return text if len(cohorts) == 1 else f"{text}, {labels.cohort(cohort)}"


def heterogeneity(table: pd.DataFrame, labels: Labels) -> Chart | None:
    """Pooled and the next institution's effects under each prior of the heterogeneity."""
    ratios = ratios_of(table)
    if ratios.empty:
        return None
    scale = _scale_of(ratios["endpoint"], ratios, labels)
    groups = []
    for one, effect in by_about(ratios, labels).items():
        rows = []
        for prior in sorted(set(effect["heterogeneity_scale"]), key=float):
            under = where(effect, heterogeneity_scale=prior)
            found = [interval_of(under, cohort=cohort) for cohort in (POOLED, NEXT_INSTITUTION)]
            marks = (Mark(POOL, found[0]), Mark(NEXT, found[1]))
            cells = tuple(map(scale.text, found))
            rows.append(Row(f"τ ~ HalfNormal({float(prior):g})", marks, cells))
        groups.append(Group(labels.about(one), tuple(rows)))
    columns = ("Pooled", "Next institution")
    return Chart(
        "heterogeneity",
        f"Pooled effects by the prior of the heterogeneity τ, with {interval_text(ratios)}s",
        Intervals((Panel(scale, tuple(groups), columns, apart=APART),), (POOL, NEXT)),
        summary=_spread(ratios, "prior of the heterogeneity", labels),
    )


@dataclass(frozen=True)
class Choices:
    """A table of estimates under several choices, the main model's among them."""

    id: str  # of the chart, and name of its table
    column: str  # names the choice of a row
    title: str
    subject: str  # what is varied
    name: Callable[[str, Labels], str]  # of a choice
    summary: str = ""  # in words; which effect moves most where it is empty

    @property
    def series(self) -> Series:
        """Estimates under every choice but the main model's."""
        return Series(self.subject, "blue", "circle", hollow=True, width=1.4)

    def groups(
        self, heading: str, table: pd.DataFrame, scale: Scale, labels: Labels
    ) -> Iterator[Group]:
        """A group for each cohort, its rows guided by the main model."""
        cohorts = centres(table["cohort"], labels)
        for cohort in cohorts:
            own = where(table, cohort=cohort)
            main = interval_of(own, **{self.column: "main"})
            guide = None if math.isnan(main.estimate) else Mark(GUIDE, main)
            name = _with_cohort(heading, cohort, cohorts, labels)
            yield Group(name, tuple(self._rows(own, scale, labels)), guide)

    def _rows(self, table: pd.DataFrame, scale: Scale, labels: Labels) -> Iterator[Row]:
        """A row for each choice, the main model first."""
        for choice in sorted(dict.fromkeys(table[self.column]), key=lambda name: name != "main"):
            found, is_main = interval_of(table, **{self.column: choice}), choice == "main"
            mark = Mark(MAIN if is_main else self.series, found)
            name = MAIN.name if is_main else self.name(choice, labels)
            yield Row(name, (mark,), (scale.text(found),), bold=is_main)


SCENARIOS = Choices("scenarios", "scenario", "by scenario", "scenario", lambda name, _: name)
WITHOUT = Choices(
    "leave_one_source_out",
    "left_out",
    "without each source",
    "source left out",
    lambda cohort, labels: f"without {labels.cohort(cohort)}",
)


ALONE = Choices(
    "leave_one_source_out",
    "alone",
    "and those of each cohort by itself",
    "cohort by itself",
    lambda cohort, labels: f"{labels.cohort(cohort)} by itself",
    "A cohort by itself, without the other's evidence; one that carries no information on an "
    "effect gives its prior.",
)


def without_each(table: pd.DataFrame, labels: Labels) -> Chart | None:
    """Pooled effects without each source; of two cohorts, what each says by itself."""
    if len(labels.cohorts) != 2:
        return under_choices(table, WITHOUT, labels)
    first, second = labels.cohorts
    parts = [where(table, left_out="main").assign(alone="main")]
    for alone, other in ((first, second), (second, first)):
        own = where(table, left_out=other, cohort=alone)
        parts.append(own.assign(alone=alone, cohort=POOLED))
    return under_choices(pd.concat(parts), ALONE, labels)


def under_choices(table: pd.DataFrame, choices: Choices, labels: Labels) -> Chart | None:
    """Pooled effects (or each cohort's), and everyone's outcome, under each choice."""
    ratios = ratios_of(table) if choices.column in table else table.iloc[:0]
    if ratios.empty:
        return None
    scale = _scale_of(ratios["endpoint"], ratios, labels)
    groups = [
        group
        for one, effect in by_about(ratios, labels).items()
        for group in choices.groups(labels.about(one), effect, scale, labels)
    ]
    panels = [Panel(scale, tuple(groups), (scale.name,)), *_everyone(table, choices, labels)]
    whose = "Pooled effects" if centres(ratios["cohort"], labels) == [POOLED] else "Effects"
    return Chart(
        choices.id,
        f"{whose} {choices.title}, with {interval_text(ratios)}s",
        Intervals(tuple(panels), (MAIN, choices.series, GUIDE)),
        summary=choices.summary or _spread(ratios, choices.subject, labels),
    )


def _everyone(table: pd.DataFrame, choices: Choices, labels: Labels) -> Iterator[Panel]:
    """Panel of all patients' median, or of their probability of response, if in the table."""
    overall = where(table, subgroup=OVERALL, method="posterior")
    medians = where(overall, estimand="median", endpoint=labels.primary_endpoint)
    responses = percent(where(overall, estimand="response_probability"))
    unit = str(medians["unit"].iloc[0]) if len(medians) else "months"
    for heading, rows, scale in (
        ("Median, all patients", medians, time_scale(unit)),
        ("Probability of response, all patients", responses, percent_scale()),
    ):
        if len(rows):
            groups = choices.groups(heading, rows, scale, labels)
            yield Panel(scale, tuple(groups), (scale.name,))


def _spread(ratios: pd.DataFrame, subject: str, labels: Labels) -> str:
    """Say which effect moves most, and over what range."""
    found = [
        (_ends(own), one, cohort)
        for one, effect in by_about(ratios, labels).items()
        for cohort in centres(ratios["cohort"], labels)
        if len(own := where(effect, cohort=cohort))
    ]
    (low, high), one, cohort = max(found, key=lambda x: x[0][1].estimate / x[0][0].estimate)
    ends = f"{shown(low.estimate, low.mcse)} to {shown(high.estimate, high.mcse)}"
    return (
        f"The {subject} matters most for {labels.about(one)} ({labels.cohort(cohort)}): estimates "
        f"range from {ends}."
    )


def _ends(table: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """Smallest and largest estimate."""
    rows = table.sort_values("estimate").iloc[[0, -1]].to_dict("records")
    return estimate_of(rows[0]), estimate_of(rows[1])
