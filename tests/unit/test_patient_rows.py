"""Patients laid out as rows of a likelihood: who is where, and what is known of them."""

from collections.abc import Callable, Sequence
from math import inf, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.patient_rows import (
    Missing,
    PatientRows,
    missing_levels,
    patient_order,
    patient_rows,
)
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import PatientCohort

LEVELS = {"size": ("small", "middle", "large", "huge"), "spread": ("no", "yes")}
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "size": {"label": "Size", "levels": LEVELS["size"], "reference": "middle"},
            "spread": {"label": "Spread", "levels": LEVELS["spread"], "reference": "no"},
            "age": {"label": "Age", "unit": "years"},
        },
    }
)
EXACT, CENSORED, INTERVAL = (4.0, 4.0), (5.0, inf), (3.0, 6.0)

One = tuple[tuple[float, float], int, int]


def patients(*some: One, entry: float = 0.0, age: Sequence[float] = ()) -> Patients:
    """Patients, each with the limits of a time, a size and a spread."""
    n = len(some)
    lower, upper = np.array([limits for limits, _, _ in some]).T
    size, spread = np.array([codes for _, *codes in some]).T
    return Patients(
        row=np.arange(n),
        entry=np.full(n, entry),
        lower=lower,
        upper=upper,
        response=np.arange(n) % 4,
        levels={"size": size, "spread": spread},
        values={"age": np.array(age or [60.0] * n)},
    )


def analysis_of(
    *cohorts: Patients, covariates: Sequence[str] = ("size", "spread"), **choices: Any
) -> Analysis:
    values = {"name": "m", "outcome": "survival", "covariates": covariates, **choices}
    files = []
    for place, some in enumerate(cohorts):
        name, layout = f"c{place}", Layout(file="patients.csv")
        cohort = PatientCohort(id=name, label=name, source="invented", n=some.n, patients=layout)
        files.append(CohortFile(cohort, CODEBOOK, name, "", "book", "", patients=some))
    return analyse(Model.model_validate(values), files)


def rows_of(analysis: Analysis) -> PatientRows:
    rows = patient_rows(analysis)
    assert rows is not None
    return rows


def order_of(analysis: Analysis) -> list[int]:
    rows = rows_of(analysis)
    return [int(owner) for owner in patient_order(rows, missing_levels(rows, analysis))]


def missing_of(analysis: Analysis) -> tuple[PatientRows, Missing]:
    rows = rows_of(analysis)
    missing = missing_levels(rows, analysis)
    assert missing is not None
    return rows, missing


# Rows


def test_known_events_come_first_then_censored_then_intervals() -> None:
    ends = [INTERVAL, CENSORED, EXACT, CENSORED, EXACT, INTERVAL]
    rows = rows_of(analysis_of(patients(*[(end, 0, 0) for end in ends])))
    assert rows.owner.tolist() == [2, 4, 1, 3, 0, 5]
    assert list(zip(rows.lower.tolist(), rows.upper.tolist(), strict=True)) == [
        *[EXACT] * 2,
        *[CENSORED] * 2,
        *[INTERVAL] * 2,
    ]
    assert (rows.patients, rows.exact, rows.interval) == (6, 2, 2)


def test_owners_are_counted_through_all_cohorts() -> None:
    first = patients((CENSORED, 0, 0), (EXACT, 1, 0))
    second = patients((INTERVAL, 2, 1), (EXACT, 3, 1), (CENSORED, 0, 1))
    rows = rows_of(analysis_of(first, second))
    assert rows.owner.tolist() == [1, 3, 0, 4, 2]
    assert rows.cohort.tolist() == [0, 1, 0, 1, 1]
    assert rows.codes.tolist() == [[1, 0], [3, 1], [0, 0], [0, 1], [2, 1]]


def test_every_way_to_fill_in_has_a_row_with_its_patients_times() -> None:
    some = patients((CENSORED, 0, -1), (EXACT, -1, 1), (INTERVAL, 2, 0))
    rows = rows_of(analysis_of(some))
    assert rows.owner.tolist() == [1, 1, 1, 1, 0, 0, 2]
    assert (rows.patients, rows.exact, rows.interval) == (3, 4, 1)
    assert rows.codes.tolist() == [[0, 1], [1, 1], [2, 1], [3, 1], [0, 0], [0, 1], [2, 0]]
    assert rows.filled.tolist() == [[True, False]] * 4 + [[False, True]] * 2 + [[False] * 2]
    np.testing.assert_array_equal(rows.lower, some.lower[rows.owner])
    np.testing.assert_array_equal(rows.upper, some.upper[rows.owner])


def test_the_design_is_level_against_reference_and_steps_from_the_centre() -> None:
    some = patients((EXACT, 0, 0), (EXACT, 1, 1), (EXACT, 3, 0), age=[50.0, 70.0, nan])
    analysis = analysis_of(some, covariates=("age", "size", "spread"))
    names = [level for _, level in analysis.patterns.effects]
    assert names == ["small", "large", "huge", "yes", "per 14.1 years"]
    rows, step = rows_of(analysis), 10 / np.sqrt(200)
    expected = [[1, 0, 0, 0, -step], [0, 0, 0, 1, step], [0, 0, 1, 0, 0]]
    np.testing.assert_allclose(rows.design, expected)
    assert rows.unknown.tolist() == [[False], [False], [True]]


def test_an_interval_from_before_entry_starts_with_it() -> None:
    ends = [(1.0, 6.0), (3.0, 6.0), (4.0, inf), (5.0, 5.0)]
    rows = rows_of(analysis_of(patients(*[(end, 0, 0) for end in ends], entry=2.0)))
    found = dict(zip(rows.owner.tolist(), rows.lower.tolist(), strict=True))
    assert found == {0: 2.0, 1: 3.0, 2: 4.0, 3: 5.0}
    assert rows.entry.tolist() == [2.0] * 4


def test_of_responses_every_patient_stays_in_place() -> None:
    some = patients((INTERVAL, 0, 0), (EXACT, 0, 0), ((nan, nan), 0, 0), (CENSORED, 0, 0))
    rows = rows_of(analysis_of(some, outcome="response"))
    assert rows.owner.tolist() == [0, 1, 2, 3]
    assert rows.response.tolist() == [0, 1, 2, 3]
    assert (rows.exact, rows.interval) == (0, 0)


def test_patients_without_the_outcome_are_no_owners() -> None:
    some = patients((EXACT, 0, 0), ((nan, nan), 1, 0), (EXACT, 2, 0))
    rows = rows_of(analysis_of(some))
    assert (rows.patients, rows.owner.tolist()) == (2, [0, 1])
    assert rows.codes[:, 0].tolist() == [0, 2]


def test_a_model_may_have_no_covariates() -> None:
    rows = rows_of(analysis_of(patients((EXACT, -1, 0), (CENSORED, 0, -1)), covariates=()))
    assert (rows.design.shape, rows.codes.shape) == ((2, 0), (2, 0))


# Print


def test_published_cohorts_have_no_rows_but_a_place(
    files_of: Callable[..., tuple[CohortFile, ...]], invented: SimpleNamespace
) -> None:
    published = files_of(invented.east(), invented.west())
    spec = Model.model_validate(
        {"name": "m", "outcome": "survival", "covariates": ["size", "spread"]}
    )
    alone = analyse(spec, published[:1])
    assert patient_rows(alone) is None
    cohort = PatientCohort(
        id="hospital", label="Hospital", source="invented", patients=Layout(file="patients.csv")
    )
    some = patients((EXACT, -1, 0), (CENSORED, 2, 1))
    own = CohortFile(cohort, published[0].codebook, "hospital", "", "book", "", patients=some)
    analysis = analyse(spec, (published[0], own))
    rows, missing = missing_of(analysis)
    assert rows.cohort.tolist() == [1] * 5
    assert rows.owner.tolist() == [0, 0, 0, 0, 1]
    np.testing.assert_array_equal(missing.counts["size"], [[0, 0, 0, 0], [0, 0, 1, 0]])


# Missing levels


def test_where_nothing_is_missing_there_is_nothing_to_sum() -> None:
    analysis = analysis_of(patients((EXACT, 0, 0), (INTERVAL, 1, 1)))
    assert missing_levels(rows_of(analysis), analysis) is None


def crowd(seed: int, n: int = 40) -> Patients:
    """Patients at random, some of whom miss a level."""
    rng = np.random.default_rng(seed)
    ends = [EXACT, CENSORED, INTERVAL]
    return patients(
        *[
            (ends[rng.integers(3)], int(rng.integers(-1, 4)), int(rng.integers(-1, 2)))
            for _ in range(n)
        ]
    )


@pytest.mark.parametrize("seed", range(3))
def test_each_patient_is_whole_or_a_sum_of_its_own_rows(seed: int) -> None:
    cohorts = [crowd(seed), crowd(seed + 10)]
    rows, missing = missing_of(analysis_of(*cohorts))
    codes = np.concatenate([np.column_stack(list(some.levels.values())) for some in cohorts])
    lacking = (codes < 0).any(axis=1)
    assert rows.owner[missing.whole].tolist() == np.flatnonzero(~lacking).tolist()
    fills_up = missing.several == len(rows.owner)
    sizes = [4 if size < 0 else 1 for size in codes[:, 0]]
    ways = np.array(sizes) * np.where(codes[:, 1] < 0, 2, 1)
    assert (~fills_up).sum(axis=1).tolist() == ways[lacking].tolist()
    for own, extra, patient in zip(missing.several, fills_up, np.flatnonzero(lacking), strict=True):
        assert (rows.owner[own[~extra]] == patient).all()
        assert len(set(own[~extra].tolist())) == ways[patient]


@pytest.mark.parametrize("seed", range(3))
def test_each_row_is_weighed_by_the_margins_of_what_is_filled_in(seed: int) -> None:
    cohorts = [crowd(seed), crowd(seed + 10)]
    rows, missing = missing_of(analysis_of(*cohorts))
    places = [(name, level) for name, levels in LEVELS.items() for level in range(len(levels))]
    assert missing.filled.tolist() == np.flatnonzero(rows.filled.any(axis=1)).tolist()
    for row, margins in zip(missing.filled, missing.margins, strict=True):
        expected = {
            (name, rows.codes[row, column])
            for column, name in enumerate(LEVELS)
            if rows.filled[row, column]
        }
        assert {places[place] for place in np.flatnonzero(margins)} == expected


def test_known_levels_are_counted_by_cohort_where_somebody_misses_one() -> None:
    first = patients((EXACT, 0, 0), (EXACT, -1, 1), (EXACT, 3, 1))
    second = patients((EXACT, 1, 0), (EXACT, 1, 0))
    _, missing = missing_of(analysis_of(first, second))
    assert list(missing.counts) == ["size"]
    np.testing.assert_array_equal(missing.counts["size"], [[1, 0, 0, 1], [0, 2, 0, 0]])


# The order of the graph's log likelihoods


def test_log_likelihoods_come_in_the_order_of_rows_where_nothing_is_missing() -> None:
    first = patients((INTERVAL, 0, 0), (CENSORED, 0, 0), (EXACT, 0, 0))
    second = patients((EXACT, 0, 0), ((nan, nan), 0, 0), (CENSORED, 0, 0))
    # Of the second cohort the one in the middle is left out: its last patient is the fifth of all.
    assert order_of(analysis_of(first, second)) == [2, 3, 1, 4, 0]


def test_log_likelihoods_of_those_who_miss_a_level_come_last() -> None:
    first = patients((INTERVAL, 0, 0), (CENSORED, -1, 0), (EXACT, 0, 0))
    second = patients((EXACT, 0, -1), (CENSORED, 0, 0))
    assert order_of(analysis_of(first, second)) == [0, 2, 4, 1, 3]
