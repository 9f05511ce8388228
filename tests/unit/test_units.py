"""Units of printed times and of a model's horizons: what is refused, and where it says so."""

from decimal import Decimal

import numpy as np
import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError
from netlm_bayes.files.toml import validated
from netlm_bayes.model import Model
from netlm_bayes.published.audit.counts import restatements
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.published.digitised.clicks import read_at_risk, read_clicks

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
