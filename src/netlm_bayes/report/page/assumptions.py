"""The assumptions that carry a run's result, as far as they carry this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netlm_bayes.codebook import EVENT_FREE
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.model import Model
from netlm_bayes.report.page.forms import listed, plain, prior_in_words
from netlm_bayes.report.page.quoted import Tables

MISMATCH = "mismatch sd"
MISSING = "missing in"


def assumptions(manifest: Mapping[str, Any], tables: Tables) -> tuple[str, ...]:
    """List the assumptions behind a run."""
    details = manifest["details"]
    spec = Model.model_validate(details["model"])
    return (
        *_of_print(spec, details, tables),
        *_of_time(spec, details),
        *_of_treatment(spec, details),
        *_of_patients(spec, details, tables),
        *_of_pooling(spec, details),
        *_of_priors(spec, details),
    )


def _of_print(spec: Model, details: Mapping[str, Any], tables: Tables) -> Iterator[str]:
    """What printed evidence needs: a mix of covariates, margins, readings, adjustment."""
    cohorts = details["population"]["cohorts"]
    printed = [cohort for cohort in cohorts if not cohort["patients"]]
    if not printed:
        return
    if len(spec.covariates) > 1:
        yield _mix(spec)
    for cohort in printed:
        if borrowed := cohort["borrowed"]:
            names = listed([_label(details, name) for name in borrowed])
            sds = listed(list(dict.fromkeys(plain(float(sd)) for sd in borrowed.values())))
            yield (
                f"How common the levels of {names} are in {cohort['label']} is not printed: their "
                f"margins are borrowed from another cohort, with a log standard deviation of {sds}."
            )
    if any_note(tables, MISMATCH):
        yield (
            "Ratios that were adjusted otherwise than this model adjusts estimate the adjusted "
            f"ratio up to an error of standard deviation {plain(spec.mismatch)} on the log scale."
        )
    if spec.unadjusted == "implied":
        yield (
            "Ratios that were adjusted for less than this model adjusts are what a regression "
            "with fewer covariates would estimate in the modelled population."
        )
    yield from _readings(details, tables)


def _mix(spec: Model) -> str:
    """How covariates go together in a population of which only margins are printed."""
    if spec.association:
        pairs = [" with ".join(item.covariates) for item in spec.association]
        return f"Covariates go together as declared ({listed(pairs)}), with the printed margins."
    dropping = [s.name for s in spec.scenarios if "association" in (s.model_extra or {})]
    otherwise = f"; the scenario {listed(dropping)} gives this up" if dropping else ""
    return (
        "Of printed cohorts only the share of each level is known: covariates are taken as "
        f"independent of each other within a cohort{otherwise}."
    )


def _readings(details: Mapping[str, Any], tables: Tables) -> Iterator[str]:
    """Which of two readings was taken, of what enters or is predicted."""
    if "evidence" not in tables or "reading" not in tables["evidence"]:
        return
    evidence = tables["evidence"]
    for row in evidence[evidence["use"] != "unused"].to_dict("records"):
        if row["reading"]:
            why = f", because {row['why']}" if row["why"] else ""
            cohort = details["labels"]["cohorts"].get(row["cohort"], row["cohort"])
            yield f"{cohort}, {row['item']}, is read as '{row['reading']}'{why}."


def _of_time(spec: Model, details: Mapping[str, Any]) -> Iterator[str]:
    """What survival needs: proportional hazards, a shape, censoring, endpoints."""
    if spec.outcome != "survival":
        return
    if spec.change:
        names = listed([_label(details, name) for name in spec.change.covariates])
        yield (
            f"Hazards are proportional, but for {names}, whose effect may be another from month "
            f"{plain(spec.change.months)} on."
        )
    else:
        yield "Hazards are proportional: an effect is the same at all times."
    if spec.baseline == "weibull":
        yield "The hazard rises or falls by a power of time (Weibull), with one shape a cohort."
    else:
        cuts = listed([plain(cut) for cut in spec.cuts])
        yield f"The hazard is constant between months {cuts}, with the same steps in all cohorts."
    yield "Censoring tells nothing of prognosis: those lost would have fared as those followed."
    if len(details["population"]["endpoints"]) > 1:
        first, *others = [_endpoint(details, name) for name in details["population"]["endpoints"]]
        yield (
            f"Hazards of {listed(others)} and of {first} differ by one factor, the same in all "
            "cohorts, and covariates act on them alike."
        )
    if spec.landmark is not None:
        yield (
            f"Only those {event_free(details)} at month {plain(spec.landmark)} are compared; "
            "response had "
            "been decided by then."
        )


def _of_treatment(spec: Model, details: Mapping[str, Any]) -> Iterator[str]:
    """What a causal reading of a treatment's contrast needs."""
    known = details["labels"].get("treatments", {})
    for name in spec.covariates:
        if known.get(name) is True:
            yield (
                f"{_label(details, name)} was assigned at random, with concealed allocation, and "
                "patients are compared as assigned; the papers vouch for this, and no number here "
                "can check it."
            )
        elif known.get(name) is False:
            yield (
                f"{_label(details, name)} was not assigned at random: its contrast would be causal "
                "only if, given the model's other covariates, nothing decided both who received "
                "what and the outcome. That is not assumed here."
            )


def _of_patients(spec: Model, details: Mapping[str, Any], tables: Tables) -> Iterator[str]:
    """What patients' data need: missing values, and that nobody is simulated."""
    if details["synthetic"]:
        yield "Simulated patients stand in for people; they show the method and nothing else."
    if any_note(tables, MISSING):
        yield (
            "Whether a covariate is missing does not depend on its value, given the rest (missing "
            "at random)."
        )
    if spec.outcome == "response":
        yield "Response is CR or PR as the cohorts assessed it, at whatever time they did."


def _of_pooling(spec: Model, details: Mapping[str, Any]) -> Iterator[str]:
    """What pooling needs: exchangeable cohorts, and no patient in two."""
    cohorts = details["population"]["cohorts"]
    if len(cohorts) < 2:
        return
    if spec.pooling == "partial":
        prior = spec.prior("heterogeneity_effect")
        yield (
            "Cohorts are exchangeable: their effects are draws from one normal distribution, whose "
            f"standard deviation (tau) has a {prior_in_words(prior)} prior; with few cohorts that "
            "prior carries the pooled interval."
        )
    elif spec.pooling == "complete":
        yield f"All cohorts share one set of parameters: {POOLED} estimates are theirs too."
    else:
        yield "Cohorts are analysed apart: none tells anything of another."
    yield "No patient is in two cohorts."


def _of_priors(spec: Model, details: Mapping[str, Any]) -> Iterator[str]:
    """The prior of effects, which every estimate carries a part of."""
    prior = spec.prior("effect")
    ratio = "hazard" if spec.outcome == "survival" else "odds"
    why = f" ({prior.why})" if prior.why else ""
    yield f"Before any evidence, log {ratio} ratios are {prior_in_words(prior)}{why}."
    if details["population"]["scales"]:
        yield "Continuous covariates act linearly on the log scale."


def any_note(tables: Tables, text: str) -> bool:
    """Tell whether some note on the evidence has a text."""
    if "evidence" not in tables:
        return False
    return bool(tables["evidence"]["note"].astype(str).str.contains(text, regex=False).any())


def fitted(tables: Tables, kind: str) -> bool:
    """Tell whether anything printed of a kind is in the likelihood."""
    if "evidence" not in tables:
        return False
    evidence = tables["evidence"]
    of_kind = evidence["item"].astype(str).str.startswith(f"{kind} ")
    return bool((of_kind & (evidence["use"] == "fit")).any())


def of_site_tables(tables: Tables) -> set[str]:
    """Cohorts that shared a table in place of patients, as their regressions say."""
    if "frequentist" not in tables:
        return set()
    usual = tables["frequentist"]
    said = usual["note"].astype(str).str.contains("from a site's table", regex=False)
    return set(usual.loc[said, "cohort"])


def event_free(details: Mapping[str, Any]) -> str:
    """Who has not had the first endpoint's event, as the manifest says."""
    labels, endpoint = details["labels"], details["population"]["endpoints"][0]
    return str(labels.get("event_free", {}).get(endpoint, EVENT_FREE))


def _label(details: Mapping[str, Any], name: str) -> str:
    return str(details["labels"]["covariates"].get(name, name))


def _endpoint(details: Mapping[str, Any], name: str) -> str:
    return str(details["labels"]["endpoints"].get(name, name))
