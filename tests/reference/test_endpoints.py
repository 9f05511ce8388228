"""An endpoint that is part of another in the graph, against the sums by hand."""

from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import beta, norm
from tests.reference.patients.graphs import graph_of

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort

type Array = Any
type Weights = dict[str, float]
ARM, GRADE = {"old": 0.55, "new": 0.45}, {"G1": 0.2, "G2": 0.5, "G3": 0.3}
N = 200
SHARE = (5.0, 3.0)
CENTRE = {"arm": {"old": 0.4, "new": 0.6}, "grade": {"G1": 0.3, "G2": 0.3, "G3": 0.4}}
Z = norm.ppf(0.975)


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


def by_hand(found: dict[str, Array], own: bool, spread: dict[str, float]) -> float:
    """Log density of coordinates, share and what is printed, up to a constant.

    Log hazards of the patients behind a curve are `spread` about their mean by fixed numbers.
    """
    level, log_shape, *free = found["coordinate"][0]
    log_hr = differences(free)
    delta = differences(found["share_coordinate"][0]) if own else {}
    pi_0 = float(found["hazard_share"][0])
    reference = level - sum(x * {**CENTRE["arm"], **CENTRE["grade"]}[k] for k, x in log_hr.items())

    def share(arm: Weights, grade: Weights) -> float:
        """Share of the hazard where levels are so common."""
        odds = logit(pi_0)
        for weights, centre in ((arm, CENTRE["arm"]), (grade, CENTRE["grade"])):
            odds += sum(delta.get(x, 0.0) * (weights.get(x, 0.0) - centre[x]) for x in centre)
        return float(expit(odds))

    def curve(months: float, of_part: bool) -> float:
        """Log cumulative hazard of everyone: of their mean profile, spread as the paper's are."""
        both = {**ARM, **GRADE}
        mean = reference + sum(log_hr.get(name, 0.0) * weight for name, weight in both.items())
        log_hazard = (
            mean + exp(log_shape) * log(months / 6) + (log(share(ARM, GRADE)) if of_part else 0)
        )
        apart = {arm: spread["new"] * (arm == "new") for arm in ARM}
        apart |= {grade: spread.get(grade, 0.0) for grade in GRADE}
        centre = sum(apart[name] * weight for name, weight in both.items())
        left = sum(
            p * q * exp(-exp(log_hazard + apart[arm] + apart[grade] - centre))
            for arm, p in ARM.items()
            for grade, q in GRADE.items()
        )
        return log(-log(left))

    def mean_hazard(grades: list[str]) -> float:
        weights = [GRADE[grade] for grade in grades]
        hazards = [exp(log_hr.get(x, 0.0)) * share(CENTRE["arm"], {x: 1.0}) for x in grades]
        return float(np.average(hazards, weights=weights))

    of_grade = log(mean_hazard(["G3"]) / mean_hazard(["G1", "G2"]))
    of_arm = log_hr["new"] + log(
        share({"new": 1.0}, CENTRE["grade"]) / share({"old": 1.0}, CENTRE["grade"])
    )
    total = norm.logpdf(level, -0.4, 1.5) + norm.logpdf(log_shape, 0, 0.35)
    total += norm.logpdf(free, 0, 0.75).sum() + beta.logpdf(pi_0, *SHARE)
    total += norm.logpdf(found["share_coordinate"], 0, 0.35).sum() if own else 0.0
    total += norm.logpdf(log(2.2), of_grade, log(3.8 / 1.3) / 2 / Z)
    total += norm.logpdf(log(0.6), of_arm, log(0.9 / 0.4) / 2 / Z)
    for months, of_part in ((10, False), (15, True)):
        total += norm.logpdf(log(log(2)), curve(months, of_part), 1 / sqrt(N / 2))
    return float(total)


@pytest.mark.parametrize("effects", ["shared", "own"])
def test_the_density_of_two_endpoints_is_the_one_by_hand(effects: str) -> None:
    two = analysis(effects)
    graph = graph_of(two)
    points = graph.points(5)
    levels = [level for _, level in two.patterns.effects]
    spread = dict(zip(levels, two.cohorts[0].mixed_at, strict=True))
    found = [by_hand(graph.at(point), effects == "own", spread) for point in points]
    total = [graph.total(point) for point in points]
    np.testing.assert_allclose(np.diff(found), np.diff(total), rtol=0, atol=1e-9)
