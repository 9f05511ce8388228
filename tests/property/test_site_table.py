"""Whatever patients a site has: nobody is lost, nobody stands out, and the file reads back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import InputError
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import MISSING, RESPONDED, Patients
from netlm_bayes.published.cohort import PatientCohort
from netlm_bayes.sites.exchange import as_json, read_site_table
from netlm_bayes.sites.information import Choice, Made
from netlm_bayes.sites.make import site_table
from netlm_bayes.sites.table import Groups, SiteTable

CODEBOOK: Codebook = read_codebook(BUNDLED, Path())
NAMES = ("htb", "ki67", "bone")
SIZES = {name: len(CODEBOOK.covariates[name].levels) for name in NAMES}


@st.composite
def patients_of_a_site(draw: Any) -> Patients:
    """Up to 60 patients, with gaps, some entered late, at times that may be at a cut."""
    n = draw(st.integers(1, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    gaps, untimed, silent = (draw(st.sampled_from([0.0, 0.1, 0.6])) for _ in range(3))
    rng = np.random.default_rng(seed)
    days = draw(st.booleans())
    time = rng.integers(1, 1500, n) / 30.4375 if days else rng.choice([3.0, 6.0, 12.0, 47.9], n)
    late = rng.random(n) < draw(st.sampled_from([0.0, 0.5]))
    unknown = rng.random(n) < untimed
    event = rng.random(n) < draw(st.sampled_from([0.0, 0.6, 1.0]))
    skew = {name: rng.dirichlet(np.full(size, 0.7)) for name, size in SIZES.items()}
    levels = {
        name: np.where(rng.random(n) < gaps, MISSING, rng.choice(size, n, p=skew[name]))
        for name, size in SIZES.items()
    }
    return Patients(
        row=np.arange(n) + 2,
        entry=np.where(late & ~unknown, time / 2, 0.0),
        lower=np.where(unknown, np.nan, time),
        upper=np.where(unknown, np.nan, np.where(event, time, np.inf)),
        response=np.where(rng.random(n) < silent, MISSING, rng.integers(0, 4, n)),
        levels=levels,
        values={},
        synthetic=draw(st.booleans()),
    )


choices = st.builds(
    Choice,
    covariates=st.permutations(NAMES).flatmap(
        lambda names: st.integers(0, 3).map(lambda many: tuple(names[:many]))
    ),
    ordered=st.booleans(),
    minimum=st.integers(1, 8),
    weibull=st.booleans(),
)


def table_of(patients: Patients, choice: Choice) -> Made | None:
    """The table, or nothing where there are too few for one."""
    known = {"survival": patients.timed, "response": patients.response != MISSING}
    enough = any(who.sum() >= 2 * choice.minimum for who in known.values())
    if enough:
        return site_table(patients, CODEBOOK, choice, "site")
    with pytest.raises(InputError, match="must be at least"):
        site_table(patients, CODEBOOK, choice, "site")
    return None


def in_table(patients: Patients, made: Made, choice: Choice) -> Patients:
    """Without those left out for a gap, who must be few."""
    if made.left_out is None:
        return patients
    gap = np.any([patients.levels[name] == MISSING for name in choice.covariates], axis=0)
    known = np.zeros(patients.n, bool)
    if made.table.survival:
        known |= patients.timed
    if made.table.response:
        known |= patients.response != MISSING
    assert 0 < made.left_out.patients == (gap & known).sum() < choice.minimum
    return patients.take(~gap)


def cohort_of(patients: Patients) -> PatientCohort:
    return PatientCohort(
        id="site", label="Sïte", n=patients.n, source="x", patients=Layout(file="site.csv")
    )


def same_groups(one: Groups, other: Groups) -> None:
    np.testing.assert_array_equal(one.patients, other.patients)
    assert list(one.levels) == list(other.levels)
    for name in one.levels:
        np.testing.assert_array_equal(one.levels[name], other.levels[name])


def same(one: SiteTable, other: SiteTable) -> None:
    """Identical, to the last digit."""
    assert (one.smallest, one.followed_months, one.synthetic) == (
        other.smallest,
        other.followed_months,
        other.synthetic,
    )
    assert (one.survival is None) == (other.survival is None)
    assert (one.response is None) == (other.response is None)
    if one.survival and other.survival:
        same_groups(one.survival.groups, other.survival.groups)
        a, b = one.survival.cells, other.survival.cells
        assert a.cuts == b.cuts
        for name in ("events", "months", "log_month", "scale_months", "power"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    if one.response and other.response:
        same_groups(one.response.groups, other.response.groups)
        np.testing.assert_array_equal(one.response.responders, other.response.responders)


@given(patients_of_a_site(), choices)
@settings(max_examples=150)
def test_a_table_reads_back_identical(patients: Patients, choice: Choice) -> None:
    made = table_of(patients, choice)
    if made is None:
        return
    data = as_json(made.table, cohort_of(patients), CODEBOOK)
    cohort, back, codebook = read_site_table(data, "site.json", Path())
    same(made.table, back)
    assert (cohort.id, cohort.label, cohort.n) == ("site", "Sïte", patients.n)
    assert codebook == CODEBOOK
    assert as_json(back, cohort, codebook) == data


@given(patients_of_a_site(), choices)
@settings(max_examples=150)
def test_joining_keeps_every_total_and_no_group_is_small(
    patients: Patients, choice: Choice
) -> None:
    made = table_of(patients, choice)
    if made is None:
        return
    patients = in_table(patients, made, choice)
    timed = patients.take(patients.timed)
    if made.table.survival:
        groups, cells = made.table.survival.groups, made.table.survival.cells
        assert groups.patients.sum() == timed.n
        assert groups.patients.min() >= choice.minimum
        assert cells.events.sum() == timed.exact.sum()
        assert cells.months.sum() == pytest.approx((timed.lower - timed.entry).sum())
        if choice.weibull:
            assert cells.log_month.sum() == pytest.approx(np.log(timed.lower[timed.exact]).sum())
            squares = (timed.lower**2 - timed.entry**2).sum() / cells.scale_months**2
            assert _at(cells.power.sum(axis=0), 2.0) == pytest.approx(squares, rel=1e-9)
        else:
            assert cells.power.size == 0
            assert np.isnan(cells.log_month).all()
    if made.table.response:
        response = made.table.response
        known = patients.response[patients.response != MISSING]
        assert response.groups.patients.sum() == len(known)
        assert response.groups.patients.min() >= choice.minimum
        assert response.responders.sum() == (known >= RESPONDED).sum()


def _at(power: np.ndarray, shape: float) -> float:
    """Value at a shape of the polynomial through powers, by Lagrange and not by Chebyshev."""
    from scipy.interpolate import BarycentricInterpolator

    from netlm_bayes.sites.table import shape_nodes

    return float(BarycentricInterpolator(np.log(shape_nodes()), power)(np.log(shape)))


@given(patients_of_a_site(), choices)
@settings(max_examples=100)
def test_every_patient_is_in_a_group_that_may_be_theirs(patients: Patients, choice: Choice) -> None:
    """Each group holds no more patients than there are with levels among those it names."""
    made = table_of(patients, choice)
    if made is None:
        return
    patients = in_table(patients, made, choice)
    for table, known in (
        (made.table.survival, patients.timed),
        (made.table.response, patients.response != MISSING),
    ):
        if table is None:
            continue
        fits = np.ones((patients.n, len(table.groups.patients)), bool)
        for name, possible in table.groups.levels.items():
            codes = patients.levels[name]
            fits &= np.where(codes[:, None] == MISSING, possible.all(axis=1), possible.T[codes])
        fits = fits[known]
        assert fits.any(axis=1).all()
        assert _matching(fits, table.groups.patients) == known.sum()


def _matching(fits: np.ndarray, size: np.ndarray) -> int:
    """Most patients that can be seated in groups of given sizes that fit them."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    seats = np.repeat(fits, size, axis=1)
    return int((maximum_bipartite_matching(csr_array(seats), perm_type="column") >= 0).sum())


@given(patients_of_a_site(), choices)
@settings(max_examples=60)
def test_both_outcomes_have_the_same_groups_and_intervals_enough_leaving(
    patients: Patients, choice: Choice
) -> None:
    made = table_of(patients, choice)
    if made is None:
        return
    if made.table.survival and made.table.response:
        one, two = made.table.survival.groups.levels, made.table.response.groups.levels
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    if made.table.survival:
        patients = in_table(patients, made, choice)
        cuts = made.table.survival.cells.cuts
        leaving = np.bincount(
            np.searchsorted(cuts, patients.lower[patients.timed]), minlength=len(cuts) + 1
        )
        assert leaving.min() >= choice.minimum
        assert set(cuts) | set(made.joined_at) == set(choice.cuts)
        assert all(0 <= share <= 1 for share in made.kept["survival"].values())
