"""All tables of a stored posterior are the frozen ones, by the keys of their rows."""

from functools import cache

import pandas as pd
import pytest
import xarray as xr
from tests.frozen import draws, tables
from tests.frozen.cases import HERE, TABLED, Case
from tests.frozen.present import tables_of, tables_of_papers

PAPERS = "papers"


@cache
def stored(case: str) -> dict[str, xr.DataTree]:
    return draws.read(HERE / "draws" / f"{case}.npz")


@pytest.mark.parametrize("case", TABLED, ids=lambda case: case.name)
def test_tables_of_a_stored_posterior_are_the_frozen_ones(case: Case) -> None:
    made = tables_of(case, lambda run, _: stored(case.name)[run])
    relative = tables.OF_FITTED if case.fitted else tables.RELATIVE
    assert list(tables.moved(tables.read(case.name), made, relative)) == []


def test_tables_without_a_posterior_are_the_frozen_ones() -> None:
    assert list(tables.moved(tables.read(PAPERS), tables_of_papers())) == []


def test_a_cell_that_moved_by_a_hundred_millionth_is_seen() -> None:
    table = pd.DataFrame({"cohort": ["a", "b"], "estimate": [1.5, 2.5], "note": ["x", "y"]})
    frozen = tables.frozen_of({"effects": table})
    assert list(tables.moved(frozen, {"effects": table.assign(note="other", more=1)})) == []
    other = table.assign(estimate=[1.5, 2.5 + 2.5e-8])
    (said,) = tables.moved(frozen, {"effects": other})
    assert said.startswith("effects, b: estimate was 2.5 and is")


def test_a_row_or_column_or_table_that_is_gone_is_seen() -> None:
    table = pd.DataFrame({"cohort": ["a", "b"], "estimate": [1.5, 2.5], "note": ["x", "y"]})
    frozen = tables.frozen_of({"effects": table})
    assert list(tables.moved(frozen, {})) == ["effects: no such table"]
    assert list(tables.moved(frozen, {"effects": table[["cohort"]]})) == [
        "effects: without estimate"
    ]
    assert list(tables.moved(frozen, {"effects": table[:1]})) == ["effects, b: no such row"]
