"""Whatever is clicked: nobody is lost, nobody is below 0, and curves never rise."""

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.invented import book

from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.read import read_patients
from netlm_bayes.pipeline.reconstruct import patients_csv
from netlm_bayes.published.digitised.clicks import AtRisk, Clicks, falling, read_clicks
from netlm_bayes.published.digitised.curve import DigitisedCurve, ledger, most_likely
from netlm_bayes.published.digitised.guyot import Reconstruction

BOOK = book(grade="a b")
TOUCHING = DigitisedCurve(
    Clicks(np.array([0.0, 1.0]), np.array([1.0, 0.0])),
    AtRisk(np.array([0.0, 0.01, np.nextafter(0.01, 1.0)]), np.array([1, 1, 0])),
)
"""Numbers at risk with no time between: who is censored there is not at risk after."""
times = st.floats(0.01, 120)
shares = st.floats(0, 1)


@st.composite
def curves(draw: Any) -> DigitisedCurve:
    """A curve and a table that need not agree with each other."""
    points = draw(st.lists(st.tuples(times, shares), min_size=1, max_size=25))
    months, survival = np.array(points).T
    rows = draw(st.integers(1, 5))
    n = sorted(draw(st.lists(st.integers(0, 300), min_size=rows, max_size=rows)), reverse=True)
    n[0] = max(n[0], 1)
    later = draw(st.lists(times, min_size=rows - 1, max_size=rows - 1, unique=True))
    at_risk = AtRisk(np.array([0.0, *sorted(later)]), np.array(n))
    told = len(at_risk.within(months.max()).n) > 1
    events = draw((st.none() if told else st.nothing()) | st.integers(0, n[0]))
    return DigitisedCurve(Clicks(*falling(months, survival)), at_risk, events)


def check(curve: DigitisedCurve, made: Reconstruction, months: Any, survival: Any) -> None:
    """What holds of every reconstruction."""
    assert len(made.months) == len(made.event) == curve.n
    assert (made.months > 0).all()
    assert (made.months <= made.end).all()
    assert (np.diff(made.months) >= 0).all()
    assert (made.reached >= 0).all()
    at_risk = [(made.months >= start).sum() for start in made.starts]
    assert at_risk == made.reached.tolist()
    assert (np.diff(made.survival) <= 0).all()
    assert (made.survival >= 0).all()
    dates = np.unique(made.months[made.event])
    here = np.searchsorted(months, dates)
    assert (months[here] == dates).all()
    assert (survival[here] < survival[here - 1]).all()


@given(curve=curves())
@example(curve=TOUCHING)
@settings(max_examples=200)
def test_nobody_is_lost_and_only_a_falling_curve_has_events(curve):
    check(curve, most_likely(curve), curve.clicks.months, curve.clicks.survival)


@given(curve=curves())
@settings(max_examples=100)
def test_the_ledger_adds_up(curve):
    made = most_likely(curve)
    rows = ledger(curve, made)
    assert sum(row.events + row.censored for row in rows) == curve.n
    left = curve.n
    for row in rows:
        assert row.at_risk_reached == left
        left -= row.events + row.censored


@given(points=st.lists(st.tuples(times, shares), min_size=1, max_size=20), percent=st.booleans())
def test_clicks_that_are_written_come_back(points, percent):
    months, survival = np.array(points).T
    clicks = Clicks(*falling(months, survival))
    scale = 100 if percent else 1
    lines = [f"{m!r},{s * scale!r}" for m, s in zip(clicks.months, clicks.survival, strict=True)]
    text = "\n".join(["time,survival", *lines[::-1]]).replace("np.float64(", "").replace(")", "")
    read = read_clicks(text.encode(), "curve.csv")
    assert (read.months == clicks.months).all()
    assert np.allclose(read.survival, clicks.survival, rtol=0, atol=1e-14)


@given(curve=curves(), levels=st.sampled_from([{}, {"grade": "b"}]))
@settings(max_examples=60)
def test_reconstructed_patients_that_are_written_come_back(curve, levels):
    made = most_likely(curve)
    data = patients_csv(made, levels, BOOK)
    patients = read_patients(data, "x.csv", Layout(file="x.csv"), BOOK)[""]
    assert np.allclose(patients.lower, made.months, rtol=0, atol=1e-6)
    assert (patients.exact == made.event).all()
    assert set(patients.levels["grade"].tolist()) == {1 if levels else -1}
