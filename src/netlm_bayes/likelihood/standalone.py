"""Synthetic example: one PyMC model of printed evidence that stands alone.

Needs numpy and PyMC only. Every number that enters the likelihood, and every prior, is in the block
of data; run the file to draw from the posterior. Coefficients are log hazard ratios or, of
response, log odds ratios, level vs reference; time is in months.
"""

import itertools
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pymc as pm
import pytensor.tensor as pt

type Array = npt.NDArray[np.float64]
type Subgroup = dict[str, list[str]]  # levels by covariate; empty: everyone
# Coefficients, each of a product of none, one or two standardised inputs.
type Polynomial = list[tuple[float, list[str]]]


class Number(TypedDict):
    """A printed number, and how simulated pages of its cohort depend on their inputs.

    Ratios, standard errors and events are on the log scale, responses on the logit scale. A point
    of a curve has the value log(-log S), 1/2 for a median, and enters as log H(month) - value. The
    standard deviation is the root of exp(2 log_sd) + added, a variance of rounding and emulation.
    """

    what: str
    value: float
    mean: Polynomial
    log_sd: Polynomial
    added: float


class Page(TypedDict):
    """All that one cohort prints: one multivariate normal observation, given its inputs."""

    cohort: str
    # The cohort's parameters, at its mean patient, and those of the page alone, with the mean and
    # standard deviation of their priors; inputs are standardised by centre and scale.
    inputs: list[str]
    nuisances: dict[str, tuple[float, float]]
    centre: list[float]
    scale: list[float]
    numbers: list[Number]
    correlation: list[list[float]]  # of the numbers; rows up to the diagonal
    # Log odds that all numbers exist, as a median that is reached does; empty where they always do.
    exists: Polynomial
    # Log hazard ratios at which curves of several combinations of levels are mixed.
    mixed_at: list[float]
    # Points of survival curves: place of the number, endpoint, subgroup, month, whether a median.
    points: list[tuple[int, str, Subgroup, float, bool]]
    # Ratios printed because they are significant: place, place of the standard error (-1 where
    # there is none), |estimate / standard error| beyond which they are printed.
    selected: list[tuple[int, int, float]]
    # Log odds that all ratios so printed are significant, where these correlate; empty otherwise.
    significant: Polynomial
    # Numbers of which only bounds are known: place, bounds, standard deviations beyond these.
    unprinted: list[tuple[int, float, float, float]]


# --- data ---
COHORTS: list[str] = ["a", "b"]
LEVELS: Subgroup = {"bone": ["no", "yes"]}
REFERENCE: dict[str, str] = {"bone": "no"}
# Share of each level, a list a covariate; or, where covariates are associated, one list with the
# share of every combination of levels, the last covariate turning fastest.
SHARES: dict[str, list[list[float]]] = {"a": [[0.7, 0.3]], "b": [[0.7, 0.3]]}
# Margins borrowed from another cohort are uncertain: the log share of each level moves by these
# steps for one standard deviation.
TILTS: dict[str, dict[str, list[float]]] = {"b": {"bone": [0.0, 0.3]}}
# Share of each level but the reference in the average patient, whom the prior of the level is of.
CENTRE: dict[str, dict[str, float]] = {"bone": {"yes": 0.3}}
# Of a cohort: its parameters before its effects; months at which its level is. "weibull",
# "piecewise", or "" of response; cuts are the months at which a piecewise hazard may step.
# "partial", "complete" or "none".
OWN: list[str] = ["level", "log_shape"]
ANCHOR: float = 12.0
BASELINE: str = "weibull"
CUTS: list[float] = []
POOLING: str = "partial"
# Endpoints that are part of the modelled one, whose hazard is a share of its hazard; the share has
# this beta prior.
PARTS: dict[str, tuple[float, float]] = {}
# Mean (of a half-normal 0), standard deviation, and why.
PRIORS: dict[str, tuple[float, float, str]] = {
    "effect": (0.0, 0.75, "a synthetic example"),
    "level": (-0.4, 1.5, "a synthetic example"),
    "log_shape": (0.0, 0.35, "a synthetic example"),
    "heterogeneity_log_shape": (0.0, 0.25, "a synthetic example"),
    "heterogeneity_effect": (0.0, 0.5, "a synthetic example"),
    "heterogeneity_level": (0.0, 0.5, "a synthetic example"),
}
# Responders of cohorts that print nothing else: cohort, subgroup, responders, of how many.
COUNTS: list[tuple[str, Subgroup, int, int]] = []
# fmt: off
PAGES: list[Page] = [
    {
        "cohort": "a",
        "inputs": [
            "level",
            "log_shape",
            "bone: yes",
            "follow-up share",
            "follow-up spread",
            "follow-up end",
        ],
        "nuisances": {
            "follow-up share": (0.0, 1.0),
            "follow-up spread": (0.0, 1.0),
            "follow-up end": (0.0, 1.0),
        },
        "centre": [-0.536, 0.153, 0.613, 0.786, 0.299, 1.05],
        "scale": [0.22, 0.492, 0.317, 1.2, 1.39, 0.947],
        "numbers": [
            {
                "what": "item 2, log ratio",
                "value": 0.693,
                "mean": [(0.623, []), (0.322, ["bone: yes"])],
                "log_sd": [
                    (-1.4, []), (-0.032, ["level"]), (-0.027, ["log_shape"]),
                    (-0.0652, ["follow-up share"]), (-0.0243, ["follow-up spread"]),
                    (-0.0725, ["follow-up end"]),
                ],
                "added": 0.00011,
            },
            {
                "what": "item 2, log se",
                "value": -1.46,
                "mean": [
                    (-1.46, []), (-0.0336, ["level"]), (-0.0324, ["log_shape"]),
                    (-0.0738, ["follow-up share"]), (-0.0296, ["follow-up spread"]),
                    (-0.0815, ["follow-up end"]), (0.0204, ["follow-up end", "follow-up end"]),
                    (0.0221, ["follow-up share", "follow-up end"]),
                ],
                "log_sd": [
                    (-3.21, []), (-0.0766, ["level"]), (-0.197, ["follow-up share"]),
                    (-0.094, ["follow-up spread"]), (-0.189, ["follow-up end"]),
                ],
                "added": 3.95e-05,
            },
            {
                "what": "item 3, median",
                "value": -0.367,
                "mean": [],
                "log_sd": [
                    (-1.97, []), (-0.0607, ["follow-up share"]), (-0.0322, ["follow-up spread"]),
                    (-0.0308, ["follow-up end"]),
                ],
                "added": 0.000426,
            },
        ],
        "correlation": [[1.0], [0.113, 1.0], [0.0887, 0.373, 1.0]],
        "exists": [
            (11.0, []), (0.88, ["level"]), (1.82, ["log_shape"]), (2.36, ["follow-up end"]),
        ],
        "mixed_at": [0.633],
        "points": [(2, "pfs", {}, 14.0, True)],
        "selected": [(0, 1, 1.96)],
        "significant": [],
        "unprinted": [],
    },
    {
        "cohort": "b",
        "inputs": ["level", "log_shape", "follow-up share", "follow-up spread", "follow-up end"],
        "nuisances": {
            "follow-up share": (0.0, 1.0),
            "follow-up spread": (0.0, 1.0),
            "follow-up end": (0.0, 1.0),
        },
        "centre": [-0.623, -0.0021, 0.175, 0.0436, 0.124],
        "scale": [0.282, 0.315, 1.41, 1.41, 1.41],
        "numbers": [
            {
                "what": "item 1, survival",
                "value": -0.672,
                "mean": [],
                "log_sd": [
                    (-1.53, []), (-0.102, ["level"]), (0.024, ["log_shape"]),
                    (-0.0857, ["follow-up share"]), (-0.0442, ["follow-up spread"]),
                    (-0.0563, ["follow-up end"]),
                ],
                "added": 8.87e-05,
            },
            {
                "what": "item 2, survival",
                "value": 0.0486,
                "mean": [],
                "log_sd": [
                    (-1.58, []), (-0.0488, ["level"]), (-0.134, ["follow-up share"]),
                    (-0.0219, ["follow-up spread"]), (-0.124, ["follow-up end"]),
                ],
                "added": 6.17e-05,
            },
        ],
        "correlation": [[1.0], [0.529, 1.0]],
        "exists": [],
        "mixed_at": [0.0],
        "points": [(0, "pfs", {}, 12.0, False), (1, "pfs", {}, 24.0, False)],
        "selected": [],
        "significant": [],
        "unprinted": [],
    },
]
# fmt: on
SAMPLING: dict[str, float] = {
    "draws": 1000,
    "tune": 1000,
    "chains": 4,
    "target_accept": 0.95,
    "random_seed": 1,
}
LEVEL: float = 0.95  # of the intervals
# --- end of data ---

PATTERNS = [dict(zip(LEVELS, row, strict=True)) for row in itertools.product(*LEVELS.values())]
EFFECTS = [(name, level) for name in LEVELS for level in LEVELS[name] if level != REFERENCE[name]]
DESIGN = np.array([[float(row[name] == level) for name, level in EFFECTS] for row in PATTERNS])
PARAMETERS = [*OWN, *(f"{name}: {level}" for name, level in EFFECTS)]
# One tau for each of the cohort's own parameters, and one a covariate, shared by its levels.
TAUS = [*OWN, *LEVELS]
TAU_OF = [TAUS.index(name) for name in [*OWN, *(name for name, _ in EFFECTS)]]
# From independent coordinates to parameters: effects of levels of one covariate are differences
# from a common reference, so that two of them are correlated by 1/2; the first coordinate is the
# level of the average patient, the first parameter that of the reference profile.
OWNER = np.array([name for name, _ in EFFECTS], dtype=str)
FACTOR = np.linalg.cholesky((np.eye(len(EFFECTS)) + (OWNER[:, None] == OWNER)) / 2)
MEAN = np.array([CENTRE[name][level] for name, level in EFFECTS])
MIX = np.eye(len(PARAMETERS))
MIX[len(OWN) :, len(OWN) :] = FACTOR
MIX[0, len(OWN) :] = -MEAN @ FACTOR
EDGES = np.array([0.0, *CUTS, np.inf])
NUISANCES = {
    f"{page['cohort']}: {name}": prior
    for page in PAGES
    for name, prior in page["nuisances"].items()
}
UNPRINTED = [(page["cohort"], place) for page in PAGES for place, *_ in page["unprinted"]]
COORDS = {
    "cohort": COHORTS,
    "parameter": PARAMETERS,
    "heterogeneity": TAUS,
    "borrowing": list(TILTS),
    "covariate": list(LEVELS),
    "part": list(PARTS),
    "later_interval": list(range(1, len(EDGES) - 1)),
    "page_nuisance": list(NUISANCES),
    "not_printed": list(range(len(UNPRINTED))),
}


def prior(names: list[str]) -> Array:
    """Means and standard deviations."""
    return np.array([PRIORS[name][:2] for name in names]).T


def add_cohorts() -> None:
    """Cohort c's coordinate j is y_j + tau_j z_cj; the next institution's is N(y_j, tau_j)."""
    mean, sd = prior([*OWN, *["effect"] * len(EFFECTS)])
    mean[len(OWN) :] = np.linalg.solve(FACTOR, mean[len(OWN) :])
    dims = ("cohort", "parameter")
    if POOLING == "none":
        alone = pm.Normal("coordinate", mean, sd, dims=dims)
        pm.Deterministic("theta", pt.dot(alone, MIX.T), dims=dims)
        return
    centre = pm.Normal("centre", mean, sd, dims="parameter")
    pm.Deterministic("mu", pt.dot(MIX, centre), dims="parameter")
    apart = np.zeros((len(COHORTS), 1))
    if POOLING == "partial":
        own = [f"heterogeneity_{name}" for name in OWN]
        _, scale = prior([*own, *["heterogeneity_effect"] * len(LEVELS)])
        tau = pm.HalfNormal("tau", scale, dims="heterogeneity")
        apart = tau[TAU_OF] * pm.Normal("z", 0, 1, dims=dims)
    pm.Deterministic("theta", pt.dot(centre + apart, MIX.T), dims=dims)


def add_other_parameters() -> None:
    """Borrowed margins, shares and steps of the hazard, what only pages depend on."""
    if TILTS:
        pm.Normal("margin_tilt", 0, 1, dims=("borrowing", "covariate"))
    if PARTS:
        pm.Beta("hazard_share", *np.array(list(PARTS.values())).T, dims="part")
    if BASELINE == "piecewise":
        sd = pm.HalfNormal("hazard_step_sd", PRIORS["hazard_step"][1])
        step = pm.Normal("hazard_step", 0, 1, dims="later_interval")
        risen = pt.concatenate([pt.zeros(1), pt.cumsum(sd * step)])
        pm.Deterministic("log_hazard_step", risen)
    if NUISANCES:
        pm.Normal("nuisance", *np.array(list(NUISANCES.values())).T, dims="page_nuisance")
    if UNPRINTED:
        pm.Uniform("unprinted", 0, 1, dims="not_printed")


def members(subgroup: Subgroup) -> Array:
    """1 for every combination of levels that belongs to a subgroup, else 0."""
    inside = [all(row[name] in levels for name, levels in subgroup.items()) for row in PATTERNS]
    return np.array(inside, dtype=float)


def shares(cohort: str) -> Array:
    """Share of every combination of levels."""
    return np.prod(np.array(list(itertools.product(*SHARES[cohort]))), axis=1)


def tilt(model: pm.Model, cohort: str, groups: list[dict[str, str]]) -> pt.TensorVariable:
    """How far the log shares of groups are from those borrowed."""
    moved = pt.zeros(len(groups))
    for name, steps in TILTS.get(cohort, {}).items():
        by_level = dict(zip(LEVELS[name], steps, strict=True))
        step = np.array([by_level[row[name]] if name in row else 0.0 for row in groups])
        place = list(TILTS).index(cohort), list(LEVELS).index(name)
        moved = moved + step * model["margin_tilt"][place]
    return moved


def log_shares(model: pm.Model, cohort: str, subgroup: Subgroup) -> pt.TensorVariable:
    """Log shares of the combinations inside a subgroup, up to a constant."""
    inside = np.maximum(shares(cohort) * members(subgroup), 1e-300)
    return np.log(inside) + tilt(model, cohort, PATTERNS)


def linear_predictor(model: pm.Model, cohort: str) -> pt.TensorVariable:
    """Level plus coefficients, of every combination of levels."""
    theta = model["theta"][COHORTS.index(cohort)]
    return theta[0] + pt.dot(DESIGN, theta[len(OWN) :])


def log_response(model: pm.Model, cohort: str, subgroup: Subgroup, sign: int) -> pt.TensorVariable:
    """Log of a mixed population's mean probability of response (sign 1), or of none (-1)."""
    share = log_shares(model, cohort, subgroup)
    each = -pt.softplus(-sign * linear_predictor(model, cohort))
    return pt.logsumexp(share + each) - pt.logsumexp(share)


def page_inputs(model: pm.Model, page: Page) -> dict[str, pt.TensorVariable]:
    """Inputs of one page, by name."""
    cohort = page["cohort"]
    theta = model["theta"][COHORTS.index(cohort)]
    known = {name: theta[place] for place, name in enumerate(PARAMETERS)}
    known["level"] = theta[0] + pt.dot(shares(cohort) @ DESIGN, theta[len(OWN) :])
    for step in range(1, len(CUTS) + 1):
        known[f"step {step}"] = model["log_hazard_step"][step]
    for place, part in enumerate(PARTS):
        share = model["hazard_share"][place]
        known[f"part {part}"] = pt.log(share) - pt.log1p(-share)
    if cohort in TILTS:
        for place, name in enumerate(LEVELS):
            known[f"tilt {name}"] = model["margin_tilt"][list(TILTS).index(cohort), place]
    for name in page["nuisances"]:
        known[name] = model["nuisance"][list(NUISANCES).index(f"{cohort}: {name}")]
    return {name: known[name] for name in page["inputs"]}


def standardised(page: Page, inputs: dict[str, pt.TensorVariable]) -> pt.TensorVariable:
    """One, then the inputs in standard deviations from their centre."""
    apart = pt.stack(list(inputs.values())) - np.array(page["centre"])
    return pt.concatenate([np.ones(1), apart / np.array(page["scale"])])


def evaluated(several: list[Polynomial], page: Page, d: pt.TensorVariable) -> pt.TensorVariable:
    """Several polynomials in the standardised inputs of a page."""
    terms = list(dict.fromkeys([(), *(tuple(names) for one in several for _, names in one)]))
    coefficients = np.zeros((len(terms), len(several)))
    for column, one in enumerate(several):
        for coefficient, names in one:
            coefficients[terms.index(tuple(names)), column] = coefficient
    places = [[1 + page["inputs"].index(name) for name in names] for names in terms]
    left, right = np.array([[*[0] * (2 - len(pair)), *pair] for pair in places]).T
    return pt.dot(d[left] * d[right], coefficients)


def log_probability(log_odds: Polynomial, page: Page, d: pt.TensorVariable) -> pt.TensorVariable:
    """Log probability of an event by its log odds; of a sure one, with none, 0."""
    return -pt.softplus(-evaluated([log_odds], page, d)[0]) if log_odds else pt.zeros(())


def log_time(
    inputs: dict[str, pt.TensorVariable], month: float
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Log baseline cumulative hazard at a month less its level, and the log of its log slope."""
    if BASELINE == "weibull":  # log H(t | x) = a + kappa log(t / ANCHOR) + x' beta
        return pt.exp(inputs["log_shape"]) * np.log(month / ANCHOR), inputs["log_shape"]
    # log h(t | x) = g + r_j + x' beta in interval j
    steps = pt.stack([pt.zeros(()), *(inputs[f"step {j}"] for j in range(1, len(CUTS) + 1))])
    spent = np.maximum(np.minimum(month, EDGES[1:]) - EDGES[:-1], 0)
    hazard = pt.log(pt.dot(spent, pt.exp(steps)))
    return hazard, steps[np.flatnonzero(spent)[-1]] + np.log(month) - hazard


def log_hazard(
    page: Page,
    inputs: dict[str, pt.TensorVariable],
    endpoint: str,
    subgroup: Subgroup,
    month: float,
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Log cumulative hazard of a mixed population, log(-log S), and the log of its log slope."""
    everyone = shares(page["cohort"])
    inside = everyone * members(subgroup)
    inside = inside / inside.sum() if inside.any() else members(subgroup) / members(subgroup).sum()
    mean, apart = inside @ DESIGN, DESIGN @ np.array(page["mixed_at"])
    level = inputs["level"]
    for effect, away in zip(PARAMETERS[len(OWN) :], mean - everyone @ DESIGN, strict=True):
        if effect in inputs:
            level = level + away * inputs[effect]
    if endpoint in PARTS:
        level = level - pt.softplus(-inputs[f"part {endpoint}"])
    time, pace = log_time(inputs, month)
    each = level + time + apart - inside @ apart
    log_weight = np.log(np.maximum(inside, 1e-300)) - pt.exp(each)
    log_survival = pt.logsumexp(log_weight)
    found = pt.log(pt.maximum(-log_survival, 1e-15))
    return found, pt.logsumexp(log_weight + each) - log_survival - found + pace


def log_selected(
    page: Page, mean: pt.TensorVariable, log_sd: pt.TensorVariable
) -> pt.TensorVariable:
    """Log probability that the ratios printed for their significance are significant."""
    total = pt.zeros(())
    for place, se, least in page["selected"]:
        log_se = mean[se] if se >= 0 else log_sd[place]
        z, normal = pt.abs(mean[place]) * pt.exp(-log_se), pm.Normal.dist(0, 1)
        either_side = (pm.logcdf(normal, side * z - least) for side in (1, -1))
        total = total + pt.logaddexp(*either_side)
    return total


def printed_numbers(
    model: pm.Model,
    page: Page,
    inputs: dict[str, pt.TensorVariable],
    log_sd: pt.TensorVariable,
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Observed numbers as the page's normal takes them, and the log of their Jacobian."""
    printed = [pt.as_tensor(number["value"]) for number in page["numbers"]]
    log_jacobian = pt.zeros(())
    for place, low, high, reach in page["unprinted"]:
        further = reach * pt.exp(log_sd[place])
        width = high - low + 2 * further
        share = model["unprinted"][UNPRINTED.index((page["cohort"], place))]
        printed[place] = low - further + width * share
        log_jacobian = log_jacobian + pt.log(width)
    for place, endpoint, subgroup, month, median in page["points"]:
        found, log_slope = log_hazard(page, inputs, endpoint, subgroup, month)
        printed[place] = found - printed[place]
        if median:  # what is printed is the month
            log_jacobian = log_jacobian + log_slope
    return pt.stack(printed), log_jacobian


def correlation_of(page: Page) -> Array:
    """Correlation of a page's numbers."""
    rows, size = page["correlation"], len(page["numbers"])
    lower = np.array([[*row, *[0.0] * (size - len(row))] for row in rows])
    return lower + np.tril(lower, -1).T


def log_page(model: pm.Model, page: Page) -> pt.TensorVariable:
    """Log likelihood of all that one cohort prints, up to a constant."""
    inputs, numbers = page_inputs(model, page), page["numbers"]
    d = standardised(page, inputs)
    mean = evaluated([number["mean"] for number in numbers], page, d)
    simulated = evaluated([number["log_sd"] for number in numbers], page, d)
    added = np.array([number["added"] for number in numbers])
    log_sd = pt.log(pt.exp(2 * simulated) + added) / 2
    printed, log_jacobian = printed_numbers(model, page, inputs, log_sd)
    whitener = np.linalg.inv(np.linalg.cholesky(correlation_of(page)))
    white = pt.dot(whitener, (printed - mean) * pt.exp(-log_sd))
    total = log_jacobian - pt.sum(white**2) / 2 - pt.sum(log_sd)
    total = total + log_probability(page["exists"], page, d)
    total = total - log_probability(page["significant"], page, d)
    return total - log_selected(page, mean, log_sd)


def add_likelihood(model: pm.Model) -> None:
    """Everything printed, cohort by cohort."""
    for page in PAGES:
        pm.Potential(f"page of {page['cohort']}", log_page(model, page))
    for place, (cohort, subgroup, responders, total) in enumerate(COUNTS):
        yes, no = (log_response(model, cohort, subgroup, sign) for sign in (1, -1))
        pm.Potential(f"counts {place}", responders * yes + (total - responders) * no)


def build() -> pm.Model:
    """Make every parameter once, and a term for each source."""
    with pm.Model(coords=COORDS) as model:
        add_cohorts()
        add_other_parameters()
        add_likelihood(model)
    return model


def main() -> None:
    """Draw from the posterior and print the ratios of every cohort and the pool."""
    with build():
        posterior = pm.sample(**SAMPLING)["posterior"]
    found = {cohort: posterior["theta"].sel(cohort=cohort) for cohort in COHORTS}
    found |= {"pooled": posterior["mu"]} if POOLING != "none" else {}
    for cohort, values in found.items():
        for name, level in EFFECTS:
            ratio = np.exp(values.sel(parameter=f"{name}: {level}").to_numpy().ravel())
            low, middle, high = np.quantile(ratio, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
            what = f"{name}: {level} vs {REFERENCE[name]}"
            print(f"{cohort:<24} {what:<36} {middle:6.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
