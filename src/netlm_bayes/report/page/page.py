"""A run to one self-contained page: content, charts and data in one document, under one policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from netlm_bayes.report.charts.description import TextTable, text_table
from netlm_bayes.report.page.charts import chart_json
from netlm_bayes.report.page.content import Content, content_of
from netlm_bayes.report.page.explorer import explorer_data, starting_profiles, why_no_explorer
from netlm_bayes.report.page.forms import listed
from netlm_bayes.report.page.library import SCRIPTS, STYLE, asset, charting_library
from netlm_bayes.report.page.quoted import FIRST
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.sections import Section, sections
from netlm_bayes.report.page.security import content_security_policy, embedded_json, inline

TEMPLATES = Path(__file__).parent / "templates"
PARTS = ("asked", "found", "trust")
MORE = {"asked": "point", "found": "finding", "trust": "point"}
"""What a part's sentences are counted as."""


@dataclass(frozen=True)
class Checklist:
    """A reporting checklist as the page shows it."""

    id: str
    title: str
    present: int
    table: TextTable


def render_page(run: PageRun) -> str:
    """Write the page of a run."""
    library, content, parts = charting_library(), content_of(run), sections(run)
    missing = why_no_explorer(run)
    explorer = None if missing else explorer_data(run)
    scripts = [inline(asset(name)) for name in (library.file, *SCRIPTS)]
    style = inline(asset(STYLE))
    template = _environment().get_template("page.html.j2")
    page: str = template.render(
        run=run,
        simulated=listed([run.labels.cohort(x) for x in run.manifest["details"]["synthetic"]]),
        title=page_title(run),
        contents=_contents(parts),
        answer=_answer(content),
        first=FIRST,
        more=MORE,
        assumptions=content.assumptions,
        methods=content.methods,
        checklists=_checklists(content),
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


def page_title(run: PageRun) -> str:
    """What the page is about: the primary endpoint, in the codebook's words."""
    if not run.is_survival:
        return "Response"
    endpoint: str = run.described["endpoints"][0]
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


def _answer(content: Content) -> Mapping[str, list[str]]:
    """Sentences by what they belong to."""
    return {part: [one.text for one in content.sentences if one.part == part] for part in PARTS}


def _checklists(content: Content) -> list[Checklist]:
    """Reporting checklists, an item without evidence shown as missing."""
    made = []
    for id_, title, items in content.checklists:
        rows = [
            (
                item.section,
                item.item,
                "answered" if item.present else "missing",
                item.evidence,
            )
            for item in items
        ]
        columns = ("Section", "Item", "State", "Evidence in this run")
        table = text_table(title, columns, rows)
        made.append(Checklist(id_, title, sum(item.present for item in items), table))
    return made
