"""Trained pages to the numbers that a graph takes; those of all pages stand one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from netlm_bayes.curves import exposure
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.printed_page import theta_map
from netlm_bayes.evidence.support import mean_design
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.layout import Number, Page

Array = NDArray[np.float64]
TINY = 1e-300
UNBOUNDED = 12.0
"""How far a number known on one side only may lie beyond that bound, on its log scale."""


@dataclass(frozen=True)
class PageRows:
    """One cohort's page in the likelihood: its numbers there, and what emulates them."""

    place: int  # of the cohort
    evidence: CohortEvidence
    page: Page
    numbers: tuple[Number, ...]
    emulator: Emulator

    @property
    def nuisances(self) -> list[str]:
        """Names of the nuisances that are parameters of the page alone."""
        page, names = self.page, [factor.name for factor in self.page.factors]
        inputs, own = page.inputs, self.evidence.cohort.id
        pairs = [f"association {names[i]}, {names[j]}" for i, j in inputs.pairs]
        outside = [names[i] for i in inputs.outside]
        follow = ["follow-up share", "follow-up spread", "follow-up end"][: inputs.follow_up]
        found = [*pairs, *(f"ratio of {x}" for x in outside), *(f"share of {x}" for x in outside)]
        return [f"{own}: {name}" for name in (*found, *follow)]


def page_rows(analysis: Analysis) -> list[PageRows]:
    """Pages in the likelihood."""
    found = []
    for place, evidence in enumerate(analysis.cohorts):
        if evidence.page is None:
            continue
        if evidence.trained is None:
            raise ValueError(f"the page of {evidence.cohort.id} is not trained")
        page, emulator = evidence.trained.page, evidence.trained.emulator
        known = [page.numbers[i] for i in emulator.numbers]
        kept = np.array([x.use in {"fit", "conditioned", "latent"} for x in known])
        numbers = tuple(x for x, keep in zip(known, kept, strict=True) if keep)
        found.append(PageRows(place, evidence, page, numbers, emulator.of(kept)))
    return found


def page_data(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Every number of the pages."""
    data = {
        **_inputs(rows, analysis),
        **_emulators(rows),
        **_values(rows, analysis),
        **_existence(rows, analysis),
        **_selection(rows, analysis),
        **_latent(rows),
    }
    if any(number.pivot for one in rows for number in one.numbers):
        data |= _pivots(rows, analysis)
    return data


def _inputs(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Maps from the parameters of the graph to the inputs of the pages; priors of nuisances."""
    parts = [page_maps(one, analysis) for one in rows]
    names = dict.fromkeys(name for part in parts for name in part)
    data = {f"page_{name}": np.concatenate([part[name] for part in parts]) for name in names}
    nuisances = [len(one.nuisances) for one in rows]
    if sum(nuisances):
        data["page_nuisance"] = block_diag(*[_nuisances(one) for one in rows])
        data["nuisance_mean"] = np.concatenate([_nuisance_prior(one)[0] for one in rows])
        data["nuisance_sd"] = np.concatenate([_nuisance_prior(one)[1] for one in rows])
    return data


def page_maps(one: PageRows, analysis: Analysis) -> dict[str, Array]:
    """Maps from each kind of parameter to one page's inputs; (inputs, parameters)."""
    inputs, parts = one.page.inputs, one.page.inputs.parts
    own = theta_map(analysis, one.evidence)
    size = own.shape[1]
    theta = np.zeros((inputs.size, len(analysis.cohorts) * size))
    theta[: len(own), one.place * size : (one.place + 1) * size] = own
    found = {"theta": theta}
    if inputs.steps:
        steps = np.zeros((inputs.size, inputs.steps + 1))
        steps[parts["steps"], 1:] = np.eye(inputs.steps)
        found["steps"] = steps
    if inputs.shares:
        share = np.zeros((inputs.size, inputs.shares))
        share[parts["shares"]] = np.eye(inputs.shares)
        found["share"] = share
    if inputs.apart:
        found["share_effect"] = _share_effects(one, analysis)
    if tilts := [c for c in analysis.cohorts if c.margin_log_sd.any()]:
        found["tilt"] = _tilts(one, analysis, [c.cohort.id for c in tilts])
    return found


def _share_effects(one: PageRows, analysis: Analysis) -> Array:
    """From effects on the shares: at the cohort's mean patient, and by themselves."""
    inputs, parts, patterns = one.page.inputs, one.page.inputs.parts, analysis.patterns
    effects, spoken = len(patterns.effects), _spoken(one, analysis)
    out = np.zeros((inputs.size, inputs.shares * effects))
    away = mean_design(patterns, one.evidence.joint, {}) - analysis.centre
    for k, part in enumerate(inputs.apart):
        columns = slice(part * effects, (part + 1) * effects)
        out[parts["shares"].start + part, columns] = away
        first = parts["share_effects"].start + k * len(inputs.effects)
        out[first : first + len(inputs.effects), columns] = np.eye(effects)[spoken]
    return out


def _spoken(one: PageRows, analysis: Analysis) -> NDArray[np.bool_]:
    silent = one.evidence.silent
    return np.array([name not in silent for name, _ in analysis.patterns.effects], bool)


def _tilts(one: PageRows, analysis: Analysis, borrowing: Sequence[str]) -> Array:
    """From the standardised tilts of borrowed margins."""
    inputs, covariates = one.page.inputs, analysis.patterns.covariates
    out = np.zeros((inputs.size, len(borrowing) * len(covariates)))
    for k, factor in enumerate(inputs.tilts):
        name = one.page.factors[factor].name
        cohort = borrowing.index(one.evidence.cohort.id)
        column = cohort * len(covariates) + covariates.index(name)
        out[inputs.parts["tilt"].start + k, column] = 1.0
    return out


NUISANCES = ("association", "outside_ratio", "outside_share", "follow_up")
"""Parts of the inputs that are parameters of a page alone."""


def _columns(one: PageRows) -> NDArray[np.int_]:
    places = np.arange(one.page.inputs.size)
    return np.concatenate([places[one.page.inputs.parts[name]] for name in NUISANCES])


def _nuisances(one: PageRows) -> Array:
    return np.eye(one.page.inputs.size)[:, _columns(one)]


def _nuisance_prior(one: PageRows) -> tuple[Array, Array]:
    columns = _columns(one)
    variance = np.diag(one.page.prior_covariance)[columns]
    return one.page.prior_mean[columns], np.sqrt(variance)


def _emulators(rows: Sequence[PageRows]) -> dict[str, Array]:
    """Mean and covariance, standardised inputs of all pages in one vector."""
    starts = np.cumsum([0, *(one.page.inputs.size for one in rows)])
    pairs = [one.emulator.pairs + start for one, start in zip(rows, starts, strict=False)]
    slopes = [[], [], []]  # type: list[list[Array]]
    for one in rows:
        d, b = one.page.inputs.size, one.emulator.coefficients
        for part, block in zip(
            slopes, (b[1 : d + 1], b[d + 1 : 2 * d + 1], b[2 * d + 1 :]), strict=True
        ):
            part.append(block)
    data = {
        "page_centre": np.concatenate([one.emulator.centre for one in rows]),
        "page_scale": np.concatenate([one.emulator.scale for one in rows]),
        "page_intercept": np.concatenate([one.emulator.coefficients[0] for one in rows]),
        "page_linear": block_diag(*slopes[0]),
        "page_square": block_diag(*slopes[1]),
        "page_log_sd": np.concatenate([one.emulator.log_sd_slopes[0] for one in rows]),
        "page_log_sd_slope": block_diag(*[one.emulator.log_sd_slopes[1:] for one in rows]),
        "page_added": np.concatenate([one.emulator.added for one in rows]),
        "page_whitener": block_diag(*[one.emulator.whitener for one in rows]),
    }
    if any(len(pair) for pair in pairs):
        data["page_pairs"] = np.concatenate(pairs).T.astype(float)
        data["page_product"] = block_diag(*slopes[2])
    return data


def _values(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """What is printed, and how much of each whitened number counts."""
    numbers = [(one, x) for one in rows for x in one.numbers]
    weight = [analysis.weight_of(one.evidence) for one, _ in numbers]
    known = [float(x.use != "conditioned") for _, x in numbers]
    return {
        "page_value": np.nan_to_num([x.value for _, x in numbers]),
        "page_weight": np.array(weight) * known,
    }


def _existence(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Log odds that the numbers exist, of pages where that is not all but sure."""
    found = [one for one in rows if len(one.emulator.existence)]
    if not found:
        return {}
    starts = np.cumsum([0, *(one.page.inputs.size for one in rows)])
    slopes = np.zeros((len(found), 2, starts[-1]))
    for k, one in enumerate(found):
        d, start = one.page.inputs.size, starts[rows.index(one)]
        slopes[k, 0, start : start + d] = one.emulator.existence[1 : d + 1]
        slopes[k, 1, start : start + d] = one.emulator.existence[d + 1 :]
    return {
        "page_existence": np.array([one.emulator.existence[0] for one in found]),
        "page_existence_slope": slopes[:, 0],
        "page_existence_square": slopes[:, 1],
        "page_existence_weight": np.array([analysis.weight_of(one.evidence) for one in found]),
    }


def _selection(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Numbers that are printed because they are significant, and their standard errors."""
    every = [(one, x) for one in rows for x in one.numbers]
    places = [k for k, (_, x) in enumerate(every) if x.threshold and x.use == "fit"]
    if analysis.spec.selection == "ignored" or not places:
        return {}
    return {
        "selected": np.array([float(k) for k in places]),
        "selected_se": np.array([_se_place(every, k) for k in places]),
        "selected_threshold": np.array([every[k][1].threshold for k in places]),
        "selected_weight": np.array([analysis.weight_of(every[k][0].evidence) for k in places]),
    }


def _se_place(every: Sequence[tuple[PageRows, Number]], ratio: int) -> float:
    """Place of a ratio's printed standard error; -1 where there is none."""
    page, number = every[ratio]
    found = (
        k
        for k, (one, x) in enumerate(every)
        if one is page and x.kind == "log_se" and x.item == number.item
    )
    return float(next(found, -1))


def _latent(rows: Sequence[PageRows]) -> dict[str, Array]:
    """Numbers of which only bounds are known: fixed ones, or a multiple of the standard error."""
    every = [x for one in rows for x in one.numbers]
    places = [k for k, x in enumerate(every) if x.use == "latent"]
    if not places:
        return {}
    bounds = []
    for k in places:
        low, high = every[k].bounds or (0.0, 0.0)
        low = high - UNBOUNDED if np.isneginf(low) else low
        bounds.append((low, low + UNBOUNDED if np.isposinf(high) else high))
    return {
        "latent": np.array([float(k) for k in places]),
        "latent_bounds": np.array(bounds),
        "latent_reach": np.array([every[k].threshold for k in places]),
    }


def _pivots(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Points of population curves: linear predictor in the inputs, mix and time of each."""
    starts, place, found = np.cumsum([0, *(x.page.inputs.size for x in rows)]), 0, []
    for one, start in zip(rows, starts, strict=False):
        for number in one.numbers:
            if number.pivot:
                found.append((place, one, number, int(start)))
            place += 1
    size, spec = int(starts[-1]), analysis.spec
    linear, share, shape = (np.zeros((len(found), size)) for _ in range(3))
    for k, (_, one, number, start) in enumerate(found):
        linear[k, start : start + one.page.inputs.size] = _linear(one, number)
        share[k, start : start + one.page.inputs.size] = _share(one, number)
        shape[k, start + min(1, len(one.page.inputs.own) - 1)] = 1.0
    mix = [(one.page.group_share[x.of], one.page.group_apart[x.of]) for _, one, x, _ in found]
    months = np.array([x.months for _, _, x, _ in found])
    weight = [analysis.weight_of(one.evidence) for _, one, _, _ in found]
    data = {
        "pivot": np.array([float(k) for k, *_ in found]),
        "pivot_linear": linear,
        "pivot_log_share": np.log(np.maximum([share for share, _ in mix], TINY)),
        "pivot_apart": np.array([apart for _, apart in mix]),
        "pivot_jacobian": np.array(
            [
                w * (x.kind == "median" and x.use == "fit")
                for w, (_, _, x, _) in zip(weight, found, strict=True)
            ]
        ),
    }
    if share.any():
        data["pivot_share"] = share
        data["pivot_part"] = np.array([float(row.any()) for row in share])
    if spec.baseline == "weibull":
        return data | {
            "pivot_log_shape": shape,
            "pivot_log_time": np.log(months / spec.anchor_months),
        }
    within = np.array(spec.cuts)[None, :] < months[:, None]
    return data | {
        "pivot_exposure": exposure(months, spec.cuts),
        "pivot_log_month": np.log(months),
        "pivot_interval": np.eye(len(spec.cuts) + 1)[within.sum(axis=1)],
    }


def _linear(one: PageRows, number: Number) -> Array:
    """Level and effects of a group's mean linear predictor; (inputs,)."""
    inputs, out = one.page.inputs, np.zeros(one.page.inputs.size)
    out[0] = 1.0
    out[inputs.parts["effects"]] = one.page.group_design[number.of]
    return out


def _share(one: PageRows, number: Number) -> Array:
    """Logit of the share of the hazard that a group's curve is of, 0 of the first endpoint."""
    page, inputs = one.page, one.page.inputs
    out, endpoint = np.zeros(inputs.size), page.groups[number.of].endpoint
    if endpoint:
        out[inputs.parts["shares"].start + endpoint - 1] = 1.0
    if endpoint - 1 in inputs.apart:
        first = inputs.parts["share_effects"].start
        first += inputs.apart.index(endpoint - 1) * len(inputs.effects)
        out[first : first + len(inputs.effects)] = page.group_design[number.of]
    return out


def labels_of(rows: Sequence[PageRows]) -> Iterator[str]:
    """A label for every number of every page, unlike any other."""
    for one in rows:
        for place, number in enumerate(one.numbers):
            item = f"item {number.item + 1}" if number.item >= 0 else f"curve, {place + 1}"
            yield f"{one.evidence.cohort.id}, {item}, {number.kind}"
