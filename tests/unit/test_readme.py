"""The numbers that README shows are those of the committed results."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from netlm_bayes.codebook import bundled_file
from netlm_bayes.model import models_folder

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "published"
COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024", "pooled")
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tool(load_tool: Callable[[str], ModuleType]) -> ModuleType:
    """Writes the table of results."""
    return load_tool("readme_results")


def test_the_table_of_results_is_the_one_of_the_committed_run(tool):
    assert tool.rewritten(README, RESULTS) == README


@pytest.mark.parametrize("model", ["pfs-weibull", "response-logistic"])
def test_the_committed_results_were_made_from_the_files_of_today(model):
    manifest = json.loads((RESULTS / model / "manifest.json").read_text())
    files = {f"{name}.toml": bundled_file(name) for name in (*COHORTS[:2], "codebook")}
    files[f"{model}.toml"] = models_folder() / f"{model}.toml"
    today = {
        name: hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
        for name, path in files.items()
    }
    assert manifest["inputs"] == today


@pytest.mark.parametrize("model", ["pfs-weibull", "response-logistic"])
def test_the_committed_results_passed_every_check(model):
    checks = json.loads((RESULTS / model / "diagnostics.json").read_text())
    assert len(checks) == 10
    assert all(check["passed"] for check in checks)
