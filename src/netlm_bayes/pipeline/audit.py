"""Audit printed papers: no model, no PyMC."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.audit import audit
from netlm_bayes.evidence.files import CohortFile, inputs_of, lenders
from netlm_bayes.evidence.recover import recover_tables
from netlm_bayes.report.audit import audit_tables


def audit_cohorts(files: tuple[CohortFile, ...]) -> dict[str, pd.DataFrame]:
    """Recompute what the cohorts' papers print.

    Returns
    -------
    dict of DataFrame
        `audit` and `recovered_tables`.
    """
    others = lenders(files)
    rows = [row for file in files for row in audit(file.cohort, file.codebook, others)]
    tables = [table for file in files for table in recover_tables(file.cohort, file.codebook)]
    return audit_tables(rows, tables)


def audit_run(files: tuple[CohortFile, ...], out: Path, command: str) -> dict[str, pd.DataFrame]:
    """Audit into a run folder.

    Returns
    -------
    dict of DataFrame
        The tables written.
    """
    store.refuse_what_is_no_run(out)
    errors = [
        InputError(file.name, [Problem("", "prints nothing; an audit is of what a paper prints")])
        for file in files
        if not file.printed
    ]
    if errors:
        raise InputErrors(errors)
    tables = audit_cohorts(files)
    with store.run_folder(out) as folder:
        store.write_tables(folder, tables)
        store.write_manifest(folder, store.Manifest(command, 0, inputs_of(files), {}, {}))
    return tables
