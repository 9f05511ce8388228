"""An endpoint that is part of another in the graph, against the sums by hand."""

from dataclasses import dataclass
from functools import cached_property
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import beta, multivariate_normal, norm
from tests.pages import with_invented_training
from tests.reference.patients.graphs import graph_of

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.model import Model
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.layout import Page
from netlm_bayes.published.cohort import Cohort

type Array = Any
type Weights = dict[str, float]
ARM, GRADE = {"old": 0.55, "new": 0.45}, {"G1": 0.2, "G2": 0.5, "G3": 0.3}
N = 200
SHARE = (5.0, 3.0)
CENTRE = {"arm": {"old": 0.4, "new": 0.6}, "grade": {"G1": 0.3, "G2": 0.3, "G3": 0.4}}
STEP = 1e-4  # in log time, of slopes whose third derivative is of order 1
KINDS = {"log_ratio", "log_se", "median"}


def codebook() -> Codebook:
    told = {
        "id": "invented",
        "endpoints": {"pfs": "PFS", "bone_pfs": {"label": "bone PFS", "part_of": "pfs"}},
        "covariates": {
            name: {"label": name, "levels": list(levels), "reference": next(iter(levels))}
            for name, levels in (("arm", ARM), ("grade", GRADE))
        },
    }
    return Codebook.model_validate(told)


def analysis(effects: str) -> Analysis:
    margins = [
        {"kind": "margin", "covariate": name, "values": {k: round(N * x) for k, x in of.items()}}
        for name, of in (("arm", ARM), ("grade", GRADE))
    ]
    part = {"kind": "hazard_ratio", "endpoint": "bone_pfs"}
    of_grade = {"covariate": "grade", "level": "G3", "versus": ["G1", "G2"]}
    of_arm = {"covariate": "arm", "level": "new", "versus": "old"}
    items = [
        *margins,
        {**part, **of_grade, "estimate": 2.2, "lower": 1.3, "upper": 3.8, "adjusted_for": ["arm"]},
        {**part, **of_arm, "estimate": 0.6, "lower": 0.4, "upper": 0.9, "adjusted_for": ["grade"]},
        {"kind": "median", "endpoint": "pfs", "months": 10},
        {"kind": "median", "endpoint": "bone_pfs", "months": 15},
    ]
    published = [{"source": "Table 1", "role": "fit", **item} for item in items]
    told = {"id": "one", "label": "One", "n": N, "source": "invented", "published": published}
    file = CohortFile(Cohort.model_validate(told), codebook(), "one.toml", {})
    spec = {
        "name": "m",
        "outcome": "survival",
        "covariates": ["arm", "grade"],
        "anchor": 6,
        "centre": CENTRE,
        "also": {"bone_pfs": {"effects": effects, "share": SHARE}},
    }
    return analyse(Model.model_validate(spec), [file])


def differences(coordinates: Array) -> dict[str, float]:
    """Exchangeable levels: differences from the reference, two of them correlated by one half."""
    arm, first, second = coordinates
    return {"new": arm, "G2": first, "G3": first / 2 + sqrt(3) / 2 * second}


@dataclass(frozen=True)
class Hand:
    """What a point of the graph's parameters says of two endpoints."""

    found: dict[str, Array]
    own: bool
    spread: dict[str, float]  # log hazards of patients behind a curve, about their mean

    @cached_property
    def log_hr(self) -> dict[str, float]:
        return differences(self.found["coordinate"][0][2:])

    @cached_property
    def delta(self) -> dict[str, float]:
        return differences(self.found["share_coordinate"][0]) if self.own else {}

    def mean(self, effects: dict[str, float], of: tuple[Weights, Weights]) -> float:
        """Sum of effects at these shares of levels, less that of the average patient."""
        return sum(
            effects.get(level, 0.0) * (weights[level] - centre[level])
            for weights, centre in zip(of, CENTRE.values(), strict=True)
            for level in weights
        )

    @property
    def level(self) -> float:
        """Log hazard at the anchor of the cohort's mean patient."""
        return float(self.found["coordinate"][0][0]) + self.mean(self.log_hr, (ARM, GRADE))

    @property
    def share_logit(self) -> float:
        """Of the mean patient's share of the hazard."""
        pi_0 = float(self.found["hazard_share"][0])
        return float(logit(pi_0)) + self.mean(self.delta, (ARM, GRADE))

    @property
    def inputs(self) -> Array:
        """The page's: mean patient, shape, effects, the share and its effects, nuisances."""
        log_shape = self.found["coordinate"][0][1]
        parts = [self.level, log_shape, *self.log_hr.values(), self.share_logit]
        return np.array([*parts, *self.delta.values(), *self.found["nuisance"]])

    def curve(self, months: float, of_part: bool) -> float:
        """Log cumulative hazard of everyone: of their mean profile, spread as the paper's are."""
        log_shape = float(self.found["coordinate"][0][1])
        log_share = log(expit(self.share_logit)) if of_part else 0.0
        log_hazard = self.level + exp(log_shape) * log(months / 6) + log_share
        apart = {name: self.spread.get(name, 0.0) for name in (*ARM, *GRADE)}
        centre = sum(apart[name] * weight for name, weight in {**ARM, **GRADE}.items())
        left = sum(
            p * q * exp(-exp(log_hazard + apart[arm] + apart[grade] - centre))
            for arm, p in ARM.items()
            for grade, q in GRADE.items()
        )
        return log(-log(left))

    def log_prior(self) -> float:
        """Of coordinates, share and nuisances."""
        level, log_shape, *free = self.found["coordinate"][0]
        total = norm.logpdf(level, -0.4, 1.5) + norm.logpdf(log_shape, 0, 0.35)
        total += norm.logpdf(free, 0, 0.75).sum()
        total += beta.logpdf(float(self.found["hazard_share"][0]), *SHARE)
        total += norm.logpdf(self.found["share_coordinate"], 0, 0.35).sum() if self.own else 0.0
        return float(total + norm.logpdf(self.found["nuisance"]).sum())

    def log_likelihood(self, page: Page, emulator: Emulator) -> float:
        """Pivots and logs are normal about their emulated means; medians have a Jacobian."""
        x, held, total = self.inputs, [], 0.0
        for place in emulator.numbers:
            number = page.numbers[place]
            if number.kind != "median":
                held.append(number.value)
                continue
            part = page.groups[number.of].endpoint == 1
            held.append(self.curve(number.months, part) - log(log(2)))
            ends = [self.curve(number.months * exp(step), part) for step in (STEP, -STEP)]
            total += log((ends[0] - ends[1]) / (2 * STEP))
        mean, covariance = emulator.mean(x[None])[0], emulator.covariance(x)
        total += multivariate_normal.logpdf(held, mean, covariance)
        return float(total + emulator.log_existence(x[None])[0])


@pytest.mark.parametrize("effects", ["shared", "own"])
def test_the_density_of_two_endpoints_is_the_one_by_hand(effects: str) -> None:
    two = with_invented_training(analysis(effects))
    graph = graph_of(two)
    (one,) = two.cohorts
    assert one.trained is not None
    assert {number.kind for number in one.trained.page.numbers} == KINDS
    levels = [level for _, level in two.patterns.effects]
    spread = dict(zip(levels, one.mixed_at, strict=True))
    points = graph.points(5)
    hands = [Hand(graph.at(point), effects == "own", spread) for point in points]
    found = [
        hand.log_prior() + hand.log_likelihood(one.trained.page, one.trained.emulator)
        for hand in hands
    ]
    total = [graph.total(point) for point in points]
    np.testing.assert_allclose(np.diff(found), np.diff(total), rtol=0, atol=1e-6)
