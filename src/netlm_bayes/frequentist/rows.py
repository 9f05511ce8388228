"""Words and small counts that may stand in rows of frequentist answers."""

from __future__ import annotations

import math
from typing import Any

from netlm_bayes.ipd.patients import SMALLEST_SHOWN

POOLED = "pooled"


def counted(n: int, events: int, left_out: int = 0) -> dict[str, Any]:
    """Columns of counts of patients; one that would point at a few of them is masked.

    >>> counted(12, 3)
    {'n': 12.0, 'events': nan, 'n_left_out': 0.0, 'masked': True}
    """
    counts = {"n": n, "events": events, "n_left_out": left_out}
    few = {name: 0 < count < SMALLEST_SHOWN for name, count in counts.items()}
    shown = {name: math.nan if few[name] else float(count) for name, count in counts.items()}
    return shown | {"masked": any(few.values())}


def printable(count: int) -> str:
    """Count of patients, or `<5` where it would point at a few of them.

    >>> printable(12), printable(3), printable(0)
    ('12', '<5', '0')
    """
    return f"<{SMALLEST_SHOWN}" if 0 < count < SMALLEST_SHOWN else str(count)


def p_value(p: float) -> str:
    """Print a p value; empty where there is none.

    >>> p_value(0.0126), p_value(1e-9)
    ('p=0.013', 'p<0.001')
    """
    if math.isnan(p):
        return ""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"
