"""One finding of the audit."""

from __future__ import annotations

from dataclasses import dataclass

from netlm_bayes.evidence.rounding import Judgement, Verdict


@dataclass(frozen=True)
class AuditRow:
    """One printed number or statement, recomputed.

    Attributes
    ----------
    cohort : str
        Its id.
    item : str
        What was looked at.
    check : str
        What it was held against.
    printed, recomputed : str
        As printed, and as it follows from the rest of the paper.
    verdict : {"ok", "rounding", "conflict", "ambiguous"}
        `ok` recomputed to the printed digits; `rounding` what rounding explains; `conflict` what it
        does not; `ambiguous` what can be read in more than one way.
    note : str
        Why, where it is not plain.
    """

    cohort: str
    item: str
    check: str
    printed: str
    recomputed: str
    verdict: Verdict
    note: str = ""


def equality(same: bool, note: str = "") -> Judgement:
    """Judge whole numbers: they agree or they do not."""
    return Judgement("ok") if same else Judgement("conflict", note)
