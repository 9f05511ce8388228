"""A kind of patient: every number by a second road, from what the run folder tells alone."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes import store
from netlm_bayes.cli.runs import profile_given
from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, RunError
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.pipeline.fitted import Fit, read
from netlm_bayes.pipeline.predict import prediction_folder, prediction_lines
from netlm_bayes.posterior.description import description_of, rounded_counts
from netlm_bayes.posterior.estimates import subgroup_response, subgroup_survival
from netlm_bayes.posterior.population import populations
from netlm_bayes.posterior.profile import Predicted, predict_profile, profile_of
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.posterior.summary import Quantity
from netlm_bayes.published.cohort import PatientCohort
from netlm_bayes.report.labels import labels_of
from netlm_bayes.sampling.gate import Accepted, Check

type Array = NDArray[np.float64]
type Key = tuple[str, str, str, float]

SHAPE = (4, 1000)
SEED = 7
CLOSE = 1e-9
CHECKS = (Check("invented", 0.0, 1.0, True),)
ASSOCIATED = [{"covariates": ["size", "spread"], "log_odds_ratio": 1.5}]
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "size": {"label": "Size", "levels": ["small", "large"], "reference": "small"},
            "spread": {"label": "Spread", "levels": ["no", "yes"], "reference": "no"},
            "age": {"label": "Age", "unit": "years"},
        },
    }
)


# Analyses and draws to order


def drawn(analysis: Analysis, shape: tuple[int, int] = SHAPE) -> Accepted:
    """Draws that all differ, of every parameter that the analysis has."""
    rng, spec, patterns = np.random.default_rng(3), analysis.spec, analysis.patterns
    survival, cohorts = spec.outcome == "survival", len(analysis.cohorts)
    piecewise = survival and spec.baseline == "piecewise"
    own = [-2.9 if piecewise else -0.4, *([0.1] if survival and not piecewise else [])]
    centre = own + [0.4] * len(patterns.effects)
    borrowing = sum(bool(cohort.margin_log_sd.any()) for cohort in analysis.cohorts)
    change = spec.change.covariates if spec.change else ()
    changing = sum(name in change for name, _ in patterns.effects)
    normal = {
        "theta": (centre, 0.3, (cohorts, len(centre))),
        "mu": (centre, 0.2, (len(centre),)),
        "tau": (0.3, 0.02, (len(own) + len(patterns.names),)),
        "hazard_share": (0.7, 0.05, (len(analysis.endpoints) - 1,)),
        "margin_tilt": (0.0, 1.0, (borrowing, len(patterns.covariates))),
        "log_hazard_step": (0.0, 0.2, (len(spec.cuts) + 1,)),
        "effect_change": (0.5, 0.2, (changing,)),
    }
    if cohorts == 1 or spec.pooling == "none":
        del normal["mu"], normal["tau"]
    tree = xr.Dataset(
        {
            name: (
                ["chain", "draw", *(f"{name}_{place}" for place in range(len(size)))],
                rng.normal(mean, sd, (*shape, *size)),
            )
            for name, (mean, sd, size) in normal.items()
            if all(size)
        }
    )
    return Accepted(xr.DataTree.from_dict({"posterior": tree}), CHECKS)


def hospital(n: int, seed: int, **constant: int) -> Patients:
    """Patients at random; what is `constant` all have alike, -1 for missing."""
    rng = np.random.default_rng(seed)
    time = rng.uniform(1, 30, n)
    codes = {
        name: np.full(n, constant[name]) if name in constant else rng.integers(0, 2, n)
        for name in ("size", "spread")
    }
    return Patients(
        row=np.arange(n),
        entry=np.zeros(n),
        lower=time,
        upper=np.where(rng.uniform(size=n) < 0.7, time, math.inf),
        response=rng.integers(0, 4, n),
        levels=codes,
        values={"age": rng.normal(60, 10, n)},
    )


def of_patients(*hospitals: Patients, **choices: Any) -> Analysis:
    """Analysis of hospitals' patients."""
    values = {"name": "m", "outcome": "survival", "covariates": ["size", "spread"], **choices}
    if values["outcome"] == "survival":
        values["anchor"] = 12
    files = []
    for place, some in enumerate(hospitals):
        name, layout = f"h{place}", Layout(file="patients.csv")
        cohort = PatientCohort(id=name, label=name, source="invented", n=some.n, patients=layout)
        files.append(CohortFile(cohort, CODEBOOK, name, {}, patients=some))
    return analyse(Model.model_validate(values), files)


def predicted(analysis: Analysis, *settings: str) -> Predicted:
    """Predict from what a manifest would tell, and from nothing else."""
    described = json.loads(json.dumps(description_of(analysis), allow_nan=False))
    profile = profile_of(dict(setting.split("=", 1) for setting in settings), described)
    return predict_profile(profile, described, analysis.spec, drawn(analysis), SEED)


def by_key(quantities: Sequence[Quantity]) -> dict[Key, Array]:
    """Draws by population, endpoint, estimand and horizon; 0 stands for none."""
    return {
        (q.row.cohort, q.row.endpoint, q.row.estimand, np.nan_to_num(q.row.horizon)): q.draws
        for q in quantities
    }


def estimated(analysis: Analysis, subgroup: str, levels: Mapping[str, Sequence[str]]):
    """What the run itself estimates of a subgroup, by its evidence."""
    found: list[Quantity] = []
    for population in populations(drawn(analysis), analysis, SEED):
        within = subgroups_within(population, {subgroup: levels})
        if analysis.spec.outcome == "response":
            found += subgroup_response(population, within)
            continue
        for endpoint in analysis.endpoints:
            found += subgroup_survival(population, endpoint, within, analysis.spec.horizon_months)
    return found


def assert_alike(found: Sequence[Quantity], wanted: Sequence[Quantity], rtol: float = CLOSE):
    one, other = by_key(found), by_key(wanted)
    assert list(one) == list(other)
    for key, draws in other.items():
        np.testing.assert_allclose(one[key], draws, rtol=rtol, atol=1e-12, err_msg=str(key))


def flat(analysis: Analysis, name: str) -> Array:
    values = drawn(analysis).tree["posterior"][name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


@pytest.fixture
def both(
    analysis_of: Callable[..., Analysis], invented: SimpleNamespace
) -> Callable[..., Analysis]:
    """Analysis of the two invented cohorts, of which one borrows a margin."""

    def meet(**choices: Any) -> Analysis:
        survival = choices.get("outcome", "survival") == "survival"
        horizons = {"horizons": [6, 12, 24]} if survival else {}
        found = analysis_of(invented.east(), invented.west(), **horizons, **choices)
        # As if both spoke of everything: what is silent has tests of its own.
        speaking = [replace(x, silent=(), measured=found.endpoints) for x in found.cohorts]
        return replace(found, cohorts=tuple(speaking))

    return meet


# Two roads


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"baseline": "piecewise", "cuts": [4, 10]},
        {"association": ASSOCIATED},
        {"pooling": "none"},
        {"outcome": "response"},
    ],
)
def test_a_covariate_alone_is_predicted_as_its_subgroup_was_estimated(both, choices):
    analysis = both(**choices)
    wanted = estimated(analysis, "size: large", {"size": ("large",)})
    found = predicted(analysis, "size=large")
    assert_alike(found.quantities, wanted)
    assert {quantity.row.subgroup for quantity in found.quantities} == {"size: large"}


def test_a_profile_is_predicted_in_every_cohort_the_pool_and_the_next_institution(both):
    quantities = predicted(both(), "size=huge").quantities
    names = dict.fromkeys(quantity.row.cohort for quantity in quantities)
    assert list(names) == ["east", "west", "pooled", "next institution"]
    assert {quantity.row.endpoint for quantity in quantities} == {"pfs", "local"}


def test_a_full_profile_is_the_closed_form_of_weibull(both):
    analysis = both()
    found = by_key(predicted(analysis, "spread=yes", "size=large").quantities)
    effects = analysis.patterns.effects
    columns = [2 + effects.index(x) for x in (("size", "large"), ("spread", "yes"))]
    for place, cohort in enumerate(["east", "west"]):
        theta = flat(analysis, "theta")[:, place]
        log_hazard, shape = theta[:, 0] + theta[:, columns].sum(axis=1), np.exp(theta[:, 1])
        later = log_hazard + np.log(flat(analysis, "hazard_share")[:, 0])
        for endpoint, level in (("pfs", log_hazard), ("local", later)):
            survival = np.exp(-np.exp(level) * 0.5**shape)
            median = 12 * (np.log(2) / np.exp(level)) ** (1 / shape)
            key = (cohort, endpoint)
            np.testing.assert_allclose(found[*key, "survival", 6.0], survival, rtol=CLOSE)
            np.testing.assert_allclose(found[*key, "median", 0.0], median, rtol=CLOSE)


def test_a_full_profile_is_the_closed_form_of_a_piecewise_curve(both):
    analysis = both(baseline="piecewise", cuts=[4.0, 10.0])
    found = by_key(predicted(analysis, "spread=yes", "size=small").quantities)
    mu, steps = flat(analysis, "mu"), flat(analysis, "log_hazard_step")
    effect = mu[:, 1 + analysis.patterns.effects.index(("spread", "yes"))]
    rates = np.exp(mu[:, :1] + effect[:, None] + steps)
    survival = np.exp(-(rates @ np.array([4.0, 6.0, 2.0])))
    np.testing.assert_allclose(found["pooled", "pfs", "survival", 12.0], survival, rtol=CLOSE)


def test_a_full_profiles_response_is_the_closed_form(both):
    analysis = both(outcome="response")
    found = by_key(predicted(analysis, "size=huge", "spread=yes").quantities)
    theta, effects = flat(analysis, "theta"), analysis.patterns.effects
    columns = [0, *(1 + effects.index(x) for x in (("size", "huge"), ("spread", "yes")))]
    for place, cohort in enumerate(["east", "west"]):
        wanted = expit(theta[:, place][:, columns].sum(axis=1))
        key = (cohort, "response", "response_probability", 0.0)
        np.testing.assert_allclose(found[key], wanted, rtol=CLOSE)


def test_curves_start_at_one_and_meet_the_milestones(both):
    found = predicted(both(), "spread=yes")
    curves, rows = by_key(found.curves), by_key(found.quantities)
    assert len(curves) == 4 * 2 * 25
    for cohort in ("east", "pooled", "next institution"):
        np.testing.assert_allclose(curves[cohort, "pfs", "survival", 0.0], 1, rtol=1e-12)
        for month in (6.0, 12.0, 24.0):
            key = (cohort, "pfs", "survival", month)
            np.testing.assert_array_equal(curves[key], rows[key])


# Patients


def test_effects_that_change_are_followed():
    analysis = of_patients(hospital(80, 1), change={"covariates": ["size"], "months": 6})
    found = by_key(predicted(analysis, "size=large", "spread=no").quantities)
    theta, change = flat(analysis, "theta")[:, 0], flat(analysis, "effect_change")[:, 0]
    early = np.exp(theta[:, 0]) * 0.5 ** np.exp(theta[:, 1])
    late = np.exp(theta[:, 0]) - early
    from_average = 1 - analysis.spec.centre["size"]["large"]
    hazard = (early + late * np.exp(change * from_average)) * np.exp(theta[:, 2])
    survival = found["h0", "survival", "survival", 12.0]
    np.testing.assert_allclose(survival, np.exp(-hazard), rtol=CLOSE)


def test_independent_patients_in_round_numbers_are_averaged_as_they_were():
    some = hospital(100, 1)
    codes = {"size": np.repeat([0, 1], 50), "spread": np.tile([0, 0, 0, 1, 1], 20)}
    some = Patients(**{**vars(some), "levels": codes})
    analysis = of_patients(some)
    found = predicted(analysis, "size=large")
    assert_alike(found.quantities, estimated(analysis, "large", {"size": ("large",)}))


def test_counts_of_patients_are_told_to_the_nearest_five():
    counts = np.arange(60)
    told = rounded_counts(counts)
    assert (told[counts > 0] >= 5).all()
    assert told[0] == 0
    assert (told % 5 == 0).all()
    assert (np.abs(told - counts)[3:] <= 2).all()


def test_of_a_cohort_below_five_nothing_of_its_own_is_told():
    small, large = hospital(4, 1, size=1), hospital(60, 2, size=0)
    described = description_of(of_patients(large, small))
    _, told = described["cohorts"]
    assert (told["n"], told["followed_to"]) == (5, None)
    assert told["shares"]["size"] == {"small": 60 / 65, "large": 5 / 65}
    assert described["n"] == 65


def test_a_continuous_covariate_is_taken_at_its_number():
    analysis = of_patients(hospital(80, 1), covariates=["spread", "age"])
    found = predicted(analysis, "age=75", "spread=yes")
    theta, scale = flat(analysis, "theta")[:, 0], analysis.scales["age"]
    level = theta[:, 0] + theta[:, 2] + theta[:, 3] * (75 - scale.mean) / scale.sd
    survival = by_key(found.quantities)["h0", "survival", "survival", 12.0]
    np.testing.assert_allclose(survival, np.exp(-np.exp(level)), rtol=CLOSE)
    assert found.parts == ("spread: yes", "age: 75 years")


def test_a_continuous_covariate_is_averaged_over_nearly_as_the_patients_are_spread():
    analysis = of_patients(hospital(400, 1), covariates=["spread", "age"])
    found = by_key(predicted(analysis, "spread=yes").quantities)
    wanted = by_key(estimated(analysis, "yes", {"spread": ("yes",)}))
    for key, draws in wanted.items():
        assert np.median(found[key]) == pytest.approx(np.median(draws), rel=0.01)


# Notes


def notes(found: Predicted, cohort: str, estimand: str = "rmst") -> str:
    return next(
        quantity.row.note
        for quantity in found.quantities
        if (quantity.row.cohort, quantity.row.estimand) == (cohort, estimand)
    )


def test_notes_say_what_is_averaged_over_and_what_is_extrapolated(both):
    found = predicted(both(), "size=large")
    basis = "averaged over spread as in the population, taken as independent"
    assert found.basis == basis
    end = "extrapolated beyond the last follow-up"
    assert notes(found, "east") == end
    assert notes(found, "west") == "length of follow-up not printed"
    assert {q.row.basis for q in (*found.quantities, *found.curves)} == {basis}
    of_east = [q.row for q in found.curves if q.row.cohort == "east"]
    assert {row.horizon for row in of_east if row.extrapolated} == {
        row.horizon for row in of_east if row.horizon > 20
    }


def test_notes_say_where_nobody_was_like_the_profile(both):
    found = predicted(both(), "spread=yes")
    nobody = "none in this cohort with spread: yes"
    assert f"{nobody}; the others speak for it" in notes(found, "west")
    assert nobody not in notes(found, "east") + notes(found, "pooled")
    alone = predicted(both(pooling="none"), "spread=yes")
    assert f"{nobody}; the prior speaks" in notes(alone, "west")
    informed = {q.row.cohort: q.row.informed for q in alone.quantities}
    assert informed == {"east": True, "west": False}


def test_nothing_is_predicted_by_a_covariate_of_which_no_evidence_speaks():
    analysis = of_patients(hospital(50, 1, size=0), hospital(40, 2, size=0))
    with pytest.raises(InputError, match="no evidence bears on size"):
        predicted(analysis, "size=large", "spread=yes")
    assert {q.row.cohort for q in predicted(analysis, "spread=yes").quantities} == {
        "h0",
        "h1",
        "pooled",
        "next institution",
    }


def test_a_cohort_that_is_silent_has_no_profile_by_what_the_other_knows():
    analysis = of_patients(hospital(50, 1), hospital(40, 2, size=0))
    assert [cohort.silent for cohort in analysis.cohorts] == [(), ("size",)]
    told = {q.row.cohort for q in predicted(analysis, "size=large").quantities}
    assert told == {"h0", "pooled", "next institution"}


# Errors


def test_every_fault_of_a_profile_is_said_at_once():
    analysis = of_patients(hospital(60, 1), covariates=["size", "spread", "age"])
    described = description_of(analysis)
    settings = [
        "sise=large",
        "spread=yess",
        "age=old",
        "large",
        "colour=red",
        "size=",
        "size=small",
    ]
    with pytest.raises(InputError) as caught:
        profile_given(settings, described)
    assert str(caught.value).splitlines() == [
        "--profile: 7 problems",
        "  must read covariate=level; got 'large'",
        "  size: is given twice: '' and 'small'",
        "  no covariate 'sise' in this model (did you mean 'size'?)",
        "  spread: no such level 'yess' (did you mean 'yes'?)",
        "  age: must be a number, in years; got 'old'",
        "  no covariate 'colour' in this model; there are size, spread, age",
        "  size: no such level ''; there are small, large",
    ]


# From a run's folder to a prediction's


def run_of(
    analysis: Analysis, folder: Path, shape: tuple[int, int] = SHAPE, **changes: Any
) -> Path:
    """Write a run as a fit does; `changes` of its details, None to leave one out."""
    accepted = drawn(analysis, shape)
    details = {
        "model": analysis.spec.model_dump(mode="json"),
        "labels": vars(labels_of(analysis)),
        "population": description_of(analysis),
        **changes,
    }
    details = {name: value for name, value in details.items() if value is not None}
    with store.run_folder(folder) as place:
        store.write_checks(place, accepted.checks)
        store.write_posterior(place, accepted.tree)
        store.write_manifest(place, store.Manifest("fit", SEED, {}, {}, details))
    return folder


def test_a_prediction_is_a_run_of_its_own_beside_the_run_it_asks(both, tmp_path):
    run = run_of(both(), tmp_path / "fit-m")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    prediction = read(run).predict(size="large")
    folder = prediction_folder(run, prediction.kind)
    assert folder == tmp_path / "predict-fit-m-size-large"
    prediction.save(folder)
    assert sorted(store.read_manifest(folder)["contents"]) == [
        "diagnostics.json",
        "figures/prediction.png",
        "figures/prediction.svg",
        "tables/prediction.csv",
        "tables/prediction_curves.csv",
    ]
    assert store.read_manifest(folder)["inputs"] == {
        name: store.digest_file(run / name) for name in ("manifest.json", "posterior.nc")
    }
    table = store.read_tables(folder)["prediction"]
    assert set(table["subgroup"]) == {"size: large"}
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_lines_say_beside_the_numbers_only_what_differs(both, tmp_path):
    prediction = read(run_of(both(), tmp_path / "run")).predict(size="large")
    lines = prediction_lines(prediction)
    assert [what for _, what, _, _ in lines[:5]] == [
        "pfs: median, months",
        "pfs: mean months event-free within the first 24",
        "pfs: event-free at 6 months",
        "pfs: event-free at 12 months",
        "pfs: event-free at 24 months",
    ]
    assert lines[2][3] == ""
    assert lines[4][3] == "extrapolated beyond the last follow-up"


def test_a_fit_that_did_not_converge_is_not_asked(both, tmp_path):
    run = run_of(both(), tmp_path / "run")
    store.write_checks(run, [*CHECKS, Check("divergences", 3.0, 0.0, False)])
    with pytest.raises(RunError) as caught:
        read(run).predict(size="large")
    assert str(caught.value) == f"{run}: did not converge (divergences); it holds no estimates"


def test_what_is_no_run_of_a_model_is_not_asked(both, tmp_path):
    with pytest.raises(RunError, match=r"is not a run \(no manifest.json\)"):
        read(tmp_path)
    run = run_of(both(), tmp_path / "audit", model=None)
    with pytest.raises(RunError, match=r"audit: is no run of a model$"):
        read(run).predict(size="large")
    run = run_of(both(), tmp_path / "older", population=None)
    with pytest.raises(RunError, match=r"does not describe its populations; make the run again$"):
        read(run).predict(size="large")
    run = run_of(both(), tmp_path / "earlier")
    store.write_tables(run, {"effects": pd.DataFrame({"contrast": ["size: large vs small"]})})
    with pytest.raises(RunError, match=r"lacks columns in effects; make the run again$"):
        read(run)


def test_a_prediction_never_takes_the_place_of_its_run(both, tmp_path):
    run = run_of(both(), tmp_path / "all" / "run")
    for out in (run, run.parent):
        with pytest.raises(RunError, match=r"holds the run that is asked; choose another --out$"):
            read(run).predict(size="large").save(out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x", "utf-8")
    with pytest.raises(RunError, match="is not empty and not a run"):
        read(run).predict(size="large").save(tmp_path / "mine")


def test_a_prediction_in_memory_shows_itself_and_is_saved_with_the_inputs_of_its_fit(
    both, tmp_path
):
    found = read(run_of(both(), tmp_path / "run"))
    fit = Fit({**found.manifest, "inputs": {"a.toml": "ab"}}, {}, found.checks, found.idata)
    prediction = fit.predict(size="large")
    html = prediction._repr_html_()
    assert "<b>size: large</b>" in html
    assert html.count("<tr>") == 1 + len(prediction.table)
    prediction.save(tmp_path / "out")
    assert store.read_manifest(tmp_path / "out")["inputs"] == {"a.toml": "ab"}


def test_a_prediction_needs_no_sampler():
    code = (
        "import sys, netlm_bayes.pipeline.predict; "
        "print([name for name in ('pymc', 'pytensor', 'nutpie') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
