"""Who tells how much: information against answers that are known, and the figure that shows it."""

import math
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from netlm_bayes.compare.evidence_map import amount, evidence_map, kinds_of
from netlm_bayes.estimands.summary import Quantity
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.report.figures import evidence_map as figure_of
from netlm_bayes.results import Row

SPREAD, GREATER = "spread: yes vs no", "size: greater vs lesser"
PRIOR_SD, TAU = 0.75, 0.3
Z = NormalDist().inv_cdf(0.975)


def normal_draws(mean: float, variance: float) -> np.ndarray:
    """Ratios whose logarithms have these moments, in no order."""
    places = (np.arange(8000) + 0.5) / 8000
    draws = np.array([NormalDist().inv_cdf(place) for place in places])
    draws = np.random.default_rng(1).permutation(draws / draws.std())
    return np.exp(mean + math.sqrt(variance) * draws)


def quantity(variance: float, contrast: str = SPREAD, cohort: str = "pooled") -> Quantity:
    draws = normal_draws(0.5, variance)
    row = Row(cohort, "pfs", "hazard_ratio", contrast.partition(": ")[0], contrast=contrast)
    return Quantity(row, draws, 1.0)


def centre_variance(ses: list[float]) -> float:
    """Variance of the centre given some cohorts' estimates: the joint normal, inverted."""
    size = len(ses)
    precision = np.zeros((size + 1, size + 1))
    precision[0, 0] = 1 / PRIOR_SD**2
    for place, se in enumerate(ses, start=1):
        link = np.zeros(size + 1)
        link[0], link[place] = 1.0, -1.0
        precision += np.outer(link, link) / TAU**2
        precision[place, place] += 1 / se**2
    return float(np.linalg.inv(precision)[0, 0])


def believed(contrast: str = SPREAD) -> pd.DataFrame:
    """The prior's tidy row."""
    row = {
        "cohort": "pooled",
        "contrast": contrast,
        "method": "prior",
        "lower": math.exp(-Z * PRIOR_SD),
        "upper": math.exp(Z * PRIOR_SD),
        "interval": 0.95,
    }
    return pd.DataFrame([row])


@pytest.fixture
def analysis(analysis_of, invented):
    return analysis_of(invented.east(), invented.west())


def map_of(analysis, whole: float, without: dict[str, float], contrast=SPREAD) -> pd.DataFrame:
    fewer = {name: (quantity(variance, contrast),) for name, variance in without.items()}
    table = evidence_map(analysis, (quantity(whole, contrast),), fewer, believed(contrast))
    return table.set_index("source")


def test_precision_is_counted_in_events_of_two_equal_groups():
    found = amount(np.log(normal_draws(0.2, 4 / 37)), chains=4)
    assert found.events == pytest.approx(37)
    # Independent draws: the relative error of a variance is the root of 2 / n.
    assert found.error == pytest.approx(37 * math.sqrt(2 / 8000), rel=0.1)


def test_with_known_heterogeneity_each_source_tells_what_the_formula_says(analysis):
    ses = {"east": 0.25, "west": 0.6}
    table = map_of(
        analysis,
        centre_variance(list(ses.values())),
        {name: centre_variance([se for k, se in ses.items() if k != name]) for name in ses},
    )
    for name, se in ses.items():
        assert table.loc[name, "events"] == pytest.approx(4 / (se**2 + TAU**2), rel=1e-6)
    assert table.loc["prior", "events"] == pytest.approx(4 / PRIOR_SD**2)
    parts = table.loc[["east", "west", "prior"], "events"].sum()
    assert table.loc["all", "events"] == pytest.approx(parts)


def test_heterogeneity_caps_what_a_cohort_adds_but_not_what_it_knows(analysis):
    alone = centre_variance([0.6])
    table = map_of(analysis, centre_variance([1e-4, 0.6]), {"east": alone, "west": 0.1})
    assert table.loc["east", "events"] == pytest.approx(4 / TAU**2, rel=1e-3)


def test_what_a_cohort_knows_by_itself_is_that_of_its_printed_interval(analysis):
    table = map_of(analysis, 0.1, {"east": 0.3, "west": 0.12})
    se = math.log(3.4 / 1.2) / (2 * Z)
    assert table.loc["east", "own_events"] == pytest.approx(4 / se**2)
    assert table.loc["east", "own_method"] == "printed"
    assert math.isnan(table.loc["west", "own_events"])


def test_evidence_on_the_covariate_itself_is_told_from_what_is_indirect(analysis):
    table = map_of(analysis, 0.1, {"east": 0.3, "west": 0.12})
    # West prints nothing of spread but its margin.
    assert table["evidence"].to_dict() == {
        "east": "printed", "west": "indirect", "prior": "", "all": "",
    }  # fmt: skip
    assert kinds_of(analysis.cohorts[1], "size") == ("printed",)


def test_a_source_is_the_only_one_where_the_others_tell_no_more_than_the_prior(analysis):
    table = map_of(analysis, 0.12, {"east": PRIOR_SD**2, "west": 0.125})
    assert table["only"].to_dict() == {"east": True, "west": False, "prior": False, "all": False}
    assert table.loc["east", "note"] == "the only source that tells of it"
    table = map_of(analysis, 0.12, {"east": 0.3, "west": 0.15})
    assert not table["only"].any()


def test_where_nobody_tells_nobody_is_the_only_one(analysis):
    table = map_of(analysis, PRIOR_SD**2, {"east": PRIOR_SD**2, "west": PRIOR_SD**2})
    assert not table["only"].any()
    assert set(table.loc[["east", "west"], "note"]) == {"within Monte Carlo error of none"}


def test_a_source_that_widens_the_pool_adds_nothing_and_is_said_to_disagree(analysis):
    table = map_of(analysis, 0.2, {"east": 0.1, "west": 0.3})
    assert table.loc["east", "events"] == 0
    assert "disagrees" in table.loc["east", "note"]


def test_what_did_not_converge_has_no_row(analysis):
    assert "west" not in map_of(analysis, 0.1, {"east": 0.3}).index


def test_only_pooled_ratios_of_the_primary_endpoint_are_mapped(analysis):
    main = (quantity(0.1), quantity(0.1, cohort="east"), quantity(0.1, "local vs pfs"))
    row = Row("pooled", "local", "hazard_ratio", contrast="local vs pfs")
    other = Quantity(row, main[2].draws, 1.0)
    table = evidence_map(analysis, (*main[:2], other), {"east": (quantity(0.2),)}, believed())
    assert set(table["contrast"]) == {SPREAD}


# The figure

LABELS = Labels(
    cohorts={"east": "East hospital, 2016-2020", "west": "West hospital"},
    covariates={"size": "Size", "spread": "Spread beyond the organ"},
    endpoints={"pfs": "PFS"},
    levels={"size": ("small", "huge"), "spread": ("no", "yes")},
)


def table_of(cohorts: list[str], **first: Any) -> pd.DataFrame:
    rows = []
    for contrast in (GREATER, SPREAD):
        for place, name in enumerate(cohorts):
            row = {"evidence": "printed, curve", "events": 9.0 / (1 + place), "own_events": 16.0}
            rows.append({"source": name, "contrast": contrast, **row, "events_mcse": 0.02})
        rows.append({"source": "prior", "contrast": contrast, "events": 7.0})
        rows.append({"source": "all", "contrast": contrast, "events": 40.0})
    table = pd.DataFrame(rows).assign(only=False, estimand="hazard_ratio")
    for name, value in first.items():
        table.loc[0, name] = value
    return table.fillna({"evidence": ""})


def texts(figure: Figure) -> list[Text]:
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def squares(figure: Figure) -> list[Rectangle]:
    found = figure.findobj(Rectangle)
    return [x for x in found if 0 < x.get_width() == x.get_height() < 0.5]


def test_areas_are_in_proportion_to_events():
    figure = figure_of(table_of(["east"], own_events=math.nan), LABELS)
    areas = sorted(square.get_width() ** 2 for square in squares(figure))
    # By rows: east 9 and the prior 7; east 9 of 16 and the prior 7.
    np.testing.assert_allclose(np.array(areas) / areas[-1] * 16, [7, 7, 9, 9, 16])


def test_numbers_kinds_and_lone_sources_are_written():
    figure = figure_of(table_of(["east", "west"], only=True), LABELS)
    words = [text.get_text() for text in texts(figure)]
    assert words.count("9 of 16") == 2
    assert words.count("alone") == 1
    assert "Size: greater vs lesser" in words
    assert words.count("40") == 2


def test_what_is_within_monte_carlo_error_of_none_is_not_drawn():
    noisy = table_of(["east"], events=1.5, events_mcse=1.0, own_events=math.nan)
    figure = figure_of(noisy, LABELS)
    assert "≈0" in [text.get_text() for text in texts(figure)]
    assert len(squares(figure)) == 4


@pytest.mark.parametrize("cohorts", [1, 2, 4, 7])
def test_the_figure_is_legible_whatever_the_number_of_sources(cohorts):
    names = [f"hospital-with-a-long-name-{place}" for place in range(cohorts)]
    figure = figure_of(table_of(names, only=True), LABELS)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    assert figure.get_size_inches()[0] == pytest.approx(7.2)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    assert min(text.get_fontsize() for text in texts(figure)) >= 8
    for text, box in boxes:
        assert 0 <= box.x0 < box.x1 <= width, text
        assert 0 <= box.y0 < box.y1 <= height, text
    slack = 0.1 * 8 / 72 * figure.dpi
    for (first, one), (second, other) in combinations(boxes, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        down = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert across <= 0 or down <= slack, (first, second)
    assert {"Prior", "All", "together"} <= {text for text, _ in boxes}


@pytest.mark.parametrize(("cohorts", "panels"), [(1, 1), (4, 1), (5, 2), (8, 2)])
def test_the_total_stands_beside_the_last_sources_and_opens_no_panel(cohorts, panels):
    figure = figure_of(table_of([f"h{place}" for place in range(cohorts)]), LABELS)
    words = [text.get_text() for text in texts(figure)]
    assert words.count("Size: greater vs lesser") == panels
    assert words.count("40") == 2


def test_where_no_source_could_be_left_out_the_totals_are_drawn():
    alone = table_of(["east"]).query("source != 'east'")
    assert [text.get_text() for text in texts(figure_of(alone, LABELS))].count("40") == 2


def test_a_run_with_the_table_has_the_figure(tmp_path):
    written = draw({"evidence_map": table_of(["east", "west"])}, LABELS, tmp_path)
    assert [path.name for path in written] == ["evidence_map.png", "evidence_map.svg"]
