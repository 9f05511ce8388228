"""Whether the pages of the bundled cohorts are emulated as well as they are simulated.

    python -m validation.page_gate          writes page_gate.json beside this file

20 draws of each page's posterior, 400 pages a draw: the error of the emulated mean in standard
deviations of each number, simulation noise taken out. Up to 0.1 (root mean square) and 0.3 (the
worst number at the worst draw) passes; beyond, the square of the error is in V.
"""

from __future__ import annotations

import json
from pathlib import Path

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import read_model
from netlm_bayes.page.criticism import criticise
from netlm_bayes.page.trained import Trained

FILE = Path(__file__).with_name("page_gate.json")


def figures(trained: Trained) -> dict[str, object]:
    """What the gate found of one page, and the page's own misfit."""
    page, gate, found = trained.page, trained.gate, criticise(trained)
    names = [page.numbers[i] for i in trained.emulator.numbers]
    rms = {
        f"item {number.item + 1}, {number.kind}": round(float(error), 3)
        for number, error in zip(names, gate.number_rms, strict=True)
    }
    return {
        "rms": round(gate.rms, 3),
        "worst": round(gate.worst, 3),
        "passed": gate.passed,
        "numbers": rms,
        "left to V": [page.numbers[i].item + 1 for i in trained.unemulated],
        "in conflict": [page.numbers[i].item + 1 for i in trained.conflicts],
        "misfit": {"chi2": round(found.chi2, 2), "df": found.freedom, "p": found.p},
    }


def main() -> None:
    """Write the figures of every page."""
    out = {}
    for model in ("pfs-weibull", "response-logistic"):
        analysis = emulated(analyse(read_model(model), read_cohorts(BUNDLED_COHORTS)))
        for one in analysis.cohorts:
            if one.trained is not None:
                out[f"{model}, {one.cohort.id}"] = figures(one.trained)
    FILE.write_text(json.dumps(out, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
