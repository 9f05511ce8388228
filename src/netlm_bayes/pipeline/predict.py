"""A run's posterior asked for a kind of patient: estimates, curves and a figure of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import GateError, RunError
from netlm_bayes.formats import estimate_of, interval, kind_of
from netlm_bayes.model import Model
from netlm_bayes.pipeline.run import beside
from netlm_bayes.pipeline.summary import html_table
from netlm_bayes.posterior.description import Profile
from netlm_bayes.posterior.profile import Predicted, predict_profile, profile_of
from netlm_bayes.posterior.summary import stacked, tidy
from netlm_bayes.report.charts import profile_chart
from netlm_bayes.report.draw import write_figures
from netlm_bayes.report.run import Run
from netlm_bayes.results import in_unit
from netlm_bayes.sampling.gate import Check, check_draws
from netlm_bayes.units import with_unit

Tables = dict[str, pd.DataFrame]
SIGNS = {">=": " at least ", "<=": " at most ", ">": " over ", "<": " under ", "+": " plus "}
IN_WORDS = {
    "median": "median, {unit}",
    "rmst": "mean {unit} {event_free} within the first {horizon:g}",
    "survival": "{event_free} at {time}",
    "response_probability": "probability of response",
}


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """One kind of patient, predicted.

    Attributes
    ----------
    run : Run
        That was asked.
    kind : Profile
        Who is predicted.
    parts : tuple of str
        The profile, a covariate each: ``htb: >50%``, ``age: 63 years``.
    basis : str
        What the estimates are averaged over.
    tables : mapping of DataFrame
        `prediction` and, of survival, `prediction_curves`; both tidy.
    checks : tuple of Check
        Of the run and of what is predicted.
    """

    run: Run
    kind: Profile
    parts: tuple[str, ...]
    basis: str
    tables: Mapping[str, pd.DataFrame]
    checks: tuple[Check, ...]

    @property
    def profile(self) -> str:
        """Who is predicted, in one line."""
        return ", ".join(self.parts)

    @property
    def table(self) -> pd.DataFrame:
        """Tidy estimates of every cohort, the pool and the next institution."""
        return self.tables["prediction"].copy()

    def save(self, out: str | Path, command: str = "") -> Path:
        """Write tables, figure, diagnostics and manifest into a folder of their own."""
        return _save(self, Path(out), command)

    def _repr_html_(self) -> str:
        """Show the estimates in a notebook."""
        columns = ("cohort", "what", "posterior (95 % interval)", "remark")
        return html_table(self.profile, columns, prediction_lines(self), self.basis)


def predict(run: Run, given: Mapping[str, Any]) -> Prediction:
    """Predict a kind of patient."""
    profile = profile_of(given, run.population)
    predicted = predict_profile(profile, run.population, run.model, run.accepted, run.seed)
    chains = run.idata["posterior"].sizes["chain"]
    checks = check_draws("predicted estimands", stacked(predicted.quantities, chains))
    if failed := [f"{c.name} {c.value:.3g} (limit {c.limit:g})" for c in checks if not c.passed]:
        what = f"the prediction did not converge: {'; '.join(failed)}"
        raise GateError(f"{what}; fit again with more draws")
    tables = _tables(predicted, chains, run.model)
    return Prediction(run, profile, predicted.parts, predicted.basis, tables, checks)


def _tables(predicted: Predicted, chains: int, spec: Model) -> Tables:
    found = {"prediction": predicted.quantities, "prediction_curves": predicted.curves}
    return {
        name: in_unit(tidy(quantities, chains, spec.level, name=name), spec.time_unit)
        for name, quantities in found.items()
        if quantities
    }


def _save(made: Prediction, out: Path, command: str) -> Path:
    """Write a prediction, whole or not at all; its inputs are the run's own."""
    run = made.run
    source = run.draws if isinstance(run.draws, Path) else None
    if source is not None and source.resolve().is_relative_to(out.resolve()):
        raise RunError(f"{out}: holds the run that is asked; choose another --out")
    with store.run_folder(out) as folder:
        store.write_checks(folder, [*run.checks, *made.checks])
        store.write_tables(folder, made.tables)
        chart = profile_chart(made.tables, made.parts, made.basis, run.labels)
        write_figures([chart], folder / "figures")
        asked = source.resolve().name if source else run.model.name
        inputs = (
            {name: store.digest_file(source / name) for name in (store.MANIFEST, store.POSTERIOR)}
            if source
            else run.manifest["inputs"]
        )
        details = {"run": asked, "profile": list(made.parts)}
        store.write_manifest(folder, store.Manifest(command, run.seed, inputs, {}, details))
    return out


def prediction_folder(run: Path, profile: Profile) -> Path:
    """Folder of a prediction beside its run: `predict-fit-pfs-weibull-htb-over-50`.

    >>> prediction_folder(Path("results/fit"), Profile({"ki67": "<=10%"}, {"age": 63})).as_posix()
    'results/predict-fit-ki67-at-most-10-age-63'
    """
    given = [*profile.levels.items(), *((name, f"{x:g}") for name, x in profile.numbers.items())]
    text = " ".join(f"{name} {value}" for name, value in given)
    for sign, words in SIGNS.items():
        text = text.replace(sign, words)
    name = re.sub(r"[^\w.]+", "-", f"predict {run.resolve().name} {text}").strip("-")
    return beside(run, name)


def prediction_lines(prediction: Prediction) -> list[tuple[str, str, str, str]]:
    """Rows of a prediction as a person reads them."""
    lines, unit = [], prediction.run.model.time_unit
    for row in prediction.tables["prediction"].to_dict("records"):
        estimand = str(row["estimand"])
        event_free = prediction.run.labels.event_free_of([str(row["endpoint"])])
        at = {"horizon": row["horizon"], "unit": unit, "time": with_unit(row["horizon"], unit)}
        words = IN_WORDS[estimand].format(event_free=event_free, **at)
        what = words if row["endpoint"] == "response" else f"{row['endpoint']}: {words}"
        numbers = interval(estimate_of(row), kind_of(row))
        lines.append((str(row["cohort"]), what, numbers, str(row["note"])))
    return lines
