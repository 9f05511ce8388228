"""A fit in memory: what a notebook sees, other data without compiling, and what fails."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import netlm_bayes as nb
from netlm_bayes.choices import Sampling
from netlm_bayes.pipeline import job

pytestmark = pytest.mark.sampling
VALUES = {
    "name": "small",
    "outcome": "survival",
    "covariates": ["bone", "ki67"],
    "sampling": Sampling(draws=1000, tune=400, chains=2, target_accept=0.9),
}
MODEL = nb.Model.model_validate(VALUES)


def paper(identifier: str, ratio: float) -> nb.Cohort:
    return (
        nb.Cohort(identifier, n=150)
        .hazard_ratio("bone", ratio, (ratio / 1.8, ratio * 1.8), adjusted_for=["ki67"])
        .hazard_ratio("ki67", 1.6, (0.9, 2.8), adjusted_for=["bone"])
        .median(14)
        .margin("bone", {"yes": 40})
        .margin("ki67", {">10%": 50})
    )


@pytest.fixture(scope="module")
def fit() -> nb.Fit:
    return nb.fit(MODEL, paper("smith", 2.0), seed=3)


@pytest.fixture(scope="module")
def saved(fit: nb.Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit.save(tmp_path_factory.mktemp("runs") / "smith")


def test_a_fit_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: nb.Fit) -> None:
    monkeypatch.chdir(tmp_path)
    fit.refit(paper("jones", 1.5))
    fit.predict(bone="yes")
    fit.forest()
    assert list(tmp_path.iterdir()) == []


def test_its_tables_are_tidy_and_mending_one_changes_no_other(fit: nb.Fit) -> None:
    ratios = fit.effects.query("method == 'posterior' and estimand == 'hazard_ratio'")
    assert ratios["contrast"].tolist() == ["bone: yes vs no", "ki67: >10% vs <=10%"]
    assert 1.2 < ratios["estimate"].iloc[0] < 2.0  # between no effect and the printed ratio
    assert set(fit.subgroups["subgroup"]) >= {"overall", "bone: yes", "bone: no"}
    mine = fit.effects
    mine["estimate"] = 0.0
    assert (fit.effects["estimate"] != 0).all()
    assert fit.idata["posterior"]["theta"].dims == ("chain", "draw", "cohort", "parameter")


def test_it_draws_axes(fit: nb.Fit) -> None:
    assert isinstance(fit.forest(), Axes)
    for drawn in (fit.curves(), fit.curves(by="ki67")):
        assert all(isinstance(one, Axes) for one in np.atleast_1d(drawn))
    with pytest.raises(nb.InputError, match="no curves by 'margin'; there are ki67, bone"):
        fit.curves(by="margin")


def test_a_run_read_from_its_folder_is_the_fit(fit: nb.Fit, saved: Path) -> None:
    again = nb.read(saved)
    assert set(again.tables) == set(fit.tables)
    for name in ("effects", "subgroups", "curves"):
        kept = fit.tables[name].select_dtypes("number")
        read = again.tables[name][kept.columns].to_numpy(float)
        assert np.allclose(kept.to_numpy(float), read, rtol=1e-5, equal_nan=True)
    assert np.array_equal(again.idata["posterior"]["theta"], fit.idata["posterior"]["theta"])
    prediction, before = (one.predict(bone="yes").table for one in (again, fit))
    pd.testing.assert_frame_equal(prediction, before)
    assert json.loads((saved / "manifest.json").read_text("utf-8"))["command"] == (
        "netlm_bayes.fit('small', ['smith'], seed=3)"
    )
    assert (saved / "script.py").read_text("utf-8") == fit.script
    with pytest.raises(nb.RunError, match="read from a folder cannot be refitted"):
        again.refit(paper("jones", 1.5))


def test_other_data_of_the_same_structure_are_not_compiled_again(
    fit: nb.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = nb.fit(MODEL, paper("jones", 3.0), seed=5)
    monkeypatch.setattr(job, "compile_model", lambda *_: pytest.fail("compiled again"))
    again = fit.refit(paper("jones", 3.0), seed=5)
    assert repr(again) == "<Fit of small to jones>"
    pd.testing.assert_frame_equal(again.effects, fresh.effects)
    assert again.idata["posterior"]["cohort"].to_numpy().tolist() == ["jones"]
    assert np.array_equal(again.idata["posterior"]["theta"], fresh.idata["posterior"]["theta"])


def test_a_pool_of_paper_and_patients_in_memory(fit: nb.Fit) -> None:
    patients = nb.simulate(fit, n=120, seed=2).frame
    assert set(patients["synthetic"]) == {"yes"}
    found = nb.pool(MODEL, [paper("smith", 2.0), patients], seed=1)
    assert {"pooled", "next institution", "smith"} <= set(found.effects["cohort"])
    assert {"heterogeneity", "leave_one_source_out", "fragility"} <= set(found.tables)
    assert found.manifest["details"]["synthetic"] == ["synthetic/patients-2"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"draws": 3}, "sampling: 1 problem\n  draws: must be at least 50; got 3"),
        ({"scenario": "literal"}, "no such scenario 'literal'"),
        ({"selection": 0.05}, "--selection: 1 problem\n  needs patients"),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, object], what: str) -> None:
    with pytest.raises(nb.InputError) as caught:
        nb.fit(MODEL, paper("smith", 2.0), **options)  # type: ignore[arg-type]
    assert what in str(caught.value)


def test_what_did_not_converge_raises_with_its_draws_and_says_what_to_try() -> None:
    with pytest.raises(nb.NotConvergedError) as caught:
        nb.fit(MODEL, paper("smith", 2.0), draws=50, tune=50)
    assert caught.value.draws is not None
    assert caught.value.draws["posterior"].sizes["draw"] == 100
    assert any(not check.passed for check in caught.value.checks)
    assert "\n  try more draws and longer tuning (--draws, --tune; draws=, tune=)" in str(
        caught.value
    )


def test_a_table_to_share_comes_from_patients_in_memory(fit: nb.Fit, tmp_path: Path) -> None:
    patients = nb.simulate(fit, n=200, seed=4).frame
    made = nb.share(patients, model=MODEL)
    place = made.save(tmp_path / "site.json")
    (file,) = nb.read_cohorts(place)
    assert file.cohort.n == 200
    assert made.notes


def test_a_page_and_a_manuscripts_tables_are_written_where_they_are_asked_for(
    fit: nb.Fit, tmp_path: Path
) -> None:
    page = fit.report(tmp_path / "smith.html")
    assert "bone: yes vs no" in page.read_text("utf-8")
    assert fit.export(tmp_path / "smith.xlsx").read_bytes().startswith(b"PK")
    with pytest.raises(nb.RunError, match="exists"):
        fit.report(page)
    with pytest.raises(nb.InputError, match=r"must end in \.xlsx, \.docx, \.tex; got 'a.pdf'"):
        fit.export(tmp_path / "a.pdf")
