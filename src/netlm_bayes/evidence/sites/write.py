"""A site table to the bytes of its JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netlm_bayes.codebook import BUNDLED, Codebook
from netlm_bayes.documents import digest
from netlm_bayes.evidence.cells import NODES
from netlm_bayes.evidence.cohort import Cohort
from netlm_bayes.evidence.sites.document import FORMAT, VERSION
from netlm_bayes.evidence.sites.table import Groups, ResponseTable, SiteTable, SurvivalTable

CHECKSUM = "checksum"


def as_json(table: SiteTable, cohort: Cohort, codebook: Codebook) -> bytes:
    """Write a table with who it is of, and nothing else."""
    names = [
        name for part in (table.survival, table.response) if part for name in part.groups.levels
    ]
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
    return (_laid_out(values | {CHECKSUM: checksum(values)}) + "\n").encode()


def checksum(values: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no blanks, UTF-8, without the checksum itself."""
    content = {key: value for key, value in values.items() if key != CHECKSUM}
    return digest(
        json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    )


def codebook_name(cohort: Cohort) -> str:
    """Name of a cohort's codebook, without the folder that it lies in."""
    return cohort.codebook if cohort.codebook == BUNDLED else Path(cohort.codebook).name


def codebook_digest(codebook: Codebook, covariates: Sequence[str]) -> str:
    """SHA-256 of what makes levels what they are: their names, order and cut points."""
    known = {name: codebook.covariates[name] for name in covariates}
    defined = {name: {"levels": c.levels, "cut": c.cut} for name, c in known.items()}
    return digest(json.dumps(defined, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


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
    told = {"scale_months": cells.scale_months, "nodes": NODES} if weibull else {}
    return {"cuts": list(cells.cuts), **told, "groups": groups}


def _response(response: ResponseTable, covariates: Mapping[str, list[str]]) -> dict[str, Any]:
    groups = _groups(response.groups, covariates)
    for group, responders in zip(groups, response.responders.tolist(), strict=True):
        group["responders"] = responders
    return {"groups": groups}


def _groups(groups: Groups, covariates: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """Levels that may be, and patients."""
    found = []
    for place, patients in enumerate(groups.patients.tolist()):
        told = {
            name: np.array(levels)[groups.levels[name][place]].tolist()
            for name, levels in covariates.items()
        }
        found.append({"levels": told, "patients": patients})
    return found


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
