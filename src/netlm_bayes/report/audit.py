"""Tables of an audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pandas as pd

from netlm_bayes.published.audit import AuditRow
from netlm_bayes.published.recover import RecoveredTable

AUDIT_COLUMNS = ("cohort", "item", "check", "printed", "recomputed", "verdict", "note")
RECOVERED_COLUMNS = ("cohort", "covariate", "level", "responders", "n", "unique")


def audit_tables(
    rows: Iterable[AuditRow], recovered: Iterable[RecoveredTable]
) -> dict[str, pd.DataFrame]:
    """Tables of an audit."""
    levels = [
        dict(zip(RECOVERED_COLUMNS, (t.cohort, t.covariate, level, r, n, t.unique), strict=True))
        for t in recovered
        for level, r, n in zip(t.levels, t.responders, t.n, strict=True)
    ]
    return {
        "audit": pd.DataFrame([asdict(row) for row in rows], columns=list(AUDIT_COLUMNS)),
        "recovered_tables": pd.DataFrame(levels, columns=list(RECOVERED_COLUMNS)),
    }
