"""A methods paragraph, ready to paste: what was modelled, how it was computed, what it rests on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from netlm_bayes.estimands.population import POOLED
from netlm_bayes.model import Model
from netlm_bayes.report.page.assumptions import (
    MISMATCH,
    any_note,
    event_free,
    fitted,
    of_site_tables,
)
from netlm_bayes.report.page.forms import listed, plain, prior_in_words, whole
from netlm_bayes.report.page.quoted import Tables
from netlm_bayes.report.page.scenarios_told import MAIN
from netlm_bayes.sampling.gate import Check

REFERENCES = "references.toml"
MODELS = {
    "weibull": (
        "a Weibull proportional-hazards model, log H(t | x) = a + kappa log(t / 12) + x'beta with "
        "t in months"
    ),
    "piecewise": (
        "a piecewise-exponential proportional-hazards model, log h(t | x) = g + r_j + x'beta in "
        "interval j, the steps of r a random walk"
    ),
    "response": "a logistic model of response (complete or partial), logit P = b + x'gamma",
    "ordinal": "a cumulative-logit model of response (PD < SD < PR < CR)",
}
POOLING = {
    "partial": (
        "Cohort-level parameters were partially pooled: each is normal around a common centre, "
        "with one heterogeneity standard deviation per covariate and per baseline parameter."
    ),
    "complete": "All cohorts shared one set of parameters.",
    "none": "Cohorts were analysed separately.",
}
PRIOR_NAMES = {
    "effect": "coefficients",
    "level": "the baseline level",
    "log_shape": "the log shape",
    "hazard_step": "the standard deviation of the steps",
    "endpoint_offset": "the offset between endpoints",
    "effect_change": "changes of effects",
    "threshold_gap": "gaps between thresholds",
    "heterogeneity_effect": "the heterogeneity of coefficients",
    "heterogeneity_level": "the heterogeneity of the level",
    "heterogeneity_log_shape": "the heterogeneity of the log shape",
}


def methods_paragraph(
    manifest: Mapping[str, Any], tables: Tables, checks: Sequence[Check], script: bool = False
) -> str:
    """Write the paragraph, and under it the references."""
    spec, cited = Model.model_validate(manifest["details"]["model"]), _Citations()
    sentences = [
        *_model(spec, manifest["details"]),
        *_likelihood(manifest["details"], tables, cited),
        *_priors(spec, manifest["details"], cited),
        *_computation(spec, manifest, checks, cited),
        *_reported(spec, tables, cited),
        *_repeatable(manifest, script),
    ]
    return "\n\n".join([" ".join(sentences), "References: " + " ".join(cited.full)])


class _Citations:
    """References in the order of their first citation."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> str:
        """Cite one, in brackets."""
        self.names += [] if name in self.names else [name]
        return f"({references()[name]['short']})"

    @property
    def full(self) -> list[str]:
        return [references()[name]["full"] for name in self.names]


@cache
def references() -> Mapping[str, Mapping[str, str]]:
    """What can be cited, by name: `short` and `full`."""
    return tomllib.loads(Path(__file__).with_name(REFERENCES).read_text("utf-8"))


def kind_of(spec: Model) -> str:
    """Kind of a model."""
    if spec.outcome == "response":
        return "ordinal" if spec.ordinal else "response"
    return spec.baseline


def _model(spec: Model, details: Mapping[str, Any]) -> Iterator[str]:
    """Model, cohorts, covariates, pooling."""
    cohorts = details["population"]["cohorts"]
    told = [f"{cohort['label']} (n = {cohort['n']})" for cohort in cohorts]
    covariates = [str(details["labels"]["covariates"].get(x, x)) for x in spec.covariates]
    if spec.outcome == "survival":
        names = [
            str(details["labels"]["endpoints"].get(name, name))
            for name in details["population"]["endpoints"]
        ]
        what = listed(names)
    else:
        what = "response"
    yield (
        f"We analysed {what} in {listed(told)} by {MODELS[kind_of(spec)]}, fitted in a Bayesian "
        f"way. Covariates were {listed(covariates)}, each level against its reference."
    )
    if spec.change:
        yield f"Effects could change once, at month {plain(spec.change.months)}."
    if treatments := treatments_told(spec, details):
        yield treatments
    if spec.landmark is not None:
        whom = f"Those {event_free(details)} at a landmark"
        yield f"{whom} of {plain(spec.landmark)} months were compared."
    if details["synthetic"]:
        labels = details["labels"]["cohorts"]
        whose = listed([str(labels.get(name, name)) for name in details["synthetic"]])
        yield f"The patients of {whose} are simulated."
    if len(cohorts) > 1:
        yield POOLING[spec.pooling]


def treatments_told(spec: Model, details: Mapping[str, Any]) -> str:
    """Say which covariates are treatments, and how these were assigned; empty without any."""
    known = details["labels"].get("treatments", {})
    ways = {True: "assigned at random", False: "not assigned at random"}
    labels = details["labels"]["covariates"]
    told = [
        f"{labels[name]} is a treatment {ways[known[name]]}"
        for name in spec.covariates
        if name in known
    ]
    return f"Of these, {listed(told)}." if told else ""


def _likelihood(details: Mapping[str, Any], tables: Tables, cited: _Citations) -> Iterator[str]:
    """What each kind of evidence contributed."""
    cohorts = details["population"]["cohorts"]
    survival = details["model"]["outcome"] == "survival"
    shared = of_site_tables(tables)
    if any(cohort["patients"] and cohort["id"] not in shared for cohort in cohorts):
        how = "right or interval censored as observed" if survival else "one by one"
        yield f"Patients entered the likelihood {how}; missing covariates were summed over."
    if shared:
        sums = "events and time at risk" if survival else "responders"
        labels = listed([str(c["label"]) for c in cohorts if c["id"] in shared])
        yield f"The patients of {labels} entered as their site's table of {sums} by group."
    if all(cohort["patients"] for cohort in cohorts):
        return
    yield (
        "Printed ratios entered as normal on the log scale, with standard errors from their "
        f"intervals or P values {cited('printed')}, correlated where they share a reference group"
        f"{_mismatch(details, tables)}."
    )
    if details["model"].get("unadjusted") == "implied":
        yield (
            "Ratios adjusted for less than the model were compared with what it implies for such "
            "a regression in the modelled population."
        )
    if survival and fitted(tables, "curve"):
        yield (
            "Digitised Kaplan-Meier curves entered as events and censored by month, over plausible "
            "readings of the curve."
        )
    if survival and fitted(tables, "median"):
        yield (
            "Printed medians entered as points of the population's curve on the log(-log S) scale, "
            "averaged over the covariates' printed margins."
        )
    if not survival:
        yield (
            "Counts of responders entered as binomial at the population's mean probability, "
            "averaged over the covariates' printed margins; where a printed odds ratio and its "
            "margins allow one table only, its counts took the ratio's place."
        )


def _mismatch(details: Mapping[str, Any], tables: Tables) -> str:
    """The extra error of ratios adjusted otherwise, where any is."""
    if not any_note(tables, MISMATCH):
        return ""
    sd = plain(details["model"]["mismatch"])
    return f", with an error of sd {sd} where they were adjusted otherwise than here"


def used_priors(spec: Model, details: Mapping[str, Any]) -> list[str]:
    """Names of the priors that a run has parameters for."""
    several = len(details["population"]["cohorts"]) > 1
    absent = {
        "endpoint_offset": len(details["population"]["endpoints"]) < 2,
        "effect_change": spec.change is None,
        "threshold_gap": not spec.ordinal,
    }
    between = several and spec.pooling == "partial"
    return [
        name
        for name in PRIOR_NAMES
        if name in spec.known_priors
        and not absent.get(name, False)
        and (between or not name.startswith("heterogeneity"))
    ]


def _priors(spec: Model, details: Mapping[str, Any], cited: _Citations) -> Iterator[str]:
    """Every prior."""
    names = used_priors(spec, details)
    told = [f"{prior_in_words(spec.prior(name))} for {PRIOR_NAMES[name]}" for name in names]
    roever = f" {cited('heterogeneity')}" if "heterogeneity_effect" in names else ""
    yield f"Priors were {listed(told)}{roever}."


def _computation(
    spec: Model, manifest: Mapping[str, Any], checks: Sequence[Check], cited: _Citations
) -> Iterator[str]:
    """Sampler, its length, its checks."""
    versions, sampling = manifest["versions"], spec.sampling
    yield (
        f"We drew from the posterior by the No-U-Turn sampler {cited('nuts')} of nutpie "
        f"{versions['nutpie']} with PyMC {versions['pymc']} {cited('pymc')}: {sampling.chains} "
        f"chains of {sampling.draws} draws after {sampling.tune} tuning steps, target acceptance "
        f"{plain(sampling.target_accept)}, seed {manifest['seed']}. Had a check failed, the draws "
        "would have been made once more with longer tuning and a higher target."
    )
    if not checks:
        return
    limits = listed([f"{name} ({limit})" for name, limit in _limits(checks).items()])
    failed = [f"{check.name} {plain(check.value)}" for check in checks if not check.passed]
    whose = "of every parameter and of every reported quantity"
    yield f"Checks of convergence {cited('rhat')}, {whose}, were, with limits, {limits}."
    if failed:
        yield f"The run failed: {listed(failed)}; no estimates are reported."
        return
    r_hat = max((c.value for c in checks if c.name.startswith("R-hat")), default=None)
    size = min((c.value for c in checks if "ESS" in c.name), default=None)
    if r_hat is not None and size is not None:
        worst = f"the largest R-hat was {plain(r_hat)}, the smallest effective sample size"
        yield f"All were met; {worst} {whole(size)}."


def _limits(checks: Sequence[Check]) -> dict[str, str]:
    """Limit of each kind of check, whatever it was made of."""
    names = {c: c.name.replace(" of parameters", "") for c in checks}
    return {
        name.replace(" of reported estimands", ""): plain(check.limit)
        for check, name in names.items()
    }


def _reported(spec: Model, tables: Tables, cited: _Citations) -> Iterator[str]:
    """Estimates and what they were held against."""
    if "effects" not in tables:
        return
    level = plain(100 * spec.level)
    yield f"Estimates are posterior medians with central {level} % intervals."
    if POOLED in set(tables["effects"]["cohort"]):
        yield "Pooled estimates are of the common centre, predictive ones of a further cohort."
    if "heterogeneity" in tables:
        scales = listed(
            [plain(x) for x in sorted(set(tables["heterogeneity"]["heterogeneity_scale"]))]
        )
        yield f"They were repeated with half-normal heterogeneity priors of scale {scales}."
    if "scenarios" in tables:
        names = [x for x in dict.fromkeys(tables["scenarios"]["scenario"]) if x != MAIN]
        if names:
            yield f"Other priors and readings were examined as scenarios ({listed(names)})."
    if "leave_one_source_out" in tables:
        yield "The pool was repeated without each source in turn."
    if "comparison" in tables:
        yield (
            "Posterior and frequentist estimates stand side by side, with shrinkage and the limit "
            f"of scepticism {cited('credibility')}."
        )
    if "replication" in tables:
        yield "Printed numbers were compared with their posterior predictive distribution."
    if "predictive" in tables:
        yield "Replicated patients were compared with those observed."
    if "loo" in tables:
        yield f"Models were compared by leave-one-out cross-validation {cited('loo')}."


def _repeatable(manifest: Mapping[str, Any], script: bool) -> Iterator[str]:
    """Software, and where the rest is."""
    named = [f"{name} {number}" for name, number in manifest["versions"].items()]
    yield f"Software: {listed(named)}."
    offered = " and a standalone PyMC script of the model" if script else ""
    yield f"SHA-256 digests of every input{offered} are in the supplement."
