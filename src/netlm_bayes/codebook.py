"""A codebook: what the covariates are, their levels in order, and the names of joined levels.

Nothing outside the bundled codebook file knows any disease: levels, references and groups are data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from netlm_bayes.documents import (
    Document,
    Fault,
    Identifier,
    Text,
    did_you_mean,
    expect_kind,
    read_toml,
    repeated,
    validated,
)

BUNDLED = "netlm"
RESPONSE = "response"
"""Endpoint of odds ratios and response counts; no survival endpoint may be called so."""
PATIENT_COLUMNS = (
    "patient",
    "institution",
    "synthetic",
    "time",
    "event",
    "entry",
    "time_lower",
    "time_upper",
)
"""Columns of every file of patients; no covariate may be called so."""


class Covariate(Document):
    """One covariate.

    Attributes
    ----------
    label : str
        Name in figures and tables.
    levels : tuple of str
        In order; empty for a continuous covariate.
    reference : str
        The level that others are compared with.
    unit : str
        Of a continuous covariate.
    raw : str
        Column that holds the raw quantity behind the levels; read where there is a `cut`.
    cut : tuple of float
        Upper edges of all levels but the last, where a raw quantity may come. An edge belongs to
        the level below it: with ``cut = [10]``, 10 is ``<=10%`` and 10.1 is ``>10%``, and so it
        is where the level below is called ``<10%``.
    groups : dict
        Named joins of levels, by which joined contrasts are printed.
    post_baseline : bool
        Known only after the clock has started (such as response): never a covariate of a model.
    note : str
        What a reader must know of the levels.
    """

    label: Text
    levels: tuple[Text, ...] = ()
    reference: str = ""
    unit: str = ""
    raw: str = ""
    cut: tuple[float, ...] = ()
    groups: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    post_baseline: bool = False
    note: str = ""

    def faults(self) -> Iterator[Fault]:
        """Levels, reference, cuts and groups must speak of the same things."""
        if not self.levels:
            yield from self._continuous_faults()
            return
        if len(self.levels) < 2:
            yield ("levels",), f"must be two or more; got {len(self.levels)}"
        for level in repeated(self.levels):
            yield ("levels",), f"must not repeat; got '{level}' twice"
        if self.unit:
            yield ("unit",), "belongs to a continuous covariate; this one has levels"
        if self.reference not in self.levels:
            got = f"got '{self.reference}'{did_you_mean(self.reference, self.levels)}"
            yield ("reference",), f"must be one of {', '.join(self.levels)}; {got}"
        rising = all(lower < upper for lower, upper in pairwise(self.cut))
        edges = len(self.levels) - 1
        if self.cut and edges and (len(self.cut) != edges or not rising):
            got = ", ".join(f"{edge:g}" for edge in self.cut)
            yield ("cut",), f"must be {edges} rising edges; got {got}"
        for name, members in self.groups.items():
            yield from self._group_faults(name, members)

    def _continuous_faults(self) -> Iterator[Fault]:
        if not self.unit:
            yield ("levels",), "is missing; or give 'unit' for a continuous covariate"
        for key in ("reference", "cut", "groups"):
            if getattr(self, key):
                yield (key,), "belongs to a covariate with levels; this one has none"

    def _group_faults(self, name: str, members: Sequence[str]) -> Iterator[Fault]:
        if name in self.levels:
            yield ("groups", name), "is the name of a level; give the group a name of its own"
        if len(members) < 2:
            yield ("groups", name), f"must join two levels or more; got {len(members)}"
        for level in repeated(members):
            yield ("groups", name), f"must not repeat; got '{level}' twice"
        for level in members:
            if level not in self.levels:
                suggestion = did_you_mean(level, self.levels)
                yield ("groups", name), f"no such level '{level}'{suggestion}"

    @cached_property
    def effects(self) -> tuple[str, ...]:
        """Levels that carry a coefficient: all but the reference."""
        return tuple(level for level in self.levels if level != self.reference)

    def members(self, names: Sequence[str]) -> tuple[str, ...]:
        """Levels behind names of levels and groups, in the codebook's order.

        Raises
        ------
        ValueError
            A name is neither a level nor a group.
        """
        found: set[str] = set()
        for name in names:
            if name not in self.levels and name not in self.groups:
                suggestion = did_you_mean(name, [*self.levels, *self.groups])
                raise ValueError(f"no such level '{name}'{suggestion}")
            found |= set(self.groups.get(name, (name,)))
        return tuple(level for level in self.levels if level in found)

    def name_of(self, members: Sequence[str]) -> str:
        """Shortest printed name of a set of levels: a level, a group, or the levels joined."""
        for name, group in self.groups.items():
            if set(group) == set(members):
                return name
        return " or ".join(members)


class Codebook(Document):
    """The covariates and endpoints that a cohort's file may speak of.

    Attributes
    ----------
    id : str
        Short name.
    endpoints : dict
        Survival endpoints and their labels; the first is the primary one.
    covariates : dict
        Covariates by name.
    """

    id: Identifier
    endpoints: dict[Text, Text] = Field(
        default_factory=lambda: {"pfs": "progression-free survival"}, min_length=1
    )
    covariates: dict[Text, Covariate] = Field(min_length=1)

    def faults(self) -> Iterator[Fault]:
        """Response is no survival endpoint, nor a patient's time a covariate."""
        if RESPONSE in self.endpoints:
            yield ("endpoints", RESPONSE), "stands for response to treatment; give another name"
        for name in PATIENT_COLUMNS:
            if name in self.covariates:
                what = "is a column of every file of patients; give another name"
                yield ("covariates", name), what

    @property
    def primary_endpoint(self) -> str:
        """Endpoint that the baseline hazard describes."""
        return next(iter(self.endpoints))

    def covariate(self, name: str) -> Covariate:
        """Look a covariate up, or raise ValueError with a suggestion."""
        if name not in self.covariates:
            raise ValueError(f"no such covariate '{name}'{did_you_mean(name, self.covariates)}")
        return self.covariates[name]


def bundled_file(name: str) -> Path:
    """Path of a file that comes with the package (`cohorts/<name>.toml`)."""
    return Path(str(resources.files("netlm_bayes") / "cohorts" / f"{name}.toml"))


def codebook_path(name: str, beside: Path) -> Path:
    """Path of the bundled codebook, or of a user's own beside the file that names it."""
    return bundled_file("codebook") if name == BUNDLED else beside / name


def read_codebook(name: str, beside: Path) -> Codebook:
    """Read the bundled codebook, or a user's own.

    Parameters
    ----------
    name : str
        ``"netlm"``, or a path relative to the file that names it.
    beside : Path
        Folder of that file.

    Raises
    ------
    InputError
        The file is missing or wrong.
    """
    path = codebook_path(name, beside)
    source = path.name if name == BUNDLED else str(path)
    values, text = read_toml(path, source)
    expect_kind("codebook", values, source)
    return validated(Codebook, values, source, text)
