"""What a model makes of each printed item: its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import AnyItem
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import Counts, Curve, Margin, Median, Milestone, Ratio
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
    reason = _out_of_model(item, spec, codebook)
    if reason:
        return ItemRole(index, "unused", reason, other_outcome=reason == OTHER)
    if isinstance(item, Margin):
        return ItemRole(index, "weights", "share of each level in the population")
    if isinstance(item, Curve):
        return _role_of_curve(index, item)
    if item.role == "check":
        return ItemRole(index, "check", "held against its posterior prediction")
    if any(index in table.items for table in tables):
        return ItemRole(index, "fit", "the recovered table, given the total of responders")
    if isinstance(estimate, PrintedRatio):
        se = f"{estimate.log_ratio_se:.3f} from {estimate.se_from}"
        mismatch = f"adjusted otherwise than the model, mismatch sd {spec.mismatch:g}"
        return ItemRole(
            index,
            "fit",
            f"log ratio {estimate.log_ratio:+.3f}, se {se}",
            adjustment="" if adjusts_alike(estimate, spec) else mismatch,
        )
    if isinstance(item, Counts):
        counted = f"{item.responders} of {item.total}"
        if tables and not item.subgroup:
            return ItemRole(index, "fit", f"{counted}, as the total of the recovered tables")
        return ItemRole(index, "fit", f"binomial, {counted}")
    return ItemRole(index, "fit", "population curve on the log(-log S) scale")


def _role_of_curve(index: int, item: Curve) -> ItemRole:
    if item.role == "check":
        what = "no prediction is of a whole curve: give its median or milestones to check"
        return ItemRole(index, "unused", what)
    return ItemRole(index, "fit", "events and censored by month, over plausible readings")


def _out_of_model(item: AnyItem, spec: Model, codebook: Codebook) -> str:
    """Say why an item has nothing to say to this model; empty if it has."""
    survival = spec.outcome == "survival"
    match item:
        case Ratio():
            if (item.outcome == "survival") != survival:
                return OTHER
            if item.covariate not in spec.covariates:
                return f"covariate '{item.covariate}' is not in the model"
            return _endpoint_out(item.endpoint_in(codebook), spec, codebook)
        case Median() | Milestone() | Curve():
            reason = "" if survival else OTHER
            reason = reason or _endpoint_out(item.endpoint, spec, codebook)
            return reason or _subgroup_out(item.subgroup, spec, codebook)
        case Counts():
            return OTHER if survival else _subgroup_out(item.subgroup, spec, codebook)
        case Margin():
            inside = item.covariate in spec.covariates
            return "" if inside else f"covariate '{item.covariate}' is not in the model"
        case _:
            return "a description: enters no likelihood"


def _endpoint_out(endpoint: str, spec: Model, codebook: Codebook) -> str:
    known = {RESPONSE, codebook.primary_endpoint, *spec.endpoints}
    return "" if endpoint in known else f"endpoint '{endpoint}' is not in the model"


def _subgroup_out(subgroup: Mapping[str, Sequence[str]], spec: Model, codebook: Codebook) -> str:
    for name in subgroup:
        if codebook.covariate(name).post_baseline:
            return f"'{name}' is known only after the start: guarantee-time bias"
    outside = [name for name in subgroup if name not in spec.covariates]
    return f"subgroup by '{outside[0]}' is not in the model" if outside else ""
