"""Tables of a manuscript: the run's numbers in each format, and text that stays text."""

import json
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from docx import Document

from netlm_bayes.errors import InputError, RunError
from netlm_bayes.formats import PROBABILITY, RATIO, TIME, Estimate, estimate_of
from netlm_bayes.pipeline.report import export
from netlm_bayes.report.export.documents import as_docx, as_latex, escaped
from netlm_bayes.report.export.manuscript import manuscript_tables
from netlm_bayes.report.export.tables import Column, Interval, ManuscriptTable, Number
from netlm_bayes.report.export.xlsx import as_xlsx
from netlm_bayes.report.labels import Labels
from netlm_bayes.report.rows import Record
from netlm_bayes.sampling.gate import Check
from netlm_bayes.store import read_manifest, read_tables, write_checks

RESULTS = Path(__file__).parents[2] / "results" / "published"
SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://example.org","x")',
    "http://example.org",
    "<b>bold</b> & \"quoted\" 'too'",
    "50% of $x_1^2$ {a} \\input{/etc/passwd} ~#",
    "\x00 \x1b[31m \x7f",
)


def committed(name: str) -> tuple[dict[str, pd.DataFrame], dict[str, Any], Labels]:
    run = RESULTS / name
    manifest = read_manifest(run)
    return read_tables(run), manifest, labels_in(manifest)


def labels_in(manifest: dict[str, Any]) -> Labels:
    told = manifest["details"]["labels"]
    return Labels(**{**told, "levels": {k: tuple(v) for k, v in told["levels"].items()}})


def small(*labels: str) -> ManuscriptTable:
    """A table with a row a label."""
    rows = tuple(
        (
            label,
            Interval(Estimate(1.2345678, 0.5, 12.345), RATIO),
            Number(0.98765, PROBABILITY),
            None,
        )
        for label in labels
    )
    columns = (
        Column("Who"),
        Column("Ratio", "interval"),
        Column("P", "number"),
        Column("Other", "interval"),
    )
    return ManuscriptTable("effects", "A caption: =1+1", columns, rows)


# Read back, by no library that wrote them.


def sheet_of(data: bytes, number: int = 1) -> list[dict[str, tuple[str, str]]]:
    """Rows of cells by their column: kind and text of each."""
    with zipfile.ZipFile(BytesIO(data)) as book:
        shared = [
            "".join(part.text or "" for part in item.iter(f"{SHEETS}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    rows = []
    for row in sheet.iter(f"{SHEETS}row"):
        found = {}
        for cell in row.iter(f"{SHEETS}c"):
            value, kind = cell.find(f"{SHEETS}v"), cell.get("t", "n")
            text = "" if value is None else str(value.text)
            column = re.sub(r"\d", "", str(cell.get("r")))
            found[column] = (kind, shared[int(text)] if kind == "s" else text)
        rows.append(found)
    return rows


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
        return {name: archive.read(name).decode("utf-8") for name in names}


def paragraphs_and_cells(data: bytes) -> list[str]:
    document = Document(BytesIO(data))
    cells = [cell.text for t in document.tables for row in t.rows for cell in row.cells]
    return [paragraph.text for paragraph in document.paragraphs] + cells


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_is_text_in_a_workbook(label):
    data = as_xlsx([small(label)])
    rows = sheet_of(data)
    kind, text = rows[2]["A"]
    assert kind == "s"
    # Signs that XML cannot hold are written by their number, as a spreadsheet does.
    assert re.sub(r"_x([0-9A-F]{4})_", lambda x: chr(int(x[1], 16)), text) == label
    sheets = [part for name, part in parts_of(data).items() if "worksheets" in name]
    assert not any("<f" in part for part in sheets)
    assert not any("hyperlink" in part.lower() for part in sheets)


def test_what_looks_like_a_formula_stays_text_when_its_cell_is_edited():
    styles = parts_of(as_xlsx([small("=1+1")]))["xl/styles.xml"]
    assert 'quotePrefix="1"' in styles
    harmless = ManuscriptTable("effects", "A caption", (Column("Who"),), (("nobody",),))
    assert "quotePrefix" not in parts_of(as_xlsx([harmless]))["xl/styles.xml"]


def test_numbers_are_numbers_in_a_workbook():
    rows = sheet_of(as_xlsx([small("a")]))
    assert rows[1]["B"][1] == "Ratio"
    assert rows[1]["C"][1] == "Ratio, lower"
    found = [rows[2][column] for column in "BCDE"]
    assert [kind for kind, _ in found] == ["n"] * 4
    assert [float(text) for _, text in found] == [1.2345678, 0.5, 12.345, 0.98765]
    assert "F" not in rows[2]


@pytest.mark.parametrize("label", HOSTILE[:10])
def test_a_hostile_label_is_a_plain_run_in_a_document(label):
    data = as_docx([small(label.replace("\r", " "))])
    assert label.replace("\r", " ") in paragraphs_and_cells(data)
    body = parts_of(data)["word/document.xml"]
    assert "w:fldSimple" not in body
    assert "w:instrText" not in body
    assert "<w:b>bold" not in body


def test_every_sign_that_latex_reads_is_escaped():
    signs = '\\{}$&#%_^~<>|"`[]*'
    for sign in signs:
        assert escaped(sign) != sign
    assert escaped("50 % of x_1") == r"50 \% of x\_1"
    assert escaped("\\input{a}") == r"\textbackslash{}input\{a\}"


@pytest.mark.parametrize("label", HOSTILE[:10])
def test_a_hostile_label_is_escaped_in_latex(label):
    text = as_latex([small(label)]).decode("utf-8")
    assert escaped(label) in text
    assert "\\input" not in text
    (row,) = [line for line in text.splitlines() if "0.99" in line]
    assert len(re.findall(r"(?<!\\)&", row)) == 3
    assert row.endswith(r"\\")


# From a run.


@pytest.mark.parametrize("name", ["pfs-weibull", "response-logistic"])
def test_every_posterior_ratio_is_in_the_table_of_effects(name):
    tables, manifest, labels = committed(name)
    effects = manuscript_tables(tables, manifest, labels)[0]
    found = {(row[0], row[1], row[2]) for row in effects.rows}
    wanted = tables["effects"]
    wanted = wanted[
        (wanted["method"] == "posterior")
        & wanted["estimand"].isin(["hazard_ratio", "odds_ratio"])
        & (wanted["covariate"] != "")
    ]
    for row in wanted.to_dict("records"):
        numbers = Interval(estimate_of(row), RATIO)
        cohort, contrast = labels.cohort(row["cohort"]), labels.contrast_of(Record(row))
        contrast += " (borrowed)" if row["borrowed"] else ""
        assert (cohort, contrast, numbers) in found


def test_what_was_printed_stands_beside_its_own_posterior():
    tables, manifest, labels = committed("pfs-weibull")
    effects = manuscript_tables(tables, manifest, labels)[0]
    beside = [row for row in effects.rows if row[4] is not None]
    assert len(beside) == len(tables["comparison"])
    for row in tables["comparison"].to_dict("records"):
        printed = (row["printed_estimate"], row["printed_lower"], row["printed_upper"])
        (found,) = [
            one
            for one in beside
            if one[4].found[:3] == printed and one[0] == labels.cohort(row["cohort"])
        ]
        assert found[1] == labels.contrast_of(Record(row))
        known = row["estimand_is"] != ""
        assert (found[8] is not None) is known
        if known:
            assert found[8].found.estimate == pytest.approx(row["posterior_estimate"], rel=1e-4)
        if row["estimand_is"] == "coefficient":
            assert found[8].found.estimate == pytest.approx(found[2].found.estimate, rel=1e-4)


def test_subgroups_have_a_row_each_with_every_measure():
    tables, manifest, labels = committed("pfs-weibull")
    subgroups = manuscript_tables(tables, manifest, labels)[1]
    source = tables["subgroups"].to_dict("records")
    keys = {(row["cohort"], row["endpoint"], row["subgroup"]) for row in source}
    assert len(subgroups.rows) == len(keys)
    event_free = labels.event_free_of(tables["subgroups"]["endpoint"])
    assert [column.heading for column in subgroups.columns[3:]] == [
        "Median, months",
        f"{event_free.capitalize()} at 12 months",
    ]
    first, told = source[0], subgroups.rows[0]
    assert first["estimand"] == "median"
    assert told[:3] == ("All primaries, 2016-2020", "overall PFS", first["subgroup"])
    assert told[3] == Interval(estimate_of(first), TIME)
    at_a_year = [row for row in source if (row["estimand"], row["horizon"]) == ("survival", 12)]
    assert [cells[4].found.estimate for cells in subgroups.rows] == [
        x["estimate"] for x in at_a_year
    ]


def test_a_p_value_is_written_as_p_values_are():
    tables, manifest, labels = committed("pfs-weibull")
    comparison = tables["comparison"].head(2).assign(p=[0.0312, 0.0002])
    made = manuscript_tables({**tables, "comparison": comparison}, manifest, labels)
    found = [row[5] for row in made[0].rows if row[4] is not None]
    assert {str(cell) for cell in found} == {"0.031", "<0.001"}


# The file.


@pytest.mark.parametrize("to", [("xlsx", ".xlsx"), ("docx-table", ".docx"), ("latex", ".tex")])
def test_a_run_is_exported_to_each_format(to, tmp_path):
    out = tmp_path / "deeper" / f"tables{to[1]}"
    assert export(RESULTS / "pfs-weibull", to[0], out) == out
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    data = out.read_bytes()
    text = data.decode("utf-8") if to[0] == "latex" else "".join(parts_of(data).values())
    assert "Hepatic tumour burden" in text


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for suffix, to in ((".xlsx", "xlsx"), (".tex", "latex")):
        one, two = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
        for out in (one, two):
            export(RESULTS / "response-logistic", to, out)
        assert one.read_bytes() == two.read_bytes()


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path):
    out = tmp_path / "tables.tex"
    out.write_text("mine", "utf-8")
    with pytest.raises(RunError, match="exists"):
        export(RESULTS / "pfs-weibull", "latex", out)
    assert out.read_text("utf-8") == "mine"
    export(RESULTS / "pfs-weibull", "latex", out, force=True)
    assert "longtable" in out.read_text("utf-8")


@pytest.mark.parametrize(("to", "out", "what"), [
    ("pdf", "a.pdf", "no such format 'pdf'; there are xlsx, docx-table, latex"),
    ("latex", "a.docx", r"must end in .tex; got 'a.docx'"),
])  # fmt: skip
def test_a_wrong_call_is_told(to, out, what, tmp_path):
    with pytest.raises(InputError, match=re.escape(what)):
        export(RESULTS / "pfs-weibull", to, tmp_path / out)


def test_a_run_without_estimates_is_refused(tmp_path):
    run = tmp_path / "failed"
    run.mkdir()
    manifest = read_manifest(RESULTS / "pfs-weibull")
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    write_checks(run, [Check("divergences", 3.0, 0.0, False)])
    with pytest.raises(RunError, match=r"did not converge \(divergences\); it holds no estimates"):
        export(run, "latex")
    assert [path.name for path in tmp_path.iterdir()] == ["failed"]


FROM_P = "a Confidence limits not printed: computed from the printed P value."


@pytest.mark.parametrize(("origin", "marked"), [("p value", 1), ("printed", 0)])
def test_limits_from_a_p_value_are_marked_and_explained(origin, marked):
    tables, manifest, labels = committed("pfs-weibull")
    origins = [origin, *["printed"] * (len(tables["comparison"]) - 1)]
    comparison = tables["comparison"].assign(limits_from=origins)
    made = manuscript_tables({**tables, "comparison": comparison}, manifest, labels)
    beside = [str(row[4]) for row in made[0].rows if row[4] is not None]
    assert sum(text.endswith(")a") for text in beside) == marked
    assert made[0].footnotes == (FROM_P,) * marked
    assert not any(table.footnotes for table in made[1:])


@pytest.mark.parametrize(
    ("number", "stored", "style"),
    [
        (Number(10.037, RATIO, 0.04), "10.037", "0"),
        (Number(2.4041, RATIO, 0.004), "2.4041", "0.0"),
        (Number(607.84, RATIO, 8.0), "600", "0"),
        (Number(0.9971, PROBABILITY, 0.0003), "0.9971", '">0.99"'),
    ],
)
def test_a_workbook_shows_the_digits_that_the_draws_support(number, stored, style):
    data = as_xlsx([ManuscriptTable("a", "b", (Column("x", "number"),), ((number,),))])
    assert sheet_of(data)[-1]["A"] == ("n", stored)
    with zipfile.ZipFile(BytesIO(data)) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
    chosen = [one.get("formatCode") for one in styles.iter(f"{SHEETS}numFmt")]
    builtin = {"0": "1"}
    ids = [one.get("numFmtId") for one in styles.iter(f"{SHEETS}xf")]
    assert style in chosen or builtin.get(style) in ids
