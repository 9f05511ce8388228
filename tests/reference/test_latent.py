"""Reports at different cuts of one quantity, against the population that they come from.

A tumour marker is normal on the log2 scale between 0.5 and 100 %, and the log hazard rises with it
by a known slope. What a paper prints at a cut follows by integration, and by drawing patients.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytest
from lifelines import CoxPHFitter
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.special import ndtr
from scipy.stats import norm, truncnorm

from netlm_bayes.codebook import Covariate, Latent
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.latent import Normal, edges_of, fitted_normal, parts_of, spread_of
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.page.scale import simulated
from netlm_bayes.page.simulate import simulate

type Array = NDArray[np.float64]

CODEBOOK = """\
id = "cuts"

[endpoints]
pfs = "PFS"

[covariates.marker]
label = "Marker"
levels = ["<=3%", "3-10%", "10-20%", ">20%"]
reference = "<=3%"
cut = [3, 10, 20]

[covariates.marker.groups]
">3%" = ["3-10%", "10-20%", ">20%"]
"<=10%" = ["<=3%", "3-10%"]
">10%" = ["10-20%", ">20%"]
"<=20%" = ["<=3%", "3-10%", "10-20%"]

[covariates.marker.latent]
scale = "log2"
range = [0.5, 100]
location = 8
spread = 1.5
why = "invented"
"""
MARKER = Covariate(
    label="Marker",
    levels=("<=3%", "3-10%", "10-20%", ">20%"),
    reference="<=3%",
    cut=(3, 10, 20),
    latent=Latent(scale="log2", range=(0.5, 100), location=8, spread=1.5, why="invented"),
)
LOW, HIGH = np.log2(0.5), np.log2(100)
SPEC = Model(name="cuts", outcome="survival", covariates=("marker",), anchor=12)
SE = 0.1
STEP = "marker: per 1.5 doublings"

# Values within levels stand for an integral: measured, on the log scale, at most 4e-4 where
# patients are spread as the codebook says, and 2.7e-3 where they are spread over 0.6 of that.
INTEGRATED = 5e-4
WORST = 3e-3


def truth(mean: float, sd: float) -> truncnorm:
    """Spread of log2 of the marker among patients."""
    return truncnorm((LOW - mean) / sd, (HIGH - mean) / sd, mean, sd)


def paper(
    folder: Path,
    cut: float,
    mean: float,
    sd: float,
    log_ratio: float,
    further: str = "",
) -> Analysis:
    """A paper that dichotomised at a cut, and counted a million patients on its two sides."""
    below = round(1e6 * truth(mean, sd).cdf(np.log2(cut)))
    sides = f"<={cut:g}%", f">{cut:g}%"
    ends = [f"{np.exp(log_ratio + z * norm.ppf(0.975) * SE):.12f}" for z in (0, -1, 1)]
    (folder / "codebook.toml").write_text(CODEBOOK, encoding="utf-8")
    text = f"""\
id = "cut-{cut:g}"
label = "Cut at {cut:g}"
n = 1000000
source = "invented"
codebook = "codebook.toml"

[[published]]
kind = "margin"
covariate = "marker"
values = {{ "{sides[0]}" = {below}, "{sides[1]}" = {10**6 - below} }}
source = "invented"

[[published]]
kind = "hazard_ratio"
covariate = "marker"
level = ["{sides[1]}"]
versus = ["{sides[0]}"]
estimate = {ends[0]}
lower = {ends[1]}
upper = {ends[2]}
role = "fit"
source = "invented"
{further}"""
    path = folder / f"cut-{cut:g}.toml"
    path.write_text(text, encoding="utf-8")
    return analyse(SPEC, read_cohorts([str(path)]))


def term_at(analysis: Analysis, kind: str, theta: Mapping[str, float]) -> float:
    """One term of the graph where a cohort's parameters are these, and 0 if not named."""
    structure = structure_of(analysis)
    graph = build(structure, data_of(analysis))
    term = next(one for one in graph.potentials if one.name == f"term_{kind}")
    joint, own = graph.replace_rvs_by_values([term, graph["theta"]])
    values = [theta.get(parameter, 0.0) for parameter in structure.parameters.names]
    point, mode = graph.initial_point(), Mode(linker="py", optimizer=None)
    found = pytensor.function(
        graph.value_vars,
        joint,
        givens={own: np.broadcast_to(values, (len(structure.cohorts), len(values))).copy()},
        mode=mode,
        on_unused_input="ignore",
    )
    return float(found(*[point[one.name] for one in graph.value_vars]))


@pytest.mark.parametrize("sd", [0.6, 1.4])
@pytest.mark.parametrize(
    "mean",
    [
        -0.8,
    ],
)
@pytest.mark.parametrize("slope", [-0.75, 0.75])
def test_the_mean_ratio_of_a_level_is_the_closed_form(mean: float, sd: float, slope: float) -> None:
    parts, edges = parts_of("marker", MARKER), edges_of(MARKER)
    weight = parts.within(Normal(mean, sd))
    found = np.log(np.bincount(parts.level, weight * np.exp(slope * np.array(parts.values))))
    low, high = (edges[:-1] - mean) / sd, (edges[1:] - mean) / sd
    tilted = ndtr(high - slope * sd) - ndtr(low - slope * sd)
    exact = slope * mean + (slope * sd) ** 2 / 2 + np.log(tilted / (ndtr(high) - ndtr(low)))
    np.testing.assert_allclose(found, exact, atol=INTEGRATED if sd >= 1 else WORST)


def shares(mean: float, sd: float) -> Array:
    edges = np.log2([0.5, 3, 10, 20, 100])
    return np.diff(truth(mean, sd).cdf(edges))


def test_counts_at_one_cut_tell_the_others_where_the_spread_is_the_codebook_s() -> None:
    share = shares(3.6, 1.5)
    counted = {MARKER.levels[:1]: 1e5 * share[0], MARKER.levels[1:]: 1e5 * share[1:].sum()}
    found, normal = spread_of(MARKER, counted)
    assert normal.sd == 1.0
    np.testing.assert_allclose(found, share, atol=1e-4)


def test_what_is_counted_stays_as_it_is_whatever_the_normal() -> None:
    counted = {MARKER.levels[:2]: 45.0, MARKER.levels[2:3]: 10.0, MARKER.levels[3:]: 45.0}
    found, _ = spread_of(MARKER, counted)
    np.testing.assert_allclose([found[:2].sum(), *found[2:]], [0.45, 0.10, 0.45], rtol=1e-12)


def test_a_cohort_of_one_level_has_a_finite_spread() -> None:
    for counts in ([0, 0, 0, 40], [40, 0, 0, 0], [0, 40, 0, 0], [0, 0, 0, 0]):
        normal = fitted_normal(edges_of(MARKER), counts)
        assert np.isfinite([normal.mean, normal.sd]).all()
        assert 0.01 < normal.sd < 20


FOLLOWED = 48.0
FOLLOW_UP = f"""
[[published]]
kind = "statistic"
name = "follow-up"
unit = "months"
maximum = {FOLLOWED}
source = "invented"

[[published]]
kind = "median"
endpoint = "pfs"
months = 14
role = "fit"
source = "invented"
"""


def cox_at(cut: float, slope: float, level: float, patients: int = 20_000) -> tuple[float, float]:
    """Log hazard ratio and standard error of a Cox regression of simulated patients."""
    rng = np.random.default_rng(2)
    score = truth(3.0, 1.5).rvs(patients, random_state=rng)
    event = rng.exponential(12 / np.exp(level + slope * (score - 3)))
    left = rng.uniform(0, FOLLOWED, patients)
    seen = {"time": np.minimum(event, left), "event": event <= left, "above": score > np.log2(cut)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines leans on what Python and pandas will drop
        fitted = CoxPHFitter().fit(pd.DataFrame(seen).astype(float), "time", "event")
    return float(fitted.params_["above"]), float(fitted.standard_errors_["above"])


@pytest.mark.parametrize("cut", [3, 20])
def test_a_page_prints_at_any_cut_what_a_cox_regression_there_does(
    tmp_path: Path, cut: float
) -> None:
    slope, level, pages = 0.4, -0.5, 200
    expected, se = cox_at(cut, slope, level)
    (evidence,) = paper(tmp_path, cut, 3.0, 1.5, expected, FOLLOW_UP).cohorts
    page = evidence.page
    assert page is not None
    inputs, parts = page.inputs, page.inputs.parts
    x = np.zeros((pages, inputs.size))
    x[:, parts["effects"]] = 1.5 * slope
    x[:, 0] = level + 1.5 * slope * page.mean_design[0]
    (ratio,) = (i for i, number in enumerate(page.numbers) if number.kind == "log_ratio")
    found = simulated(page, x, 5, simulate)[:, ratio]
    error = np.hypot(se, found.std(ddof=1) / np.sqrt(pages))
    # A normal is beyond 4 standard errors once in fifteen thousand.
    assert found.mean() == pytest.approx(expected, abs=4 * error + INTEGRATED)


def test_patients_with_values_of_their_own_have_the_likelihood_of_a_weibull(tmp_path: Path) -> None:
    raw, time = np.array([1.0, 8, 30, 90, 0.1]), np.array([20.0, 11, 7, 3, 30])
    event = np.array([1, 0, 1, 1, 0])
    rows = [f"{t},{e},{x}" for t, e, x in zip(time, event, raw, strict=True)]
    text = "\n".join(["time,event,marker_percent", *rows])
    (tmp_path / "patients.csv").write_text(text + "\n", encoding="utf-8")
    book = CODEBOOK.replace("cut = [3, 10, 20]", 'cut = [3, 10, 20]\nraw = "marker_percent"')
    (tmp_path / "codebook.toml").write_text(book, encoding="utf-8")
    cohort = 'id = "h"\nlabel = "H"\nn = 5\nsource = "invented"\ncodebook = "codebook.toml"\n'
    path = tmp_path / "hospital.toml"
    path.write_text(f'{cohort}patients = {{ file = "patients.csv" }}\n', encoding="utf-8")
    analysis = analyse(SPEC, read_cohorts([str(path)]))
    for level, log_shape, slope in ((0.0, 0.0, 0.3), (-0.4, 0.2, -0.1), (0.3, -0.3, 1.0)):
        theta = {"level": level, "log_shape": log_shape, STEP: 1.5 * slope}
        found = term_at(analysis, "patients", theta)
        shape, score = np.exp(log_shape), np.log2(np.clip(raw, 0.5, 100)) - 3
        hazard = np.exp(level + slope * score) * (time / 12) ** shape
        exact = (event * np.log(hazard * shape / time) - hazard).sum()
        assert found == pytest.approx(exact, rel=1e-9)


def test_counts_at_two_cuts_tell_the_spread_as_well() -> None:
    share = shares(2.5, 1.1)
    counted = {
        MARKER.levels[2:]: 1e5 * share[2:].sum(),
        MARKER.levels[:1]: 1e5 * share[0],
        MARKER.levels[1:2]: 1e5 * share[1],
    }
    found, normal = spread_of(MARKER, counted)
    np.testing.assert_allclose([normal.mean * 1.5 + 3, normal.sd * 1.5], [2.5, 1.1], atol=2e-3)
    np.testing.assert_allclose(found, share, atol=1e-3)
