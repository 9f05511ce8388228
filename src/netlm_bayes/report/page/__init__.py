"""A run to one self-contained page: content, charts and data in one document, under one policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from netlm_bayes.formats import listed
from netlm_bayes.report.charts.description import TextTable, filled
from netlm_bayes.report.facts import Facts
from netlm_bayes.report.page.explorer import explorer_data, starting_profiles, why_no_explorer
from netlm_bayes.report.page.inlined import (
    SCRIPTS,
    STYLE,
    asset,
    chart_json,
    charting_library,
    content_security_policy,
    embedded_json,
    inline,
)
from netlm_bayes.report.page.sections import Section, sections
from netlm_bayes.report.prose import (
    CHECKLISTS,
    FIRST,
    ChecklistItem,
    answer,
    assumptions,
    checklist,
    checklists,
    methods,
)
from netlm_bayes.report.run import Run
from netlm_bayes.report.run_facts import Tables

__all__ = ["render_page"]

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Checklist:
    """A reporting checklist as the page shows it."""

    id: str
    title: str
    present: int
    table: TextTable


def render_page(runs: Mapping[str, Run], reanalysis: Tables) -> str:
    """Write the page of the first run; its explorer predicts from all that share its covariates.

    `reanalysis` holds the tables of the reanalysis that the runs are part of.
    """
    name, run = next(iter(runs.items()))
    library, parts = charting_library(), sections(run, reanalysis)
    facts = Facts(run.tables, run.manifest, run.checks, bool(run.script))
    missing = why_no_explorer(run)
    explorer = None if missing else explorer_data(runs)
    scripts = [inline(asset(name)) for name in (library.file, *SCRIPTS)]
    style = inline(asset(STYLE))
    template = _environment().get_template("page.html.j2")
    page: str = template.render(
        name=name,
        run=run,
        simulated=listed([run.labels.cohort(x) for x in run.manifest["details"]["synthetic"]]),
        title=page_title(run),
        contents=_contents(parts),
        answer=answer(facts),
        first=FIRST,
        assumptions=assumptions(facts),
        methods=methods(facts),
        checklists=[_checklist(facts, name) for name in CHECKLISTS],
        explorer=explorer,
        no_explorer=missing,
        starts=starting_profiles(explorer) if explorer else (),
        sections=parts,
        figures=embedded_json({one.id: chart_json(one) for part in parts for one in part.charts}),
        draws=embedded_json(explorer) if explorer else "",
        library=library,
        policy=content_security_policy(scripts, [style]),
        scripts=scripts,
        style=style,
    )
    return page


def page_title(run: Run) -> str:
    """What the page is about: the primary endpoint, in the codebook's words."""
    if run.model.outcome == "response":
        return "Response"
    endpoint: str = run.population["endpoints"][0]
    label = run.labels.endpoints.get(endpoint, endpoint)
    return label[:1].upper() + label[1:]


def _environment() -> Environment:
    """Templates in which every text is escaped, and nothing may be undefined."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _contents(parts: Sequence[Section]) -> list[tuple[str, str]]:
    """Anchors and names of the sections."""
    return [
        ("answer", "Answer"),
        ("explore", "Explorer"),
        *((part.id, part.title.partition(":")[0]) for part in parts),
        ("reporting", "Reporting"),
    ]


def _checklist(facts: Facts, name: str) -> Checklist:
    """A reporting checklist, an item without evidence shown as missing."""
    title, items = checklists()[name]["title"], checklist(facts, name)
    columns: dict[str, Callable[[ChecklistItem], str]] = {
        "Section": lambda one: one.section,
        "Item": lambda one: one.item,
        "State": lambda one: "answered" if one.present else "missing",
        "Evidence in this run": lambda one: one.evidence,
    }
    table = filled(title, items, columns)
    return Checklist(name, title, sum(one.present for one in items), table)
