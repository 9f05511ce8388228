"""The handful of numbers that a person reads first."""

import math
from dataclasses import replace

import pandas as pd

from netlm_bayes.cli.printing import print_audit
from netlm_bayes.pipeline.summary import extrapolated, headline
from netlm_bayes.report.labels import Labels
from netlm_bayes.report.prose import at_odds, pages
from netlm_bayes.results import TABLES, completed

LABELS = Labels({}, {}, {}, {})


def row(cohort: str, estimand: str, estimate: float, **more: object) -> dict[str, object]:
    common = {"endpoint": "pfs", "covariate": "", "contrast": "", "subgroup": ""}
    common |= {"horizon": math.nan, "informed": True, "borrowed": False}
    common |= {"method": "posterior", "prob_above_null": math.nan, "unit": "", "time_unit": ""}
    limits = {"lower": estimate / 2, "upper": estimate * 2}
    return {
        "cohort": cohort,
        "estimand": estimand,
        "estimate": estimate,
        **common,
        **limits,
        **more,
    }


def made(rows: list[dict[str, object]]) -> pd.DataFrame:
    return completed(pd.DataFrame(rows))


def subgroups() -> pd.DataFrame:
    overall = {"subgroup": "overall"}
    return made(
        [
            row("east", "median", 13.66, **overall),
            row("east", "median", 20.0, subgroup="size: small"),
            row("east", "rmst", 12.0, horizon=24.0, **overall),
            row("east", "survival", 0.7, horizon=6.0, **overall),
            row("east", "survival", 0.5, horizon=12.0, **overall),
            row("east", "survival", 0.3, horizon=24.0, **overall),
            row("pooled", "median", 12.0, endpoint="local", **overall),
        ]
    )


def ratios(*cohorts: str) -> pd.DataFrame:
    effect = {"covariate": "size", "contrast": "size: huge vs small", "prob_above_null": 0.98765}
    rows = [row(cohort, "hazard_ratio", 2.0, **effect) for cohort in cohorts]
    rows += [row(cohorts[-1], "hazard_ratio", 1.0, method="prior", **effect)]
    rows += [row(cohorts[-1], "shape", 1.1), row(cohorts[-1], "heterogeneity", 0.3)]
    return made(rows)


def test_the_headline_is_everyones_pfs_and_the_pools_ratios():
    tables = {"subgroups": subgroups(), "effects": ratios("east", "pooled", "next institution")}
    assert headline(tables, LABELS) == [
        ("east", "pfs: median, months", "13.7 (6.8 to 27.3)", ""),
        ("east", "pfs: S(12 months)", "0.50 (0.25 to 1.00)", ""),
        ("pooled", "local: median, months", "12.0 (6.0 to 24.0)", ""),
        ("pooled", "hazard ratio, size: huge vs small", "2.00 (1.00 to 4.00)", "0.99"),
    ]


def test_the_headline_of_ratios_alone_is_of_ratios():
    effects = ratios("east")
    effects["informed"] = False
    nothing = {"subgroups": subgroups().iloc[:0], "effects": effects}
    ratio = "hazard ratio, size: huge vs small (not informed by these data)"
    assert headline(nothing, LABELS) == [("east", ratio, "2.00 (1.00 to 4.00)", "0.99")]


def test_medians_beyond_follow_up_are_named_once_a_cohort():
    found = subgroups().assign(extrapolated=False)
    assert extrapolated({"subgroups": found}) == []
    found.loc[found["cohort"] == "east", "extrapolated"] = True
    assert extrapolated({"subgroups": found}) == ["east"]


def test_a_treatment_that_no_cohort_compares_is_not_informed_and_no_more():
    arm = row("east", "hazard_ratio", 1.0, covariate="arm", contrast="arm: new vs old")
    effects = pd.concat([ratios("east"), pd.DataFrame([arm])]).assign(informed=False)
    labels = replace(LABELS, treatments={"arm": {}})
    said = [
        what for _, what, *_ in headline({"subgroups": subgroups(), "effects": effects}, labels)
    ]
    assert "hazard ratio, arm: new vs old (not informed by these data)" in said


def test_the_headline_shows_the_digits_that_the_draws_support():
    errors = {"mcse": 0.004, "lower_mcse": 0.002, "upper_mcse": 0.03, "prob_mcse": 0.004}
    found = ratios("east").assign(**errors)
    (line,) = [
        line for line in headline({"subgroups": subgroups(), "effects": found}, LABELS) if line[3]
    ]
    assert line[2:] == ("2.0 (1.00 to 4)", ">0.9")


def test_the_headline_of_response_is_a_probability():
    overall = {"subgroup": "overall", "endpoint": "response"}
    found = made([row("east", "response_probability", 0.4, **overall)])
    line, *_ = headline({"subgroups": found, "effects": ratios("east")}, LABELS)
    assert line[1:3] == ("response: probability of response", "0.40 (0.20 to 0.80)")


def test_a_treatment_leads_the_headline_and_says_whether_it_was_randomised():
    arm = row("east", "hazard_ratio", 0.5, covariate="arm", contrast="arm: new vs old")
    effects = pd.concat([ratios("east"), pd.DataFrame([arm])])
    tables = {"subgroups": subgroups(), "effects": effects}
    said = [
        [what for _, what, *_ in headline(tables, replace(LABELS, treatments=treatments))][3:]
        for treatments in ({"arm": {"east": True}}, {"arm": {"east": True, "west": False}}, {})
    ]
    size = "hazard ratio, size: huge vs small"
    assert said == [
        ["hazard ratio, arm: new vs old (randomised)", size],
        ["hazard ratio, arm: new vs old (partly randomised)", size],
        [size, "hazard ratio, arm: new vs old"],
    ]


def test_every_verdict_is_counted_also_where_there_is_none(capsys):
    columns = ["cohort", "item", "check", "as_printed", "recomputed", "covariate", "unique"]
    audit = pd.DataFrame({"verdict": ["ok", "conflict", "ok"]}).assign(**dict.fromkeys(columns, ""))
    print_audit({"audit": audit, "recovered_tables": audit.iloc[:0]})
    assert "2 ok, 0 rounding, 1 conflict, 0 ambiguous" in capsys.readouterr().out


def replication(*found: tuple[str, str, float, float]) -> pd.DataFrame:
    """Numbers of one page: level, which number, printed, z."""
    common = {"cohort": "east", "kind": "hazard_ratio", "endpoint": "pfs", "covariate": "size"}
    common |= {"unit": "ratio", "predicted": 2.0, "lower": 1.0, "upper": 4.0, "role": "fit"}
    rows = [
        {**common, "level": level, "number": number, "printed": x, "z": z, "in_conflict": z > 2.58}
        for level, number, x, z in found
    ]
    return completed(pd.DataFrame(rows, columns=list(TABLES["replication"])))


def test_only_what_lies_far_out_is_at_odds_and_what_is_not_predicted_never():
    table = replication(
        ("huge", "log_ratio", 9.0, 4.3),
        ("small", "log_ratio", 3.0, 2.57),
        ("middle", "log_ratio", 5.0, math.nan),
        ("large", "log_se", 0.5, 2.59),
    )
    assert at_odds({"replication": table}) == [
        "east, hazard ratio, pfs, size: huge:"
        " published 9.00, predicted 2.00 (1.00 to 4.00) (z 4.3)",
        "east, hazard ratio, pfs, size: large, standard error of its logarithm:"
        " published 0.50, predicted 2.00 (1.00 to 4.00) (z 2.6)",
    ]


def page_fit(p: float, freedom: int) -> pd.DataFrame:
    testable = freedom > 0
    row = {"cohort": "east", "numbers": 12, "freedom": freedom, "p": p, "testable": testable}
    row |= {"conflicts": 0, "refuted": testable and p < 0.001}
    return completed(pd.DataFrame([row], columns=list(TABLES["page_fit"])))


def test_a_page_is_said_to_fit_to_refute_the_model_or_not_to_be_testable():
    table = replication(("huge", "log_ratio", 9.0, 4.3), ("small", "log_ratio", 3.0, -5.0))
    fits, refutes, open_ = (
        pages({"page_fit": page_fit(*told), "replication": table})
        for told in ((0.19, 20), (0.0004, 20), (math.nan, 0))
    )
    assert fits == ["Page of east: misfit P 0.190 on 20 df."]
    (words,) = refutes
    assert words.startswith("The page of east refutes the model: misfit P <0.001 on 20 df;")
    assert words.index("size: small") < words.index("size: huge")
    assert open_ == [
        "Page of east: its misfit cannot be tested, as its 12 numbers leave no degree of freedom."
    ]


def test_a_standard_error_that_was_taken_out_is_named():
    table = replication(("huge", "log_se", 0.9, 6.0)).assign(taken_out=True)
    (words,) = pages({"replication": table})
    assert words.startswith("east, hazard ratio, pfs, size: huge: the standard error of its log")
    assert "0.90 as printed" in words
