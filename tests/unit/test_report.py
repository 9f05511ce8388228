"""`report`: a run's figures and page; of a reanalysis, those of its parts."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from netlm_bayes.pipeline import report as module


def test_of_a_reanalysis_every_part_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "read_run", lambda _: SimpleNamespace(tables={}, labels=None))
    monkeypatch.setattr(module, "write_figures", lambda _, folder: (folder / "forest.png",))
    monkeypatch.setattr(module, "write_page", lambda run: run / "report.html")
    for folder, details in ((".", {"parts": ["one", "two"]}), ("one", {}), ("two", {})):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "manifest.json").write_text(json.dumps({"details": details}))
    shown = [path.relative_to(tmp_path).as_posix() for path in module.report(tmp_path)]
    assert shown == [
        "one/figures/forest.png",
        "one/report.html",
        "two/figures/forest.png",
        "two/report.html",
    ]
