"""Trained pages to the numbers that a graph takes; those of all pages stand one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from netlm_bayes.curves import exposure
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.printed_page import spoken_effects, theta_map
from netlm_bayes.evidence.support import mean_design
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.layout import Number, Page

Array = NDArray[np.float64]
TINY = 1e-300
MOST_WHOLE = 30
"""Inputs of a page up to which every product has a place in the graph."""
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
    def pairs(self) -> NDArray[np.int_]:
        """Inputs whose products may enter: all, so that other data have the same structure."""
        if self.page.inputs.size > MOST_WHOLE:
            return self.emulator.pairs
        return np.column_stack(np.triu_indices(self.page.inputs.size, 1))

    def features(self, coefficients: Array) -> list[Array]:
        """Coefficients of inputs, squares and `pairs`, apart; each (features, columns)."""
        d = self.page.inputs.size
        linear, square, product = np.split(coefficients, [d, 2 * d])
        places = {tuple(pair): k for k, pair in enumerate(self.pairs.tolist())}
        out = np.zeros((len(places), coefficients.shape[1]))
        out[[places[tuple(pair)] for pair in self.emulator.pairs.tolist()]] = product
        return [linear, square, out]

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
        kept = np.array([x.use in {"fit", "conditioned", "latent"} for x in known], bool)
        numbers = tuple(x for x, keep in zip(known, kept, strict=True) if keep)
        found.append(PageRows(place, evidence, page, numbers, emulator.of(kept)))
    return found


def page_data(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Every number of the pages.

    All that is linear in the parameters stands in one matrix, `page_map` and `page_offset`:
    standardised inputs, both factors of every square and product, and what each pivot takes.
    """
    pivots = _pivoted(rows)
    parts = [_standardised(rows), *_factors_of(rows), *_pivot_rows(rows, pivots)]
    whole, offset = _inputs(rows, analysis)
    linear = np.concatenate([matrix for matrix, _ in parts])
    fixed = np.concatenate([shift for _, shift in parts])
    return {
        "page_map": linear @ whole,
        "page_offset": linear @ offset + fixed,
        **_emulators(rows),
        **_values(rows, analysis, pivots),
        **_existence(rows, analysis),
        **_selection(rows, analysis),
        **_latent(rows, analysis),
        **(_curves(pivots, analysis) if pivots else {}),
    }


def _inputs(rows: Sequence[PageRows], analysis: Analysis) -> tuple[Array, Array]:
    """Matrix from the parameters of the graph to the inputs of all pages, and what is fixed."""
    parts = [page_maps(one, analysis) for one in rows]
    maps = [np.concatenate([part[name] for part in parts]) for name in parts[0]]
    nuisances = [nuisance_map(one) for one in rows]
    maps.append(block_diag(*[matrix for matrix, _ in nuisances]))
    return np.hstack(maps), np.concatenate([mean for _, mean in nuisances])


def _standardised(rows: Sequence[PageRows]) -> tuple[Array, Array]:
    """From the inputs to the standardised ones."""
    scale = np.concatenate([one.emulator.scale for one in rows])
    centre = np.concatenate([one.emulator.centre for one in rows])
    return np.diag(1 / scale), -centre / scale


def _factors_of(rows: Sequence[PageRows]) -> list[tuple[Array, Array]]:
    """From the inputs to the first and the second factor of every square and product."""
    matrix, shift = _standardised(rows)
    starts = np.cumsum([0, *(one.page.inputs.size for one in rows)])
    squares = np.repeat(np.arange(starts[-1])[:, None], 2, axis=1)
    pairs = [one.pairs + start for one, start in zip(rows, starts, strict=False)]
    every = np.concatenate([squares, *pairs]).astype(int)
    return [(matrix[places], shift[places]) for places in every.T]


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
    if analysis.borrowing:
        found["tilt"] = _tilts(one, analysis)
    return found


def _share_effects(one: PageRows, analysis: Analysis) -> Array:
    """From effects on the shares: at the cohort's mean patient, and by themselves."""
    inputs, parts, patterns = one.page.inputs, one.page.inputs.parts, analysis.patterns
    effects, spoken = len(patterns.effects), spoken_effects(analysis, one.evidence)
    out = np.zeros((inputs.size, inputs.shares * effects))
    away = mean_design(patterns, one.evidence.joint, {}) - analysis.centre
    for k, part in enumerate(inputs.apart):
        columns = slice(part * effects, (part + 1) * effects)
        out[parts["shares"].start + part, columns] = away
        first = parts["share_effects"].start + k * len(inputs.effects)
        out[first : first + len(inputs.effects), columns] = np.eye(effects)[spoken]
    return out


def _tilts(one: PageRows, analysis: Analysis) -> Array:
    """From the standardised tilts of borrowed margins."""
    inputs, covariates = one.page.inputs, analysis.patterns.covariates
    out = np.zeros((inputs.size, len(analysis.borrowing) * len(covariates)))
    for k, factor in enumerate(inputs.tilts):
        name = one.page.factors[factor].name
        cohort = analysis.borrowing.index(one.evidence.cohort.id)
        column = cohort * len(covariates) + covariates.index(name)
        out[inputs.parts["tilt"].start + k, column] = 1.0
    return out


NUISANCES = ("association", "outside_ratio", "outside_share", "follow_up")
"""Parts of the inputs that are parameters of a page alone."""


def _columns(one: PageRows) -> NDArray[np.int_]:
    places = np.arange(one.page.inputs.size)
    return np.concatenate([places[one.page.inputs.parts[name]] for name in NUISANCES])


def nuisance_map(one: PageRows) -> tuple[Array, Array]:
    """From standard normals to a page's nuisances, and their prior means; (inputs, nuisances)."""
    columns, size = _columns(one), one.page.inputs.size
    sd = np.sqrt(np.diag(one.page.prior_covariance))
    mean = np.zeros(size)
    mean[columns] = one.page.prior_mean[columns]
    return np.diag(sd)[:, columns], mean


def _emulators(rows: Sequence[PageRows]) -> dict[str, Array]:
    """Coefficients of means and log standard deviations on inputs, then squares and products."""
    inputs = [one.page.inputs.size for one in rows]
    parts = [one.features(one.emulator.coefficients[1:]) for one in rows]
    mean = np.vstack([block_diag(*[part[k] for part in parts]) for k in range(3)])
    log_sd = np.zeros_like(mean)
    log_sd[: sum(inputs)] = block_diag(*[one.emulator.log_sd_slopes[1:] for one in rows])
    constants = [np.concatenate([x.emulator.coefficients[0] for x in rows])]
    constants.append(np.concatenate([x.emulator.log_sd_slopes[0] for x in rows]))
    return {
        "page_coefficients": np.hstack([mean, log_sd]),
        "page_intercepts": np.concatenate(constants),
        "page_added": np.concatenate([one.emulator.added for one in rows]),
        "page_whitener": block_diag(*[one.emulator.whitener for one in rows]),
    }


def _values(
    rows: Sequence[PageRows], analysis: Analysis, pivots: Sequence[_Pivot]
) -> dict[str, Array]:
    """What is printed, less `log(-log S)` of pivots; how much of each whitened number counts."""
    numbers = [(one, x) for one in rows for x in one.numbers]
    weight = [analysis.weight_of(one.evidence) for one, _ in numbers]
    known = [float(x.use != "conditioned") for _, x in numbers]
    sign = np.array([-1.0 if x.pivot else 1.0 for _, x in numbers])
    found = {
        "page_value": sign * np.nan_to_num([x.value for _, x in numbers]),
        "page_weight": np.array(weight) * known,
    }
    if pivots:
        found["pivot_place"] = np.eye(len(numbers))[:, [pivot.place for pivot in pivots]]
    return found


def _existence(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Log odds that the numbers exist, of pages where that is not all but sure."""
    return _log_odds(
        "page_existence", {one.place: one.emulator.existence for one in rows}, rows, analysis
    )


def _log_odds(
    name: str, known: Mapping[int, Array], rows: Sequence[PageRows], analysis: Analysis
) -> dict[str, Array]:
    """Intercepts, slopes on the features and weights of events whose log odds are emulated."""
    found = [one for one in rows if len(known[one.place])]
    if not found:
        return {}
    slopes = [_split(x, known[x.place][1:] if x in found else None) for x in rows]
    every = np.vstack([block_diag(*[one[k] for one in slopes]) for k in range(3)])
    return {
        name: np.array([known[one.place][0] for one in found]),
        f"{name}_slope": every[:, [one in found for one in rows]],
        f"{name}_weight": np.array([analysis.weight_of(one.evidence) for one in found]),
    }


def _split(one: PageRows, slopes: Array | None) -> list[Array]:
    """Slopes on inputs, squares and products, as columns; none are 0."""
    none = np.zeros(2 * one.page.inputs.size + len(one.emulator.pairs))
    return one.features((none if slopes is None else slopes)[:, None])


def _selection(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Numbers that are printed because they are significant, and their standard errors.

    One by one where they correlate little, else the log odds of all together.
    """
    if analysis.spec.selection == "ignored":
        return {}
    every = [(one, x) for one in rows for x in one.numbers]
    alone = [
        k for k, (one, x) in enumerate(every) if _selected(x) and not len(one.emulator.selection)
    ]
    joint = {one.place: one.emulator.selection for one in rows}
    data = _log_odds("page_selection", joint, rows, analysis)
    if not alone:
        return data
    return data | {
        "selected": np.array([float(k) for k in alone]),
        "selected_se": np.array([_se_place(every, k) for k in alone]),
        "selected_threshold": np.array([every[k][1].threshold for k in alone]),
        "selected_weight": np.array([analysis.weight_of(every[k][0].evidence) for k in alone]),
    }


def _selected(number: Number) -> bool:
    return number.threshold > 0 and number.use == "fit"


def _se_place(every: Sequence[tuple[PageRows, Number]], ratio: int) -> float:
    """Place of a ratio's printed standard error; -1 where there is none."""
    page, number = every[ratio]
    found = (
        k
        for k, (one, x) in enumerate(every)
        if one is page and x.kind == "log_se" and x.item == number.item
    )
    return float(next(found, -1))


def _latent(rows: Sequence[PageRows], analysis: Analysis) -> dict[str, Array]:
    """Numbers of which only bounds are known: fixed ones, or a multiple of the standard error."""
    every = [(one, x) for one in rows for x in one.numbers]
    places = [k for k, (_, x) in enumerate(every) if x.use == "latent"]
    if not places:
        return {}
    bounds = []
    for k in places:
        low, high = every[k][1].bounds or (0.0, 0.0)
        low = high - UNBOUNDED if np.isneginf(low) else low
        bounds.append((low, low + UNBOUNDED if np.isposinf(high) else high))
    return {
        "latent": np.array([float(k) for k in places]),
        "latent_bounds": np.array(bounds),
        "latent_reach": np.array([every[k][1].threshold for k in places]),
        "latent_weight": np.array([analysis.weight_of(every[k][0].evidence) for k in places]),
    }


@dataclass(frozen=True)
class _Pivot:
    """A point of a population's curve on a page."""

    place: int  # among the numbers of all pages
    start: int  # of its page's inputs among those of all
    one: PageRows
    number: Number

    def row(self, size: int, values: Array) -> Array:
        """Coefficients on its page's inputs, among those of all pages."""
        out = np.zeros(size)
        out[self.start : self.start + len(values)] = values
        return out


def _pivoted(rows: Sequence[PageRows]) -> list[_Pivot]:
    """Every pivot of every page."""
    starts = np.cumsum([0, *(one.page.inputs.size for one in rows)]).tolist()
    every = [(one, at, x) for one, at in zip(rows, starts, strict=False) for x in one.numbers]
    return [_Pivot(k, at, one, x) for k, (one, at, x) in enumerate(every) if x.pivot]


def _pivot_rows(rows: Sequence[PageRows], pivots: Sequence[_Pivot]) -> list[tuple[Array, Array]]:
    """From the inputs to each pivot's mean predictor, logit of its share, and log shape."""
    size = sum(one.page.inputs.size for one in rows)
    kinds = [_linear, _share, _log_shape]
    if not any(_share(pivot.one, pivot.number).any() for pivot in pivots):
        kinds.remove(_share)
    if any(pivot.one.page.baseline != "weibull" for pivot in pivots):
        kinds.remove(_log_shape)
    found = (
        np.array([pivot.row(size, kind(pivot.one, pivot.number)) for pivot in pivots])
        for kind in kinds
    )
    return [(matrix, np.zeros(len(pivots))) for matrix in found] if pivots else []


def _curves(pivots: Sequence[_Pivot], analysis: Analysis) -> dict[str, Array]:
    """Mix and time of each pivot."""
    spec = analysis.spec
    mixes = [(x.one.page.group_share, x.one.page.group_apart, x.number.of) for x in pivots]
    months = np.array([pivot.number.months for pivot in pivots])
    share = np.array([_share(pivot.one, pivot.number).any() for pivot in pivots])
    medians = [x.number.kind == "median" and x.number.use == "fit" for x in pivots]
    weight = [analysis.weight_of(pivot.one.evidence) for pivot in pivots]
    data = {
        "pivot_log_share": np.log(np.maximum([mix[of] for mix, _, of in mixes], TINY)),
        "pivot_apart": np.array([apart[of] for _, apart, of in mixes]),
        "pivot_jacobian": np.array(weight) * medians,
    }
    if share.any():
        data["pivot_part"] = share.astype(float)
    if spec.baseline == "weibull":
        return data | {"pivot_log_time": np.log(months / spec.anchor_months)}
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


def _log_shape(one: PageRows, _: Number, /) -> Array:
    """Log shape of a Weibull; (inputs,)."""
    return np.asarray(np.eye(one.page.inputs.size)[1])


def labels_of(rows: Sequence[PageRows]) -> Iterator[str]:
    """A label for every number of every page, unlike any other."""
    for one in rows:
        for place, number in enumerate(one.numbers):
            item = f"item {number.item + 1}" if number.item >= 0 else f"curve, {place + 1}"
            yield f"{one.evidence.cohort.id}, {item}, {number.kind}"
