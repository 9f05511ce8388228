"""What the papers of `page_calibration` show: uniform ranks, precision, criticism.

    python -m validation.page_summary survival.jsonl response.jsonl published.jsonl tested.jsonl

writes `page_calibration.json` and `page_calibration.md` beside this file; the exit code is 1 where
a reading that is to be calibrated is not, at a false alarm in a hundred runs over all its tests
(Holm).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Record = Mapping[str, Any]
BINS, FALSE_ALARM = 10, 0.01
CALIBRATED = (
    ("survival", "page"),
    ("response", "page"),
    ("published", "selection"),
    ("tested", "not printed listed"),
)
"""Designs and readings whose ranks are to be uniform."""
PRINTED = "printed log ratio, towards its estimate"
FEWEST = 15
"""Ranks of a quantity below which it is not tested."""
HERE = Path(__file__).parent


def read(paths: Sequence[Path]) -> dict[str, list[Record]]:
    """Papers by design."""
    found: dict[str, list[Record]] = {}
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            found.setdefault(record["design"], []).append(record)
    return {design: sorted(each, key=lambda x: x["seed"]) for design, each in found.items()}


def readings(records: Sequence[Record]) -> list[str]:
    """How the papers of a design are read."""
    return [name for name, value in records[0].items() if isinstance(value, dict)]


def ranks(records: Sequence[Record], reading: str) -> dict[str, Array]:
    """Share of draws below the truth, by quantity."""
    found: dict[str, list[float]] = {}
    for record in records:
        given = record[reading].get("given", {})
        if reading == "page":
            for name, row in given.items():
                found.setdefault(name, []).append(row[0])
            continue
        for name in ("S(6)", "S(12)", "S(24)", "log median"):
            if name in given:
                found.setdefault(name, []).append(given[name][0])
        first = record["printed"][0]  # one a paper: ranks of one page are not independent
        if first in given:
            up = record["at face value"]["given"][first][1] > 0
            rank = given[first][0]
            found.setdefault(PRINTED, []).append(rank if up else 1 - rank)
    return {name: np.array(each) for name, each in found.items() if len(each) >= FEWEST}


def uniformity(rank: Array) -> float:
    """P value of the chi-squared test of uniform ranks."""
    places = np.minimum((rank * BINS).astype(int), BINS - 1)
    return float(stats.chisquare(np.bincount(places, minlength=BINS)).pvalue)


def holm(p_values: Sequence[float]) -> Array:
    """P values adjusted for their number."""
    p = np.asarray(p_values)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(stepped, 1)
    return out


def precision(records: Sequence[Record]) -> dict[str, list[float]]:
    """Sd given the page over that given the patients: geometric mean, its error; by quantity."""
    rows = [x["page"] for x in records if "patients" in x["page"]]
    found = {}
    for name in rows[0]["patients"] if rows else []:
        log_ratio = [np.log(x["given"][name][2] / x["patients"][name][2]) for x in rows]
        mean, error = np.exp(np.mean(log_ratio)), np.std(log_ratio) / np.sqrt(len(rows))
        found[name] = [float(mean), float(mean * error)]
    return found


def criticised(records: Sequence[Record]) -> dict[str, float]:
    """How often a sound page's misfit has p < .05, and how large it is for its freedom."""
    rows = [x["page"] for x in records if x["page"].get("p") is not None]
    p = np.array([x["p"] for x in rows])
    ratio = float(np.mean([x["chi2"] / x["freedom"] for x in rows]))
    return {"pages": len(p), "p < .05": float((p < 0.05).mean()), "chi2 / freedom": ratio}


def summary(papers: Mapping[str, Sequence[Record]]) -> dict[str, Any]:
    """Everything that is kept."""
    out: dict[str, Any] = {}
    for design, records in papers.items():
        kept: dict[str, Any] = {"papers": len(records), "readings": {}}
        for reading in readings(records):
            found = ranks(records, reading)
            kept["readings"][reading] = {
                "refused": sum("refused" in x[reading] for x in records),
                "ranks": {name: [round(float(x), 3) for x in each] for name, each in found.items()},
            }
        if "page" in readings(records):
            kept["criticism"] = criticised(records)
            kept["precision"] = precision(records)
        out[design] = kept
    return out


def judged(found: Mapping[str, Any]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """P value and, of what is to be calibrated, that adjusted for all such tests."""
    keys = [
        (design, reading, name)
        for design, kept in found.items()
        for reading, each in kept["readings"].items()
        for name in each["ranks"]
    ]
    p = {(d, r, n): uniformity(np.array(found[d]["readings"][r]["ranks"][n])) for d, r, n in keys}
    family = [key for key in keys if key[:2] in CALIBRATED]
    adjusted = dict(zip(family, holm([p[key] for key in family]), strict=True))
    return {key: (p[key], float(adjusted.get(key, np.nan))) for key in keys}


def table(found: Mapping[str, Any]) -> str:
    """The table that people read."""
    lines = [
        "# Calibration of printed pages from patients",
        "",
        "Made by `validation/page_calibration.py` and `page_summary.py`; see there. Ranks of true",
        "values among posterior draws are uniform where page, emulator and prior are right.",
    ]
    every = judged(found)
    for design, kept in found.items():
        for reading, each in kept["readings"].items():
            refused = f", {each['refused']} refused" if each["refused"] else ""
            lines += ["", f"## {design}, {reading}: {kept['papers']} papers{refused}", ""]
            lines += [
                "| quantity | ranks | mean rank | p | Holm |",
                "| --- | --- | --- | --- | --- |",
            ]
            for name, values in each["ranks"].items():
                p, adjusted = every[design, reading, name]
                holm_p = "" if np.isnan(adjusted) else f"{adjusted:.3f}"
                row = f"| {name} | {len(values)} | {np.mean(values):.3f} | {p:.4f} | {holm_p} |"
                lines.append(row)
        if "criticism" in kept:
            found_p = kept["criticism"]
            lines += ["", f"Misfit p < .05: {found_p['p < .05']:.1%} of {found_p['pages']} pages."]
        if kept.get("precision"):
            lines += ["", "| sd given the page / sd given its patients | ratio | error |"]
            lines.append("| --- | --- | --- |")
            lines += [f"| {k} | {a:.3f} | {b:.3f} |" for k, (a, b) in kept["precision"].items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the results; tell whether all is calibrated that is to be."""
    found = summary(read([Path(x) for x in sys.argv[1:]]))
    (HERE / "page_calibration.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "page_calibration.md").write_text(table(found))
    print(table(found))
    adjusted = [p for _, p in judged(found).values() if not np.isnan(p)]
    return int(min(adjusted) < FALSE_ALARM)


if __name__ == "__main__":
    sys.exit(main())
