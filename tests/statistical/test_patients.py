"""Public data, as a statistician would fit them: R's numbers, and what priors and pooling add.

Flat priors let R's estimates be expected. With d events behind a parameter its likelihood is skewed
as a Poisson rate's is: under a flat prior the mean of a log rate is `digamma(d)` and not `log d`,
lower by 1/(2d), which is 1/(2 sqrt(d)) of its standard error. The bound for a fit takes the events
of its smallest group, and the Monte Carlo error comes on top. The draws under the default priors
are then held against those under flat ones, weighed by the ratio of the priors: no approximation.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from tests.reference.patients.r_sets import SETS, R, Rows, estimates, gbsg, lung, standard_errors
from tests.statistical.patient_fits import (
    HALF_NORMAL,
    NORMAL,
    REACH,
    Fit,
    Floats,
    Graphs,
    analysis_of,
    monte_carlo_error,
    prior,
    sd_error,
)

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.patients import Patients

pytestmark = pytest.mark.sampling

FLAT = {"effect": prior(NORMAL, 10), "level": prior(NORMAL, 30)}
FLAT_WEIBULL = {**FLAT, "log_shape": prior(NORMAL, 10)}
OWN = {"a": "level", "kappa": "log_shape", "b": "level", "piece 1": "level"}
"""R's names of what is no effect, and ours; R's kappa is on the other scale."""
GRAPHS = Graphs()


def codebook_of(rows: Rows) -> Codebook:
    levels = {
        name: {"label": name, "levels": known, "reference": known[0]}
        for name, known in rows.levels.items()
    }
    values = {name: {"label": name, "unit": "units"} for name in rows.values}
    return Codebook.model_validate({"id": "public", "covariates": levels | values})


def fit(rows: Rows, patients: Patients, **choices: Any) -> Fit:
    """A fit whose level is where R's is: at 12 months, of the reference profile."""
    where = {"anchor": 12} if choices.get("outcome", "survival") == "survival" else {}
    return GRAPHS.fit(analysis_of({"all": patients}, codebook_of(rows), **where, **choices))


def by_r_name(found: Fit, names: Mapping[str, Any]) -> dict[str, Floats]:
    """Draws by R's names, `grade II` for `grade: II`."""
    ours = {name.replace(": ", " "): draws for name, draws in found.theta.items()}
    return {name: ours[OWN.get(name, name)] for name in names if OWN.get(name, name) in ours}


def on_our_scale(numbers: Mapping[str, float], errors: Mapping[str, float]) -> dict[str, Any]:
    """R's estimate and error of each parameter, of log kappa for kappa."""
    found = {name: (value, errors[name]) for name, value in numbers.items()}
    if "kappa" in found:
        kappa, error = found["kappa"]
        found["kappa"] = (float(np.log(kappa)), error / kappa)
    return found


def fewest_events(rows: Rows) -> int:
    """Events in the smallest group that any covariate makes."""
    counts = [
        np.bincount(rows.codes[name], rows.event, len(known)).min()
        for name, known in rows.levels.items()
    ]
    return int(min(counts))


def assert_means_are(
    draws: Mapping[str, Floats], expected: Mapping[str, tuple[float, float]], skew: float
) -> None:
    """Means within `skew` standard errors of R's estimates, and the Monte Carlo error."""
    assert draws.keys() == expected.keys()
    for name, (value, error) in expected.items():
        reach = skew * error + REACH * monte_carlo_error(draws[name])
        assert draws[name].mean() == pytest.approx(value, abs=reach), name


def assert_sds_are(
    draws: Mapping[str, Floats], expected: Mapping[str, tuple[float, float]]
) -> None:
    """Within 4 % of R's standard errors, the size of the next term, and the Monte Carlo error."""
    for name, (_, error) in expected.items():
        reach = 0.04 * error + REACH * sd_error(draws[name])
        assert draws[name].std() == pytest.approx(error, abs=reach), name


# Weibull: exact times, delayed entry, scans


def seen_at_scans(rows: Rows) -> Patients:
    """Events between the scan before and the scan after; censored at the day itself."""
    patients, scan = rows.patients, np.ceil(rows.time / R["scan_months"]) * R["scan_months"]
    lower = np.where(rows.event, scan - R["scan_months"], patients.lower)
    return replace(patients, lower=lower, upper=np.where(rows.event, scan, np.inf))


WEIBULL = {
    "gbsg": R["sets"]["gbsg"]["weibull"],
    "rossi": R["sets"]["rossi"]["weibull"],
    "heart": R["sets"]["heart"]["weibull"],
    "lung, scans": R["lung_scans"],
}


def rows_of(case: str) -> Rows:
    return SETS[case.partition(", ")[0]]()


@cache
def weibull_fit(case: str, flat: bool = True) -> Fit:
    rows = rows_of(case)
    patients = seen_at_scans(rows) if "scans" in case else rows.patients
    return fit(rows, patients, priors=FLAT_WEIBULL if flat else {})


@pytest.mark.parametrize("case", WEIBULL)
def test_a_weibull_posterior_under_flat_priors_is_rs_maximum_likelihood(case: str) -> None:
    expected = on_our_scale(estimates(WEIBULL[case]), standard_errors(WEIBULL[case]))
    draws = by_r_name(weibull_fit(case), expected)
    assert_means_are(draws, expected, skew=0.5 / np.sqrt(fewest_events(rows_of(case))))
    assert_sds_are(draws, expected)


@pytest.mark.parametrize(
    "case",
    [
        "gbsg",
    ],
)
def test_default_priors_pull_as_much_as_their_densities_say(case: str) -> None:
    """Draws under flat priors, weighed by the ratio of the priors, are draws under the default."""
    flat, default = weibull_fit(case).theta, weibull_fit(case, flat=False).theta
    analysis = weibull_fit(case, flat=False).analysis
    theta = np.stack(list(flat.values()), axis=-1)
    free = np.linalg.solve(analysis.mix, theta[..., None])[..., 0]
    log_weight = np.zeros_like(flat["level"])
    for name, draws in zip(flat, np.moveaxis(free, -1, 0), strict=True):
        key = name if name in ("level", "log_shape") else "effect"
        wide, narrow = FLAT_WEIBULL[key], analysis.spec.prior(key)
        log_weight += norm.logpdf(draws, narrow.mu, narrow.sigma)
        log_weight -= norm.logpdf(draws, wide["mu"], wide["sigma"])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    for name, draws in flat.items():
        mean = float((weight * draws).sum())
        error = float(np.sqrt((weight**2 * (draws - mean) ** 2).sum()))
        # Draws of one chain are not independent: the error of a plain mean tells by how much.
        error *= max(1.0, monte_carlo_error(draws) / (draws.std() / np.sqrt(draws.size)))
        reach = REACH * np.hypot(error, monte_carlo_error(default[name]))
        assert default[name].mean() == pytest.approx(mean, abs=reach), name


# Piecewise exponential


@cache
def piecewise_fit() -> Fit:
    rows, cuts = lung(), R["sets"]["lung"]["piecewise"]["cuts"]
    return fit(rows, rows.patients, baseline="piecewise", cuts=tuple(cuts), priors=FLAT)


@pytest.mark.parametrize(
    "method",
    [
        "piecewise",
    ],
)
def test_piecewise_effects_are_those_of_poisson_regression_and_of_cox(method: str) -> None:
    """Steps of the baseline are drawn together, which effects do not feel."""
    fitted, rows = R["sets"]["lung"][method], lung()
    names = rows.coefficient_names
    expected = on_our_scale(estimates(fitted), standard_errors(fitted))
    expected = {name: expected[name] for name in names}
    draws = by_r_name(piecewise_fit(), expected)
    assert_means_are(draws, expected, skew=0.5 / np.sqrt(fewest_events(rows)))
    assert_sds_are(draws, expected)


# Response


def graded() -> Rows:
    """Fewer positive nodes as the better response: 1 CR, 2-3 PR, 4-9 SD, 10 and more PD."""
    rows = gbsg()
    return replace(
        rows,
        levels={"size": ("<=20mm", ">20mm"), "grade": rows.levels["grade"]},
        codes={
            "size": np.asarray(rows.other["tsize"] > 20, dtype=np.int64),
            "grade": rows.codes["grade"],
        },
    )


@pytest.mark.parametrize("kind", ["logistic", "ordinal"])
def test_a_response_posterior_under_flat_priors_is_rs_maximum_likelihood(kind: str) -> None:
    rows, fitted = graded(), R[f"gbsg_{kind}"]
    nodes = rows.other["pnodes"].to_numpy(int)
    patients = replace(rows.patients, response=3 - np.searchsorted([1, 3, 9], nodes))
    gaps = {"threshold_gap": prior(HALF_NORMAL, 30)} if kind == "ordinal" else {}
    found = fit(
        rows, patients, outcome="response", ordinal=kind == "ordinal", priors={**FLAT, **gaps}
    )
    expected = on_our_scale(estimates(fitted), standard_errors(fitted))
    draws = by_r_name(found, expected)
    if kind == "ordinal":
        gap = found.draws("threshold_gap")
        draws |= {"d_1": gap[..., 0], "d_2": gap[..., 1]}
    # The fewest of either outcome in a grade; of logits as of log rates.
    responded = patients.response >= 2
    counts = [np.bincount(rows.codes["grade"], who).min() for who in (responded, ~responded)]
    assert_means_are(draws, expected, skew=0.5 / np.sqrt(min(counts)))
    assert_sds_are(draws, expected)


# What is missing


# Institutions


@cache
def institutions() -> Fit:
    """Lung by institution, of all patients but the one whose institution is unknown."""
    rows, where = lung(), lung().other["inst"].to_numpy()
    known = np.unique(where[~np.isnan(where)])
    tables = {f"inst-{place:.0f}": rows.patients.take(where == place) for place in known}
    return GRAPHS.fit(analysis_of(tables, codebook_of(rows)))


def test_pooled_effects_lie_between_stratified_and_common_baselines() -> None:
    """Baselines that are alike but not the same: Cox with strata, and without, are the two ends.

    Both are pulled by the prior, by se^2 / (se^2 + 0.75^2) of each; levels of one covariate share
    their reference and are pulled a little more. A quarter of a standard error is left for that.
    """
    found, names = institutions(), lung().coefficient_names
    pooled = np.moveaxis(found.draws("mu"), -1, 0)[-len(names) :]
    for name, draws in zip(names, pooled, strict=True):
        ends = []
        for fitted in (R["lung_strata"], R["sets"]["lung"]["cox"]):
            value, error = estimates(fitted)[name], standard_errors(fitted)[name]
            ends += [value, value * (1 - error**2 / (error**2 + 0.75**2))]
        slack = standard_errors(R["lung_strata"])[name] / 4
        assert min(ends) - slack < draws.mean() < max(ends) + slack, name
