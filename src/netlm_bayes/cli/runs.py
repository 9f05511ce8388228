"""Commands about files and finished runs: check, audit, compare, predict, report, export."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from netlm_bayes.cli.options import RESULTS, Out, Profile, Run, command
from netlm_bayes.cli.printing import print_audit, print_comparison, print_prediction
from netlm_bayes.errors import InputError, InputErrors, Problem


def check(
    files: Annotated[list[str], typer.Argument(help="TOMLs, files of patients, bundled names.")],
) -> None:
    """Validate files; fit nothing."""
    from netlm_bayes.evidence.check import check_file

    errors = []
    for file in files:
        try:
            print(f"ok: {check_file(file)}")
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)


def audit(
    cohorts: Annotated[list[str] | None, typer.Argument(help="Cohorts; default: bundled.")] = None,
    out: Out = None,
) -> None:
    """Recompute what the papers print, to see whether it adds up."""
    from netlm_bayes.evidence.cohort_files import BUNDLED_COHORTS
    from netlm_bayes.pipeline.audit import audit_run

    folder = out or RESULTS / "audit"
    tables = audit_run(cohorts or BUNDLED_COHORTS, folder, command())
    print_audit(tables)
    print(f"\nEvery check is in {folder}/tables/audit.csv")


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


class Format(StrEnum):
    """What tables can be written as."""

    XLSX = "xlsx"
    DOCX = "docx-table"
    LATEX = "latex"


To = Annotated[Format, typer.Option("--to", help="A workbook, a Word document, or LaTeX.")]
File = Annotated[Path | None, typer.Option("--out", help="File to write; beside the run if none.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def export(run: Run, to: To, out: File = None, force: Force = False) -> None:
    """Write a run's tables for a manuscript."""
    from netlm_bayes.pipeline.report import export as write

    print(write(run, to.value, out, force))
