"""The whole reanalysis of the two published cohorts: audit, then both outcomes side by side."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes import store
from netlm_bayes.estimands.adverse_events import adverse_event_rates
from netlm_bayes.evidence.cohort_files import BUNDLED_COHORTS, inputs_of
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.pipeline.audit import audit
from netlm_bayes.sampling.gate import NotConvergedError

MODELS = ("pfs-weibull", "response-logistic")
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Order:
    """What one worker is to make; plain values, so that it can cross to another process."""

    model: str
    out: Path
    seed: int
    sampling: dict[str, int]
    command: str
    say: Callable[[str], None]


def reanalyse(
    out: Path, seed: int, sampling: dict[str, int], command: str, say: Callable[[str], None]
) -> dict[str, Tables]:
    """Reanalyse the two published cohorts into one folder."""
    store.refuse_what_is_no_run(out)
    started, files = time.perf_counter(), read_cohorts(BUNDLED_COHORTS)
    with store.run_folder(out) as folder:
        say("auditing the printed papers")
        cohorts = [file.cohort for file in files]
        tables = audit(files) | {"adverse_events": adverse_event_rates(cohorts)}
        store.write_tables(folder, tables)
        orders = [Order(name, folder / name, seed, sampling, command, say) for name in MODELS]
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=len(MODELS), mp_context=context) as pool:
            futures = {order.model: pool.submit(make, order) for order in orders}
        failures = [error for f in futures.values() if (error := f.exception()) is not None]
        if any(not isinstance(error, NotConvergedError) for error in failures):
            raise next(error for error in failures if not isinstance(error, NotConvergedError))
        seconds = {"all": round(time.perf_counter() - started, 2)}
        details = {"parts": list(MODELS)}
        store.write_manifest(
            folder, store.Manifest(command, seed, inputs_of(files), seconds, details)
        )
    if failures:
        raise failures[0]
    return {"audit": tables, **{name: future.result() for name, future in futures.items()}}


def make(order: Order) -> Tables:
    """Make one model's run, in a worker."""
    from netlm_bayes.pipeline.fit import fit
    from netlm_bayes.pipeline.run import failure_kept

    sampling: dict[str, Any] = dict(order.sampling)
    with failure_kept(order.out, order.command):
        found = fit(
            order.model,
            BUNDLED_COHORTS,
            seed=order.seed,
            sensitivity=True,
            progress=order.say,
            **sampling,
        )
    order.say(f"{order.model}: drawing figures")
    found.save(order.out, command=order.command)
    return dict(found.tables)
