"""Other priors and scenarios: one that does not converge is left out, and takes nothing with it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xarray as xr

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import read_model
from netlm_bayes.pipeline import sensitivity
from netlm_bayes.pipeline.job import Job
from netlm_bayes.results import table
from netlm_bayes.sampling.gate import Check, NotConvergedError
from netlm_bayes.store import read_tables

MODEL = "response-logistic"
RESULTS = Path(__file__).parents[2] / "results" / "published" / MODEL
BAD = (Check("divergences", 7.0, 0.0, False),)


def test_what_does_not_converge_is_said_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_model(MODEL)
    files, said = read_cohorts(BUNDLED_COHORTS), []
    empty = SimpleNamespace(tree=xr.DataTree.from_dict({"log_likelihood": xr.Dataset()}))
    fine: Any = SimpleNamespace(made=(), accepted=empty)
    main: Any = SimpleNamespace(made=SimpleNamespace(effects=()), accepted=empty)

    def refit(_job: Job, _graph: object, analysis: Analysis) -> Any:
        vague = spec.scenario("vague").prior("effect").sigma
        if (
            analysis.spec.prior("effect").sigma == vague
            or analysis.source_weights.get(files[1].cohort.id) == 0
        ):
            raise NotConvergedError(BAD)
        return fine

    monkeypatch.setattr(sensitivity, "refit", refit)
    graph: Any = SimpleNamespace(structure=SimpleNamespace(pooling="partial"))
    job = Job(spec, files, 1, {}, said.append)
    tables = {**read_tables(RESULTS), "conflict": table("conflict", [])}
    found = sensitivity.sensitivity_of(job, graph, analyse(spec, files), main, tables)
    assert [check.name for check in found.left_out] == [
        "scenario vague: divergences",
        f"without {files[1].cohort.id}: divergences",
    ]
    assert any("scenario vague left out: the sampler did not converge" in line for line in said)
    assert set(found.tables) == {
        "pooled",
        "heterogeneity",
        "scenarios",
        "leave_one_source_out",
        "fragility",
        "fragility_words",
    }
    # The main posterior stays; the others' stand-ins estimate nothing.
    assert set(found.tables["scenarios"]["scenario"]) == {"main"}
    assert set(found.tables["heterogeneity"]["heterogeneity_scale"]) == {0.5}
    assert set(found.tables["leave_one_source_out"]["left_out"]) == {"main"}
    assert set(found.tables["fragility"]["changed"]) == {"nothing"}
