"""What a fit would refuse of some files, `check` refuses of the same files in the same words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.check import check_files
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import read_model

CODEBOOK = """
id = "asthma"
[endpoints]
relapse = "relapse-free time"
os = "overall survival"
[covariates.smoker]
label = "Smoker"
levels = ["never", "former", "current"]
reference = "never"
groups = { ever = ["former", "current"] }
[covariates.sex]
label = "Sex"
levels = ["male", "female"]
reference = "male"
[covariates.age]
label = "Age"
unit = "years"
[covariates.level]
label = "Level"
levels = ["low", "high"]
reference = "low"
[covariates.response]
label = "Response"
levels = ["no", "yes"]
reference = "no"
post_baseline = true
"""
COHORT = """
id = "clinic"
label = "Clinic"
n = 120
codebook = "book.toml"
source = "a paper"

[[published]]
kind = "margin"
covariate = "smoker"
values = { never = 50, former = 40, current = 30 }
source = "table 1"

[[published]]
kind = "hazard_ratio"
covariate = "smoker"
level = "current"
versus = "never"
estimate = 1.80
lower = 1.10
upper = 2.95
role = "fit"
source = "table 2"

[[published]]
kind = "median"
endpoint = "relapse"
months = 17.5
role = "fit"
source = "text"

[[published]]
kind = "counts"
values = { responders = 70, nonresponders = 50 }
role = "fit"
source = "text"
"""
MODEL = """
name = "relapse"
outcome = "survival"
covariates = ["smoker", "sex"]
"""
RATIO = "estimate = 1.80\nlower = 1.10\nupper = 2.95"
INTERVAL = "lower = 1.10\nupper = 2.95"
Folder = Callable[[str, str, str], tuple[str, str]]


@pytest.fixture
def files(tmp_path: Path) -> Folder:
    def write(cohort: str, model: str, codebook: str = CODEBOOK) -> tuple[str, str]:
        for name, text in {"book": codebook, "clinic": cohort, "relapse": model}.items():
            (tmp_path / f"{name}.toml").write_text(text)
        return str(tmp_path / "clinic.toml"), str(tmp_path / "relapse.toml")

    return write


def refusals(call: Callable[[], object]) -> set[str]:
    try:
        call()
    except InputErrors as several:
        return {problem.what for error in several.errors for problem in error.problems}
    except InputError as error:
        return {problem.what for problem in error.problems}
    return set()


MUTATIONS = [
    ("cohort", "n = 120", "n = 119"),
    ("cohort", "n = 120", "n = 0"),
    ("cohort", 'label = "Clinic"', ""),
    ("cohort", '"book.toml"', '"boook.toml"'),
    ("cohort", "former = 40", "formr = 40"),
    ("cohort", RATIO, "estimate = 1.80"),
    ("cohort", INTERVAL, 'p = "<0.001"'),
    ("cohort", INTERVAL, "p_below = 0.01\np = 0.02"),
    ("cohort", INTERVAL, "p_above = 0.05"),
    ("cohort", INTERVAL, 'lower = 1.10\nupper = "NR"'),
    ("cohort", INTERVAL, "lower = 0\nupper = inf"),
    ("cohort", INTERVAL, "lower = 2.95\nupper = 1.10"),
    ("cohort", INTERVAL, INTERVAL + "\nconfidence = 95"),
    ("cohort", RATIO, "estimate = 0.00"),
    ("cohort", 'level = "current"', 'level = "never"'),
    ("cohort", "months = 17.5", 'months = "17.5 weeks"'),
    ("cohort", "months = 17.5", "not_reached = true"),
    ("cohort", "months = 17.5", 'months = 17.5\nsubgroup = { smoker = "never" }'),
    ("cohort", "months = 17.5", 'months = 17.5\nsubgroup = { weight = "high" }\nn = 40'),
    ("cohort", 'endpoint = "relapse"', 'endpoint = "os"'),
    ("cohort", 'role = "fit"', 'role = "check"'),
    ("cohort", 'kind = "median"', 'kind = "mode"'),
    ("model", "sex", "sexx"),
    ("model", "sex", "age"),
    ("model", "sex", "level"),
    ("model", "sex", "response"),
    ("model", '"survival"', '"response"'),
    ("model", '"survival"', '"death"'),
    ("model", MODEL, MODEL + 'endpoints = ["oss"]\n'),
    ("model", MODEL, MODEL + "landmark = 3\n"),
    ("model", MODEL, MODEL + 'readings = ["mean"]\n'),
    ("model", MODEL, MODEL + '[priors.effect]\nfamily = "normal"\nsigma = -1\nwhy = "w"\n'),
    ("codebook", 'reference = "male"', 'reference = "mal"'),
    ("codebook", 'relapse = "relapse-free time"', 'response = "relapse-free time"'),
]


@pytest.mark.parametrize(("where", "old", "new"), MUTATIONS)
def test_check_refuses_what_a_fit_would(files: Folder, where: str, old: str, new: str) -> None:
    texts = {"cohort": COHORT, "model": MODEL, "codebook": CODEBOOK}
    assert old in texts[where]
    texts[where] = texts[where].replace(old, new)
    cohort, model = files(texts["cohort"], texts["model"], texts["codebook"])
    fitted = refusals(lambda: analyse(read_model(model), read_cohorts(cohort)))
    assert refusals(lambda: check_files([model, cohort])) == fitted


def test_most_of_these_are_refused(files: Folder) -> None:
    # Else the claim above would be of nothing.
    found = 0
    for where, old, new in MUTATIONS:
        texts = {"cohort": COHORT, "model": MODEL, "codebook": CODEBOOK}
        texts[where] = texts[where].replace(old, new)
        paths = files(texts["cohort"], texts["model"], texts["codebook"])
        found += bool(refusals(lambda paths=paths: check_files(paths)))
    assert found >= 25


def test_a_fault_of_model_and_cohort_together_has_its_file_and_line(files: Folder) -> None:
    paths = files(COHORT, MODEL.replace("sex", "age"))
    with pytest.raises(InputErrors) as refused:
        check_files(paths)
    first, second = str(refused.value).splitlines()
    assert first == f"{paths[1]}: 1 problem"
    assert second.startswith("  line 4, covariates: 'age' is continuous")


def test_what_is_sound_says_what_the_evidence_takes_on_trust(files: Folder) -> None:
    *_, together, note = check_files(files(COHORT, MODEL))
    assert together == "ok: model relapse with 1 cohort"
    assert note.startswith("  clinic, sex: margin not printed: any share of a level is as likely")


def test_an_item_to_be_fitted_that_the_model_leaves_out_is_said(files: Folder) -> None:
    by_response = 'kind = "median"\nendpoint = "relapse"\nsubgroup = { response = "yes" }\n'
    cohort = COHORT + f'\n[[published]]\n{by_response}months = 20.0\nsource = "text"\n'
    said = check_files(files(cohort, MODEL))
    assert any("response: yes: not fitted, 'response' is known only after" in x for x in said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            RATIO,
            "estimate = 1.30\nlower = 1.10\nupper = 2.95",
            "CI centred on its estimate",
        ),
        (INTERVAL, INTERVAL + "\np = 0.4", "p against CI: printed p 0.4, recomputed 0.0"),
        (
            "months = 17.5",
            "months = 532",
            "months within follow-up: printed 532",
        ),
    ],
)
def test_a_number_that_is_fitted_and_contradicted_is_said(files: Folder, old, new, said) -> None:
    lines = check_files(files(COHORT.replace(old, new), MODEL))
    assert any(said in line for line in lines)
    assert not any(said in line for line in check_files(files(COHORT, MODEL)))
