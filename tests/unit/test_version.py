"""One version number: the package's, and whatever else says it agrees."""

import re
import tomllib
from pathlib import Path

from netlm_bayes import __version__

ROOT = Path(__file__).parents[2]


def test_the_package_is_built_with_the_version_that_it_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    file = ROOT / project["tool"]["hatch"]["version"]["path"]
    assert f'\n__version__ = "{__version__}"\n' in file.read_text("utf-8")


def test_the_citation_is_of_this_version():
    cited = re.findall(r"(?m)^version: (.*)$", (ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited == [__version__]


def test_the_changelog_begins_with_this_version_or_what_follows_it():
    headings = re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    released = headings[headings[0] == "Unreleased" :]
    assert re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", released[0])
