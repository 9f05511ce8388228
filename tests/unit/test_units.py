"""Units of printed times and of a model's horizons: what is refused, and where it says so."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError
from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.evidence.horizons import last_follow_up, with_horizons
from netlm_bayes.files.toml import validated
from netlm_bayes.formats import Estimate, interval, kind_of
from netlm_bayes.model import Model
from netlm_bayes.pipeline.fit import shown_tables
from netlm_bayes.posterior.estimates import estimate
from netlm_bayes.posterior.summary import tidy
from netlm_bayes.published.audit.counts import restatements
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.published.digitised.clicks import read_at_risk, read_clicks
from netlm_bayes.results import Row, in_unit, table
from netlm_bayes.units import DAYS

MEDIAN = {"kind": "median", "endpoint": "os", "source": "Table 1"}
SEX = {"label": "Sex", "levels": ["f", "m"], "reference": "f"}
BOOK = Codebook.model_validate(
    {"id": "book", "endpoints": {"os": "overall survival"}, "covariates": {"sex": SEX}}
)


def cohort(*items, **keys):
    whole = {"id": "a", "label": "A", "n": 100, "source": "s", "published": list(items), **keys}
    return validated(Cohort, whole, "a.toml", "")


def model(**keys):
    return validated(Model, {"name": "m", "outcome": "survival", "covariates": []} | keys, "m", "")


@pytest.mark.parametrize(
    ("item", "said"),
    {
        "months that are years": (
            {"months": Decimal("9.3"), "unit": "years"},
            "published[1].unit: must be 'months' beside the key 'months'; the key for other",
        ),
        "two times": (
            {"months": Decimal(9), "time": Decimal(9)},
            "published[1].time: stands beside 'months'; a time is given once",
        ),
        "no such unit": ({"time": Decimal(9), "unit": "year"}, "(did you mean 'years'?)"),
        "a number in quotes": ({"months": "9.3"}, "published[1].months: must be a number"),
        "nothing": ({}, "published[1].months: is missing; or give 'time' in a unit"),
    }.values(),
)
def test_a_time_has_one_unit(item, said):
    with pytest.raises(InputError) as caught:
        cohort(MEDIAN | item)
    assert said in str(caught.value)


def test_a_time_of_more_than_a_hundred_years_is_refused_in_the_cohorts_unit():
    years = cohort(MEDIAN | {"time": Decimal(111)}, unit="years")
    (fault,) = faults(years, BOOK)
    assert fault == (
        ("published", 0, "time"),
        "must be from 0.001 to 1200 months; got 111 years",
    )
    assert not faults(cohort(MEDIAN | {"time": Decimal(111)}, unit="weeks"), BOOK)


def test_an_item_is_named_by_its_printed_time():
    five = {"kind": "milestone", "endpoint": "os", "source": "s", "time": 5}
    found = cohort(five | {"survival": Decimal("0.7")}, unit="years")
    assert item_label(found.published[0]) == "milestone os 5 years, overall"


@pytest.mark.parametrize(("said", "verdict"), [("111.6", "ok"), ("112", "ok"), ("93", "conflict")])
def test_a_restated_time_is_held_against_the_same_time_in_another_unit(said, verdict):
    restated = {"restated": [{"source": "Abstract", "months": Decimal(said)}]}
    found = cohort(MEDIAN | {"time": Decimal("9.3"), "unit": "years"} | restated)
    (finding,) = restatements(found.published[0], found, BOOK)
    assert finding.judgement.verdict == verdict


def test_digitised_times_are_read_in_their_unit():
    clicks = read_clicks(b"time,survival\n0,1\n1,0.8\n2.5,0.4\n", "c.csv", "years")
    table = read_at_risk(b"time,at_risk\n0,50\n2,20\n", "r.csv", "years")
    np.testing.assert_allclose(clicks.months, [0, 12, 30])
    np.testing.assert_allclose(table.months, [0, 24])


def test_horizons_are_in_the_models_unit():
    assert model(unit="years", horizons=[5, 10]).horizon_months == (60.0, 120.0)
    assert model(horizons=[5, 10]).horizon_months == (5.0, 10.0)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"horizons": [10, 5]}, "horizons: must be rising times > 0; got 10, 5"),
        ({"horizons": [0, 5]}, "horizons: must be rising times > 0; got 0, 5"),
        ({"unit": "years", "horizons": [60, 120]}, "must be at most 1200 months; got 120 years"),
        ({"outcome": "response", "unit": "years"}, "unit: belongs to survival models"),
        ({"outcome": "response", "horizons": [5]}, "horizons: belongs to survival models"),
    ],
)
def test_a_model_with_impossible_horizons_is_refused(keys, said):
    with pytest.raises(InputError) as caught:
        model(**keys)
    assert said in str(caught.value)


# What a model leaves to its evidence


def in_years(document):
    """A paper of months, printed in years."""
    items = []
    for item in map(dict, document["published"]):
        if "months" in item:
            item["time"] = item.pop("months") / 12
        if item["kind"] == "statistic":
            item |= {"unit": "years", "maximum": item["maximum"] / 12}
        items.append(item)
    return {**document, "unit": "years", "published": items}


def alike(one, other):
    """Whether two cohorts' evidence holds the same numbers, whatever their items' units."""
    for here, there in zip(one.cohorts, other.cohorts, strict=True):
        assert repr(here.estimates) == repr(there.estimates)
        # but for widths: 1.13 years are rounded otherwise than 13.6 months
        numbers = ([replace(x, width=0.0) for x in one.page.numbers] for one in (here, there))
        assert repr(next(numbers)) == repr(next(numbers))
        np.testing.assert_array_equal(here.joint, there.joint)
        assert last_follow_up(here) == pytest.approx(last_follow_up(there)) or np.isnan(
            last_follow_up(here)
        )


def test_the_same_papers_in_years_are_the_same_analysis_shown_in_years(analysis_of, invented):
    papers = invented.east(), invented.west()
    alone = {"pooling": "none"}
    months = analysis_of(*papers, horizons=[6, 12], **alone)
    years = analysis_of(*map(in_years, papers), unit="years", horizons=[0.5, 1], **alone)
    alike(years, months)

    draws = np.array([[-0.4, 0.1, 0.3, 0.5, 0.9, 0.6], [-0.5, 0.0, 0.2, 0.5, 0.8, 0.5]])
    here, there = (shown(analysis, invented, draws) for analysis in (years, months))

    for found, unit in ((here, "years"), (there, "months")):
        at = found[["horizon", "followed_to"]].notna().any(axis=1)
        assert found["time_unit"].tolist() == np.where(at, unit, "").tolist()
    timed = here["unit"] == "years"
    assert list(timed) == list(there["unit"] == "months")
    factor = np.where(timed, 12.0, 1.0)
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(factor * here[name], there[name], rtol=1e-12)
    np.testing.assert_allclose(12 * here["horizon"], there["horizon"])
    np.testing.assert_allclose(12 * here["followed_to"], there["followed_to"])
    assert list(here["extrapolated"]) == list(there["extrapolated"])


def shown(analysis, invented, draws):
    """Table of subgroups, of draws that are all alike."""
    more = {"hazard_share": [0.8], "margin_tilt": np.zeros((1, 2))}
    accepted = invented.accepted(analysis, draws, (1, 8), **more)
    found, _ = estimate(analysis, accepted, 1)
    tables = {"subgroups": tidy(found.subgroups, 1, 0.95, name="subgroups")}
    return shown_tables(tables, analysis)["subgroups"]


@pytest.mark.parametrize(
    ("items", "unit", "horizons"),
    {
        "a median of years": ([("median", 9.3, "years")], "years", (5, 10)),
        "a median of months": ([("median", 11.2, "months")], "months", (3, 6, 12)),
        "a median of a year": ([("median", 14.5, "months")], "months", (6, 12, 24)),
        "survival at five years": ([("milestone", 5, "years")], "years", (1, 3, 5)),
        "units that differ": (
            [("median", 9.3, "years"), ("milestone", 12, "months")],
            "months",
            (60, 120),
        ),
        "weeks": ([("median", 31, "weeks")], "weeks", (12, 24, 48)),
        "days": ([("median", 400, "days")], "days", (180, 365, 730)),
        "a follow-up before a median": (
            [("median", 30, "months"), ("follow-up", 40, "months")],
            "months",
            (6, 12, 24),
        ),
        "a survival after the follow-up that is printed": (
            [("milestone", 60, "months"), ("follow-up", 40, "months")],
            "months",
            (12, 36, 60),
        ),
        "no time": ([], "months", (6, 12, 24)),
    }.values(),
)
def test_horizons_lie_within_follow_up_in_round_numbers_of_the_papers_unit(items, unit, horizons):
    paper = cohort(*(printed(*item) for item in items), *(() if items else (RATIO,)))
    found = with_horizons(model(), [CohortEvidence(paper, np.ones(1), np.zeros(1))])
    assert (found.unit, found.horizons) == (unit, horizons)


RATIO = {
    "kind": "hazard_ratio", "covariate": "sex", "level": ["m"], "versus": ["f"],
    "estimate": Decimal("1.5"), "p": Decimal("0.03"), "source": "Table 2",
}  # fmt: skip


def printed(kind, time, unit):
    time = Decimal(str(time))
    if kind == "follow-up":
        fact = {"kind": "statistic", "name": "follow-up", "maximum": time}
    elif kind == "median":
        fact = {"kind": kind, "time": time, "endpoint": "os"}
    else:
        fact = {"kind": kind, "time": time, "endpoint": "os", "survival": Decimal("0.7")}
    return fact | {"unit": unit, "source": "Abstract"}


def test_what_a_model_states_is_kept_whatever_its_evidence():
    paper = cohort(printed("median", 9.3, "years"))
    evidence = [CohortEvidence(paper, np.ones(1), np.zeros(1))]
    stated = with_horizons(model(horizons=[60, 120]), evidence)
    assert (stated.unit, stated.horizons) == ("months", (60, 120))
    weeks = with_horizons(model(unit="weeks"), evidence)
    assert (weeks.unit, weeks.horizons) == ("weeks", (260, 520))
    response = model(outcome="response")
    assert with_horizons(response, evidence) == response


def test_curves_end_half_beyond_the_last_horizon_and_meet_it():
    curves = model(unit="years", horizons=[5, 10]).curve_months
    assert (curves[0], curves[-1]) == (0, 180)
    assert {60.0, 120.0} <= set(curves)


# Tables


def test_a_table_in_another_unit_keeps_what_is_no_time():
    row = Row("east", "os", "median", estimate=111.6, lower=91.2, upper=129.6, mcse=1.2)
    rate = row.but(estimand="survival", horizon=60.0, followed_to=288.0, estimate=0.72, lower=0.66)
    months = table("subgroups", [row.but(followed_to=288.0), rate])
    years = in_unit(months, "years")

    assert years["time_unit"].tolist() == ["years", "years"]
    assert years["unit"].tolist() == ["years", "probability"]
    np.testing.assert_allclose(years["estimate"], [9.3, 0.72])
    np.testing.assert_allclose(years["lower"], [7.6, 0.66])
    np.testing.assert_allclose(years["mcse"], [0.1, 1.2])
    assert years["horizon"].tolist()[1] == 5.0
    assert years["followed_to"].tolist() == [24.0, 24.0]
    assert in_unit(months, "months") is months


def test_the_digits_of_a_time_are_those_of_its_unit():
    found = {unit: interval(Estimate(33.33), kind_of({"unit": unit})) for unit in DAYS}
    assert found == {"days": "33", "weeks": "33.3", "months": "33.3", "years": "33.3"}
