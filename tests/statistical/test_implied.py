"""Coefficients of regressions that left out a strong covariate: read as implied they mislead less.

Papers are simulated from a known truth. Each prints the coefficients of x and of z, neither
adjusted for the other. What a model of both makes of them is linear algebra: linear rows of a
likelihood and normal priors, taken from the package as its graph takes them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.cohort_files import CohortFile
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns, joint_distribution

type Array = NDArray[np.float64]

PAPERS = 200
PATIENTS = 400
FOLLOWED = 36.0
EFFECT = {"x": 0.8, "z": 1.6, "u": 0.0}  # u keeps an odds ratio from being turned into a table
SHARES = {"x": 0.5, "z": 0.4, "u": 0.5}
ASSOCIATED = 1.5  # log odds ratio of x and z
PATTERNS = Patterns(tuple(EFFECT), (("no", "yes"),) * 3, ("no",) * 3)
CODEBOOK = 'id = "invented"\nendpoints = { pfs = "PFS" }\n' + "".join(
    f'[covariates.{name}]\nlabel = "{name}"\nlevels = ["no", "yes"]\nreference = "no"\n'
    for name in EFFECT
)


def model(outcome: str, log_odds_ratio: float, unadjusted: str) -> Model:
    """A model of all three, its priors of effects so vague that what is seen is the reading."""
    goes = {"covariates": ["x", "z"], "log_odds_ratio": log_odds_ratio}
    return Model.model_validate(
        {
            "name": "m",
            "outcome": outcome,
            "covariates": list(EFFECT),
            "unadjusted": unadjusted,
            "association": [goes] if log_odds_ratio else [],
            "priors": {"effect": {"family": "normal", "mu": 0.0, "sigma": 2.5}},
        }
    )


# Patients, and what a paper prints of them


class Patients(NamedTuple):
    """Covariates, response, time and whether an event was seen."""

    x: Array
    response: Array
    time: Array
    event: NDArray[np.bool_]


def treated(log_odds_ratio: float, rng: np.random.Generator) -> Patients:
    shares = {name: np.array([1 - share, share]) for name, share in SHARES.items()}
    association = model("survival", log_odds_ratio, "mismatch").association
    joint = joint_distribution(PATTERNS, shares, association)
    x = np.repeat(PATTERNS.design, rng.multinomial(PATIENTS, joint), axis=0)
    linear = x @ np.array(list(EFFECT.values()))
    response = (rng.random(PATIENTS) < expit(-0.3 + linear)).astype(float)
    time = 12 * (rng.standard_exponential(PATIENTS) / np.exp(-0.6 + linear)) ** (1 / 1.2)
    left = FOLLOWED * rng.random(PATIENTS)
    return Patients(x, response, np.minimum(time, left), time <= left)


def cox(patients: Patients, columns: list[int]) -> tuple[float, float]:
    """Cox regression without ties: the first coefficient and its standard error."""
    order = np.argsort(-patients.time)
    x, event, beta = patients.x[order][:, columns], patients.event[order], np.zeros(len(columns))
    for _ in range(20):
        risk = np.exp(x @ beta)
        everyone = np.cumsum(risk)
        mean = np.cumsum(risk[:, None] * x, axis=0) / everyone[:, None]
        outer = np.cumsum(risk[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)
        spread = outer / everyone[:, None, None] - mean[:, :, None] * mean[:, None, :]
        information = spread[event].sum(axis=0)
        beta = beta + np.linalg.solve(information, (x - mean)[event].sum(axis=0))
    return float(beta[0]), float(np.sqrt(np.linalg.inv(information)[0, 0]))


def logistic(patients: Patients, columns: list[int]) -> tuple[float, float]:
    fit = sm.Logit(patients.response, sm.add_constant(patients.x[:, columns])).fit(disp=False)
    return float(fit.params[1]), float(fit.bse[1])


def items(outcome: str, patients: Patients) -> Iterator[str]:
    """What a paper prints, as TOML."""
    for name, share in SHARES.items():
        yes = round(PATIENTS * share)
        values = f"values = {{ no = {PATIENTS - yes}, yes = {yes} }}"
        yield f'kind = "margin"\ncovariate = "{name}"\n{values}'
    survival = outcome == "survival"
    kind = 'kind = "hazard_ratio"\nendpoint = "pfs"' if survival else 'kind = "odds_ratio"'
    for place, name in enumerate(("x", "z")):
        estimate, se = (cox if survival else logistic)(patients, [place, 2])
        low, middle, high = np.exp(estimate + se * np.array([-1.959964, 0.0, 1.959964]))
        numbers = f"estimate = {middle:.3f}\nlower = {low:.3f}\nupper = {high:.3f}"
        which = f'covariate = "{name}"\nlevel = "yes"\nversus = "no"\nadjusted_for = ["u"]'
        yield f'{kind}\n{which}\n{numbers}\nrole = "fit"'
    yield f'kind = "statistic"\nname = "follow-up"\nunit = "months"\nmaximum = {FOLLOWED:g}'
    responders = round(patients.response.sum())
    values = f"{{ responders = {responders}, nonresponders = {PATIENTS - responders} }}"
    yield f'kind = "counts"\nvalues = {values}\nrole = "fit"'


def paper(folder: Path, outcome: str, patients: Patients) -> tuple[CohortFile, ...]:
    (folder / "book.toml").write_text(CODEBOOK, "utf-8")
    head = f'id = "paper"\nlabel = "P"\nn = {PATIENTS}\nsource = "s"\ncodebook = "book.toml"\n'
    printed = (f'[[published]]\n{item}\nsource = "s"\n' for item in items(outcome, patients))
    (folder / "paper.toml").write_text(head + "".join(printed), "utf-8")
    return read_cohorts([str(folder / "paper.toml")])


# What a model makes of it


class Told(NamedTuple):
    """Posterior means and standard deviations of x's effect, a paper each."""

    mean: Array
    sd: Array

    @property
    def bias(self) -> float:
        return float(self.mean.mean() - EFFECT["x"])

    @property
    def rmse(self) -> float:
        return float(np.sqrt(np.mean((self.mean - EFFECT["x"]) ** 2)))

    @property
    def covered(self) -> float:
        return float(np.mean(np.abs(self.mean - EFFECT["x"]) < 1.96 * self.sd))


def posterior(spec: Model, files: tuple[CohortFile, ...]) -> tuple[float, float]:
    """Mean and standard deviation of x's effect: linear rows, normal priors."""
    data: Mapping[str, Any] = data_of(analyse(spec, files))
    location, scale = data["prior_parameter"]
    rows, precision = data["ratios_difference"], data["ratios_precision"]
    covariance = np.linalg.inv(np.diag(scale**-2.0) + rows.T @ precision @ rows)
    mean = location + covariance @ rows.T @ precision @ (data["ratios"] - rows @ location)
    x = len(location) - len(EFFECT)
    return float(mean[x]), float(np.sqrt(covariance[x, x]))


@cache
def told(outcome: str, log_odds_ratio: float) -> dict[str, Told]:
    """What papers tell of x, read either way, and with its association taken for none."""
    specs = {how: model(outcome, log_odds_ratio, how) for how in ("mismatch", "implied")}
    if log_odds_ratio:
        specs["implied, taken as independent"] = model(outcome, 0.0, "implied")
    rng, found = np.random.default_rng(7), {how: [] for how in specs}
    with TemporaryDirectory() as folder:
        for _ in range(PAPERS):
            files = paper(Path(folder), outcome, treated(log_odds_ratio, rng))
            for how, spec in specs.items():
                found[how].append(posterior(spec, files))
    return {how: Told(*np.array(values).T) for how, values in found.items()}


def test_hazard_ratios_that_left_out_an_independent_covariate():
    mismatch, implied = told("survival", 0.0).values()
    assert mismatch.bias < -0.12
    assert abs(implied.bias) < 0.06
    assert implied.rmse < 0.85 * mismatch.rmse
    assert implied.covered > 0.89


def test_hazard_ratios_that_left_out_an_associated_covariate():
    mismatch, implied, _ = told("survival", ASSOCIATED).values()
    assert mismatch.bias > 0.15
    assert abs(implied.bias) < 0.06
    assert implied.rmse < 0.75 * mismatch.rmse
    assert implied.covered > 0.89


def test_odds_ratios_that_left_out_an_associated_covariate():
    mismatch, implied, _ = told("response", ASSOCIATED).values()
    assert mismatch.bias > 0.3
    assert abs(implied.bias) < 0.08
    assert implied.rmse < 0.7 * mismatch.rmse
    assert implied.covered > 0.89


def test_odds_ratios_that_left_out_an_independent_covariate():
    mismatch, implied = told("response", 0.0).values()
    assert abs(implied.bias) < abs(mismatch.bias)
    assert implied.covered > 0.89


def test_an_association_that_nobody_declares_misleads_more_than_the_mismatch_term():
    """Then only the attenuation is undone, which had made up for part of the confounding."""
    mismatch, _, unaware = told("survival", ASSOCIATED).values()
    assert unaware.bias > mismatch.bias + 0.2


def main() -> None:
    """Print what the tests hold (docs/adr/0007-adjustment-sets.md)."""
    for outcome in ("survival", "response"):
        for log_odds_ratio in (0.0, ASSOCIATED):
            for how, x in told(outcome, log_odds_ratio).items():
                numbers = f"bias {x.bias:+.3f} rmse {x.rmse:.3f} covered {x.covered:.3f}"
                error = x.mean.std() / np.sqrt(PAPERS)
                print(f"{outcome} {log_odds_ratio:g} {how}: {numbers}, Monte Carlo {error:.3f}")


if __name__ == "__main__":
    main()
