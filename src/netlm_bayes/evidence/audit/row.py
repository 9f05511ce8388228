"""One finding of the audit."""

from __future__ import annotations

from dataclasses import dataclass

from netlm_bayes.evidence.rounding import Judgement, Verdict


@dataclass(frozen=True)
class AuditRow:
    """One printed number or statement, recomputed."""

    cohort: str  # its id
    item: str  # what was looked at
    check: str  # what it was held against
    printed: str  # printed, recomputed: as printed, and as it follows from the rest of the paper
    recomputed: str
    # `ok` recomputed to the printed digits; `rounding` what rounding explains; `conflict` what it
    # does not; `ambiguous` what can be read in more than one way
    verdict: Verdict
    note: str = ""  # why, where it is not plain


def equality(same: bool, note: str = "") -> Judgement:
    """Judge whole numbers: they agree or they do not."""
    return Judgement("ok") if same else Judgement("conflict", note)
