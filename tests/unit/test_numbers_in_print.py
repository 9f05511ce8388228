"""Text in place of a number is refused with the key that says what the paper prints."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from netlm_bayes.published.items import Margin, Median, Milestone, Ratio

RATIO = {"kind": "hazard_ratio", "covariate": "bone", "estimate": Decimal("1.4"), "source": "text"}
POINT = {"kind": "milestone", "endpoint": "os", "time": 24, "source": "text"}
MEDIAN = {"kind": "median", "endpoint": "os", "source": "text"}
MARGIN = {"kind": "margin", "covariate": "bone", "source": "text"}


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (Ratio, RATIO | {"p": "< .01"}, "'p_below = 0.01' says p < 0.01"),
        (Ratio, RATIO | {"p": ">0.2"}, "'p_above = 0.2' says p > 0.2"),
        (Ratio, RATIO | {"p": "n.s."}, "'p_above = 0.05' says not significant at 0.05"),
        (Ratio, RATIO | {"p": Decimal("0.0000")}, "'p_below = 0.0001' says p < 0.0001"),
        (Ratio, RATIO | {"p": 4}, "must be at most 1; got 4: per cent? write 0.04"),
        (Ratio, RATIO | {"lower": 1, "upper": "NE"}, "no limit is 'upper = inf' or 'lower = 0'"),
        (Milestone, POINT | {"survival": 71}, "must be at most 1; got 71: per cent? write 0.71"),
        (Milestone, POINT | {"survival": "71 %"}, "71 % is a share of 1, 0.71"),
        (Median, MEDIAN | {"time": "not reached"}, "is 'not_reached = true'"),
        (Median, MEDIAN | {"time": "3.5 years"}, "write 'time = 3.5' and 'unit = \"years\"'"),
        (Margin, MARGIN | {"values": {"yes": "12.5%"}}, "12.5 % belongs to the key 'percent'"),
    ],
)
def test_text_points_to_the_key_that_says_it(kind: Any, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(values, strict=True)
    assert said in str(refused.value)
