"""What a person sees of `export`."""

import shutil
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "results" / "published"


def test_export_writes_beside_the_run_and_says_where(netlm, tmp_path):
    run = tmp_path / "mine"
    shutil.copytree(RESULTS / "response-logistic", run, ignore=shutil.ignore_patterns("figures"))
    said = netlm("export", run, "--to", "xlsx")
    assert (said.code, said.out, said.err) == (0, f"{tmp_path / 'mine.xlsx'}\n", "")
    assert (tmp_path / "mine.xlsx").read_bytes()[:2] == b"PK"


def test_export_replaces_a_file_only_when_told_to(netlm, tmp_path):
    out = tmp_path / "tables.tex"
    call = ("export", RESULTS / "response-logistic", "--to", "latex", "--out", out)
    assert netlm(*call).code == 0
    said = netlm(*call)
    assert said.code == 2
    assert said.err == f"error: {out}: exists; choose another --out, or --force to replace it\n"
    assert netlm(*call, "--force").code == 0


def test_export_wants_the_right_suffix(netlm, tmp_path):
    said = netlm(
        "export", RESULTS / "pfs-weibull", "--to", "docx-table", "--out", tmp_path / "a.xlsx"
    )
    assert said.code == 2
    assert "out: must end in .docx; got 'a.xlsx'" in said.err
    assert list(tmp_path.iterdir()) == []
