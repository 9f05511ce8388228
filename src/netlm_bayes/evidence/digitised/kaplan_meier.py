"""What the Kaplan-Meier curve of reconstructed patients says, without any model."""

from __future__ import annotations

import numpy as np

from netlm_bayes.curves.weibull import ANCHOR_MONTHS
from netlm_bayes.evidence.digitised.guyot import Reconstruction
from netlm_bayes.evidence.digitised.widening import QUANTITIES


def read_off(made: Reconstruction) -> dict[str, float]:
    r"""Read median and survival off the reconstructed curve.

    .. math:: \hat t_{1/2} = \min \{ t : \hat S(t) \le 1/2 \}, \qquad \hat S(12)
    """
    median, survival, _ = QUANTITIES
    found = {}
    if (half := made.survival <= 0.5).any():
        found[median] = float(made.knots[np.argmax(half)])
    if made.end >= ANCHOR_MONTHS:
        place = int(np.searchsorted(made.knots, ANCHOR_MONTHS, side="right")) - 1
        found[survival] = float(made.survival[place])
    return found
