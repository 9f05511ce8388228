"""Numbers of a page as they are printed: the unit of each kind, and the way back from its scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from netlm_bayes.page.layout import Array, NumberKind


@dataclass(frozen=True)
class PrintedScale:
    """How one kind of number is printed."""

    unit: str
    printed: Callable[[Any], Array]  # of a value on the number's own scale
    sign: int = 1  # -1 where what is printed falls as the number rises


RATIO = PrintedScale("ratio", np.exp)
MONTHS = PrintedScale("months", np.asarray)
OF_KIND: Mapping[NumberKind, PrintedScale] = {
    "log_ratio": RATIO,
    "log_odds_ratio": RATIO,
    "log_se": PrintedScale("standard error", np.exp),
    "score": PrintedScale("standard score", np.asarray),
    "median": PrintedScale("months", np.exp),
    "survival": PrintedScale("probability", lambda x: np.exp(-np.exp(x)), -1),
    "log_events": PrintedScale("events", lambda x: np.maximum(np.exp(x) - 0.5, 0.0)),
    "median_difference": MONTHS,
    "survival_difference": PrintedScale("probability", np.asarray),
    "rmst_difference": MONTHS,
}


def scale_of(kind: NumberKind, total: float = np.nan) -> PrintedScale:
    r"""How a number is printed; of a logit, among how many was counted.

    .. math:: p = \frac{(n + 1) \operatorname{expit}(y) - 1/2}{n}, \qquad
              y = \log \frac{r + 1/2}{n - r + 1/2}
    """
    if kind != "logit":
        return OF_KIND[kind]

    def share(y: Any) -> Array:
        return np.asarray(np.clip(((total + 1) * expit(y) - 0.5) / total, 0.0, 1.0))

    return PrintedScale("probability", share)
