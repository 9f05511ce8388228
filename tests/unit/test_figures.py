"""Figures: every table is drawn, in the right place, legibly, and the same each time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from netlm_bayes import formats
from netlm_bayes.report.figures import (
    Labels,
    curves_by,
    draw,
    forest,
    heterogeneity,
    prior_posterior,
    replication,
    response_by_subgroup,
    scenarios,
)
from netlm_bayes.report.figures.curve_data import curve_data

type Tables = dict[str, pd.DataFrame]

SHARED = ["pooled", "next institution"]
LABELS = Labels(
    cohorts={"east-2016": "All primaries, 2016-2020", "west-2022": "Rectal primaries, 2022-2024"},
    covariates={"burden": "Hepatic tumour burden", "grade": "Ki67", "bone": "Bone metastasis"},
    endpoints={"pfs": "overall PFS", "hepatic_pfs": "hepatic PFS"},
    levels={
        "burden": ("<10%", "10-25%", "25-50%", ">50%"),
        "grade": ("<=10%", ">10%"),
        "bone": ("no", "yes"),
    },
    events={"pfs": "relapse or death", "hepatic_pfs": "hepatic relapse"},
    event_free={"pfs": "relapse-free", "hepatic_pfs": "free of hepatic relapse"},
)
LOG_HR = {
    "burden: 10-25% vs <10%": 0.60,
    "burden: 25-50% vs <10%": 0.72,
    "burden: >50% vs <10%": 1.00,
    "burden: >25% vs <=25%": 0.55,
    "grade: >10% vs <=10%": 0.70,
    "bone: yes vs no": 1.02,
}
PRINTED_MEDIANS = {"<10%": 25.2, "10-25%": 13.6, "25-50%": 11.2, ">50%": 12.3}


# Tables as a run writes them


def tidy(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Rows with all the columns of the tidy schema."""
    empty = {"contrast": "", "subgroup": "", "horizon_months": math.nan, "method": "posterior"}
    rest = {"interval": 0.95, "prob_above_null": math.nan, "mcse": 0.01, "note": ""}
    return pd.DataFrame([{"endpoint": "pfs", **empty, **rest, **row} for row in rows])


def interval(log_ratio: float, se: float) -> dict[str, object]:
    """A ratio with its 95 % interval and its probability of exceeding 1."""
    estimate, lower, upper = (math.exp(log_ratio + side * 1.96 * se) for side in (0, -1, 1))
    above = 0.5 * (1 + math.erf(log_ratio / se / math.sqrt(2)))
    return {"estimate": estimate, "lower": lower, "upper": upper, "prob_above_null": above}


def spread(cohort: str) -> float:
    """Standard error that suits a cohort of the examples."""
    return {"east-2016": 0.31, "west-2022": 0.45, "pooled": 0.36}.get(cohort, 0.7)


def kept(cohort: str) -> float:
    """Share of a printed log ratio that is left of it: another for each, to tell them apart."""
    return {"east-2016": 0.85, "west-2022": 0.75, "pooled": 0.7}.get(cohort, 0.65)


def effects_table(cohorts: list[str], estimand: str = "hazard_ratio") -> pd.DataFrame:
    sign = 1 if estimand == "hazard_ratio" else -1
    rows: list[dict[str, object]] = []
    for contrast, log_ratio in LOG_HR.items():
        for cohort in cohorts:
            common = {"cohort": cohort, "estimand": estimand, "contrast": contrast}
            found = interval(sign * kept(cohort) * log_ratio, spread(cohort))
            rows += [{**common, **found}, {**common, **interval(0.0, 0.75), "method": "prior"}]
    if "pooled" in cohorts:
        for name in [*LABELS.covariates, "level", "shape"]:
            common = {"cohort": "pooled", "estimand": "heterogeneity", "contrast": name}
            for method, upper in (("posterior", 0.9), ("prior", 1.12)):
                ends = {"estimate": 0.3, "lower": 0.02, "upper": upper, "method": method}
                rows.append({**common, **ends})
        offset = {"cohort": "pooled", "estimand": "hazard_ratio", "contrast": "hepatic_pfs vs pfs"}
        rows.append({**offset, **interval(-0.1, 0.2), "endpoint": "hepatic_pfs"})
    return tidy(rows)


def comparison_table() -> pd.DataFrame:
    printed = [
        ("east-2016", "pfs", contrast, log_ratio, 0.36, "fit")
        for contrast, log_ratio in LOG_HR.items()
        if ">25%" not in contrast
    ]
    printed += [
        ("west-2022", "hepatic_pfs", "burden: >25% vs <=25%", 1.432, 0.616, "fit"),
        ("east-2016", "pfs", "bone: yes vs no", 1.264, 0.297, "check"),
    ]
    rows = []
    for cohort, endpoint, contrast, log_ratio, se, role in printed:
        own = {f"printed_{key}": value for key, value in interval(log_ratio, se).items()}
        after = interval(0.8 * log_ratio, spread(cohort))
        own |= {f"posterior_{key}": value for key, value in after.items()}
        own["prob_above_null"] = after["prob_above_null"]
        name = contrast.partition(": ")[0]
        where = {"cohort": cohort, "endpoint": endpoint, "covariate": name, "contrast": contrast}
        rows.append(where | own | {"role": role, "printed_p": math.nan, "note": ""})
    return pd.DataFrame(rows)


def survival(months: np.ndarray, log_hr: float, shift: float) -> np.ndarray:
    """Weibull curve anchored at a year, shifted on the log hazard scale."""
    return np.exp(-np.exp(-0.9 + log_hr + shift) * (months / 12) ** 1.2)


def curves_table(cohorts: list[str]) -> pd.DataFrame:
    months = np.arange(0.0, 36.5, 1.0)
    rows: list[dict[str, object]] = []
    for name, levels in LABELS.levels.items():
        for place, level in enumerate(levels):
            log_hr = place * 1.0 / (len(levels) - 1)
            for cohort in cohorts:
                se = 0.8 * spread(cohort)
                found = (survival(months, log_hr, shift) for shift in (0, 1.96 * se, -1.96 * se))
                common = {"cohort": cohort, "estimand": "survival", "subgroup": f"{name}: {level}"}
                for month, estimate, lower, upper in zip(months, *found, strict=True):
                    ends = {"estimate": estimate, "lower": lower, "upper": upper}
                    rows.append({**common, "horizon_months": month, **ends})
    return tidy(rows)


def replicate(
    item: str, unit: str, printed: float, predicted: float, **more: object
) -> dict[str, object]:
    """One row of the replication table: kind and endpoint are the item's first words."""
    kind, endpoint = item.replace(",", "").split()[:2]
    factor = 1.7 if unit == "ratio" else 1.35
    row = {"cohort": "east-2016", "endpoint": endpoint, "item": item, "kind": kind}
    row |= {"subgroup": item.partition(", ")[2], "unit": unit, "printed": printed}
    row |= {"predicted": predicted, "lower": predicted / factor, "upper": predicted * factor}
    return row | {"p_value": 0.4, "role": "check", "note": ""} | more


def replication_table() -> pd.DataFrame:
    others = "(adjusted for burden, grade)"
    nothing = {"predicted": math.nan, "p_value": math.nan, "role": "unused"}
    medians = [
        replicate(f"median pfs, burden: {level}", "months", months, 9 + 0.4 * months)
        for level, months in PRINTED_MEDIANS.items()
    ]
    ratios = [
        replicate(f"hazard_ratio pfs bone: yes vs no {others}", "ratio", 2.9, 2.6, role="fit"),
        replicate("hazard_ratio pfs burden: >50% vs <10%", "ratio", 2.78, 2.5),
        replicate("hazard_ratio pfs grade: >10% vs <=10%", "ratio", 1.98, 0.9, p_value=0.01),
        replicate("hazard_ratio pfs age", "ratio", 1.009, **nothing),
    ]
    further = [
        replicate("median pfs, overall", "months", 13.9, 14.1, role="fit"),
        replicate("median hepatic_pfs, overall", "months", 11.1, 12, cohort="west-2022"),
        replicate("median hepatic_pfs, burden: >50%", "months", 9.7, 9.9, cohort="west-2022"),
        replicate("median pfs, burden: >50%, response: responders", "months", 12.6, **nothing),
        replicate("counts response, overall", "probability", 0.845, 0.70, cohort="west-2022"),
    ]
    return pd.DataFrame([*ratios, *medians, *further])


def by_choice(column: str, choices: Iterable[str], estimand: str) -> pd.DataFrame:
    """Effects and everyone's median under each of several choices."""
    parts = []
    for place, choice in enumerate(choices):
        effects = effects_table(["east-2016", "west-2022", *SHARED], estimand)
        effects = effects[effects["method"] == "posterior"]
        ends = ["estimate", "lower", "upper"]
        moved = effects.assign(**{name: effects[name] * 1.06**place for name in ends})
        median = {"cohort": "pooled", "estimand": "median", "subgroup": "overall"}
        months = {"estimate": 13.4 + place, "lower": 10.9 + place, "upper": 16.5 + place}
        parts.append(pd.concat([moved, tidy([median | months])]).assign(**{column: choice}))
    return pd.concat(parts, ignore_index=True)


def responses_table(cohorts: list[str]) -> pd.DataFrame:
    groups = [f"{name}: {level}" for name, levels in LABELS.levels.items() for level in levels]
    return tidy(
        {
            "cohort": cohort,
            "endpoint": "response",
            "estimand": "response_probability",
            "subgroup": group,
            "estimate": (middle := 0.9 - 0.04 * place - 0.03 * shift),
            "lower": middle - 0.13,
            "upper": middle + 0.08,
        }
        for place, group in enumerate(["overall", *groups])
        for shift, cohort in enumerate(cohorts)
    )


@pytest.fixture(scope="module")
def survival_tables() -> Tables:
    cohorts = ["east-2016", "west-2022", *SHARED]
    named = ["main", "literal", "sceptical", "vague", "association"]
    return {
        "effects": effects_table(cohorts),
        "comparison": comparison_table(),
        "curves": curves_table(cohorts),
        "replication": replication_table(),
        "heterogeneity": by_choice("heterogeneity_scale", ["0.25", "0.5", "1"], "hazard_ratio"),
        "scenarios": by_choice("scenario", named, "hazard_ratio"),
    }


@pytest.fixture(scope="module")
def response_tables() -> Tables:
    cohorts = ["east-2016", "west-2022", *SHARED]
    return {
        "effects": effects_table(cohorts, "odds_ratio"),
        "comparison": comparison_table().iloc[:0],
        "subgroups": responses_table(cohorts),
    }


@pytest.fixture(scope="module")
def single_tables() -> Tables:
    return {
        "effects": effects_table(["east-2016"]),
        "comparison": comparison_table().query("cohort == 'east-2016'"),
        "curves": curves_table(["east-2016"]),
        "replication": replication_table().query("cohort == 'east-2016'"),
        "scenarios": by_choice("scenario", ["main", "vague"], "hazard_ratio").query(
            "cohort == 'east-2016'"
        ),
        "subgroups": responses_table(["east-2016"]),
    }


# Reading a figure


def points(figure: Figure) -> list[Line2D]:
    """Single estimates, as drawn in the plots and not in the legend."""
    plots = [axes for axes in figure.axes if axes.axison]
    lines = [line for axes in plots for line in axes.get_lines()]
    return [line for line in lines if len(line.get_xdata()) == 1 and line.get_marker() not in "<>"]


def spans(figure: Figure) -> list[tuple[float, float]]:
    """Ends of the intervals drawn in a chart."""
    plots = [axes for axes in figure.axes if axes.axison]
    lines = [line.get_xdata() for axes in plots for line in axes.get_lines()]
    return [(float(ends[0]), float(ends[1])) for ends in lines if len(ends) == 2]


def abscissas(lines: Iterable[Line2D], marker: str) -> list[float]:
    """Where the points of one marker stand, from left to right."""
    return sorted(float(line.get_xdata()[0]) for line in lines if line.get_marker() == marker)


def written(figure: Figure) -> list[Text]:
    """All visible texts."""
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """All visible texts and the room they take, in pixels, once axes have placed their labels."""
    figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent()) for text in written(figure)]


def cut_off(figure: Figure) -> list[str]:
    """Texts that leave the page."""
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text
        for text, box in boxes_of(figure)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]


def settings_of_matplotlib() -> dict[str, object]:
    """All but the backend, which is found out when it is first asked for."""
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in written(figure)]


def every_figure(tables: Tables, labels: Labels = LABELS) -> Iterator[tuple[str, Figure]]:
    """Every figure that the tables allow, by name."""
    if "curves" in tables:
        for name in labels.covariates:
            yield name, curves_by(name, tables["curves"], tables["replication"], labels)
    yield "forest", forest(tables["comparison"], tables["effects"], labels)
    yield "prior_posterior", prior_posterior(tables["effects"], labels)
    charts = {
        "replication": replication,
        "heterogeneity": heterogeneity,
        "scenarios": scenarios,
        "subgroups": response_by_subgroup,
    }
    for name, drawing in charts.items():
        if name in tables:
            yield name, drawing(tables[name], labels)


@pytest.fixture(scope="module")
def figures(survival_tables, response_tables, single_tables) -> dict[str, Figure]:
    runs = {"survival": survival_tables, "response": response_tables, "single": single_tables}
    return {
        f"{run} {name}": figure
        for run, tables in runs.items()
        for name, figure in every_figure(tables)
    }


# What is written


def test_every_figure_is_written_as_png_and_as_svg(survival_tables, tmp_path):
    folder = tmp_path / "run" / "figures"
    paths = draw(survival_tables, LABELS, folder)
    names = {"pfs_by_burden", "pfs_by_grade", "pfs_by_bone", "forest", "prior_posterior"}
    names |= {"replication", "heterogeneity", "scenarios"}
    assert {path.name for path in paths} == {f"{n}.{end}" for n in names for end in ("png", "svg")}
    assert sorted(paths) == sorted(folder.iterdir())
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")


def test_the_same_tables_give_the_same_bytes(response_tables, tmp_path):
    once = draw(response_tables, LABELS, tmp_path / "once")
    again = draw(response_tables, LABELS, tmp_path / "again")
    assert {path.stem for path in once} == {"forest", "prior_posterior", "response_by_subgroup"}
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_a_figure_without_its_table_is_left_out(survival_tables, tmp_path):
    assert draw({}, LABELS, tmp_path) == ()
    only_effects = draw({"effects": survival_tables["effects"]}, LABELS, tmp_path)
    assert {path.stem for path in only_effects} == {"prior_posterior"}
    without = replication_table().assign(predicted=math.nan)
    assert draw({"replication": without}, LABELS, tmp_path) == ()


def test_a_name_that_is_no_file_name_still_gives_a_file(tmp_path):
    curves = curves_table(["east-2016"])
    curves["subgroup"] = curves["subgroup"].str.replace("burden", "../a b/c")
    paths = draw({"curves": curves}, LABELS, tmp_path)
    assert {path.parent for path in paths} == {tmp_path}


def test_drawing_leaves_the_settings_of_matplotlib_alone(survival_tables, tmp_path):
    before = settings_of_matplotlib()
    draw({"effects": survival_tables["effects"]}, LABELS, tmp_path)
    assert settings_of_matplotlib() == before


# Legibility


def test_no_text_leaves_the_page(figures):
    for name, figure in figures.items():
        assert cut_off(figure) == [], name


def test_no_two_texts_overlap(figures):
    for name, figure in figures.items():
        # The box of a line holds room for letters that the line may not have, so boxes of
        # neighbouring lines may touch by a tenth of their height.
        slack = 0.1 * 8 / 72 * figure.dpi
        for (first, one), (second, other) in combinations(boxes_of(figure), 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 0 or down <= slack, (name, first, second)


def test_a_printed_page_holds_every_figure_in_type_of_8_points(figures):
    for name, figure in figures.items():
        assert figure.get_size_inches()[0] <= 7.2 + 1e-9, name
        assert min(text.get_fontsize() for text in written(figure)) >= 8, name


def test_long_names_are_wrapped_and_stay_on_the_page(single_tables):
    endless = "Tumour burden " * 12 + "x" * 150
    labels = replace(LABELS, covariates={"burden": endless}, cohorts={"east-2016": endless})
    for name, figure in every_figure(single_tables, labels):
        assert cut_off(figure) == [], name


def test_names_of_levels_are_shown_literally(survival_tables):
    odd = r"$\frac{1}$ & <b>_^"
    curves, effects = (survival_tables[name].copy() for name in ("curves", "effects"))
    curves["subgroup"] = curves["subgroup"].str.replace(">50%", odd)
    effects["contrast"] = effects["contrast"].str.replace(">50%", odd)
    by_level = curves_by("burden", curves, None, LABELS)
    assert odd in words(by_level)
    assert f"Hepatic tumour burden: {odd} vs <10%" in words(
        forest(survival_tables["comparison"].iloc[:0], effects, LABELS)
    )
    by_level.canvas.draw()  # would raise if it were read as mathematics


def test_levels_are_told_apart_without_colour():
    levels = tuple("abcdefg")
    curves = curves_table(["east-2016"]).query("subgroup == 'bone: no'")
    table = pd.concat([curves.assign(subgroup=f"site: {level}") for level in levels])
    inks = curve_data("site", table, None, replace(LABELS, levels={"site": levels})).inks
    assert list(inks) == list(levels)
    assert len({(ink.marker, ink.line_style) for ink in inks.values()}) == len(levels)


def test_cohorts_are_told_apart_without_colour():
    names = [f"hospital {number}" for number in range(9)]
    drawn = points(response_by_subgroup(responses_table([*names, "pooled"]), LABELS))
    shapes = {(line.get_marker(), line.get_markerfacecolor() == "white") for line in drawn}
    assert len(shapes) == 10


# Curves


def test_printed_medians_stand_at_one_half_in_their_levels_shape(survival_tables):
    figure = curves_by("burden", survival_tables["curves"], survival_tables["replication"], LABELS)
    drawn = points(figure)
    assert {float(line.get_ydata()[0]) for line in drawn} == {0.5}
    shapes = dict(zip(PRINTED_MEDIANS, "os^D", strict=True))
    for level, month in PRINTED_MEDIANS.items():
        # once among all levels, once by itself
        assert abscissas(drawn, shapes[level]) == [month, month]
    assert {
        axes.get_title(loc="left")
        for axes in figure.axes
        for line in axes.get_lines()
        if line in drawn
    } == {"all levels", *PRINTED_MEDIANS}


def test_a_median_that_was_not_reached_is_not_marked():
    table = replication_table()
    table["note"] = "printed as not reached: the month is the end of follow-up"
    assert points(curves_by("burden", curves_table(["east-2016"]), table, LABELS)) == []


def test_curves_and_bands_are_those_of_the_table(survival_tables):
    curves = survival_tables["curves"]
    figure = curves_by("grade", curves, None, LABELS)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert titles == [*LABELS.cohorts.values(), "Pooled"]
    for axes, cohort in zip(figure.axes[1:], [*LABELS.cohorts, "pooled"], strict=True):
        drawn = {tuple(line.get_ydata()) for line in axes.get_lines()}
        for level in LABELS.levels["grade"]:
            is_own = (curves["cohort"] == cohort) & (curves["subgroup"] == f"grade: {level}")
            for column in ("estimate", "lower", "upper"):
                assert tuple(curves.loc[is_own, column]) in drawn


def test_a_cohort_is_shown_on_its_first_endpoint_and_says_which():
    curves = curves_table(["east-2016", "west-2022"])
    hepatic = curves.assign(endpoint="hepatic_pfs", estimate=0.25)
    both = pd.concat([hepatic, curves[curves["cohort"] == "east-2016"]])
    figure = curves_by("bone", both, None, LABELS)
    first, second = figure.axes[1:]
    assert first.get_title(loc="left") == "All primaries, 2016-2020"
    assert second.get_title(loc="left").replace("\n", " ") == (
        "Rectal primaries, 2022-2024 (hepatic PFS)"
    )
    assert 0.25 in [line.get_ydata()[5] for line in second.get_lines() if len(line.get_ydata()) > 5]
    assert 0.25 not in [
        line.get_ydata()[5] for line in first.get_lines() if len(line.get_ydata()) > 5
    ]


# Charts


def test_the_forest_sets_printed_beside_posterior(survival_tables):
    comparison, effects = survival_tables["comparison"], survival_tables["effects"]
    figure = forest(comparison, effects, LABELS)
    fitted = comparison[comparison["role"] == "fit"]
    assert abscissas(points(figure), "s") == sorted(fitted["printed_estimate"])
    posterior = effects[(effects["method"] == "posterior") & effects["contrast"].str.contains(": ")]
    for cohort, marker in (("pooled", "D"), ("next institution", "^")):
        own = posterior[posterior["cohort"] == cohort]
        assert abscissas(points(figure), marker) == sorted(own["estimate"])
    for row in fitted.itertuples():
        assert (row.printed_lower, row.printed_upper) in spans(figure)
        assert (row.posterior_lower, row.posterior_upper) in spans(figure)
    assert {"2.01 (0.99 to 4.08)", "1.75 (0.95 to 3.21)", ">0.99"} <= set(words(figure))


def test_the_forest_reads_from_the_first_level_to_the_next_institution(figures):
    heights = {
        text.get_text(): text.get_window_extent().y0
        for text in written(figures["survival forest"])
        if text.get_fontweight() == "bold"
    }
    headings = [LABELS.contrast(contrast) for contrast in LOG_HR]
    assert sorted(headings, key=lambda name: -heights[name]) == headings


@pytest.mark.parametrize(
    ("run", "title", "below", "above"),
    [
        ("survival", "Hazard ratios", "← lower hazard", "higher hazard of an event →"),
        ("response", "Odds ratios", "← less often responds", "more often responds →"),
    ],
)
def test_the_forest_says_which_ratio_it_is_and_which_side_is_which(
    figures, run, title, below, above
):
    found = figures[f"{run} forest"]
    assert any(word.startswith(title) for word in words(found))
    sides = {t.get_text(): t.get_window_extent() for t in written(found)}
    (plot,) = [axes for axes in found.axes if axes.axison]
    one = plot.transData.transform((1.0, 0.0))[0]
    assert sides[below].x1 < one < sides[above].x0


def test_a_composite_event_is_written_below_the_axis_in_lines_that_stay_on_the_page(
    survival_tables,
):
    event = "death, myocardial infarction, stroke, or admission to hospital for heart failure"
    labels = replace(LABELS, events=dict.fromkeys(LABELS.endpoints, event))
    figure = forest(survival_tables["comparison"], survival_tables["effects"], labels)
    (hint,) = [text for text in written(figure) if "higher hazard" in text.get_text()]
    assert hint.get_text().replace("\n", " ") == f"higher hazard of {event} →"
    assert hint.get_window_extent().x1 <= figure.bbox.x1
    (note,) = [text for text in written(figure) if text.get_text().startswith("Printed:")]
    assert hint.get_window_extent().y0 > note.get_window_extent().y1


def test_the_event_is_named_where_all_ratios_are_of_one(survival_tables):
    comparison = survival_tables["comparison"]
    assert comparison["endpoint"].nunique() == 2
    alike = forest(comparison.assign(endpoint="pfs"), survival_tables["effects"], LABELS)
    assert "higher hazard of relapse or death →" in words(alike)
    mixed = forest(comparison, survival_tables["effects"], LABELS)
    assert "higher hazard of an event →" in words(mixed)


@pytest.mark.parametrize(
    ("origins", "said", "marks"),
    [
        (["printed"], "fitted; limits as printed. P > 1", ""),
        (["p value"], "fitted; limits computed from the printed p value. P > 1", ""),
        (
            ["printed", "p value"],
            "fitted; limits as printed; * limits computed from the printed p value. P > 1",
            "*",
        ),
        (
            ["standard error", "p value"],
            "fitted; limits computed from the printed p value; * limits computed from the printed "
            "ones, at the posterior's level. P > 1",
            "*",
        ),
        (None, "Printed: the ratio that is fitted. P > 1", ""),
    ],
)
def test_the_forest_says_where_printed_limits_come_from(survival_tables, origins, said, marks):
    comparison = survival_tables["comparison"]
    comparison = comparison[comparison["role"] == "fit"].reset_index(drop=True)
    comparison = comparison.drop(columns="limits_from", errors="ignore")
    if origins:
        places = [origins[place % len(origins)] for place in comparison.index]
        comparison = comparison.assign(limits_from=places)
    found = words(forest(comparison, survival_tables["effects"], LABELS))
    assert said in " ".join(found)
    marked = [word for word in found if word.endswith(")*")]
    others = 0 if origins is None or len(origins) < 2 else len(comparison) // 2
    assert len(marked) == (others if marks else 0)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow(survival_tables):
    effects = survival_tables["effects"]
    effects = effects[effects["contrast"] == "bone: yes vs no"].assign(upper=900.0)
    figure = forest(survival_tables["comparison"].iloc[:0], effects, LABELS)
    (plot,) = [axes for axes in figure.axes if axes.axison]
    end = plot.get_xlim()[1]
    arrows = [line for line in plot.get_lines() if line.get_marker() == ">"]
    assert end < 900
    assert [float(arrow.get_xdata()[0]) for arrow in arrows] == [end] * 4


def test_prior_and_posterior_of_the_pool_lie_over_each_other(survival_tables):
    effects = survival_tables["effects"]
    figure = prior_posterior(effects, LABELS)
    is_drawn = (effects["cohort"] == "pooled") & (effects["endpoint"] == "pfs")
    expected = sorted(zip(effects[is_drawn]["lower"], effects[is_drawn]["upper"], strict=True))
    assert sorted(spans(figure)) == expected
    assert [axes.get_xscale() for axes in figure.axes if axes.axison] == ["log", "linear"]


def test_a_single_cohort_is_drawn_without_a_pool(figures):
    own = {name: figure for name, figure in figures.items() if name.startswith("single")}
    assert len(own) == 8
    for name, figure in own.items():
        assert not [word for word in words(figure) if "ool" in word or "nstitution" in word], name


def test_replication_has_a_panel_for_each_unit(survival_tables):
    figure = replication(survival_tables["replication"], LABELS)
    scales = [(axes.get_xlabel(), axes.get_xscale()) for axes in figure.axes if axes.axison]
    assert scales == [
        ("hazard ratio (log scale)", "log"),
        ("months", "linear"),
        ("percent", "linear"),
    ]
    assert 84.5 in abscissas(points(figure), "o")  # a probability of 0.845


def test_a_printed_number_at_odds_with_the_model_has_a_mark_of_its_own(survival_tables):
    table = survival_tables["replication"]
    figure = replication(table, LABELS)
    assert abscissas(points(figure), "X") == [1.98]
    assert [word for word in words(figure) if "✕" in word] == ["✕ 0.010"]
    calm = replication(table.assign(p_value=0.5), LABELS)
    assert abscissas(points(calm), "X") == []
    assert not [word for word in words(calm) if "✕" in word or "p <" in word]


def test_fitted_numbers_are_hollow_and_checked_ones_filled(survival_tables):
    table = survival_tables["replication"].query("p_value > 0.05 and unit != 'probability'")
    drawn = [line for line in points(replication(table, LABELS)) if line.get_marker() == "o"]
    hollow = {float(o.get_xdata()[0]) for o in drawn if o.get_markerfacecolor() == "white"}
    filled = {float(o.get_xdata()[0]) for o in drawn} - hollow
    assert hollow == set(table.query("role == 'fit'")["printed"])
    assert filled == set(table.query("role == 'check'")["printed"])


def test_what_is_not_predicted_is_named_below(figures):
    note = "Not predicted (2): age; Hepatic tumour burden: >50%, response: responders."
    assert note in words(figures["survival replication"])


def test_heterogeneity_shows_pool_and_next_institution_under_every_prior(survival_tables):
    table = survival_tables["heterogeneity"]
    figure = heterogeneity(table.sample(frac=1, random_state=1), LABELS)
    ratios = table[table["estimand"].eq("hazard_ratio") & table["endpoint"].eq("pfs")]
    for cohort, marker in (("pooled", "D"), ("next institution", "^")):
        expected = sorted(ratios[ratios["cohort"] == cohort]["estimate"])
        assert abscissas(points(figure), marker) == expected
    priors = [word for word in words(figure) if word.startswith("τ ~")]
    assert priors == [f"τ ~ HalfNormal({scale})" for scale in ("0.25", "0.5", "1")] * len(LOG_HR)


def test_heterogeneity_scales_may_be_numbers(survival_tables):
    table = survival_tables["heterogeneity"]
    table = table.assign(heterogeneity_scale=table["heterogeneity_scale"].astype(float))
    assert "τ ~ HalfNormal(0.5)" in words(heterogeneity(table, LABELS))


def test_scenarios_stand_below_the_main_model(survival_tables):
    table = survival_tables["scenarios"]
    figure = scenarios(table, LABELS)
    names = [word for word in words(figure) if word in {*table["scenario"], "main model"}]
    in_order = ["main model", "literal", "sceptical", "vague", "association"]
    # the legend's entry comes first; then all contrasts, and the median of all patients
    assert names == ["main model", *in_order * (len(LOG_HR) + 1)]
    pooled = table[table["cohort"].eq("pooled") & table["endpoint"].eq("pfs")]
    drawn = pooled[pooled["estimand"].isin(["hazard_ratio", "median"])]
    assert abscissas(points(figure), "o") == sorted(drawn.query("scenario != 'main'")["estimate"])


def test_responses_are_drawn_in_percent_level_by_level(response_tables):
    table = response_tables["subgroups"]
    figure = response_by_subgroup(table, LABELS)
    pooled = table[table["cohort"] == "pooled"]
    assert abscissas(points(figure), "D") == pytest.approx(sorted(100 * pooled["estimate"]))
    assert "Next institution" not in words(figure)
    levels = [level for names in LABELS.levels.values() for level in names]
    shown = [word for word in words(figure) if word in {*levels, "All patients"}]
    assert shown == ["All patients", *levels]


def test_limits_of_responses_are_in_percent_as_drawn_and_as_written(response_tables):
    table = response_tables["subgroups"]
    figure = response_by_subgroup(table, LABELS)
    shown = table[table["cohort"] != "next institution"]
    ends = sorted(zip(100 * shown["lower"], 100 * shown["upper"], strict=True))
    assert np.array(sorted(spans(figure))) == pytest.approx(np.array(ends))
    first = shown[(shown["cohort"] == "pooled") & (shown["subgroup"] == "overall")].iloc[0]
    assert formats.interval(formats.estimate_of(first).times(100), formats.PERCENT) in words(figure)


def test_many_cohorts_fit_on_the_page():
    names = [f"hospital {number}" for number in range(5)]
    tables = {
        "effects": effects_table([*names, *SHARED]),
        "comparison": comparison_table().iloc[:0],
        "curves": curves_table([*names, "pooled"]),
        "replication": replication_table(),
        "subgroups": responses_table([*names, "pooled"]),
    }
    for name, figure in every_figure(tables):
        assert cut_off(figure) == [], name
