"""Reporting checklists filled from a run; what it does not show is shown as missing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from netlm_bayes.report.page.evidence_shown import SHOWN, Evidence
from netlm_bayes.report.page.quoted import Tables
from netlm_bayes.sampling.gate import Check

ITEMS = "checklists.toml"
MISSING = "missing"


@dataclass(frozen=True)
class ChecklistItem:
    """One item, and what in the run answers it."""

    section: str  # section, item: part of the checklist, and what is asked, in our words
    item: str
    evidence: str  # what answers it; where nothing does, what is missing
    present: bool


def barg(
    tables: Tables, manifest: Mapping[str, Any], checks: Sequence[Check], script: bool = False
) -> tuple[ChecklistItem, ...]:
    """Fill the BARG checklist (Kruschke 2021, 10.1038/s41562-021-01177-7)."""
    return _filled("barg", Evidence(tables, manifest, checks, script))


def robust(
    tables: Tables, manifest: Mapping[str, Any], checks: Sequence[Check], script: bool = False
) -> tuple[ChecklistItem, ...]:
    """Fill the seven items of ROBUST (Sung et al. 2005, 10.1016/j.jclinepi.2004.08.010)."""
    return _filled("robust", Evidence(tables, manifest, checks, script))


def _filled(name: str, run: Evidence) -> tuple[ChecklistItem, ...]:
    return tuple(_item(asked, run) for asked in checklist(name)["items"])


def _item(asked: Mapping[str, str], run: Evidence) -> ChecklistItem:
    evidence = SHOWN[asked["shown_by"]](run)
    lacking = f"{MISSING}: {asked['otherwise']}" if "otherwise" in asked else MISSING
    return ChecklistItem(asked["section"], asked["item"], evidence or lacking, bool(evidence))


@cache
def checklist(name: str) -> Mapping[str, Any]:
    """Give a checklist's `title`, `reference` and `items`."""
    found: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name(ITEMS).read_text("utf-8"))[
        name
    ]
    return found
