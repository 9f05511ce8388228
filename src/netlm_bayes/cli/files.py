"""Commands on files: check, audit."""

from __future__ import annotations

from typing import Annotated

import typer

from netlm_bayes.cli.options import RESULTS, Out, command
from netlm_bayes.cli.printing import print_audit
from netlm_bayes.errors import InputError, InputErrors


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
    from netlm_bayes.evidence.files import BUNDLED_COHORTS
    from netlm_bayes.pipeline.audit import audit_run

    folder = out or RESULTS / "audit"
    tables = audit_run(cohorts or BUNDLED_COHORTS, folder, command())
    print_audit(tables)
    print(f"\nEvery check is in {folder}/tables/audit.csv")
