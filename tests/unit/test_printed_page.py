"""A cohort's page as evidence makes it: its patients, inputs and prior, and its part of a graph."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.stats import multivariate_normal, norm
from tests.invented import book
from tests.pages import invented_training

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.printed_page import page_of as printed_page
from netlm_bayes.evidence.printed_page import theta_map
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.priors import NUMBERS, packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.page.curve import population_log_hazard, slope_in_log_time
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.laplace import residual
from netlm_bayes.page.layout import FollowUp, Page
from netlm_bayes.published.digitised.plausible import CurveEvidence

type Array = NDArray[np.float64]

PLAIN = Mode(linker="py", optimizer=None)
BOOK = book(
    {"os": "OS", "pfs": {"label": "PFS", "part_of": "os"}},
    arm="*control new",
    stage="*one two three",
)
TURNED = book(
    {"os": "OS", "pfs": {"label": "PFS", "part_of": "os"}},
    arm="control *new",
    stage="one two *three",
)
STAGES = ("one", "two", "three")


def paper(codebook: Codebook = BOOK, name: str = "paper") -> Cohort:
    return (
        Cohort(name, n=200, codebook=codebook)
        .margin("arm", {"control": 120, "new": 80})
        .margin("stage", {"one": 80, "two": 70, "three": 50})
        .median("13.6")
    )


def full_paper(codebook: Codebook = BOOK, name: str = "paper") -> Cohort:
    found = paper(codebook, name).hazard_ratio(
        "arm", "0.60", ("0.42", "0.86"), level="new", versus="control", adjusted_for=["stage"]
    )
    return found.hazard_ratio(
        "stage", "2.0", ("1.3", "3.1"), level="three", versus="one", adjusted_for=["arm"]
    )


def analysed(*papers: Cohort, **choices: Any) -> Analysis:
    values = {"name": "m", "outcome": "survival", "covariates": ["arm", "stage"], "anchor": 12}
    return analyse(Model.model_validate({**values, **choices}), read_cohorts(list(papers)))


def page_of(*papers: Cohort, **choices: Any) -> Page:
    page = analysed(*papers, **choices).cohorts[0].page
    assert page is not None
    return page


def effects_by_level(page: Page, values: Array) -> dict[str, float]:
    """Effect of every level, 0 of references."""
    return {f"arm: {x}": 0.0 for x in ("control", "new")} | {
        **{f"stage: {x}": 0.0 for x in STAGES},
        **dict(zip(page.inputs.effects, values, strict=True)),
    }


# Patients and inputs


def test_patients_have_the_printed_margins_and_no_level_a_share_of_its_own() -> None:
    arm, stage = page_of(full_paper()).factors
    assert (arm.levels, stage.levels) == (("control", "new"), STAGES)
    np.testing.assert_allclose(arm.counts, [120, 80])
    np.testing.assert_allclose(stage.counts, [80, 70, 50])
    assert arm.tilt_sd == stage.tilt_sd == 0


def test_inputs_are_parameters_then_associations_then_follow_up() -> None:
    inputs = page_of(full_paper()).inputs
    assert inputs.own == ("level", "log_shape")
    assert inputs.effects == ("arm: new", "stage: two", "stage: three")
    assert (inputs.pairs, inputs.follow_up, inputs.size) == (((0, 1),), 3, 9)


def test_a_covariate_of_which_nothing_is_printed_is_no_input() -> None:
    (evidence,) = analysed(paper().hazard_ratio("arm", "0.6", ("0.42", "0.86"))).cohorts
    assert evidence.silent == ("stage",)
    assert evidence.page is not None
    assert evidence.page.inputs.effects == ("arm: new",)
    assert [one.name for one in evidence.page.factors] == ["arm"]


def test_what_a_printed_regression_adjusts_for_is_a_factor_whether_or_not_its_ratio_is() -> None:
    page = page_of(paper().hazard_ratio("arm", "0.6", ("0.42", "0.86"), adjusted_for=["stage"]))
    assert [one.name for one in page.factors] == ["arm", "stage"]
    assert page.inputs.effects == ("arm: new",)
    assert not page.factors[1].cell_design.any()
    assert page.inputs.pairs == ()


@pytest.mark.parametrize(
    ("maximum", "expected"),
    [
        (None, FollowUp(2 * 13.6, longest_sd=0.5)),
        ("60", FollowUp(60.0)),
        ("12", FollowUp(13.6 * 1.1, longest_sd=0.1)),
    ],
)
def test_follow_up_ends_as_printed_and_after_every_printed_month(
    maximum: str | None, expected: FollowUp
) -> None:
    printed = full_paper()
    if maximum:
        printed = printed.item("statistic", name="follow-up", unit="months", maximum=maximum)
    found = page_of(printed).follow_up
    assert found is not None
    assert (found.longest, found.longest_sd) == pytest.approx(
        (expected.longest, expected.longest_sd)
    )
    assert (found.share, found.share_sd) == (0.0, 0.5)


def test_a_printed_median_of_follow_up_is_where_its_share_is_centred() -> None:
    item = {"name": "follow-up", "unit": "months", "location": "15", "maximum": "60"}
    found = page_of(full_paper().item("statistic", **item)).follow_up
    assert found is not None
    assert 1 / (1 + math.exp(-found.share)) == pytest.approx(15 / 60)
    assert found.share_sd == 0.25


# Level, effects and curves


def test_the_pages_level_is_that_of_the_cohorts_mean_patient() -> None:
    analysis = analysed(full_paper())
    (evidence,) = analysis.cohorts
    theta = np.array([-0.3, 0.2, -0.5, 0.1, 0.7])
    found = theta_map(analysis, evidence) @ theta
    mean = -0.3 + 0.4 * -0.5 + 70 / 200 * 0.1 + 50 / 200 * 0.7
    np.testing.assert_allclose(found, [mean, *theta[1:]])


def test_a_silent_covariates_effect_moves_the_level_and_falls_away() -> None:
    analysis = analysed(paper().hazard_ratio("arm", "0.6", ("0.42", "0.86")))
    found = theta_map(analysis, analysis.cohorts[0]) @ np.array([-0.3, 0.2, -0.5, 0.1, 0.7])
    mean = -0.3 + 0.4 * -0.5 + 70 / 200 * 0.1 + 50 / 200 * 0.7
    np.testing.assert_allclose(found, [mean, 0.2, -0.5])


def test_a_groups_curve_is_that_of_its_patients_at_the_effects_of_print() -> None:
    printed = full_paper().median("9", subgroup={"stage": "three"})
    analysis = analysed(printed)
    (evidence,) = analysis.cohorts
    page, effects = evidence.page, evidence.mixed_at
    assert page is not None
    x = np.concatenate([[-0.4, 0.3], effects, np.zeros(page.inputs.size - 5)])
    found = population_log_hazard(page, x[None], np.array([0, 1]), np.array([10.0, 10.0]))[0]
    # By hand: every patient's own curve, arm and stage not associated.
    by_level = effects_by_level(page, effects)
    arms = {"control": 0.6, "new": 0.4}
    shares = dict(zip(STAGES, (0.4, 0.35, 0.25), strict=True))
    mean = sum(s * by_level[f"arm: {a}"] for a, s in arms.items())
    mean += sum(s * by_level[f"stage: {x}"] for x, s in shares.items())
    time = math.exp(0.3) * math.log(10 / 12)
    for place, group in enumerate((shares, {"three": 1.0})):
        survival = sum(
            s * t * math.exp(-math.exp(-0.4 + time - mean + by_level[f"arm: {a}"] + by_level[k]))
            for a, s in arms.items()
            for k, t in ((f"stage: {name}", share) for name, share in group.items())
        )
        assert found[place] == pytest.approx(math.log(-math.log(survival)), abs=1e-9)


def test_curves_are_mixed_at_the_printed_ratio_shrunk_by_the_prior() -> None:
    (evidence,) = analysed(paper().hazard_ratio("arm", "0.6", ("0.42", "0.86"))).cohorts
    variance = (math.log(0.86 / 0.42) / 2 / 1.959964) ** 2
    shrunk = math.log(0.6) * 0.75**2 / (0.75**2 + variance)
    np.testing.assert_allclose(evidence.mixed_at, [shrunk, 0.0, 0.0], rtol=1e-6)


# Whatever the reference


def contrasts(page: Page) -> tuple[Array, Array]:
    """New against control, three against one and two against one: from the page's effects."""
    order = list(effects_by_level(page, np.zeros(len(page.inputs.effects))))
    rows = np.zeros((3, len(page.inputs.effects)))
    for row, (level, versus) in enumerate(
        [("arm: new", "arm: control"), ("stage: three", "stage: one"), ("stage: two", "stage: one")]
    ):
        for sign, name in ((1.0, level), (-1.0, versus)):
            assert name in order
            if name in page.inputs.effects:
                rows[row, page.inputs.effects.index(name)] += sign
    part = page.inputs.parts["effects"]
    return rows, rows @ page.prior_covariance[part, part] @ rows.T


def test_the_prior_and_the_mix_of_contrasts_do_not_depend_on_the_reference() -> None:
    one, other = (analysed(full_paper(book)).cohorts[0] for book in (BOOK, TURNED))
    assert one.page is not None
    assert other.page is not None
    (rows, prior), (rows_turned, prior_turned) = contrasts(one.page), contrasts(other.page)
    np.testing.assert_allclose(prior, prior_turned, atol=1e-12)
    np.testing.assert_allclose(rows @ one.mixed_at, rows_turned @ other.mixed_at, atol=1e-12)
    np.testing.assert_allclose(one.page.prior_mean, other.page.prior_mean)
    np.testing.assert_allclose(
        np.sort(one.page.group_apart), np.sort(other.page.group_apart), atol=1e-12
    )


def test_printed_numbers_are_those_of_print_whatever_the_reference() -> None:
    one, other = page_of(full_paper()), page_of(full_paper(TURNED))
    assert repr(one.numbers) == repr(other.numbers)
    assert one.regressions == other.regressions


def test_the_page_is_that_of_one_cohort_whatever_it_is_pooled_with_and_under_which_priors() -> None:
    alone = page_of(full_paper())
    pooled = page_of(full_paper(), full_paper(name="other"), pooling="partial")
    vague = page_of(full_paper(), priors={"effect": {"mu": 0.0, "sigma": 2.0}})
    for other in (pooled, vague):
        np.testing.assert_array_equal(other.prior_mean, alone.prior_mean)
        np.testing.assert_array_equal(other.prior_covariance, alone.prior_covariance)
        np.testing.assert_array_equal(other.group_apart, alone.group_apart)
        assert repr(other) == repr(alone)


# In a graph


def with_invented_emulators(analysis: Analysis) -> Analysis:
    cohorts = []
    for place, one in enumerate(analysis.cohorts):
        assert one.page is not None
        trained = invented_training(one.page, np.random.default_rng(place))
        cohorts.append(replace(one, trained=trained))
    return replace(analysis, cohorts=tuple(cohorts))


def page_density(analysis: Analysis, points: list[dict[str, Array]] | None = None) -> Any:
    """Log density of the pages at some points, or at ones of its own; and the points."""
    built = build(structure_of(analysis), data_of(analysis))
    if points is None:
        rng, start = np.random.default_rng(4), built.initial_point()
        points = [
            {name: rng.normal(0, 0.4, np.shape(value)) for name, value in start.items()}
            for _ in range(4)
        ]
    (term,) = built.replace_rvs_by_values([built["term_page"]])
    given = pytensor.function(built.value_vars, term, mode=PLAIN, on_unused_input="ignore")
    return np.array([float(given(*[p[v.name] for v in built.value_vars])) for p in points]), points


TESTED = {"kind": "hazard_ratio", "covariate": "stage", "level": "two", "versus": "one"}


def test_a_page_that_is_left_out_says_nothing_of_any_parameter() -> None:
    """Neither by what is selected or was not printed, nor by medians that were not reached."""
    printed = full_paper().median(None, subgroup={"stage": "one"}, followed_to=30)
    printed = replace(printed, selected="p<0.05", not_printed=[TESTED])
    analysis = with_invented_emulators(analysed(printed, full_paper(name="other")))
    counted, points = page_density(analysis)
    assert np.ptp(counted) > 0
    (alone,) = page_density(replace(analysis, source_weights={"other": 0.0}), points)[:1]
    (neither,) = page_density(
        replace(analysis, source_weights={"paper": 0.0, "other": 0.0}), points
    )[:1]
    assert np.ptp(alone) > 0
    np.testing.assert_allclose(neither, 0.0, atol=1e-12)


def test_a_selected_ratio_is_divided_by_the_probability_that_it_is_significant() -> None:
    printed = paper().hazard_ratio("arm", "0.60", ("0.42", "0.86"))
    analysis = with_invented_emulators(analysed(replace(printed, selected="p<0.05")))
    counted, points = page_density(analysis)
    ignored = analysis.spec.model_copy(update={"selection": "ignored"})
    (at_face_value,) = page_density(replace(analysis, spec=ignored), points)[:1]
    (evidence,) = analysis.cohorts
    assert evidence.trained is not None
    emulator = evidence.trained.emulator
    kinds = [evidence.trained.page.numbers[i].kind for i in emulator.numbers]
    for place, point in enumerate(points):
        theta = theta_map(analysis, evidence) @ (analysis.mix @ point["coordinate"][0])
        mean = emulator.mean(np.concatenate([theta, point["nuisance"]])[None])[0]
        z = mean[kinds.index("log_ratio")] / np.exp(mean[kinds.index("log_se")])
        significant = norm.sf(1.959964 - z) + norm.cdf(-1.959964 - z)
        difference = at_face_value[place] - counted[place]
        assert difference == pytest.approx(np.log(significant), abs=1e-6)


def by_hand(page: Page, emulator: Emulator, x: Array) -> float:
    """Log density of a page given what a curve tells of it, and that its numbers exist."""
    numbers = [page.numbers[i] for i in emulator.numbers]
    of_curve = [number.use == "conditioned" for number in numbers]
    apart, covariance = residual(page, emulator, x[None])[0], emulator.covariance(x)
    found = multivariate_normal.logpdf(apart, cov=covariance)
    known = covariance[np.ix_(of_curve, of_curve)]
    found -= multivariate_normal.logpdf(apart[of_curve], cov=known)
    medians = [number for number in numbers if number.kind == "median"]
    groups, months = [x.of for x in medians], [x.months for x in medians]
    slopes = slope_in_log_time(page, x[None], np.array(groups), np.array(months))
    return float(found + np.log(slopes).sum() + emulator.log_existence(x[None])[0])


def test_beside_a_curve_the_page_is_what_its_other_numbers_say_given_those_of_the_curve() -> None:
    months, ones = np.array([3.0, 6.0, 12.0, 24.0]), np.ones((2, 4))
    curve = CurveEvidence(99, "os", {}, months, 30 * ones, 20 * ones, np.zeros(2))
    printed = full_paper().median("10", subgroup={"arm": "control"})
    printed = printed.median(None, subgroup={"arm": "new"}, followed_to=30)
    bare = analysed(printed)
    evidence = replace(bare.cohorts[0], digitised=(curve,))
    evidence = replace(evidence, page=printed_page(bare, evidence))
    analysis = with_invented_emulators(replace(bare, cohorts=(evidence,)))
    trained = analysis.cohorts[0].trained
    assert trained is not None
    page, emulator = trained.page, trained.emulator
    uses = [page.numbers[i].use for i in emulator.numbers]
    assert set(uses) == {"conditioned", "fit"}
    density, points = page_density(analysis)
    expected = []
    for point in points:
        theta = theta_map(analysis, evidence) @ (analysis.mix @ point["coordinate"][0])
        expected.append(by_hand(page, emulator, np.concatenate([theta, point["nuisance"]])))
    np.testing.assert_allclose(np.diff(density), np.diff(expected), atol=1e-6)


@pytest.mark.parametrize("shape", [{}, {"baseline": "piecewise", "cuts": [6.0, 18.0]}])
def test_the_density_of_a_printed_median_integrates_to_one(shape: dict[str, Any]) -> None:
    """Over all months that might have been printed, at any parameters: it has its Jacobian."""
    analysis = with_invented_emulators(analysed(full_paper(), **shape))
    (evidence,) = analysis.cohorts
    trained = evidence.trained
    assert trained is not None
    page, emulator = trained.page, trained.emulator
    medians = np.array([page.numbers[i].kind == "median" for i in emulator.numbers])
    alone = emulator.of(medians)
    log_sd = alone.log_sd_slopes - np.eye(len(alone.log_sd_slopes))[:, :1]
    alone = replace(alone, log_sd_slopes=log_sd, added=np.zeros(1), existence=np.zeros(0))

    def printing(months: float) -> Analysis:
        numbers = tuple(replace(number, months=months) for number in page.numbers)
        there = replace(page, numbers=numbers)
        moved = replace(trained, page=there, emulator=alone)
        return replace(analysis, cohorts=(replace(evidence, page=there, trained=moved),))

    built = build(structure_of(printing(12.0)), data_of(printing(12.0)))
    rng, start = np.random.default_rng(6), built.initial_point()
    point = {name: rng.normal(0, 0.4, np.shape(value)) for name, value in start.items()}
    (term,) = built.replace_rvs_by_values([built["term_page"]])
    given = pytensor.function(built.value_vars, term, mode=PLAIN, on_unused_input="ignore")
    log_months, density = np.linspace(-6, 11, 301), []
    for months in np.exp(log_months):
        built.set_data(NUMBERS, packed(data_of(printing(float(months))))[NUMBERS])
        density.append(np.exp(given(*[point[value.name] for value in built.value_vars])))
    assert max(density[0], density[-1]) < 1e-9
    total = np.trapezoid(density, log_months) / np.sqrt(2 * np.pi)
    assert total == pytest.approx(1.0, abs=5e-3)
