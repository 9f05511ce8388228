"""What a page says in words: sentences, assumptions, methods and checklists of one run."""

from __future__ import annotations

from dataclasses import dataclass

from netlm_bayes.report.page.assumptions import assumptions
from netlm_bayes.report.page.checklists import ChecklistItem, barg, robust
from netlm_bayes.report.page.findings import findings
from netlm_bayes.report.page.methods import methods_paragraph
from netlm_bayes.report.page.quoted import Sentence
from netlm_bayes.report.page.run import PageRun


@dataclass(frozen=True)
class Content:
    """Words of a page; never markup."""

    sentences: tuple[Sentence, ...]  # what was asked, what was found, how far to trust it
    assumptions: tuple[str, ...]
    methods: tuple[str, ...]  # paragraphs ready to paste, the references last
    checklists: tuple[tuple[str, str, tuple[ChecklistItem, ...]], ...]


def content_of(run: PageRun) -> Content:
    """Say in words what a run holds."""
    tables, manifest, checks, has_script = run.tables, run.manifest, run.checks, bool(run.script)
    return Content(
        findings(tables, manifest, checks),
        assumptions(manifest, tables),
        tuple(methods_paragraph(manifest, tables, checks, has_script).split("\n\n")),
        (
            (
                "barg",
                "Bayesian Analysis Reporting Guidelines (10.1038/s41562-021-01177-7)",
                barg(tables, manifest, checks, has_script),
            ),
            (
                "robust",
                "ROBUST (10.1016/j.jclinepi.2004.08.010)",
                robust(tables, manifest, checks, has_script),
            ),
        ),
    )
