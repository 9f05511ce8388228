"""Tables as runs write them, small and invented, of which charts are made."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netlm_bayes.report.labels import Labels
from netlm_bayes.results import completed

type Tables = dict[str, pd.DataFrame]

NAN = math.nan
SHARED = ["pooled", "next institution"]
BOTH = ["east-2016", "west-2022", *SHARED]
LABELS = Labels(
    cohorts={"east-2016": "All primaries, 2016-2020", "west-2022": "Rectal primaries, 2022-2024"},
    covariates={"burden": "Hepatic tumour burden", "grade": "Ki67", "bone": "Bone metastasis"},
    endpoints={"pfs": "overall PFS", "hepatic_pfs": "hepatic PFS"},
    levels={
        "burden": ("<10%", "10-25%", "25-50%", ">50%"),
        "grade": ("<=10%", ">10%"),
        "bone": ("no", "yes"),
    },
    events={"pfs": "relapse or death", "hepatic_pfs": "hepatic relapse"},
    event_free={"pfs": "relapse-free", "hepatic_pfs": "free of hepatic relapse"},
)
LOG_HR = {
    ("burden", "10-25%", "<10%"): 0.60,
    ("burden", "25-50%", "<10%"): 0.72,
    ("burden", ">50%", "<10%"): 1.00,
    ("burden", ">25%", "<=25%"): 0.55,
    ("grade", ">10%", "<=10%"): 0.70,
    ("bone", "yes", "no"): 1.02,
}
MEDIANS = {"<10%": 25.2, "10-25%": 13.6, "25-50%": 11.2, ">50%": 12.3}
GROUPS = [("", ""), *((name, x) for name, levels in LABELS.levels.items() for x in levels)]
MONTHS = np.arange(0.0, 37.5, 1.5)
FOLLOWED = 24.0
PROFILE = ("burden: >50%", "grade: >10%")
BASIS = "averaged over bone as in the population, taken as independent"


def tidy(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Rows with the columns of a table of estimates."""
    about = dict.fromkeys(("covariate", "level", "versus", "parameter", "subgroup", "note"), "")
    numbers = {"horizon": NAN, "interval": 0.95, "prob_above_null": NAN, "mcse": 0.01}
    flags = {"informed": True, "borrowed": False, "extrapolated": False, "masked": False}
    rest = {**about, **numbers, **flags, "method": "posterior", "endpoint": "pfs"}
    rest |= {"unit": "", "time_unit": ""}
    return completed(pd.DataFrame([{**rest, **row} for row in rows]))


def levels(covariate: str, level: str, versus: str = "") -> dict[str, Any]:
    """What a row is about; nothing is everyone."""
    of_level = f"{covariate}: {level}" if level else ""
    subgroup = "" if versus else of_level if covariate else "overall"
    return {"covariate": covariate, "level": level, "versus": versus, "subgroup": subgroup}


def ends(middle: float, half: float) -> dict[str, float]:
    return {"estimate": middle, "lower": max(middle - half, 0), "upper": min(middle + half, 1)}


def interval(log_ratio: float, se: float) -> dict[str, Any]:
    """A ratio with its 95 % interval and its probability of exceeding 1."""
    estimate, lower, upper = (math.exp(log_ratio + side * 1.96 * se) for side in (0, -1, 1))
    above = 0.5 * (1 + math.erf(log_ratio / se / math.sqrt(2)))
    return {"estimate": estimate, "lower": lower, "upper": upper, "prob_above_null": above}


def spread(cohort: str) -> float:
    """Standard error that suits a cohort of the examples."""
    return {"east-2016": 0.31, "west-2022": 0.45, "pooled": 0.36}.get(cohort, 0.7)


def effects(cohorts: Sequence[str], estimand: str = "hazard_ratio") -> pd.DataFrame:
    sign = 1 if estimand == "hazard_ratio" else -1
    rows: list[dict[str, Any]] = []
    for contrast, log_ratio in LOG_HR.items():
        for cohort in cohorts:
            common = {"cohort": cohort, "estimand": estimand, **levels(*contrast)}
            found = interval(sign * (0.85 - spread(cohort) / 4) * log_ratio, spread(cohort))
            rows += [{**common, **found}, {**common, **interval(0.0, 0.75), "method": "prior"}]
    if "pooled" in cohorts:
        names = [("covariate", name) for name in LABELS.covariates]
        for kind, name in [*names, ("parameter", "level"), ("parameter", "shape")]:
            common = {"cohort": "pooled", "estimand": "heterogeneity", kind: name}
            for method, upper in (("posterior", 0.9), ("prior", 1.12)):
                found = {"estimate": 0.3, "lower": 0.02, "upper": upper, "method": method}
                rows.append({**common, **found})
        offset = {"cohort": "pooled", "estimand": "hazard_ratio", "endpoint": "hepatic_pfs"}
        rows.append({**offset, **interval(-0.1, 0.2), "level": "hepatic_pfs", "versus": "pfs"})
    return tidy(rows)


def comparison() -> pd.DataFrame:
    printed = [("east-2016", "pfs", x, y, 0.36, "fit") for x, y in LOG_HR.items() if x[1] != ">25%"]
    hepatic = ("burden", ">25%", "<=25%")
    printed += [
        ("west-2022", "hepatic_pfs", hepatic, 1.432, 0.616, "fit"),
        ("east-2016", "pfs", ("bone", "yes", "no"), 1.264, 0.297, "check"),
    ]
    rows = []
    for cohort, endpoint, contrast, log_ratio, se, role in printed:
        own = {f"printed_{key}": value for key, value in interval(log_ratio, se).items()}
        after = interval(0.8 * log_ratio, spread(cohort))
        own |= {f"posterior_{key}": value for key, value in after.items()}
        own |= {"prob_above_null": after["prob_above_null"], "role": role, "adjustment": ""}
        rows.append({"cohort": cohort, "endpoint": endpoint, **levels(*contrast), **own})
    return pd.DataFrame(rows).assign(limits_from="", adjusted_for="", estimand_is="coefficient")


def curves(cohorts: Sequence[str]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for name, known in LABELS.levels.items():
        for place, level in enumerate(known):
            for cohort in cohorts:
                log_hazard = -0.9 + place / (len(known) - 1)
                shifts = (0, 1.6 * spread(cohort), -1.6 * spread(cohort))
                for month in MONTHS:
                    found = [
                        math.exp(-math.exp(log_hazard + x) * (month / 12) ** 1.2) for x in shifts
                    ]
                    values = dict(zip(("estimate", "lower", "upper"), found, strict=True))
                    row = {"cohort": cohort, "estimand": "survival", **levels(name, level)}
                    rows.append({**row, "horizon": month, **values})
    return tidy(rows)


NUMBERS = {"hazard_ratio": "log_ratio", "median": "median", "counts": "logit", "difference": ""}


def replicate(
    kind: str, about: tuple[str, ...], unit: str, printed: float, predicted: float, **more: Any
) -> dict[str, Any]:
    """One row of the replication table."""
    factor = 1.7 if unit == "ratio" else 1.35
    row = {"cohort": "east-2016", "endpoint": "pfs", "kind": kind, **levels(*about)}
    row |= {"unit": unit, "printed": printed, "predicted": predicted}
    row |= {"horizon": NAN, "time_unit": ""}
    row |= {"lower": predicted / factor, "upper": predicted * factor, "z": 0.4, "z_mcse": NAN}
    row |= {"number": NUMBERS[kind], "in_conflict": False, "taken_out": False}
    row |= {"role": "check", "adjusted_for": "", "of_event": "", "reached": True}
    return {**row, "events": NAN, "total": NAN, "note": "", **more}


def replication() -> pd.DataFrame:
    nothing = {"predicted": NAN, "z": NAN, "role": "unused"}
    hepatic = {"endpoint": "hepatic_pfs", "cohort": "west-2022"}
    several = {"subgroup": "burden: >50%, grade: >10%"}
    bone, everyone = ("bone", "yes", "no"), ("", "")
    grade = ("grade", ">10%", "<=10%")
    medians = [
        replicate("median", ("burden", level), "months", months, 9 + 0.4 * months)
        for level, months in MEDIANS.items()
    ]
    counted = {"endpoint": "response", "cohort": "west-2022", "events": 60, "total": 71}
    fitted = {"role": "fit", "adjusted_for": "burden, grade"}
    rows = [
        replicate("hazard_ratio", bone, "ratio", 2.9, 2.6, **fitted),
        replicate("hazard_ratio", ("burden", ">50%", "<10%"), "ratio", 2.78, 2.5),
        replicate("hazard_ratio", grade, "ratio", 1.98, 0.9, z=3.14, in_conflict=True),
        replicate("hazard_ratio", bone, "standard error", 0.31, 0.29, number="log_se", **fitted),
        replicate("hazard_ratio", ("age", ""), "ratio", 1.009, **nothing),
        *medians,
        replicate("median", everyone, "months", 13.9, 14.1, role="fit"),
        replicate("median", everyone, "months", 11.1, 12, **hepatic),
        replicate("median", ("burden", ">50%"), "months", 9.7, 9.9, **hepatic),
        replicate("median", everyone, "months", 12.6, **(nothing | several)),
        replicate("counts", everyone, "probability", 0.845, 0.70, **counted),
    ]
    return pd.DataFrame(rows)


def by_choice(column: str, choices: Iterable[Any], estimand: str = "hazard_ratio") -> pd.DataFrame:
    """Effects and everyone's median under each of several choices."""
    parts = []
    for place, choice in enumerate(choices):
        table = effects(BOTH, estimand).query("method == 'posterior'")
        numbers = ["estimate", "lower", "upper"]
        moved = table.assign(**{name: table[name] * 1.06**place for name in numbers})
        median = {"cohort": "pooled", "estimand": "median", "subgroup": "overall"}
        months = {"estimate": 13.4 + place, "lower": 10.9 + place, "upper": 16.5 + place}
        parts.append(pd.concat([moved, tidy([median | months])]).assign(**{column: choice}))
    return pd.concat(parts, ignore_index=True)


def responses(cohorts: Sequence[str]) -> pd.DataFrame:
    return tidy(
        {
            "cohort": cohort,
            "endpoint": "response",
            "estimand": "response_probability",
            **levels(*group),
            **ends(0.85 - 0.04 * place - 0.03 * shift, 0.1),
        }
        for place, group in enumerate(GROUPS)
        for shift, cohort in enumerate(cohorts)
    )


def predictive(cohorts: Sequence[str], sizes: Sequence[int] = ()) -> Tables:
    """Every group with predicted and observed curve and numbers at risk."""
    predicted, observed = [], []
    for place, cohort in enumerate(cohorts):
        n = sizes[place] if sizes else 60 + place
        for shift, group in enumerate(GROUPS):
            for month in MONTHS:
                share = math.exp(-0.06 * month * (1 + 0.1 * shift))
                row = {"cohort": cohort, "horizon": month, **levels(*group)}
                predicted.append({**row, "estimand": "predictive_survival", **ends(share, 0.12)})
                observed.append({**row, "estimand": "survival", **ends(share**1.2, 0.1)})
                count = int(n * share**2)
                few = 0 < count < 5
                at_risk = {"estimate": NAN if few else float(count), "masked": few}
                observed.append({**row, "estimand": "at_risk", **at_risk})
    return {"predictive": tidy(predicted), "kaplan_meier": tidy(observed)}


def predicted_responses(cohorts: Sequence[str]) -> pd.DataFrame:
    rows = []
    for place, cohort in enumerate(cohorts):
        for shift, group in enumerate(GROUPS):
            row = {"cohort": cohort, "estimand": "predictive_response", **levels(*group)}
            row |= {"endpoint": "response"}
            share = 0.7 - 0.05 * shift - 0.02 * place
            rows.append({**row, **ends(share, 0.1), "method": "posterior predictive"})
            alone = {"estimate": share + 0.03, "lower": NAN, "upper": NAN}
            rows.append({**row, **alone, "interval": NAN, "mcse": NAN, "method": "observed"})
    return tidy(rows)


def prediction(cohorts: Sequence[str]) -> Tables:
    """A kind of patient's curves on two endpoints, extrapolated from some month on."""
    lines, medians = [], []
    for place, cohort in enumerate(cohorts):
        for endpoint in LABELS.endpoints:
            hazard = 0.9 * np.exp(0.1 * place + spread(cohort) * np.array([0, 1, -1]))
            row = {"cohort": cohort, "endpoint": endpoint, "subgroup": ", ".join(PROFILE)}
            for month in MONTHS:
                found = np.exp(-hazard * (month / 12))
                values = dict(zip(("estimate", "lower", "upper"), found, strict=True))
                at = {"horizon": month, "extrapolated": month > FOLLOWED}
                lines.append({**row, "estimand": "survival", **at, **values})
            found = 12 * np.log(2) / hazard
            values = dict(zip(("estimate", "lower", "upper"), found, strict=True))
            medians.append({**row, "estimand": "median", **values})
    return {"prediction": tidy(medians), "prediction_curves": tidy(lines)}


def predicted_response(cohorts: Sequence[str]) -> Tables:
    values = {"pooled": ends(0.6, 0.2), "next institution": ends(0.6, 0.3)}
    row = {"endpoint": "response", "estimand": "response_probability"}
    found = [{"cohort": x, **row, **values.get(x, ends(0.55, 0.1))} for x in cohorts]
    return {"prediction": tidy(found)}


def evidence_map(cohorts: Sequence[str], **first: Any) -> pd.DataFrame:
    rows = []
    for contrast in (("burden", ">50%", "<10%"), ("bone", "yes", "no")):
        for place, name in enumerate(cohorts):
            row = {"evidence": "printed, curve", "events": 9.0 / (1 + place), "own_events": 16.0}
            row |= {"shift": 0.1, "shift_mcse": 0.01}
            rows.append({"cohort": name, **levels(*contrast), **row, "events_mcse": 0.02})
        rows.append({"cohort": "prior", **levels(*contrast), "events": 7.0})
        rows.append({"cohort": "all", **levels(*contrast), "events": 40.0})
    table = pd.DataFrame(rows).assign(only=False, estimand="hazard_ratio")
    for name, value in first.items():
        table.loc[0, name] = value
    if "own_events" not in table:
        table = table.assign(own_events=NAN, events_mcse=NAN, evidence="")
    return table.fillna({"evidence": ""})


def survival_run() -> Tables:
    named = ["main", "literal", "sceptical", "vague", "association"]
    return {
        "effects": effects(BOTH),
        "comparison": comparison(),
        "curves": curves(BOTH),
        "replication": replication(),
        "heterogeneity": by_choice("heterogeneity_scale", [0.25, 0.5, 1.0]),
        "scenarios": by_choice("scenario", named),
        "evidence_map": evidence_map(["east-2016", "west-2022"]),
    }


def response_run() -> Tables:
    return {
        "effects": effects(BOTH, "odds_ratio"),
        "comparison": comparison().iloc[:0],
        "subgroups": responses(BOTH),
        "predictive": predicted_responses(["east-2016", "west-2022", "pooled"]),
    }


def single_run() -> Tables:
    own = "cohort == 'east-2016'"
    return {
        "effects": effects(["east-2016"]),
        "comparison": comparison().query(own),
        "curves": curves(["east-2016"]),
        "replication": replication().query(own),
        "scenarios": by_choice("scenario", ["main", "vague"]).query(own),
        "subgroups": responses(["east-2016"]),
        **predictive(["east-2016"]),
    }


def large_run() -> Tables:
    """Many cohorts, and many patients at risk."""
    names = [f"hospital {number}" for number in range(9)]
    return {
        "effects": effects([*names[:5], *SHARED]),
        "comparison": comparison().iloc[:0],
        "curves": curves([*names[:5], "pooled"]),
        "replication": replication(),
        "subgroups": responses([*names, "pooled"]),
        "evidence_map": evidence_map([f"{name} with a long name" for name in names], only=True),
        **predictive([*names, "pooled"], [12345 + place for place in range(10)]),
    }
