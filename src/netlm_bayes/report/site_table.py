"""What a site reads before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from netlm_bayes.sites.information import Choice, Effect, Made
from netlm_bayes.sites.table import Groups, ResponseTable, SurvivalTable

COMPUTABLE = 12
"""Patients of a group up to which the digits of the Weibull part fix every time to about 0.001
months; of larger groups still the first and the last."""
LITTLE = 0.5
"""Share of an effect's information below which another choice of covariates is suggested."""


def report(made: Made, choice: Choice) -> list[str]:
    """Say in plain words what a table holds and what making it cost."""
    lines = [*_gaps(made, choice), _patterns(made, choice)]
    table = made.table
    if table.survival:
        lines += _survival(made, choice, table.survival)
    if table.response:
        lines += _response(made, table.response)
    for outcome in choice.outcomes:
        if outcome not in made.kept and made.known[outcome]:
            few = f"known of fewer than {2 * choice.minimum} patients, twice the smallest group"
            lines.append(f"{outcome}: not shared, for it is {few}")
    worst = min((share for kept in made.kept.values() for share in kept.values()), default=1.0)
    if worst < LITTLE:
        lines.append("fewer covariates keep more of each: choose them by --covariates")
    return [*lines, *_not_safe(made, choice)]


def _gaps(made: Made, choice: Choice) -> Iterator[str]:
    """Which patients are left out, not how many: these lines may be passed on with the table."""
    if made.left_out:
        fewer, names = f"fewer than {choice.minimum}", ", ".join(made.left_out.covariates)
        yield (
            f"{fewer} patients without {names} are left out: {fewer} cannot be a group of their"
            f" own, and joined to others they would cost {made.left_out.cost} patients a reported"
            " level"
        )


def _patterns(made: Made, choice: Choice) -> str:
    names, sizes = list(made.patterns.levels), made.patterns.patients
    table = made.table.survival or made.table.response
    groups = len(table.groups.patients) if table else 0
    if not names:
        return f"{sizes.sum()} patients in one group: no covariate is reported"
    patterns = _counted(len(sizes), "pattern")
    found = f"{sizes.sum()} patients in {patterns} of {', '.join(names)}"
    if groups == len(sizes):
        return f"{found}; none holds fewer than {choice.minimum}, and none is joined"
    which = "" if (sizes < choice.minimum).sum() == made.small else " with known outcomes"
    holds = "holds" if made.small == 1 else "hold"
    few = f"{made.small} {holds} fewer than {choice.minimum}{which}"
    return f"{found}; {few}: joined into {_counted(groups, 'group')}"


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _levels_known(groups: Groups) -> Iterator[str]:
    """Patients whose level of each covariate is known."""
    known = {
        name: int(groups.patients[possible.sum(axis=1) == 1].sum())
        for name, possible in groups.levels.items()
    }
    if named := ", ".join(f"{name} {count}" for name, count in known.items()):
        yield f"  level known: {named} of {groups.patients.sum()}"


def _survival(made: Made, choice: Choice, survival: SurvivalTable) -> Iterator[str]:
    cells, patients = survival.cells, int(survival.groups.patients.sum())
    yield f"survival: {patients} patients; events kept: all {cells.events.sum():.0f}"
    yield from _levels_known(survival.groups)
    edges = ["0", *(f"{cut:g}" for cut in cells.cuts)]
    intervals = [*(f"{start}-{end}" for start, end in pairwise(edges)), f"{edges[-1]}+"]
    yield f"  months: {', '.join(intervals)}"
    if made.joined_at:
        at = ", ".join(f"{cut:g}" for cut in made.joined_at)
        why = f"fewer than {choice.minimum} leave before or after"
        yield f"  intervals joined at {at}: {why}; a piecewise model may not step there"
    if made.between_scans:
        yield (
            f"  events of {made.between_scans} patients counted at the scan that saw them: they"
            " came earlier, and survival looks longer than it was"
        )
    yield from _kept(made.kept["survival"])


def _response(made: Made, response: ResponseTable) -> Iterator[str]:
    patients, responders = response.groups.patients.sum(), response.responders.sum()
    yield f"response: {patients} patients, {responders} responders (CR or PR)"
    yield from _levels_known(response.groups)
    yield from _kept(made.kept["response"])


def _kept(kept: Mapping[Effect, float]) -> Iterator[str]:
    if kept:
        shares = [f"{name} {level}: {100 * share:.0f} %" for (name, level), share in kept.items()]
        yield f"  information kept on each effect, about: {', '.join(shares)}"


def _not_safe(made: Made, choice: Choice) -> Iterator[str]:
    """What a reader who wants to can still find out."""
    table = made.table
    if table.survival:
        sizes = table.survival.groups.patients
        if choice.weibull:
            small = int(sizes[sizes <= COMPUTABLE].sum())
            yield (
                "CAUTION, the Weibull part is included: from it the time of every single patient"
                f" of a group of up to about {COMPUTABLE} can be computed, here of {small} of"
                f" {sizes.sum()} patients, and of larger groups the first to leave and the last;"
                " --no-weibull leaves it out"
            )
        else:
            yield (
                "no Weibull part: piecewise models can use this table, Weibull models cannot;"
                " --weibull adds it, and gives away the times of single patients"
            )
        yield (
            "not protected: where one patient of a group leaves, or enters late, alone in an"
            " interval, the months of the group reveal when; here"
            f" {made.alone} of {sizes.sum()} patients"
        )
    if alike := _alike(made):
        yield (
            f"not protected: groups in which all had the same outcome, here {alike}, reveal the"
            " outcome of anyone known to be in them"
        )


def _alike(made: Made) -> int:
    """Groups in which everybody, or nobody, had an event or responded."""
    survival, response = made.table.survival, made.table.response
    shares = [survival.cells.events.sum(axis=1) / survival.groups.patients] if survival else []
    shares += [response.responders / response.groups.patients] if response else []
    return sum(int(np.isin(share, (0, 1)).sum()) for share in shares)
