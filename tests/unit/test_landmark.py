"""Responders against non-responders: who is compared from a landmark on, and what says so."""

from pathlib import Path

import numpy as np
import pytest

from netlm_bayes.errors import InputError
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.from_patients import from_landmark
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import read_model

HEADER = "time_lower,time_upper,entry,response,htb,ki67,bone,margin,site"
REST = ",<10%,<=10%,no,clear,pancreas"
ROWS = {
    "progressed before": "1,2,0,PR",
    "progressed around it": "2,4,0,PR",
    "seen at it, progressed after": "3,6,0,CR",
    "progressed after": "8,8,0,SD",
    "censored before": "2,,0,PR",
    "censored at it": "3,,0,PR",
    "censored after": "9,,0,PD",
    "entered late": "9,12,5,",
}
KEPT = [2, 3, 6, 7]


@pytest.fixture
def hospital(tmp_path: Path) -> str:
    lines = [HEADER, *(row + REST for row in ROWS.values())]
    (tmp_path / "hospital.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(tmp_path / "hospital.csv")


def test_those_known_to_be_event_free_are_kept_and_counted_from_the_landmark(hospital: str) -> None:
    (file,) = read_cohorts([hospital])
    found = from_landmark(file.patients, 3.0)
    assert (found.row - 2).tolist() == KEPT
    assert found.lower.tolist() == [0, 5, 6, 6]
    assert found.upper.tolist() == [3, 5, np.inf, 9]
    assert found.entry.tolist() == [0, 0, 0, 2]
    assert found.levels["response"].tolist() == [1, 0, 0, -1]


@pytest.mark.parametrize("model", ["pfs-weibull", "pfs-piecewise"])
def test_every_estimate_says_from_when_it_counts(hospital: str, model: str) -> None:
    spec = read_model(model).from_landmark(3.0)
    analysis = analyse(spec, read_cohorts([hospital]))
    assert analysis.endpoints == ("pfs_from_month_3",)
    assert ("response", "responders") in analysis.patterns.effects
    notes = analysis.cohorts[0].notes
    assert notes[0] == "fewer than 5 not known to be progression-free at month 3 left out"


def test_print_tells_of_no_landmark() -> None:
    spec = read_model("pfs-weibull").from_landmark(3.0)
    with pytest.raises(InputError, match=r"landmark: needs patients; sysu-2016-2020.toml has"):
        analyse(spec, read_cohorts(BUNDLED_COHORTS))
