"""Assumptions, the methods paragraph and the checklists say what the run holds, and no more."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from netlm_bayes.choices import DEFAULT_PRIORS
from netlm_bayes.published.margins import UNPRINTED_LOG_SD
from netlm_bayes.report.facts import Facts
from netlm_bayes.report.prose import (
    ChecklistItem,
    assumptions,
    checklist,
    checklists,
    methods,
    references,
)
from netlm_bayes.report.run_facts import PRIORS, Row
from netlm_bayes.report.sentences import Writer
from netlm_bayes.sampling.gate import Check
from netlm_bayes.store import read_manifest, read_tables

RESULTS = Path(__file__).parents[2] / "results" / "published"
RUNS = ("pfs-weibull", "response-logistic")
Tables = dict[str, pd.DataFrame]


class Run:
    """A committed run, to be changed."""

    def __init__(self, name: str) -> None:
        folder = RESULTS / name
        self.tables: Tables = read_tables(folder)
        self.manifest: dict[str, Any] = read_manifest(folder)
        found = json.loads((folder / "diagnostics.json").read_text("utf-8"))
        self.checks = [Check(**check) for check in found]
        self.details: dict[str, Any] = self.manifest["details"]
        self.model: dict[str, Any] = self.details["model"]

    def of_patients(self) -> "Run":
        """The same, of one hospital's patients."""
        cohort = {**self.details["population"]["cohorts"][0], "patients": True, "borrowed": {}}
        self.details["population"].update(cohorts=[cohort], n=cohort["n"], endpoints=["pfs"])
        pooled = ("pooled", "heterogeneity", "leave_one_source_out", "evidence_map")
        printed = ("replication", "page_fit", "association", "evidence")
        for name in (*pooled, *printed, "scenarios"):
            del self.tables[name]
        return self

    def failed(self) -> "Run":
        """The same, had it not converged."""
        self.tables, self.manifest["contents"] = {}, ["diagnostics.json"]
        self.checks = [Check("R-hat of parameters, largest", 1.2, 1.01, False)]
        return self

    def facts(self, script: bool = False) -> Facts:
        return Facts(self.tables, self.manifest, tuple(self.checks), script)

    @property
    def assumed(self) -> str:
        return "\n".join(assumptions(self.facts()))

    @property
    def methods(self) -> str:
        return "\n\n".join(methods(self.facts()))

    def checked(self, script: bool = False) -> dict[str, ChecklistItem]:
        return {item.item: item for item in checklist(self.facts(script), "barg")}

    @property
    def robust(self) -> tuple[ChecklistItem, ...]:
        return checklist(self.facts(), "robust")


@pytest.fixture
def pfs() -> Run:
    return Run("pfs-weibull")


@pytest.fixture
def response() -> Run:
    return Run("response-logistic")


# Assumptions.


@pytest.mark.parametrize(
    "said",
    [
        "All numbers that a paper prints of a cohort enter as one observation.",
        "no patient counts more than once for being in several of them",
        "normal prior with standard deviation 0.5, centred at independence.",
        "averaged over the other covariates as if these were independent.",
        "are printed because they are significant: the likelihood is divided by",
        "Where a paper does not say what a ratio is adjusted for, any of the model's covariates",
        "Where follow-up is not printed, patients are taken to be enrolled evenly over time",
        "are not published: they are borrowed from another cohort, with a log standard",
        "read as 'by-conclusion', because",
        "Hazards are proportional: effects are constant over time.",
        "(Weibull), with one shape per cohort",
        "Censoring is non-informative",
        " is a share of that of ",
        "Hazard ratios of hepatic PFS are those of overall PFS.",
        "(tau) has a half-normal(0.5) prior",
        "No patient is in two cohorts.",
        "log hazard ratio of any two levels is normal(0, sd 0.75) (95 % of hazard ratios between",
    ],
)
def test_the_assumptions_behind_printed_survival_are_named(pfs, said):
    assert said in pfs.assumed


def test_a_margin_that_nobody_prints_is_not_called_borrowed(pfs):
    rectal = next(x for x in pfs.details["population"]["cohorts"] if x["borrowed"])
    rectal["borrowed"] = dict.fromkeys(rectal["borrowed"], UNPRINTED_LOG_SD)
    assert "any share of a level is taken to be as likely as any other" in pfs.assumed
    assert "borrowed" not in pfs.assumed


def test_a_model_without_covariates_assumes_nothing_of_ratios(pfs):
    run = pfs.of_patients()
    run.model["covariates"] = []
    assert "Hazards are proportional" not in run.assumed
    assert "hazard ratio" not in run.assumed


def test_response_has_no_assumption_of_time(response):
    for word in ("Hazards", "Censoring", "Weibull"):
        assert word not in response.assumed
    assert "Response is CR or PR" in response.assumed


def test_one_hospitals_patients_assume_nothing_of_print_or_pools(pfs):
    said = pfs.of_patients().assumed
    for word in ("published", "borrowed", "exchangeable", "two cohorts", "factor"):
        assert word not in said
    assert "Hazards are proportional" in said


def test_missing_values_are_assumed_at_random_where_there_are_any(pfs):
    assert "missing at random" not in pfs.assumed
    pfs.of_patients()
    pfs.tables["evidence"] = pd.DataFrame([{"cohort": "a", "use": "derived", "n_missing": 9.0}])
    assert "missing at random" in pfs.assumed


def test_other_models_assume_other_things(pfs):
    pfs.model.update(baseline="piecewise", pooling="complete", cuts=[6.0, 12.0])
    pfs.model["priors"], pfs.model["scenarios"] = {}, []
    said = pfs.assumed
    assert "cut points at months 6 and 12" in said
    assert "All cohorts share one set of parameters" in said
    assert "enter as one observation" in said
    pfs.model["change"] = {"covariates": ["htb"], "months": 6.0}
    assert "the effects of Hepatic tumour burden may change at month 6" in pfs.assumed


def test_simulated_patients_are_an_assumption(pfs):
    pfs.of_patients().details["synthetic"] = ["sysu-2016-2020"]
    assert "Simulated patients stand in for real ones" in pfs.assumed


# Methods.


@pytest.mark.parametrize(
    ("unit", "said"), [("months", "with t0 = 30 months"), ("years", "with t0 = 2.5 years")]
)
def test_where_a_weibulls_level_is_stands_in_the_models_unit(unit, said):
    run = Run("pfs-weibull")
    run.model |= {"anchor": 30.0, "unit": unit}
    assert said in run.methods


@pytest.mark.parametrize(
    "said",
    [
        "All primaries, 2016-2020 (n = 116) and Rectal primaries, 2022-2024 (n = 84)",
        "log H(t | x) = a + kappa log(t / t0) + (x - xbar)'beta",
        "partially pooled",
        "normal(0, sd 0.75) for contrasts of two levels",
        "half-normal(0.25) for the heterogeneity of the log shape",
        "No-U-Turn",
        "R-hat, largest (1.01)",
        "bulk ESS, smallest (400)",
        "central 95 % intervals",
        "priors of scale 0.25, 0.5 and 1.",
        "doi:10.1002/jrsm.1475",
        "doi:10.1098/rsos.171047",
    ],
)
def test_the_paragraph_has_what_a_methods_section_needs(pfs, said):
    assert said in pfs.methods


def test_sampling_and_scenarios_are_those_of_the_run(pfs):
    pfs.model["sampling"].update(draws=750, tune=250, chains=3, target_accept=0.9)
    pfs.manifest["seed"] = 17
    scenarios = pfs.tables["scenarios"]
    pfs.tables["scenarios"] = scenarios[scenarios["scenario"].isin(["main", "literal", "vague"])]
    said = pfs.methods
    assert "3 chains of 750 draws after 250 tuning steps, target acceptance 0.9, seed 17" in said
    assert "examined as scenarios (literal and vague)." in said


def test_how_ratios_adjusted_otherwise_are_read_is_told(pfs, response):
    own = "would estimate in such patients, and not the model's coefficient"
    assert own in pfs.assumed
    assert "18F-FDG PET-CT, which the papers adjust for and the model lacks" in response.assumed
    assert "which the papers adjust for" not in pfs.assumed


def test_the_fit_of_every_page_is_told(pfs):
    page = pfs.tables["page_fit"].iloc[0]
    assert f"on {page['freedom']} degrees of freedom" in pfs.methods
    assert "not testable, as no degree of freedom is left" in pfs.methods
    informed, every = pfs.tables["association"]["informed"].sum(), len(pfs.tables["association"])
    assert f"{informed or 'none'} of {every} associations of covariates" in pfs.methods


def test_a_declared_association_is_told(pfs):
    pfs.model["association"] = [{"covariates": ["htb", "bone"], "log_odds_ratio": 1.0}]
    assert "but as declared for htb with bone." in pfs.assumed
    assert "as if these were associated as declared (htb with bone)." in pfs.assumed


def test_what_is_taken_at_face_value_is_told(pfs):
    pfs.model["selection"] = "ignored"
    assert "that are printed because they are significant are taken at face value." in pfs.assumed
    assert "divided by the probability of significance" not in pfs.methods


@pytest.mark.parametrize("name", RUNS)
def test_every_version_is_that_of_the_run(name):
    run = Run(name)
    for package, version in run.manifest["versions"].items():
        assert f"{package} {version}" in run.methods


def test_each_work_is_cited_once_and_each_citation_is_listed(pfs):
    text, listed = pfs.methods.split("\n\nReferences: ")
    for work in references().values():
        assert (f"({work['short']})" in text) is (work["full"] in listed)
        assert listed.count(work["full"]) <= 1


def test_the_paragraph_tells_only_what_was_done(pfs):
    said = pfs.of_patients().methods
    for word in ("that a paper prints", "synthetic", "scenarios", "repeated with", "pooled:"):
        assert word not in said
    assert "right or interval censored as observed" in said
    assert "heterogeneity" not in said


def test_curves_are_told_where_they_are_in_the_likelihood(pfs):
    assert "Kaplan-Meier curves entered" not in pfs.methods
    evidence = pfs.tables["evidence"]
    kinds = evidence["kind"].replace("median", "curve")
    pfs.tables["evidence"] = evidence.assign(kind=kinds)
    assert "Kaplan-Meier curves entered as numbers of events and censored" in pfs.methods


def test_a_sites_table_is_not_called_patients_one_by_one(pfs):
    regression = {"cohort": "sysu-2016-2020", "evidence": "site table"}
    pfs.of_patients().tables["frequentist"] = pd.DataFrame([regression])
    said = pfs.methods
    assert (
        "Patients of All primaries, 2016-2020 entered as the site's table of events and time at "
        "risk by group." in said
    )
    assert "censored as observed" not in said


def test_a_run_that_failed_reports_no_estimates(pfs):
    said = pfs.failed().methods
    assert "The run failed: R-hat of parameters, largest 1.2; no estimates are reported." in said
    assert "Estimates are" not in said
    assert "All were met" not in said


def test_simulated_patients_are_named_in_the_methods(pfs):
    pfs.of_patients().details["synthetic"] = ["sysu-2016-2020"]
    assert "The patients of All primaries, 2016-2020 are simulated." in pfs.methods


def test_every_kind_of_prior_has_a_name_in_the_methods(pfs):
    known = {name for priors in DEFAULT_PRIORS.values() for name in priors}
    assert known == set(PRIORS)
    name_of = Writer(pfs.facts()).macros("model").prior_name
    assert len({name_of(name) for name in known}) == len(known)


# Checklists.


def test_every_item_is_answered_by_a_macro(pfs):
    evidence = Writer(pfs.facts()).macros("checklist")
    for list_ in checklists().values():
        assert all(hasattr(evidence, item["shown_by"]) for item in list_["items"])
        assert list_["reference"] in references()


def test_the_lists_have_their_items():
    sections = [item["section"] for item in checklists()["barg"]["items"]]
    assert list(dict.fromkeys(sections)) == [
        "Preamble",
        "Model",
        "Computation",
        "Posterior",
        "Decisions",
        "Sensitivity",
        "Reproducibility",
    ]
    assert len(checklists()["robust"]["items"]) == 7


def test_what_a_pooled_run_lacks_is_the_prior_predictive_and_an_absent_script(pfs):
    pfs.tables.pop("prior_predictive", None)
    lacking = [name for name, item in pfs.checked(script=True).items() if not item.present]
    assert lacking == ["Prior predictive distribution of data"]
    lacking = [name for name, item in pfs.checked(script=False).items() if not item.present]
    assert lacking[1:] == ["A script that can be read", "A script that runs as it stands"]
    assert all(item.present for item in pfs.robust)


def test_an_item_without_evidence_says_that_it_is_missing(pfs):
    for item in pfs.failed().checked().values():
        assert item.present is not item.evidence.startswith("missing")
        assert item.evidence


def test_a_failed_run_shows_neither_estimates_nor_draws(pfs):
    found = pfs.failed().checked()
    for name in (
        "Central estimate and credible interval",
        "Posterior predictive distribution beside the observed data",
        "The draws themselves",
        "To vaguer priors",
        "Effective sample size",
    ):
        assert not found[name].present
    items = pfs.robust
    assert [item.present for item in items] == [True, True, False, True, True, False, False]


def test_sensitivity_is_shown_by_scenarios_that_were_run(pfs):
    found = pfs.checked()
    assert found["To vaguer priors"].evidence == "scenario vague, sd 2.5 instead of 0.75"
    assert (
        found["To more informative priors"].evidence
        == "scenario sceptical, sd 0.35 instead of 0.75"
    )
    scenarios = pfs.tables["scenarios"]
    pfs.tables["scenarios"] = scenarios[scenarios["scenario"] != "vague"]
    assert not pfs.checked()["To vaguer priors"].present
    assert pfs.checked()["To more informative priors"].present


def test_a_prior_without_a_reason_is_not_justified(pfs):
    asked = "Every prior, and a reason for it"
    assert pfs.checked()[asked].present
    pfs.model["priors"]["effect"]["why"] = ""
    assert not pfs.checked()[asked].present
    justified = pfs.robust[1]
    assert justified.item == "Justified"
    assert not justified.present


@pytest.mark.parametrize("name", RUNS)
def test_convergence_is_told_with_the_runs_own_numbers(name):
    run = Run(name)
    told = run.checked()["Convergence of the chains"].evidence
    for check in run.checks:
        if check.name.startswith("R-hat"):
            assert f"{check.name}: {check.value:.5g} (limit 1.01)" in told


def test_a_replicated_prior_is_shown_where_there_is_one(pfs):
    pfs.tables["prior_predictive"] = pd.DataFrame()
    item = pfs.checked()["Prior predictive distribution of data"]
    assert (item.present, item.evidence) == (True, "prior_predictive.csv")


def test_no_text_holds_markup():
    for name in RUNS:
        run = Run(name)
        told = [run.assumed, run.methods, *(item.evidence for item in run.checked(True).values())]
        assert not any(re.search(r"</?[a-z]+>|&[a-z]+;", text) for text in told)


def test_a_count_of_which_draws_support_no_digit_is_fewer_than_a_bound(pfs: Run) -> None:
    writer = Writer(pfs.facts())
    cells = {"events_to_change": 33.0, "events_to_change_mcse": 20.0}
    rows = [Row("fragility_words", (), {**cells, "events_to_change": x}) for x in (33.0, 333.0)]
    texts = [writer.split(writer.events(row, "events_to_change")) for row in rows]
    assert [text.text for (text,) in texts] == ["fewer than 100", "about 300"]
