"""A digitised curve as an item of a cohort, and as a likelihood takes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.evidence.check import check_file
from netlm_bayes.evidence.sources import read_cohort
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.digitised.clicks import AtRisk, Clicks
from netlm_bayes.published.digitised.curve import DigitisedCurve
from netlm_bayes.published.digitised.plausible import MOST_CELLS, curve_evidence, plausible
from netlm_bayes.published.items import Curve
from netlm_bayes.published.roles import overlap_faults

COHORT = """\
id = "paper"
label = "A paper"
n = 120
source = "invented"

[[published]]
kind = "curve"
endpoint = "pfs"
clicks = "clicks.csv"
at_risk = "risk.csv"
events = 70
role = "fit"
source = "Figure 2"
"""
CLICKS = "time,survival\n3,0.85\n6,0.7\n9,0.6\n12,0.5\n18,0.35\n24,0.3\n"
AT_RISK = "time,at_risk\n0,120\n6,80\n12,50\n18,30\n"
BOOK = read_codebook(BUNDLED, Path())


def curve_item(**more: Any) -> dict[str, Any]:
    own = {"kind": "curve", "endpoint": "pfs", "clicks": "c.csv", "at_risk": "r.csv"}
    return own | {"role": "fit", "source": "Figure"} | more


def median(**more: Any) -> dict[str, Any]:
    own = {"kind": "median", "endpoint": "pfs", "months": "12", "n": 40, "role": "fit"}
    return own | {"source": "text"} | more


def said_of(*items: dict[str, Any], codebook: Codebook = BOOK) -> list[str]:
    head = {"id": "a", "label": "A", "n": 100, "source": "paper"}
    cohort = Cohort.model_validate(head | {"published": list(items)})
    return [what for _, what in faults(cohort, codebook)]


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    (tmp_path / "paper.toml").write_text(COHORT)
    (tmp_path / "clicks.csv").write_text(CLICKS)
    (tmp_path / "risk.csv").write_text(AT_RISK)
    return tmp_path / "paper.toml"


def test_a_cohort_brings_its_curves_and_their_digests(paper):
    file = read_cohort(str(paper))
    assert file.curves[0].n == 120
    assert file.curves[0].events == 70
    assert {"paper.toml", "clicks.csv", "risk.csv"} <= set(file.inputs)
    assert check_file(str(paper)).startswith("cohort paper: 120 patients, 1 item (1 in the")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"at_risk": ""}, "is missing; or give 'events'"),
        ({"at_risk": "", "events": 9, "subgroup": {"bone": ["yes"]}}, "the curve of a subgroup"),
    ],
)
def test_a_curve_whose_patients_cannot_be_told_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        Curve.model_validate(curve_item(**change))


MILESTONE = {
    "kind": "milestone",
    "endpoint": "pfs",
    "months": "6",
    "survival": "0.7",
    "role": "fit",
    "source": "text",
}
BONE_RATIO = {
    "kind": "hazard_ratio",
    "covariate": "bone",
    "level": ["yes"],
    "versus": ["no"],
    "estimate": "2.0",
    "lower": "1.0",
    "upper": "4.0",
    "role": "fit",
    "source": "text",
}


def test_a_curve_is_given_once():
    (what,) = said_of(curve_item(), curve_item())
    assert "the same curve twice" in what


@pytest.mark.parametrize(
    ("subgroup", "apart"), [({"bone": ["no"]}, True), ({}, False), ({"htb": [">25%"]}, False)]
)
def test_curves_with_patients_in_common_are_not_both_in_the_likelihood(subgroup, apart):
    items = [Curve.model_validate(curve_item(subgroup=x)) for x in ({"bone": ["yes"]}, subgroup)]
    cohort = Cohort.model_construct(published=tuple(items))
    found = overlap_faults(cohort, BOOK, (0, 1))
    assert [place for place, _ in found] == ([] if apart else [("published", 1, "role")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (curve_item(), median(role="check")),
        (curve_item(role="check"), median()),
        (curve_item(subgroup={"bone": ["yes"]}), curve_item(subgroup={"bone": ["no"]})),
        (curve_item(), BONE_RATIO),
    ],
)
def test_a_curve_goes_with_what_is_of_others(one, other):
    assert said_of(one, other) == []


MONTHS = np.arange(0, 30, 0.5)
CURVE = DigitisedCurve(
    Clicks(MONTHS, np.exp(-((MONTHS / 20) ** 1.3)), 0.0005),
    AtRisk(np.array([0.0, 6, 12, 18, 24]), np.array([150, 118, 72, 40, 18])),
)
ITEM = Curve.model_validate(curve_item(click_error="0.01", subgroup={"htb": [">25%"]}))


def test_evidence_names_its_levels_and_counts_everyone():
    found = curve_evidence(3, ITEM, CURVE, BOOK, seed=1, sets=6)
    assert (found.item, found.endpoint) == (3, "pfs")
    assert found.subgroup == {"htb": ("25-50%", ">50%")}
    assert found.events.shape == found.censored.shape == (6, len(found.months))
    assert len(found.months) <= MOST_CELLS
    assert (np.diff(found.months) > 0).all()
    sets = plausible(CURVE, 6, 0.01, 1)
    assert found.events.sum(axis=1).tolist() == [one.event.sum() for one in sets]
    assert found.months[-1] == max(one.months[-1] for one in sets)
