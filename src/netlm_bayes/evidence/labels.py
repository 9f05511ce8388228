"""Short names of printed items, for rows of tables."""

from __future__ import annotations

from collections.abc import Sequence

from netlm_bayes.evidence.cohort import (
    AdverseEvent,
    AnyItem,
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    Ratio,
    Statistic,
    Subgroup,
)


def item_label(item: AnyItem) -> str:
    """Name one printed item."""
    match item:
        case Ratio():
            return _ratio_label(item)
        case Median():
            return f"median {item.endpoint}, {subgroup_label(item.subgroup)}"
        case Milestone():
            months = f"{item.months} months"
            return f"milestone {item.endpoint} {months}, {subgroup_label(item.subgroup)}"
        case Curve():
            return f"curve {item.endpoint}, {subgroup_label(item.subgroup)}"
        case Counts():
            return f"counts response, {subgroup_label(item.subgroup)}"
        case Margin():
            return f"margin {item.covariate}"
        case AdverseEvent():
            return f"adverse_event {item.event}" + (f" (grade {item.grade})" if item.grade else "")
        case Logrank():
            contrast = contrast_label(item.covariate, item.level, item.versus)
            return f"logrank {item.endpoint} {contrast}, {subgroup_label(item.subgroup)}"
        case Statistic():
            return f"statistic {item.name}"


def contrast_label(covariate: str, level: Sequence[str], versus: Sequence[str]) -> str:
    """Name a contrast: `ki67: >10% vs <=10%`, or the covariate alone if it is continuous."""
    if not level:
        return covariate
    return f"{covariate}: {' or '.join(level)} vs {' or '.join(versus)}"


def subgroup_label(subgroup: Subgroup) -> str:
    """Name a subgroup: `htb: >50%`, several joined by commas, or `overall`."""
    names = [f"{covariate}: {' or '.join(levels)}" for covariate, levels in subgroup.items()]
    return ", ".join(names) or "overall"


def _ratio_label(item: Ratio) -> str:
    """Kind, outcome, contrast, and the other covariates of the regression."""
    outcome = item.endpoint if item.kind == "hazard_ratio" else item.event
    words = [item.kind, outcome, contrast_label(item.covariate, item.level, item.versus)]
    label = " ".join(word for word in words if word)
    return label + (f" (adjusted for {', '.join(item.adjusted_for)})" if item.adjusted_for else "")
