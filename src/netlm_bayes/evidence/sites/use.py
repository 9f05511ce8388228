"""What a site's table can tell a model, and what it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from netlm_bayes.errors import Problem
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.sites.table import Groups, SiteTable, SurvivalTable
from netlm_bayes.spec import Model


def groups_of(spec: Model, table: SiteTable) -> Groups:
    """Groups of patients whose outcome is the model's."""
    found = table.survival if spec.outcome == "survival" else table.response
    if found is None:
        raise ValueError(f"a table without {spec.outcome}")
    return found.groups


def table_faults(spec: Model, table: SiteTable) -> list[Problem]:
    """Say why a table does not hold what a model needs; empty where it does."""
    if spec.outcome == "response":
        return list(_response_faults(spec, table))
    if table.survival is None:
        return [Problem("survival", "is not in this table, and the model is of survival")]
    return list(_survival_faults(spec, table.survival))


def _response_faults(spec: Model, table: SiteTable) -> Iterator[Problem]:
    if table.response is None:
        yield Problem("response", "is not in this table, and the model is of response")
    if spec.ordinal:
        yield Problem("response", "counts responders; an ordinal model needs each patient's")


def _survival_faults(spec: Model, survival: SurvivalTable) -> Iterator[Problem]:
    cells = survival.cells
    if spec.baseline == "weibull":
        if not cells.power.shape[1]:
            what = (
                "has no sums for a Weibull: use a piecewise baseline, or ask the "
                "site for `netlm-bayes share --weibull`"
            )
            yield Problem("survival", what)
        return
    if unknown := [cut for cut in spec.cuts if cut not in cells.cuts]:
        wanted, known = (", ".join(f"{cut:g}" for cut in cuts) for cuts in (unknown, cells.cuts))
        both = ", ".join(f"{cut:g}" for cut in spec.cuts if cut in cells.cuts)
        way_out = f"give the model cuts = [{both}]" if both else "give the model some of these"
        what = f"has cuts at {known} months and none at {wanted}, which the model has; {way_out}"
        yield Problem("survival.cuts", what)


def notes_on_table(spec: Model, groups: Groups, patterns: Patterns) -> tuple[str, ...]:
    """Say of each covariate in how many patients its level is not told."""
    mean = "mean hazard" if spec.outcome == "survival" else "mean probability"
    notes = []
    for name in patterns.covariates:
        if name not in groups.levels:
            notes.append(f"{name}: not in the table; the {mean} over its levels")
            continue
        untold = int(groups.patients[groups.levels[name].sum(axis=1) > 1].sum())
        if untold:
            notes.append(f"{name}: not told of {untold} patients; the {mean} of their group")
    return tuple(notes)
