"""Response by response-logistic in 2 printed cohorts; written by netlm-bayes 0.2.0.

Needs numpy and PyMC only. Every number that enters the likelihood, and every prior, is in the block
of data; run the file to draw from the posterior. Coefficients are log hazard ratios or, of
response, log odds ratios, level vs reference; time is in months.
"""

import itertools

import numpy as np
import numpy.typing as npt
import pymc as pm
import pytensor.tensor as pt

type Array = npt.NDArray[np.float64]
type Subgroup = dict[str, list[str]]  # levels by covariate; empty: everyone

# --- data ---
COHORTS: list[str] = ["sysu-2016-2020", "sysu-rectal-2022-2024"]
LEVELS: Subgroup = {
    "htb": ["<10%", "10-25%", "25-50%", ">50%"],
    "ki67": ["<=10%", ">10%"],
    "bone": ["no", "yes"],
    "margin": ["unclear", "clear"],
    "site": ["pancreas", "nonpancreas"],
}
REFERENCE: dict[str, str] = {
    "htb": "<10%",
    "ki67": "<=10%",
    "bone": "no",
    "margin": "unclear",
    "site": "pancreas",
}
# Share of each level, a list a covariate; or, where covariates are associated, one list with the
# share of every combination of levels, the last covariate turning fastest.
SHARES: dict[str, list[list[float]]] = {
    "sysu-2016-2020": [
        [0.267241379310345, 0.224137931034483, 0.206896551724138, 0.301724137931035],
        [0.844827586206897, 0.155172413793103],
        [0.741379310344828, 0.258620689655172],
        [0.206896551724138, 0.793103448275862],
        [0.46551724137931, 0.53448275862069],
    ],
    "sysu-rectal-2022-2024": [
        [0.267241379310345, 0.224137931034483, 0.206896551724138, 0.301724137931035],
        [0.844827586206897, 0.155172413793103],
        [0.741379310344828, 0.258620689655172],
        [0.206896551724138, 0.793103448275862],
        [0.0, 1.0],
    ],
}
# Margins borrowed from another cohort are uncertain: the log share of each level moves by these
# steps for one standard deviation.
TILTS: dict[str, dict[str, list[float]]] = {
    "sysu-rectal-2022-2024": {
        "htb": [0.0, 0.166666666666667, 0.333333333333333, 0.5],
        "ki67": [0.0, 0.5],
        "bone": [0.0, 0.5],
        "margin": [0.0, 0.5],
    },
}
# Share of each level but the reference in the average patient, whom the prior of the level is of.
CENTRE: dict[str, dict[str, float]] = {
    "htb": {"10-25%": 0.224137931034483, "25-50%": 0.206896551724138, ">50%": 0.301724137931034},
    "ki67": {">10%": 0.155172413793103},
    "bone": {"yes": 0.258620689655172},
    "margin": {"clear": 0.793103448275862},
    "site": {"nonpancreas": 0.73},
}
# Of a cohort: its parameters before its effects; months at which its level is. "weibull",
# "piecewise", or "" of response; cuts are the months at which a piecewise hazard may step.
# "partial", "complete" or "none".
OWN: list[str] = ["level"]
ANCHOR: float = 12.0
BASELINE: str = ""
CUTS: list[float] = []
POOLING: str = "partial"
# Endpoints that are part of the modelled one, whose hazard is a share of its hazard; the share has
# this beta prior.
PARTS: dict[str, tuple[float, float]] = {}
# Mean (of a half-normal 0), standard deviation, and why.
PRIORS: dict[str, tuple[float, float, str]] = {
    "effect": (0.0, 1.0, "95 % of odds ratios between 0.14 and 7.1"),
    "level": (0.0, 1.5, "log odds of response, average patient"),
    "heterogeneity_effect": (0.0, 0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
    "heterogeneity_level": (0.0, 0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
}
# Ratios: cohort, covariate, level, versus, log ratio. Their covariance by cohort holds the squared
# standard error, what levels share by sharing a reference group, and, where a ratio was adjusted
# otherwise than this model adjusts, a variance for the mismatch.
RATIOS: list[tuple[str, str, list[str], list[str], float]] = [
    ("sysu-2016-2020", "site", ["nonpancreas"], ["pancreas"], 1.13879407830094),
    ("sysu-2016-2020", "ki67", [">10%"], ["<=10%"], -1.70925824771631),
    ("sysu-2016-2020", "bone", ["yes"], ["no"], -1.90380897303668),
    ("sysu-2016-2020", "margin", ["clear"], ["unclear"], 1.39698699065863),
    ("sysu-rectal-2022-2024", "margin", ["clear"], ["unclear"], 2.67364877438488),
    ("sysu-rectal-2022-2024", "ki67", [">10%"], ["<=10%"], -1.86702153706185),
]
RATIO_COVARIANCE: dict[str, list[list[float]]] = {
    "sysu-2016-2020": [
        [0.361443444304438, 0.0, 0.0, 0.0],
        [0.0, 0.466666442925693, 0.0, 0.0],
        [0.0, 0.0, 0.392903846185307, 0.0],
        [0.0, 0.0, 0.0, 0.393657551454735],
    ],
    "sysu-rectal-2022-2024": [[1.09989399701715, 0.0], [0.0, 0.645387157537762]],
}
# A regression that adjusts for less than this model does estimates another coefficient: by place
# in RATIOS, what the model implies for it, an intercept and a coefficient for each parameter.
IMPLIED: dict[int, tuple[float, list[float]]] = {}
# A curve of several combinations of levels is mixed at fixed log hazard ratios, those that its
# cohort prints (0 where it prints none): the parameters set the mean log hazard of its patients,
# and how the curve bends does not inform their ratios.
MIXED_AT: dict[str, list[float]] = {}
# Points of survival curves: cohort, endpoint, subgroup, month, log(-log S). A median is S = 1/2.
CURVE: list[tuple[str, str, Subgroup, float, float]] = []
CURVE_COVARIANCE: dict[str, list[list[float]]] = {}
# Points of which only bounds are known, -1000 or 1000 where there is none: cohort, endpoint,
# subgroup, month, bounds of log(-log S), standard error. A median not reached: survival above 1/2.
CENSORED: list[tuple[str, str, Subgroup, float, float, float, float]] = []
# Ratios of which only bounds are known: cohort, covariate, level, versus, bounds, standard error.
CENSORED_RATIOS: list[tuple[str, str, list[str], list[str], float, float, float]] = []
# Responders: cohort, subgroup, responders, of how many, weight. Tables by level carry the cohort's
# total; beside T of them the total itself has weight 1 - T, so that nobody is counted twice.
COUNTS: list[tuple[str, Subgroup, int, int, float]] = [
    ("sysu-2016-2020", {"htb": ["<10%"]}, 24, 31, 1.0),
    ("sysu-2016-2020", {"htb": ["10-25%"]}, 22, 26, 1.0),
    ("sysu-2016-2020", {"htb": ["25-50%"]}, 19, 24, 1.0),
    ("sysu-2016-2020", {"htb": [">50%"]}, 26, 35, 1.0),
    ("sysu-rectal-2022-2024", {}, 71, 84, 1.0),
]
SAMPLING: dict[str, float] = {
    "draws": 10000,
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
COORDS = {
    "cohort": COHORTS,
    "parameter": PARAMETERS,
    "heterogeneity": TAUS,
    "borrowing": list(TILTS),
    "covariate": list(LEVELS),
    "part": list(PARTS),
    "later_interval": list(range(1, len(EDGES) - 1)),
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
    """Uncertainty of borrowed margins, shares of the hazard, steps of the hazard."""
    if TILTS:
        pm.Normal("margin_tilt", 0, 1, dims=("borrowing", "covariate"))
    if PARTS:
        pm.Beta("hazard_share", *np.array(list(PARTS.values())).T, dims="part")
    if BASELINE == "piecewise":
        sd = pm.HalfNormal("hazard_step_sd", PRIORS["hazard_step"][1])
        step = pm.Normal("hazard_step", 0, 1, dims="later_interval")
        risen = pt.concatenate([pt.zeros(1), pt.cumsum(sd * step)])
        pm.Deterministic("log_hazard_step", risen)


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


def log_effect(
    model: pm.Model, cohort: str, covariate: str, levels: list[str]
) -> pt.TensorVariable:
    """Log ratio of joined levels vs reference: their mean ratio, weighted by prevalence."""
    theta = model["theta"][COHORTS.index(cohort)]
    by_name = {name: theta[place] for place, name in enumerate(PARAMETERS)}
    effects = pt.stack([by_name.get(f"{covariate}: {level}", pt.zeros(())) for level in levels])
    margin = np.array([shares(cohort) @ members({covariate: [level]}) for level in levels])
    weight = np.log(margin + 1e-12) + tilt(model, cohort, [{covariate: x} for x in levels])
    return pt.logsumexp(weight + effects) - pt.logsumexp(weight)


def log_ratio(model: pm.Model, place: int) -> pt.TensorVariable:
    """What the model says of one printed log ratio."""
    cohort, covariate, level, versus, _ = RATIOS[place]
    if place in IMPLIED:
        intercept, coefficients = IMPLIED[place]
        return intercept + pt.dot(np.array(coefficients), model["theta"][COHORTS.index(cohort)])
    sides = [log_effect(model, cohort, covariate, joined) for joined in (level, versus)]
    return sides[0] - sides[1]


def log_minus_log(
    model: pm.Model, cohort: str, endpoint: str, subgroup: Subgroup, month: float
) -> pt.TensorVariable:
    """log(-log S) of a mixed population at a month."""
    if BASELINE == "weibull":  # log H(t | x) = a + kappa log(t / ANCHOR) + x' beta
        log_time = pt.exp(model["theta"][COHORTS.index(cohort), 1]) * np.log(month / ANCHOR)
    else:  # log h(t | x) = g + r_j + x' beta in interval j
        spent = np.maximum(np.minimum(month, EDGES[1:]) - EDGES[:-1], 0)
        log_time = pt.log(pt.dot(spent, pt.exp(model["log_hazard_step"])))
    if endpoint in PARTS:
        log_time = log_time + pt.log(model["hazard_share"][list(PARTS).index(endpoint)])
    share = log_shares(model, cohort, subgroup)
    log_hazard = linear_predictor(model, cohort)
    inside = np.maximum(shares(cohort), 1e-300) * members(subgroup)
    mean, apart = inside / inside.sum(), DESIGN @ np.array(MIXED_AT[cohort])
    hazard = pt.exp(pt.dot(mean, log_hazard) + apart - mean @ apart + log_time)
    log_survival = pt.logsumexp(share - hazard) - pt.logsumexp(share)
    return pt.log(pt.maximum(-log_survival, 1e-15))


def log_response(model: pm.Model, cohort: str, subgroup: Subgroup, sign: int) -> pt.TensorVariable:
    """Log of a mixed population's mean probability of response (sign 1), or of none (-1)."""
    share = log_shares(model, cohort, subgroup)
    each = -pt.softplus(-sign * linear_predictor(model, cohort))
    return pt.logsumexp(share + each) - pt.logsumexp(share)


def log_between(
    mean: pt.TensorVariable, lower: float, upper: float, se: float
) -> pt.TensorVariable:
    """Log probability that a normal estimate lies between two bounds."""
    ends = pt.stack([(lower - mean) / se, (upper - mean) / se])
    ends = pt.switch(pt.sum(ends) > 0, -ends[::-1], ends)  # in the tail that they lie in
    below, within = (pm.logcdf(pm.Normal.dist(0, 1), ends[side]) for side in (0, 1))
    return within + pt.log1mexp(pt.minimum(below - within, -1e-300))


def add_likelihood(model: pm.Model) -> None:
    """Everything printed, source by source."""
    for cohort, covariance in RATIO_COVARIANCE.items():
        places = [place for place, row in enumerate(RATIOS) if row[0] == cohort]
        mean = pt.stack([log_ratio(model, place) for place in places])
        printed = [RATIOS[place][4] for place in places]
        pm.MvNormal(f"ratios of {cohort}", mean, cov=np.array(covariance), observed=printed)
    for cohort, covariance in CURVE_COVARIANCE.items():
        points = [row for row in CURVE if row[0] == cohort]
        mean = pt.stack([log_minus_log(model, *row[:4]) for row in points])
        printed = [row[4] for row in points]
        pm.MvNormal(f"curve of {cohort}", mean, cov=np.array(covariance), observed=printed)
    for place, point in enumerate(CENSORED):
        mean = log_minus_log(model, *point[:4])
        pm.Potential(f"censored point {place}", log_between(mean, *point[4:]))
    for place, ratio in enumerate(CENSORED_RATIOS):
        cohort, covariate, level, versus, *bounds = ratio
        sides = [log_effect(model, cohort, covariate, joined) for joined in (level, versus)]
        pm.Potential(f"censored ratio {place}", log_between(sides[0] - sides[1], *bounds))
    for place, (cohort, subgroup, responders, total, weight) in enumerate(COUNTS):
        yes, no = (log_response(model, cohort, subgroup, sign) for sign in (1, -1))
        log_likelihood = responders * yes + (total - responders) * no
        pm.Potential(f"counts {place}", weight * log_likelihood)


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
