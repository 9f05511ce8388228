"""What rewrites the numbers of README and documentation touches nothing but estimates."""

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
