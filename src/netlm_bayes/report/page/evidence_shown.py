"""What in a run answers the items of a reporting checklist, by the names of `checklists.toml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netlm_bayes.model import Model
from netlm_bayes.report.page.forms import listed, plain, prior_in_words, whole
from netlm_bayes.report.page.methods import MODELS, POOLING, PRIOR_NAMES, kind_of, used_priors
from netlm_bayes.report.page.quoted import Tables
from netlm_bayes.report.page.scenarios_told import MAIN
from netlm_bayes.sampling.gate import Check

PRIOR_KEY = ("priors", "effect", "sigma")
POSTERIOR = "posterior.nc"


@dataclass(frozen=True)
class Evidence:
    """A run as a checklist looks at it."""

    tables: Tables
    manifest: Mapping[str, Any]
    checks: Sequence[Check]
    script: bool  # whether there is a standalone script

    @property
    def spec(self) -> Model:
        """Its model."""
        return Model.model_validate(self.manifest["details"]["model"])

    @property
    def details(self) -> Mapping[str, Any]:
        """What the manifest says of model and cohorts."""
        found: Mapping[str, Any] = self.manifest["details"]
        return found

    def labels(self, kind: str, names: Sequence[str]) -> str:
        """List the labels of some covariates or endpoints."""
        known = self.details["labels"][kind]
        return listed([str(known.get(name, name)) for name in names])

    def has(self, *tables: str) -> list[str]:
        """Which of some tables there are, as files."""
        return [f"{name}.csv" for name in tables if name in self.tables]


def _why_bayesian(run: Evidence) -> str:
    cohorts = run.details["population"]["cohorts"]
    parts = ["probabilities of effects, with what is known beforehand stated"]
    if not all(cohort["patients"] for cohort in cohorts):
        parts.insert(0, "printed numbers of several kinds in one likelihood")
    if len(cohorts) > 1:
        parts.append("a heterogeneity that few cohorts cannot tell alone")
    return listed(parts)


def _goals(run: Evidence) -> str:
    what = "the probability of response"
    if run.spec.outcome == "survival":
        what = run.labels("endpoints", run.details["population"]["endpoints"])
    treatments = run.details["labels"].get("treatments", {})
    assigned = [name for name in run.spec.covariates if treatments.get(name)]
    others = [name for name in run.spec.covariates if name not in assigned]
    parts = [f"the effect of {run.labels('covariates', assigned)}, assigned at random, on {what}"]
    parts = parts if assigned else []
    if others:
        verb = "relate" if len(others) > 1 else "relates"
        parts.append(f"how {run.labels('covariates', others)} {verb} to {what}")
    return "; ".join(parts)


def _variables(run: Evidence) -> str:
    n = run.details["population"]["n"]
    return f"{_goals(run)}; {n} patients"


def _model(run: Evidence) -> str:
    pooled = POOLING[run.spec.pooling] if len(run.details["population"]["cohorts"]) > 1 else ""
    return f"{MODELS[kind_of(run.spec)]}. {pooled}".strip().rstrip(".")


def _formal_model(run: Evidence) -> str:
    return _model(run) + ("; as code in script.py" if run.script else "")


def _priors(run: Evidence) -> str:
    names = used_priors(run.spec, run.details)
    return listed([f"{PRIOR_NAMES[n]}: {prior_in_words(run.spec.prior(n))}" for n in names])


def _justified_priors(run: Evidence) -> str:
    """Every reason; empty where one is missing."""
    priors = {name: run.spec.prior(name) for name in used_priors(run.spec, run.details)}
    if not all(prior.why for prior in priors.values()):
        return ""
    return "; ".join(
        f"{PRIOR_NAMES[name]}: {prior_in_words(prior)}, {prior.why}"
        for name, prior in priors.items()
    )


def _prior_predictive(run: Evidence) -> str:
    return listed(run.has("prior_predictive"))


def _software(run: Evidence) -> str:
    return listed([f"{name} {version}" for name, version in run.manifest["versions"].items()])


def _largest(run: Evidence, text: str) -> str:
    found = [check for check in run.checks if text in check.name]
    return "; ".join(f"{c.name}: {plain(c.value)} (limit {plain(c.limit)})" for c in found)


def _resolution(run: Evidence) -> str:
    found = [check for check in run.checks if "ESS" in check.name]
    return "; ".join(f"{c.name}: {whole(c.value)} (limit {plain(c.limit)})" for c in found)


def _approximations(run: Evidence) -> str:
    parts = ["the posterior itself: none"]
    if "loo" in run.tables:
        parts.append("leave-one-out: importance sampling, its Pareto k in loo.csv")
    if "pooled" in run.tables:
        parts.append("two-stage meta-analysis: a grid, beside the posterior in pooled.csv")
    return "; ".join(parts)


def _posterior_predictive(run: Evidence) -> str:
    return listed(run.has("predictive", "replication"))


def _estimates(run: Evidence) -> str:
    if "effects" not in run.tables:
        return ""
    level = plain(100 * run.spec.level)
    files = listed(run.has("effects", "subgroups"))
    return f"posterior medians and central {level} % intervals in {files}"


def _centre(run: Evidence) -> str:
    return "posterior medians in effects.csv" if "effects" in run.tables else ""


def _spread(run: Evidence) -> str:
    level = plain(100 * run.spec.level)
    return f"central {level} % intervals in effects.csv" if "effects" in run.tables else ""


def _other_priors(run: Evidence, wider: bool) -> str:
    """Scenarios in the run whose prior of effects is wider, or narrower."""
    if "scenarios" not in run.tables:
        return ""
    own, found = run.spec.prior("effect").sigma, []
    ran = set(run.tables["scenarios"]["scenario"]) - {MAIN}
    for scenario in run.spec.scenarios:
        sigma = scenario.changes.get(PRIOR_KEY)
        if sigma is None or scenario.name not in ran:
            continue
        if float(sigma) != own and (float(sigma) > own) is wider:
            found.append(f"scenario {scenario.name}, sd {plain(float(sigma))} for {plain(own)}")
    return "; ".join(found)


def _heterogeneity(run: Evidence) -> str:
    if len(run.details["population"]["cohorts"]) < 2 or run.spec.pooling != "partial":
        return "no heterogeneity is in this model"
    if "heterogeneity" not in run.tables:
        return ""
    scales = sorted(set(run.tables["heterogeneity"]["heterogeneity_scale"]))
    return f"half-normal scales {listed([plain(x) for x in scales])} in heterogeneity.csv"


def _prior_sensitivity(run: Evidence) -> str:
    """Whatever other prior was run."""
    found = [_other_priors(run, wider=True), _other_priors(run, wider=False)]
    if "heterogeneity" in run.tables:
        found.append(_heterogeneity(run))
    return "; ".join(text for text in found if text)


def _computation(run: Evidence) -> str:
    sampling, versions = run.spec.sampling, run.manifest["versions"]
    return (
        f"No-U-Turn sampler of nutpie {versions['nutpie']}: {sampling.chains} chains of "
        f"{sampling.draws} draws after {sampling.tune} tuning steps"
    )


def _command(run: Evidence) -> str:
    return f"{run.manifest['command']} (seed {run.manifest['seed']})"


def _digests(run: Evidence) -> str:
    return "; ".join(f"{name}: SHA-256 {digest}" for name, digest in run.manifest["inputs"].items())


SHOWN: Mapping[str, Callable[[Evidence], str]] = {
    "why_bayesian": _why_bayesian,
    "goals": _goals,
    "variables": _variables,
    "model": _model,
    "formal_model": _formal_model,
    "priors": _priors,
    "justified_priors": _justified_priors,
    "prior_predictive": _prior_predictive,
    "software": _software,
    "convergence": lambda run: _largest(run, "R-hat"),
    "resolution": _resolution,
    "approximations": _approximations,
    "posterior_predictive": _posterior_predictive,
    "estimates": _estimates,
    "centre": _centre,
    "spread": _spread,
    "no_bayes_factors": lambda _: "none was computed: no model is given a probability",
    "no_decision": lambda _: "no decision is made: nothing is accepted, rejected or selected",
    "no_threshold": lambda _: "none: intervals and probabilities are given as they are",
    "vaguer_priors": lambda run: _other_priors(run, wider=True),
    "narrower_priors": lambda run: _other_priors(run, wider=False),
    "heterogeneity": _heterogeneity,
    "prior_sensitivity": _prior_sensitivity,
    "computation": _computation,
    "installation": lambda run: f"netlm-bayes {run.manifest['versions']['netlm-bayes']}",
    "command": _command,
    "script": lambda run: "script.py, plain PyMC with every number in it" if run.script else "",
    "digests": _digests,
    "draws": lambda run: POSTERIOR if POSTERIOR in run.manifest["contents"] else "",
}
"""By name: the evidence in words, empty where there is none."""
