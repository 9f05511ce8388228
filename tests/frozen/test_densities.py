"""The log density of every model and kind of evidence is the frozen one, and so is its gradient.

These claim nothing of what is right; they hold still what a redesign must not change.
"""

import numpy as np
import pytest
from tests.frozen import densities
from tests.frozen.cases import CASES, Case
from tests.frozen.present import case_graph

FROZEN = densities.frozen_densities()


def test_nothing_frozen_is_left_out() -> None:
    assert set(FROZEN) == {case.name for case in CASES}
    for frozen in FROZEN.values():
        assert len(frozen["values"]["log_density"]) == 50
        assert np.isfinite(frozen["values"]["size"]).sum() >= 45


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_log_density_and_gradient_are_the_frozen_ones(case: Case) -> None:
    tolerance = densities.OF_FITTED if case.fitted else densities.TOLERANCE
    graph = case_graph(case)
    assert list(densities.moved(FROZEN[case.name], graph, tolerance)) == []


def test_points_do_not_depend_on_the_order_of_names() -> None:
    graph = case_graph(next(case for case in CASES if case.name == "weibull-site"))
    found = densities.points(graph, FROZEN["weibull-site"]["places"])["coordinate"]
    (place,) = (i for i, x in enumerate(graph.components["coordinate"]) if x[1] == "bone: yes")
    centre, spread = FROZEN["weibull-site"]["places"]["coordinate[synthetic/site, bone: yes]"]
    score = densities.normal("point coordinate[synthetic/site, bone: yes]", 7)
    assert found[7, 0, place] == centre + spread * score


def test_a_density_that_moved_by_a_billionth_is_seen() -> None:
    graph = case_graph(next(case for case in CASES if case.name == "weibull-site"))
    frozen = FROZEN["weibull-site"]
    values = dict(frozen["values"])
    values["log_density"] = np.add(values["log_density"], 1e-9 * np.array(values["size"])).tolist()
    (said,) = densities.moved({**frozen, "values": values}, graph)
    assert said.startswith("log_density: was")
