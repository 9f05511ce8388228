"""A figure for a notebook: displayed as pyplot's own are, and given as its axes."""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Drawn = Axes | np.ndarray
"""Axes, or an array of them where a figure has several panels."""


def axes_of(figure: Figure) -> Drawn:
    """Give the axes of a figure, which pyplot takes over where there is a notebook to show it."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from matplotlib import pyplot

        pyplot.figure(figure)
    axes = [one for one in figure.axes if one.axison]
    return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
