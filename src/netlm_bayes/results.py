"""The one schema of every table of a run: its columns, their types, and how a frame is made.

What code must know of a row is a column. A `note` is for people: no code reads one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from netlm_bayes.units import MONTHS_PER_UNIT, PLACES, Unit

if TYPE_CHECKING:
    import pandas as pd

NAN = math.nan
Kind = Literal["text", "number", "whole", "flag"]
PATIENTS, SITE_TABLE, CURVE, PRINTED, INDIRECT = (
    "patients",
    "site table",
    "curve",
    "printed",
    "indirect",
)
"""Kinds of evidence, as in the column `evidence`."""
UNIVARIABLE, MULTIVARIABLE, SELECTED = "univariable", "multivariable", "selected"
"""How a regression adjusts, as in the column `adjustment`."""
OVERALL = "overall"
"""Everyone, as in the column `subgroup`."""
UNITS = {
    "hazard_ratio": "ratio",
    "odds_ratio": "ratio",
    "shape": "ratio",
    "hazard": "per month",
    "heterogeneity": "log ratio",
    "median": "months",
    "rmst": "months",
    "survival": "probability",
    "predictive_survival": "probability",
    "response_probability": "probability",
    "predictive_response": "probability",
    "adverse_event_rate": "probability",
    "at_risk": "patients",
    "logrank_p": "probability",
    "schoenfeld_p": "probability",
    "likelihood_ratio_p": "probability",
}
"""Unit of each estimand's estimate and interval."""


class Column(NamedTuple):
    """What stands in a column, wherever a table has it."""

    kind: Kind
    meaning: str
    unit: str = ""


COLUMNS: Mapping[str, Column] = {
    "cohort": Column("text", "id, `pooled` or `next institution`; of sources `prior` or `all`"),
    "other": Column("text", "id of the second cohort of a pair"),
    "endpoint": Column("text", "key of a survival endpoint, or `response`"),
    "estimand": Column("text", "what is estimated"),
    "covariate": Column("text", "codebook key of the covariate that a row is about"),
    "level": Column("text", "its level, or the step of a ratio per unit: `per 10 years`"),
    "versus": Column("text", "the level it is compared with; none of a step or a single level"),
    "parameter": Column("text", "a parameter that belongs to no covariate, such as `log_shape`"),
    "contrast": Column("text", "for people: covariate, level, versus and months in words"),
    "subgroup": Column("text", "whom a row is about: `overall`, or levels of covariates"),
    "horizon": Column("number", "time at which, or up to which, in `time_unit`"),
    "time_unit": Column("text", "unit of `horizon` and `followed_to`: that of the model"),
    "from_month": Column("number", "from when a ratio holds that changes", "months"),
    "until_month": Column("number", "until when a ratio holds that changes", "months"),
    "unit": Column("text", "unit of estimate and interval; in `loo`, what is left out"),
    "method": Column("text", "how it was estimated"),
    "adjustment": Column("text", "of a regression: univariable, multivariable or selected"),
    "adjusted_for": Column("text", "the other covariates of the regression, by commas"),
    "estimate": Column("number", "posterior median, or what a method estimates"),
    "lower": Column("number", "lower end of the interval"),
    "upper": Column("number", "upper end of the interval"),
    "interval": Column("number", "probability of a posterior interval, or coverage"),
    "prob_above_null": Column("number", "posterior probability of being above no effect"),
    "p": Column("number", "P value of a test; of a printed ratio, as printed"),
    "mcse": Column("number", "Monte Carlo standard error of the estimate"),
    "lower_mcse": Column("number", "Monte Carlo standard error of `lower`"),
    "upper_mcse": Column("number", "Monte Carlo standard error of `upper`"),
    "prob_mcse": Column("number", "Monte Carlo standard error of `prob_above_null`"),
    "n": Column("number", "patients behind it, or units that were left out", "patients"),
    "n_left_out": Column("number", "patients not used, for values that are missing", "patients"),
    "n_missing": Column("number", "patients without a value of the covariate", "patients"),
    "events": Column("number", "events behind it, responders of response; equivalent events"),
    "masked": Column("flag", "whether a count is missing because it is under five"),
    "followed_to": Column("number", "last follow-up, in `time_unit`; missing if not printed"),
    "limits_from": Column("text", "where limits beside a posterior come from"),
    "informed": Column("flag", "whether these data inform it, and not the prior alone"),
    "borrowed": Column("flag", "whether only other cohorts inform it"),
    "extrapolated": Column("flag", "whether it lies beyond the last follow-up"),
    "steps_from_mean": Column("number", "farthest of a profile's values from the mean", "sd"),
    "synthetic": Column("flag", "whether simulated patients are behind it"),
    "evidence": Column("text", "kind of evidence: patients, site table, curve or printed"),
    "source": Column("text", "where it stands in the paper"),
    "basis": Column("text", "what it is averaged over, in words"),
    "note": Column("text", "for people"),
    # comparison
    "printed_estimate": Column("number", "as printed, or of the regression of the same patients"),
    "printed_lower": Column("number", "its lower confidence limit"),
    "printed_upper": Column("number", "its upper confidence limit"),
    "posterior_estimate": Column("number", "posterior median"),
    "posterior_lower": Column("number", "lower end of the posterior interval"),
    "posterior_upper": Column("number", "upper end of the posterior interval"),
    "shrinkage": Column("number", "share of the printed log ratio that the posterior takes away"),
    "prob_wrong_sign": Column("number", "posterior probability that its direction is wrong"),
    "exaggeration": Column("number", "printed log ratio over the mean size of the effect"),
    "scepticism_limit": Column("number", "Matthews' scepticism limit"),
    "estimand_is": Column("text", "what a printed ratio estimates: `coefficient` or `implied`"),
    **{
        name: Column("number", f"Monte Carlo standard error of `{name.removesuffix('_mcse')}`")
        for name in (
            *("posterior_mcse", "posterior_lower_mcse", "posterior_upper_mcse", "shrinkage_mcse"),
            *("prob_wrong_sign_mcse", "exaggeration_mcse", "predicted_mcse"),
            *("events_mcse", "sceptics_limit_mcse", "heterogeneity_scale_at_change_mcse"),
            *("events_to_change_mcse", "shift_mcse", "z_mcse"),
            *("wider_mcse", "wider_lower_mcse", "wider_upper_mcse"),
        )
    },
    # evidence and replication
    "item": Column("text", "name of a printed item"),
    "kind": Column("text", "kind of printed item"),
    "role": Column("text", "fit, check or unused; `patients` of a regression"),
    "use": Column("text", "what became of an item: fit, weights, check, unused or derived"),
    "reading": Column("text", "which of several readings was taken"),
    "why": Column("text", "why it is read so"),
    "of_event": Column("text", "of an odds ratio: response, or non_response"),
    "total": Column("number", "patients counted", "patients"),
    "number": Column("text", "which number of a printed item: `log_ratio`, `log_se`, `median`"),
    "printed": Column("number", "as printed, ratios of response and level vs reference"),
    "predicted": Column("number", "median of what all other numbers of the page predict"),
    "taken_out": Column(
        "flag", "whether a standard error is one that the other numbers do not allow"
    ),
    "reached": Column("flag", "whether a median was reached; else `printed` is the follow-up"),
    "selected": Column("flag", "whether a ratio is printed because it is significant"),
    # page_fit and association
    "numbers": Column("whole", "numbers of a page that are held against the model"),
    "chi2": Column("number", "misfit of a page: of its generalised-least-squares residuals"),
    "freedom": Column("whole", "its degrees of freedom: numbers less directions they determine"),
    "testable": Column("flag", "whether there are any, so that the misfit has a P value"),
    "refuted": Column("flag", "whether that P value is below 0.001"),
    "conflicts": Column("whole", "printed standard errors that were taken out"),
    "emulator_rms": Column("number", "root mean square error of the emulated means", "sd"),
    "emulator_worst": Column("number", "largest error of an emulated mean", "sd"),
    "other_covariate": Column("text", "the second covariate of a pair"),
    "other_level": Column("text", "its extreme levels"),
    # sensitivity
    "scenario": Column("text", "name of a scenario, or `main`; of a conflict the wider priors'"),
    "heterogeneity_scale": Column("number", "scale of the heterogeneity's half-normal prior"),
    "left_out": Column("text", "id of the cohort that is left out, or `main`"),
    "tau": Column("number", "estimated standard deviation between cohorts", "log ratio"),
    # evidence_map
    "shift": Column("number", "log ratio with the source less without it", "posterior sd"),
    "own_events": Column("number", "equivalent events of the cohort's estimate by itself"),
    "own_method": Column("text", "method of that estimate"),
    "only": Column("flag", "whether no other source has information on it"),
    # fragility
    "changed": Column(
        "text", "what was changed: prior, scenario, source, nothing; or who is alone"
    ),
    "to": Column("text", "to what"),
    "side": Column("text", "where an interval lies: above 1, below 1, or open"),
    "on_the_edge": Column("flag", "whether an end is within Monte Carlo error of 1"),
    "same_as_main": Column("text", "yes, no, or on the edge"),
    "changes": Column("whole", "changes that were run"),
    "changes_that_agree": Column("whole", "changes under which the statement holds"),
    "sceptics_limit": Column("number", "limit of the sceptic's prior that would turn it"),
    "heterogeneity_scale_at_change": Column("number", "heterogeneity scale that would turn it"),
    "events_to_change": Column("number", "events of one more study that would turn it"),
    "words": Column("text", "all of that, for people"),
    # conflict
    "prior_mean": Column("number", "of the prior: log ratio, log shape, log hazard or log odds"),
    "prior_sd": Column("number", "its standard deviation"),
    "evidence_mean": Column("number", "of the evidence without the prior, on the same scale"),
    "evidence_sd": Column("number", "its standard deviation; none of a cohort in a pool"),
    **{
        f"{of}_{end}": Column("number", f"{meaning}, {whose}")
        for of, whose in (("prior", "by the prior"), ("evidence", "by the evidence without it"))
        for end, meaning in (
            ("estimate", "what is most likely"),
            ("lower", "lower end of its interval"),
            ("upper", "upper end of its interval"),
        )
    },
    "z": Column("number", "evidence less prior, or printed less predicted, over its sd"),
    "in_conflict": Column("flag", "whether z is beyond 2, of a printed number beyond 2.58"),
    "wider_estimate": Column("number", "posterior median under the wider priors of `scenario`"),
    "wider_lower": Column("number", "lower end of that posterior's interval"),
    "wider_upper": Column("number", "upper end of that posterior's interval"),
    # overlap
    "centre": Column("text", "same, different, or not printed"),
    "enrolment": Column("text", "overlap, do not overlap, or not printed"),
    "days_in_common": Column("number", "days on which both enrolled", "days"),
    "finding": Column("text", "what centre and enrolment mean, for people"),
    # leave-one-out
    "model": Column("text", "name of a scenario, or `main`; of a conflict the wider priors'"),
    "elpd_loo": Column("number", "expected log predictive density"),
    "se": Column("number", "its standard error"),
    "p_loo": Column("number", "effective number of parameters"),
    "difference": Column("number", "in elpd to the first model"),
    "difference_se": Column("number", "its standard error"),
    "largest_pareto_k": Column("number", "of all units"),
    "k_threshold": Column("number", "up to which importance sampling is reliable"),
    "above_threshold": Column("whole", "units above it"),
    "row": Column("whole", "line in the cohort's file"),
    "pareto_k": Column("number", "of that patient"),
    # adverse events, audit, recovered tables
    "adverse_event": Column("text", "name of the event"),
    "grade": Column("text", "its grade"),
    "check": Column("text", "what was checked"),
    "as_printed": Column("text", "what is printed"),
    "recomputed": Column("text", "what it should be"),
    "verdict": Column("text", "ok, rounding, conflict or ambiguous"),
    "responders": Column("whole", "with the level", "patients"),
    "unique": Column("flag", "whether no other table fits"),
}
"""Every column of every table, of one meaning wherever it stands."""

CONTRAST = ("covariate", "level", "versus", "contrast")
MEANT = ("endpoint", "estimand", *CONTRAST)
ERRORS = ("mcse", "lower_mcse", "upper_mcse", "prob_mcse")
WHOSE = ("cohort", "endpoint", "estimand")
NUMBERS = ("estimate", "lower", "upper", "interval")
POSTERIOR = (
    *(*WHOSE, *CONTRAST, "parameter", "subgroup", "horizon", "time_unit"),
    *("from_month", "until_month", "unit", "method", *NUMBERS, "prob_above_null", *ERRORS),
    *("followed_to", "informed", "borrowed", "extrapolated", "synthetic", "basis", "note"),
)
"""Columns of an estimate that has draws behind it."""
FREQUENTIST = (
    *(*WHOSE, *CONTRAST, "subgroup", "horizon", "time_unit", "unit", "method", "adjustment"),
    *(
        "adjusted_for",
        *NUMBERS,
        "p",
        "n",
        "n_left_out",
        "events",
        "masked",
        "synthetic",
        "evidence",
        "note",
    ),
)
"""Columns of an estimate of frequentist methods."""
ITEM = (
    *("cohort", "endpoint", "item", "kind", "covariate", "level", "versus", "subgroup"),
    *("horizon", "time_unit", "of_event", "adjusted_for"),
)
"""Columns that tell a printed item."""
TABLES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("effects", "part_effects", "subgroups", "curves"), POSTERIOR),
    **dict.fromkeys(("prediction", "prediction_curves"), (*POSTERIOR, "steps_from_mean")),
    **dict.fromkeys(("frequentist", "kaplan_meier"), FREQUENTIST),
    "predictive": (
        *(*WHOSE, "covariate", "level", "subgroup", "horizon", "time_unit", "unit", "method"),
        *NUMBERS,
        *("mcse", "lower_mcse", "upper_mcse", "n", "synthetic", "evidence", "note"),
    ),
    "scenarios": (*POSTERIOR, "scenario"),
    "heterogeneity": (*POSTERIOR, "heterogeneity_scale"),
    "leave_one_source_out": (*POSTERIOR, "left_out"),
    "pooled": (
        *(*WHOSE, *CONTRAST, "unit", "method", *NUMBERS, "prob_above_null", *ERRORS, "tau"),
        *("evidence", "synthetic", "note"),
    ),
    "adverse_events": (
        *(*WHOSE, "adverse_event", "grade", "unit", "method", *NUMBERS, "n", "events", "note"),
    ),
    "comparison": (
        *("cohort", *MEANT, "evidence", "method", "adjustment"),
        *("adjusted_for", "printed_estimate", "printed_lower", "printed_upper", "limits_from"),
        *("p", "n", "events", "masked", "estimand_is", "posterior_estimate", "posterior_lower"),
        *("posterior_upper", "interval", "shrinkage", "prob_above_null", "prob_wrong_sign"),
        *("exaggeration", "scepticism_limit", "posterior_mcse", "posterior_lower_mcse"),
        *("posterior_upper_mcse", "shrinkage_mcse", "prob_mcse", "prob_wrong_sign_mcse"),
        *("exaggeration_mcse", "role", "of_event", "synthetic", "note"),
    ),
    "replication": (
        *(*ITEM, "number", "unit", "printed", "predicted", "lower", "upper", "interval", "z"),
        *("in_conflict", "predicted_mcse", "lower_mcse", "upper_mcse", "z_mcse", "events"),
        *("total", "reached", "taken_out", "selected", "role", "synthetic", "note"),
    ),
    "page_fit": (
        *("cohort", "numbers", "chi2", "freedom", "p", "testable", "refuted", "conflicts"),
        *("emulator_rms", "emulator_worst", "item", "number", "z", "synthetic"),
    ),
    "association": (
        *("cohort", "covariate", "level", "other_covariate", "other_level", "unit"),
        *(*NUMBERS, *ERRORS[:3], "prior_estimate", "prior_lower", "prior_upper", "informed"),
        "synthetic",
    ),
    "evidence": (
        *(*ITEM, "role", "use", "n_missing", "masked", "note", "reading", "why"),
        *("source", "synthetic"),
    ),
    "conflict": (
        *(*WHOSE, *CONTRAST, "parameter", "horizon", "time_unit", "from_month", "until_month"),
        *("unit", "prior_mean", "prior_sd", "evidence_mean", "evidence_sd", "z", "z_mcse"),
        *("in_conflict", "prior_estimate", "prior_lower", "prior_upper", "evidence_estimate"),
        *("evidence_lower", "evidence_upper", *NUMBERS, *ERRORS[:3], "scenario"),
        *("wider_estimate", "wider_lower", "wider_upper", "wider_mcse", "wider_lower_mcse"),
        *("wider_upper_mcse", "synthetic"),
    ),
    "evidence_map": (
        *("cohort", *MEANT, "evidence", "events", "events_mcse", "shift", "shift_mcse"),
        *("own_events", "own_method", "only", "synthetic", "note"),
    ),
    "fragility": (
        *(*MEANT, "changed", "to", "estimate", "lower", "upper", "interval"),
        *(
            "prob_above_null",
            *ERRORS,
            "side",
            "on_the_edge",
            "same_as_main",
            "synthetic",
        ),
    ),
    "fragility_words": (
        *(*CONTRAST, "side", "on_the_edge", "changes", "changes_that_agree"),
        *("sceptics_limit", "sceptics_limit_mcse", "heterogeneity_scale_at_change"),
        *("heterogeneity_scale_at_change_mcse", "events_to_change", "events_to_change_mcse"),
        *("words", "synthetic"),
    ),
    "overlap": (
        *("cohort", "other", "centre", "enrolment", "days_in_common", "finding", "synthetic"),
    ),
    "loo": (
        *("unit", "model", "n", "elpd_loo", "se", "p_loo", "difference", "difference_se"),
        *("largest_pareto_k", "k_threshold", "above_threshold", "synthetic", "note"),
    ),
    "influential": ("cohort", "row", "pareto_k", "synthetic"),
    "audit": ("cohort", "item", "check", "as_printed", "recomputed", "verdict", "note"),
    "recovered_tables": ("cohort", "covariate", "level", "responders", "n", "unique"),
}
"""Columns of every table, in their order."""
TIMES = (
    *("estimate", "lower", "upper", "mcse", "lower_mcse", "upper_mcse"),
    *("printed", "predicted", "predicted_mcse"),
)
"""Columns that hold times where `unit` is one of time."""


@dataclass(frozen=True)
class Row:
    """One estimate; see `COLUMNS`."""

    cohort: str
    endpoint: str
    estimand: str
    covariate: str = ""
    level: str = ""
    versus: str = ""
    contrast: str = ""
    parameter: str = ""
    subgroup: str = ""
    horizon: float = NAN
    from_month: float = NAN
    until_month: float = NAN
    method: str = ""
    adjustment: str = ""
    adjusted_for: str = ""
    estimate: float = NAN
    lower: float = NAN
    upper: float = NAN
    interval: float = NAN
    prob_above_null: float = NAN
    p: float = NAN
    mcse: float = NAN
    lower_mcse: float = NAN
    upper_mcse: float = NAN
    prob_mcse: float = NAN
    n: float = NAN
    n_left_out: float = NAN
    events: float = NAN
    masked: bool = False
    followed_to: float = NAN
    informed: bool = True
    borrowed: bool = False
    extrapolated: bool = False
    steps_from_mean: float = NAN
    synthetic: bool = False
    evidence: str = ""
    tau: float = NAN
    basis: str = ""
    note: str = ""

    def but(self, **columns: Any) -> Row:
        """Copy with other values in some columns."""
        return replace(self, **columns)


def joined(*parts: str) -> str:
    """Parts of a note that say anything, in one line."""
    return "; ".join(part for part in parts if part)


def table(name: str, rows: Iterable[Row | Mapping[str, Any]]) -> pd.DataFrame:
    """Make a table of its rows; a column that it does not have is refused."""
    import pandas as pd

    found = [_cells(name, row) for row in rows]
    columns = TABLES[name]
    if unknown := sorted({key for row in found for key in row} - set(columns)):
        raise ValueError(f"table {name}: no column {', '.join(unknown)}")
    return completed(pd.DataFrame(found, columns=list(columns)))


def _cells(name: str, row: Row | Mapping[str, Any]) -> Mapping[str, Any]:
    """A row's cells by column; of a row of estimates those that the table has."""
    if not isinstance(row, Row):
        return row
    return {key: value for key, value in vars(row).items() if key in TABLES[name]}


def completed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the types of its columns and the units of its estimands; times are months."""
    frame = typed(frame)
    if {"unit", "estimand"} <= set(frame):
        unit = frame["unit"].where(frame["unit"] != "", frame["estimand"].map(UNITS))
        frame = typed(frame.assign(unit=unit))
    if "time_unit" in frame:
        timed = frame[_counted_times(frame)].notna().any(axis=1)
        unit = frame["time_unit"].mask(timed & (frame["time_unit"] == ""), "months")
        frame = frame.assign(time_unit=unit)
    return frame


def _counted_times(frame: pd.DataFrame) -> list[str]:
    return [name for name in ("horizon", "followed_to") if name in frame]


def in_unit(frame: pd.DataFrame, unit: Unit) -> pd.DataFrame:
    """A table of months with its times in another unit."""
    if unit == "months" or "time_unit" not in frame:
        return frame
    months, timed = MONTHS_PER_UNIT[unit], frame["time_unit"] == "months"
    found = {"time_unit": frame["time_unit"].mask(timed, unit)}
    for name in _counted_times(frame):
        found[name] = frame[name].mask(timed, (frame[name] / months).round(PLACES))
    if "unit" in frame:
        is_time = frame["unit"] == "months"
        found["unit"] = frame["unit"].mask(is_time, unit)
        for name in (name for name in TIMES if name in frame):
            found[name] = frame[name].mask(is_time, frame[name] / months)
    return frame.assign(**found)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the types of its columns: missing text is empty, a missing flag False."""
    known = [name for name in frame.columns if name in COLUMNS]
    return frame.assign(**{name: _typed(frame[name], COLUMNS[name].kind) for name in known})


def _typed(cells: pd.Series, kind: Kind) -> pd.Series:
    """Cells of one kind."""
    import pandas as pd

    if kind == "text":
        found = zip(cells, cells.isna(), strict=True)
        return pd.Series(["" if no else str(cell) for cell, no in found], cells.index, object)
    if kind == "flag":
        return cells.astype(object).isin([True, "True"])
    return cells.astype(float if kind == "number" else int)
