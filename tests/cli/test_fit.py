"""One whole fit of a paper about another disease, as its author would run it."""

import csv
import json
import re
import zipfile
from pathlib import Path

import pytest
from tests.cli.page import run as typed

from netlm_bayes import store
from netlm_bayes.cli import app, guarded
from netlm_bayes.report.page.inlined import STYLE, asset, charting_library

pytestmark = pytest.mark.sampling

LABEL = '[endpoints]\nrelapse = "relapse-free time"\n'
WORDS = """
[endpoints.relapse]
label = "relapse-free time"
event = "relapse"
event_free = "without relapse"
"""
FOREIGN = re.compile(
    r"progress|\bPD\b|\bPFS\b|embol|event-free|neuroendocrine|\bliver|hepat|tumou?r|metasta|ki-?67",
    re.IGNORECASE,
)
"""Words of the bundled codebook's disease, endpoint and treatment, and of an unnamed event."""


@pytest.fixture(scope="module")
def run(lasting_paper):
    folder = lasting_paper
    book = folder / "asthma.toml"
    assert LABEL in book.read_text("utf-8")
    book.write_text(book.read_text("utf-8").replace(LABEL, WORDS), "utf-8")
    words = ["fit", str(folder / "relapse.toml"), str(folder / "clinic-a.toml")]
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: app([*words, "--out", str(folder / "run"), "--quiet"]))
    assert stop.value.code == 0
    return folder / "run"


def rows(run, table):
    with (run / "tables" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_printed_milestone_and_median_are_replicated(run):
    found = {row["kind"]: row for row in rows(run, "replication")}
    median, milestone = found["median"], found["milestone"]
    assert float(median["lower"]) < 9.5 < float(median["upper"])
    assert float(milestone["lower"]) < 0.20 < float(milestone["upper"])


def test_the_posterior_ratio_lies_between_none_and_the_printed_one(run):
    row = next(r for r in rows(run, "comparison") if r["contrast"] == "smoker: ever vs never")
    assert 1 < float(row["posterior_estimate"]) < 1.8
    assert 0 < float(row["shrinkage"]) < 1


def test_a_single_cohort_has_no_heterogeneity_and_no_pool(run):
    effects = rows(run, "effects")
    assert {row["cohort"] for row in effects if row["method"] == "posterior"} == {"clinic-a"}
    assert "heterogeneity" not in {row["estimand"] for row in effects}


def test_the_manifest_names_every_input_and_no_place_on_this_machine(run):
    text = (run / "manifest.json").read_text()
    manifest = json.loads(text)
    assert set(manifest["inputs"]) == {"relapse.toml", "clinic-a.toml", "asthma.toml"}
    assert all(check["passed"] for check in json.loads((run / "diagnostics.json").read_text()))


def test_figures_are_drawn_again_from_the_tables_alone(run):
    for path in (run / "figures").iterdir():
        path.unlink()
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: app(["report", str(run)]))
    assert stop.value.code == 0
    names = {path.name for path in (run / "figures").iterdir()}
    assert {"forest.png", "forest.svg", "relapse_by_smoker.png", "replication.png"} <= names


def texts_of(path: Path):
    """Texts of a file: of a packed one its parts, of draws all names; a figure's are in its SVG."""
    if path.suffix in {".docx", ".xlsx"}:
        with zipfile.ZipFile(path) as packed:
            names = [name for name in packed.namelist() if name.endswith((".xml", ".rels"))]
            yield from (packed.read(name).decode("utf-8") for name in names)
    elif path.suffix == ".nc":
        for node in store.read_posterior(path.parent).subtree:
            found = node.to_dataset()
            labels = [one.to_numpy().tolist() for one in found.coords.values()]
            yield f"{found.to_dict(data=False)} {labels}"
    elif path.suffix != ".png":
        text = path.read_text("utf-8")
        # Neither library, style sheet nor packed draws say anything to a reader.
        for unread in (asset(charting_library().file), asset(STYLE)):
            text = text.replace(unread, "")
        yield re.sub(r"[A-Za-z0-9+/=]{200,}", "", text)


def test_no_text_that_a_run_leaves_has_a_word_of_another_disease(run):
    out, texts = run.parent / "made", {}
    for line in (
        f"compare {run}",
        f"report {run}",
        f"predict {run} --profile smoker=former --out {out}",
        *(f"export {run} --to {kind}" for kind in ("xlsx", "docx-table", "latex")),
    ):
        code, texts[line] = typed(f"netlm-bayes {line}")
        assert code == 0, texts[line]
    files = [path for path in run.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".svg", ".html", ".docx", ".xlsx", ".tex", ".nc"}
    texts |= {f"{path} {k}": x for path in files for k, x in enumerate(texts_of(path))}
    assert any("without relapse" in text for name, text in texts.items() if ".svg" in name)
    found = [
        f"{name}: ...{text[max(0, word.start() - 60) : word.end() + 40]}..."
        for name, text in texts.items()
        for word in FOREIGN.finditer(text)
    ]
    assert not found, "\n".join(found)
