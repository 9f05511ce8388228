"""The schema of tables: what is refused, what comes back from a file; no code reads a note."""

import math

import pytest

from netlm_bayes.results import COLUMNS, TABLES, Row, table
from netlm_bayes.store import read_tables, write_tables

ROW = Row("east", "pfs", "survival", "bone", "yes", horizon=12, estimate=0.5, note="a note")


def test_columns_of_tables_have_a_meaning_and_every_meaning_a_table():
    assert {name for columns in TABLES.values() for name in columns} == set(COLUMNS)
    assert all(len(set(columns)) == len(columns) for columns in TABLES.values())


def test_a_column_that_a_table_does_not_have_is_refused():
    with pytest.raises(ValueError, match="table overlap: no column elpd_loo"):
        table("overlap", [{"cohort": "east", "elpd_loo": 0.5}])


@pytest.mark.parametrize("name", ["effects", "comparison", "fragility"])
def test_a_table_comes_back_from_a_file_with_its_types(tmp_path, name):
    made = table(name, [{"covariate": "bone", "level": "1", "versus": "", "synthetic": True}, {}])
    write_tables(tmp_path, {name: made})
    read = read_tables(tmp_path)[name]
    assert list(read) == list(TABLES[name])
    assert read.dtypes.to_dict() == made.dtypes.to_dict()
    assert read["level"].tolist() == ["1", ""]
    assert read["synthetic"].tolist() == [True, False]


def test_a_row_has_the_unit_of_its_estimand():
    (row,) = table("effects", [ROW]).to_dict("records")
    assert (row["unit"], row["horizon"], row["informed"]) == ("probability", 12.0, True)
    assert math.isnan(row["lower"])


# No code reads a note


@pytest.mark.parametrize(
    "code",
    [
        'def f(row): return row["note"]',
        'def f(row): return row.get("note") == ""',
        "def f(row): return row.note if row.estimate else None",
        'def f(rows): return rows["note"].str.contains("synthetic")',
    ],
)
def test_code_that_reads_a_note_is_found(load_tool, code):
    assert "reads a note" in [what for _, what in load_tool("lint_notes").faults(code)]


@pytest.mark.parametrize(
    "code",
    [
        'def f(row): return str(row["contrast"]).partition(": ")[0]',
        'def f(rows): return rows["method"].str.endswith("multivariable")',
        'def f(row): return "selected" in row["method"]',
        "def f(subgroup): return subgroup.startswith('bone')",
        'def f(row):\n    said = str(row["statement"])\n    return said.split(",")',
        'def f(row): return NOTED.search(str(row["item"]))',
    ],
)
def test_code_that_parses_a_label_is_found(load_tool, code):
    assert "parses a label" in [what for _, what in load_tool("lint_notes").faults(code)]


@pytest.mark.parametrize(
    "code",
    [
        "def f(row, why): return row.but(note=joined(why, row.note))",
        'def f(row): return {"estimate": 1.0, "note": row["note"]}',
        'def f(row, labels): return labels.about(row["covariate"]).partition(": ")',
    ],
)
def test_passing_a_note_on_is_no_reading_of_it(load_tool, code):
    assert not list(load_tool("lint_notes").faults(code))


def test_the_package_reads_no_note(load_tool, capsys):
    assert load_tool("lint_notes").main() == 0
    assert capsys.readouterr().out == ""
