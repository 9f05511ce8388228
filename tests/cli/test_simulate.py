"""What stands behind `simulate`: a source, a plan, and a file that other commands read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from netlm_bayes import store
from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import RunError
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.check import check_file
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.ipd.write import write_synthetic
from netlm_bayes.model import Model, read_model
from netlm_bayes.pipeline.simulate import Simulated, from_cohort, from_prior, from_run
from netlm_bayes.posterior.covariate_mix import treated_by
from netlm_bayes.posterior.description import description_of
from netlm_bayes.posterior.follow_up import Plan
from netlm_bayes.posterior.parameters import prior_draws
from netlm_bayes.sampling.gate import Check

FIRST, SECOND = "sysu-2016-2020", "sysu-rectal-2022-2024"
HOSPITAL = """\
time,event,age,stage
{rows}
"""
HOSPITAL_BOOK = """\
id = "hospital"

[covariates.age]
label = "Age"
unit = "years"

[covariates.stage]
label = "Stage"
levels = ["I", "II"]
reference = "I"
"""
HOSPITAL_COHORT = """\
id = "hospital"
label = "Hospital"
source = "invented"
codebook = "book.toml"

[patients]
file = "hospital.csv"
"""


@pytest.fixture(scope="module")
def published() -> tuple[CohortFile, ...]:
    return read_cohorts([FIRST, SECOND])


@pytest.fixture(scope="module")
def weibull() -> Model:
    return read_model("pfs-weibull")


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return read_codebook(BUNDLED, Path())


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[..., Path]:
    """Leave what a run leaves, with draws of the prior in place of the posterior's."""

    def leave(spec: Model, files: tuple[CohortFile, ...], name: str = "run") -> Path:
        analysis = analyse(spec, files)
        described = description_of(analysis)
        model = treated_by(described, spec).model
        draws = prior_draws(model, len(files), 8, np.random.default_rng(1))
        dims = {"theta": ["cohort", "parameter"], "mu": ["parameter"], "tau": ["heterogeneity"]}
        coords = {
            "cohort": [cohort.cohort.id for cohort in analysis.cohorts],
            "parameter": list(model.parameters.names),
            "heterogeneity": list(model.parameters.heterogeneities),
        }
        values = {
            name: (["chain", "draw", *dims[name]], found.reshape(2, 4, *found.shape[1:]))
            for name, found in draws.items()
        }
        run = tmp_path / name
        details = {"model": spec.model_dump(mode="json"), "population": described}
        with store.run_folder(run) as folder:
            dataset = xr.Dataset(values, coords=coords)
            store.write_posterior(folder, xr.DataTree.from_dict({"posterior": dataset}))
            store.write_checks(folder, [Check("divergences", 0.0, 0.0, True)])
            store.write_manifest(folder, store.Manifest("netlm-bayes fit", 1, {}, {}, details))
        return run

    return leave


@pytest.fixture
def hospital(tmp_path: Path) -> tuple[CohortFile, ...]:
    """Patients of another disease, with an own codebook and a continuous covariate."""
    rng = np.random.default_rng(2)
    rows = "\n".join(
        f"{rng.uniform(1, 20):.1f},{rng.integers(2)},{rng.normal(60, 10):.0f},{'I' * (1 + i % 2)}"
        for i in range(60)
    )
    (tmp_path / "book.toml").write_text(HOSPITAL_BOOK, "utf-8")
    (tmp_path / "hospital.csv").write_text(HOSPITAL.format(rows=rows), "utf-8")
    (tmp_path / "hospital.toml").write_text(HOSPITAL_COHORT, "utf-8")
    return read_cohorts([str(tmp_path / "hospital.toml")])


def written(simulated: Simulated, out: Path) -> tuple[CohortFile, ...]:
    """Write synthetic patients and read them as another command would."""
    write_synthetic(simulated.patients, simulated.codebook, out)
    return read_cohorts([str(out)])


def test_patients_from_the_prior_can_be_fitted_and_are_called_synthetic(
    weibull: Model, codebook: Codebook, tmp_path: Path
):
    simulated = from_prior(weibull, codebook, Plan(n=50, institutions=2))
    files = written(simulated, tmp_path / "made.csv")
    assert [file.cohort.id for file in files] == [
        "synthetic/made/institution 1",
        "synthetic/made/institution 2",
    ]
    assert all("(synthetic)" in file.cohort.label for file in files)
    analysis = analyse(weibull, files)
    assert [cohort.cohort.n for cohort in analysis.cohorts] == [25, 25]
    assert list(simulated.truth) == ["institution 1", "institution 2"]
    assert set(simulated.truth["institution 1"]) >= {"level", "log_shape", "bone: yes"}
    assert check_file(str(tmp_path / "made.csv")).startswith("patients synthetic/made: 50 patients")


def test_patients_mixed_as_a_published_cohort_are_as_many_and_followed_as_long(
    weibull: Model, published: tuple[CohortFile, ...], tmp_path: Path
):
    simulated = from_cohort(published[:1], weibull, Plan(scans=3))
    assert simulated.notes == (
        "parameters: a draw from the prior of pfs-weibull",
        "covariates: as in sysu-2016-2020",
        "outcome: overall PFS, seen on scans 3 months apart; patients enter over the first 49 of "
        "49 months; no response: the model tells none",
    )
    (file,) = written(simulated, tmp_path / "made.parquet")
    assert file.cohort.id == "synthetic/made"
    assert file.patients is not None
    assert file.patients.n == 116
    assert set(file.patients.lower) <= set(np.arange(0, 49, 3.0))
    many = from_cohort(published[:1], weibull, Plan(n=20_000)).patients[""]
    share = np.bincount(many.levels["bone"], minlength=2) / many.n
    bone = analyse(weibull, published[:1]).cohorts[0].joint
    pattern = analyse(weibull, published[:1]).patterns
    exact = float(bone @ pattern.mask({"bone": ["yes"]}))
    assert abs(share[1] - exact) < 5 * np.sqrt(exact * (1 - exact) / many.n)


class TestRun:
    def test_a_cohort_of_it_has_its_parameters_its_mix_and_its_size(
        self,
        run_of: Callable[..., Path],
        weibull: Model,
        published: tuple[CohortFile, ...],
    ):
        run = run_of(weibull, published)
        simulated = from_run(run, Plan(), SECOND)
        posterior = store.read_posterior(run)["posterior"].to_dataset()
        theta = posterior["theta"].sel(cohort=SECOND).to_numpy().reshape(8, -1)
        assert list(simulated.truth[""].values()) in theta.tolist()
        patients = simulated.patients[""]
        assert patients.n == 84
        assert (patients.levels["site"] == 1).all()  # rectal primaries
        assert simulated.notes[0] == f"parameters: a draw from the posterior of run, {SECOND}"
        assert simulated.notes[1].endswith(
            "borrowed margins taken as they are: htb, ki67, bone, margin"
        )

    def test_the_next_institutions_are_the_default_where_cohorts_pool(
        self,
        run_of: Callable[..., Path],
        weibull: Model,
        published: tuple[CohortFile, ...],
    ):
        run = run_of(weibull, published)
        simulated = from_run(run, Plan(institutions=4))
        assert sum(patients.n for patients in simulated.patients.values()) == 200
        assert len({truth["level"] for truth in simulated.truth.values()}) == 4
        assert simulated.notes[0].endswith("next institution")
        pooled = from_run(run, Plan(), "pooled")
        mu = store.read_posterior(run)["posterior"]["mu"].to_numpy().reshape(8, -1)
        assert list(pooled.truth[""].values()) in mu.tolist()

    def test_a_hospitals_own_disease_is_simulated_from_its_margins_only(
        self, run_of: Callable[..., Path], hospital: tuple[CohortFile, ...], tmp_path: Path
    ):
        values = {"name": "m", "outcome": "survival", "covariates": ["age", "stage"]}
        run = run_of(Model.model_validate(values), hospital)
        simulated = from_run(run, Plan(n=5000))
        age = simulated.patients[""].values["age"]
        assert abs(age.mean() - 60) < 5
        assert 5 < age.std() < 15
        real = hospital[0].patients
        assert real is not None
        assert not set(age) & set(real.values["age"])
        assert simulated.notes[-1].endswith("names the codebook of 'hospital'")
        write_synthetic(simulated.patients, simulated.codebook, tmp_path / "hospital.csv", True)
        (file,) = read_cohorts([str(tmp_path / "hospital.toml")])
        assert file.cohort.id == "synthetic/hospital"


class TestFile:
    @pytest.fixture
    def simulated(self, weibull: Model, codebook: Codebook) -> Simulated:
        return from_prior(weibull, codebook, Plan(n=20))

    def test_it_is_not_lost_unless_by_force(self, simulated: Simulated, tmp_path: Path):
        out = tmp_path / "new" / "made.csv"
        arguments: tuple[Any, ...] = (simulated.patients, simulated.codebook, out)
        write_synthetic(*arguments)
        before = out.read_bytes()
        out.write_text("kept", "utf-8")
        with pytest.raises(RunError, match="exists; choose another --out, or --force"):
            write_synthetic(*arguments)
        assert out.read_text("utf-8") == "kept"
        write_synthetic(*arguments, force=True)
        assert out.read_bytes() == before
        assert list(out.parent.iterdir()) == [out]
