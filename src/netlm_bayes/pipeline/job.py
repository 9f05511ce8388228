"""What is asked of a run: one model on some cohorts, how, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netlm_bayes.compare import Recipe
from netlm_bayes.evidence.files import CohortFile
from netlm_bayes.spec import ModelSpec


@dataclass(frozen=True)
class Job:
    """One model on some cohorts, how it is to be run, and whom to tell.

    Attributes
    ----------
    spec : ModelSpec
    files : tuple of CohortFile
    seed : int
    command : str
        As typed.
    digests : mapping of str to str
        Of every input, by file name.
    say : callable
        Told of progress.
    recipe : Recipe, optional
        A selection of covariates that the usual methods are to repeat.
    keep_patients : bool
        Keep what there is a row of for each patient in `posterior.nc`.
    """

    spec: ModelSpec
    files: tuple[CohortFile, ...]
    seed: int
    command: str
    digests: Mapping[str, str]
    say: Callable[[str], None]
    recipe: Recipe | None = None
    keep_patients: bool = False
