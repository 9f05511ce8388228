"""Pages with their emulators: what an analysis needs before it can be sampled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.page.cache import digest, trained
from netlm_bayes.page.layout import Page
from netlm_bayes.page.trained import Trained

SEED = 1
"""How a page is simulated is part of the model, and the same whatever a run's seed."""


def emulated(analysis: Analysis, like: Iterable[CohortEvidence] = ()) -> Analysis:
    """Analysis whose pages are trained; those of cohorts that it is like are taken from them."""
    known = {_key(one.page): one.trained for one in like if one.page and one.trained}
    return replace(analysis, cohorts=tuple(_emulated(one, known) for one in analysis.cohorts))


def _emulated(evidence: CohortEvidence, known: dict[str, Trained]) -> CohortEvidence:
    if evidence.page is None or evidence.trained is not None:
        return evidence
    found = known.get(_key(evidence.page)) or trained(evidence.page, SEED)
    return replace(evidence, trained=found)


def _key(page: Page) -> str:
    return digest(page, SEED, 0.0)
