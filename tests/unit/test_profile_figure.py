"""The figure of one kind of patient: what is in the table is drawn, legibly, and the same twice."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from netlm_bayes.report.figures.profile import draw_profile, profile_curves, profile_response
from netlm_bayes.report.labels import Labels

type Tables = dict[str, pd.DataFrame]

PROFILE = ("burden: >50%", "grade: >10%")
BASIS = "averaged over bone as in the population, taken as independent"
LABELS = Labels(
    cohorts={"east-2016": "All primaries, 2016-2020", "west-2022": "Rectal primaries, 2022-2024"},
    covariates={"burden": "Hepatic tumour burden", "grade": "Ki67"},
    endpoints={"pfs": "overall PFS", "hepatic_pfs": "hepatic PFS"},
    levels={"burden": ("<10%", ">50%"), "grade": ("<=10%", ">10%")},
)
SPREAD = {"pooled": 0.5, "next institution": 1.0}
FOLLOWED = 24.0


def row(cohort: str, endpoint: str, estimand: str, horizon: float, values: Sequence[float]):
    """One row of a tidy table."""
    beyond = "; extrapolated beyond the last follow-up at 24 months" if horizon > FOLLOWED else ""
    return {
        "cohort": cohort,
        "endpoint": endpoint,
        "estimand": estimand,
        "subgroup": ", ".join(PROFILE),
        "horizon_months": horizon,
        **dict(zip(("estimate", "lower", "upper"), values, strict=True)),
        "interval": 0.95,
        "note": f"{BASIS}{beyond}",
    }


def survival_tables(cohorts: Sequence[str]) -> Tables:
    curves, medians = [], []
    for place, cohort in enumerate(cohorts):
        for endpoint in LABELS.endpoints:
            width = SPREAD.get(cohort, 0.4)
            level = np.log(0.9) + 0.1 * place
            hazard = np.exp(level + np.array([0, width, -width]))
            for month in np.arange(0.0, 37.0, 1.5):
                values = np.exp(-hazard * (month / 12))
                curves.append(row(cohort, endpoint, "survival", month, values))
            months = 12 * np.log(2) / hazard
            medians.append(row(cohort, endpoint, "median", math.nan, months))
    return {"prediction": pd.DataFrame(medians), "prediction_curves": pd.DataFrame(curves)}


def response_tables(cohorts: Sequence[str]) -> Tables:
    values = {"pooled": (0.6, 0.4, 0.8), "next institution": (0.6, 0.2, 0.9)}
    rows = [
        row(
            cohort,
            "response",
            "response_probability",
            math.nan,
            values.get(cohort, (0.55, 0.45, 0.65)),
        )
        for cohort in cohorts
    ]
    return {"prediction": pd.DataFrame(rows)}


BOTH = ["east-2016", "west-2022", "pooled", "next institution"]
MANY = [*(f"hospital {place}" for place in range(11)), "pooled", "next institution"]


def curves_figure(cohorts: Sequence[str], labels: Labels = LABELS) -> Figure:
    tables = survival_tables(cohorts)
    curves, estimates = tables["prediction_curves"], tables["prediction"]
    return profile_curves(curves, estimates, PROFILE, BASIS, labels)


def response_figure(cohorts: Sequence[str], labels: Labels = LABELS) -> Figure:
    return profile_response(response_tables(cohorts)["prediction"], PROFILE, BASIS, labels)


LONG = replace(
    LABELS,
    covariates={"burden": "Hepatic tumour burden " * 8, "grade": "x" * 150},
    cohorts={"east-2016": "All primaries " * 6, "west-2022": "y" * 80},
)
FIGURES = {
    "both": lambda: curves_figure(BOTH),
    "one": lambda: curves_figure(["east-2016"]),
    "many": lambda: curves_figure(MANY),
    "long names": lambda: curves_figure(BOTH, LONG),
    "response": lambda: response_figure(BOTH),
    "response of many": lambda: response_figure(MANY),
    "response, long names": lambda: response_figure(BOTH, LONG),
}


@pytest.fixture(params=FIGURES)
def figure(request: pytest.FixtureRequest) -> Figure:
    return FIGURES[request.param]()


def written(figure: Figure) -> list[Text]:
    """All visible texts."""
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in written(figure)]


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """All visible texts and the room they take, once axes have placed their labels."""
    figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent()) for text in written(figure)]


def panels(figure: Figure):
    """Axes that hold curves."""
    return [axes for axes in figure.axes if axes.axison]


def test_no_text_leaves_the_page(figure):
    width, height = figure.get_size_inches() * figure.dpi
    out = [
        text
        for text, box in boxes_of(figure)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    assert out == []


def test_no_two_texts_overlap(figure):
    # The box of a line holds room for letters that the line may not have.
    slack = 0.1 * 8 / 72 * figure.dpi
    for (first, one), (second, other) in combinations(boxes_of(figure), 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        down = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert across <= 0 or down <= slack, (first, second)


def test_a_printed_page_holds_the_figure_in_type_of_8_points(figure):
    assert figure.get_size_inches()[0] <= 7.2 + 1e-9
    assert min(text.get_fontsize() for text in written(figure)) >= 8


@pytest.mark.parametrize("made", [survival_tables, response_tables])
def test_the_same_tables_give_the_same_bytes(made, tmp_path):
    once, again = (
        draw_profile(made(BOTH), PROFILE, BASIS, LABELS, tmp_path / name) for name in ("a", "b")
    )
    assert [path.name for path in once] == ["prediction.png", "prediction.svg"]
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_every_population_but_the_next_institution_has_a_panel_with_its_median():
    figure = curves_figure(BOTH)
    assert len(panels(figure)) == 3
    texts = " ".join(words(figure))
    for name in ("All primaries, 2016-2020", "Rectal primaries, 2022-2024", "Pooled"):
        assert name in texts
    assert "Hepatic tumour burden: >50%, Ki67: >10%" in texts
    assert "Averaged over bone as in the population, taken as independent." in texts
    medians = survival_tables(BOTH)["prediction"]
    shown = {text for text in texts.split() if "." in text}
    for cohort in BOTH:
        one = medians[(medians["cohort"] == cohort) & (medians["endpoint"] == "pfs")]
        assert f"{one['estimate'].item():.1f}" in shown


def test_curves_and_bands_are_those_of_the_first_endpoint():
    tables = survival_tables(BOTH)
    curves = tables["prediction_curves"]
    tables["prediction_curves"] = curves.assign(
        estimate=curves["estimate"].where(curves["endpoint"] == "pfs", 0.5)
    )
    figure = profile_curves(*reversed(tables.values()), PROFILE, BASIS, LABELS)
    for cohort, axes in zip(BOTH, panels(figure), strict=False):
        wanted = curves[(curves["cohort"] == cohort) & (curves["endpoint"] == "pfs")]
        lines = [line.get_xydata() for line in axes.get_lines()]
        lower = np.column_stack([wanted["horizon_months"], wanted["lower"]])
        assert any(line.shape == lower.shape and np.allclose(line, lower) for line in lines)
        middle = np.column_stack([wanted["horizon_months"], wanted["estimate"]])
        followed = middle[middle[:, 0] <= FOLLOWED]
        assert any(line.shape == followed.shape and np.allclose(line, followed) for line in lines)


def test_what_nobody_was_followed_to_is_dotted_and_starts_where_the_line_ends():
    axes = panels(curves_figure(BOTH))[0]
    dotted = [line for line in axes.get_lines() if line.get_xdata()[0] == FOLLOWED]
    assert [line.is_dashed() for line in dotted] == [True]
    assert dotted[0].get_xdata()[-1] == 36


def test_the_legend_names_only_what_is_drawn():
    assert "pooled" not in words(curves_figure(["east-2016"]))
    assert "next institution, interval" in words(curves_figure(BOTH))
    tables = survival_tables(BOTH)
    short = tables["prediction_curves"].query("horizon_months <= 24")
    figure = profile_curves(short, tables["prediction"], PROFILE, BASIS, LABELS)
    assert "beyond the last follow-up" not in words(figure)


def test_response_has_a_row_for_every_population():
    texts = words(response_figure(BOTH))
    for name in ("All primaries, 2016-2020", "Pooled", "Next institution"):
        assert name in texts
    assert "60 (40 to 80)" in texts
    assert "60 (20 to 90)" in texts
