"""Figures: every chart is drawn, in the right place, legibly, and the same each time."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from tests.unit import chart_tables as tables
from tests.unit.chart_tables import BASIS, BOTH, FOLLOWED, LABELS, PROFILE

from netlm_bayes.formats import Estimate
from netlm_bayes.report.charts import charts_of, curves_by, forest, profile_chart
from netlm_bayes.report.charts.curves import OTHERS
from netlm_bayes.report.charts.description import Chart, Curve, CurvePanel, Curves
from netlm_bayes.report.charts.evidence import evidence_map
from netlm_bayes.report.charts.predictive import predictive_curves
from netlm_bayes.report.draw import figure_of, write_figures
from netlm_bayes.report.labels import Labels
from netlm_bayes.results import in_unit

MANY = [*(f"hospital {place}" for place in range(11)), "pooled", "next institution"]
ENDLESS = "Tumour burden " * 12 + "x" * 150
LONG = replace(
    LABELS,
    covariates={"burden": ENDLESS, "grade": "x" * 150},
    cohorts={"east-2016": ENDLESS, "west-2022": "y" * 80},
)


def profiles(labels: Labels = LABELS) -> Iterator[tuple[str, Figure]]:
    for cohorts in (BOTH, ["east-2016"], MANY):
        for made in (tables.prediction(cohorts), tables.predicted_response(cohorts)):
            chart = profile_chart(made, PROFILE, BASIS, labels)
            yield f"profile of {len(cohorts)}, {len(made)} tables", figure_of(chart)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    runs = {
        "survival": tables.survival_run(),
        "response": tables.response_run(),
        "single": tables.single_run(),
        "large": tables.large_run(),
    }
    drawn = {
        f"{name} {chart.id}": figure_of(chart)
        for name, made in runs.items()
        for chart in charts_of(made, LABELS)
    }
    return {**drawn, **dict(profiles())}


def plots(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def written(figure: Figure) -> list[Text]:
    """All visible texts."""
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in written(figure)]


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """All visible texts and the room they take, in pixels, once axes have placed their labels."""
    figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent()) for text in written(figure)]


def cut_off(figure: Figure, boxes: list[tuple[str, Bbox]]) -> list[str]:
    """Texts that leave the page."""
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]


def settings_of_matplotlib() -> dict[str, object]:
    """All but the backend, which is found out when it is first asked for."""
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}


def test_no_text_leaves_the_page_or_meets_another(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        boxes = boxes_of(figure)
        assert cut_off(figure, boxes) == [], name
        # The box of a line holds room for letters that the line may not have, so boxes of
        # neighbouring lines may touch by a tenth of their height.
        slack = 0.1 * 8 / 72 * figure.dpi
        for (first, one), (second, other) in combinations(boxes, 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 0 or down <= slack, (name, first, second)


def test_a_printed_page_holds_every_figure_in_type_of_8_points(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        if not name.startswith("large"):  # ten cohorts' numbers need a wider one
            assert figure.get_size_inches()[0] <= 7.2 + 1e-9, name
        assert min(text.get_fontsize() for text in written(figure)) >= 8, name


def test_long_names_are_wrapped_and_stay_on_the_page() -> None:
    for chart in charts_of(tables.single_run(), LONG):
        figure = figure_of(chart)
        assert cut_off(figure, boxes_of(figure)) == [], chart.id
    for name, figure in profiles(LONG):
        assert cut_off(figure, boxes_of(figure)) == [], name


def test_names_are_shown_literally() -> None:
    odd = r"$\frac{1}$ & <b>_^"
    curves = tables.curves(["east-2016"]).replace({"level": {">50%": odd}})
    figure = figure_of(curves_by("burden", curves, None, LABELS))
    assert odd in words(figure)
    figure.canvas.draw()  # would raise if it were read as mathematics


def test_the_same_chart_is_the_same_png_and_svg(tmp_path: Path) -> None:
    chart = forest(tables.effects(BOTH), tables.comparison(), LABELS)
    assert chart is not None
    once, again = (write_figures([chart], tmp_path / name) for name in ("once", "again"))
    assert [path.name for path in once] == ["forest.png", "forest.svg"]
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes().startswith(b"\x89PNG" if first.suffix == ".png" else b"<?xml")


def test_a_name_that_is_no_file_name_still_gives_a_file(tmp_path: Path) -> None:
    curves = tables.curves(["east-2016"]).query("covariate == 'bone'")
    chart = curves_by("../a b/c", curves.assign(covariate="../a b/c"), None, LABELS)
    assert {path.parent for path in write_figures([chart], tmp_path)} == {tmp_path}


def test_drawing_leaves_the_settings_of_matplotlib_alone(tmp_path: Path) -> None:
    before = settings_of_matplotlib()
    write_figures(charts_of({"effects": tables.effects(BOTH)}, LABELS), tmp_path)
    assert settings_of_matplotlib() == before


def test_estimates_and_their_intervals_are_drawn_where_they_are() -> None:
    effects = tables.effects(["east-2016"])
    posterior = effects[effects["method"] == "posterior"]
    chart = forest(effects, None, LABELS)
    assert chart is not None
    (plot,) = plots(figure_of(chart))
    lines = [tuple(line.get_xdata()) for line in plot.get_lines()]
    for row in posterior.itertuples():
        assert (row.estimate,) in lines
        assert (row.lower, row.upper) in lines


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow() -> None:
    chart = forest(
        tables.effects(BOTH).query("covariate == 'bone'").assign(upper=900.0), None, LABELS
    )
    assert chart is not None
    (plot,) = plots(figure_of(chart))
    end = plot.get_xlim()[1]
    arrows = [line for line in plot.get_lines() if line.get_marker() == ">"]
    assert end < 900
    assert [float(arrow.get_xdata()[0]) for arrow in arrows] == [end] * 4


def test_sides_of_one_are_written_to_its_left_and_right_below_the_axis() -> None:
    event = "death, myocardial infarction, stroke, or admission to hospital for heart failure"
    labels = replace(LABELS, events=dict.fromkeys(LABELS.endpoints, event))
    chart = forest(tables.effects(BOTH), tables.comparison(), labels)
    assert chart is not None
    figure = figure_of(chart)
    boxes = {text.replace("\n", " "): box for text, box in boxes_of(figure)}
    (plot,) = plots(figure)
    one = plot.transData.transform((1.0, 0.0))[0]
    right = boxes[f"higher hazard of {event} →"]
    assert boxes["← lower hazard"].x1 < one < right.x0
    assert right.x1 <= figure.bbox.x1
    (note,) = [box for text, box in boxes.items() if text.startswith("Printed:")]
    assert right.y0 > note.y1


def test_curves_are_drawn_with_their_bands_in_steps_where_they_are_steps() -> None:
    made = tables.predictive(["east-2016"])
    chart = predictive_curves(*made.values(), LABELS)
    assert chart is not None
    (axes,) = plots(figure_of(chart))
    overall = made["predictive"].query("subgroup == 'overall'")
    own = [line for line in axes.get_lines() if len(line.get_xdata()) == len(tables.MONTHS)]
    assert {line.get_drawstyle() for line in own} == {"steps-post"}
    for column in ("estimate", "lower", "upper"):
        assert tuple(overall[column]) in {tuple(line.get_ydata()) for line in own}


def test_what_nobody_was_followed_to_is_dotted_and_starts_where_the_line_ends() -> None:
    chart = profile_chart(tables.prediction(["east-2016"]), PROFILE, BASIS, LABELS)
    (axes,) = plots(figure_of(chart))
    dotted = [line for line in axes.get_lines() if line.get_xdata()[0] == FOLLOWED]
    assert [line.is_dashed() for line in dotted] == [True]
    assert dotted[0].get_xdata()[-1] == 36


def test_numbers_at_risk_stand_below_their_months() -> None:
    chart = predictive_curves(*tables.predictive(["east-2016"]).values(), LABELS)
    assert chart is not None
    boxes = boxes_of(figure_of(chart))
    months, counts = (
        sorted(
            (box.x0 + box.x1) / 2
            for (text, box), place in zip(boxes, range(len(boxes)), strict=True)
            if text in texts and place > 0
        )
        for texts in ({"0", "6", "12", "18", "24", "30", "36"}, {"60", "<5"})
    )
    assert all(min(abs(x - month) for month in months) < 1 for x in counts)


def test_an_axis_of_years_has_whole_years_with_their_numbers_at_risk() -> None:
    predicted, seen = (in_unit(x, "years") for x in tables.predictive(["east-2016"]).values())
    chart = predictive_curves(predicted, seen, LABELS)
    assert chart is not None
    figure = figure_of(chart)
    (axes,) = plots(figure)
    assert axes.get_xlim() == (0, 3)
    assert axes.get_xticks().tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    texts = [text for text, _ in boxes_of(figure)]
    assert "years" in texts
    assert not any("month" in text for text in texts)
    assert isinstance(chart.body, Curves)
    at_risk = dict(chart.body.panels[0].at_risk)
    assert {at_risk[tick] for tick in axes.get_xticks()} <= set(texts)


@pytest.mark.parametrize(
    ("unit", "last", "ticks"),
    [
        ("years", 15.0, [0, 2, 4, 6, 8, 10, 12, 14]),
        ("months", 36.0, [0, 6, 12, 18, 24, 30, 36]),
        ("weeks", 144.0, [0, 24, 48, 72, 96, 120, 144]),
        ("days", 1095.0, [0, 200, 400, 600, 800, 1000]),
    ],
)
def test_a_time_has_ticks_at_round_numbers_of_its_unit(unit, last, ticks) -> None:
    curve = Curve(OTHERS, (0.0, last), (Estimate(1.0), Estimate(0.5)))
    body = Curves(unit, "alive", (0, last), (0, 1), (CurvePanel("", (curve,)),), (OTHERS,))
    (axes,) = plots(figure_of(Chart("c", "C", body)))
    assert axes.get_xticks().tolist() == ticks


def test_printed_medians_stand_where_they_are_printed_in_years() -> None:
    run = {name: in_unit(table, "years") for name, table in tables.survival_run().items()}
    body = curves_by("burden", run["curves"], run["replication"], LABELS).body
    assert isinstance(body, Curves)
    assert body.x_label == "years"
    found = {x.series.name: x.x for panel in body.panels for x in panel.points}
    assert found == pytest.approx({level: x / 12 for level, x in tables.MEDIANS.items()})


def test_areas_are_in_proportion_to_amounts() -> None:
    figure = figure_of(evidence_map(tables.evidence_map(["east"]), LABELS))
    found = figure.findobj(Rectangle)
    sides = [x.get_width() for x in found if 0 < x.get_width() == x.get_height() < 0.5]
    areas = np.sort(np.square(sides))
    np.testing.assert_allclose(areas / areas[-1] * 16, [7, 7, 9, 9, 16, 16])


@pytest.mark.parametrize(("cohorts", "blocks"), [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2)])
def test_the_totals_stand_beside_the_last_sources_and_open_no_block(
    cohorts: int, blocks: int
) -> None:
    table = tables.evidence_map([f"h{place}" for place in range(cohorts)])
    found = words(figure_of(evidence_map(table, LABELS)))
    assert found.count("Bone metastasis: yes vs") == blocks
    assert found.count("40") == 2
