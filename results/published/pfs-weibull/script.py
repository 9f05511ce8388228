"""PFS and hepatic PFS in 2 printed cohorts: one PyMC model that stands alone.

Written by netlm-bayes 0.1.0 for the model pfs-weibull; it needs numpy and PyMC only.
Every number that entered the likelihood, and every prior, is below; run the file to draw from the
same posterior. Coefficients are log hazard ratios, level vs reference; time is in months.
"""

import itertools

import numpy as np
import pymc as pm
import pytensor.tensor as pt

# ---------------------------------------------------------------- covariates and populations
# Levels in order. The reference has coefficient 0.
LEVELS = {
    "htb": ["<10%", "10-25%", "25-50%", ">50%"],
    "ki67": ["<=10%", ">10%"],
    "bone": ["no", "yes"],
    "margin": ["unclear", "clear"],
    "site": ["pancreas", "nonpancreas"],
}
REFERENCE = {
    "htb": "<10%",
    "ki67": "<=10%",
    "bone": "no",
    "margin": "unclear",
    "site": "pancreas",
}

COHORTS = ["sysu-2016-2020", "sysu-rectal-2022-2024"]

# Share of each level in each cohort; covariates are taken as independent of each other.
MARGINS = {
    "sysu-2016-2020": [
        [
            0.267241379310345,
            0.224137931034483,
            0.206896551724138,
            0.301724137931035,
        ],
        [0.844827586206897, 0.155172413793103],
        [0.741379310344828, 0.258620689655172],
        [0.206896551724138, 0.793103448275862],
        [0.46551724137931, 0.53448275862069],
    ],
    "sysu-rectal-2022-2024": [
        [
            0.267241379310345,
            0.224137931034483,
            0.206896551724138,
            0.301724137931035,
        ],
        [0.844827586206897, 0.155172413793103],
        [0.741379310344828, 0.258620689655172],
        [0.206896551724138, 0.793103448275862],
        [0.0, 1.0],
    ],
}

# Margins borrowed from another cohort are uncertain: the log share of each level moves by these
# steps for one standard deviation.
TILT = {
    "sysu-rectal-2022-2024": {
        "htb": [0.0, 0.166666666666667, 0.333333333333333, 0.5],
        "ki67": [0.0, 0.5],
        "bone": [0.0, 0.5],
        "margin": [0.0, 0.5],
    },
}

# ---------------------------------------------------------------- priors: mean (or 0) and sd
PRIORS = {
    "effect": [0.0, 0.75],  # 95 % of hazard ratios between 0.23 and 4.3
    "level": [-0.4, 1.0],  # log cumulative hazard at 12 months, reference profile
    "log_shape": [0.0, 0.35],  # 95 % of Weibull shapes between 0.50 and 2.0
    "endpoint_offset": [0.0, 0.25],  # endpoints of one cohort share most events
    "heterogeneity_log_shape": [0.0, 0.25],  # Roever et al. 2021, 10.1002/jrsm.1475
    "heterogeneity_effect": [0.0, 0.5],  # Roever et al. 2021, 10.1002/jrsm.1475
    "heterogeneity_level": [0.0, 0.5],  # Roever et al. 2021, 10.1002/jrsm.1475
}

# ---------------------------------------------------------------- what was printed
# Ratios: cohort, covariate, level, versus, log ratio. Their covariance by cohort holds the squared
# standard error, what levels share by sharing a reference group, and, where a ratio was adjusted
# otherwise than this model adjusts, a variance for the mismatch.
RATIOS = [
    [
        "sysu-2016-2020",
        "site",
        ["nonpancreas"],
        ["pancreas"],
        -0.166054584330083,
    ],
    ["sysu-2016-2020", "margin", ["clear"], ["unclear"], -0.407968238326283],
    ["sysu-2016-2020", "ki67", [">10%"], ["<=10%"], 0.766862218382226],
    ["sysu-2016-2020", "htb", ["10-25%"], ["<10%"], 0.735727628095064],
    ["sysu-2016-2020", "htb", ["25-50%"], ["<10%"], 0.6227247162634],
    ["sysu-2016-2020", "htb", [">50%"], ["<10%"], 1.04380405217311],
    ["sysu-2016-2020", "bone", ["yes"], ["no"], 1.06849666476349],
    [
        "sysu-rectal-2022-2024",
        "htb",
        ["25-50%", ">50%"],
        ["<10%", "10-25%"],
        1.43222329300829,
    ],
]
RATIO_COVARIANCE = {
    "sysu-2016-2020": [
        [0.0841586823869156, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0999182734627231, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.17317523087583, 0.0, 0.0, 0.0, 0.0],
        [
            0.0,
            0.0,
            0.0,
            0.181081122508524,
            0.0793645234016677,
            0.0793645234016677,
            0.0,
        ],
        [
            0.0,
            0.0,
            0.0,
            0.0793645234016677,
            0.165596132058761,
            0.0793645234016677,
            0.0,
        ],
        [
            0.0,
            0.0,
            0.0,
            0.0793645234016677,
            0.0793645234016677,
            0.150124798159868,
            0.0,
        ],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.131112651180521],
    ],
    "sysu-rectal-2022-2024": [[0.401528746249192]],
}

# Points of survival curves: cohort, endpoint, subgroup, month, log(-log S). A median is S = 1/2.
CURVE = [
    ["sysu-2016-2020", "pfs", {}, 13.6, -0.366512920581664],
    ["sysu-2016-2020", "hepatic_pfs", {}, 14.9, -0.366512920581664],
    ["sysu-rectal-2022-2024", "hepatic_pfs", {}, 11.1, -0.366512920581664],
]
CURVE_COVARIANCE = {
    "sysu-2016-2020": [[0.0172413793103448, 0.0], [0.0, 0.0172413793103448]],
    "sysu-rectal-2022-2024": [[0.0238095238095238]],
}

# ---------------------------------------------------------------- what follows from the above
NAMES = list(LEVELS)
PATTERNS = list(itertools.product(*LEVELS.values()))
EFFECTS = [(name, level) for name in NAMES for level in LEVELS[name] if level != REFERENCE[name]]
DESIGN = np.array(
    [[float(row[NAMES.index(name)] == level) for name, level in EFFECTS] for row in PATTERNS]
)
OWN = ["level", "log_shape"]
PARAMETERS = [*OWN, *(f"{name}: {level}" for name, level in EFFECTS)]
PRIOR = np.array([PRIORS[name] for name in OWN] + [PRIORS["effect"]] * len(EFFECTS))
# One tau for each of the cohort's own parameters, and one a covariate, shared by its levels.
TAUS = [*OWN, *NAMES]
TAU_OF = [TAUS.index(name) for name in [*OWN, *(name for name, _ in EFFECTS)]]
TAU_SD = np.array(
    [PRIORS[f"heterogeneity_{name}"][1] for name in OWN]
    + [PRIORS["heterogeneity_effect"][1]] * len(NAMES)
)
SHARES = {
    cohort: np.prod(list(itertools.product(*margins)), axis=1)
    for cohort, margins in MARGINS.items()
}


def members(subgroup):
    """1 for every combination of levels that belongs to a subgroup, else 0."""
    return np.array(
        [
            float(all(row[NAMES.index(name)] in levels for name, levels in subgroup.items()))
            for row in PATTERNS
        ]
    )


def log_share(cohort, inside):
    """Log shares of the combinations inside a subgroup, up to a constant."""
    share = pt.as_tensor(np.log(np.maximum(SHARES[cohort] * inside, 1e-300)))
    for name, steps in TILT.get(cohort, {}).items():
        places = [LEVELS[name].index(row[NAMES.index(name)]) for row in PATTERNS]
        tilt = margin_tilt[list(TILT).index(cohort), NAMES.index(name)]
        share = share + np.array(steps)[places] * tilt
    return share


def linear_predictor(cohort):
    """Level plus coefficients, of every combination of levels."""
    own = theta[COHORTS.index(cohort)]
    return own[0] + pt.dot(DESIGN, own[len(OWN) :])


def log_effect(cohort, covariate, levels):
    """Log ratio of joined levels vs reference: their mean ratio, weighted by prevalence."""
    own, effects = theta[COHORTS.index(cohort)], []
    for level in levels:
        at_reference = level == REFERENCE[covariate]
        place = 0 if at_reference else PARAMETERS.index(f"{covariate}: {level}")
        effects.append(pt.zeros(()) if at_reference else own[place])
    if len(levels) == 1:
        return effects[0]
    shares = [SHARES[cohort] @ members({covariate: [level]}) for level in levels]
    weight = [np.log(share + 1e-12) for share in shares]
    for name, steps in TILT.get(cohort, {}).items():
        if name == covariate:
            tilt = margin_tilt[list(TILT).index(cohort), NAMES.index(name)]
            places = [LEVELS[name].index(level) for level in levels]
            weight = [w + steps[place] * tilt for w, place in zip(weight, places, strict=True)]
    weight = pt.stack(weight)
    return pt.logsumexp(weight + pt.stack(effects)) - pt.logsumexp(weight)


def log_ratio(place):
    """What the model says of one printed log ratio."""
    cohort, covariate, level, versus, _ = RATIOS[place]
    return log_effect(cohort, covariate, level) - log_effect(cohort, covariate, versus)


def log_minus_log(cohort, endpoint, subgroup, month):
    """log(-log S) of a mixed population at a month."""
    # log H(t | x) = a + kappa log(t / 12) + x' beta
    log_time = pt.exp(theta[COHORTS.index(cohort), 1]) * np.log(month / 12)
    if endpoint in LATER_ENDPOINTS:
        log_time = log_time + endpoint_offset[LATER_ENDPOINTS.index(endpoint)]
    share = log_share(cohort, members(subgroup))
    hazard = pt.exp(linear_predictor(cohort) + log_time)
    log_survival = pt.logsumexp(share - hazard) - pt.logsumexp(share)
    return pt.log(pt.maximum(-log_survival, 1e-15))


LATER_ENDPOINTS = ["hepatic_pfs"]
COORDS = {
    "cohort": COHORTS,
    "parameter": PARAMETERS,
    "heterogeneity": TAUS,
    "borrowing": list(TILT),
    "covariate": NAMES,
    "later_endpoint": LATER_ENDPOINTS,
}

with pm.Model(coords=COORDS) as model:
    # ------------------------------------------------------------ parameters, made once
    # Cohort c's parameter j is mu_j + tau_j z_cj; the next institution's would be N(mu_j, tau_j).
    mu = pm.Normal("mu", PRIOR[:, 0], PRIOR[:, 1], dims="parameter")
    tau = pm.HalfNormal("tau", TAU_SD, dims="heterogeneity")
    z = pm.Normal("z", 0, 1, dims=("cohort", "parameter"))
    theta = pm.Deterministic("theta", mu + tau[TAU_OF] * z, dims=("cohort", "parameter"))
    margin_tilt = pm.Normal("margin_tilt", 0, 1, dims=("borrowing", "covariate"))
    offset_prior = PRIORS["endpoint_offset"]
    endpoint_offset = pm.Normal("endpoint_offset", *offset_prior, dims="later_endpoint")

    # ------------------------------------------------------------ the likelihood, source by source
    for cohort, covariance in RATIO_COVARIANCE.items():
        places = [place for place, row in enumerate(RATIOS) if row[0] == cohort]
        mean = [log_ratio(place) for place in places]
        printed = np.array([RATIOS[place][4] for place in places])
        spread = np.array(covariance)
        pm.MvNormal(f"ratios of {cohort}", pt.stack(mean), cov=spread, observed=printed)
    for cohort, covariance in CURVE_COVARIANCE.items():
        own = [row for row in CURVE if row[0] == cohort]
        mean = [log_minus_log(*row[:4]) for row in own]
        printed = np.array([row[4] for row in own])
        spread = np.array(covariance)
        pm.MvNormal(f"curve of {cohort}", pt.stack(mean), cov=spread, observed=printed)

if __name__ == "__main__":
    with model:
        found = pm.sample(
            draws=10000,
            tune=1000,
            chains=4,
            target_accept=0.95,
            random_seed=1,
        )
    posterior = found["posterior"]
    who = {cohort: posterior["theta"].sel(cohort=cohort) for cohort in COHORTS}
    who["pooled"] = posterior["mu"]
    for cohort, values in who.items():
        for name, level in EFFECTS:
            ratio = np.exp(values.sel(parameter=f"{name}: {level}").to_numpy().ravel())
            low, middle, high = np.quantile(ratio, [0.025, 0.5, 0.975])
            what = f"{name}: {level} vs {REFERENCE[name]}"
            print(f"{cohort:<24} {what:<36} {middle:6.2f} ({low:.2f} to {high:.2f})")
