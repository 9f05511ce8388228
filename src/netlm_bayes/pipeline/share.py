"""A cohort's patients to the table that their site may share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netlm_bayes.codebook import BUNDLED, PATIENT_COLUMNS, Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.files.schema import repeated
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.files.writing import check_place, write_whole
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.ipd.variables import LONGEST
from netlm_bayes.model import CUTS, Model, Outcome, read_model
from netlm_bayes.pipeline.reconstruct import MARK
from netlm_bayes.report.site_table import report
from netlm_bayes.sites.exchange import as_json
from netlm_bayes.sites.information import OUTCOMES, Choice, Made
from netlm_bayes.sites.make import better_order, outcomes_known, site_table

if TYPE_CHECKING:
    from netlm_bayes.sites.table import SiteTable

SURVIVAL_MODEL, RESPONSE_MODEL = "pfs-weibull", "response-logistic"
"""Bundled models, whose covariates are shared where none are named."""
SUFFIXES = (".json",)
NOTHING_KEPT = 0.005
"""Share of an effect's information that is said as 0 %."""


@dataclass(frozen=True)
class Shared:
    """A table that a site may share.

    Attributes
    ----------
    table : SiteTable
        Groups of patients and their sums.
    data : bytes
        The JSON that `save` writes.
    notes : tuple of str
        What the table holds, keeps and gives away: to be read before it is sent.
    """

    table: SiteTable
    data: bytes = field(repr=False)
    notes: tuple[str, ...]

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the table's JSON, whole or not at all; `force` replaces a file that is there."""
        place = Path(path)
        check_place(place, SUFFIXES, "share", force)
        write_whole(place, self.data)
        return place


def share(
    data: Any,
    *,
    model: str | Path | Model | None = None,
    covariates: Sequence[str] = (),
    cuts: Sequence[float] = (),
    minimum: int = 5,
    weibull: bool = False,
    at_scan: bool = False,
    outcome: Outcome | None = None,
    institution: str = "",
) -> Shared:
    """Make a table of one institution's patients that it may share: sums over groups of them.

    Parameters
    ----------
    data : str, Path, DataFrame or Cohort
        Patients, as for `fit`.
    model : str, Path or Model, optional
        Whose covariates and cuts.
    covariates : sequence of str
        In the order in which groups are divided; if none, those of the model, or of the bundled
        models.
    cuts : sequence of float
        Months between intervals; if none, those of the model, or the default ones.
    minimum : int, default 5
        Patients in the smallest group.
    weibull : bool, default False
        Also what Weibull models need: tells the times of single patients of small groups.
    at_scan : bool, default False
        Count events between two scans at the one that saw them.
    outcome : {"survival", "response"}, optional
        Only this one.
    institution : str, optional
        Which of the institutions in the table of patients.

    Returns
    -------
    Shared

    Raises
    ------
    InputError, InputErrors
        The cohort has no patients, or what is wanted cannot be had of them.
    """
    spec = read_model(str(model)) if isinstance(model, (str, Path)) else model
    file = _chosen(read_cohorts(data), institution)
    patients = _patients(file)
    problems = [
        *_faulty_cuts(cuts),
        *_faulty_outcome(spec, outcome, patients),
        *_faulty_covariates(covariates, patients, file.codebook),
    ]
    if problems:
        raise InputError("share", problems)
    asked = tuple(covariates) or _asked(spec, outcome, patients, file)
    names = tuple(name for name in asked if covariates or _has(patients, name))
    choice = Choice(
        covariates=names,
        ordered=bool(covariates),
        cuts=tuple(cuts) or _cuts(spec),
        minimum=minimum,
        weibull=weibull,
        at_scan=at_scan,
        outcomes=(outcome,) if outcome else OUTCOMES,
        endpoint=file.cohort.patients.endpoint if file.cohort.patients else "",
    )
    wanted = asked if spec and not covariates else ()
    return _shared(file, patients, choice, _left_out(names, patients, file.codebook, wanted))


def _shared(file: CohortFile, patients: Patients, choice: Choice, notes: list[str]) -> Shared:
    """Make the table that is chosen of a cohort's patients."""
    source = file.data_name or file.name
    made = site_table(patients, file.codebook, choice, source)
    _refuse_uninformative(made, source)
    if choice.ordered:
        notes += better_order(made, patients, file.codebook, choice)
    # The few who are left out for their gaps are not counted: n less the groups would tell them.
    few = made.left_out.patients if made.left_out else 0
    left = patients.n - few - int(made.patterns.patients.sum())
    without = f"; {left} left out, of whom no outcome to share is known" if left else ""
    head = f"{file.cohort.id}: {patients.n - few} patients{without}"
    cohort = file.cohort.model_copy(update={"n": file.cohort.n - few})
    data = as_json(made.table, cohort, file.codebook)
    return Shared(made.table, data, (head, *report(made, choice), *notes))


def _patients(file: CohortFile) -> Patients:
    """Patients of a site, and of nobody else."""
    if file.patients is None:
        what = "is a site table already" if file.table else "has no patients; a paper is public"
        raise InputError(file.name, [Problem("", what)])
    if any(MARK in name.lower() for name in (file.cohort.id, file.cohort.label, file.data_name)):
        what = f"holds {MARK} patients, who are nobody's; share the curve that they are from"
        raise InputError(file.name, [Problem("", what)])
    return file.patients


def _refuse_uninformative(made: Made, source: str) -> None:
    """Refuse a table from which no effect can be learnt: it gives patients away for nothing."""
    kept = [share for effects in made.kept.values() for share in effects.values()]
    if kept and max(kept) < NOTHING_KEPT:
        what = (
            "NO LEVEL CAN BE TOLD: the table would keep 0 % of the information on every effect."
            " Name fewer covariates, or others, by --covariates, or, where that may be,"
            " a smaller --minimum"
        )
        raise InputError(source, [Problem("covariates", what)])


def _chosen(files: Sequence[CohortFile], institution: str) -> CohortFile:
    """Cohort of the institution that is meant."""
    names = [file.cohort.institution for file in files]
    if institution:
        if institution not in names:
            there = did_you_mean(institution, names) or f"; there are {', '.join(names) or 'none'}"
            what = f"no such institution '{institution}'{there}"
            raise InputError("share", [Problem("institution", what)])
        return files[names.index(institution)]
    if len(files) > 1:
        what = f"must be one of {', '.join(names)}: a table is of one institution"
        raise InputError("share", [Problem("institution", what)])
    return files[0]


def _faulty_cuts(cuts: Sequence[float]) -> Iterator[Problem]:
    if not all(a < b <= LONGEST for a, b in pairwise((0.0, *cuts))):
        got = ", ".join(f"{cut:g}" for cut in cuts)
        yield Problem("cuts", f"must be rising months > 0; got {got}")


def _faulty_outcome(
    model: Model | None, outcome: Outcome | None, patients: Patients
) -> Iterator[Problem]:
    if model and model.landmark is not None:
        yield Problem("model", "starts at a landmark; a table is from the first day on")
    asked = outcome or (model.outcome if model else None)
    if asked and not outcomes_known(patients)[asked].any():
        why = "--outcome" if outcome else "--model"
        yield Problem(asked, f"is not there: {why} asks for it and no patient has it")


def _faulty_covariates(
    covariates: Sequence[str], patients: Patients, codebook: Codebook
) -> Iterator[Problem]:
    known = {name: c for name, c in codebook.covariates.items() if name not in PATIENT_COLUMNS}
    for name in repeated(covariates):
        yield Problem("covariates", f"must not repeat; got '{name}' twice")
    for name in covariates:
        if name not in known:
            what = f"no such covariate '{name}'{did_you_mean(name, known)}"
        elif known[name].post_baseline:
            what = f"'{name}' is known only after the clock has started"
        elif not known[name].levels:
            what = f"'{name}' is continuous; only covariates with levels can be shared"
        elif not _has(patients, name):
            what = f"no patient has '{name}'"
        else:
            continue
        yield Problem("covariates", what)


def _cuts(model: Model | None) -> tuple[float, ...]:
    """Months at which a model may step, or the default ones."""
    if model is None or model.outcome == "response":
        return CUTS
    return tuple(sorted({*model.cuts, *({model.change.months} if model.change else ())}))


def _asked(
    model: Model | None, outcome: Outcome | None, patients: Patients, file: CohortFile
) -> tuple[str, ...]:
    """Covariates of a model, of the bundled models, or of the codebook."""
    codebook = file.codebook
    if model:
        unknown = [name for name in model.covariates if name not in codebook.covariates]
        if unknown:
            what = f"names covariates that the codebook of {file.name} has not"
            what = f"{what}: {', '.join(unknown)}"
            raise InputError(f"model {model.name}", [Problem("covariates", what)])
        return tuple(model.covariates)
    if codebook.id == BUNDLED:
        timed = bool(patients.timed.any()) and outcome != "response"
        return tuple(read_model(SURVIVAL_MODEL if timed else RESPONSE_MODEL).covariates)
    return tuple(name for name, c in codebook.covariates.items() if not c.post_baseline)


def _has(patients: Patients, name: str) -> bool:
    """Whether any patient has a level of a covariate."""
    return name in patients.levels and bool((patients.levels[name] != MISSING).any())


def _left_out(
    shared: Sequence[str], patients: Patients, codebook: Codebook, asked: Sequence[str] = ()
) -> list[str]:
    """Say which covariates are there and not shared, or asked for and not there."""
    alone = {k: x for k, x in patients.values.items() if k not in patients.levels}
    continuous = [name for name, x in alone.items() if not np.isnan(x).all()]
    named = [
        name
        for name, covariate in codebook.covariates.items()
        if name not in shared and not covariate.post_baseline and _has(patients, name)
    ]
    absent = [name for name in asked if name not in shared and name not in continuous]
    reasons = {
        "not shared, for they are continuous": continuous,
        "not shared, for they were not asked for (--covariates)": named,
        "in the model, and known of no patient": absent,
    }
    return [f"{why}: {', '.join(names)}" for why, names in reasons.items() if names]
