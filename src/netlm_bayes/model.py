"""A model: what is fitted, under which priors, and under which others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from netlm_bayes.choices import (
    DEFAULT_PRIORS,
    RETIRED,
    SCEPTICAL,
    VAGUE,
    VAGUE_LEVEL,
    Also,
    Association,
    Centre,
    Change,
    NamedScale,
    Prior,
    Sampling,
    Scale,
    Scenario,
    by_name,
    half_normal,
)
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.schema import Document, Fault, FaultsError, Identifier, Place, repeated
from netlm_bayes.files.toml import (
    did_you_mean,
    digest,
    expect_kind,
    problem_at,
    read_toml,
    set_at,
    validated,
)
from netlm_bayes.units import MONTHS_PER_UNIT, Unit

Outcome = Literal["survival", "response"]
Baseline = Literal["weibull", "piecewise"]
Pooling = Literal["none", "partial", "complete"]
Selection = Literal["modelled", "ignored"]
CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
"""Default months at which a piecewise baseline may step."""
LONGEST = 1200.0
"""Months, of a horizon."""
TWO_YEARS = (6.0, 12.0, 24.0)
CURVE_STEPS = 24
ANCHOR = 12.0
"""Months, where neither a model nor its evidence says where its level is."""
ROUNDING = 0.005
"""By how much shares that someone has written may miss 1."""


class Model(Document):
    """Every choice behind one posterior.

    Attributes
    ----------
    name : str
        Short name, in tables and folders.
    outcome : {"survival", "response"}
        What is modelled.
    covariates : tuple of str
        Keys of covariates of the codebook.
    unit : {"months", "years", "weeks", "days"}, optional
        Of the times that are shown; by default that of the cohorts' printed times, and months
        where these differ or `horizons` are given.
    horizons : tuple of float
        Times, in `unit`, at which survival is given; the last is that of the RMST. By default
        from the follow-up.
    baseline : {"weibull", "piecewise"}
        Of survival models.
    cuts : tuple of float
        Months at which a piecewise baseline may step.
    anchor : float, optional
        Months at which the level of a survival model is; the middle of the evidence by default.
    centre : dict
        By covariate, the average patient whom the level describes: share of each level, or mean of
        a continuous covariate in its unit; of the patients of the analysis by default.
    change : Change, optional
        Effects on survival that differ before and after some month, the same for all cohorts.
    landmark : float, optional
        Month from which those still event-free are compared, so that `response` can be a
        covariate of survival.
    ordinal : bool
        Model the order PD < SD < PR < CR of patients' responses, and not only CR or PR.
    pooling : {"partial", "complete", "none"}
        Of several cohorts: parameters from one distribution, the same parameters, or separate ones.
    endpoint : str
        Survival endpoint that is modelled, by default the codebook's first.
    also : dict of Also, or list of str
        Other endpoints whose printed numbers are used: each is `part_of` the modelled one in the
        codebook, and its hazard a share of that one's.
    priors : dict of Prior
        Those that differ from the defaults, by name.
    selection : {"modelled", "ignored"}
        Whether it is allowed for that a cohort prints only what is significant (`selected`) and
        leaves out the rest (`not_printed`), or what it prints is taken at face value.
    readings : tuple of str
        Names of the other readings to take where a paper can be read two ways.
    association : tuple of Association
        Where the prior of the association of two covariates is centred; at independence otherwise.
    heterogeneity_scales : tuple of float
        Half-normal scales under which every pooled answer is repeated.
    overlap_fraction : float
        Share of a smaller cohort's patients who are taken to be in the larger one too, in a
        scenario that is run where centres and dates do not exclude it.
    level : float
        Probability of the intervals that are reported.
    sampling : Sampling
        How long to sample.
    scenarios : tuple of dict
        Each a `name`, a `why` and the keys it changes, dotted. Every model also has `sceptical`
        (effects `N(0, 0.35)`) and `vague` (effects `N(0, 2.5)`, level with standard deviation 5),
        unless it declares its own.
    """

    name: Identifier
    outcome: Outcome
    covariates: tuple[str, ...]
    unit: Unit | None = None
    horizons: tuple[float, ...] = ()
    baseline: Baseline = "weibull"
    cuts: tuple[float, ...] = CUTS
    anchor: float | None = Field(default=None, gt=0, le=1200)
    centre: dict[str, Centre] = Field(default_factory=dict)
    change: Change | None = None
    landmark: float | None = Field(default=None, gt=0, le=1200)
    ordinal: bool = False
    pooling: Pooling = "partial"
    endpoint: str = ""
    also: Annotated[dict[str, Also], BeforeValidator(by_name)] = Field(default_factory=dict)
    priors: dict[str, Prior] = Field(default_factory=dict)
    selection: Selection = "modelled"
    readings: tuple[str, ...] = ()
    association: tuple[Association, ...] = ()
    heterogeneity_scales: tuple[Scale, ...] = (0.25, 0.5, 1.0)
    overlap_fraction: float = Field(default=0.5, gt=0, le=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    sampling: Sampling = Sampling()
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_retired_keys(cls, values: Any) -> Any:
        """Say of keys that a model once had why they are gone."""
        if isinstance(values, dict) and (gone := [key for key in RETIRED if key in values]):
            raise FaultsError([((key,), RETIRED[key]) for key in gone])
        return values

    @model_validator(mode="before")
    @classmethod
    def _as_once_called(cls, values: Any) -> Any:
        """Take `endpoints`, the former name of `also`."""
        if not isinstance(values, dict) or "endpoints" not in values:
            return values
        former = {"also": by_name(values["endpoints"])} if values["endpoints"] else {}
        return {key: x for key, x in values.items() if key != "endpoints"} | former

    def faults(self) -> Iterator[Fault]:
        """Names must differ, priors be known ones of the right family, associations inside."""
        for key in ("covariates", "readings", "heterogeneity_scales"):
            for name in repeated(getattr(self, key)):
                yield (key,), f"must not repeat; got '{name}' twice"
        yield from self._centre_faults()
        yield from self._outcome_faults()
        yield from self._prior_faults()
        for index, association in enumerate(self.association):
            for name in association.covariates:
                if name not in self.covariates:
                    what = f"no covariate '{name}' here{did_you_mean(name, self.covariates)}"
                    yield ("association", index, "covariates"), what
        names = [scenario.name for scenario in self.scenarios]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield ("scenarios", index, "name"), f"is the name of an earlier scenario: '{name}'"

    def _centre_faults(self) -> Iterator[Fault]:
        """Shares of levels are of all patients."""
        for name, given in self.centre.items():
            if isinstance(given, dict) and abs((total := sum(given.values())) - 1) > ROUNDING:
                yield ("centre", name), f"shares must add up to 1; got {total:.4g}"

    def _outcome_faults(self) -> Iterator[Fault]:
        """What only one kind of model has must not be asked of another."""
        if self.outcome == "response":
            own = ("unit", "horizons", "baseline", "cuts", "anchor", "change", "landmark")
            for key in (*own, "endpoint", "also"):
                field = Model.model_fields[key]
                if getattr(self, key) != field.get_default(call_default_factory=True):
                    yield (key,), "belongs to survival models; this one is of response"
        elif self.ordinal:
            yield ("ordinal",), "belongs to response models; this one is of survival"
        elif self.baseline == "weibull" and self.cuts != CUTS:
            yield ("cuts",), "belongs to a piecewise baseline; this one is weibull"
        if any(a >= b for a, b in pairwise((0.0, *self.cuts))) or not self.cuts:
            got = ", ".join(f"{cut:g}" for cut in self.cuts) or "none"
            yield ("cuts",), f"must be rising months > 0; got {got}"
        if any(a >= b for a, b in pairwise((0.0, *self.horizons))):
            got = ", ".join(f"{horizon:g}" for horizon in self.horizons)
            yield ("horizons",), f"must be rising times > 0; got {got}"
        elif self.horizons and self.horizon_months[-1] > LONGEST:
            got = f"{self.horizons[-1]:g} {self.time_unit}"
            yield ("horizons",), f"must be at most {LONGEST:g} months; got {got}"
        if self.change:
            for name in self.change.covariates:
                if name not in self.covariates:
                    what = f"no covariate '{name}' here{did_you_mean(name, self.covariates)}"
                    yield ("change", "covariates"), what

    @property
    def time_unit(self) -> Unit:
        """Unit of the times that are shown."""
        return self.unit or "months"

    @property
    def horizon_months(self) -> tuple[float, ...]:
        """Horizons in months; a model that has not met its evidence has those of two years."""
        return tuple(MONTHS_PER_UNIT[self.time_unit] * x for x in self.horizons) or TWO_YEARS

    @property
    def curve_months(self) -> tuple[float, ...]:
        """Months at which curves are given: to half beyond the last horizon."""
        step = 1.5 * self.horizon_months[-1] / CURVE_STEPS
        return tuple(place * step for place in range(CURVE_STEPS + 1))

    @property
    def own_parameters(self) -> tuple[str, ...]:
        """Names of a cohort's parameters before its effects."""
        weibull = self.outcome == "survival" and self.baseline == "weibull"
        return ("level", "log_shape") if weibull else ("level",)

    @property
    def anchor_months(self) -> float:
        """Months at which the level of a survival model is."""
        return ANCHOR if self.anchor is None else self.anchor

    @property
    def known_priors(self) -> dict[str, Prior]:
        """Default priors of this kind of model, by name."""
        return DEFAULT_PRIORS[self.baseline if self.outcome == "survival" else "response"]

    def _prior_faults(self) -> Iterator[Fault]:
        known = self.known_priors
        for name, prior in self.priors.items():
            if name not in known:
                there = did_you_mean(name, known) or f"; known are {', '.join(known)}"
                yield ("priors", name), f"no such prior in a {self.outcome} model{there}"
            elif prior.family != known[name].family:
                what = f"must be '{known[name].family}' for this prior; got '{prior.family}'"
                yield ("priors", name, "family"), what

    def prior(self, name: str) -> Prior:
        """Give the declared prior, or the default of this outcome.

        A piecewise baseline's default is of its hazard a month.
        """
        default = self.known_priors[name]
        if name == "level" and self.baseline == "piecewise" and self.outcome == "survival":
            location = default.mu - math.log(self.anchor_months)
            default = default.model_copy(update={"mu": location})
        return self.priors.get(name, default)

    def with_heterogeneity(self, scale: float) -> Model:
        """Copy with another half-normal scale for the heterogeneity of effects."""
        prior = half_normal(scale, "sensitivity to the heterogeneity prior")
        return self.model_copy(update={"priors": {**self.priors, "heterogeneity_effect": prior}})

    def replace(self, **changes: Any) -> Model:
        """Copy with other values of some keys.

        Parameters
        ----------
        **changes
            Keys of a model file with their values, such as ``covariates=["bone"]``.

        Returns
        -------
        Model

        Raises
        ------
        InputError
            With every fault of the model that this would be.
        """
        return validated(Model, self.model_dump() | changes, f"model {self.name}", "")

    def scenario(self, name: str) -> Model:
        """Copy with one named scenario's changes.

        Raises
        ------
        InputError
            There is no such scenario, or it changes something that does not exist.
        """
        scenarios = {scenario.name: scenario for scenario in self.every_scenario}
        if name not in scenarios:
            there = did_you_mean(name, scenarios) or f"; there are {', '.join(scenarios) or 'none'}"
            what = f"no such scenario '{name}'{there}"
            raise InputError(f"model {self.name}", [Problem("scenarios", what)])
        source, values = f"model {self.name}, scenario '{name}'", self.model_dump()
        changes = scenarios[name].changes
        values["priors"] = self._priors_under(changes)
        problems = [
            problem_at("", place, what)
            for place, value in changes.items()
            if (what := set_at(values, place, value))
        ]
        if problems:
            raise InputError(source, problems)
        return validated(Model, values, source, "")

    def _priors_under(self, changes: Mapping[Place, Any]) -> dict[str, Any]:
        """Priors that a scenario starts from: those declared, and those that it changes in part.

        Under another baseline the level is another quantity, with a prior of its own.
        """
        baseline = changes.get(("baseline",), self.baseline)
        other, own = self, dict(self.priors)
        if baseline != self.baseline and baseline in DEFAULT_PRIORS:
            own = {key: x for key, x in own.items() if key in DEFAULT_PRIORS[baseline]}
            own.pop("level", None)
            other = self.model_copy(update={"baseline": baseline, "priors": own})
        changed = {place[1] for place in changes if place[0] == "priors" and len(place) > 2}
        names = [name for name in other.known_priors if name in own or name in changed]
        return {name: other.prior(name).model_dump() for name in names}

    def from_landmark(self, months: float) -> Model:
        """Copy that compares responders with non-responders from a landmark on."""
        names = dict.fromkeys((*self.covariates, "response"))
        values = self.model_dump() | {
            "landmark": months,
            "covariates": tuple(names),
            "also": {},
        }
        return validated(Model, values, f"model {self.name}, landmark", "")

    @property
    def scenario_names(self) -> tuple[str, ...]:
        """Names of all scenarios, the declared ones first."""
        return tuple(scenario.name for scenario in self.every_scenario)

    @property
    def every_scenario(self) -> tuple[Scenario, ...]:
        """Declared scenarios, and those that come with every model unless it has its own."""
        declared = {scenario.name for scenario in self.scenarios}
        standard = (self._under_scale(SCEPTICAL), self._under_scale(VAGUE, VAGUE_LEVEL))
        return (*self.scenarios, *(one for one in standard if one.name not in declared))

    def _under_scale(self, scale: NamedScale, level: float | None = None) -> Scenario:
        """Another prior scale of effects, heterogeneity of effects in proportion."""
        tau = self.prior("heterogeneity_effect").sigma * scale.sigma / self.prior("effect").sigma
        changes = {"effect": {"sigma": scale.sigma}, "heterogeneity_effect": {"sigma": tau}}
        if level is not None:
            changes["level"] = {"sigma": level}
        return Scenario.model_validate({"name": scale.name, "why": scale.why, "priors": changes})


def middle(horizons: Sequence[float]) -> float:
    """The horizon to show where there is room for one: 12 of 6, 12 and 24; 5 of 5 and 10."""
    return sorted(horizons)[(len(horizons) - 1) // 2]


def models_folder() -> Path:
    """Folder of the bundled models: inside the installed package, or at a checkout's top."""
    installed = Path(str(resources.files("netlm_bayes"))) / "models"
    return installed if installed.is_dir() else installed.parents[2] / "models"


def read_model(reference: str | Path) -> Model:
    """Read a model by path or bundled name.

    Parameters
    ----------
    reference : str or Path
        A path to a TOML file, or the name of a bundled model.

    Returns
    -------
    Model
        With every scenario checked.

    Raises
    ------
    InputError
        With every problem of the file.

    Examples
    --------
    >>> read_model("pfs-weibull").covariates
    ('htb', 'ki67', 'bone', 'margin', 'site')
    """
    source = str(reference)
    values, text = read_toml(model_path(source), source)
    expect_kind("model", values, source)
    model = validated(Model, values, source, text)
    faulty = [_problems_of(model, index, text) for index in range(len(model.scenarios))]
    if problems := [problem for found in faulty for problem in found]:
        raise InputError(source, problems)
    return model


def model_digest(reference: str | Path) -> str:
    """SHA-256 of a model file's text."""
    return digest(read_toml(model_path(str(reference)), str(reference))[1])


def bundled_models() -> dict[str, Path]:
    """Bundled models by name."""
    return {file.stem: file for file in sorted(models_folder().glob("*.toml"))}


def model_path(reference: str) -> Path:
    """Path behind a reference to a model."""
    path, bundled = Path(reference), bundled_models()
    if reference in bundled:
        return bundled[reference]
    if path.suffix == ".toml" or path.exists():
        return path
    there = did_you_mean(reference, bundled) or f"; bundled are {', '.join(bundled)}"
    raise InputError(reference, [Problem("", f"no such model or file{there}")])


def _problems_of(spec: Model, index: int, text: str) -> list[Problem]:
    """Problems that a scenario would meet when it is run, at its place in the model file."""
    scenario = spec.scenarios[index]
    try:
        spec.scenario(scenario.name)
    except InputError as error:
        found = []
        for problem in error.problems:
            keys = [key for key in scenario.model_extra or {} if problem.where.startswith(key)]
            place: Place = ("scenarios", index, *keys[:1])
            what = problem.what if problem.where in keys else str(problem)
            found.append(problem_at(text, place, what))
        return found
    return []
