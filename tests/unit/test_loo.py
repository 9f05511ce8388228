"""Leave-one-out: against a model in which it is exact, and who may be told of."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.posterior.loo import LeftOut, Units, influential, leave_one_out, loo_table
from netlm_bayes.published.cohort import PatientCohort

type Array = NDArray[np.float64]

CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "size": {"label": "Size", "levels": ["small", "large"], "reference": "small"},
            "spread": {"label": "Spread", "levels": ["no", "yes"], "reference": "no"},
        },
    }
)
SPEC = {"name": "m", "outcome": "survival", "covariates": ["size", "spread"]}
CHAINS, DRAWS = 4, 1000


def patients(n: int, first_row: int = 2) -> Patients:
    """Patients whose order in the graph is not that of their file: censored and incomplete ones."""
    place = np.arange(n)
    lower = 1.0 + place
    return Patients(
        row=first_row + 2 * place,
        entry=np.zeros(n),
        lower=lower,
        upper=np.where(place % 3 == 0, inf, lower),
        response=np.full(n, -1),
        levels={"size": np.where(place % 5 == 0, -1, place % 2), "spread": place % 2},
        values={},
    )


def file_of(name: str, some: Patients, codebook: Codebook = CODEBOOK) -> CohortFile:
    layout = Layout(file="patients.csv")
    cohort = PatientCohort(id=name, label=name, source="invented", n=some.n, patients=layout)
    return CohortFile(cohort, codebook, name, {}, patients=some)


def analysis_of(*cohorts: Patients, **choices: Any) -> Analysis:
    files = [file_of(f"c{place}", some) for place, some in enumerate(cohorts)]
    return analyse(Model.model_validate({**SPEC, **choices}), files)


def log_likelihood(**kinds: Array | tuple[Array, Sequence[str]]) -> xr.Dataset:
    """Group of log likelihoods: patients by place, printed numbers by label."""
    arrays = {}
    for kind, given in kinds.items():
        values, labels = given if isinstance(given, tuple) else (given, range(given.shape[-1]))
        dims = ("chain", "draw", f"{kind}_row")
        coords: dict[str, Any] = {dims[-1]: list(labels)}
        if isinstance(given, tuple):
            coords[f"{kind}_cohort"] = (dims[-1], [label.split(",")[0] for label in labels])
        arrays[kind] = xr.DataArray(values, dims=dims, coords=coords)
    return xr.Dataset(arrays)


def noise(units: int, scale: float = 0.3, seed: int = 1) -> Array:
    """Log likelihoods that are easily left out."""
    return scale * np.random.default_rng(seed).standard_normal((CHAINS, DRAWS, units))


def left_out(
    elpd: Sequence[float],
    pareto_k: Sequence[float] | None = None,
    kind: str = "patient",
    readings: tuple[str, ...] = (),
) -> LeftOut:
    """Leave-one-out as if it had been computed."""
    names = tuple(f"unit {place}" for place in range(len(elpd)))
    k = np.zeros(len(elpd)) if pareto_k is None else np.array(pareto_k)
    units = Units(names, np.array(elpd), np.full(len(elpd), 0.1), k)
    return LeftOut(readings, 4000, {kind: units})


def row_of(table: pd.DataFrame, model: str, unit: str = "patient") -> Mapping[str, Any]:
    (found,) = table[(table["model"] == model) & (table["unit"] == unit)].to_dict("records")
    return found


# The numbers


def normal_mean(prior_sd: float) -> tuple[Analysis, Array, Array]:
    r"""Log likelihoods of :math:`y_i \sim N(\theta, 1)`, and what each exactly is when left out.

    By conjugacy :math:`y_i \mid y_{-i}` is normal, with the posterior mean of the others and 1 plus
    their posterior variance.
    """
    some = patients(40)
    rng = np.random.default_rng(8)
    y = rng.normal(0.7, 1.0, some.n)
    precision = some.n + prior_sd**-2
    theta = rng.normal(y.sum() / precision, precision**-0.5, (CHAINS, DRAWS, 1))
    exact = norm.logpdf(y, (y.sum() - y) / (precision - 1), np.sqrt(1 + 1 / (precision - 1)))
    return analysis_of(some), norm.logpdf(y, theta, 1.0), exact


@pytest.mark.parametrize("prior_sd", [0.2, 10.0])
def test_leaving_patients_out_of_a_normal_model_is_as_the_closed_form_has_it(
    prior_sd: float,
) -> None:
    analysis, values, exact = normal_mean(prior_sd)
    fit = leave_one_out(analysis, log_likelihood(patients=values))
    # 4000 draws: an error of about sd(weights) / sqrt(4000) = 0.01 a patient, at k far below 0.7.
    np.testing.assert_allclose(fit.units["patient"].elpd, exact, atol=0.02)
    row = row_of(loo_table({"main": fit}), "main")
    assert row["elpd_loo"] == pytest.approx(exact.sum(), abs=0.05)
    assert row["se"] == pytest.approx(np.sqrt(40 * exact.var(ddof=1)), rel=0.02)
    in_sample = np.log(np.exp(values).mean(axis=(0, 1))).sum()
    assert row["p_loo"] == pytest.approx(in_sample - exact.sum(), abs=0.05)
    assert (row["n"], row["above_threshold"], row["note"]) == (40, 0, "")
    assert row["largest_pareto_k"] < 0.5


def test_the_difference_of_two_models_is_paired() -> None:
    one, other = [-1.0, -2.0, -4.0, -3.0], [-3.0, -2.5, -7.0, -5.5]
    table = loo_table({"weibull": left_out(one), "piecewise": left_out(other)})
    # By hand: apart -2, -0.5, -3, -2.5; mean -2; squares of what is left 0, 2.25, 1, 0.25.
    row = row_of(table, "piecewise")
    assert row["difference"] == pytest.approx(-8.0)
    assert row["difference_se"] == pytest.approx(np.sqrt(4 * 3.5 / 3))
    assert row["note"] == ""
    first = row_of(table, "weibull")
    assert (first["difference"], first["difference_se"], first["note"]) == (0.0, 0.0, "")


# Units


@pytest.fixture
def mixed(files_of: Callable[..., tuple[CohortFile, ...]], invented: SimpleNamespace) -> Analysis:
    """A published cohort and a hospital."""
    (published,) = files_of(invented.east())
    some = patients(6)
    hospital = file_of("hospital", some, published.codebook)
    return analyse(Model.model_validate(SPEC), (published, hospital))


def constant(*values: float) -> Array:
    return np.broadcast_to(np.array(values), (CHAINS, DRAWS, len(values)))


def test_a_cohort_is_all_that_its_patients_and_its_numbers_say(mixed: Analysis) -> None:
    printed = (constant(-1.0, -2.0), ["east, item 4", "east, item 5"])
    curve = (constant(-4.0), ["east, item 6"])
    people = constant(-0.1, -0.2, -0.3, -0.4, -0.5, -0.6)
    groups = log_likelihood(ratios=printed, curve=curve, patients=people)
    units = leave_one_out(mixed, groups).units
    assert units["cohort"].names == ("east", "hospital")
    np.testing.assert_allclose(units["cohort"].elpd, [-7.0, -2.1])
    assert units["printed number"].names == ("east, item 4", "east, item 5", "east, item 6")
    np.testing.assert_allclose(units["printed number"].elpd, [-1.0, -2.0, -4.0])


def test_patients_of_two_cohorts_fall_to_their_own() -> None:
    analysis = analysis_of(patients(6), patients(9, first_row=100))
    people = constant(*np.where(np.arange(15) < 6, -1.0, -10.0))
    units = leave_one_out(analysis, log_likelihood(patients=people)).units
    np.testing.assert_allclose(units["cohort"].elpd, [-6.0, -90.0])
    assert units["patient"].names[5:7] == ("c0, line 12", "c1, line 100")
    np.testing.assert_allclose(units["patient"].elpd, [-1.0] * 6 + [-10.0] * 9)


def test_cohorts_are_not_left_out_where_their_patients_were_not_kept(mixed: Analysis) -> None:
    groups = log_likelihood(ratios=(noise(2), ["east, item 4", "east, item 5"]))
    fit = leave_one_out(mixed, groups)
    assert set(fit.units) == {"printed number"}
    assert influential(mixed, fit).empty
    assert loo_table({"main": fit})["unit"].tolist() == ["printed number"]


def test_no_cohort_is_left_out_beside_a_page_whose_numbers_do_not_add_up(mixed: Analysis) -> None:
    page = (constant(-1.0, -2.0), ["east, item 4, log_ratio", "east, item 5, median"])
    units = leave_one_out(mixed, log_likelihood(page=page, patients=constant(*[-0.1] * 6))).units
    assert set(units) == {"patient", "printed number"}
    np.testing.assert_allclose(units["printed number"].elpd, [-1.0, -2.0])


def test_groups_of_a_sites_table_are_units_of_their_own(mixed: Analysis) -> None:
    people = constant(-0.1, -0.2, -0.3, -0.4, -0.5, -0.6)
    cells = (constant(-8.0, -9.0), ["east, group 1", "east, group 2"])
    units = leave_one_out(mixed, log_likelihood(cells=cells, patients=people)).units
    assert set(units) == {"patient", "group of patients", "cohort"}
    np.testing.assert_allclose(units["group of patients"].elpd, [-8.0, -9.0])
    np.testing.assert_allclose(units["cohort"].elpd, [-17.0, -2.1])


# What is said


def test_other_data_have_no_difference() -> None:
    printed = {"kind": "printed number"}
    fits = {
        "main": left_out([-1.0, -2.0], **printed),
        "literal": left_out([-1.0, -3.0], readings=("literal",), **printed),
        "fewer": left_out([-1.0], **printed),
    }
    table = loo_table(fits)
    for name in ("literal", "fewer"):
        row = row_of(table, name, "printed number")
        assert np.isnan(row["difference"])
        assert np.isnan(row["difference_se"])
        assert row["note"] == "not the first model's data: no difference"
    assert np.isnan(row_of(table, "fewer", "printed number")["se"])


def test_other_readings_of_papers_leave_patients_the_same() -> None:
    fits = {"main": left_out([-1.0, -9.0]), "read": left_out([-1.0, -2.0], readings=("x",))}
    assert row_of(loo_table(fits), "read")["difference"] == 7.0


@pytest.mark.parametrize("largest", [0.71, 1.3, inf, np.nan])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cohort", "leaving a whole institution out by importance sampling fails here (1 of 2, k"),
        ("patient", "leaving out 1 of 2 patients by importance sampling fails (k"),
        ("printed number", "leaving out 1 of 2 printed numbers by importance sampling fails (k"),
    ],
)
def test_an_unreliable_number_says_so(kind: str, said: str, largest: float) -> None:
    row = row_of(loo_table({"m": left_out([-1.0, -2.0], [0.1, largest], kind)}), "m", kind)
    assert row["note"].startswith(said)
    assert row["note"].endswith("read it with care")
    assert row["above_threshold"] == 1
    assert row["largest_pareto_k"] == (inf if np.isnan(largest) else largest)


def test_rows_of_one_kind_stand_together_in_the_models_order() -> None:
    groups = log_likelihood(patients=noise(15))
    analysis = analysis_of(patients(6), patients(9))
    fits = dict.fromkeys(["weibull", "piecewise"], leave_one_out(analysis, groups))
    table = loo_table(fits)
    assert list(zip(table["unit"], table["model"], strict=True)) == [
        ("patient", "weibull"),
        ("patient", "piecewise"),
        ("cohort", "weibull"),
        ("cohort", "piecewise"),
    ]
    assert tuple(loo_table({}).columns) == tuple(table.columns)


# Influential patients


def heavy(shape: float, seed: int = 3) -> Array:
    """Log likelihoods whose importance weights have a Pareto tail of this shape; (chain, draw)."""
    return -shape * np.random.default_rng(seed).standard_exponential((CHAINS, DRAWS))


def test_influential_patients_are_told_by_cohort_and_line() -> None:
    analysis = analysis_of(patients(6), patients(9, first_row=101))
    values = noise(15)
    values[..., 4] = heavy(0.9)
    values[..., 8] = heavy(1.3)
    table = influential(analysis, leave_one_out(analysis, log_likelihood(patients=values)))
    assert table["cohort"].tolist() == ["c1", "c0"]
    assert table["row"].tolist() == [105, 10]
    # 190 draws in the tail estimate the shape to about (1 + k) / sqrt(190) = 0.16.
    assert table["pareto_k"].tolist() == pytest.approx([1.3, 0.9], abs=0.3)


def test_what_is_known_of_single_patients_is_in_no_table_and_no_text() -> None:
    analysis, values, _ = normal_mean(10.0)
    fit = leave_one_out(analysis, log_likelihood(patients=values))
    assert len(loo_table({"main": fit})) == 1
    own = fit.units["patient"].elpd
    for shown in (loo_table({"main": fit}).to_csv(), repr(fit)):
        assert not [value for value in own if f"{value:.6g}" in shown]
