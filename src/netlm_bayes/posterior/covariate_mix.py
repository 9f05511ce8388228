"""Whom simulated institutions treat: how common covariates' levels are, and patients drawn so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from netlm_bayes.choices import Association
from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.patients import MISSING, Floats, Ints
from netlm_bayes.ipd.variables import level_codes
from netlm_bayes.latent import Scale
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.posterior.description import STEPS, Described
from netlm_bayes.posterior.parameters import Parameterisation


@dataclass(frozen=True)
class Mix:
    """Whom a cohort treats."""

    n: int  # patients, by which the mixes of several cohorts are weighed
    # (levels,); how common each level is; of a continuous covariate, each of `STEPS` from its
    # centre
    shares: Mapping[str, Floats]
    scales: Mapping[str, Scale] = field(default_factory=dict)  # of the continuous covariates
    association: tuple[Association, ...] = ()  # departures from independence


@dataclass(frozen=True)
class Covariates:
    """Covariates of `n` patients: codes of levels, and numbers in the codebook's units."""

    n: int
    levels: Mapping[str, Ints]
    values: Mapping[str, Floats]


@dataclass(frozen=True)
class Treated:
    """Whom cohorts treat, and how they were followed."""

    model: Parameterisation  # with the cohorts' codebook and scales
    mixes: tuple[Mix, ...]  # a cohort each
    followed_to: float  # longest follow-up, months; NaN where none is told
    origin: str  # what is taken from where

    @property
    def n(self) -> int:
        """Patients of all cohorts."""
        return sum(mix.n for mix in self.mixes)


def treated_by(described: Described, spec: Model, cohort: str = "") -> Treated:
    """Whom described cohorts treat."""
    cohorts = [one for one in described["cohorts"] if one["id"] == cohort] or described["cohorts"]
    codebook = Codebook.model_validate(described["codebook"])
    _check_covariates(spec, codebook, drawn=True)
    scales = {name: Scale(**values) for name, values in described["scales"].items()}
    model = Parameterisation(spec, codebook, scales)
    ends = [one["followed_to"] for one in cohorts if one["followed_to"] is not None]
    names = ", ".join(one["id"] for one in cohorts[:3]) + (", ..." if len(cohorts) > 3 else "")
    borrowed = dict.fromkeys(name for one in cohorts for name in one["borrowed"])
    lent = f"; borrowed margins taken as they are: {', '.join(borrowed)}" if borrowed else ""
    return Treated(
        model,
        tuple(_mix(one, model) for one in cohorts),
        max(ends, default=float("nan")),
        f"covariates: as in {names}{lent}",
    )


def _mix(cohort: Described, model: Parameterisation) -> Mix:
    """Mix of one described cohort."""
    wanted = model.levels | {name: tuple(map(str, STEPS)) for name in model.scales}
    shares = {
        name: np.array([cohort["shares"][name][level] for level in levels])
        for name, levels in wanted.items()
    }
    association = () if cohort["patients"] else model.spec.association
    return Mix(cohort["n"], shares, model.scales, association)


def treated_by_anybody(
    spec: Model, codebook: Codebook, n: int, rng: np.random.Generator
) -> Treated:
    r"""Draw whom a cohort treats from the prior of margins.

    .. math:: m \sim \text{Dirichlet}(1, \dots, 1)

    as in the likelihood of missing levels.
    """
    _check_covariates(spec, codebook, drawn=False)
    covariates = {name: codebook.covariates[name] for name in spec.covariates}
    model = Parameterisation(spec, codebook.model_copy(update={"covariates": covariates}))
    shares = {name: rng.dirichlet(np.ones(len(levels))) for name, levels in model.levels.items()}
    mix = Mix(n, shares, association=spec.association)
    return Treated(model, (mix,), float("nan"), "covariates: margins drawn uniformly")


def _check_covariates(spec: Model, codebook: Codebook, drawn: bool) -> None:
    """Refuse covariates whose levels or values cannot be drawn."""
    found = []
    for name in spec.covariates:
        covariate = codebook.covariates.get(name)
        if covariate is None:
            found.append(f"no such covariate '{name}'{did_you_mean(name, codebook.covariates)}")
        elif covariate.latent:
            what = "is on a latent scale, whose values are not simulated; leave 'latent' out of it"
            found.append(f"'{name}' {what}")
        elif drawn:
            continue
        elif covariate.post_baseline:
            found.append(f"'{name}' is known only after the clock has started")
        elif not covariate.levels:
            found.append(f"'{name}' is continuous: only a cohort of patients tells its spread")
    if found:
        raise InputError(f"model {spec.name}", [Problem("covariates", what) for what in found])


def draw_covariates(
    mixes: Sequence[Mix], model: Parameterisation, n: int, rng: np.random.Generator
) -> Covariates:
    """Draw the covariates of patients, each of one of several cohorts."""
    size = np.array([mix.n for mix in mixes], dtype=float)
    counts = rng.multinomial(n, size / size.sum())
    drawn = [_draw(mix, model, k, rng) for mix, k in zip(mixes, counts.tolist(), strict=True)]
    order = rng.permutation(n)
    return Covariates(
        n,
        {name: np.concatenate([one.levels[name] for one in drawn])[order] for name in model.levels},
        {name: np.concatenate([one.values[name] for one in drawn])[order] for name in model.scales},
    )


def _draw(mix: Mix, model: Parameterisation, n: int, rng: np.random.Generator) -> Covariates:
    """Draw of one cohort: covariates that go together jointly, the others by themselves.

    Levels that are bands of a continuous covariate of the model are those of its value.
    """
    together = [name for item in mix.association for name in item.covariates]
    tied = tuple(name for name in model.levels if name in together)
    alone = [(name,) for name in model.levels if name not in tied]
    levels: dict[str, Ints] = {}
    for group in [tied, *alone] if tied else alone:
        levels |= _draw_levels(group, mix, model, n, rng)
    values = {name: _draw_values(mix.shares[name], mix.scales[name], n, rng) for name in mix.scales}
    for name in levels:
        covariate = model.codebook.covariates[name]
        if covariate.cut and covariate.raw in values:
            levels[name] = level_codes(values[covariate.raw], covariate.cut)
    return Covariates(n, levels, values)


def _draw_levels(
    group: tuple[str, ...], mix: Mix, model: Parameterisation, n: int, rng: np.random.Generator
) -> dict[str, Ints]:
    """Draw patterns of some covariates by how common they are."""
    levels = tuple(model.levels[name] for name in group)
    references = tuple(model.codebook.covariates[name].reference for name in group)
    association = mix.association if len(group) > 1 else ()
    share = joint_distribution(Patterns(group, levels, references), mix.shares, association)
    pattern = rng.choice(len(share), n, p=share / share.sum())
    codes = np.unravel_index(pattern, [len(found) for found in levels])
    return dict(zip(group, (np.asarray(found, np.int64) for found in codes), strict=True))


def _draw_values(share: Floats, scale: Scale, n: int, rng: np.random.Generator) -> Floats:
    """Draw a continuous covariate: a step from the centre, and evenly within it."""
    steps = rng.choice(np.array(STEPS, dtype=float), n, p=share / share.sum())
    return np.asarray(scale.mean + scale.sd * (steps + rng.random(n) - 0.5))


def with_missing(people: Covariates, share: float, rng: np.random.Generator) -> Covariates:
    """Leave out a share of the cells of every covariate, completely at random."""
    if not share:
        return people
    levels = {
        name: np.where(rng.random(len(codes)) < share, MISSING, codes)
        for name, codes in people.levels.items()
    }
    values = {
        name: np.where(rng.random(len(known)) < share, np.nan, known)
        for name, known in people.values.items()
    }
    return Covariates(people.n, levels, values)
