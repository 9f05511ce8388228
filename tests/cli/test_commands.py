"""Commands that sample nothing: what a person sees."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("reanalyse", "check", "audit", "fit", "compare", "pool", "report")


def test_help_names_every_command_and_readme_documents_it(netlm):
    said = netlm("--help")
    readme = (ROOT / "README.md").read_text()
    assert said.code == 0
    for command in COMMANDS:
        assert command in said.out
        assert f"netlm-bayes {command}" in readme


def test_light_commands_load_neither_pymc_nor_a_plotting_library():
    code = (
        "import sys\n"
        "from netlm_bayes.cli import app, guarded\n"
        "for words in (['check', 'pfs-weibull'], ['audit', '--out', sys.argv[1]]):\n"
        "    try:\n"
        "        guarded(lambda: app(words))\n"
        "    except SystemExit:\n"
        "        pass\n"
        "heavy = {'pymc', 'pytensor', 'matplotlib', 'arviz_stats', 'nutpie'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    folder = ROOT / ".pytest_cache" / "light-audit"
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


FAULTS = [
    ('level = "ever"', 'level = "evr"', r"line \d+.*no such level 'evr' \(did you mean 'ever'\?\)"),
    ("male = 50, female = 70", "male = 50, female = 71", r"line \d+.*sum to n = 120.*121"),
    ('source = "Table 2"\n', "", r"line \d+.*source.*missing"),
]


@pytest.mark.parametrize(("was", "becomes", "message"), FAULTS)
def test_a_fault_is_named_with_file_line_and_what_would_be_right(
    netlm, paper, was, becomes, message
):
    path = paper / "clinic-a.toml"
    path.write_text(path.read_text().replace(was, becomes))
    said = netlm("fit", paper / "relapse.toml", path, "--out", paper / "run")
    assert said.code == 2
    assert "clinic-a.toml: 1 problem" in said.err
    assert re.search(message, said.err), said.err
    assert "Traceback" not in said.err
    assert not (paper / "run").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "pfs-weibul", "sysu-2016-2020"], "did you mean 'pfs-weibull'"),
        (["fit", "pfs-weibull", "sysu-2016-2021"], "did you mean 'sysu-2016-2020'"),
        (["fit", "pfs-weibull", "sysu-2016-2020", "--scenario", "litteral"], "'literal'"),
        (["pool", "pfs-weibull", "sysu-2016-2020"], "two cohorts or more"),
        (["compare", "nowhere"], "not a run"),
        (["fit", "pfs-weibull", "sysu-2016-2020", "--draws", "many"], "draws"),
    ],
)
def test_a_wrong_call_ends_with_exit_2_and_a_hint(netlm, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    said = netlm(*words)
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_never_overwritten(netlm, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    for words in (("audit",), ("fit", "pfs-weibull", "sysu-2016-2020"), ("reanalyse",)):
        said = netlm(*words, "--out", tmp_path)
        assert said.code == 2
        assert "not a run" in said.err
    assert (tmp_path / "thesis.docx").read_text() == "years of work"
