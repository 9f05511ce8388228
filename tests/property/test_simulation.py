"""Whatever is simulated or written reads back; what a study sees holds what happened."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.ipd.read import read_patients
from netlm_bayes.ipd.write import as_csv, as_parquet
from netlm_bayes.model import Model
from netlm_bayes.posterior.covariate_mix import Mix
from netlm_bayes.posterior.follow_up import Plan, study_of
from netlm_bayes.posterior.parameters import Parameterisation, prior_truth
from netlm_bayes.posterior.simulation import Split, simulate_institution

LEVELS = ("low, or none", 'so-called "high"', "NA", "über\n alles; 3,5")
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "grade, or so": {"label": "Grade", "levels": LEVELS, "reference": LEVELS[0]},
            "age": {"label": "Age", "unit": "year"},
            "never seen": {"label": "Never seen", "levels": ["a", "b"], "reference": "b"},
        },
    }
)
SMALL = CODEBOOK.model_copy(
    update={"covariates": {"never seen": CODEBOOK.covariates["never seen"]}}
)
NAMES = st.text("abc Üé'\",;0", min_size=1, max_size=6).map(lambda text: " ".join(text.split()))

months = st.floats(1e-9, 600)
seeds = st.integers(0, 2**32)


@st.composite
def intervals(draw: Any) -> tuple[float, float, float]:
    """Entry, lower and upper of one patient."""
    kind = draw(st.sampled_from(["unknown", "seen", "censored", "between", "at first"]))
    if kind == "unknown":
        return 0.0, math.nan, math.nan
    if kind == "at first":
        return 0.0, 0.0, draw(st.one_of(months, st.just(math.inf)))
    lower = draw(months)
    entry = draw(st.one_of(st.just(0.0), st.floats(0, lower, exclude_max=True)))
    upper = {"seen": lower, "censored": math.inf, "between": lower + draw(months)}[kind]
    return entry, lower, upper


@st.composite
def tables(draw: Any, synthetic: bool) -> Patients:
    """Patients of one institution."""
    times = draw(st.lists(intervals(), min_size=1, max_size=8))
    n = len(times)
    entry, lower, upper = np.array(times).T

    def column(values: st.SearchStrategy[Any]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)))

    return Patients(
        row=np.arange(n) + 1,
        entry=entry,
        lower=lower,
        upper=upper,
        response=column(st.integers(-1, 3)),
        levels={
            "grade, or so": column(st.integers(-1, 3)),
            "never seen": np.full(n, -1),
        },
        values={"age": column(st.one_of(st.floats(-1e300, 1e300), st.just(math.nan)))},
        synthetic=synthetic,
    )


@st.composite
def files(draw: Any) -> dict[str, Patients]:
    """Patients of one institution without a name, or of several by name."""
    names = sorted(draw(st.sets(NAMES.filter(bool), max_size=3))) or [""]
    synthetic = draw(st.booleans())
    return {name: draw(tables(synthetic)) for name in names}


def assert_same(read: Patients, written: Patients) -> None:
    """Every value is the same, but for the rows in the file."""
    assert read.synthetic == written.synthetic
    for name in ("entry", "lower", "upper", "response"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    for kind in ("levels", "values"):
        found, wanted = getattr(read, kind), getattr(written, kind)
        assert set(found) == set(wanted)
        for name, values in wanted.items():
            np.testing.assert_array_equal(found[name], values)


@given(written=files(), write=st.sampled_from([as_csv, as_parquet]))
def test_patients_read_back_as_they_were_written(written: dict[str, Patients], write: Any) -> None:
    data = write(written, CODEBOOK)
    read = read_patients(data, "written", Layout(file="written"), CODEBOOK)
    assert list(read) == list(written)
    for name, patients in written.items():
        assert_same(read[name], patients)


@given(
    seed=seeds,
    baseline=st.sampled_from(["weibull", "piecewise"]),
    outcome=st.sampled_from(["survival", "response"]),
    scans=st.one_of(st.none(), st.floats(0.1, 36)),
    missing=st.floats(0, 0.9),
    institutions=st.integers(1, 4),
)
def test_whatever_is_simulated_from_a_prior_is_a_sound_file(
    seed: int,
    baseline: str,
    outcome: str,
    scans: float | None,
    missing: float,
    institutions: int,
) -> None:
    own = {"baseline": baseline} if outcome == "survival" else {"ordinal": baseline == "weibull"}
    choices = {"name": "m", "outcome": outcome, "covariates": ["never seen"], **own}
    model = Parameterisation(Model.model_validate(choices), SMALL)
    study = study_of(Plan(12, scans=scans, missing=missing, institutions=institutions))
    rng = np.random.default_rng(seed)
    truth, mix = prior_truth(model, institutions, rng), Mix(1, {"never seen": np.array([0.2, 0.8])})
    made = {
        name: simulate_institution(truth, place, [mix], study, Split(), rng)
        for place, name in enumerate(study.institutions)
    }
    read = read_patients(as_csv(made, SMALL), "made", Layout(file="made"), SMALL)
    assert list(read) == list(made)
    for name, patients in made.items():
        assert_same(read[name], patients)
