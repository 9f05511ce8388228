"""The page's sections: which charts and tables a run has, and what it lacks, said in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netlm_bayes.report.page.charts import Figure
from netlm_bayes.report.page.diagnostics import (
    checks_table,
    convergence_table,
    energy_figure,
    rank_figure,
)
from netlm_bayes.report.page.effects import comparison_table, effects_figure, subgroups_table
from netlm_bayes.report.page.evidence import (
    audit_tables,
    evidence_map_table,
    evidence_tables,
    overlap_table,
    replication_figures,
)
from netlm_bayes.report.page.fragility import fragility_tables, power_scaling_table
from netlm_bayes.report.page.predictive import posterior_predictive_figure, prior_predictive_figure
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.sensitivity import (
    SCENARIOS,
    WITHOUT,
    heterogeneity_figure,
    prior_posterior_figure,
    tau_figure,
    variant_figure,
)
from netlm_bayes.report.page.tables import TextTable


@dataclass(frozen=True)
class Section:
    """One section."""

    id: str
    title: str
    texts: tuple[str, ...]  # what is said first
    missing: tuple[str, ...]  # what a reader may look for and the run does not hold, and why
    figures: tuple[Figure, ...]
    tables: tuple[TextTable, ...]


def sections(run: PageRun) -> tuple[Section, ...]:
    """Every section between the explorer and the reporting."""
    return (_effects(run), _evidence(run), _sensitivity(run), _diagnostics(run))


def _there[T](found: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(one for one in found if one is not None)


def _effects(run: PageRun) -> Section:
    text = (
        "Each ratio compares a level with its reference level, the other covariates held fixed. "
        "Beside the posterior stands what the papers printed, or what the usual regression of the "
        "same patients gives."
    )
    return Section(
        "effects",
        "Effects: posterior beside frequentist",
        (text,),
        (),
        _there([_renamed(effects_figure(run))]),
        _there([comparison_table(run), subgroups_table(run)]),
    )


def _renamed(figure: Figure | None) -> Figure | None:
    """Keep ids of figures apart from ids of sections."""
    if figure is None:
        return None
    return Figure("ratios", figure.title, figure.summary, figure.chart, figure.table)


def _evidence(run: PageRun) -> Section:
    figures, tables, missing = replication_figures(run), evidence_tables(run), []
    if not tables:
        missing.append("No printed evidence: this run is of patients alone.")
    audits, weights = audit_tables(run), evidence_map_table(run)
    if tables and not audits:
        missing.append(
            "No audit of the printed numbers lies beside this run; the command netlm-bayes audit "
            "makes one."
        )
    text = "What went in, where it was printed, how it was read, and whether it adds up."
    shown = (*tables, *_there([weights, overlap_table(run)]), *audits)
    return Section("evidence", "Evidence", (text,), tuple(missing), figures, shown)


def _sensitivity(run: PageRun) -> Section:
    scaling, without = power_scaling_table(run), variant_figure(run, WITHOUT)
    scenarios = variant_figure(run, SCENARIOS)
    missing = []
    if scenarios is None:
        missing.append("No scenarios were run; the option --sensitivity runs the model's.")
    if scaling is None:
        missing.append(
            "No power-scaling: the run does not keep the log likelihood of all its evidence, which "
            "of patients would be a row a patient."
        )
    if without is None:
        missing.append("No source was left out in turn.")
    figures = (
        tau_figure(run),
        heterogeneity_figure(run),
        scenarios,
        without,
        prior_posterior_figure(run),
    )
    return Section(
        "sensitivity",
        "Sensitivity: how far the answer depends on choices",
        ("Priors, readings and sources, each changed in turn.",),
        tuple(missing),
        _there(figures),
        (*fragility_tables(run), *_there([scaling])),
    )


def _diagnostics(run: PageRun) -> Section:
    figures = (
        prior_predictive_figure(run),
        posterior_predictive_figure(run),
        rank_figure(run),
        energy_figure(run),
    )
    text = (
        f"The posterior passed all {len(run.checks)} checks of the gate; without that there is no "
        "page."
    )
    after = (
        "Of printed evidence the posterior predictive check is the replication of every printed "
        "number, above."
    )
    texts = (text,) if posterior_predictive_figure(run) else (text, after)
    return Section(
        "diagnostics",
        "Diagnostics",
        texts,
        (),
        _there(figures),
        (checks_table(run), convergence_table(run)),
    )
