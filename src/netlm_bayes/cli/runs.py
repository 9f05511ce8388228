"""Commands on a run: compare, predict, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netlm_bayes.cli.options import Out, Profile, Run, command
from netlm_bayes.cli.printing import print_comparison, print_prediction
from netlm_bayes.errors import InputError, Problem


def compare(run: Run) -> None:
    """Set a run's posterior beside what was printed, or Cox gives."""
    import netlm_bayes as nb

    print_comparison(run, nb.read(run).tables)


def predict(run: Run, profile: Profile = None, out: Out = None) -> None:
    """Predict survival or response for a kind of patient."""
    import netlm_bayes as nb
    from netlm_bayes.pipeline.predict import prediction_folder
    from netlm_bayes.store import refuse_what_is_no_run

    fit = nb.read(run)
    found = fit.predict(**profile_given(profile or [], fit.population))
    folder = out or prediction_folder(run, found.kind)
    refuse_what_is_no_run(folder)
    found.save(folder, command=command())
    print_prediction(found, folder)


def profile_given(settings: list[str], population: Mapping[str, Any]) -> dict[str, str]:
    """Read `covariate=level` of every option, and say all that is wrong with any of them."""
    from netlm_bayes.estimands.profile import profile_of

    problems: list[Problem] = []
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            problems.append(Problem("", f"must read covariate=level; got '{setting}'"))
        elif name in found:
            problems.append(Problem(name, f"is given twice: '{found[name]}' and '{value}'"))
        else:
            found[name] = value
    try:
        profile_of(found, population)
    except InputError as error:
        problems += error.problems if found or not problems else ()
    if problems:
        raise InputError("--profile", problems)
    return found


def report(run: Run) -> None:
    """Draw a run's figures again, and write its page."""
    from netlm_bayes.pipeline.report import report as show

    for path in show(run):
        print(path)
