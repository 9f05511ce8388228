"""A model meets its cohorts: every item has a role and a reason, nothing impossible is asked."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.assemble import analyse, under_readings
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, CohortFile, read_cohorts
from netlm_bayes.model import Model, read_model


@pytest.fixture(scope="module")
def files() -> tuple[CohortFile, ...]:
    return read_cohorts(BUNDLED_COHORTS)


def model(outcome: str = "survival", **more: Any) -> Model:
    values = {"name": "m", "outcome": outcome, "covariates": ["htb", "ki67", "bone"]} | more
    return Model.model_validate(values)


def problems(spec: Model, files: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        analyse(spec, files)
    assert refused.value.source == "model m"
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"covariates": ["htbb"]}, "covariates: no such covariate 'htbb' (did you mean 'htb'?)"),
        ({"also": ["hepatic"]}, "also: no such endpoint 'hepatic' (did you mean 'hepatic_pfs'?)"),
        ({"readings": ["mean"]}, "readings: the reading 'mean' is on record but changes no number"),
    ],
)
def test_what_nothing_given_knows_is_refused(wrong, said, files):
    (found,) = problems(model(**wrong), files)
    assert found.startswith(said)


@pytest.mark.parametrize("name", ["pfs-weibull", "response-logistic"])
def test_every_item_has_a_use_and_a_reason(name, files):
    for cohort in analyse(read_model(name), files).cohorts:
        assert [role.item for role in cohort.roles] == list(range(len(cohort.cohort.published)))
        assert all(role.reason for role in cohort.roles)
        assert {role.role for role in cohort.roles} <= {"fit", "weights", "check", "unused"}
        assert cohort.joint.sum() == pytest.approx(1)


def test_a_recovered_table_takes_the_place_of_its_odds_ratios(files):
    first = analyse(read_model("response-logistic"), files).cohorts[0]
    assert {table.covariate for table in first.tables} == {"htb", "ki67", "bone", "margin", "site"}
    assert {(sum(table.responders), sum(table.n)) for table in first.tables} == {(91, 116)}
    reasons = [first.roles[place].reason for table in first.tables for place in table.items]
    assert {reason.split(",")[0] for reason in reasons} == {"the recovered table's log odds ratio"}


def test_a_reading_turns_the_contrast_round(files):
    cohort = files[1].cohort
    index = next(i for i, x in enumerate(cohort.published) if x.kind == "hazard_ratio")
    as_read, literal = cohort.published[index], under_readings(cohort, ["literal"]).published[index]
    assert (as_read.level, as_read.versus) == ((">25%",), ("<=25%",))
    assert (literal.level, literal.versus) == (("<=25%",), (">25%",))
    assert under_readings(cohort, []) == cohort


def test_a_reading_under_which_one_number_is_given_twice_is_refused(files):
    first = files[0].cohort
    other = {"reading": "turned", "why": "a test", "level": [">50%"]}
    index = next(
        i
        for i, x in enumerate(first.published)
        if x.kind == "hazard_ratio" and x.role == "fit" and x.covariate == "htb"
    )
    values = first.published[index].model_dump()
    item = type(first.published[index]).model_validate(
        values | {"reading": "as printed", "why": "a test", "otherwise": [other]}
    )
    items = (*first.published[:index], item, *first.published[index + 1 :])
    changed = replace(files[0], cohort=first.model_copy(update={"published": items}))
    with pytest.raises(InputErrors) as refused:
        analyse(model(readings=["turned"]), [changed])
    assert "read as turned" in str(refused.value)
    assert "the same contrast of the same regression" in str(refused.value)


def test_margins_are_printed_recovered_or_borrowed_and_said(files):
    first, second = analyse(read_model("pfs-weibull"), files).cohorts
    assert "margin: margin recovered from the one table that its odds ratio allows" in first.notes
    assert not first.margin_log_sd.any()
    assert f"htb: margin borrowed from {BUNDLED_COHORTS[0]}, log sd 0.5" in second.notes
    # Four, two, two and two levels are borrowed; the two of site are printed.
    assert sorted(second.margin_log_sd) == [0.0] * 2 + [0.5] * 10


def test_a_margin_that_is_nowhere_is_any_share_alike(files):
    (cohort,) = analyse(model(covariates=["htb", "fdg"]), files[:1]).cohorts
    assert cohort.notes[-1].startswith("fdg: margin not printed: any share of a level is as likely")
    *printed, one, other = cohort.margin_log_sd
    assert not any(printed)
    assert one == other
    # The other road: the log odds of shares drawn evenly between 0 and 1.
    shares = np.random.default_rng(3).uniform(size=400_000)
    assert one == pytest.approx(np.std(np.log(shares / (1 - shares))), rel=0.01)
    assert cohort.joint.reshape(-1, 2).sum(axis=0) == pytest.approx([0.5, 0.5])
