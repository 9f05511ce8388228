"""What is frozen: models met with each kind of evidence, alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

HERE = Path(__file__).parent
PAPERS = ("sysu-2016-2020", "sysu-rectal-2022-2024")
COVARIATES = ("htb", "ki67", "bone", "margin", "site")
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Case:
    """A bundled model, its evidence, and what is chosen otherwise.

    Cohorts are bundled ids, or files of `inputs`. Of a pool, `left_out` is a cohort whose evidence
    does not count. With `sensitivity` its tables are those of other priors and scenarios too.
    Evidence that is `fitted` comes from an optimiser, which stops where rounding lets it.
    """

    name: str
    model: str
    cohorts: tuple[str, ...]
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    scenario: str = ""
    left_out: str = ""
    sensitivity: bool = False
    fitted: bool = False


MIXTURE = (*PAPERS, "hospital.csv", "site.json", "figure.toml")
LATE = {"covariates": ("htb", "age", "bone")}
CHANGING = {"change": {"covariates": ("htb", "bone"), "months": 7.0}}
SOURCES_ONLY: Mapping[str, Any] = {"scenarios": (), "heterogeneity_scales": (0.5,)}
TOGETHER = {"association": ({"covariates": ("htb", "bone"), "log_odds_ratio": 1.0},)}
CUTS = {"covariates": ("ki67", "bone"), "also": ()}

CASES = (
    Case("weibull-print", "pfs-weibull", PAPERS, sensitivity=True),
    Case("weibull-one-paper", "pfs-weibull", PAPERS[:1]),
    Case("weibull-hospital", "pfs-weibull", ("hospital.csv",)),
    Case("weibull-site", "pfs-weibull", ("site.json",)),
    Case("weibull-curve", "pfs-weibull", ("figure.toml",)),
    Case("weibull-mixture", "pfs-weibull", MIXTURE, SOURCES_ONLY, sensitivity=True),
    Case("weibull-without-one", "pfs-weibull", MIXTURE, left_out="figure"),
    Case("weibull-complete", "pfs-weibull", MIXTURE[2:], {"pooling": "complete"}),
    Case("weibull-late", "pfs-weibull", ("late.csv",), LATE),
    Case("weibull-changing", "pfs-weibull", ("hospital.csv",), CHANGING),
    Case("weibull-association", "pfs-weibull", PAPERS, TOGETHER),
    Case("weibull-literal", "pfs-weibull", PAPERS, scenario="literal"),
    Case("weibull-at-face-value", "pfs-weibull", PAPERS, scenario="at-face-value"),
    Case("weibull-cuts", "pfs-weibull", ("low.toml", "high.toml"), CUTS, fitted=True),
    Case("weibull-cuts-mixture", "pfs-weibull", ("low.toml", "marker.toml"), CUTS, fitted=True),
    Case("piecewise-print", "pfs-piecewise", PAPERS),
    Case("piecewise-hospital", "pfs-piecewise", ("hospital.csv",)),
    Case("piecewise-site", "pfs-piecewise", ("site.json",)),
    Case("piecewise-curve", "pfs-piecewise", ("figure.toml",)),
    Case("piecewise-mixture", "pfs-piecewise", MIXTURE),
    Case("piecewise-late", "pfs-piecewise", ("late.csv",), LATE),
    Case(
        "piecewise-late-changing",
        "pfs-piecewise",
        ("late.csv", "hospital.csv"),
        {"covariates": ("htb", "bone"), **CHANGING},
    ),
    Case("response-print", "response-logistic", PAPERS, sensitivity=True),
    Case("response-hospital", "response-logistic", ("hospital.csv",)),
    Case("response-site", "response-logistic", ("site.json",)),
    Case("response-mixture", "response-logistic", (*PAPERS, "hospital.csv", "site.json")),
    Case("response-ordinal", "response-logistic", ("hospital.csv",), {"ordinal": True}),
    Case("response-readings", "response-logistic", PAPERS, scenario="odds-of-response"),
    Case("response-association", "response-logistic", PAPERS, TOGETHER),
    Case("response-at-face-value", "response-logistic", PAPERS, scenario="at-face-value"),
)
"""Of which log densities are frozen."""

TABLED = tuple(
    case
    for case in CASES
    if case.name
    in {
        "weibull-print",
        "weibull-hospital",
        "weibull-mixture",
        "weibull-changing",
        "weibull-cuts-mixture",
        "piecewise-late",
        "piecewise-curve",
        "response-print",
        "response-mixture",
        "response-ordinal",
    }
)
"""Of which all tables are frozen as well."""
