"""Treatments: where they were assigned at random, and what figures say of them."""

from dataclasses import replace

import pytest
from tests.unit import chart_tables as tables
from tests.unit.chart_tables import BOTH, LABELS
from tests.unit.conftest import CODEBOOK, as_file, hazard_ratio, margin

from netlm_bayes.errors import InputErrors
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import Model
from netlm_bayes.report.charts import forest
from netlm_bayes.report.charts.description import Chart, Intervals, Panel
from netlm_bayes.report.labels import labels_of

ARM = """
[covariates.arm]
label = "Trial arm"
levels = ["placebo", "active"]
reference = "placebo"
treatment = true
"""


def trial(name, *, arms=True, **more):
    arm = hazard_ratio("arm", "active", "placebo", estimate=0.6, lower=0.4, upper=0.9)
    spread = hazard_ratio("spread", "yes", "no", estimate=1.7, lower=1.0, upper=2.89)
    return {
        "id": name,
        "label": name.title(),
        "n": 80,
        "source": "invented",
        "codebook": "book.toml",
        **more,
        "published": [
            margin("arm", placebo=40, active=40),
            margin("spread", no=50, yes=30),
            spread,
            *([arm] if arms else []),
        ],
    }


@pytest.fixture
def designs(tmp_path):
    """Designs of the arm in trials, each a document, with more said in the codebook or not."""

    def read(*documents, of_codebook=""):
        (tmp_path / "book.toml").write_text(CODEBOOK + ARM + of_codebook, "utf-8")
        model = Model(name="m", outcome="survival", covariates=("arm", "spread"))
        files = read_cohorts([as_file(tmp_path, document) for document in documents])
        labels = labels_of(analyse(model, files))
        return labels.treatments["arm"], labels.design("arm")

    return read


def test_a_trial_pooled_with_a_registry_is_not_randomised(designs):
    one, other = trial("trial", randomised=["arm"]), trial("registry")
    assert designs(one) == ({"trial": True}, "randomised")
    assert designs(other) == ({"registry": False}, "not randomised")
    assert designs(one, other) == ({"trial": True, "registry": False}, "partly randomised")


def test_a_cohort_may_contradict_its_codebook(designs):
    said = "randomised = true\n"
    assert designs(trial("a"), trial("b", randomised=[]), of_codebook=said) == (
        {"a": True, "b": False},
        "partly randomised",
    )


def test_a_cohort_that_does_not_compare_arms_has_no_say_in_the_design(designs):
    silent = trial("silent", arms=False)
    assert designs(trial("a", randomised=["arm"]), silent) == ({"a": True}, "randomised")
    assert designs(silent) == ({}, "not compared")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("amr", "no such covariate 'amr' (did you mean 'arm'?)"),
        ("spread", "'spread' must be a treatment; say treatment = true in the codebook"),
    ],
)
def test_only_a_treatment_is_randomised(designs, name, said):
    with pytest.raises(InputErrors) as refused:
        designs(trial("a", randomised=[name]))
    (problem,) = refused.value.errors[0].problems
    assert (problem.where.split(", ")[-1], problem.what) == ("randomised", said)


def drawn(treatments, estimand="hazard_ratio"):
    labels = replace(LABELS, treatments=treatments)
    chart = forest(tables.effects(BOTH, estimand), None, labels)
    assert isinstance(chart, Chart)
    assert isinstance(chart.body, Intervals)
    return chart.body.panels


def sides(panel: Panel):
    return panel.scale.below, panel.scale.above


def test_treatments_stand_first_and_apart_and_the_axis_says_who_is_favoured():
    first, rest = drawn({"bone": {"east-2016": True}})
    assert first.title == "Treatment, randomised"
    assert [group.heading for group in first.groups] == ["Bone metastasis: yes vs no"]
    assert sides(first) == ("favours yes", "favours no")
    assert rest.title == "Other covariates"
    assert sides(rest) == ("lower hazard", "higher hazard of relapse or death")
    assert len(first.groups) + len(rest.groups) == len(tables.LOG_HR)


def test_more_response_favours_the_treated():
    panel = drawn({"bone": {"east-2016": True}}, "odds_ratio")[0]
    assert sides(panel) == ("favours no", "favours yes")


def test_several_contrasts_of_a_treatment_share_an_axis_that_names_no_level():
    panel = drawn({"burden": {"east-2016": False}})[0]
    assert panel.title == "Treatment, not randomised"
    assert sides(panel) == ("favours the first of the two", "favours the second")


def test_without_treatments_there_is_one_panel():
    (panel,) = drawn({})
    assert panel.title == ""
