"""Posterior draws as inputs of printed pages: whether they stay where a page was trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.likelihood.page_data import PageRows, nuisance_map, page_maps, page_rows
from netlm_bayes.page.cache import trained
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
MOST_OUTSIDE = 0.05
"""Share of draws beyond a page's trained 99 % ellipsoid, above which it is trained more widely."""


@dataclass(frozen=True)
class PageDraws:
    """One page, and its inputs by draw."""

    rows: PageRows
    x: Array = field(repr=False)  # (draws, inputs)

    def expected(self, item: int, kinds: Sequence[str]) -> Array | None:
        """Emulated mean of an item's number of some kinds, (draws,); None where it has none."""
        trained = self.rows.evidence.trained
        if trained is None:
            return None
        numbers = [trained.page.numbers[place] for place in trained.emulator.numbers]
        wanted = np.array([x.item == item and x.kind in kinds for x in numbers], bool)
        return trained.emulator.of(wanted).mean(self.x)[:, 0] if wanted.any() else None


def page_draws(analysis: Analysis, accepted: Accepted) -> dict[str, PageDraws]:
    """Pages and their inputs by draw, by id of their cohort; none before pages are trained."""
    if any(one.page is not None and one.trained is None for one in analysis.cohorts):
        return {}
    found = page_inputs(analysis, accepted)
    return {rows.evidence.cohort.id: PageDraws(rows, x) for rows, x in found}


def page_inputs(analysis: Analysis, accepted: Accepted) -> Iterator[tuple[PageRows, Array]]:
    """Inputs of each page by draw; (draws, inputs)."""
    draws = {
        str(name): values.to_numpy().reshape(-1, *values.shape[2:])
        for name, values in accepted.tree["posterior"].to_dataset().items()
    }
    start = 0
    for one in page_rows(analysis):
        x = sum(
            _flat(draws, name, analysis) @ values.T
            for name, values in page_maps(one, analysis).items()
        )
        matrix, mean = nuisance_map(one)
        own = matrix.shape[1]
        x = x + mean + draws["nuisance"][:, start : start + own] @ matrix.T
        start += own
        yield one, x


def _flat(draws: Mapping[str, Array], name: str, analysis: Analysis) -> Array:
    """Draws of one kind of parameter, as the maps to inputs take them."""
    match name:
        case "theta":
            found = draws["theta"]
        case "steps":
            found = draws["log_hazard_step"]
        case "share":
            found = np.log(draws["hazard_share"]) - np.log1p(-draws["hazard_share"])
        case "share_effect":
            found = _every_part(draws["share_effect"], analysis)
        case _:
            found = draws["margin_tilt"]
    return np.asarray(found.reshape(len(found), -1))


def _every_part(effects: Array, analysis: Analysis) -> Array:
    """Effects on the shares of all parts, 0 of those that have none."""
    out = np.zeros((len(effects), len(analysis.endpoints) - 1, effects.shape[-1]))
    for place, name in enumerate(analysis.apart):
        out[:, analysis.endpoints.index(name) - 1] = effects[:, place]
    return out


def widened(analysis: Analysis, accepted: Accepted) -> tuple[Analysis, tuple[str, ...]]:
    """Train pages again that a posterior leaves, on twice the region; and name their cohorts."""
    left = {one.place for one, x in page_inputs(analysis, accepted) if _leaves(one, x, analysis)}
    cohorts = [_wider(c) if i in left else c for i, c in enumerate(analysis.cohorts)]
    names = tuple(analysis.cohorts[place].cohort.id for place in sorted(left))
    return replace(analysis, cohorts=tuple(cohorts)) if left else analysis, names


def _leaves(one: PageRows, x: Array, analysis: Analysis) -> bool:
    """Tell whether draws leave the region of a page that counts."""
    found, counts = one.evidence.trained, analysis.weight_of(one.evidence) > 0
    return found is not None and counts and found.outside(x) > MOST_OUTSIDE


def _wider(evidence: CohortEvidence) -> CohortEvidence:
    if evidence.page is None or evidence.trained is None:
        return evidence
    found = trained(evidence.page, spread=2 * evidence.trained.spread)
    return replace(evidence, trained=found)
