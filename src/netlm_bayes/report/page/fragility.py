"""What would have to be believed, or weigh more, for the answer to change."""

from __future__ import annotations

from netlm_bayes.estimands.power_scaling import LARGE, NEITHER, power_scaling
from netlm_bayes.report.figures.tidy import rows_of
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, number, plain_table, text_table


def power_scaling_table(run: PageRun) -> TextTable | None:
    """Sensitivity to the weight of prior and evidence.

    Parameters
    ----------
    run : PageRun

    Returns
    -------
    TextTable or None
        None where the run keeps no log likelihood.
    """
    found = power_scaling(run.tree, run.spec)
    if found.empty:
        return None
    columns = ("Parameter", "Prior", "Evidence", "Reading")
    rows = [
        (row.parameter, number(row.prior, 3), number(row.likelihood, 3), row.diagnosis)
        for row in rows_of(found)
    ]
    weighs = int((found["diagnosis"] != NEITHER).sum())
    caption = (
        "Sensitivity to power-scaling: change of the posterior per change of the weight; "
        f"above {LARGE:g} it matters. It does for {weighs} of {len(found)} parameters"
    )
    return text_table(caption, columns, rows, columns[1:3])


def fragility_tables(run: PageRun) -> tuple[TextTable, ...]:
    """What would have to be believed to change the pooled statements, first in words.

    Parameters
    ----------
    run : PageRun

    Returns
    -------
    tuple of TextTable
        Empty where the run has changed nothing.
    """
    found, told = [], run.tables.get("fragility_words")
    if told is not None and {"contrast", "statement", "words"} <= set(told.columns):
        columns = ("Contrast", "Pooled statement", "What would have to be believed to change it")
        rows = [
            (run.labels.contrast(row.contrast), str(row.statement), str(row.words))
            for row in rows_of(told)
        ]
        found.append(text_table("How fragile the pooled statements are, in words", columns, rows))
    table = run.tables.get("fragility")
    if table is not None and len(table):
        found.append(plain_table("Every pooled ratio under everything that was changed", table))
    return tuple(found)
