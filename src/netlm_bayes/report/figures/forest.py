"""The forest: each printed ratio beside its posterior, then the pool and the next institution."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.formats import chance, error_of, estimate_of
from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.scale import Scale, ratio_scale
from netlm_bayes.report.figures.style import BLACK, BLUE, ORANGE, PURPLE, Ink, styled
from netlm_bayes.report.figures.tidy import (
    NOTHING,
    level_text,
    marks,
    ratio_name,
    ratios_of,
    rows_of,
)
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels

PRINTED = Ink(BLACK, "s", hollow=True, line_width=1.0)
POSTERIOR = Ink(BLUE, "o", line_width=1.6)
POOL = Ink(ORANGE, "D", size=5.5, line_width=1.9)
NEXT = Ink(PURPLE, "^", hollow=True, size=5.5, line_style=(0, (3, 1.5)))
APART = 0.1
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


@styled
def forest(comparison: pd.DataFrame, effects: pd.DataFrame, labels: Labels) -> Figure:
    """Draw every contrast: cohort by cohort, printed beside posterior, then pooled."""
    posterior = ratios_of(effects, labels)
    estimand = ratio_name(posterior)
    printed = _drawn(comparison)
    endpoints = [*posterior["endpoint"], *(printed["endpoint"] if len(printed) else [])]
    scale = ratio_scale(estimand, labels.event_of(endpoints))
    usual = len(printed) > 0 and (printed["role"] == "patients").any()
    contrasts = [*posterior["contrast"], *(printed["contrast"] if len(printed) else [])]
    groups = tuple(
        Group(labels.contrast(contrast), _rows(contrast, printed, posterior, labels, scale))
        for contrast in labels.ordered_contrasts(contrasts)
    )
    name = estimand.replace("_", " ")
    other = "regression" if usual else "printed"
    columns = (other.capitalize(), "Posterior", "P > 1")
    title = f"{name.capitalize()}s, {other} and posterior, with {level_text(posterior)}s"
    legend = {other: PRINTED, "posterior of a cohort": POSTERIOR}
    legend |= {"pooled": POOL} if POOLED in set(posterior["cohort"]) else {}
    legend |= {"next institution": NEXT} if NEXT_INSTITUTION in set(posterior["cohort"]) else {}
    return chart(title, [Panel(scale, groups, columns)], legend, _note(printed))


def _signs(printed: pd.DataFrame) -> dict[str, str]:
    """Sign of each origin of printed limits; none of the first, nor where there is one alone."""
    found = set(printed["limits_from"]) if "limits_from" in printed else set()
    return dict(zip((name for name in LIMITS if name in found), SIGNS, strict=False))


def _note(printed: pd.DataFrame) -> str:
    """What stands beside the posterior, and where its limits come from."""
    usual = len(printed) > 0 and (printed["role"] == "patients").any()
    limits = [f"{sign} {LIMITS[name]}".strip() for name, sign in _signs(printed).items()]
    fitted = "; ".join(["the ratio that is fitted", *limits])
    if not usual:
        return f"Printed: {fitted}. {ABOVE_ONE} A dash: nothing fitted."
    has_print = bool((printed["role"] == "fit").any())
    beside = f"{REGRESSION}; of a printed cohort, {fitted}" if has_print else REGRESSION
    return f"{beside}. {ABOVE_ONE} A dash: no estimate."


def _drawn(comparison: pd.DataFrame) -> pd.DataFrame:
    """Ratios that stand beside the posterior: one a cohort and contrast."""
    if comparison.empty:
        return comparison
    fitted, usual = (comparison[comparison["role"] == role] for role in ("fit", "patients"))
    if usual.empty:
        return fitted
    return pd.concat([fitted, usual[usual["method_printed"].str.endswith("multivariable")]])


def _rows(
    contrast: str, printed: pd.DataFrame, posterior: pd.DataFrame, labels: Labels, scale: Scale
) -> tuple[Row, ...]:
    """Rows of one contrast, each cohort once."""
    own: dict[str, Any] = {}
    signs = _signs(printed)
    if len(printed):
        about = printed[printed["contrast"] == contrast]
        own = {row.cohort: row for row in rows_of(about)}
    modelled = {row.cohort: row for row in rows_of(posterior[posterior["contrast"] == contrast])}
    return tuple(
        _row(cohort, own.get(cohort), modelled.get(cohort), labels, scale, signs)
        for cohort in labels.ordered_cohorts([*own, *modelled])
    )


def _row(
    cohort: str, own: Any, modelled: Any, labels: Labels, scale: Scale, signs: dict[str, str]
) -> Row:
    """One cohort's printed and posterior ratio, or one of them."""
    before = after = NOTHING
    above, sign = "-", ""
    if modelled is not None:
        after, above = estimate_of(modelled._asdict()), _above_one(modelled)
    if own is not None:
        before, after = (estimate_of(own._asdict(), f"{k}_") for k in ("printed", "posterior"))
        above, sign = _above_one(own), signs.get(getattr(own, "limits_from", ""), "")
    ink = {POOLED: POOL, NEXT_INSTITUTION: NEXT}.get(cohort, POSTERIOR)
    drawn = [(ink, after)] if own is None else [(PRINTED, before), (ink, after)]
    label = labels.cohort_on(cohort, own.endpoint if own is not None else "")
    cells = (scale.text(before) + sign, scale.text(after), above)
    return Row(label, marks(*drawn, apart=APART), cells, bold=cohort == POOLED)


def _above_one(row: Any) -> str:
    """Probability that a ratio exceeds 1."""
    return chance(row.prob_above_null, error_of(row._asdict(), "prob_above_null"))
