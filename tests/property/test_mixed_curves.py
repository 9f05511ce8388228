"""A curve of several kinds of patients says nothing of how their hazards differ.

Two groups bend any curve; so a plateau, a crossing or a late fall of everyone's curve must not be
turned into a hazard ratio of a covariate of which only ratios, or nothing, are printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import multivariate_normal
from tests.pages import with_invented_training
from tests.reference.patients.graphs import Graph, by_patient, cohort_file, graph_of

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.published.digitised.plausible import CurveEvidence

type Array = NDArray[np.float64]
N, SD = 200, 0.75
SAME = 1e-8  # of log densities of order 1000
CURVES = ("term_page", "term_digitised")


@dataclass(frozen=True)
class Paper:
    """Margins of some covariates, ratios of some of them, and curves of everyone."""

    margins: Mapping[str, Mapping[str, int]]
    ratios: Mapping[str, tuple[float, float]]  # of the second level against the first; and limits
    survival: Mapping[float, float]  # by month
    not_reached: bool
    digitised: bool
    baseline: str
    seed: int

    @property
    def codebook(self) -> Codebook:
        """Covariates as in the margins, the first level the reference."""
        covariates = {
            name: {"label": name, "levels": list(levels), "reference": next(iter(levels))}
            for name, levels in self.margins.items()
        }
        return Codebook.model_validate({"id": "invented", "covariates": covariates})

    def analysis(self) -> Analysis:
        """One cohort, every ratio adjusted for all other covariates."""
        cohort = Cohort("paper", n=N, codebook=self.codebook)
        for name, counts in self.margins.items():
            cohort = cohort.margin(name, counts)
        for name, (estimate, factor) in self.ratios.items():
            first, second, *_ = self.margins[name]
            ends = (round(estimate / factor, 4), round(estimate * factor, 4))
            others = [other for other in self.margins if other != name]
            cohort = cohort.hazard_ratio(
                name, estimate, ends, level=second, versus=first, adjusted_for=others
            )
        if self.not_reached:
            cohort = cohort.median(None, followed_to=max(self.survival))
        else:
            for months, survival in self.survival.items():
                cohort = cohort.survival(months, survival)
        spec = {"name": "m", "outcome": "survival", "covariates": list(self.margins)}
        model = Model.model_validate({**spec, "anchor": 12, "baseline": self.baseline})
        found = analyse(model, read_cohorts([cohort]))
        (one,) = found.cohorts
        return replace(found, cohorts=(replace(one, digitised=self._clicks()),))

    def _clicks(self) -> tuple[CurveEvidence, ...]:
        """A digitised curve with a plateau from some month on, of any events before it."""
        if not self.digitised:
            return ()
        rng, months = np.random.default_rng(self.seed), np.array([2.0, 5.0, 9.0, 20.0, 60.0])
        events = rng.integers(1, 30, (3, 5)).astype(float)
        events[:, 3:] = 0
        censored = rng.uniform(0, 5, (3, 5))
        return (CurveEvidence(99, "pfs", {}, months, events, censored, np.full(3, -300.0)),)


@st.composite
def papers(draw: Any) -> Paper:
    """One to three covariates of two to four levels; at least one curve."""
    margins, ratios = {}, {}
    for place, size in enumerate(draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))):
        cut = sorted(draw(st.sets(st.integers(1, N - 1), min_size=size - 1, max_size=size - 1)))
        counts = np.diff([0, *cut, N]).tolist()
        margins[f"x{place}"] = {f"l{i}": n for i, n in enumerate(counts)}
        if draw(st.booleans()):
            ratios[f"x{place}"] = draw(st.sampled_from([0.4, 0.83, 1.7])), draw(st.floats(1.2, 3))
    months = sorted(draw(st.sets(st.integers(1, 90), min_size=1, max_size=4)))
    fallen = sorted(draw(st.lists(st.integers(2, 97), min_size=4, max_size=4)), reverse=True)
    survival = {float(m): s / 100 for m, s in zip(months, fallen, strict=False)}
    not_reached, digitised = draw(st.booleans()), draw(st.booleans())
    baseline, seed = draw(st.sampled_from(["weibull", "piecewise"])), draw(st.integers(0, 2**32))
    return Paper(margins, ratios, survival, not_reached, digitised, baseline, seed)


def moved(graph: Graph, point: Mapping[str, Array], mean: Array, by: Array, up: float) -> Any:
    """Point at which effects are moved, and the mean log hazard of the patients by `up` alone."""
    theta = graph.at(point)["theta"][0].copy()
    own = len(theta) - len(by)
    theta[own:] += by
    theta[0] += up - mean @ by
    size = len(theta)
    start, columns = graph.at({**point, "coordinate": np.zeros((1, size))})["theta"][0], []
    for unit in np.eye(size):
        columns.append(graph.at({**point, "coordinate": unit[None]})["theta"][0] - start)
    solved = np.linalg.solve(np.array(columns).T, theta - start)
    return {**point, "coordinate": solved[None]}


def without_effects(analysis: Analysis) -> Analysis:
    """Invented emulators in which effects move nothing: what is left of them is the curves' mix."""
    made = with_invented_training(analysis)
    (one,) = made.cohorts
    if one.page is None or one.trained is None:
        return made
    emulator, inputs = one.trained.emulator, one.page.inputs
    effect = np.zeros(inputs.size, dtype=bool)
    effect[inputs.parts["effects"]] = True
    enters = np.concatenate([[False], effect, effect, effect[emulator.pairs].any(axis=1)])
    emulator = replace(
        emulator,
        coefficients=np.where(enters[:, None], 0.0, emulator.coefficients),
        log_sd_slopes=np.where(enters[: 1 + inputs.size, None], 0.0, emulator.log_sd_slopes),
        existence=np.where(enters, 0.0, emulator.existence),
    )
    trained = replace(one.trained, emulator=emulator)
    return replace(made, cohorts=(replace(one, trained=trained),))


def log_prior_of_effects(paper: Paper, effects: Mapping[tuple[str, str], float]) -> float:
    """Exchangeable levels of every covariate."""
    value = 0.0
    for name, (_, *others) in paper.margins.items():
        among = SD**2 * (np.eye(len(others)) + 1) / 2
        value += multivariate_normal.logpdf([effects[name, x] for x in others], cov=among)
    return float(value)


@settings(max_examples=15)
@given(paper=papers())
def test_effects_leave_every_curve_where_it_is(paper: Paper) -> None:
    """Along any change of effects that leaves the patients' mean log hazard where it is.

    What a page tells of effects is in its emulated means alone, not in how its curves bend.
    """
    analysis = without_effects(paper.analysis())
    graph, names = graph_of(analysis), analysis.patterns.effects
    (one,) = analysis.cohorts
    rng, mean = np.random.default_rng(paper.seed), one.joint @ analysis.patterns.design
    point = graph.points(1)[0]
    here, before = graph.at(point), graph.total(point)
    there = moved(graph, point, mean, rng.normal(0, 1.5, len(names)), up=0.0)
    found = graph.at(there)
    terms = [name for name in CURVES if name in here]
    assert terms
    for term in terms:
        assert found[term] == pytest.approx(here[term], abs=SAME)
    own = len(here["theta"][0]) - len(names)
    expected = [
        log_prior_of_effects(paper, dict(zip(names, at["theta"][0, own:], strict=True)))
        for at in (here, found)
    ]
    change = graph.total(there) - before
    assert change == pytest.approx(expected[1] - expected[0], abs=SAME)
    raised = graph.at(moved(graph, point, mean, np.zeros(len(names)), up=2.0))
    assert any(abs(raised[term] - here[term]) > 1e-3 for term in terms)


# --- patients -----------------------------------------------------------------------------------

ARMS = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {"arm": {"label": "Arm", "levels": ["old", "new"], "reference": "old"}},
    }
)


KNOWN = 2
"""Patients, the first, whose arm is known: one of each."""


def hardly_any_arms(rng: np.random.Generator, n: int = 30) -> Patients:
    """Patients with early events and a plateau, nearly all of an arm that is not known."""
    event = rng.random(n) < 0.6
    lower = np.where(event, rng.uniform(0.5, 8, n), rng.uniform(30, 60, n))
    response, arm = np.full(n, -1), np.append(np.arange(KNOWN), np.full(n - KNOWN, -1))
    upper = np.where(event, lower, np.inf)
    return Patients(np.arange(n), np.zeros(n), lower, upper, response, {"arm": arm}, {})


def level_beside(log_hr: float, share: float, mixed: float) -> float:
    """Level of the reference at which the mix of two arms has a log hazard at the anchor."""

    def surplus(level: float) -> float:
        each = exp(-exp(level)), exp(-exp(level + log_hr))
        return log(-log((1 - share) * each[0] + share * each[1])) - mixed

    return float(brentq(surplus, mixed - abs(log_hr) - 1, mixed + abs(log_hr) + 1, xtol=1e-14))


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    mixed=st.floats(-2, 1),
    log_hrs=st.tuples(st.floats(-2.5, 2.5), st.floats(-2.5, 2.5)),
)
def test_patients_without_an_arm_do_not_tell_arms_apart(
    seed: int, mixed: float, log_hrs: tuple[float, float]
) -> None:
    """At one survival of their mix, and one shape of it, any hazard ratio is as likely."""
    spec = {"name": "m", "outcome": "survival", "covariates": ["arm"], "anchor": 12}
    patients = hardly_any_arms(np.random.default_rng(seed))
    found = analyse(Model.model_validate(spec), [cohort_file("one", patients, ARMS)])
    analysis = replace(found, collapse=False)
    graph = graph_of(analysis)
    (point,) = graph.points(1)
    here = graph.at(point)
    share, shape = float(here["margin_arm"][0, 1]), float(here["theta"][0, 1])
    each = []
    for log_hr in log_hrs:
        level = level_beside(log_hr, share, mixed)
        at = {**point, "coordinate": np.array([[level + log_hr / 2, shape, log_hr]])}
        np.testing.assert_allclose(graph.at(at)["theta"], [[level, shape, log_hr]], atol=1e-12)
        each.append(by_patient(analysis, graph.at(at))[KNOWN:])
    np.testing.assert_allclose(each[1], each[0], rtol=1e-9, atol=1e-9)
    other_shape = {**at, "missing_log_shape": at["missing_log_shape"] + 0.2}
    other = by_patient(analysis, graph.at(other_shape))[KNOWN:]
    assert np.abs(other - each[1]).max() > 1e-3
