"""Tables of an audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pandas as pd

from netlm_bayes.published.audit import AuditRow
from netlm_bayes.published.recover import RecoveredTable
from netlm_bayes.results import table


def audit_tables(
    rows: Iterable[AuditRow], recovered: Iterable[RecoveredTable]
) -> dict[str, pd.DataFrame]:
    """Tables of an audit."""
    levels = [
        {"cohort": t.cohort, "covariate": t.covariate, "unique": t.unique}
        | {"level": level, "responders": responders, "n": n}
        for t in recovered
        for level, responders, n in zip(t.levels, t.responders, t.n, strict=True)
    ]
    return {
        "audit": table("audit", map(asdict, rows)),
        "recovered_tables": table("recovered_tables", levels),
    }
