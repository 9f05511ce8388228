"""A model file states choices that exist, or every fault is said with its line."""

from pathlib import Path

import pytest

from netlm_bayes.choices import DEFAULT_PRIORS
from netlm_bayes.errors import InputError
from netlm_bayes.model import Model, bundled_models, model_digest, read_model

TEXT = """\
name = "m"
outcome = "survival"
covariates = ["htb", "bone"]
readings = ["literal"]

[priors.effect]
sigma = 0.5
why = "because"

[[scenarios]]
name = "one"
"priors.effect.sigma" = 0.35

[[scenarios]]
name = "two"
priors.effect.sigma = 2.5
priors.level.mu = 1
readings = []
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.toml"


def read(text: str, path: Path) -> Model:
    path.write_text(text, "utf-8")
    return read_model(str(path))


def problems(text: str, path: Path) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(text, path)
    assert str(refused.value).startswith(f"{path}: ")
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize("name", sorted(bundled_models()))
def test_a_bundled_model_and_all_its_scenarios_are_sound(name):
    spec = read_model(name)
    assert spec.name == name
    assert len(model_digest(name)) == 64
    assert all(spec.scenario(scenario).name == name for scenario in spec.scenario_names)


def test_what_is_not_stated_is_the_default(path):
    spec = read('name = "m"\noutcome = "response"\ncovariates = ["htb"]', path)
    assert spec.prior("effect") == DEFAULT_PRIORS["response"]["effect"]
    assert (spec.selection, spec.pooling, spec.sampling.chains) == ("modelled", "partial", 4)


def test_a_scenario_changes_what_it_names_and_nothing_else(path):
    spec = read(TEXT, path)
    one, two = spec.scenario("one"), spec.scenario("two")
    assert one.prior("effect").sigma == 0.35
    assert one.prior("effect").why == "because"
    assert one.prior("level") == spec.prior("level")
    assert one.readings == ("literal",)
    assert (two.prior("effect").sigma, two.prior("level").mu, two.readings) == (2.5, 1.0, ())
    assert two.prior("level").sigma == spec.prior("level").sigma
    assert one.sampling == spec.sampling


def test_an_unknown_scenario_is_refused_with_a_suggestion(path):
    with pytest.raises(InputError, match=r"no such scenario 'tow' \(did you mean 'two'\?\)"):
        read(TEXT, path).scenario("tow")


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ('"m"', '"m/x"', "line 1, name: must be letters, digits, '.', '_' and '-', a letter or di"),
        ('"htb", "bone"', '"htb", "htb"', "line 3, covariates: must not repeat; got 'htb' twice"),
        ("sigma = 0.5\n", "sigma = 1e9\n", "line 7, priors.effect.sigma: must be at most 100; got"),
        (
            "sigma = 0.5\n",
            'sigma = 0.5\nfamily = "half_normal"\n',
            "line 8, priors.effect.family: must be 'normal' for this prior; got 'half_normal'",
        ),
        ("[priors.effect]", "[priors.efect]", "line 6, priors.efect: no such prior in a survival"),
        (
            'outcome = "survival"',
            'outcome = "response"\nalso = ["hepatic_pfs"]',
            "line 3, also: belongs to survival models; this one is of response",
        ),
        (
            'readings = ["literal"]',
            'association = [{ covariates = ["htb", "htb"], log_odds_ratio = 1 }]',
            "line 4, association[1].covariates: must be two different ones; got 'htb' twice",
        ),
        (
            'readings = ["literal"]',
            "mismatch = 0.15",
            "line 4, mismatch: is no key any more: the paper's own adjustment is simulated; delete",
        ),
        (
            '"priors.effect.sigma" = 0.35',
            'unadjusted = "implied"',
            "line 12, scenarios[1].unadjusted: is no key any more: the paper's own adjustment is",
        ),
        (
            'readings = ["literal"]',
            'selection = "modeled"',
            "line 4, selection: must be one of modelled, ignored; got 'modeled'",
        ),
        (
            'readings = ["literal"]',
            "heterogeneity_scales = [0.5, 0]",
            "line 4, heterogeneity_scales[2]: must be greater than 0; got 0",
        ),
        (
            '"priors.effect.sigma" = 0.35',
            '"priors.effect.sgma" = 0.35',
            'line 12, scenarios[1]."priors.effect.sgma": no such key in the model',
        ),
        (
            '"priors.effect.sigma" = 0.35',
            '"level.sigma" = 1',
            "line 12, scenarios[1].\"level.sigma\": no such key in the model; 'level' has no keys",
        ),
        (
            '"priors.effect.sigma" = 0.35',
            'outcome = "response"',
            "line 12, scenarios[1].outcome: cannot be changed by a scenario; write another model",
        ),
        (
            "priors.effect.sigma = 2.5",
            'priors.effect.family = "half_normal"',
            "line 16, scenarios[2].priors: priors.effect.family: must be 'normal' for this prior;",
        ),
    ],
    ids=lambda value: value[:30].replace("\n", " "),
)
def test_a_fault_has_line_place_and_what_would_be_right(there, instead, said, path):
    assert there in TEXT
    found = problems(TEXT.replace(there, instead, 1), path)
    assert [problem for problem in found if problem.startswith(said)], found


def test_the_printed_models_have_a_scenario_at_face_value() -> None:
    for name in ("pfs-weibull", "response-logistic"):
        spec = read_model(name)
        assert (spec.selection, spec.scenario("at-face-value").selection) == (
            "modelled",
            "ignored",
        )


def test_all_faults_are_said_at_once(path):
    wrong = TEXT.replace('"survival"', '"x"').replace("0.5\n", "0\n").replace('name = "two"\n', "")
    assert len(problems(wrong, path)) == 3
    wrong = TEXT.replace("priors.effect.sigma = 2.5", "poling = 1").replace('effect.sigma"', 'x"')
    assert len(problems(wrong, path)) == 2


def test_a_model_is_changed_in_python_as_its_file_would_be() -> None:
    model = read_model("pfs-weibull").replace(covariates=["bone"], name="one")
    assert (model.covariates, model.name) == (("bone",), "one")
    with pytest.raises(InputError, match=r"pooling: must be .*; got 'some'"):
        model.replace(pooling="some")
