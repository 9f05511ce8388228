"""What evidence bears on: ratios that a cohort informs, that it borrows, and that nothing does."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.invented import book
from tests.reference.patients.graphs import cohort_file
from tests.reference.patients.test_site_table import site_table

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.evidence.support import contrast_of
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.posterior.effects import effects
from netlm_bayes.posterior.estimates import estimate
from netlm_bayes.posterior.population import populations
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.published.cohort import Cohort as PublishedCohort

type Array = NDArray[np.float64]
BOOK = book(None, arm="old new", grade="low middle high", age="(years)")
N = 60
MARGINS = {"arm": {"old": 30, "new": 30}, "grade": {"low": 20, "middle": 25, "high": 15}}
OWN, BORROWED, NOTHING = (True, False), (True, True), (False, False)


def paper(name: str, codebook: Codebook = BOOK) -> Cohort:
    """A cohort with its margins, and nothing else."""
    cohort = Cohort(name, n=N, codebook=codebook)
    for covariate, counts in MARGINS.items():
        cohort = cohort.margin(covariate, counts)
    return cohort


def arm_ratio(cohort: Cohort) -> Cohort:
    """The same, with its arms compared."""
    ends = (0.45, 1.1)
    return cohort.hazard_ratio("arm", 0.7, ends, level="new", versus="old", adjusted_for=["grade"])


def patients(levels: Mapping[str, Array | Sequence[int]], age: Array | None = None) -> Patients:
    """Patients with these levels, half of them with an event."""
    lower = np.linspace(1, 40, N)
    upper = np.where(np.arange(N) % 2, lower, np.inf)
    codes = {name: np.array(codes) for name, codes in levels.items()}
    values = {} if age is None else {"age": age}
    return Patients(np.arange(N), np.zeros(N), lower, upper, np.arange(N) % 4, codes, values)


def met(*files: CohortFile | Cohort, **choices: object) -> Analysis:
    """A model of arm and grade, or of what it chooses, with its cohorts."""
    spec = {"name": "m", "outcome": "survival", "covariates": ["arm", "grade"], **choices}
    read = [file for one in files for file in _read(one)]
    return analyse(Model.model_validate(spec), read)


def _read(one: CohortFile | Cohort) -> Sequence[CohortFile]:
    return [one] if isinstance(one, CohortFile) else read_cohorts([one])


def informed(analysis: Analysis, name: str, level: str, versus: str = "", place: int = 0) -> bool:
    """Whether a cohort informs a contrast of two levels, or a step."""
    sides = (level,), (versus,) if versus else ()
    contrast = contrast_of(analysis.patterns, name, *sides)
    return analysis.informed(contrast, analysis.cohorts[place])


def marks(analysis: Analysis) -> dict[tuple[str, str], tuple[bool, bool]]:
    """Informed and borrowed of every ratio, by population and contrast, as tables have them."""
    draws = accepted_prior(analysis, 1, 400, 1)
    found = effects(analysis, populations(draws, analysis, 1), draws)
    rows = [quantity.row for quantity in found if quantity.row.covariate and quantity.row.level]
    return {(row.cohort, row.contrast): (row.informed, row.borrowed) for row in rows}


GRADES = np.arange(N) % 3


def test_of_covariates_that_always_go_together_only_the_sum_is_informed():
    arms = (GRADES == 2).astype(int)  # the new arm where the grade is high, and nowhere else
    analysis = met(cohort_file("one", patients({"arm": arms, "grade": GRADES}), BOOK))
    assert not informed(analysis, "arm", "new", "old")
    assert not informed(analysis, "grade", "high", "low")
    assert informed(analysis, "grade", "middle", "low")
    both = contrast_of(analysis.patterns, "arm", ("new",), ("old",))
    both = both + contrast_of(analysis.patterns, "grade", ("high",), ("low",))
    assert analysis.informed(both, analysis.cohorts[0])


def test_a_level_that_nobody_has_and_a_covariate_that_all_share_are_not_informed():
    levels = {"arm": np.zeros(N, dtype=int), "grade": np.arange(N) % 2}
    analysis = met(cohort_file("one", patients(levels), BOOK))
    assert analysis.cohorts[0].silent == ("arm",)
    assert informed(analysis, "grade", "middle", "low")
    assert not informed(analysis, "grade", "high", "low")
    assert marks(analysis)["one", "arm: new vs old"] == NOTHING


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("partial", BORROWED), ("none", NOTHING), ("complete", OWN)],
)
def test_what_one_of_two_papers_prints_the_other_borrows_where_they_pool(pooling, expected):
    one, other = arm_ratio(paper("one").median(9)), paper("other").median(14)
    analysis = met(one, other, pooling=pooling)
    assert [cohort.silent for cohort in analysis.cohorts] == [("grade",), ("arm", "grade")]
    found = marks(analysis)
    assert found["one", "arm: new vs old"] == OWN
    assert found["other", "arm: new vs old"] == expected
    assert found["other", "grade: high vs low"] == NOTHING
    if pooling != "none":
        assert found["pooled", "arm: new vs old"] == OWN


def test_joined_levels_are_informed_together_and_not_apart():
    joined = paper("one").hazard_ratio(
        "grade", 1.9, (1.1, 3.3), level=["middle", "high"], versus="low", adjusted_for=["arm"]
    )
    analysis = met(joined)
    both = contrast_of(analysis.patterns, "grade", ("middle", "high"), ("low",))
    assert analysis.informed(both, analysis.cohorts[0])
    assert not informed(analysis, "grade", "high", "low")
    assert not informed(analysis, "grade", "high", "middle")
    assert "grade" not in analysis.cohorts[0].silent


def test_curves_of_subgroups_inform_their_contrast_and_a_curve_of_everyone_none():
    everyone = met(paper("one").median(9).survival(24, 0.3))
    assert everyone.cohorts[0].silent == ("arm", "grade")
    assert everyone.cohorts[0].measured == (everyone.endpoints[0],)
    by_arm = paper("one").median(7, subgroup={"arm": "old"}, n=30)
    by_arm = by_arm.median(12, subgroup={"arm": "new"}, n=30)
    assert informed(met(by_arm), "arm", "new", "old")
    assert met(by_arm).cohorts[0].silent == ("grade",)


def test_a_sites_table_informs_the_covariates_that_its_groups_differ_by():
    shared = patients({"arm": np.arange(N) // 3 % 2, "grade": GRADES})
    codebook = book(None, arm="old new", grade="low middle high")
    cohort = PublishedCohort.model_construct(
        id="site", label="site", n=N, source="invented", published=()
    )
    table = site_table(shared, sizes={"arm": 2, "grade": 3})
    analysis = met(CohortFile(cohort, codebook, "site", {}, table=table))
    assert analysis.cohorts[0].silent == ()
    assert informed(analysis, "arm", "new", "old")
    assert informed(analysis, "grade", "high", "middle")


def test_a_continuous_covariate_is_informed_where_patients_differ_in_it():
    levels = {"arm": np.arange(N) % 2, "grade": GRADES}
    with_age = patients(levels, np.linspace(40, 70, N))
    unknown = patients(levels, np.full(N, np.nan))
    files = [cohort_file(name, one, BOOK) for name, one in (("a", with_age), ("b", unknown))]
    analysis = met(*files, covariates=["arm", "age"])
    (step,) = [level for name, level in analysis.patterns.effects if name == "age"]
    assert informed(analysis, "age", step, place=0)
    assert not informed(analysis, "age", step, place=1)
    found = marks(analysis)
    assert found["a", f"age: {step}"] == OWN
    assert found["b", f"age: {step}"] == BORROWED


def test_silent_covariates_have_no_subgroups_and_ratios_alone_no_survival():
    def subgroups(analysis: Analysis) -> pd.Series:
        found, _ = estimate(analysis, accepted_prior(analysis, 1, 400, 1), 1)
        rows = [quantity.row for quantity in found.subgroups]
        return pd.Series({(row.cohort, row.subgroup): 1 for row in rows}, dtype=int)

    one, other = arm_ratio(paper("one").median(9)), arm_ratio(paper("other"))
    assert set(subgroups(met(one, other, pooling="none")).index) == {
        ("one", "overall"),
        ("one", "arm: old"),
        ("one", "arm: new"),
    }
    ratios_alone = met(arm_ratio(paper("one")))
    assert ratios_alone.cohorts[0].measured == ()
    made, _ = estimate(ratios_alone, accepted_prior(ratios_alone, 1, 400, 1), 1)
    assert (made.subgroups, made.curves) == ((), ())
    assert not [quantity for quantity in made.effects if quantity.row.estimand == "shape"]


def test_nothing_missing_has_no_shape_of_its_own():
    levels = {"arm": np.arange(N) % 2, "grade": GRADES}
    missing = {**levels, "arm": np.where(np.arange(N) < 5, -1, levels["arm"])}
    shapes = [
        structure_of(met(cohort_file("one", patients(of), BOOK), covariates=["arm", "grade"]))
        for of in (levels, missing)
    ]
    assert [shape.patients and shape.patients.missing for shape in shapes] == [None, ("arm",)]


def test_patients_beside_a_paper_are_one_pattern_without_covariates():
    everyone = patients({"arm": np.arange(N) % 2, "grade": GRADES})
    analysis = met(paper("one").median(9), cohort_file("two", everyone, BOOK), covariates=[])
    for cohort in analysis.cohorts:
        assert cohort.joint.tolist() == [1.0]
        assert cohort.silent == ()
        assert cohort.measured == (analysis.endpoints[0],)
