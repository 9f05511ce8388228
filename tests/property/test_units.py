"""A time means the same in whatever unit it is written."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlm_bayes.codebook import Codebook
from netlm_bayes.files.toml import validated
from netlm_bayes.published.cohort import Cohort, printed_follow_up
from netlm_bayes.published.estimates import CurvePoint, estimates_of
from netlm_bayes.units import DAYS, Unit, months_of

CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "endpoints": {"os": "overall survival"},
        "covariates": {"sex": {"label": "Sex", "levels": ["f", "m"], "reference": "f"}},
    }
)
UNITS = st.sampled_from(list(DAYS))
TIMES = st.decimals("0.1", "40", places=1)


def _cohort(items: list[dict[str, Any]], **keys: Any) -> Cohort:
    whole = {"id": "a", "label": "A", "n": 80, "source": "s", "published": items, **keys}
    return validated(Cohort, whole, "a.toml", "")


def _paper(times: list[Decimal], key: str, **more: Any) -> list[dict[str, Any]]:
    """A median, survival at a time, a median not reached, and the longest follow-up."""
    common = {"endpoint": "os", "source": "s", "role": "fit", **more}
    survival = {"kind": "milestone", "survival": Decimal("0.7"), key: times[1]}
    unreached = {"kind": "median", "not_reached": True, "followed_to": times[2]}
    men = {"subgroup": {"sex": ["m"]}, "n": 30}
    unit = {"unit": more["unit"]} if "unit" in more else {}
    return [
        {"kind": "median", key: times[0], **common},
        {**survival, **common},
        {**unreached, **men, **common},
        {"kind": "statistic", "name": "follow-up", "maximum": times[3], "source": "s", **unit},
    ]


@given(st.lists(TIMES, min_size=4, max_size=4), UNITS)
def test_a_paper_says_the_same_in_months_and_in_any_other_unit(times: list[Decimal], unit: Unit):
    months = [months_of(time, unit) for time in times]
    there = _cohort(_paper(months, "months", unit="months"))
    here = _cohort(_paper(times, "time", unit=unit))

    assert estimates_of(here, CODEBOOK) == estimates_of(there, CODEBOOK)
    assert printed_follow_up(here) == printed_follow_up(there)


@given(st.lists(TIMES, min_size=4, max_size=4), UNITS)
def test_a_cohorts_unit_is_that_of_items_without_their_own(times: list[Decimal], unit: Unit):
    each = _cohort(_paper(times, "time", unit=unit)[:3])
    whole = _cohort(_paper(times, "time")[:3], unit=unit)

    assert whole.published == each.published


@given(TIMES, UNITS)
def test_a_key_named_months_is_in_months_whatever_the_cohorts_unit(time: Decimal, unit: Unit):
    item = {"kind": "median", "endpoint": "os", "source": "s", "role": "fit", "months": time}
    cohort = _cohort([item], unit=unit)

    (point,) = estimates_of(cohort, CODEBOOK).values()
    assert isinstance(point, CurvePoint)
    assert point.months == float(time)


@pytest.mark.parametrize(
    ("unit", "months"),
    [("years", 12.0), ("months", 1.0), ("weeks", 0.2299794661), ("days", 0.0328542)],
)
def test_a_unit_is_so_many_months(unit: Unit, months: float):
    assert float(months_of(Decimal(1), unit)) == pytest.approx(months, rel=1e-6)
