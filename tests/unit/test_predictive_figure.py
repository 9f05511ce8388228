"""Predicted beside observed: drawn from the tables, masked where few are at risk, legible."""

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from netlm_bayes.report.figures import (
    Labels,
    draw,
    predictive_curves,
    predictive_curves_by,
    predictive_responses,
)

LEVELS = {"burden": ("<10%", "10-25%", "25-50%", ">50%"), "bone": ("no", "yes")}
MONTHS = np.arange(0.0, 37.5, 1.5)
GROUPS = ["overall", *(f"{name}: {level}" for name, levels in LEVELS.items() for level in levels)]


def labels_of(cohorts: Sequence[str]) -> Labels:
    return Labels(
        cohorts={name: f"Hospital {name}" for name in cohorts},
        covariates={"burden": "Hepatic tumour burden", "bone": "Bone metastasis"},
        endpoints={"pfs": "overall PFS"},
        levels=LEVELS,
    )


def curve(cohort: str, subgroup: str, estimand: str, values: np.ndarray, width: float) -> list:
    common = {"cohort": cohort, "endpoint": "pfs", "estimand": estimand, "subgroup": subgroup}
    return [
        {
            **common,
            "horizon_months": month,
            "estimate": value,
            "lower": max(value - width, 0.0),
            "upper": min(value + width, 1.0),
            "interval": 0.95,
            "note": "",
        }
        for month, value in zip(MONTHS, values, strict=True)
    ]


def tables(cohorts: Sequence[str], sizes: Sequence[int] = ()) -> dict[str, pd.DataFrame]:
    """Tables as a run writes them: every group with predicted and observed curve and risk set."""
    predicted, observed = [], []
    for place, cohort in enumerate(cohorts):
        n = sizes[place] if sizes else 60 + place
        for shift, group in enumerate(GROUPS):
            survival = np.exp(-0.06 * MONTHS * (1 + 0.1 * shift))
            predicted += curve(cohort, group, "predictive_survival", survival, 0.12)
            observed += curve(cohort, group, "survival", survival**1.2, 0.1)
            for month, share in zip(MONTHS, survival, strict=True):
                count = int(n * share**2)
                few = 0 < count < 5
                observed.append(
                    {
                        "cohort": cohort,
                        "endpoint": "pfs",
                        "estimand": "at_risk",
                        "subgroup": group,
                        "horizon_months": month,
                        "estimate": math.nan if few else float(count),
                        "interval": math.nan,
                        "note": "<5" if few else "",
                    }
                )
    return {"predictive": pd.DataFrame(predicted), "kaplan_meier": pd.DataFrame(observed)}


def responses(cohorts: Sequence[str]) -> pd.DataFrame:
    rows = []
    for place, cohort in enumerate(cohorts):
        for shift, group in enumerate(GROUPS):
            share = 0.7 - 0.05 * shift - 0.02 * place
            row = {"cohort": cohort, "estimand": "predictive_response", "subgroup": group}
            row |= {"endpoint": "response", "horizon_months": math.nan, "note": ""}
            ends = {"estimate": share, "lower": share - 0.1, "upper": share + 0.1, "interval": 0.95}
            rows.append({**row, **ends, "method": "posterior predictive"})
            nothing = {"lower": math.nan, "upper": math.nan, "interval": math.nan}
            rows.append({**row, **nothing, "estimate": share + 0.03, "method": "observed"})
    return pd.DataFrame(rows)


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left").replace("\n", " ") for axes in panels(figure)]


def written(figure: Figure) -> list[Text]:
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in written(figure)]


COHORTS = {"one": ["A"], "three": ["A", "B", "pooled"], "many": [*"ABCDEFGHI", "pooled"]}


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    found = {}
    for name, cohorts in COHORTS.items():
        made, labels = tables(cohorts, [12345] * len(cohorts)), labels_of(cohorts)
        both = made["predictive"], made["kaplan_meier"]
        found[f"{name} overall"] = predictive_curves(*both, labels)
        for covariate in LEVELS:
            found[f"{name} {covariate}"] = predictive_curves_by(covariate, *both, labels)
        found[f"{name} response"] = predictive_responses(responses(cohorts), labels)
    return found


def test_no_text_leaves_the_page_or_meets_another(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * figure.dpi
        boxes = [(text.get_text(), text.get_window_extent()) for text in written(figure)]
        for text, box in boxes:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, (name, text)
        # The box of a line holds room for letters that it may not have.
        slack = 0.1 * 8 / 72 * figure.dpi
        for (first, one), (second, other) in combinations(boxes, 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 0 or down <= slack, (name, first, second)


def test_a_printed_page_holds_every_figure_in_type_of_8_points(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        assert figure.get_size_inches()[0] <= 7.2 + 1e-9, name
        assert min(text.get_fontsize() for text in written(figure)) >= 8, name


def test_curves_and_bands_are_those_of_the_tables(figures: dict[str, Figure]) -> None:
    made = tables(COHORTS["three"])
    for axes, cohort in zip(panels(figures["three overall"]), ["A", "B", "pooled"], strict=True):
        drawn = {tuple(line.get_ydata()) for line in axes.get_lines()}
        assert {line.get_drawstyle() for line in axes.get_lines()} == {"steps-post"}
        for name, columns in (
            ("predictive", ["estimate", "lower", "upper"]),
            ("kaplan_meier", ["estimate"]),
        ):
            table = made[name].query("subgroup == 'overall' and estimand != 'at_risk'")
            own = table[table["cohort"] == cohort]
            for column in columns:
                assert tuple(own[column]) in drawn


def test_observed_and_predicted_are_told_apart_without_colour(figures: dict[str, Figure]) -> None:
    (axes,) = panels(figures["one overall"])
    made = tables(["A"])
    overall = made["kaplan_meier"].query("subgroup == 'overall' and estimand == 'survival'")
    styles = {
        tuple(line.get_ydata()) == tuple(overall["estimate"]): line.get_linestyle()
        for line in axes.get_lines()
        if line.get_linewidth() > 1
    }
    assert styles[True] == "-"
    assert styles[False] != "-"


def test_the_overall_figure_shows_the_largest_six_in_order() -> None:
    cohorts = COHORTS["many"]
    sizes = [50, 900, 60, 800, 70, 700, 80, 600, 500, 4000]
    made = tables(cohorts, sizes)
    figure = predictive_curves(made["predictive"], made["kaplan_meier"], labels_of(cohorts))
    named = [f"Hospital {name}" for name in "BDFHI"]
    assert titles(figure) == [*named, "All patients"]


def test_levels_are_shown_of_all_patients_together_or_of_the_only_cohort(
    figures: dict[str, Figure],
) -> None:
    for name in ("one", "three", "many"):
        assert titles(figures[f"{name} burden"]) == list(LEVELS["burden"])
        assert titles(figures[f"{name} bone"]) == list(LEVELS["bone"])
    made = tables(["A", "pooled"])
    pooled = made["predictive"].query("cohort == 'pooled' and subgroup == 'bone: yes'")
    both = made["predictive"], made["kaplan_meier"]
    axes = panels(predictive_curves_by("bone", *both, labels_of(["A"])))[1]
    assert tuple(pooled["estimate"]) in {tuple(line.get_ydata()) for line in axes.get_lines()}


def test_only_what_was_observed_too_is_shown() -> None:
    cohorts = ["A", "B", "pooled"]
    made = tables(cohorts, [50, 70, 120])
    seen = made["kaplan_meier"].query("cohort != 'pooled' and subgroup != 'burden: 10-25%'")
    labels = labels_of(cohorts[:2])
    overall = predictive_curves(made["predictive"], seen, labels)
    assert titles(overall) == ["Hospital A", "Hospital B"]
    figure = predictive_curves_by("burden", made["predictive"], seen, labels)
    assert titles(figure) == ["<10%", "25-50%", ">50%"]
    assert words(figure)[0].startswith("Hepatic tumour burden in Hospital B: predicted")


def test_fewer_than_five_at_risk_are_not_counted_out() -> None:
    made = tables(["A"], [60])
    figure = predictive_curves(made["predictive"], made["kaplan_meier"], labels_of(["A"]))
    own = made["kaplan_meier"].query("subgroup == 'overall' and estimand == 'at_risk'")
    own = own.set_index("horizon_months")
    found = words(figure)
    assert "<5" in found
    counts = found[found.index("months") - 14 : found.index("months")]
    months = [float(text) for text in counts[::2]]
    assert months == [0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0]
    for month, text in zip(months, counts[1::2], strict=True):
        estimate = own.loc[month, "estimate"]
        assert text == (own.loc[month, "note"] if np.isnan(estimate) else f"{estimate:.0f}")


def test_large_numbers_at_risk_have_room(figures: dict[str, Figure]) -> None:
    assert "12345" in words(figures["many overall"])
    assert "24" in words(figures["many overall"])


def test_an_observed_curve_ends_where_it_is_not_known() -> None:
    made = tables(["A"])
    late = made["kaplan_meier"]["horizon_months"] > 20
    cut = made["kaplan_meier"]
    cut = cut[~(late & (cut["estimand"] == "survival"))]
    (axes,) = panels(predictive_curves(made["predictive"], cut, labels_of(["A"])))
    assert sorted({float(line.get_xdata()[-1]) for line in axes.get_lines()}) == [19.5, 36.0]


def test_shares_of_responders_stand_in_their_interval(figures: dict[str, Figure]) -> None:
    figure = figures["three response"]
    (plot,) = panels(figure)
    table = responses(COHORTS["three"])
    shown = table[(table["subgroup"] == "overall") | (table["cohort"] == "pooled")]
    lone = [line for line in plot.get_lines() if len(line.get_xdata()) == 1]
    for marker, method in (("o", "observed"), ("D", "posterior predictive")):
        drawn = sorted(float(x.get_xdata()[0]) for x in lone if x.get_marker() == marker)
        own = sorted(100 * shown[shown["method"] == method]["estimate"])
        assert drawn == pytest.approx(own)
    found = words(figure)
    rows = [word for word in found if word.startswith(("Hospital", "All"))]
    assert rows == ["Hospital A", "Hospital B", "All patients"]
    assert {"observed", "predicted", "73", "70 (60 to 80)"} <= set(found)


def test_figures_are_drawn_where_there_are_tables(tmp_path: Path) -> None:
    made, labels = tables(["A", "B", "pooled"]), labels_of(["A", "B"])
    names = {"predictive", "predictive_by_burden", "predictive_by_bone"}
    assert {path.stem for path in draw(made, labels, tmp_path / "survival")} == names
    shares = {"predictive": responses(["A"])}
    assert {path.stem for path in draw(shares, labels, tmp_path / "response")} == {"predictive"}
    alone = {"predictive": made["predictive"]}
    assert draw(alone, labels, tmp_path / "without") == ()
    assert draw({"kaplan_meier": made["kaplan_meier"]}, labels, tmp_path / "without") == ()
    others = made | {"kaplan_meier": made["kaplan_meier"].query("cohort == 'C'")}
    assert draw(others, labels, tmp_path / "without") == ()


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    made, labels = tables(["A"]), labels_of(["A"])
    once, again = (draw(made, labels, tmp_path / name) for name in ("once", "again"))
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
