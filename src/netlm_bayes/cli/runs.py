"""Commands on a run: compare, predict, report."""

from __future__ import annotations

from netlm_bayes.cli.options import Out, Profile, Run, command
from netlm_bayes.cli.printing import print_comparison, print_prediction


def compare(run: Run) -> None:
    """Set a run's posterior beside what was printed, or Cox gives."""
    from netlm_bayes.store import read_manifest, read_tables

    read_manifest(run)
    tables = read_tables(run)
    print_comparison(run, tables)


def predict(run: Run, profile: Profile = None, out: Out = None) -> None:
    """Predict PFS or response for a kind of patient."""
    from netlm_bayes.pipeline.predict import predict as ask

    print_prediction(ask(run, profile or [], out, command()))


def report(run: Run) -> None:
    """Draw a run's figures again, and write its page."""
    from netlm_bayes.pipeline.report import report as show

    for path in show(run):
        print(path)
