"""The page's sections: which charts and tables a run has, and what it lacks, said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from netlm_bayes.report.charts.description import Chart, TextTable
from netlm_bayes.report.charts.evidence import replication
from netlm_bayes.report.charts.predictive import predictive_curves
from netlm_bayes.report.charts.ratios import (
    SCENARIOS,
    forest,
    heterogeneity,
    prior_posterior,
    under_choices,
    without_each,
)
from netlm_bayes.report.labels import Labels
from netlm_bayes.report.page.diagnostics import (
    checks_table,
    convergence_table,
    energy_chart,
    prior_predictive,
    rank_chart,
)
from netlm_bayes.report.page.tables import (
    association_table,
    audit_tables,
    comparison_table,
    conflict_table,
    evidence_map_table,
    evidence_tables,
    fragility_tables,
    overlap_table,
    page_fit_table,
    part_effects_table,
    power_scaling_table,
    subgroups_table,
)
from netlm_bayes.report.run import Run
from netlm_bayes.report.run_facts import Tables

PAGES = (
    "All numbers that a paper prints of a cohort enter as one observation. Their joint "
    "distribution is simulated: patients with the printed margins are drawn from the model, the "
    "paper's own analyses are run on them, and the emulated means and correlations of what these "
    "print make the likelihood. So numbers of the same patients are not counted as independent, "
    "and a ratio is compared with what the paper's own regression would estimate."
)


@dataclass(frozen=True)
class Section:
    """One section."""

    id: str
    title: str
    texts: tuple[str, ...]  # what is said first
    missing: tuple[str, ...]  # what a reader may look for and the run does not hold, and why
    charts: tuple[Chart, ...]
    tables: tuple[TextTable, ...]


def sections(run: Run, reanalysis: Tables) -> tuple[Section, ...]:
    """Every section between the explorer and the reporting."""
    return (_effects(run), _evidence(run, reanalysis), _sensitivity(run), _diagnostics(run))


def _there[T](found: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(one for one in found if one is not None)


def _effects(run: Run) -> Section:
    text = (
        "Each ratio compares a level with its reference level, the other covariates held fixed. "
        "The posterior stands beside the published estimate, or beside the frequentist regression "
        "of the same patients. A published ratio is compared with the posterior of what it "
        "estimates: the model's coefficient where it is adjusted as the model adjusts, otherwise "
        "what the model implies for the paper's own regression."
    )
    return Section(
        "effects",
        "Effects: posterior beside frequentist",
        (text, *_sharing(run)),
        (),
        _there([forest(run.tables["effects"], run.tables.get("comparison"), run.labels)]),
        _there([comparison_table(run), part_effects_table(run), subgroups_table(run)]),
    )


def _sharing(run: Run) -> Iterator[str]:
    """Whose ratios are also those of another endpoint."""
    own, *parts = run.population["endpoints"]
    label = run.labels.endpoints
    for part in parts:
        if run.model.also[part].effects == "shared":
            yield f"Hazard ratios of {label[part]} are taken to be those of {label[own]}."


def _evidence(run: Run, reanalysis: Tables) -> Section:
    tables, missing = evidence_tables(run), []
    if not tables:
        missing.append("No published evidence: this run is of individual participant data alone.")
    audits, weights = audit_tables(run, reanalysis), evidence_map_table(run)
    if tables and not audits:
        missing.append(
            "No audit of the published numbers accompanies this run; the command netlm-bayes "
            "audit makes one."
        )
    pages = (page_fit_table(run), association_table(run))
    texts = ["The evidence used: its sources, how each item was read, and its consistency."]
    if pages[0]:
        texts.append(PAGES)
    shown = (*_there(pages), *tables, *_there([weights, overlap_table(run)]), *audits)
    charts = _there([_chart(run, "replication", replication)])
    return Section("evidence", "Evidence", tuple(texts), tuple(missing), charts, shown)


def _sensitivity(run: Run) -> Section:
    scaling = power_scaling_table(run)
    scenarios = _chart(run, "scenarios", lambda x, labels: under_choices(x, SCENARIOS, labels))
    without = _chart(run, "leave_one_source_out", without_each)
    missing = []
    if scenarios is None:
        missing.append("No scenarios were run; the option --sensitivity runs the model's.")
    if scaling is None:
        missing.append(
            "No power-scaling: the log likelihood of individual patients is not kept with the run."
        )
    if without is None:
        missing.append("No source was left out in turn.")
    charts = (
        _chart(run, "heterogeneity", heterogeneity),
        scenarios,
        without,
        prior_posterior(run.tables["effects"], run.labels),
    )
    return Section(
        "sensitivity",
        "Sensitivity: dependence on priors, readings and sources",
        ("Priors, readings and sources are varied one at a time.",),
        tuple(missing),
        _there(charts),
        (*fragility_tables(run), *_there([scaling])),
    )


def _chart(
    run: Run, name: str, draw: Callable[[pd.DataFrame, Labels], Chart | None]
) -> Chart | None:
    """Chart of a table, if the run has it."""
    table = run.tables.get(name)
    return None if table is None else draw(table, run.labels)


def _predictive(run: Run) -> Chart | None:
    """Observed curves over predicted ones, if the run has both."""
    if not {"predictive", "kaplan_meier"} <= set(run.tables):
        return None
    return predictive_curves(run.tables["predictive"], run.tables["kaplan_meier"], run.labels)


def _diagnostics(run: Run) -> Section:
    predictive = _predictive(run)
    charts = (prior_predictive(run), predictive, rank_chart(run), energy_chart(run))
    text = (
        f"The posterior passed all {len(run.checks)} convergence checks; otherwise no page would "
        "have been written."
    )
    after = (
        "For published evidence, the predictive check is the comparison of every published number "
        "with what the other numbers of its page predict, above."
    )
    texts = (text,) if predictive else (text, after)
    return Section(
        "diagnostics",
        "Diagnostics",
        texts,
        (),
        _there(charts),
        _there([conflict_table(run), checks_table(run), convergence_table(run)]),
    )
