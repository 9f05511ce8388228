"""A run's folder: whole or not at all, nothing of anyone else's lost, nothing of this machine."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from netlm_bayes import store
from netlm_bayes.cli.options import command
from netlm_bayes.errors import RunError

TABLE = pd.DataFrame(
    {
        "cohort": ["east", "west"],
        "contrast": ["", "NA"],
        "estimate": [1.23456789, float("nan")],
        "count": [3, 4],
        "note": ["", ""],
    }
)


def manifest(command: str = "netlm-bayes fit m c --out r") -> store.Manifest:
    return store.Manifest(command, 7, {"east.toml": "ab"}, {"sample": 1.5}, {"model": {"a": 1}})


def make_run(place: Path, text: str = "first") -> None:
    with store.run_folder(place) as folder:
        store.write_tables(folder, {"effects": TABLE.assign(note=text)})
        store.write_manifest(folder, manifest())


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_run_appears_only_when_it_is_whole(tmp_path):
    place = tmp_path / "results" / "run"
    with store.run_folder(place) as folder:
        (folder / "a.txt").write_text("a")
        assert not place.exists()
    assert files(place) == {"a.txt": b"a"}
    assert os.listdir(place.parent) == ["run"]


def break_off(place: Path, error: type[BaseException]) -> None:
    with store.run_folder(place) as folder:
        (folder / "a.txt").write_text("a")
        raise error


def test_a_run_that_breaks_off_leaves_nothing_behind(tmp_path):
    with pytest.raises(ZeroDivisionError):
        break_off(tmp_path / "run", ZeroDivisionError)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_interrupted_leaves_the_old_one_untouched(tmp_path):
    make_run(tmp_path / "run")
    before = files(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        break_off(tmp_path / "run", KeyboardInterrupt)
    assert files(tmp_path) == before


def test_a_run_that_cannot_be_moved_leaves_the_old_one_untouched(tmp_path, monkeypatch):
    make_run(tmp_path / "run")
    before, replace = files(tmp_path), os.replace

    def refuse(source: Path, target: Path) -> None:
        if (Path(source) / "new.txt").exists():
            raise PermissionError(13, "refused")
        replace(source, target)

    monkeypatch.setattr(store.os, "replace", refuse)
    with pytest.raises(PermissionError), store.run_folder(tmp_path / "run") as folder:
        (folder / "new.txt").write_text("a")
    assert files(tmp_path) == before


def test_a_new_run_replaces_the_old_one_and_its_leftovers(tmp_path):
    place = tmp_path / "run"
    with store.run_folder(place) as folder:
        store.write_tables(folder, {"effects": TABLE, "pooled": TABLE})
        store.write_manifest(folder, manifest())
    make_run(place, "second")
    assert sorted(files(place)) == ["manifest.json", "tables/effects.csv"]
    assert set(store.read_tables(place)["effects"]["note"]) == {"second"}
    assert os.listdir(tmp_path) == ["run"]


def test_what_a_person_put_into_an_old_run_is_kept(tmp_path):
    place = tmp_path / "run"
    make_run(place)
    (place / "notes.md").write_text("mine")
    (place / "tables" / "mine.csv").write_text("a,b\n")
    (place / "drafts").mkdir()
    (place / "drafts" / "letter.txt").write_text("dear editor")
    make_run(place, "second")
    found = files(place)
    assert found["notes.md"] == b"mine"
    assert found["tables/mine.csv"] == b"a,b\n"
    assert found["drafts/letter.txt"] == b"dear editor"
    assert b"second" in found["tables/effects.csv"]
    # They are still nobody's but the person's.
    assert store.read_manifest(place)["contents"] == ["tables/effects.csv"]


@pytest.mark.parametrize("made", ["folder", "file"])
def test_what_is_no_run_is_refused_and_left_alone(tmp_path, made):
    place = tmp_path / "thesis"
    if made == "folder":
        place.mkdir()
        (place / "chapter.tex").write_text("long work")
    else:
        place.write_text("long work")
    before = files(tmp_path)
    with pytest.raises(RunError, match="choose another --out"), store.run_folder(place):
        pytest.fail("a folder was given")
    assert files(tmp_path) == before


def test_the_manifest_says_what_made_the_run(tmp_path):
    make_run(tmp_path / "run")
    found = store.read_manifest(tmp_path / "run")
    assert found["command"] == "netlm-bayes fit m c --out r"
    assert (found["seed"], found["inputs"]) == (7, {"east.toml": "ab"})
    assert (found["seconds"], found["details"]) == ({"sample": 1.5}, {"model": {"a": 1}})
    assert {"netlm-bayes", "pymc", "nutpie", "numpy"} <= set(found["versions"])
    assert found["contents"] == ["tables/effects.csv"]


@pytest.mark.parametrize("form", ["--out {}", "--out={}", "{}"])
def test_a_command_does_not_tell_where_on_a_machine_a_run_lies(tmp_path, monkeypatch, form):
    typed = ["fit", "model.toml", *(part.format(tmp_path / "a b" / "run") for part in form.split())]
    monkeypatch.setattr("sys.argv", ["/somewhere/netlm-bayes", *typed])
    assert command() == "netlm-bayes fit model.toml " + form.format("run")


def test_tables_come_back_as_they_went(tmp_path):
    store.write_tables(tmp_path, {"effects": TABLE})
    (name, found), *others = store.read_tables(tmp_path).items()
    assert (name, others) == ("effects", [])
    assert found["cohort"].tolist() == ["east", "west"]
    assert found["contrast"].tolist() == ["", "NA"]
    assert found["note"].tolist() == ["", ""]
    assert found["count"].tolist() == [3, 4]
    # Six significant digits.
    assert found["estimate"][0] == 1.23457
    assert np.isnan(found["estimate"][1])


def test_draws_come_back_as_they_went(tmp_path):
    draws = xr.Dataset({"theta": (("chain", "draw"), np.arange(6.0).reshape(2, 3))})
    tree = xr.DataTree.from_dict({"posterior": draws, "prior": draws + 1})
    store.write_posterior(tmp_path, tree)
    found = store.read_posterior(tmp_path)
    assert found["posterior"].to_dataset().equals(draws)
    assert found["prior"].to_dataset().equals(draws + 1)


def test_a_run_without_draws_says_so(tmp_path):
    with pytest.raises(RunError, match=r"no posterior\.nc"):
        store.read_posterior(tmp_path)
