"""A run's posterior asked for a kind of patient: estimates, curves and a figure of their own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import GateError, RunError
from netlm_bayes.estimands.description import Described, Profile
from netlm_bayes.estimands.profile import Predicted, predict_profile, profile_of
from netlm_bayes.estimands.summary import stacked, tidy
from netlm_bayes.inference.gate import Accepted, Check, check_draws
from netlm_bayes.pipeline.summary import interval
from netlm_bayes.report.figures import Labels
from netlm_bayes.report.figures.profile import draw_profile
from netlm_bayes.spec import ModelSpec

Tables = dict[str, pd.DataFrame]
SIGNS = {">=": " at least ", "<=": " at most ", ">": " over ", "<": " under ", "+": " plus "}
IN_WORDS = {
    "median": "median, months",
    "rmst": "event-free months of the first {:g}, mean",
    "survival": "event-free at {:g} months",
    "response_probability": "probability of response",
}


@dataclass(frozen=True)
class Fitted:
    """What a run left for a prediction.

    Attributes
    ----------
    spec : ModelSpec
    described : mapping
        Its populations.
    labels : Labels
    seed : int
    checks : tuple of Check
        All passed.
    """

    spec: ModelSpec
    described: Described
    labels: Labels
    seed: int
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Prediction:
    """One kind of patient, predicted.

    Attributes
    ----------
    folder : Path
        What was written.
    profile, basis : str
        Who is predicted, and what the estimates are averaged over.
    tables : dict of DataFrame
        `prediction` and, of survival, `prediction_curves`; both tidy.
    """

    folder: Path
    profile: str
    basis: str
    tables: dict[str, pd.DataFrame]


def predict(run: Path, settings: Sequence[str], out: Path | None, command: str) -> Prediction:
    """Predict a kind of patient from a run, into a folder of its own.

    Parameters
    ----------
    run : Path
        Folder of a fit.
    settings : sequence of str
        The profile, each `covariate=level`.
    out : Path, optional
        The prediction's folder, beside the run by default; an earlier one is replaced.
    command : str
        As typed, for the manifest.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        With every fault of the profile.
    RunError
        The folder is no run that can be asked, or `out` would overwrite it.
    GateError
        What is predicted did not converge; diagnostics are written, estimates are not.
    """
    started, fitted = time.perf_counter(), read_fitted(run)
    profile = profile_of(settings, fitted.described)
    out = out or prediction_folder(run, profile)
    _refuse_to_lose(run, out)
    accepted = Accepted(store.read_posterior(run), fitted.checks)
    predicted = predict_profile(profile, fitted.described, fitted.spec, accepted, fitted.seed)
    chains = accepted.tree["posterior"].sizes["chain"]
    checks = check_draws("predicted estimands", stacked(predicted.quantities, chains))
    failed = [f"{c.name} {c.value:.3g} (limit {c.limit:g})" for c in checks if not c.passed]
    tables = {} if failed else _tables(predicted, chains, fitted.spec.level)
    with store.run_folder(out) as folder:
        store.write_checks(folder, [*fitted.checks, *checks])
        if tables:
            store.write_tables(folder, tables)
            draw_profile(tables, predicted.parts, predicted.basis, fitted.labels, folder)
        seconds = {"all": round(time.perf_counter() - started, 2)}
        _write_manifest(folder, run, command, fitted.seed, seconds, predicted.parts)
    if failed:
        what = f"the prediction did not converge: {'; '.join(failed)}"
        raise GateError(f"{run}: {what}; make the run again with more --draws")
    return Prediction(out, ", ".join(predicted.parts), predicted.basis, tables)


def read_fitted(run: Path) -> Fitted:
    """Read what a run left for others to ask it, all but its draws.

    Parameters
    ----------
    run : Path

    Returns
    -------
    Fitted

    Raises
    ------
    RunError
        The folder is no run of a model, or did not converge.
    """
    manifest = store.read_manifest(run)
    details: Mapping[str, Any] = manifest.get("details", {})
    if "model" not in details:
        raise RunError(f"{run}: is no run of a model")
    checks = _checks(run)
    if failed := [check.name for check in checks if not check.passed]:
        raise RunError(f"{run}: did not converge ({', '.join(failed)}); it holds no estimates")
    if "population" not in details:
        raise RunError(f"{run}: does not describe its populations; make the run again")
    spec = ModelSpec.model_validate(details["model"])
    labels = Labels.from_manifest(details["labels"])
    return Fitted(spec, details["population"], labels, int(manifest["seed"]), checks)


def _checks(run: Path) -> tuple[Check, ...]:
    """Diagnostics of a run."""
    path = run / store.DIAGNOSTICS
    if not path.is_file():
        raise RunError(f"{run}: holds no {store.DIAGNOSTICS}; make the run again")
    return tuple(Check(**found) for found in json.loads(path.read_text("utf-8")))


def prediction_folder(run: Path, profile: Profile) -> Path:
    """Folder of a prediction beside its run: `predict-fit-pfs-weibull-htb-over-50`.

    Parameters
    ----------
    run : Path
    profile : Profile

    Returns
    -------
    Path

    Examples
    --------
    >>> prediction_folder(Path("results/fit"), Profile({"ki67": "<=10%"}, {"age": 63})).as_posix()
    'results/predict-fit-ki67-at-most-10-age-63'
    """
    given = [*profile.levels.items(), *((name, f"{x:g}") for name, x in profile.numbers.items())]
    text = " ".join(f"{name} {value}" for name, value in given)
    for sign, words in SIGNS.items():
        text = text.replace(sign, words)
    place = run.resolve()
    name = re.sub(r"[^\w.]+", "-", f"predict {place.name} {text}").strip("-")
    return (run.parent if run.name else place.parent) / name


def _refuse_to_lose(run: Path, out: Path) -> None:
    """Refuse a folder whose replacement would take the run with it, or that is no run."""
    if run.resolve().is_relative_to(out.resolve()):
        raise RunError(f"{out}: holds the run that is asked; choose another --out")
    store.refuse_what_is_no_run(out)


def _tables(predicted: Predicted, chains: int, level: float) -> Tables:
    tables = {
        "prediction": tidy(predicted.quantities, chains, level),
        "prediction_curves": tidy(predicted.curves, chains, level),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _write_manifest(
    folder: Path,
    run: Path,
    command: str,
    seed: int,
    seconds: Mapping[str, float],
    parts: Sequence[str],
) -> None:
    """Write the manifest: the inputs are the run's own."""
    inputs = {name: store.digest_file(run / name) for name in (store.MANIFEST, "posterior.nc")}
    details = {"run": run.resolve().name, "profile": list(parts)}
    store.write_manifest(folder, store.Manifest(command, seed, inputs, seconds, details))


def prediction_lines(prediction: Prediction) -> list[tuple[str, str, str, str]]:
    """Rows of a prediction as a person reads them.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    list of (cohort, what, estimate with interval, remark or "")
        In the table's order; the remark is what the row's note says beside the basis.
    """
    lines = []
    for row in prediction.tables["prediction"].to_dict("records"):
        estimand = str(row["estimand"])
        words = IN_WORDS[estimand].format(row["horizon_months"])
        what = words if row["endpoint"] == "response" else f"{row['endpoint']}: {words}"
        digits = 1 if estimand in ("median", "rmst") else 2
        remark = str(row["note"]).removeprefix(prediction.basis).removeprefix("; ")
        lines.append((str(row["cohort"]), what, interval(row, digits), remark))
    return lines
