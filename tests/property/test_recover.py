"""Tables by search are tables by brute force; what was printed from a table leads back to it."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.recover import recover_tables

Table = tuple[tuple[int, ...], tuple[int, ...]]
Z = 1.959963984540054  # the 97.5 % point of the standard normal

groups = st.integers(2, 12).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))
places = st.integers(0, 3)


def printed(log_ratio: float, se: float, decimals: int) -> dict[str, str]:
    """A ratio and its interval as a paper prints them."""
    numbers = {"estimate": 0.0, "lower": -Z * se, "upper": Z * se}
    return {name: f"{math.exp(log_ratio + by):.{decimals}f}" for name, by in numbers.items()}


def ratio_of(one: tuple[int, int], ref: tuple[int, int], decimals: int) -> dict[str, str] | None:
    """Odds ratio of two groups (events, n); None if its digits are too few to be printed."""
    cells = [one[0], one[1] - one[0], ref[0], ref[1] - ref[0]]
    log_ratio = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    digits = printed(log_ratio, math.sqrt(sum(1 / cell for cell in cells)), decimals)
    return digits if float(digits["lower"]) > 0 else None


def recovered(
    responders: Sequence[int],
    n: Sequence[int],
    ratios: Sequence[dict[str, str]],
    *,
    with_margin: bool = True,
    event: str = "response",
) -> list[Table]:
    """What the search gives for a factor with levels l0 (reference), l1, ..."""
    levels = [f"l{i}" for i in range(len(n))]
    total = sum(n)
    items: list[dict[str, Any]] = [
        {
            "kind": "counts",
            "values": {"responders": sum(responders), "nonresponders": total - sum(responders)},
        }
    ]
    if with_margin:
        by_level = dict(zip(levels, n, strict=True))
        items.append({"kind": "margin", "covariate": "x", "values": by_level})
    contrast = {"kind": "odds_ratio", "covariate": "x", "versus": "l0", "event": event}
    items += [contrast | {"level": levels[i + 1]} | ratio for i, ratio in enumerate(ratios)]
    cohort = Cohort.model_validate(
        {
            "id": "drawn",
            "label": "Drawn",
            "n": total,
            "source": "drawn",
            "published": [item | {"source": "drawn"} for item in items],
        }
    )
    covariates = {"x": {"label": "X", "levels": levels, "reference": "l0"}}
    codebook = Codebook.model_validate({"id": "drawn", "covariates": covariates})
    return [(table.responders, table.n) for table in recover_tables(cohort, codebook)]


def brute_force(total_events: int, total: int, ratio: dict[str, str]) -> set[Table]:
    """Every two-by-two table with these totals whose ratio and interval print as given."""
    c, n0 = np.meshgrid(np.arange(1, total), np.arange(1, total), indexing="ij")
    a, n1 = total_events - c, total - n0
    cells = np.stack([a, n1 - a, c, n0 - c]).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
        se = np.sqrt((1 / cells).sum(axis=0))
        fits = (cells > 0).all(axis=0)
        for name, by in (("estimate", 0), ("lower", -Z), ("upper", Z)):
            value = Decimal(ratio[name])
            half = float(Decimal(5).scaleb(int(value.as_tuple().exponent) - 1))
            # The slack is that of the search: a value at the very edge of a rounding is let in.
            slack = 1e-9 * (float(value) + half)
            fits &= np.abs(np.exp(log_ratio + by * se) - float(value)) <= half + slack
    columns = (number[fits].tolist() for number in (c, a, n0, n1))
    return {((row[0], row[1]), (row[2], row[3])) for row in zip(*columns, strict=True)}


@given(one=groups, ref=groups, decimals=places)
def test_two_levels_without_margin_give_all_tables_of_brute_force(
    one: tuple[int, int], ref: tuple[int, int], decimals: int
) -> None:
    ratio = ratio_of(one, ref, decimals)
    if ratio is None or len(set(ratio.values())) == 1:
        return
    events, n = (ref[0], one[0]), (ref[1], one[1])
    found = recovered(events, n, [ratio], with_margin=False)
    assert len(found) == len(set(found))
    assert set(found) == brute_force(sum(events), sum(n), ratio)
    assert (events, n) in found


@given(ref=groups, one=groups, two=groups, decimals=st.integers(1, 3))
def test_three_levels_give_what_two_searches_by_brute_force_share(
    ref: tuple[int, int], one: tuple[int, int], two: tuple[int, int], decimals: int
) -> None:
    ratios = [ratio_of(group, ref, decimals) for group in (one, two)]
    if None in ratios or any(len(set((ratio or {}).values())) == 1 for ratio in ratios):
        return
    events, n = (ref[0], one[0], two[0]), (ref[1], one[1], two[1])
    given = [ratio for ratio in ratios if ratio is not None]
    expected = {
        ((c, a, b), n)
        for c in range(1, ref[1])
        for a in range(1, one[1])
        for b in [sum(events) - a - c]
        if ((c, a), n[:2]) in brute_force(a + c, ref[1] + one[1], given[0])
        and ((c, b), (n[0], n[2])) in brute_force(b + c, ref[1] + two[1], given[1])
    }
    assert set(recovered(events, n, given)) == expected
    assert (events, n) in expected
