"""A codebook: what the covariates are, their levels in order, and the names of joined levels.

Nothing outside the bundled codebook file knows any disease: levels, references and groups are data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netlm_bayes.files.schema import Document, Fault, Identifier, Text, repeated
from netlm_bayes.files.toml import did_you_mean, digest, expect_kind, read_toml, shown, validated

BUNDLED = "netlm"
RESPONSE = "response"
"""Endpoint of odds ratios and response counts; no survival endpoint may be called so."""
PATIENT_COLUMNS = {
    "patient": "a name by which one who stands twice is found; in no output",
    "institution": "the hospital, where a file has several",
    "synthetic": "`yes` throughout, where patients are simulated",
    "time": "time to the event, or to the last visit without it; more than 0",
    "event": "1 where the event happened at `time`, 0 where it had not by then",
    "entry": "time at which follow-up began, where that was later than 0",
    "time_lower": "in place of `time`: the last visit without the event",
    "time_upper": "the first visit with it; empty where there was none",
}
"""Columns of every file of patients and what they hold; no covariate may be called so."""
LONGEST_LIKELY = 240
"""Months of follow-up above which times are more likely to be days."""
EVENT, EVENT_FREE = "an event", "event-free"
"""What ends survival, and who has not had it, where a codebook does not say."""


UNITS = {
    "log2": ("doubling", "doublings"),
    "log": ("log unit", "log units"),
    "logit_percent": ("logit", "logits"),
    "identity": ("unit", "units"),
}
"""What a difference on each latent scale is counted in: one, and several."""


class Latent(Document):
    """The continuous scale behind the levels of a covariate, on which its effect is linear."""

    scale: Literal["log2", "log", "logit_percent", "identity"]  # on which the quantity is normal
    range: tuple[float, float]  # of the raw quantity; what lies beyond is taken as the nearer end
    location: float  # raw quantity of a typical patient, where the latent scale has its zero
    # standard deviation on the latent scale: what the coefficient is per, and what is taken where
    # one cut does not determine it
    spread: float = Field(gt=0)
    why: Text  # what scale, location and spread rest on

    def faults(self) -> Iterator[Fault]:
        """The range must be on the scale, and the location in it."""
        low, high = self.range
        if low >= high:
            yield ("range",), f"must rise; got {low:g}, {high:g}"
        if self.scale in ("log2", "log") and low <= 0:
            yield ("range",), f"must be above 0 on the scale '{self.scale}'; got {low:g}"
        if self.scale == "logit_percent" and not 0 < low < high < 100:
            yield ("range",), f"must lie between 0 and 100, without these; got {low:g}, {high:g}"
        if not low < self.location < high:
            within = f"the range {low:g} to {high:g}; got {self.location:g}"
            yield ("location",), f"must lie within {within}"


class Endpoint(Document):
    """A survival endpoint, in the words that figures, tables and sentences use."""

    label: Text  # name in figures and tables, such as '"overall survival"'
    short: Text | None = None  # abbreviation, such as '"OS"'; the label where there is none
    event: Text = EVENT  # what ends survival, as after "hazard of": '"death"'
    # the endpoint of which it is the same event from fewer causes, so that it never comes earlier:
    # hepatic PFS is part of PFS; overall survival is not
    part_of: str = ""
    event_free: Text = EVENT_FREE  # who has not had the event, as after "still": '"alive"'

    @property
    def abbreviation(self) -> str:
        """Short name, or the label."""
        return self.short or self.label


def _label_alone(value: Any) -> Any:
    """Take a text as the label of an endpoint of which no more is said."""
    if isinstance(value, str):
        return {"label": value}
    if isinstance(value, dict | Endpoint):
        return value
    raise ValueError(f"must be text in quotes, or a table with 'label'; got {shown(value)}")


class Covariate(Document):
    """One covariate."""

    label: Text  # name in figures and tables
    levels: tuple[Text, ...] = ()  # in order; empty for a continuous covariate
    reference: str = ""  # the level that others are compared with
    unit: str = ""  # of a continuous covariate
    raw: str = ""  # column of the raw quantity behind the levels; read where there is a `cut`
    # upper edges of all levels but the last; each belongs to the level below it, also where that is
    # called '<10%'
    cut: tuple[float, ...] = ()
    groups: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)  # named joins of levels
    # the scale on which levels of different cuts meet: one coefficient in place of one a level
    latent: Latent | None = None
    # known only after the clock has started (such as response): never a covariate of a model
    post_baseline: bool = False
    treatment: bool = False  # its levels are treatments, or arms of a trial
    # a treatment assigned at random, in every cohort that does not say `randomised` itself
    randomised: bool = False
    note: str = ""  # what a reader must know of the levels

    def faults(self) -> Iterator[Fault]:
        """Levels, reference, cuts and groups must speak of the same things."""
        yield from self._treatment_faults()
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
        if self.latent:
            yield from self._latent_faults(self.latent)

    def _treatment_faults(self) -> Iterator[Fault]:
        """What is assigned at random is a treatment, and known when the clock starts."""
        if self.randomised and not self.treatment:
            yield ("randomised",), "belongs to a treatment; say treatment = true as well"
        if self.randomised and self.post_baseline:
            what = "cannot be said of what is known only after the clock has started"
            yield ("randomised",), f"{what} (post_baseline)"

    def _latent_faults(self, latent: Latent) -> Iterator[Fault]:
        """A latent scale needs to know where levels begin and end."""
        if not self.cut:
            yield ("cut",), "is missing; a latent scale needs the edges of the levels"
            return
        low, high = latent.range
        if not low < self.cut[0] <= self.cut[-1] < high:
            got = ", ".join(f"{edge:g}" for edge in self.cut)
            yield ("cut",), f"must lie within the latent range {low:g} to {high:g}; got {got}"
        for name, members in self.groups.items():
            if set(members) <= set(self.levels) and not self._is_run(members):
                yield ("groups", name), "must join neighbouring levels on a latent scale"

    def _is_run(self, members: Sequence[str]) -> bool:
        """Tell whether levels follow one another without a gap."""
        places = sorted({self.levels.index(level) for level in members})
        return bool(places) and len(places) == places[-1] - places[0] + 1

    def _continuous_faults(self) -> Iterator[Fault]:
        if not self.unit:
            yield ("levels",), "is missing; or give 'unit' for a continuous covariate"
        for key in ("reference", "cut", "groups", "latent"):
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
                there = did_you_mean(level, self.levels)
                yield ("groups", name), f"no such level '{level}'{there}"

    @cached_property
    def effects(self) -> tuple[str, ...]:
        """Levels that carry a coefficient: all but the reference."""
        return tuple(level for level in self.levels if level != self.reference)

    def members(self, names: Sequence[str]) -> tuple[str, ...]:
        """Levels behind names of levels and groups, in the codebook's order."""
        found: set[str] = set()
        for name in names:
            if name not in self.levels and name not in self.groups:
                suggestion = did_you_mean(name, [*self.levels, *self.groups])
                raise ValueError(f"no such level '{name}'{suggestion}")
            found |= set(self.groups.get(name, (name,)))
        return tuple(level for level in self.levels if level in found)

    def counted(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Levels that each printed count is of; what is left over comes last, under no name."""
        found = {name: self.members([name]) for name in names}
        for name in repeated(level for members in found.values() for level in members):
            both = " and ".join(f"'{x}'" for x, members in found.items() if name in members)
            raise ValueError(f"{both} both count '{name}'")
        left = tuple(level for level in self.levels if level not in chain(*found.values()))
        if left and not self._is_run(left):
            raise ValueError(f"lacks {', '.join(left)}")
        return found | ({"": left} if left else {})

    def name_of(self, members: Sequence[str]) -> str:
        """Shortest printed name of a set of levels: a level, a group, or the levels joined."""
        for name, group in self.groups.items():
            if set(group) == set(members):
                return name
        return " or ".join(members)


class Codebook(Document):
    """The covariates and endpoints that a cohort's file may speak of."""

    id: Identifier  # short name
    # survival endpoints by name, the primary one first; a text is an endpoint's label
    endpoints: dict[Text, Annotated[Endpoint, BeforeValidator(_label_alone)]] = Field(
        default_factory=lambda: {"survival": Endpoint(label="event-free survival")}, min_length=1
    )
    covariates: dict[Text, Covariate]  # covariates by name

    def faults(self) -> Iterator[Fault]:
        """Response is no survival endpoint, nor a patient's time a covariate."""
        if RESPONSE in self.endpoints:
            yield ("endpoints", RESPONSE), "stands for response to treatment; give another name"
        what = "is a column of every file of patients; give another name"
        yield from self._part_faults()
        taken = (name for name in PATIENT_COLUMNS if name in self.covariates)
        yield from ((("covariates", name), what) for name in taken)

    def _part_faults(self) -> Iterator[Fault]:
        """An endpoint is part of another one, and of a whole."""
        wholes = [name for name, one in self.endpoints.items() if not one.part_of]
        for name, endpoint in self.endpoints.items():
            if endpoint.part_of and endpoint.part_of not in wholes:
                place = ("endpoints", name, "part_of")
                there = did_you_mean(endpoint.part_of, wholes) or f"; there are {', '.join(wholes)}"
                got = f"got '{endpoint.part_of}'{there}"
                yield place, f"must be an endpoint that is part of none; {got}"

    def led_by(self, endpoint: str) -> Codebook:
        """Copy with one endpoint as the first."""
        first = {endpoint: self.endpoints[endpoint]}
        return self.model_copy(update={"endpoints": first | self.endpoints})

    @property
    def primary_endpoint(self) -> str:
        """Endpoint that the baseline hazard describes."""
        return next(iter(self.endpoints))

    def covariate(self, name: str) -> Covariate:
        """Look a covariate up, or raise ValueError with a suggestion."""
        if name not in self.covariates:
            raise ValueError(f"no such covariate '{name}'{did_you_mean(name, self.covariates)}")
        return self.covariates[name]

    def subgroup(self, levels: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Levels of a subgroup by covariate, whatever names they go by."""
        return {name: self.covariate(name).members(named) for name, named in levels.items()}


def bundled_file(name: str) -> Path:
    """Path of a file that comes with the package (`cohorts/<name>.toml`)."""
    return Path(str(resources.files("netlm_bayes") / "cohorts" / f"{name}.toml"))


def codebook_path(name: str, beside: Path) -> Path:
    """Path of the bundled codebook, or of a user's own beside the file that names it."""
    return bundled_file("codebook") if name == BUNDLED else beside / name


def read_codebook(name: str, beside: Path) -> Codebook:
    """Read the bundled codebook, or a user's own."""
    path = codebook_path(name, beside)
    source = path.name if name == BUNDLED else str(path)
    values, text = read_toml(path, source)
    expect_kind("codebook", values, source)
    return validated(Codebook, values, source, text)


@dataclass(frozen=True)
class FoundCodebook:
    """A codebook, the name of its file, and the SHA-256 of its text."""

    codebook: Codebook
    name: str
    digest: str


def find_codebook(codebook: str | Path | Codebook, beside: Path | None = None) -> FoundCodebook:
    """Take a codebook, or read the bundled one or a user's own."""
    if isinstance(codebook, Codebook):
        return FoundCodebook(codebook, codebook.id, digest(codebook.model_dump_json()))
    name, folder = str(codebook), beside or Path()
    path = codebook_path(name, folder)
    return FoundCodebook(read_codebook(name, folder), path.name, digest(read_toml(path)[1]))
