"""The regressions and groups of patients behind a cohort's printed numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.page.layout import Column, Group, Members, Number, Regression
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import NotPrinted

Array = NDArray[np.float64]
UNSTATED = "unstated"
"""What a paper is said to adjust for where it does not say."""
OF_REGRESSIONS = ("log_ratio", "log_se", "score")


@dataclass
class Analyses:
    """Analyses that a page's numbers come from, in the order in which they are asked for."""

    analysis: Analysis
    evidence: CohortEvidence
    groups: list[Group] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)

    def __post_init__(self) -> None:
        """List the factors: what is modelled and spoken of, then what is adjusted for besides."""
        known, silent = self.analysis.patterns.names, self.evidence.silent
        fitted = [x for x in self.evidence.fitted if isinstance(x, PrintedRatio)]
        self.adjusting = {(x.endpoint, frozenset((x.covariate, *x.adjusted_for))) for x in fitted}
        others = dict.fromkeys(name for x in fitted for name in (*x.adjusted_for, *x.subgroup))
        named = {x for one in self._named() for x in _covariates_of(one)} | others.keys()
        self.names = [x for x in known if x not in silent]
        self.names += [x for x in known if x in silent and (x in named or UNSTATED in others)]
        self.outside = [x for x in others if x not in known and x != UNSTATED]

    @property
    def factors(self) -> list[str]:
        """Names of all factors."""
        return [*self.names, *self.outside]

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Levels of every factor that has any."""
        patterns = self.analysis.patterns
        known = dict(zip(patterns.covariates, patterns.levels, strict=True))
        return known | {name: self._outside_levels(name) for name in self.outside}

    def _outside_levels(self, name: str) -> tuple[str, ...]:
        """Two levels of what is adjusted for and not modelled, as the codebook has them."""
        known = self.analysis.codebook.covariates.get(name)
        return known.levels if known and len(known.levels) == 2 else ("no", "yes")

    def _named(self) -> list[Estimate | NotPrinted]:
        """What is in the page, in the likelihood or only held against it, or left out of print."""
        places = [x.item for x in self.evidence.roles if x.role in {"fit", "check"}]
        known = self.evidence.estimates
        found = [known[place] for place in places if place in known]
        return [*found, *self.evidence.cohort.not_printed]

    def adjust_for(self, ratio: PrintedRatio) -> bool:
        """Tell whether other ratios are adjusted for what this one is of, which is not modelled."""
        key = ratio.endpoint, frozenset((ratio.covariate, *ratio.adjusted_for))
        return ratio.covariate in self.outside and key in self.adjusting

    def group(self, endpoint: str, subgroup: Mapping[str, Sequence[str]]) -> int:
        """Place of a group of patients."""
        found = Group(self._endpoint(endpoint), self._members(subgroup))
        if found not in self.groups:
            self.groups.append(found)
        return self.groups.index(found)

    def regression(self, ratio: PrintedRatio) -> int:
        """Place of a ratio's regression, which learns its levels from all of its ratios."""
        for place, draft in enumerate(self.drafts):
            if draft.takes(ratio):
                draft.ratios.append(ratio)
                return place
        self.drafts.append(Draft([ratio]))
        return len(self.drafts) - 1

    def subgroup_of(self, group: Group) -> dict[str, list[str]]:
        """Levels of a group's members by covariate."""
        names, levels = self.factors, self.levels
        return {names[f]: [levels[names[f]][x] for x in inside] for f, inside in group.members}

    def finished(self, numbers: Sequence[Number]) -> tuple[tuple[Regression, ...], list[Number]]:
        """The regressions, and numbers with their contrasts of coefficients."""
        found = tuple(self._finished(draft) for draft in self.drafts)
        return found, [self._contrasted(number, found) for number in numbers]

    def _endpoint(self, name: str) -> int:
        return 0 if name == RESPONSE else self.analysis.endpoints.index(name)

    def _members(self, subgroup: Mapping[str, Sequence[str]]) -> Members:
        levels, known = self.levels, self.analysis.codebook.subgroup(subgroup)
        return tuple(
            (self.factors.index(name), tuple(levels[name].index(x) for x in inside))
            for name, inside in sorted(known.items())
        )

    def _finished(self, draft: Draft) -> Regression:
        first, levels = draft.ratios[0], self.levels
        within = {name for name, joined in first.subgroup.items() if len(joined) == 1}
        stated = [x for x in first.adjusted_for if x != UNSTATED and x not in within]
        named = dict.fromkeys([first.covariate, *(x.covariate for x in draft.ratios), *stated])
        columns = [
            Column(self.factors.index(name), draft.dummies(name, levels.get(name, ())))
            for name in named
        ]
        taken, unstated = {column.factor for column in columns}, UNSTATED in first.adjusted_for
        perhaps = [self.factors.index(x) for x in self.names if self._varies(x)]
        return Regression(
            columns=tuple(columns),
            endpoint=self._endpoint(first.endpoint),
            members=self._members(first.subgroup),
            perhaps=tuple(x for x in perhaps if x not in taken) if unstated else (),
        )

    def _varies(self, name: str) -> bool:
        """Tell whether the cohort's patients differ in a covariate."""
        shares = self.evidence.joint @ self.analysis.patterns.indicator
        columns = [column == name for column, _ in self.analysis.patterns.columns]
        return not any(columns) or float(shares[columns].max()) < 1

    def _contrasted(self, number: Number, regressions: Sequence[Regression]) -> Number:
        """A number of a regression with its contrast of coefficients."""
        if number.kind not in OF_REGRESSIONS:
            return number
        ratios = self.drafts[number.of].ratios
        ratio = next(x for x in ratios if x.item == number.item)
        found: list[float] = []
        for column in regressions[number.of].columns:
            part = np.zeros(column.width)
            if self.factors[column.factor] == ratio.covariate:
                part = self._sides(ratio, column)
            found += part.tolist()
        return replace(number, contrast=tuple(found))

    def _sides(self, ratio: PrintedRatio, column: Column) -> Array:
        """Level less versus, over the coefficients of one column."""
        if not ratio.versus:
            return np.ones(1)
        levels, out = self.levels[ratio.covariate], np.zeros(column.width)
        for sign, side in ((1.0, ratio.level), (-1.0, ratio.versus)):
            dummy = column.dummies[_place(ratio, side, levels)]
            if dummy > 0:
                out[dummy - 1] += sign
        return out


def _place(ratio: PrintedRatio, side: Sequence[str], levels: Sequence[str]) -> int:
    """Place of a side among a factor's levels; of levels by other names, level comes second."""
    return levels.index(side[0]) if side[0] in levels else int(side == ratio.level)


def _covariates_of(number: Estimate | NotPrinted) -> tuple[str, ...]:
    """Covariates that a number names."""
    own, adjusted = getattr(number, "covariate", ""), getattr(number, "adjusted_for", ())
    return (*([own] if own else []), *adjusted, *getattr(number, "subgroup", ()))


@dataclass
class Draft:
    """Ratios of one regression, before the levels that it distinguishes are known."""

    ratios: list[PrintedRatio]

    def takes(self, ratio: PrintedRatio) -> bool:
        """Tell whether a ratio may be of the same regression."""
        first = self.ratios[0]
        if self._key(first) != self._key(ratio):
            return False
        sides = [x for one in self.ratios for x in _sides_of(one, ratio.covariate)]
        return all(
            side == other or not set(side) & set(other)
            for side in (ratio.level, ratio.versus)
            for other in sides
        )

    @staticmethod
    def _key(ratio: PrintedRatio) -> tuple[object, ...]:
        joint = frozenset((ratio.covariate, *ratio.adjusted_for))
        return ratio.endpoint, joint, frozenset(ratio.subgroup.items())

    def dummies(self, covariate: str, levels: Sequence[str]) -> tuple[int, ...]:
        """Dummy of each level: sides of printed ratios, then the other levels one by one."""
        ratios = [x for x in self.ratios if x.covariate == covariate]
        if ratios and not ratios[0].versus:
            return ()
        if not ratios:
            return tuple(range(len(levels)))
        if not set(ratios[0].level) <= set(levels):
            return (0, 1)
        groups = [ratios[0].versus]
        for side in (x for one in ratios for x in (one.versus, one.level)):
            if side not in groups:
                groups.append(side)
        groups += [(level,) for level in levels if not any(level in group for group in groups)]
        return tuple(next(k for k, group in enumerate(groups) if x in group) for x in levels)


def _sides_of(ratio: PrintedRatio, covariate: str) -> tuple[tuple[str, ...], ...]:
    return (ratio.level, ratio.versus) if ratio.covariate == covariate else ()
