"""Leave-one-out by Pareto-smoothed importance sampling: per patient, printed number and cohort.

What single patients or numbers contribute stays in memory; tables hold sums, and of influential
patients the line in their file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

import arviz_stats as azs
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline, Piecewise, Weibull, reference_curve
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.ipd.patients import Floats, Patients
from netlm_bayes.likelihood.graph import PAGE
from netlm_bayes.likelihood.patient_rows import (
    Alike,
    alike,
    collapsed,
    missing_levels,
    patient_order,
    patient_rows,
)
from netlm_bayes.likelihood.site_data import cell_rows
from netlm_bayes.likelihood.structure import printed_rows
from netlm_bayes.results import table

Array = NDArray[np.float64]
PATIENT, GROUP, PRINTED, COHORT = "patient", "group of patients", "printed number", "cohort"
PATIENTS, CELLS = "patients", "cells"
LARGEST_K = 0.7
ALIKE = 4.0
"""Differences below this do not tell models apart (Sivula et al. 2020, arXiv:2008.10296)."""
CONSTANT = 1e-12
BLOCK = 1000  # the library copies log likelihoods several times


@dataclass(frozen=True)
class Units:
    """Leave-one-out of each unit of one kind; in memory only."""

    # what tells the units apart: the same names in two models are the same data
    names: tuple[str, ...]
    # elpd, p, pareto_k: (units,); expected log predictive density, effective number of parameters,
    # and Pareto shape
    elpd: Array = field(repr=False)
    p: Array = field(repr=False)
    pareto_k: Array = field(repr=False)


@dataclass(frozen=True)
class LeftOut:
    """Leave-one-out of one posterior."""

    # under which the papers were read: printed numbers read otherwise are other data
    readings: tuple[str, ...]
    draws: int  # of the posterior, all chains together
    # by kind: `patient`, `group of patients`, `printed number`, `cohort`
    units: Mapping[str, Units]

    @property
    def threshold(self) -> float:
        r"""Pareto k up to which importance sampling from this many draws is reliable.

        .. math:: \min(1 - 1 / \log_{10} S, \; 0.7)
        """
        return float(min(1 - 1 / np.log10(self.draws), LARGEST_K))


def leave_one_out(analysis: Analysis, log_likelihood: xr.Dataset) -> LeftOut:
    r"""Leave every patient, every printed number and every cohort out, one at a time.

    .. math:: \mathrm{elpd} = \sum_i \log p(y_i \mid y_{-i})

    A printed number is left out given the others of its cohort. A group is one of a site's table.
    A cohort is the sum of what its patients, groups or curves say; of a model that learns
    across cohorts, leaving one out moves much of the posterior, and importance sampling often
    fails: see `Units.pareto_k`. Numbers of a printed page, each given the others, do not add up to
    the page, so that no cohort is left out beside one.
    """
    draws = log_likelihood.sizes["chain"] * log_likelihood.sizes["draw"]
    units: dict[str, Units] = {}
    lines, labelled = _lines(analysis), _labels(log_likelihood)
    if PATIENTS in log_likelihood:
        names = tuple(f"{cohort}, line {row}" for cohort, row in lines)
        units[PATIENT] = Units(names, *_left_out(log_likelihood[PATIENTS]))
    if CELLS in labelled:
        units[GROUP] = Units(tuple(labelled[CELLS]), *_left_out(log_likelihood[CELLS]))
    if printed := {kind: labels for kind, labels in labelled.items() if kind != CELLS}:
        kinds = [_left_out(log_likelihood[kind]) for kind in printed]
        names = tuple(name for labels in printed.values() for name in labels)
        units[PRINTED] = Units(names, *map(np.concatenate, zip(*kinds, strict=True)))
    adds_up = PAGE not in labelled and (PATIENTS in log_likelihood or not lines)
    if len(analysis.cohorts) > 1 and adds_up:
        owners = {kind: log_likelihood[f"{kind}_cohort"].to_numpy() for kind in labelled}
        if lines:
            owners[PATIENTS] = np.array([cohort for cohort, _ in lines])
        ids = tuple(cohort.cohort.id for cohort in analysis.cohorts)
        units[COHORT] = Units(ids, *_left_out(_by_cohort(log_likelihood, owners, ids)))
    return LeftOut(analysis.spec.readings, draws, units)


def _labels(log_likelihood: xr.Dataset) -> dict[str, list[str]]:
    """Labels of groups and of printed numbers, by kind."""
    return {
        str(kind): [str(label) for label in array[array.dims[-1]].to_numpy()]
        for kind, array in log_likelihood.data_vars.items()
        if kind != PATIENTS
    }


def _owners(analysis: Analysis) -> dict[str, list[str]]:
    """Cohort of every printed number and of every group, by kind, in the order of their rows."""
    rows = {kind: [own for own, _ in rows] for kind, rows in printed_rows(analysis).items()}
    cells = [(analysis.cohorts[one.place].cohort.id, one) for one in cell_rows(analysis)]
    return rows | {CELLS: [own for own, one in cells for _ in one.labels]}


def _by_cohort(
    log_likelihood: xr.Dataset, owners: Mapping[str, NDArray[np.str_]], ids: Sequence[str]
) -> xr.DataArray:
    """Sum of all that each cohort says; (chain, draw, cohorts)."""
    total = np.zeros((log_likelihood.sizes["chain"], log_likelihood.sizes["draw"], len(ids)))
    for kind, owner in owners.items():
        member = (owner[:, None] == np.array(ids)).astype(float)
        total += log_likelihood[kind].to_numpy() @ member
    return xr.DataArray(total, dims=("chain", "draw", "cohort"))


def _lines(analysis: Analysis) -> list[tuple[str, int]]:
    """Cohort and line of every patient, counted through all cohorts."""
    return [
        (cohort.cohort.id, int(row))
        for cohort in analysis.cohorts
        if cohort.patients is not None
        for row in cohort.patients.row
    ]


def _left_out(log_likelihood: xr.DataArray) -> tuple[Array, Array, Array]:
    """Elpd, effective parameters and Pareto k of each unit.

    A unit that no parameter moves loses nothing by being left out.
    """
    values = log_likelihood.to_numpy()
    elpd, p, pareto_k = values[0, 0].copy(), *np.zeros((2, values.shape[-1]))
    moved = np.ptp(values, axis=(0, 1)) > CONSTANT
    relative_ess = _relative_ess(values)
    for start in range(0, len(elpd), BLOCK):
        some = start + np.flatnonzero(moved[start : start + BLOCK])
        if len(some):
            elpd[some], pareto_k[some], p[some] = array_stats.loo(
                values[..., some], chain_axis=0, draw_axis=1, r_eff=relative_ess
            )
    return elpd, p, pareto_k


def _relative_ess(values: Array) -> float:
    """Effective draws of the joint log likelihood, over draws; 1 where chains tell nothing."""
    total = values.sum(axis=-1)
    found = float(azs.ess(total, method="mean", relative=True, chain_axis=0, draw_axis=1))
    return found if np.isfinite(found) else 1.0


def loo_table(fits: Mapping[str, LeftOut]) -> pd.DataFrame:
    r"""Compare models by how well each predicts what was left out.

    With :math:`d_i` the difference of a unit's elpd to the first model's,

    .. math:: \mathrm{difference} = \sum_i d_i, \qquad
              \mathrm{se} = \sqrt{n \operatorname{var}(d_i)}

    Positive is better than the first model. With fewer than 100 units these errors are too small.
    """
    rows: list[dict[str, object]] = []
    first = next(iter(fits.values()), None)
    for kind in (PATIENT, GROUP, PRINTED, COHORT):
        having = {name: fit for name, fit in fits.items() if kind in fit.units}
        rows += [_row(kind, name, fit, first) for name, fit in having.items()]
    return table("loo", rows)


def _row(kind: str, name: str, fit: LeftOut, first: LeftOut | None) -> dict[str, object]:
    units = fit.units[kind]
    elpd, se, p_loo, _ = array_stats.loo_summary(units.elpd, units.p)
    too_high = ~(units.pareto_k <= fit.threshold)
    difference, difference_se, why = _difference(kind, fit, first)
    largest = float(np.where(np.isnan(units.pareto_k), np.inf, units.pareto_k).max())
    words = [_unreliable(kind, int(too_high.sum()), len(units.names), largest), why]
    return {
        "unit": kind,
        "model": name,
        "n": len(units.names),
        "elpd_loo": float(elpd),
        "se": float(se) if len(units.names) > 1 else np.nan,
        "p_loo": float(p_loo),
        "difference": difference,
        "difference_se": difference_se,
        "largest_pareto_k": largest,
        "k_threshold": fit.threshold,
        "above_threshold": int(too_high.sum()),
        "note": "; ".join(word for word in words if word),
    }


def _difference(kind: str, fit: LeftOut, first: LeftOut | None) -> tuple[float, float, str]:
    """Paired difference to the first model, its error, and what to say of it."""
    if first is fit:
        return 0.0, 0.0, ""
    other = first.units.get(kind) if first else None
    own = fit.units[kind]
    reread = kind != PATIENT and first is not None and fit.readings != first.readings
    if other is None or other.names != own.names or reread:
        return np.nan, np.nan, "not the first model's data: no difference"
    apart = own.elpd - other.elpd
    total, n = float(apart.sum()), len(apart)
    se = float(np.sqrt(n * apart.var(ddof=1))) if n > 1 else np.nan
    alike = f"a difference below {ALIKE:g} does not tell the models apart"
    return total, se, alike if abs(total) < ALIKE else ""


def _unreliable(kind: str, count: int, n: int, largest: float) -> str:
    """Say what importance sampling could not leave out; empty if it could leave out everything."""
    if not count:
        return ""
    if kind == COHORT:
        what = "leaving a whole institution out by importance sampling fails here"
        return f"{what} ({count} of {n}, k up to {largest:.2g}); read it with care"
    kinds = "groups of patients" if kind == GROUP else f"{kind}s"
    what = f"leaving out {count} of {n} {kinds} by importance sampling fails"
    return f"{what} (k up to {largest:.2g}); read it with care"


def influential(analysis: Analysis, fit: LeftOut) -> pd.DataFrame:
    """Patients without whom the posterior would be another: Pareto k above the threshold."""
    if PATIENT not in fit.units:
        return table("influential", [])
    pareto_k = fit.units[PATIENT].pareto_k
    above = ~(pareto_k <= fit.threshold)
    lines = compress(_lines(analysis), above)
    rows = [
        {"cohort": cohort, "row": line, "pareto_k": k}
        for (cohort, line), k in zip(lines, pareto_k[above].tolist(), strict=True)
    ]
    found = table("influential", rows)
    return found.sort_values("pareto_k", ascending=False, ignore_index=True, kind="stable")


MOST_PATIENTS = 20_000
"""Patients above which no patient's own log likelihood is worked out."""


def with_patients(analysis: Analysis, tree: xr.DataTree) -> xr.DataTree:
    """Give draws the log likelihood of every patient, of sites' groups, and whose each row is."""
    found = tree["log_likelihood"].to_dataset()
    owners = {kind: own for kind, own in _owners(analysis).items() if kind in found}
    found = found.assign_coords({f"{k}_cohort": (f"{k}_row", own) for k, own in owners.items()})
    kinds = found["patients"].to_numpy() if "patients" in found else None
    found = found.drop_vars("patients", errors="ignore")
    cohorts = [c for c in analysis.cohorts if c.patients is not None]
    total = sum(c.patients.n for c in cohorts if c.patients is not None)
    whole = kinds is not None or collapsed(analysis).count.size == 0
    if 0 < total <= MOST_PATIENTS and whole:
        values = _patients(analysis, tree["posterior"].to_dataset(), kinds)
        found = found.drop_dims("patients_row", errors="ignore")
        found["patients"] = (("chain", "draw", "patients_row"), values)
    if "cells" in found:
        tables = {c.cohort.id for c in analysis.cohorts if c.table is not None}
        keep = [own in tables for own in owners[CELLS]]
        found = found.isel(cells_row=np.flatnonzero(keep))
        found = found if any(keep) else found.drop_vars("cells").drop_dims("cells_row")
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    return xr.DataTree.from_dict(groups | {"log_likelihood": found})


def _patients(analysis: Analysis, posterior: xr.Dataset, kinds: Floats | None) -> Floats:
    """Log likelihood of all patients; (chain, draw, patients)."""
    if kinds is not None:
        kinds = _in_order(analysis, kinds)
    parts, before = [], 0
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.patients is None:
            continue
        found = alike(analysis, cohort.patients)
        own = np.empty((posterior.sizes["chain"], posterior.sizes["draw"], cohort.patients.n))
        if kinds is not None:
            own[..., ~found.summed] = kinds[..., before + found.kind[~found.summed]]
        if found.summed.any():
            own[..., found.summed] = _summed(analysis, cohort, found, place, posterior)
        before += found.patients.n
        parts.append(own)
    return np.concatenate(parts, axis=-1)


def _in_order(analysis: Analysis, kinds: Floats) -> Floats:
    """Put the graph's log likelihoods in the order of the kinds."""
    rows = patient_rows(collapsed(analysis).analysis)
    if rows is None:
        return kinds
    order = patient_order(rows, missing_levels(rows, analysis))
    return np.asarray(kinds[..., np.argsort(order)])


def _summed(
    analysis: Analysis, cohort: CohortEvidence, found: Alike, place: int, posterior: xr.Dataset
) -> Floats:
    r"""Log likelihood of exact and censored patients; (chain, draw, patients).

    .. math:: -e^{\eta} \{H_0(t) - H_0(e)\} + d \{\eta + \log h_0(t)\}
    """
    if cohort.patients is None:
        return np.empty((0,))
    patients = cohort.patients.take(found.summed)
    pattern = analysis.patterns.places(patients.levels, patients.n)
    theta = posterior["theta"].to_numpy()[:, :, place]
    effects = theta[..., theta.shape[-1] - len(analysis.patterns.effects) :]
    linear = (effects @ analysis.patterns.design.T)[..., pattern]
    curve = _curve(analysis, theta, posterior)
    hazard = np.exp(linear) * (
        np.exp(curve.log_cumulative_hazard(patients.lower))
        - np.exp(curve.log_cumulative_hazard(patients.entry))
    )
    event = patients.exact
    out = np.asarray(-hazard)
    out[..., event] += linear[..., event] + _log_hazard(curve, patients.take(event))
    return out


def _curve(analysis: Analysis, theta: Floats, posterior: xr.Dataset) -> Baseline:
    """Curve of a cohort's reference profile, with a last axis for patients."""
    steps = posterior["log_hazard_step"].to_numpy() if "log_hazard_step" in posterior else None
    spec = analysis.spec
    curve = reference_curve(spec.baseline, spec.cuts, theta, steps, spec.anchor_months)
    return curve.per_pattern()


def _log_hazard(curve: Baseline, patients: Patients) -> Floats:
    """Log hazard of the reference profile at each patient's event; (chain, draw, patients)."""
    months = patients.lower
    if isinstance(curve, Weibull):
        return np.asarray(
            np.log(curve.shape) - np.log(months) + curve.log_cumulative_hazard(months)
        )
    if not isinstance(curve, Piecewise):
        raise TypeError(f"no hazard of a {type(curve).__name__}")
    interval = np.searchsorted(curve.cuts, months, side="left")
    return np.asarray(curve.log_hazard[..., 0, :][..., interval])
