"""A site's table in the graph: the density of its patients, where every level is told."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from tests.reference.patients.graphs import (
    CODEBOOK,
    LEVELS,
    TIMES,
    analysis_of,
    cohort_file,
    graph_of,
    model,
    table,
)

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.patients import RESPONDED, Patients
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.sites.table import Groups, ResponseTable, SiteTable, SurvivalTable, survival_cells

COVARIATES = tuple(LEVELS)
CENTRE = {name: dict.fromkeys(levels, 1 / len(levels)) for name, levels in LEVELS.items()}
ANCHOR = 6.0
CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
KINDS: dict[str, dict[str, Any]] = {
    "weibull": {"anchor": ANCHOR, "centre": CENTRE},
    "piecewise": {"baseline": "piecewise", "anchor": ANCHOR, "centre": CENTRE},
    "logistic": {"outcome": "response", "centre": CENTRE},
}


SIZES = {name: len(levels) for name, levels in LEVELS.items()}


def site_table(
    patients: Patients, joined: bool = False, sizes: Mapping[str, int] = SIZES
) -> SiteTable:
    """Table of a site's patients by pattern; the first two patterns may be joined."""
    codes = np.stack([patients.levels[name] for name in sizes], axis=1)
    some, group = np.unique(codes, axis=0, return_inverse=True)
    levels = {
        name: np.eye(size, dtype=bool)[some[:, column]]
        for column, (name, size) in enumerate(sizes.items())
    }
    if joined:
        group = np.maximum(group - 1, 0)
        levels = {name: np.vstack([own[:1] | own[1:2], own[2:]]) for name, own in levels.items()}
    n = int(group.max()) + 1
    groups = Groups(np.bincount(group), levels)
    responders = np.bincount(group, patients.response >= RESPONDED).astype(int)
    cells = survival_cells(patients, group, n, CUTS, float(patients.lower.max()))
    return SiteTable(SurvivalTable(groups, cells), ResponseTable(groups, responders), 1, 12.0)


def file_of(name: str, one: SiteTable) -> CohortFile:
    cohort = Cohort.model_construct(id=name, label=name, n=1, source="invented", published=())
    return CohortFile(cohort, CODEBOOK, name, {}, table=one)


def tabled(kind: str, patients: Patients, joined: bool = False) -> Analysis:
    choices = {"covariates": COVARIATES, **KINDS[kind]}
    files = [file_of("c0", site_table(patients, joined)), cohort_file("c1", patients)]
    return analyse(model(**choices), files)


@pytest.mark.parametrize("times", ["delayed entry"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_its_patients_density(kind: str, times: str) -> None:
    patients = table(TIMES[times], "nothing", 3)
    by_patient = analysis_of([patients, patients], covariates=COVARIATES, **KINDS[kind])
    plain, graph = graph_of(by_patient), graph_of(tabled(kind, patients))
    points = plain.points(3)
    for point in points:
        # The margins of print beside patients change nothing: there is none.
        expected = pytest.approx(plain.total(point), rel=0, abs=plain.rounding(point))
        assert graph.total(point) == expected


def test_patients_of_a_joined_group_progress_at_the_mean_hazard() -> None:
    patients = table(TIMES["known or censored"], "nothing", 5)
    analysis = tabled("weibull", patients, joined=True)
    graph = graph_of(analysis)
    survival = analysis.cohorts[0].table.survival  # type: ignore[union-attr]
    assert survival is not None
    share = survival.groups.members(analysis.patterns)[0]
    found = graph.at(graph.points(1)[0])
    theta = found["theta"][0]
    level = np.log(share @ np.exp(theta[0] + analysis.patterns.design @ theta[2:]))
    shape = np.exp(theta[1])
    members = np.flatnonzero(group_of(patients) < 2)
    some = patients.take(members)
    hazard = np.exp(level) * (some.lower / ANCHOR) ** shape
    log_hazard = level + theta[1] - np.log(some.lower) + shape * np.log(some.lower / ANCHOR)
    expected = (-hazard + some.exact * log_hazard).sum()
    assert found["log_lik_cells"][0] == pytest.approx(expected, rel=1e-9)


def group_of(patients: Patients) -> np.ndarray:
    codes = np.stack([patients.levels[name] for name in COVARIATES], axis=1)
    return np.asarray(np.unique(codes, axis=0, return_inverse=True)[1])


def test_a_table_that_lacks_a_cut_is_refused() -> None:
    from netlm_bayes.errors import InputErrors

    patients = table(TIMES["known or censored"], "nothing", 6)
    choices = {"covariates": COVARIATES, "baseline": "piecewise", "cuts": [6, 15]}
    with pytest.raises(InputErrors, match=r"none at 15, .* give the model cuts = \[6\]"):
        analyse(model(**choices), [file_of("c0", site_table(patients))])
