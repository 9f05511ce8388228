"""A cohort's patients to the table that their site may share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netlm_bayes.codebook import BUNDLED, PATIENT_COLUMNS, Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.cohort_files import CohortFile
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.files.schema import repeated
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.files.writing import check_place, write_whole
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.ipd.survival import LONGEST
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
class Wanted:
    """What is asked of `share`."""

    model: Model | None = None  # whose covariates and cuts
    # in the order in which groups are divided; if none, those of the model, or of the bundled
    # models
    covariates: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()  # if none, those of the model, or the default ones
    minimum: int = 5
    weibull: bool = False
    at_scan: bool = False
    outcome: Outcome | None = None  # only this one


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
    wanted = Wanted(
        model=read_model(str(model)) if isinstance(model, (str, Path)) else model,
        covariates=tuple(covariates),
        cuts=tuple(cuts),
        minimum=minimum,
        weibull=weibull,
        at_scan=at_scan,
        outcome=outcome,
    )
    return _shared(_chosen(read_cohorts(data), institution), wanted)


def _shared(file: CohortFile, wanted: Wanted) -> Shared:
    """Make the table that is wanted of a cohort's patients."""
    patients = _patients(file)
    _check(wanted, file)
    names, notes = _covariates(wanted, patients, file.codebook, file.name)
    choice = Choice(
        covariates=names,
        ordered=bool(wanted.covariates),
        cuts=_cuts(wanted),
        minimum=wanted.minimum,
        weibull=wanted.weibull,
        at_scan=wanted.at_scan,
        outcomes=(wanted.outcome,) if wanted.outcome else OUTCOMES,
    )
    source = file.data_name or file.name
    made = site_table(patients, file.codebook, choice, source)
    _refuse_nothing_told(made, source)
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


def _refuse_nothing_told(made: Made, source: str) -> None:
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


def _check(wanted: Wanted, file: CohortFile) -> None:
    """Refuse what no table can say."""
    problems = []
    if not all(a < b <= LONGEST for a, b in pairwise((0.0, *wanted.cuts))):
        got = ", ".join(f"{cut:g}" for cut in wanted.cuts)
        problems.append(Problem("cuts", f"must be rising months > 0; got {got}"))
    if wanted.model and wanted.model.landmark is not None:
        problems.append(Problem("model", "starts at a landmark; a table is from the first day on"))
    asked = wanted.outcome or (wanted.model.outcome if wanted.model else None)
    if file.patients and asked and not outcomes_known(file.patients)[asked].any():
        why = "--outcome" if wanted.outcome else "--model"
        problems.append(Problem(asked, f"is not there: {why} asks for it and no patient has it"))
    known = {name: c for name, c in file.codebook.covariates.items() if name not in PATIENT_COLUMNS}
    for name in repeated(wanted.covariates):
        problems.append(Problem("covariates", f"must not repeat; got '{name}' twice"))
    for name in wanted.covariates:
        if name not in known:
            what = f"no such covariate '{name}'{did_you_mean(name, known)}"
        elif known[name].post_baseline:
            what = f"'{name}' is known only after the clock has started"
        elif not known[name].levels:
            what = f"'{name}' is continuous; only covariates with levels can be shared"
        elif file.patients and not _has(file.patients, name):
            what = f"no patient has '{name}'"
        else:
            continue
        problems.append(Problem("covariates", what))
    if problems:
        raise InputError("share", problems)


def _cuts(wanted: Wanted) -> tuple[float, ...]:
    """Those asked for, or those that the model may step at."""
    if wanted.cuts or wanted.model is None or wanted.model.outcome == "response":
        return wanted.cuts or CUTS
    change = {wanted.model.change.months} if wanted.model.change else set()
    return tuple(sorted({*wanted.model.cuts, *change}))


def _covariates(
    wanted: Wanted, patients: Patients, codebook: Codebook, source: str
) -> tuple[tuple[str, ...], list[str]]:
    """Covariates to share, and what is said of those that are not."""
    if wanted.covariates:
        return wanted.covariates, _left_out(wanted.covariates, patients, codebook)
    if wanted.model:
        asked = [*wanted.model.covariates]
        unknown = [name for name in asked if name not in codebook.covariates]
        if unknown:
            what = f"names covariates that the codebook of {source} has not: {', '.join(unknown)}"
            raise InputError(f"model {wanted.model.name}", [Problem("covariates", what)])
    elif codebook.id == BUNDLED:
        timed = bool(patients.timed.any()) and wanted.outcome != "response"
        asked = [*read_model(SURVIVAL_MODEL if timed else RESPONSE_MODEL).covariates]
    else:
        asked = [name for name, c in codebook.covariates.items() if not c.post_baseline]
    names = tuple(name for name in asked if _has(patients, name))
    return names, _left_out(names, patients, codebook, asked if wanted.model else ())


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
