"""Which sources count: each left out in turn, and patients whom two cohorts may share."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from statistics import NormalDist

import numpy as np
import pytest

from netlm_bayes.choices import Sampling
from netlm_bayes.compare import conflict_table
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.pipeline.job import Job, compile_analysis, posterior_of
from netlm_bayes.pipeline.sensitivity import if_shared, sensitivity_of, without_each
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.report.tables import posterior_tables


def test_each_cohort_of_a_pool_is_left_out_once(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    found = without_each(analysis)
    votes = {name: [other.weight_of(c) for c in other.cohorts] for name, other in found.items()}
    assert votes == {"east": [0, 1], "west": [1, 0]}


def test_what_is_left_out_needs_no_other_graph_and_counts_for_nothing(analysis_of, invented):
    analysis = emulated(analysis_of(invented.east(), invented.west()))
    without = without_each(analysis)["east"]
    assert structure_of(without) == structure_of(analysis)
    before, after = (data_of(one)["page_weight"] for one in (analysis, without))
    east = [label.startswith("east") for label in structure_of(analysis).page.labels]
    assert np.all(before == 1)
    np.testing.assert_array_equal(after, ~np.array(east))


# Overlap


def with_facts(
    analysis: Analysis, centres: Sequence[str], years: Sequence[tuple[int, int] | None]
) -> Analysis:
    """Copy whose cohorts are of these centres and enrolled in these years."""
    cohorts = [
        replace(
            evidence,
            cohort=evidence.cohort.model_copy(
                update={
                    "institution": centre,
                    "enrolment": (date(when[0], 1, 1), date(when[1], 12, 31)) if when else (),
                }
            ),
        )
        for evidence, centre, when in zip(analysis.cohorts, centres, years, strict=True)
    ]
    return replace(analysis, cohorts=tuple(cohorts))


@pytest.mark.parametrize(
    ("centres", "years", "run"),
    [
        (("A", "A"), ((2016, 2018), (2018, 2020)), True),
        (("A", ""), ((2016, 2018), (2018, 2020)), True),
        (("", ""), ((2016, 2018), None), True),
        (("A", "A"), ((2016, 2018), (2019, 2020)), False),
        (("A", "B"), ((2016, 2018), (2016, 2018)), False),
        (("A", "B"), (None, None), False),
    ],
)
def test_overlap_is_run_where_nothing_excludes_it(analysis_of, invented, centres, years, run):
    analysis = with_facts(analysis_of(invented.east(), invented.west()), centres, years)
    sizes = {c.cohort.id: c.cohort.n for c in analysis.cohorts}
    found = if_shared(analysis)
    assert list(found) == (["overlap 50 %"] if run else [])
    if run:
        smaller = min(sizes, key=lambda name: sizes[name])
        assert found["overlap 50 %"].source_weights == {smaller: 0.5}


def test_the_smallest_of_three_counts_less_for_each_larger_one(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west(), invented.west() | {"id": "south"})
    south = analysis.cohorts[2].cohort.model_copy(update={"n": 20})
    cohorts = (*analysis.cohorts[:2], replace(analysis.cohorts[2], cohort=south))
    years = [(2016, 2018)] * 3
    (found,) = if_shared(with_facts(replace(analysis, cohorts=cohorts), ["A"] * 3, years)).values()
    assert [found.weight_of(c) for c in found.cohorts] == [1, 0.5, 0.25]


# A pool whose answer is known


def only_a_ratio(document: dict[str, object], name: str, ratio: dict[str, object]):
    """A cohort's document, of which margins and one hazard ratio are left."""
    margins = [item for item in document["published"] if item["kind"] == "margin"]
    return document | {"id": name, "published": [*margins, ratio]}


@pytest.mark.sampling
def test_under_complete_pooling_each_source_adds_its_own_information(files_of, invented):
    """Normal prior, normal ratios, no heterogeneity: precisions add up."""
    documents = [
        only_a_ratio(
            invented.east(),
            name,
            invented.hazard_ratio(
                "spread", "yes", "no", estimate=2.0, lower=low, upper=high, adjusted_for=["size"]
            ),
        )
        for name, (low, high) in {"east": (1.25, 3.2), "north": (0.8, 5.0)}.items()
    ]
    spec = Model(
        name="m",
        outcome="survival",
        covariates=("size", "spread"),
        pooling="complete",
        sampling=Sampling(tune=300),
    )
    job = Job(spec, files_of(*documents), 1, {}, lambda _: None)
    analysis = emulated(analyse(spec, job.files))
    graph = compile_analysis(analysis)
    analysis, posterior = posterior_of(job, graph, analysis)
    tables = posterior_tables(analysis, posterior.made, spec.sampling.chains, 1, {})
    prior = accepted_prior(analysis, spec.sampling.chains, 200, 1)
    tables["conflict"] = conflict_table(analysis, posterior.accepted, prior, 1)
    found = sensitivity_of(job, graph, analysis, posterior, tables).tables
    rows = found["evidence_map"].query("contrast == 'spread: yes vs no'").set_index("cohort")
    z = NormalDist().inv_cdf(0.975)
    for name, reach in {"east": 3.2 / 1.25, "north": 5.0 / 0.8}.items():
        own = 4 / (math.log(reach) / (2 * z)) ** 2
        assert rows.loc[name, "own_events"] == pytest.approx(own)
        assert abs(rows.loc[name, "events"] - own) < 4 * rows.loc[name, "events_mcse"]
    left = found["leave_one_source_out"]
    assert list(dict.fromkeys(left["left_out"])) == ["main", "east", "north"]
    # No dates and no centres: the same patients may be in both, and the one counts half.
    assert "overlap 50 %" in set(found["scenarios"]["scenario"])
    assert {"cohort by itself", "scenario"} <= set(found["fragility"]["changed"])
