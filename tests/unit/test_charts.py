"""Charts as data: every table is described, rows in their order, numbers as they are."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.unit import chart_tables as tables
from tests.unit.chart_tables import BOTH, FOLLOWED, LABELS, LOG_HR, PROFILE, Tables

from netlm_bayes import formats
from netlm_bayes.report.charts import charts_of, curves_by, forest, profile_chart
from netlm_bayes.report.charts.description import (
    Chart,
    CurvePanel,
    Curves,
    Intervals,
    Mark,
    Matrix,
    Row,
    text_table,
)
from netlm_bayes.report.charts.evidence import evidence_map, replication
from netlm_bayes.report.charts.predictive import (
    predictive_curves,
    predictive_curves_by,
    predictive_responses,
    response_by_subgroup,
)
from netlm_bayes.report.charts.ratios import (
    SCENARIOS,
    WITHOUT,
    heterogeneity,
    prior_posterior,
    under_choices,
    without_each,
)
from netlm_bayes.report.charts.scale import linear_ticks
from netlm_bayes.report.labels import About
from netlm_bayes.report.rows import rows_of, where


def rows(chart: Chart | None) -> list[Row]:
    assert chart is not None
    assert isinstance(chart.body, Intervals)
    return [row for panel in chart.body.panels for row in panel.rows]


def marks(chart: Chart | None, name: str) -> list[Mark]:
    """Marks of the series of that name, or of those whose marker it is."""
    drawn = [mark for row in rows(chart) for mark in row.marks]
    return [mark for mark in drawn if name in (mark.series.name, mark.series.marker)]


def estimates(chart: Chart | None, name: str) -> list[float]:
    return sorted(mark.estimate.estimate for mark in marks(chart, name))


def panels(chart: Chart | None) -> tuple[CurvePanel, ...]:
    assert chart is not None
    assert isinstance(chart.body, Curves)
    return chart.body.panels


def headings(chart: Chart | None) -> list[str]:
    assert chart is not None
    assert isinstance(chart.body, Intervals)
    return [group.heading for panel in chart.body.panels for group in panel.groups]


def legend(chart: Chart) -> list[str]:
    return [series.name for series in chart.body.legend]


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["estimand"].eq("hazard_ratio") & table["covariate"].ne("")]


@pytest.fixture(scope="module")
def run() -> Tables:
    return tables.survival_run()


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (
            tables.survival_run,
            "pfs_by_burden pfs_by_grade pfs_by_bone forest prior_posterior replication "
            "heterogeneity scenarios evidence_map",
        ),
        (tables.response_run, "predictive forest prior_posterior response_by_subgroup"),
        (dict, ""),
        (lambda: {"effects": tables.effects(BOTH)}, "prior_posterior"),
        (lambda: {"replication": tables.replication().assign(predicted=math.nan)}, ""),
        (
            lambda: tables.predictive(["east-2016"]),
            "predictive predictive_by_burden predictive_by_grade predictive_by_bone",
        ),
        (lambda: {"predictive": tables.predictive(["east-2016"])["predictive"]}, ""),
    ],
)
def test_there_is_a_chart_of_every_table(made: Callable[[], Tables], names: str) -> None:
    assert [chart.id for chart in charts_of(made(), LABELS)] == names.split()


def test_every_chart_has_a_table_of_its_rows(run: Tables) -> None:
    for chart in charts_of(run, LABELS):
        assert len({len(row) for row in chart.table.rows}) == 1
        if isinstance(chart.body, Intervals):
            assert len(chart.table.rows) == len(rows(chart))


def test_a_row_that_does_not_fit_its_headings_is_refused() -> None:
    with pytest.raises(ValueError, match="1 rows do not have a cell a column"):
        text_table("t", ("a", "b"), [("1",)])


def test_what_holds_for_some_months_says_so() -> None:
    about = About("bone", "yes", "no", since=12.0)
    assert LABELS.about(about) == "Bone metastasis: yes vs no, from month 12"


def test_a_single_cohort_is_described_without_a_pool() -> None:
    for chart in charts_of(tables.single_run(), LABELS):
        said = [chart.title, *legend(chart), *(text for row in chart.table.rows for text in row)]
        assert not [text for text in said if "ool" in text or "nstitution" in text], chart.id


# Ratios


def test_the_forest_sets_printed_beside_posterior(run: Tables) -> None:
    comparison, effects = run["comparison"], ratios(run["effects"])
    chart = forest(run["effects"], comparison, LABELS)
    fitted = comparison[comparison["role"] == "fit"]
    assert estimates(chart, "printed") == sorted(fitted["printed_estimate"])
    posterior = effects[effects["method"] == "posterior"]
    for name in ("pooled", "next institution"):
        assert estimates(chart, name) == sorted(where(posterior, cohort=name)["estimate"])
    drawn = {mark.estimate[1:3] for mark in marks(chart, "printed")}
    columns = [fitted[f"printed_{end}"] for end in ("lower", "upper")]
    assert set(zip(*columns, strict=True)) <= drawn
    own = where(posterior, cohort="east-2016")
    drawn = {mark.estimate[1:3] for mark in marks(chart, "posterior of a cohort")}
    assert set(zip(own["lower"], own["upper"], strict=True)) <= drawn
    cells = {cell for row in rows(chart) for cell in row.cells}
    assert {
        "2.01 (0.99 to 4.08)",
        *(formats.interval(formats.estimate_of(x)) for x in rows_of(own)),
    } <= cells


def test_the_forest_reads_from_the_first_level_to_the_next_institution(run: Tables) -> None:
    mixed = run["effects"].sample(frac=1, random_state=1)
    chart = forest(mixed, run["comparison"], LABELS)
    expected = [LABELS.about(About(*contrast)) for contrast in LOG_HR]
    assert sorted(headings(chart), key=expected.index) == expected
    assert [row.who for row in rows(chart)][-2:] == ["Pooled", "Next institution"]
    assert chart is not None
    assert chart.people == (*LABELS.cohorts.values(), "Pooled", "Next institution")


@pytest.mark.parametrize(
    ("estimand", "below", "above"),
    [
        ("hazard_ratio", "lower hazard", "higher hazard of relapse or death"),
        ("odds_ratio", "less often responds", "more often responds"),
    ],
)
def test_the_forest_says_which_ratio_it_is_and_which_side_is_which(
    estimand: str, below: str, above: str
) -> None:
    chart = forest(tables.effects(BOTH, estimand), None, LABELS)
    assert chart is not None
    (panel,) = chart.body.panels
    assert chart.title.startswith(f"{estimand.replace('_', ' ').capitalize()}s")
    assert (panel.scale.below, panel.scale.above) == (below, above)


def test_ratios_of_different_events_are_of_an_event(run: Tables) -> None:
    chart = forest(run["effects"], run["comparison"], LABELS)
    assert chart is not None
    assert chart.body.panels[0].scale.above == "higher hazard of an event"


@pytest.mark.parametrize(
    ("origins", "said", "sign"),
    [
        (["printed"], "for most; limits as printed. P > 1", ""),
        (["p value"], "for most; limits computed from the printed p value. P > 1", ""),
        (
            ["standard error", "p value"],
            "for most; limits computed from the printed p value; * limits computed from the "
            "printed ones, at the posterior's level. P > 1",
            "*",
        ),
        ([""], "Printed: the fitted ratio that is adjusted for most. P > 1", ""),
    ],
)
def test_the_forest_says_where_printed_limits_come_from(
    run: Tables, origins: list[str], said: str, sign: str
) -> None:
    comparison = run["comparison"].query("role == 'fit'").reset_index(drop=True)
    places = [origins[place % len(origins)] for place in comparison.index]
    chart = forest(run["effects"], comparison.assign(limits_from=places), LABELS)
    assert chart is not None
    assert said in chart.footnote
    signed = [row for row in rows(chart) if row.cells[0].endswith(")*")]
    assert len(signed) == (len(comparison) // 2 if sign else 0)


def test_print_and_regression_stand_beside_the_posterior_under_one_name(run: Tables) -> None:
    comparison = run["comparison"]
    east = comparison["cohort"] == "east-2016"
    comparison = comparison.assign(
        role=np.where(east, "patients", comparison["role"]),
        adjustment=np.where(comparison["covariate"] == "bone", "univariable", "multivariable"),
    )
    chart = forest(run["effects"], comparison, LABELS)
    assert chart is not None
    assert legend(chart)[0] == "printed or regression"
    wanted = comparison[(comparison["adjustment"] == "multivariable") | ~east]
    assert estimates(chart, "printed or regression") == sorted(wanted["printed_estimate"])


def test_ratios_can_be_sorted_by_what_a_reader_asks(run: Tables) -> None:
    chart = forest(run["effects"], run["comparison"], LABELS)
    assert chart is not None
    (first, *_) = rows(chart)
    printed, after = (mark.estimate for mark in first.marks)
    assert first.keys == {
        "estimate": after.estimate,
        "width of the interval": math.log(after.upper / after.lower),
        "probability above 1": pytest.approx(float(first.cells[2]), abs=0.01),
        "distance from the other method": abs(math.log(after.estimate / printed.estimate)),
    }
    assert chart.sorts == tuple(first.keys)


def test_prior_and_posterior_of_the_pool_lie_over_each_other(run: Tables) -> None:
    effects = run["effects"]
    chart = prior_posterior(effects, LABELS)
    pooled = effects[(effects["cohort"] == "pooled") & (effects["endpoint"] == "pfs")]
    for name in ("prior", "posterior"):
        drawn = {mark.estimate[1:3] for mark in marks(chart, name)}
        own = pooled[pooled["method"] == name]
        assert drawn == set(zip(own["lower"], own["upper"], strict=True))
    assert [row.label for row in rows(chart)][-2:] == ["Baseline level", "Baseline shape"]
    assert chart is not None
    assert [panel.scale.logarithmic for panel in chart.body.panels] == [True, False]


def test_heterogeneity_shows_pool_and_next_institution_under_every_prior(run: Tables) -> None:
    table = run["heterogeneity"].sample(frac=1, random_state=1)
    chart = heterogeneity(table, LABELS)
    for cohort in ("pooled", "next institution"):
        own = where(ratios(table), cohort=cohort)
        assert estimates(chart, cohort) == sorted(own["estimate"])
    names = [f"τ ~ HalfNormal({scale})" for scale in ("0.25", "0.5", "1")]
    assert [row.label for row in rows(chart)] == names * len(LOG_HR)


def test_scenarios_stand_below_the_main_model_and_its_estimate_guides_the_eye(run: Tables) -> None:
    table = run["scenarios"]
    chart = under_choices(table, SCENARIOS, LABELS)
    names = ["main model", "literal", "sceptical", "vague", "association"]
    # all contrasts, and the median of all patients
    assert [row.label for row in rows(chart)] == names * (len(LOG_HR) + 1)
    pooled = pd.concat([ratios(table), table[table["estimand"] == "median"]])
    pooled = pooled[pooled["cohort"] == "pooled"]
    others = pooled[pooled["scenario"] != "main"]["estimate"]
    assert estimates(chart, "scenario") == sorted(others)
    assert chart is not None
    for panel in chart.body.panels:
        for group in panel.groups:
            assert group.guide is not None
            assert group.guide.estimate == group.rows[0].marks[0].estimate


def test_the_effect_that_moves_most_is_named(run: Tables) -> None:
    table = run["scenarios"]
    is_moved = table["covariate"].eq("grade") & table["scenario"].eq("vague")
    moved = table.assign(estimate=table["estimate"].where(~is_moved, 30.0))
    chart = under_choices(moved, SCENARIOS, LABELS)
    assert chart is not None
    assert "for Ki67: >10% vs <=10% (Pooled)" in chart.summary
    assert chart.summary.endswith("to 30.0.")


def test_a_source_left_out_is_named_by_its_label() -> None:
    table = tables.by_choice("left_out", ["main", "east-2016"])
    labels = {row.label for row in rows(under_choices(table, WITHOUT, LABELS))}
    assert labels == {"main model", "without All primaries, 2016-2020"}


def test_of_several_printed_ratios_the_forest_shows_the_one_adjusted_for_most(run: Tables) -> None:
    bone = where(run["comparison"], covariate="bone", role="fit", cohort="east-2016")
    full = bone.assign(adjusted_for="burden, grade", printed_estimate=3.3, estimand_is="implied")
    full = full.assign(posterior_estimate=9.9)
    bare = bone.assign(adjusted_for="", printed_estimate=4.4, estimand_is="implied")
    for both in ((full, bare), (bare, full)):
        chart = forest(run["effects"], pd.concat(both, ignore_index=True), LABELS)
        assert chart is not None
        assert estimates(chart, "square") == [3.3]
        # Beside it stands the model's coefficient, and not what a smaller regression would give.
        assert 9.9 not in estimates(chart, "circle")
        assert chart.footnote.startswith("Printed: the fitted ratio that is adjusted for most")


# Printed numbers


def test_replication_has_a_panel_for_each_kind_of_number(run: Tables) -> None:
    chart = replication(run["replication"], LABELS)
    assert chart is not None
    scales = [(panel.scale.label, panel.scale.logarithmic) for panel in chart.body.panels]
    assert scales == [
        ("hazard ratio (log scale)", True),
        ("standard error", False),
        ("months", False),
        ("percent", False),
    ]
    assert 84.5 in estimates(chart, "printed, checked")  # a probability of 0.845


def test_a_printed_number_at_odds_with_the_model_has_a_mark_of_its_own(run: Tables) -> None:
    table = run["replication"]
    chart = replication(table, LABELS)
    assert estimates(chart, "times") == [1.98]
    assert [row.cells[2] for row in rows(chart) if row.bold] == ["✕ 3.1"]
    assert chart is not None
    assert chart.summary.startswith("1 of 12 published values")
    assert "All primaries, 2016-2020, Ki67: >10% vs <=10%" in chart.summary
    calm = replication(table.assign(in_conflict=False), LABELS)
    assert calm is not None
    assert estimates(calm, "times") == []
    assert not [name for name in legend(calm) if "|z|" in name]


def test_fitted_numbers_are_hollow_and_checked_ones_filled(run: Tables) -> None:
    table = run["replication"].query("z < 2.58 and unit != 'probability'")
    chart = replication(table, LABELS)
    for is_hollow, role in ((True, "fit"), (False, "check")):
        drawn = [
            m.estimate.estimate for m in marks(chart, "circle") if m.series.hollow is is_hollow
        ]
        assert sorted(drawn) == sorted(where(table, role=role)["printed"])


def test_printed_numbers_are_named_by_what_they_are_about(run: Tables) -> None:
    chart = replication(run["replication"], LABELS)
    names = [row.label for row in rows(chart)]
    assert names[0] == "Bone metastasis: yes vs no (adjusted for Hepatic tumour burden, Ki67)"
    assert "hepatic PFS, Hepatic tumour burden: >50%; held out" in names
    assert any(name.startswith("response, overall") and "60 of 71" in name for name in names)
    assert chart is not None
    assert chart.footnote.endswith(
        "Not predicted (2): age; Hepatic tumour burden: >50%, Ki67: >10%."
    )


def test_a_printed_ratio_of_a_subgroup_says_of_whom_it_is(run: Tables) -> None:
    ratios = run["replication"].query("unit == 'ratio' and z == z")
    chart = replication(ratios.assign(subgroup="bone: yes", adjusted_for=""), LABELS)
    assert {row.label.split("; ")[0].split(", ")[-1] for row in rows(chart)} == {
        "Bone metastasis: yes"
    }


def test_a_number_that_may_be_negative_has_an_axis_on_both_sides_of_none() -> None:
    row = tables.replicate("difference", ("bone", "yes", "no"), "probability", -0.1, 0.02)
    found = {"number": "survival_difference", "lower": -0.2, "upper": 0.3}
    chart = replication(pd.DataFrame([row | found]), LABELS)
    (panel,) = chart.body.panels
    low, high = panel.limits
    assert low == -high
    assert high > 30
    assert panel.title == "Difference in survival"
    assert [row.cells[:2] for row in panel.rows] == [("-10.0", "2.0 (-20.0 to 30.0)")]


def test_areas_are_events_and_what_is_within_error_of_none_has_none() -> None:
    chart = evidence_map(tables.evidence_map(["east-2016"], events=1.5, events_mcse=1.0), LABELS)
    assert isinstance(chart.body, Matrix)
    first, second = (chart.body.cells[row, "All primaries, 2016-2020"] for row in chart.body.rows)
    assert first.lines == ("≈0 of 16", "printed, curve")
    assert [square.amount for square in second.squares] == [9.0, 16.0]
    assert math.isnan(first.squares[0].amount)
    assert chart.body.largest == 16.0
    assert chart.table.rows[1][1:] == ("9 of 16 (printed, curve)", "7", "40")


@pytest.mark.parametrize(
    ("first", "said"),
    [
        # Neither a digit that the draws do not support, nor more than there is.
        ({"events": 9.2, "events_mcse": 0.4, "own_events": 9.6}, "8 to 10 of 10"),
        ({"events": 3.8, "events_mcse": 0.3, "own_events": 3.7}, "3 to 4 of 4"),
        ({"events": 4.3, "events_mcse": 0.2, "own_events": 4.1}, "4 of 4"),
        ({"events": 8.0, "events_mcse": 0.1, "own_events": 5.0}, "8; own 5"),
        ({"events": 412.0, "events_mcse": 2.0, "own_events": 600.0}, "410 of 600"),
        ({"shift": -0.62}, "9 of 16, -0.6 sd"),
    ],
)
def test_a_source_never_adds_more_events_than_it_has_and_says_how_far_it_moves(first, said) -> None:
    chart = evidence_map(tables.evidence_map(["east-2016"], **first), LABELS)
    assert chart.table.rows[0][1].startswith(said.replace(", ", " ("))


def test_without_one_of_two_cohorts_is_the_other_by_itself() -> None:
    table = tables.by_choice("left_out", ["main", "east-2016", "west-2022"])
    chart = without_each(table, LABELS)
    assert {row.label for row in rows(chart)} == {
        "main model",
        "All primaries, 2016-2020 by itself",
        "Rectal primaries, 2022-2024 by itself",
    }
    about = where(where(table, left_out="west-2022"), cohort="east-2016", covariate="bone")
    own = [r.marks[0].estimate for r in rows(chart) if "2016-2020 by itself" in r.label]
    assert about["estimate"].iloc[0] in [found.estimate for found in own]
    several = replace(LABELS, cohorts={**LABELS.cohorts, "mid-2019": "Mid"})
    assert "without All primaries, 2016-2020" in {
        row.label for row in rows(without_each(table, several))
    }


def test_a_lone_source_is_marked() -> None:
    chart = evidence_map(tables.evidence_map(["east-2016", "west-2022"], only=True), LABELS)
    assert isinstance(chart.body, Matrix)
    lone = [key for key, cell in chart.body.cells.items() if "alone" in cell.lines]
    assert lone == [("Hepatic tumour burden: >50% vs <10%", "All primaries, 2016-2020")]


# Curves


def test_printed_medians_stand_at_one_half_in_their_levels_shape(run: Tables) -> None:
    chart = curves_by("burden", run["curves"], run["replication"], LABELS)
    points = [(panel.title, x) for panel in panels(chart) for x in panel.points]
    assert {point.y for _, point in points} == {0.5}
    for level, month in tables.MEDIANS.items():
        # once among all levels, once by itself
        own = [(title, x) for title, x in points if x.series.name == level]
        assert [(title, x.x) for title, x in own] == [("all levels", month), (level, month)]
    assert len({point.series.marker for _, point in points}) == 4


def test_a_median_that_was_not_reached_is_not_marked(run: Tables) -> None:
    table = run["replication"].assign(reached=False)
    chart = curves_by("burden", run["curves"], table, LABELS)
    assert [x for panel in panels(chart) for x in panel.points] == []


def test_curves_and_bands_are_those_of_the_table(run: Tables) -> None:
    curves = run["curves"]
    chart = curves_by("grade", curves, None, LABELS)
    assert [panel.title for panel in panels(chart)] == [*LABELS.cohorts.values(), "Pooled"]
    for panel, cohort in zip(panels(chart), [*LABELS.cohorts, "pooled"], strict=True):
        for curve, level in zip(panel.curves, LABELS.levels["grade"], strict=True):
            own = where(curves, cohort=cohort, covariate="grade", level=level)
            drawn = [estimate[:3] for estimate in curve.estimates]
            columns = [own[name] for name in ("estimate", "lower", "upper")]
            assert drawn == list(zip(*columns, strict=True))


def test_a_cohort_is_shown_on_its_first_endpoint_and_says_which() -> None:
    curves = tables.curves(["east-2016", "west-2022"])
    hepatic = curves.assign(endpoint="hepatic_pfs", estimate=0.25)
    both = pd.concat([hepatic, curves[curves["cohort"] == "east-2016"]])
    first, second = panels(curves_by("bone", both, None, LABELS))
    assert first.title == "All primaries, 2016-2020"
    assert second.title == "Rectal primaries, 2022-2024 (hepatic PFS)"
    assert {x.estimate for x in second.curves[0].estimates} == {0.25}
    assert 0.25 not in {x.estimate for x in first.curves[0].estimates}


def test_levels_are_told_apart_without_colour() -> None:
    levels = tuple("abcdefg")
    curves = tables.curves(["east-2016"]).query("subgroup == 'bone: no'")
    table = pd.concat([curves.assign(covariate="site", level=level) for level in levels])
    chart = curves_by("site", table, None, replace(LABELS, levels={"site": levels}))
    assert tuple(legend(chart)) == levels
    assert len({(series.colour, series.dash) for series in chart.body.legend}) == len(levels)


def predicted(cohorts: list[str], sizes: tuple[int, ...] = ()) -> Chart | None:
    return predictive_curves(*tables.predictive(cohorts, sizes).values(), LABELS)


def test_predicted_and_observed_curves_are_those_of_the_tables() -> None:
    cohorts = ["east-2016", "west-2022", "pooled"]
    made = tables.predictive(cohorts)
    for panel, cohort in zip(panels(predicted(cohorts)), cohorts, strict=True):
        for curve, name in zip(panel.curves, ("predictive", "kaplan_meier"), strict=True):
            own = made[name].query("subgroup == 'overall' and estimand != 'at_risk'")
            own = own[own["cohort"] == cohort]
            assert [x.estimate for x in curve.estimates] == list(own["estimate"])
            assert curve.step
        assert all(math.isnan(x.lower) for x in panel.curves[1].estimates)


def test_fewer_than_five_at_risk_are_not_counted_out() -> None:
    (panel,) = panels(predicted(["east-2016"]))
    texts = dict(panel.at_risk)
    assert texts[0.0] == "60"
    assert "<5" in texts.values()
    assert not {"1", "2", "3", "4"} & set(texts.values())


def test_the_largest_six_cohorts_are_shown_in_order() -> None:
    sizes = (50, 900, 60, 800, 70, 700, 80, 600, 500, 4000)
    found = panels(predicted([*"ABCDEFGHI", "pooled"], sizes))
    assert [panel.title for panel in found] == [*"BDFHI", "All patients"]


def test_levels_are_shown_of_all_patients_together_or_of_the_largest_cohort() -> None:
    cohorts = ["east-2016", "west-2022", "pooled"]
    made = tables.predictive(cohorts)
    chart = predictive_curves_by("burden", *made.values(), LABELS)
    assert tuple(panel.title for panel in panels(chart)) == LABELS.levels["burden"]
    pooled = made["predictive"].query("cohort == 'pooled' and level == '<10%'")
    drawn = [x.estimate for x in panels(chart)[0].curves[0].estimates]
    assert drawn == list(pooled["estimate"])
    seen = made["kaplan_meier"].query("cohort != 'pooled' and level != '10-25%'")
    chart = predictive_curves_by("burden", made["predictive"], seen, LABELS)
    assert [panel.title for panel in panels(chart)] == ["<10%", "25-50%", ">50%"]
    assert chart.title.startswith("Hepatic tumour burden in Rectal primaries, 2022-2024: predicted")


def test_points_outside_their_band_are_counted() -> None:
    made = tables.predictive(["east-2016"])
    kaplan_meier = made["kaplan_meier"].assign(
        estimate=made["kaplan_meier"]["estimate"].where(made["kaplan_meier"]["horizon"] != 6.0, 0.0)
    )
    chart = predictive_curves(made["predictive"], kaplan_meier, LABELS)
    assert chart is not None
    assert chart.summary.startswith(f"Of {len(tables.MONTHS)} points of the observed curves, 1 lie")


def profile(made: Tables) -> Chart:
    return profile_chart(made, PROFILE, tables.BASIS, LABELS)


def test_every_population_but_the_next_institution_has_a_panel_with_its_median() -> None:
    made = tables.prediction(BOTH)
    chart = profile(made)
    assert [x.title for x in panels(chart)] == [*LABELS.cohorts.values(), "Pooled"]
    assert chart.subtitle == "Hepatic tumour burden: >50%, Ki67: >10%"
    assert chart.footnote == "Averaged over bone as in the population, taken as independent."
    medians = made["prediction"].query("endpoint == 'pfs'").set_index("cohort")["estimate"]
    for cohort, panel in zip(medians.index, panels(chart), strict=False):
        assert f"median {medians[cohort]:.1f} (" in panel.text
    assert f"next {medians['next institution']:.1f} (" in panels(chart)[-1].text


def test_a_profile_is_shown_on_the_first_endpoint_and_dotted_beyond_follow_up() -> None:
    made = tables.prediction(BOTH)
    curves = made["prediction_curves"]
    for cohort, panel in zip(BOTH, panels(profile(made)), strict=False):
        own = where(curves, cohort=cohort, endpoint="pfs")
        curve = panel.curves[0]
        assert [x.lower for x in curve.estimates] == list(own["lower"])
        assert curve.dotted_after == FOLLOWED


def test_the_legend_of_a_profile_names_only_what_is_drawn() -> None:
    assert "pooled" not in legend(profile(tables.prediction(["east-2016"])))
    assert "next institution, interval" in legend(profile(tables.prediction(BOTH)))
    made = tables.prediction(BOTH)
    made["prediction_curves"] = made["prediction_curves"].query("~extrapolated")
    assert "beyond the last follow-up" not in legend(profile(made))


# Responses


def test_responses_are_in_percent_level_by_level_with_their_limits() -> None:
    table = tables.responses(BOTH)
    chart = response_by_subgroup(table, LABELS)
    shown = table[table["cohort"] != "next institution"]
    drawn = np.array([mark.estimate[:3] for row in rows(chart) for mark in row.marks])
    own = 100 * shown[["estimate", "lower", "upper"]].to_numpy()
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(own, axis=0))
    levels = [level for names in LABELS.levels.values() for level in names]
    assert [row.label for row in rows(chart)] == ["All patients", *levels]
    first = shown.query("cohort == 'pooled' and subgroup == 'overall'").iloc[0]
    text = formats.interval(formats.estimate_of(first).times(100), formats.PERCENT)
    assert rows(chart)[0].cells[2] == text


def test_cohorts_are_told_apart_without_colour() -> None:
    names = [f"hospital {number}" for number in range(9)]
    chart = response_by_subgroup(tables.responses([*names, "pooled"]), LABELS)
    assert len({(series.marker, series.hollow) for series in chart.body.legend}) == 10


def test_shares_of_responders_stand_in_their_interval() -> None:
    chart = predictive_responses(tables.predicted_responses(["east-2016", "pooled"]), LABELS)
    names = [row.label for row in rows(chart)]
    assert names[:3] == ["All primaries, 2016-2020", "All patients", "<10%"]
    assert rows(chart)[0].cells == ("73", "70 (60 to 80)")
    assert estimates(chart, "observed")[-1] == pytest.approx(73)


def test_the_response_of_a_profile_has_a_row_for_every_population() -> None:
    found = {row.label: row.cells[0] for row in rows(profile(tables.predicted_response(BOTH)))}
    assert found["Pooled"] == "60 (40 to 80)"
    assert found["Next institution"] == "60 (30 to 90)"


# The axis


@pytest.mark.parametrize("upper", [900.0, math.inf])
def test_an_interval_that_reaches_far_is_cut_by_the_axis(upper: float) -> None:
    chart = forest(tables.effects(["east-2016"]).assign(upper=upper), None, LABELS)
    assert chart is not None
    assert isinstance(chart.body, Intervals)
    assert chart.body.panels[0].limits[1] < 900


def test_ticks_are_round_and_few() -> None:
    rng = np.random.default_rng(1)
    for low, high in ((0.0, float(top)) for top in 10 ** rng.uniform(-2, 4, 50)):
        ticks = linear_ticks(low, high)
        assert 3 <= len(ticks) <= 7
        assert low <= ticks[0] < ticks[-1] <= high
