"""What is called otherwise today than when it was frozen: old name -> new name.

A redesign that renames adds a line here and keeps the frozen numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

type Made = str | Callable[[pd.DataFrame], pd.Series]

VARIABLES: Mapping[str, str] = {}
"""Free variables of the graphs."""
LABELS: Mapping[str, str] = {}
"""Labels of their components, such as a cohort or `bone: yes`."""

TABLES: Mapping[str, str] = {}
COLUMNS: Mapping[str, Mapping[str, Made]] = {}
"""By frozen table (`*` for all), columns; a function makes an old column of the new table."""
VALUES: Mapping[str, Mapping[str, str]] = {}
"""By frozen column, words that stand in it."""

CHANGED: Mapping[str, tuple[str, ...]] = {}
"""By frozen table (`*` for all), columns whose values were meant to change since then: they are
not compared until `tools/freeze.py` has frozen the new ones."""
