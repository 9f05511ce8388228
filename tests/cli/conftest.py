import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from netlm_bayes.cli import app, guarded


@dataclass(frozen=True)
class Said:
    """What a person sees of one command."""

    code: int
    out: str
    err: str


@pytest.fixture
def netlm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*arguments: str | Path) -> Said:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["netlm-bayes", *words])
        capsys.readouterr()
        try:
            code = guarded(lambda: app(words))
        except SystemExit as stop:
            code = int(stop.code or 0)
        seen = capsys.readouterr()
        return Said(code, seen.out, seen.err)

    return run


# Another disease, invented.
CODEBOOK = """
id = "asthma"

[endpoints]
relapse = "relapse-free time"

[covariates.smoker]
label = "Smoker $x_i$"
levels = ["never", "former", "current"]
reference = "never"
groups = { ever = ["former", "current"] }

[covariates.sex]
label = "Sex"
levels = ["male", "female"]
reference = "male"
"""

COHORT = """
id = "clinic-a"
label = "Clinic A"
n = 120
institution = "A"
enrolment = [2020-01-01, 2021-12-31]
codebook = "asthma.toml"
source = "an invented paper"

[[published]]
kind = "margin"
covariate = "smoker"
values = { never = 60, former = 30, current = 30 }
source = "Table 1"

[[published]]
kind = "margin"
covariate = "sex"
values = { male = 50, female = 70 }
source = "Table 1"

[[published]]
kind = "median"
endpoint = "relapse"
months = 9.5
role = "fit"
source = "Abstract"

[[published]]
kind = "hazard_ratio"
endpoint = "relapse"
covariate = "smoker"
level = "ever"
versus = "never"
estimate = 1.80
lower = 1.20
upper = 2.70
adjusted_for = ["sex"]
role = "fit"
source = "Table 2"

[[published]]
kind = "milestone"
endpoint = "relapse"
months = 24
survival = 0.20
n = 120
role = "fit"
source = "Figure 1"
"""

MODEL = """
name = "relapse"
outcome = "survival"
covariates = ["smoker", "sex"]

[sampling]
tune = 500
target_accept = 0.95
"""


def write_paper(folder: Path) -> Path:
    """Write the three files into a folder."""
    for name, text in (("asthma", CODEBOOK), ("clinic-a", COHORT), ("relapse", MODEL)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A folder with another disease's codebook, paper and model."""
    return write_paper(tmp_path)


@pytest.fixture(scope="session")
def lasting_paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for tests that share one run."""
    return write_paper(tmp_path_factory.mktemp("paper"))
