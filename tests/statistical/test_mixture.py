"""Three hospitals - patients, a site's table, a figure with printed ratios - beside all patients.

Two covariates of the bundled codebook, a Weibull truth, complete pooling: what differs between the
two posteriors is what the second and third hospital gave instead of their patients.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from netlm_bayes.choices import Sampling
from netlm_bayes.codebook import read_codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import CohortFile, read_cohort
from netlm_bayes.frequentist import cox
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.model import CUTS, Model
from netlm_bayes.published.cohort import Cohort, PatientCohort
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample
from netlm_bayes.sites.table import Groups, SiteTable, SurvivalTable, survival_cells

pytestmark = pytest.mark.sampling

Array = NDArray[np.float64]
CODEBOOK = read_codebook("netlm", Path())
COVARIATES = ("ki67", "bone")
TRUTH = np.array([-0.3, np.log(1.25), 0.7, 0.5])  # level, log shape, log hazard ratios
SHARES = {"ki67": 0.4, "bone": 0.3}
N, SIMULATIONS, MIXTURES, LEVEL, ALARM = 130, 16, 6, 0.9, 1e-3
SPEC = Model.model_validate(
    {
        "name": "m",
        "outcome": "survival",
        "anchor": 12,
        "covariates": COVARIATES,
        "pooling": "complete",
    }
)
SAMPLING = Sampling(draws=800, tune=300, chains=2)


def hospital(rng: np.random.Generator) -> Patients:
    """Patients from the truth, seen to the moment, censored between 12 and 36 months."""
    levels = {name: (rng.random(N) < share).astype(int) for name, share in SHARES.items()}
    linear = TRUTH[0] + TRUTH[2] * levels["ki67"] + TRUTH[3] * levels["bone"]
    time = 12 * (rng.standard_exponential(N) * np.exp(-linear)) ** np.exp(-TRUTH[1])
    end = rng.uniform(12, 36, N)
    event = time <= end
    unknown = {
        name: np.full(N, MISSING)
        for name, covariate in CODEBOOK.covariates.items()
        if covariate.levels and name not in levels
    }
    values = {
        name: np.full(N, np.nan)
        for name, covariate in CODEBOOK.covariates.items()
        if not covariate.levels
    }
    seen = np.minimum(time, end)
    upper = np.where(event, seen, np.inf)
    nothing = np.full(N, MISSING)
    return Patients(np.arange(N), np.zeros(N), seen, upper, nothing, {**unknown, **levels}, values)


def patients_file(name: str, patients: Patients) -> CohortFile:
    layout = Layout(file="patients.csv")
    cohort = PatientCohort(id=name, label=name, source="simulated", n=patients.n, patients=layout)
    return CohortFile(cohort, CODEBOOK, name, {}, patients=patients)


def table_file(name: str, patients: Patients) -> CohortFile:
    """Table by all four patterns: exactly the patients."""
    group = 2 * patients.levels["ki67"] + patients.levels["bone"]
    levels = {
        "ki67": np.eye(2, dtype=bool)[[0, 0, 1, 1]],
        "bone": np.eye(2, dtype=bool)[[0, 1] * 2],
    }
    cells = survival_cells(patients, group, 4, CUTS, 36.0)
    groups = Groups(np.bincount(group, minlength=4), levels)
    table = SiteTable(SurvivalTable(groups, cells), None, 5, 24.0)
    cohort = Cohort.model_construct(id=name, label=name, n=N, source="simulated", published=())
    return CohortFile(cohort, CODEBOOK, name, {}, table=table)


def paper(folder: Path, patients: Patients, rng: np.random.Generator) -> CohortFile:
    """What a paper prints: margins, Cox, and a Kaplan-Meier curve, clicked with a small error."""
    ratios = cox({"paper": patients}, CODEBOOK, COVARIATES)
    kept = ratios[ratios["method"].str.contains("multivariable")]
    items = []
    for name in COVARIATES:
        covariate = CODEBOOK.covariates[name]
        row = kept[kept["contrast"].str.startswith(f"{name}:")].iloc[0]
        other = next(x for x in COVARIATES if x != name)
        count = int(patients.levels[name].sum())
        items += [
            f'[[published]]\nkind = "margin"\ncovariate = "{name}"\nsource = "Table 1"\n'
            f'values."{covariate.levels[0]}" = {N - count}\n'
            f'values."{covariate.levels[1]}" = {count}',
            f'[[published]]\nkind = "hazard_ratio"\nendpoint = "pfs"\ncovariate = "{name}"\n'
            f'level = ["{covariate.levels[1]}"]\nversus = ["{covariate.levels[0]}"]\n'
            f"estimate = {row['estimate']:.3f}\nlower = {row['lower']:.3f}\n"
            f"upper = {row['upper']:.3f}\nadjusted_for = ['{other}']\nrole = 'fit'\n"
            'source = "Table 2"',
        ]
    events = int(patients.exact.sum())
    items.append(
        '[[published]]\nkind = "curve"\nendpoint = "pfs"\nclicks = "curve.csv"\n'
        f'at_risk = "risk.csv"\nevents = {events}\nrole = "fit"\nsource = "Figure 2"'
    )
    head = f'id = "paper"\nlabel = "Paper"\nn = {N}\nsource = "simulated"\n'
    (folder / "paper.toml").write_text("\n\n".join([head, *items]))
    (folder / "curve.csv").write_text(clicks(patients, rng))
    months = np.arange(0, 31, 6)
    risk = [f"{month},{int((patients.lower >= month).sum())}" for month in months]
    (folder / "risk.csv").write_text("time,at_risk\n" + "\n".join(risk) + "\n")
    return read_cohort(str(folder / "paper.toml"))


def clicks(patients: Patients, rng: np.random.Generator) -> str:
    """Both ends of every step of the Kaplan-Meier curve, to three digits, off by a little."""
    order = np.argsort(patients.lower)
    survival, rows = 1.0, ["0,1"]
    for place, one in enumerate(order):
        month = patients.lower[one]
        if patients.exact[one]:
            before, survival = survival, survival * (1 - 1 / (N - place))
            for value in (before, survival):
                read = min(max(value + rng.normal(0, 0.003), 0.0), 1.0)
                rows.append(f"{month:.2f},{read:.3f}")
    last = float(patients.lower.max())
    rows.append(f"{last:.2f},{survival:.3f}")
    return "time,survival\n" + "\n".join(rows) + "\n"


@dataclass
class Fitter:
    """Compiles once for every structure."""

    compiled: dict[Structure, CompiledModel]

    def centre(self, analysis: Analysis, seed: int) -> Array:
        """Draws of the pool's parameters; (draws, parameters)."""
        structure = structure_of(analysis)
        if structure not in self.compiled:
            model = build(structure, data_of(analysis))
            self.compiled[structure] = compile_model(model, pointwise_names(structure))
        tree = sample(self.compiled[structure], packed(data_of(analysis)), SAMPLING, seed)
        return np.asarray(tree["posterior"]["mu"].to_numpy().reshape(-1, len(TRUTH)))


@dataclass(frozen=True)
class Answers:
    """Posterior mean, standard deviation and central interval; (simulations, parameters)."""

    mean: Array
    sd: Array
    lower: Array
    upper: Array


def answers(draws: list[Array]) -> Answers:
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    lower, upper = np.array([np.quantile(one, tails, axis=0) for one in draws]).swapaxes(0, 1)
    mean, sd = (np.array([f(one, axis=0) for one in draws]) for f in (np.mean, np.std))
    return Answers(mean, sd, lower, upper)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    fitter, found = Fitter({}), {"patients": [], "table": [], "mixture": []}  # type: ignore[var-annotated]
    for seed in range(SIMULATIONS):
        rng = np.random.default_rng([seed, 11])
        one, two, three = (hospital(rng) for _ in range(3))
        first = patients_file("one", one)
        files = {"patients": [first, patients_file("two", two), patients_file("three", three)]}
        if seed == 0:
            files["table"] = [first, table_file("two", two), patients_file("three", three)]
        if seed < MIXTURES:
            third = paper(tmp_path_factory.mktemp("paper"), three, rng)
            files["mixture"] = [first, table_file("two", two), third]
        for name, own in files.items():
            found[name].append(fitter.centre(emulated(analyse(SPEC, own)), seed))
    return {name: answers(draws) for name, draws in found.items()}


def most_misses(trials: int, rate: float, tests: int) -> int:
    """Misses that a true rate gives more of than this with less than the false-alarm rate."""
    return int(binom.isf(ALARM / tests, trials, rate))


def test_a_sites_table_gives_the_posterior_of_its_patients(simulated: dict[str, Any]) -> None:
    by_patient, by_table = simulated["patients"], simulated["table"]
    # The same density: the sampler's paths part only by rounding, the estimates by Monte Carlo.
    error = by_patient.sd[0] * 4 / np.sqrt(800)  # of as many effective draws, at least half
    assert (np.abs(by_table.mean[0] - by_patient.mean[0]) < error).all()
    np.testing.assert_allclose(by_table.sd[0], by_patient.sd[0], rtol=0.15)


@pytest.mark.parametrize("whose", ["patients", "mixture"])
def test_intervals_cover_the_truth_as_often_as_they_say(
    whose: str, simulated: dict[str, Any]
) -> None:
    """90 % intervals; false alarm one in a thousand over all parameters."""
    found = simulated[whose]
    missed = ((found.lower > TRUTH) | (found.upper < TRUTH)).sum(axis=0)
    assert (missed <= most_misses(len(found.mean), 1 - LEVEL, len(TRUTH))).all(), missed


def test_print_and_figure_are_never_worth_more_than_the_patients_behind_them(
    simulated: dict[str, Any],
) -> None:
    """No narrower than from all patients but by Monte Carlo error.

    A standard deviation from 1600 draws, of which a third are effective, is off by 3 %; a ratio of
    two by 4.5 %, the lowest of 24 by three times that, and the mean of six by 2 %.
    """
    ratio = simulated["mixture"].sd / simulated["patients"].sd[:MIXTURES]
    assert (ratio.mean(axis=0) > 0.95).all(), ratio.mean(axis=0)
    assert (ratio > 0.85).all(), ratio.min(axis=0)


def test_the_mixture_agrees_with_all_patients(simulated: dict[str, Any]) -> None:
    """On average no further off than its own Monte Carlo error, and a tenth of a posterior sd."""
    mixture, patients = simulated["mixture"], simulated["patients"]
    off = ((mixture.mean - patients.mean[:MIXTURES]) / patients.sd[:MIXTURES]).mean(axis=0)
    assert (np.abs(off) < 0.35).all(), off
