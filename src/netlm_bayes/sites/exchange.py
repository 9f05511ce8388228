"""A site table to its JSON and back, or every fault with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netlm_bayes.codebook import BUNDLED, Codebook, codebook_path, read_codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.schema import Fault
from netlm_bayes.files.toml import did_you_mean, digest, problem_at, shown, validated
from netlm_bayes.published.cohort import Cohort, SiteCohort
from netlm_bayes.sites.document import FORMAT, VERSION, ResponsePart, SiteDocument, SurvivalPart
from netlm_bayes.sites.table import (
    NODES,
    Groups,
    ResponseTable,
    SiteTable,
    SurvivalCells,
    SurvivalTable,
)

CHECKSUM = "checksum"


def as_json(table: SiteTable, cohort: Cohort, codebook: Codebook) -> bytes:
    """Write a table with who it is of, and nothing else."""
    parts = [part for part in (table.survival, table.response) if part]
    names = dict.fromkeys(name for part in parts for name in part.groups.levels)
    covariates = {name: list(codebook.covariates[name].levels) for name in names}
    values: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "id": cohort.id,
        "label": cohort.label,
        "institution": cohort.institution,
        "enrolment": [day.isoformat() for day in cohort.enrolment],
        "n": cohort.n,
        "codebook": {
            "name": codebook_name(cohort),
            "digest": codebook_digest(codebook, list(covariates)),
        },
        "covariates": covariates,
        "minimum": table.smallest,
        "survival": _survival(table.survival, covariates) if table.survival else None,
        "response": _response(table.response, covariates) if table.response else None,
        "followed_months": table.followed_months,
        "synthetic": table.synthetic,
    }
    if cohort.randomised is not None:
        values["randomised"] = [name for name in cohort.randomised if name in covariates]
    return (_laid_out(values | {CHECKSUM: checksum(values)}) + "\n").encode()


def checksum(values: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no blanks, UTF-8, without the checksum itself."""
    return digest(_canonical({key: value for key, value in values.items() if key != CHECKSUM}))


def _canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def codebook_name(cohort: Cohort) -> str:
    """Name of a cohort's codebook, without the folder that it lies in."""
    return cohort.codebook if cohort.codebook == BUNDLED else Path(cohort.codebook).name


def codebook_digest(codebook: Codebook, covariates: Sequence[str]) -> str:
    """SHA-256 of what makes levels what they are: their names, order and cut points."""
    known = {name: codebook.covariates[name] for name in covariates}
    defined = {name: {"levels": c.levels, "cut": c.cut} for name, c in known.items()}
    return digest(_canonical(defined))


def _survival(survival: SurvivalTable, covariates: Mapping[str, list[str]]) -> dict[str, Any]:
    """Sums of times; what is of Weibull models only where it is shared."""
    cells = survival.cells
    weibull = cells.power.shape[1] > 0
    groups = _groups(survival.groups, covariates)
    for place, group in enumerate(groups):
        group["events"] = np.rint(cells.events[place]).astype(int).tolist()
        group["months"] = cells.months[place].tolist()
        if weibull:
            group["log_month"] = float(cells.log_month[place])
            group["power"] = cells.power[place].tolist()
    shape = {"scale_months": cells.scale_months, "nodes": NODES} if weibull else {}
    named = {"endpoint": survival.endpoint} if survival.endpoint else {}
    return {**named, "cuts": list(cells.cuts), **shape, "groups": groups}


def _response(response: ResponseTable, covariates: Mapping[str, list[str]]) -> dict[str, Any]:
    groups = _groups(response.groups, covariates)
    for group, responders in zip(groups, response.responders.tolist(), strict=True):
        group["responders"] = responders
    return {"groups": groups}


def _groups(groups: Groups, covariates: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "levels": {
                name: np.array(levels)[groups.levels[name][place]].tolist()
                for name, levels in covariates.items()
            },
            "patients": patients,
        }
        for place, patients in enumerate(groups.patients.tolist())
    ]


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON with a line for each key, and for each group."""
    inner = indent + " "
    if isinstance(value, dict) and "patients" not in value:
        parts = [f"{json.dumps(key)}: {_laid_out(x, inner)}" for key, x in value.items()]
        brackets = "{}"
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        parts, brackets = [_laid_out(x, inner) for x in value], "[]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not parts:
        return brackets
    lines = f",\n{inner}".join(parts)
    return f"{brackets[0]}\n{inner}{lines}\n{indent}{brackets[1]}"


AGAIN = "ask the site to send it again"


def read_site_table(
    data: bytes, source: str, beside: Path
) -> tuple[SiteCohort, SiteTable, Codebook]:
    """Read a site table."""
    values = _values(data, source)
    problems = [Problem(CHECKSUM, what)] if (what := _changed(values)) else []
    try:
        document = validated(SiteDocument, values, source, "")
    except InputError as error:
        raise InputError(source, [*error.problems, *problems]) from None
    codebook = _codebook(document, source, beside, problems)
    found = codebook_faults(document, codebook)
    problems = [*(problem_at("", *fault) for fault in found), *problems]
    if problems:
        raise InputError(source, problems)
    who = document.model_dump(
        include={"id", "label", "n", "institution", "enrolment", "randomised"}
    )
    cohort = SiteCohort(**who, codebook=document.codebook.name, source="site table")
    return cohort, _table(document), codebook


def _values(data: bytes, source: str) -> dict[str, Any]:
    try:
        values = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start + 1})"
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        cut = f"; the file ends too early, {AGAIN}" if error.pos >= len(error.doc.rstrip()) else ""
        raise InputError(source, [Problem(place, f"is not JSON: {error.msg}{cut}")]) from None
    except ValueError as error:
        what = f"is not JSON: {error}"
    except RecursionError:
        what = "has lists nested too deep"
    else:
        what = _not_ours(values)
    if what:
        raise InputError(source, [Problem("", what)])
    return dict(values)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice, for either may be meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} is given twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _not_ours(values: Any) -> str:
    """What is said of a file of another kind or version; nothing of ours."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        return f"is no site table: its 'format' is not '{FORMAT}'"
    version = values.get("version")
    if type(version) is not int or version < VERSION:
        got = "none" if version is None else shown(version)
        return f"must have version {VERSION}; got {got}"
    if version > VERSION:
        return f"is of version {version}; this netlm-bayes reads {VERSION}, a newer one is needed"
    return ""


def _changed(values: Mapping[str, Any]) -> str:
    try:
        made = checksum(values)
    except (ValueError, RecursionError):  # a number beyond all bounds: the schema refuses it
        return ""
    if values.get(CHECKSUM) == made:
        return ""
    return f"does not agree with the content: changed or damaged since it was written; {AGAIN}"


def _codebook(
    document: SiteDocument, source: str, beside: Path, problems: Sequence[Problem]
) -> Codebook:
    name = document.codebook.name
    if name != Path(name).name:
        what = f"must be a name without a folder; got {shown(name)}"
        raise InputError(source, [Problem("codebook.name", what), *problems])
    if not codebook_path(name, beside).exists():
        what = f"no such file {shown(name)} beside this one; the site that made the table has it"
        raise InputError(source, [Problem("codebook.name", what), *problems])
    return read_codebook(name, beside)


def codebook_faults(document: SiteDocument, codebook: Codebook) -> Iterator[Fault]:
    """Faults of a table's covariates against the codebook they are said to be of."""
    name = document.codebook.name
    known = {key: c.levels for key, c in codebook.covariates.items() if not c.post_baseline}
    for key, levels in document.covariates.items():
        if key not in known:
            yield ("covariates", key), f"no such covariate in '{name}'{did_you_mean(key, known)}"
        elif levels != known[key]:
            here = ", ".join(known[key]) or "none, it is continuous"
            yield ("covariates", key), f"must have the levels of '{name}', {here}"
    if any(levels != known.get(key) for key, levels in document.covariates.items()):
        return
    if document.codebook.digest != codebook_digest(codebook, [*document.covariates]):
        what = f"the levels were cut at other points than in '{name}' here"
        yield ("codebook", "digest"), what


def _table(document: SiteDocument) -> SiteTable:
    covariates = document.covariates
    return SiteTable(
        survival=_read_survival(document.survival, covariates) if document.survival else None,
        response=_read_response(document.response, covariates) if document.response else None,
        smallest=document.minimum,
        followed_months=float(document.followed_months),
        synthetic=document.synthetic,
    )


def _read_survival(part: SurvivalPart, covariates: Mapping[str, tuple[str, ...]]) -> SurvivalTable:
    """Sums of times; no powers, and NaN, where what a Weibull needs is not shared."""
    weibull = part.nodes is not None
    cells = SurvivalCells(
        cuts=tuple(map(float, part.cuts)),
        events=np.array([group.events for group in part.groups], dtype=float),
        months=np.array([group.months for group in part.groups], dtype=float),
        log_month=np.array([group.log_month for group in part.groups], dtype=float),
        scale_months=float("nan") if part.scale_months is None else float(part.scale_months),
        power=np.array([group.power if weibull else () for group in part.groups], dtype=float),
    )
    return SurvivalTable(_read_groups(part, covariates), cells, part.endpoint)


def _read_response(part: ResponsePart, covariates: Mapping[str, tuple[str, ...]]) -> ResponseTable:
    responders = np.array([group.responders for group in part.groups], dtype=int)
    return ResponseTable(_read_groups(part, covariates), responders)


def _read_groups(
    part: SurvivalPart | ResponsePart, covariates: Mapping[str, tuple[str, ...]]
) -> Groups:
    possible = {
        name: np.array([[level in group.levels[name] for level in levels] for group in part.groups])
        for name, levels in covariates.items()
    }
    return Groups(np.array([group.patients for group in part.groups], dtype=int), possible)
