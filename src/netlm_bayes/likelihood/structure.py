"""What a graph depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.likelihood.page_data import labels_of, page_data, page_rows
from netlm_bayes.likelihood.patient_data import patient_data
from netlm_bayes.likelihood.patient_rows import collapsed, missing_levels, patient_rows
from netlm_bayes.likelihood.site_data import cell_data, cell_rows
from netlm_bayes.model import Baseline, Outcome, Pooling
from netlm_bayes.parameters import Parameters
from netlm_bayes.published.digitised.plausible import CurveEvidence


def digitised_rows(analysis: Analysis) -> list[tuple[int, CurveEvidence]]:
    """Curves read off a figure, each with the place of its cohort."""
    return [(i, curve) for i, cohort in enumerate(analysis.cohorts) for curve in cohort.digitised]


@dataclass(frozen=True)
class PageShape:
    """Shape of the part of a graph that is of printed pages."""

    labels: tuple[str, ...]  # one a number
    nuisances: tuple[str, ...]  # one a parameter of the pages alone
    unprinted: int  # numbers of which only bounds are known
    numbers: tuple[tuple[str, tuple[int, ...]], ...]  # name and shape of every number of the graph


@dataclass(frozen=True)
class PatientShape:
    """Shape of the patients' part of a graph."""

    n: int  # patients, or kinds of patients
    # exact, interval: rows whose event is known to the moment, or lies between two scans
    exact: int
    interval: int
    missing: tuple[str, ...]  # covariates with levels that somebody misses
    # name and shape of every number of the patients
    numbers: tuple[tuple[str, tuple[int, ...]], ...]

    def size(self, name: str) -> int:
        """Length of one of the numbers; 0 where there is none of that name."""
        return dict(self.numbers).get(name, (0,))[0]


@dataclass(frozen=True)
class CellShape:
    """Shape of the part of a graph that is of groups of patients."""

    labels: tuple[str, ...]  # one a group
    numbers: tuple[tuple[str, tuple[int, ...]], ...]  # name and shape of every number of the groups


@dataclass(frozen=True)
class Structure:
    """What shapes a graph."""

    outcome: Outcome  # outcome, pooling: of the model; a single cohort has nothing to pool with
    baseline: Baseline | None  # of survival
    parameters: Parameters  # of a cohort
    ordinal: bool  # whether patients' responses are modelled in their order
    intervals: int  # of a piecewise baseline
    pooling: Pooling
    levels: tuple[tuple[str, tuple[str, ...]], ...]  # covariates with levels, and these
    apart: tuple[str, ...]  # endpoints with effects of their own
    endpoints: tuple[str, ...]  # the model's own first, then those that are part of it
    # cohorts, borrowing: ids of all cohorts, and of those with borrowed margins
    cohorts: tuple[str, ...]
    borrowing: tuple[str, ...]
    # by kind of printed evidence, a label for each row
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    page: PageShape | None
    patients: PatientShape | None
    cells: CellShape | None

    @property
    def unnamed(self) -> Structure:
        """The same structure with cohorts, and their rows, by place in place of name."""
        cells = self.cells and replace(self.cells, labels=_places(self.cells.labels))
        page = self.page and replace(
            self.page, labels=_places(self.page.labels), nuisances=_places(self.page.nuisances)
        )
        return replace(
            self,
            cohorts=_places(self.cohorts),
            borrowing=tuple(str(self.cohorts.index(name)) for name in self.borrowing),
            rows=tuple((kind, _places(labels)) for kind, labels in self.rows),
            page=page,
            cells=cells,
        )

    @property
    def covariates(self) -> tuple[str, ...]:
        """Covariates with levels."""
        return tuple(name for name, _ in self.levels)

    @property
    def continuous(self) -> tuple[str, ...]:
        """Covariates whose coefficient is of a step."""
        named, effects = dict(self.levels), self.parameters.effects
        return tuple(name for name, step in effects if step not in named.get(name, ()))


def _places(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(str, range(len(names))))


def printed_rows(analysis: Analysis) -> dict[str, list[tuple[str, str]]]:
    """Cohort and label of every row of print, by kind of evidence, where there is any."""
    cohorts = [(c.cohort.id, c) for c in analysis.cohorts]
    rows = {
        "digitised": [(name, f"item {x.item + 1}") for name, c in cohorts for x in c.digitised],
        "counts": [(name, f"item {x.item + 1}") for name, c in cohorts for x in c.counts],
    }
    return {kind: labels for kind, labels in rows.items() if labels}


def structure_of(analysis: Analysis) -> Structure:
    """Take the structure of an analysis."""
    spec, patterns, cohorts = analysis.spec, analysis.patterns, analysis.cohorts
    survival = spec.outcome == "survival"
    return Structure(
        outcome=spec.outcome,
        baseline=spec.baseline if survival else None,
        parameters=analysis.parameters,
        ordinal=spec.ordinal,
        intervals=len(spec.cuts) + 1 if survival and spec.baseline == "piecewise" else 0,
        pooling=spec.pooling if len(cohorts) > 1 else "none",
        levels=tuple(zip(patterns.covariates, patterns.levels, strict=True)),
        apart=analysis.apart,
        endpoints=analysis.endpoints,
        cohorts=tuple(c.cohort.id for c in cohorts),
        borrowing=analysis.borrowing,
        rows=tuple(
            (kind, tuple(f"{cohort}, {label}" for cohort, label in labels))
            for kind, labels in printed_rows(analysis).items()
        ),
        page=_page_shape(analysis),
        patients=_patient_shape(analysis),
        cells=_cell_shape(analysis),
    )


def _page_shape(analysis: Analysis) -> PageShape | None:
    rows = page_rows(analysis)
    if not rows:
        return None
    numbers = page_data(rows, analysis)
    return PageShape(
        labels=tuple(labels_of(rows)),
        nuisances=tuple(name for one in rows for name in one.nuisances),
        unprinted=len(numbers.get("latent", ())),
        numbers=tuple((name, values.shape) for name, values in numbers.items()),
    )


def _cell_shape(analysis: Analysis) -> CellShape | None:
    rows = cell_rows(analysis)
    if not rows:
        return None
    numbers = cell_data(rows, analysis)
    shapes = tuple((name, values.shape) for name, values in numbers.items())
    return CellShape(tuple(label for one in rows for label in one.labels), shapes)


def _patient_shape(analysis: Analysis) -> PatientShape | None:
    people = collapsed(analysis)
    rows = patient_rows(people.analysis)
    if rows is None:
        return None
    numbers = patient_data(rows, analysis, people.count)
    shapes = tuple((name, values.shape) for name, values in numbers.items())
    missing = missing_levels(rows, analysis)
    names = tuple(missing.counts) if missing else ()
    return PatientShape(rows.patients, rows.exact, rows.interval, names, shapes)
