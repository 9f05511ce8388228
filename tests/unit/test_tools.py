"""What rewrites the numbers of README and documentation touches nothing but estimates."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

PRINTED = (
    "cohort  what                   posterior (95 % interval)  P(>1)",
    "a       pfs: S(12)                     0.56 (0.4 to 0.67)       ",
    "a       hazard ratio, x: b vs c            10 (1.9 to 60)  >0.99",
)


@pytest.mark.parametrize(
    ("shown", "of_today"),
    [
        ("a       what is no estimate", "a       what is no estimate"),
        ("a   pfs: S(12)      0.54 (0.45 to 0.62)", "a   pfs: S(12)       0.56 (0.4 to 0.67)"),
        (
            "a   hazard ratio, x: b vs c   9.99 (1.88 to 61.20)  1.000",
            "a   hazard ratio, x: b vs c         10 (1.9 to 60)  >0.99",
        ),
    ],
)
def test_a_line_of_output_gets_the_estimate_that_was_printed(load_tool, shown, of_today):
    assert load_tool("docs_numbers").line_of_today(shown, PRINTED) == of_today


def test_regressions_beside_posteriors_are_those_of_the_run(load_tool, monkeypatch):
    numbers = {
        "contrast": "x: b vs c",
        "method_printed": "Cox, multivariable",
        **{"printed_estimate": 5.07, "printed_lower": 2.27, "printed_upper": 11.34},
        **{"posterior_estimate": 2.74, "posterior_lower": 1.55, "posterior_upper": 4.92},
        **{"posterior_mcse": 0.02, "posterior_lower_mcse": 0.001, "posterior_upper_mcse": 0.02},
    }
    tool = load_tool("docs_numbers")
    monkeypatch.setattr(tool, "read_tables", lambda _: {"comparison": pd.DataFrame([numbers])})
    head = "| ratio | Cox | posterior |\n| --- | --- | --- |\n"
    text = f"{head}| x: b vs c | 1 (1 to 1) | 1 (1 to 1) |\n"
    lines = tool.beside_of_today(text, Path("run")).splitlines()
    assert lines[:2] == text.splitlines()[:2]
    assert lines[2] == "| x: b vs c | 5.07 (2.27 to 11.3) | 2.7 (1.55 to 4.9) |"
