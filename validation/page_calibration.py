"""Calibration of printed pages from patients: truths of the prior, papers, ranks of the truths.

    python -m validation.page_calibration survival --papers 300 --out survival.jsonl
    python -m validation.page_calibration --summary *.jsonl

Every paper is of new patients of a new truth, analysed by other software than the page's, rounded
and printed; its page is trained as the product does, and its posterior drawn from. Papers are kept
by what they print alone (30-60 % censored, a median, finite ratios), which leaves the posterior
given a paper as it is. What is done twice is added to the file once: a run may be continued.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from validation import page_papers as papers
from validation.page_papers import FACTORS, Estimate, Patients, Truth
from validation.page_posterior import PagePosterior, PatientPosterior, sampled

from netlm_bayes.errors import InputError
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.model import Model
from netlm_bayes.page.criticism import criticise
from netlm_bayes.page.trained import Trained
from netlm_bayes.page.training import train

Array = NDArray[np.float64]
SIZES = (116, 84)
MONTHS = (6.0, 12.0, 24.0)
SELECTED, Z = "p<0.05", 1.959963984540054
PAGE, FACE_VALUE, SELECTION, LISTED = "page", "at face value", "selection", "not printed listed"
"""How a page is read: all of it; what is significant as if all were printed, divided by the
probability that it is, or with what was left out as not significant."""
NEAR = 0.15  # share of events beyond that of papers, at which a truth can lead to one
LONGEST_WAIT = 4000  # sets of patients of one truth
DESIGNS = ("survival", "response", "published", "tested")
"""Full pages of survival and of response; abstracts published because their ratios are
significant, and abstracts that leave out what is not."""


@dataclass(frozen=True)
class Paper:
    """A paper as it is read, what is true of its patients, and who they are."""

    truth: Truth
    patients: Patients
    files: Mapping[str, CohortFile]  # by reading
    printed: tuple[Estimate, ...]


def model_of(outcome: str) -> Model:
    """Model of all five factors with the default priors."""
    values: dict[str, Any] = {"name": "m", "outcome": outcome, "covariates": tuple(FACTORS)}
    if outcome == "survival":
        values |= {"anchor": papers.ANCHOR, "endpoint": "pfs"}
    return Model.model_validate({**values, "pooling": "none"})


def outcome_of(design: str) -> str:
    """Outcome of a design's papers."""
    return "response" if design == "response" else "survival"


# Papers


def written(design: str, seed: int) -> Paper:
    """The paper of a seed: truths and patients until one is written."""
    rng, outcome = np.random.default_rng([seed, DESIGNS.index(design)]), outcome_of(design)
    n = 84 if design in {"published", "tested"} else SIZES[seed % len(SIZES)]
    while True:
        truth = papers.draw_truth(outcome, rng)
        found = _published(truth, n, rng) if design == "published" else _once(design, truth, n, rng)
        if found is not None:
            return found


def _once(design: str, truth: Truth, n: int, rng: np.random.Generator) -> Paper | None:
    """The paper of one set of patients; None where none is written."""
    outcome = outcome_of(design)
    patients = papers.draw_patients(truth, outcome, n, rng)
    if not _worth_printing(patients, outcome):
        return None
    if design == "tested":
        return _of_what_is_significant(truth, patients)
    estimates = papers.analysed(patients, outcome)
    if not papers.sound(estimates):
        return None
    full = papers.survival_page if outcome == "survival" else papers.response_page
    files = {PAGE: full(patients, estimates)}
    return Paper(truth, patients, files, tuple(estimates))


def _of_what_is_significant(truth: Truth, patients: Patients) -> Paper | None:
    """An abstract that tests every contrast and prints what is significant; none if nothing is."""
    estimates = papers.adjusted(patients, "survival")
    significant = [x for x in estimates if abs(x.z) > Z]
    if not papers.sound(estimates) or not significant:
        return None
    rest = [x for x in estimates if abs(x.z) <= Z]
    files = {
        FACE_VALUE: papers.abstract(patients, significant, "", ()),
        SELECTION: papers.abstract(patients, significant, SELECTED, ()),
        LISTED: papers.abstract(patients, significant, "", rest),
    }
    return Paper(truth, patients, files, tuple(significant))


def _published(truth: Truth, n: int, rng: np.random.Generator) -> Paper | None:
    """An abstract of chosen contrasts: patients are drawn anew until they are significant."""
    factors = rng.choice(len(FACTORS), rng.integers(1, 3), replace=False)
    if not _worth_printing(papers.draw_patients(truth, "survival", n, rng), "survival", NEAR):
        return None
    for _ in range(LONGEST_WAIT):
        patients = papers.draw_patients(truth, "survival", n, rng)
        estimates = papers.adjusted(patients, "survival")
        last = [
            x for x, after in itertools.zip_longest(estimates, estimates[1:]) if _last(x, after)
        ]
        chosen = [x for x in last if x.factor in factors]
        if papers.sound(estimates) and all(abs(x.z) > Z for x in chosen):
            break
    else:
        return None
    if not _worth_printing(patients, "survival"):
        return None
    files = {
        FACE_VALUE: papers.abstract(patients, chosen, "", ()),
        SELECTION: papers.abstract(patients, chosen, SELECTED, ()),
    }
    return Paper(truth, patients, files, tuple(chosen))


def _last(one: Estimate, after: Estimate | None) -> bool:
    """Whether a contrast is that of its factor's last level."""
    return after is None or after.factor != one.factor


def _worth_printing(patients: Patients, outcome: str, margin: float = 0.0) -> bool:
    """Whether enough happened; everyone's median is reached."""
    share = papers.events_share(patients)
    if outcome == "response":
        return 0.3 <= share <= 0.85
    low, high = papers.EVENTS
    if margin:
        return low - margin <= share <= high + margin
    everyone = np.ones(patients.n, dtype=bool)
    return low <= share <= high and not np.isnan(papers.median(patients, everyone))


# What is ranked


@dataclass(frozen=True)
class Quantities:
    """Answers as functions of level, log shape and effects, one cohort's patients mixed."""

    outcome: str
    design: Array  # (patterns, effects), less that of the mean patient
    share: Array  # (patterns,)
    effects: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, analysis: Analysis, evidence: CohortEvidence, silent: bool) -> Quantities:
        """Of everyone; `silent`: with the covariates that the page is silent of."""
        patterns = analysis.patterns
        spoken = [silent or name not in evidence.silent for name, _ in patterns.effects]
        effects = tuple(x for x, keep in zip(patterns.effects, spoken, strict=True) if keep)
        design = patterns.design - evidence.joint @ patterns.design
        return cls(analysis.spec.outcome, design[:, spoken], evidence.joint, effects)

    def __call__(self, values: Array) -> dict[str, Array]:
        """Everything by name; `values` (draws, parameters)."""
        first = 2 if self.outcome == "survival" else 1
        found = dict(self._ratios(values[:, first:]))
        eta = values[:, :1] + values[:, first : first + self.design.shape[1]] @ self.design.T
        if self.outcome == "response":
            return found | self._response(eta)
        shape = np.exp(values[:, 1])
        for month in MONTHS:
            found[f"S({month:g})"] = self._survival(eta, shape, np.full(len(eta), month))
        return found | {"log shape": values[:, 1], "log median": self._log_median(eta, shape)}

    def _ratios(self, effects: Array) -> Iterator[tuple[str, Array]]:
        """Log ratios of every two levels."""
        own = {x: effects[:, k] for k, x in enumerate(self.effects)}
        for name in dict.fromkeys(name for name, _ in self.effects):
            for one, other in itertools.combinations(FACTORS[name], 2):
                zero = np.zeros(len(effects))
                level, versus = own.get((name, other), zero), own.get((name, one), zero)
                yield f"{name}: {other} vs {one}", level - versus

    def _survival(self, eta: Array, shape: Array, months: Array) -> Array:
        time = (shape * np.log(months / papers.ANCHOR))[:, None]
        return np.asarray(np.exp(-np.exp(eta + time)) @ self.share)

    def _log_median(self, eta: Array, shape: Array) -> Array:
        low, high = np.full(len(eta), -20.0), np.full(len(eta), 20.0)
        for _ in range(60):
            middle = (low + high) / 2
            above = self._survival(eta, shape, np.exp(middle)) > 0.5
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return low

    def _response(self, eta: Array) -> dict[str, Array]:
        return {"P(response)": expit(eta) @ self.share}


def truth_values(truth: Truth, outcome: str) -> Array:
    """A truth as one row of parameters."""
    own = [truth.level, truth.log_shape] if outcome == "survival" else [truth.level]
    return np.concatenate([own, truth.effects])[None]


def examined(design: str, seed: int) -> dict[str, Any]:
    """Everything that is kept of one paper."""
    paper, outcome, started = written(design, seed), outcome_of(design), time.perf_counter()
    record: dict[str, Any] = {"design": design, "seed": seed, "n": paper.patients.n}
    record["events"] = round(papers.events_share(paper.patients), 3)
    record["printed"] = [_contrast_name(x) for x in paper.printed]
    for reading, file in paper.files.items():
        analysis = analyse(model_of(outcome), [file])
        rng = np.random.default_rng([seed, 99])
        record[reading] = _read(paper, analysis, rng, design == "survival")
    return record | {"seconds": round(time.perf_counter() - started, 1)}


def _contrast_name(one: Estimate) -> str:
    name, levels = list(FACTORS.items())[one.factor]
    return f"{name}: {levels[one.level]} vs {levels[0]}"


def _read(
    paper: Paper, analysis: Analysis, rng: np.random.Generator, with_patients: bool
) -> dict[str, Any]:
    """One reading of a paper: its training, its criticism and the ranks of the truths."""
    evidence = analysis.cohorts[0]
    if evidence.page is None:
        raise ValueError("no page")
    try:
        trained = train(evidence.page)
    except InputError as error:
        return {"refused": str(error)[:300]}
    criticism, gate = criticise(trained), trained.gate
    record: dict[str, Any] = {
        "p": criticism.p,
        "chi2": round(criticism.chi2, 3),
        "freedom": criticism.freedom,
        "gate": [round(gate.rms, 3), round(gate.worst, 3)],
        "conflicts": [len(trained.conflicts), len(trained.unemulated)],
    }
    record |= _compared(analysis, evidence, trained, paper, rng)
    if with_patients:
        record["patients"] = _given_patients(paper, trained, analysis, evidence, rng)
    return record


def _compared(
    analysis: Analysis,
    evidence: CohortEvidence,
    trained: Trained,
    paper: Paper,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Ranks of the truths among draws given the page, and moments of these."""
    posterior, outcome = PagePosterior(trained), analysis.spec.outcome
    draws, accepted = sampled(posterior, posterior.start, rng)
    inputs = trained.page.inputs
    own = Quantities.of(analysis, evidence, silent=False)(draws[:, : inputs.parameters])
    own |= _associations(trained, draws)
    if evidence.silent:
        del own["log shape"]  # of a mixed curve: no truth is known
    true = Quantities.of(analysis, evidence, silent=True)(truth_values(paper.truth, outcome))
    names = list(FACTORS)
    for association, (i, j) in zip(paper.truth.association, papers.pairs(), strict=True):
        true[f"association {names[i]}, {names[j]}"] = np.array([association])
    return {
        "given": {key: _placed(values, true[key]) for key, values in own.items()},
        "outside": trained.outside(draws[:, : inputs.size]),
        "accepted": round(accepted, 3),
    }


def _placed(values: Array, true: Array) -> list[float]:
    """Share of draws below the truth, their mean and standard deviation, and the truth."""
    found = [np.mean(values < true), values.mean(), values.std(), true[0]]
    return [round(float(x), 4) for x in found]


def _associations(trained: Trained, draws: Array) -> dict[str, Array]:
    page, part = trained.page, trained.page.inputs.parts["association"]
    names = [factor.name for factor in page.factors]
    found = {}
    for (i, j), z in zip(page.inputs.pairs, draws[:, part].T, strict=True):
        a, b = sorted((names[i], names[j]), key=list(FACTORS).index)
        found[f"association {a}, {b}"] = page.association_sd * z
    return found


def _given_patients(
    paper: Paper,
    trained: Trained,
    analysis: Analysis,
    evidence: CohortEvidence,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """The same, given the patients themselves."""
    page, size = trained.page, trained.page.inputs.parameters
    columns = [
        paper.patients.level[:, list(FACTORS).index(name)] == FACTORS[name].index(level)
        for name, level in analysis.patterns.effects
    ]
    design = np.column_stack(columns).astype(float)
    posterior = PatientPosterior(
        design - design.mean(axis=0),
        paper.patients.event,
        np.log(paper.patients.months / papers.ANCHOR),
        page.prior_mean[:size],
        np.linalg.inv(page.prior_covariance[:size, :size]),
    )
    start = trained.mean[:size], trained.covariance[:size, :size]
    draws, _ = sampled(posterior, start, rng)
    own = Quantities.of(analysis, evidence, silent=True)
    true = own(truth_values(paper.truth, "survival"))
    return {key: _placed(values, true[key]) for key, values in own(draws).items()}


def run(design: str, seeds: Sequence[int], out: Path) -> None:
    """Add papers of these seeds to a file, but those that it has."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    done = {json.loads(line)["seed"] for line in lines}
    for seed in seeds:
        if seed not in done:
            with out.open("a") as file:
                file.write(json.dumps(examined(design, seed)) + "\n")


def main() -> int:
    """Make papers, or say what is in files of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("design", choices=DESIGNS)
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    run(asked.design, range(asked.first, asked.first + asked.papers), asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
