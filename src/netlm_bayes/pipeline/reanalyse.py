"""The two published cohorts: audited without a model, and reanalysed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, inputs_of, lenders, read_cohorts
from netlm_bayes.published import audit as checks
from netlm_bayes.published.recover import recover_tables
from netlm_bayes.results import table

MODELS = ("pfs-weibull", "response-logistic")
Tables = dict[str, pd.DataFrame]
Sampling = tuple[int | None, int | None, int | None]
"""Draws, tuning steps and chains; the model's own where None."""


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
    levels = [
        {"cohort": found.cohort, "covariate": found.covariate, "unique": found.unique}
        | {"level": level, "responders": responders, "n": n}
        for file in files
        for found in recover_tables(file.cohort, file.codebook)
        for level, responders, n in zip(found.levels, found.responders, found.n, strict=True)
    ]
    checked = table("audit", map(asdict, rows))
    return {"audit": checked, "recovered_tables": table("recovered_tables", levels)}


def audit_run(data: Any, out: Path, command: str) -> dict[str, pd.DataFrame]:
    """Audit into a run folder, and give the tables written."""
    store.refuse_what_is_no_run(out)
    files = read_cohorts(data)
    tables = audit(files)
    with store.run_folder(out) as folder:
        store.write_tables(folder, tables)
        store.write_manifest(folder, store.Manifest(command, 0, inputs_of(files), {}, {}))
    return tables


def reanalyse(
    out: Path, seed: int, sampling: Sampling, command: str, say: Callable[[str], None]
) -> dict[str, Tables]:
    """Reanalyse the two published cohorts into one folder, each outcome in a process."""
    from netlm_bayes.posterior.estimates import adverse_event_rates
    from netlm_bayes.sampling.gate import NotConvergedError

    store.refuse_what_is_no_run(out)
    started, files = time.perf_counter(), read_cohorts(BUNDLED_COHORTS)
    with store.run_folder(out) as folder:
        say("auditing the printed papers")
        cohorts = [file.cohort for file in files]
        tables = audit(files) | {"adverse_events": adverse_event_rates(cohorts)}
        store.write_tables(folder, tables)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=len(MODELS), mp_context=context) as workers:
            futures = {
                name: workers.submit(_make, name, folder / name, seed, sampling, command, say)
                for name in MODELS
            }
        failures = [error for f in futures.values() if (error := f.exception()) is not None]
        for error in failures:
            if not isinstance(error, NotConvergedError):
                raise error
        seconds = {"all": round(time.perf_counter() - started, 2)}
        details = {"parts": list(MODELS)}
        manifest = store.Manifest(command, seed, inputs_of(files), seconds, details)
        store.write_manifest(folder, manifest)
    if failures:
        raise failures[0]
    return {"audit": tables, **{name: future.result() for name, future in futures.items()}}


def _make(
    model: str, out: Path, seed: int, sampling: Sampling, command: str, say: Callable[[str], None]
) -> Tables:
    """Make one model's run, in a worker."""
    from netlm_bayes.pipeline.fit import pool
    from netlm_bayes.pipeline.run import failure_kept

    draws, tune, chains = sampling
    options: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "progress": say}
    with failure_kept(out, command):
        found = pool(model, BUNDLED_COHORTS, seed=seed, **options)
    say(f"{model}: drawing figures")
    found.save(out, command=command)
    return dict(found.tables)
