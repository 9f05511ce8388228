"""A paper on deaths and a randomised trial: every text that their runs leave is in their words."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.cli.page import run as typed

from netlm_bayes import store
from netlm_bayes.report import figures
from netlm_bayes.report.figures import profile
from netlm_bayes.report.page.library import STYLE, asset, charting_library

pytestmark = pytest.mark.sampling

FOREIGN = re.compile(
    r"progress|\bPD\b|\bPFS\b|embol|event-free|neuroendocrine|\bliver|hepat|tumou?r|metasta|ki-?67",
    re.IGNORECASE,
)
"""Words of the bundled codebook's disease, endpoint and treatment, and of an unnamed event."""
PACKED = re.compile(r"[A-Za-z0-9+/=]{200,}")
"""Numbers in base64."""
SAMPLING = """
[sampling]
draws = 1000
tune = 1000
target_accept = 0.95
"""

REGISTRY = {
    "heart.toml": """
id = "heart"

[endpoints.os]
label = "overall survival"
short = "OS"
event = "death"
event_free = "alive"

[covariates.frail]
label = "Frailty"
levels = ["no", "yes"]
reference = "no"

[covariates.sex]
label = "Sex"
levels = ["female", "male"]
reference = "female"
""",
    "registry.toml": """
id = "registry"
label = "Registry of 2021"
n = 300
institution = "North"
enrolment = [2016-01-01, 2019-12-31]
codebook = "heart.toml"
source = "an invented paper"

[[published]]
kind = "margin"
covariate = "frail"
values = { no = 200, yes = 100 }
source = "Table 1"

[[published]]
kind = "margin"
covariate = "sex"
values = { female = 140, male = 160 }
source = "Table 1"

[[published]]
kind = "hazard_ratio"
endpoint = "os"
covariate = "frail"
level = "yes"
versus = "no"
estimate = 1.90
lower = 1.30
upper = 2.78
adjusted_for = ["sex"]
role = "fit"
source = "Table 3"

[[published]]
kind = "hazard_ratio"
endpoint = "os"
covariate = "sex"
level = "male"
versus = "female"
estimate = 1.35
p = 0.040
adjusted_for = ["frail"]
role = "fit"
source = "Table 3"

[[published]]
kind = "median"
endpoint = "os"
months = 61.0
role = "fit"
source = "Abstract"

[[published]]
kind = "milestone"
endpoint = "os"
months = 36
survival = 0.66
n = 300
source = "Figure 1"
""",
    "ward.toml": """
id = "ward"
label = "Ward"
codebook = "heart.toml"
source = "simulated"
patients = { file = "ward.csv" }
""",
    "deaths.toml": 'name = "deaths"\noutcome = "survival"\ncovariates = ["frail", "sex"]\n'
    + SAMPLING,
}
TRIAL = {
    "asthma.toml": """
id = "asthma"

[endpoints.relapse]
label = "time to relapse"
event = "relapse"
event_free = "relapse-free"

[covariates.arm]
label = "Inhaler"
levels = ["placebo", "active"]
reference = "placebo"
treatment = true
randomised = true

[covariates.advice]
label = "Advice"
levels = ["leaflet", "visit"]
reference = "leaflet"
treatment = true

[covariates.smoker]
label = "Smoker"
levels = ["no", "yes"]
reference = "no"
""",
    "trial.toml": """
id = "trial"
label = "A trial"
n = 240
institution = "South"
enrolment = [2018-01-01, 2020-12-31]
codebook = "asthma.toml"
source = "an invented trial"

[[published]]
kind = "margin"
covariate = "arm"
values = { placebo = 119, active = 121 }
source = "Table 1"

[[published]]
kind = "margin"
covariate = "advice"
values = { leaflet = 150, visit = 90 }
source = "Table 1"

[[published]]
kind = "margin"
covariate = "smoker"
values = { no = 180, yes = 60 }
source = "Table 1"

[[published]]
kind = "hazard_ratio"
endpoint = "relapse"
covariate = "arm"
level = "active"
versus = "placebo"
estimate = 0.62
lower = 0.45
upper = 0.85
adjusted_for = ["advice", "smoker"]
role = "fit"
source = "Table 2"

[[published]]
kind = "hazard_ratio"
endpoint = "relapse"
covariate = "smoker"
level = "yes"
versus = "no"
estimate = 1.70
lower = 1.19
upper = 2.43
adjusted_for = ["arm", "advice"]
role = "fit"
source = "Table 2"

[[published]]
kind = "median"
endpoint = "relapse"
months = 14.5
role = "fit"
source = "Abstract"
""",
    "relapses.toml": 'name = "relapses"\noutcome = "survival"\n'
    'covariates = ["arm", "advice", "smoker"]\n' + SAMPLING,
}


@dataclass(frozen=True)
class Left:
    """A run and what it left: every text, by the file, figure or command that it stands in."""

    run: Path
    texts: Mapping[str, str]

    def __getitem__(self, ending: str) -> str:
        return "\n".join(text for name, text in self.texts.items() if name.endswith(ending))


def left_by(folder: Path, files: Mapping[str, str], lines: str) -> Left:
    """Write files, run commands in their folder, and gather every text there is afterwards."""
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    texts: dict[str, str] = {}

    def noted(figure: Figure, into: Path, name: str) -> tuple[Path, Path]:
        drawn = (text.get_text() for text in figure.findobj(Text))
        texts[f"figure {into.parent.name} {name}"] = "\n".join(drawn)
        return save(figure, into, name)

    save = figures.save
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(figures, "save", noted)
        patch.setattr(profile, "save", noted)
        for line in lines.strip().splitlines():
            code, said = typed(f"netlm-bayes {line}")
            assert code == 0, said
            texts[line] = said
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in files:
            texts |= {f"{path.relative_to(folder)}{part}": text for part, text in texts_of(path)}
    return Left(folder / "run", texts)


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """Texts of a file: of a packed one its parts, of draws all names, of a picture none."""
    if path.suffix in {".docx", ".xlsx"}:
        with zipfile.ZipFile(path) as packed:
            names = [name for name in packed.namelist() if name.endswith((".xml", ".rels"))]
            yield from ((f" {name}", packed.read(name).decode("utf-8")) for name in names)
    elif path.suffix == ".nc":
        yield "", names_in(path)
    elif path.suffix != ".png":
        text = path.read_text("utf-8")
        # Neither library, style sheet nor packed draws say anything to a reader.
        for unread in (asset(charting_library().file), asset(STYLE)):
            text = text.replace(unread, "")
        yield "", PACKED.sub("", text)


def names_in(path: Path) -> str:
    """Names, attributes and labels of all draws."""
    sets = [node.to_dataset() for node in store.read_posterior(path.parent).subtree]
    labels = [one.to_numpy().tolist() for found in sets for one in found.coords.values()]
    return f"{[found.to_dict(data=False) for found in sets]} {labels}"


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A registry's paper pooled with simulated patients whose deaths lie between two visits."""
    return left_by(
        tmp_path_factory.mktemp("deaths"),
        REGISTRY,
        """
simulate deaths.toml --codebook heart.toml --n 150 --scans 6 --follow-up 60 --out ward.csv
check heart.toml registry.toml ward.toml deaths.toml
audit registry.toml
pool deaths.toml registry.toml ward.toml --out run
compare run
report run
predict run --profile frail=yes --out asked
export run --to xlsx
export run --to docx-table
export run --to latex
share ward.toml --model deaths.toml --at-scan --cuts 12,24,36 --out ward.json
""",
    )


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A printed trial."""
    return left_by(
        tmp_path_factory.mktemp("trial"),
        TRIAL,
        """
check asthma.toml trial.toml relapses.toml
audit trial.toml
fit relapses.toml trial.toml --out run
compare run
report run
predict run --profile arm=active --out asked
export run --to xlsx
export run --to docx-table
export run --to latex
""",
    )


@pytest.mark.parametrize("paper", ["deaths", "trial"])
def test_no_text_that_a_run_leaves_has_a_word_of_another_disease(
    paper: str, request: pytest.FixtureRequest
) -> None:
    left = request.getfixturevalue(paper)
    found = {
        f"{name}: ...{text[max(0, word.start() - 60) : word.end() + 40]}..."
        for name, text in left.texts.items()
        for word in FOREIGN.finditer(text)
    }
    assert not found, "\n".join(sorted(found))


def test_the_search_looks_at_everything_a_run_leaves(deaths: Left, trial: Left) -> None:
    endings = ("forest", "prediction", "report.html", "manifest.json", "effects.csv", ".nc", ".tex")
    for left in (deaths, trial):
        assert all(left[ending] for ending in endings)
        assert left["word/document.xml"]
        assert left["sharedStrings.xml"] or left["sheet1.xml"]
        files = {path for path in left.run.rglob("*") if path.suffix not in {".png", ".svg"}}
        assert {f"run/{p.relative_to(left.run)}" for p in files if p.is_file()} <= set(left.texts)
        pictures = {f"figure run {path.stem}" for path in left.run.rglob("*.svg")}
        assert pictures == {name for name in left.texts if name.startswith("figure run ")}
    assert trial["script.py"]


def test_deaths_are_called_so(deaths: Left) -> None:
    assert "higher hazard of death →" in deaths["figure run forest"]
    assert "alive, percent" in deaths["figure run os_by_frail"]
    assert "alive, percent" in deaths[" prediction"]
    assert "os: alive at 12 months" in deaths["predict run --profile frail=yes --out asked"]
    assert "Alive at 12 months" in deaths["word/document.xml"]
    page = deaths["run/report.html"]
    assert '"event_free": "alive"' in page or '"event_free":"alive"' in page
    assert "no treatment is compared with another" in page


def test_a_randomised_contrast_is_told_from_the_others(trial: Left) -> None:
    page = trial["run/report.html"]
    assert (
        "what effect Inhaler has on time to relapse, and what else goes with it: Advice and" in page
    )
    assert "Inhaler was assigned at random: under the assumptions of a randomised trial" in page
    assert "Advice is a treatment that nobody assigned at random" in page
    assert "Contrasts by Smoker compare kinds of patients: they are associations" in page
    assert (
        "Inhaler is a treatment assigned at random and Advice is a treatment not assigned" in page
    )
    assert "the effect of Inhaler, assigned at random, on time to relapse" in page
    assert "no treatment is compared" not in page
    assert trial["script.py"].startswith('"""Time to relapse in 1 printed cohort:')


def test_the_forest_says_of_each_ratio_where_its_limits_come_from(
    deaths: Left, trial: Left
) -> None:
    one = trial["figure run forest"].replace("\n", " ")
    assert "Printed: the ratio that is fitted; limits as printed." in one
    several = deaths["figure run forest"].replace("\n", " ")
    assert "limits as printed; * limits computed from the printed p value" in several
    assert "1.90 (1.30 to 2.78)" in deaths["figure run forest"].split("\n")
    assert re.search(r"^1\.35 \(.* to .*\)\*$", deaths["figure run forest"], re.MULTILINE)
