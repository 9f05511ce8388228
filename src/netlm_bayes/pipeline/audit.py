"""Audit printed papers: no model, no PyMC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.cohort_files import BUNDLED_COHORTS, inputs_of, lenders
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.published import audit as checks
from netlm_bayes.published.recover import recover_tables
from netlm_bayes.report.audit import audit_tables


def audit(data: Any = BUNDLED_COHORTS) -> dict[str, pd.DataFrame]:
    """Recompute what papers print, to see whether it adds up.

    Parameters
    ----------
    data : str, Path or Cohort, or a sequence of these
        Cohorts of print, as for `fit`; the two bundled ones by default.

    Returns
    -------
    dict of DataFrame
        `audit`, a row a check with its verdict, and `recovered_tables`, the tables of whole
        numbers behind printed odds ratios.

    Raises
    ------
    InputError, InputErrors
        With every fault of every cohort; or a cohort prints nothing.

    Examples
    --------
    >>> import netlm_bayes as nb
    >>> found = nb.audit("sysu-2016-2020")["audit"]
    >>> int((found["verdict"] == "conflict").sum())
    3
    """
    files = read_cohorts(data)
    errors = [
        InputError(file.name, [Problem("", "prints nothing; an audit is of what a paper prints")])
        for file in files
        if not file.printed
    ]
    if errors:
        raise InputErrors(errors)
    others = lenders(files)
    rows = [row for file in files for row in checks.audit(file.cohort, file.codebook, others)]
    tables = [table for file in files for table in recover_tables(file.cohort, file.codebook)]
    return audit_tables(rows, tables)


def audit_run(data: Any, out: Path, command: str) -> dict[str, pd.DataFrame]:
    """Audit into a run folder, and give the tables written."""
    store.refuse_what_is_no_run(out)
    files = read_cohorts(data)
    tables = audit(files)
    with store.run_folder(out) as folder:
        store.write_tables(folder, tables)
        store.write_manifest(folder, store.Manifest(command, 0, inputs_of(files), {}, {}))
    return tables
