"""A model file to a validated model, every problem at once."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from netlm_bayes.documents import (
    Place,
    did_you_mean,
    digest,
    expect_kind,
    problem_at,
    read_toml,
    validated,
)
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.spec.model import Model


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
