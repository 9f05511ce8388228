"""What a model makes of each printed item: its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import AnyItem
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import (
    AdverseEvent,
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    Ratio,
    Statistic,
)
from netlm_bayes.published.recover import RecoveredTable

OTHER = "of the other outcome"


@dataclass(frozen=True)
class ItemRole:
    """What a model makes of one printed item, and why."""

    item: int  # place among the cohort's items
    role: Literal["fit", "weights", "check", "unused"]
    basis: str  # what enters, or why nothing does
    other_outcome: bool = False  # the item is of survival and the model of response, or the reverse
    adjustment: str = ""  # of a ratio adjusted otherwise than the model: how that is allowed for

    @property
    def reason(self) -> str:
        """Why it has its role, in words."""
        return "; ".join(part for part in (self.basis, self.adjustment) if part)


def adjusts_alike(ratio: PrintedRatio, spec: Model) -> bool:
    """Tell whether a printed ratio is adjusted exactly as the model adjusts."""
    return set(ratio.adjusted_for) == set(spec.covariates) - {ratio.covariate}


def role_of(
    index: int,
    item: AnyItem,
    spec: Model,
    codebook: Codebook,
    tables: Sequence[RecoveredTable],
    estimate: Estimate | None = None,
) -> ItemRole:
    """Decide what one item is for, and say why."""
    fit, unused = partial(ItemRole, index, "fit"), partial(ItemRole, index, "unused")
    if reason := _out_of_model(item, spec, codebook):
        return unused(reason, other_outcome=reason == OTHER)
    if isinstance(item, Margin):
        return ItemRole(index, "weights", "share of each level in the population")
    if isinstance(item, Curve) and item.role == "check":
        return unused("no prediction is of a whole curve: give its median or milestones to check")
    if isinstance(item, Curve):
        return fit("events and censored by month, over plausible readings")
    if item.role == "check":
        return ItemRole(index, "check", "held against its posterior prediction")
    if any(index in table.items for table in tables):
        return fit("the recovered table, given the total of responders")
    if isinstance(estimate, PrintedRatio):
        se = f"{estimate.log_ratio_se:.3f} from {estimate.se_from}"
        mismatch = f"adjusted otherwise than the model, mismatch sd {spec.mismatch:g}"
        adjustment = "" if adjusts_alike(estimate, spec) else mismatch
        return fit(f"log ratio {estimate.log_ratio:+.3f}, se {se}", adjustment=adjustment)
    if isinstance(item, Counts):
        counted = f"{item.responders} of {item.total}"
        of_all = f"{counted}, as the total of the recovered tables"
        return fit(of_all if tables and not item.subgroup else f"binomial, {counted}")
    return fit("population curve on the log(-log S) scale")


def _out_of_model(item: AnyItem, spec: Model, codebook: Codebook) -> str:
    """Say why an item does not inform this model; empty if it does."""
    if isinstance(item, (AdverseEvent, Logrank, Statistic)):
        return "a description: enters no likelihood"
    if not isinstance(item, Margin) and item.outcome != spec.outcome:
        return OTHER
    if isinstance(item, (Ratio, Margin)) and item.covariate not in spec.covariates:
        return f"covariate '{item.covariate}' is not in the model"
    match item:
        case Ratio():
            return _endpoint_out(item.endpoint_in(codebook), spec, codebook)
        case Median() | Milestone() | Curve():
            reason = _endpoint_out(item.endpoint, spec, codebook)
            return reason or _subgroup_out(item.subgroup, spec, codebook)
        case Counts():
            return _subgroup_out(item.subgroup, spec, codebook)
    return ""


def _endpoint_out(endpoint: str, spec: Model, codebook: Codebook) -> str:
    known = {RESPONSE, codebook.primary_endpoint, *spec.endpoints}
    return "" if endpoint in known else f"endpoint '{endpoint}' is not in the model"


def _subgroup_out(subgroup: Mapping[str, Sequence[str]], spec: Model, codebook: Codebook) -> str:
    for name in subgroup:
        if codebook.covariate(name).post_baseline:
            return f"'{name}' is known only after the start: guarantee-time bias"
    outside = [name for name in subgroup if name not in spec.covariates]
    return f"subgroup by '{outside[0]}' is not in the model" if outside else ""
