"""The cohort files say what the papers print: held number by number against a second transcription.

`transcription.csv` was typed from the papers by another hand, with names of its own. Numbers are
compared digit by digit, so that 2.840 is not 2.84, and both ways: no number of the papers is
missing from the files, and the files hold no number that is not in the papers.
"""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohort
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import AdverseEvent, Statistic
from netlm_bayes.published.items import Counts, Logrank, Margin, Median, Ratio, Restated

CSV = Path(__file__).with_name("transcription.csv")


class Fact(NamedTuple):
    """What a number is of, and where it is printed, in the names of the CSV."""

    cohort: str
    kind: str
    endpoint: str = ""
    covariate: str = ""
    level: str = ""
    versus: str = ""
    subgroup: str = ""
    model: str = ""
    field: str = ""
    source: str = ""


# By name and key in the cohort files: covariate and field in the CSV.
STATISTICS = {
    ("enrolment flow", "total"): ("", "screened"),
    ("enrolment flow", "prior_embolisation"): ("", "excluded_prior_embolisation"),
    ("enrolment flow", "lost_to_follow_up"): ("", "excluded_lost"),
    ("embolisation procedures", "total"): ("", "procedures"),
    ("embolisation procedures", "per_patient"): ("", "procedures_per_patient"),
    ("planned sessions", "location"): ("", "planned_sessions"),
    ("interval between sessions", "minimum"): ("", "session_interval_min_weeks"),
    ("interval between sessions", "maximum"): ("", "session_interval_max_weeks"),
    ("first imaging after a session", "location"): ("", "imaging_after_session_months"),
    ("interval between scans", "minimum"): ("", "imaging_interval_min_months"),
    ("interval between scans", "maximum"): ("", "imaging_interval_max_months"),
    ("follow-up", "location"): ("follow_up", "median_months"),
    ("follow-up", "minimum"): ("follow_up", "min_months"),
    ("follow-up", "maximum"): ("follow_up", "max_months"),
    ("age", "location"): ("age", "location"),
    ("age", "minimum"): ("age", "minimum"),
    ("age", "maximum"): ("age", "maximum"),
    ("Ki67", "location"): ("ki67_percent", "location"),
    ("Ki67", "minimum"): ("ki67_percent", "minimum"),
    ("Ki67", "maximum"): ("ki67_percent", "maximum"),
}
EVENTS = {
    "raised liver enzymes": "elevated_liver_enzymes",
    "transient hypertension": "hypertension",
}
OVER_75 = "burden over 75 % among those over 50 %"
SYNDROME = {
    ("grade of the postembolisation syndrome", "minimum"): "min_grade",
    ("grade of the postembolisation syndrome", "maximum"): "max_grade",
    ("relief of the postembolisation syndrome", "maximum"): "relieved_within_weeks",
}

# Rows of the CSV that the cohort files do not hold; an empty field or source stands for any.
CASE = Fact("sysu-2016-2020", "statistic", subgroup="patient=figure_6")
ONLY_IN_PRINT = {
    CASE: "one patient's case, of whom nothing is modelled",
    CASE._replace(covariate="age"): "one patient's case",
    CASE._replace(covariate="ki67_percent"): "one patient's case",
    CASE._replace(endpoint="pfs"): "one patient's case",
    Fact(
        "sysu-2016-2020",
        "adverse_event",
        covariate="postembolization_syndrome",
        field="relieved_within_weeks",
        source="Discussion",
    ): "the week of Section 3.5 again; a restatement has no key for weeks",
    Fact(
        "sysu-2016-2020",
        "median",
        endpoint="extrahepatic_pfs",
        field="not_reached",
        source="Figure 4 caption",
    ): "not reached, as in Section 3.2; a restatement has no key for what is no number",
}
# Numbers of the cohort files that are not printed as such, by kind, covariate and key.
DERIVED = {
    ("median", "", "n"): "patients of the cohort, or of a row of Table 1",
    ("median", "", "followed_to"): "the upper end of follow-up, printed with its range",
    ("margin", "site", "values.pancreas"): "Table 1 against its other rows; none by the abstract",
    ("margin", "site", "values.nonpancreas"): "all other rows of Table 1; all by the abstract",
    ("margin", "ki67", "values.<=10%"): "two rows of Table 1 joined",
    ("margin", "ki67", "values.>10%"): "printed as the last of three bands",
    ("margin", "prior_liver_treatment", "values.none"): "by subtraction",
    ("margin", "", "missing"): "0: nobody is said to be missing",
}


def place(source: str) -> str:
    """`Table 3, univariate` to `Table 3`."""
    found = re.match(r"Abstract|Discussion|(Table|Section|Figure) [\d.]+", source)
    assert found, source
    return found[0] + (" caption" if found[0].startswith("Figure") else "")


def of_item(cohort: Cohort, item: AnyItem) -> Fact:
    """What an item's numbers are of, all but field and source."""
    model = re.search(r"(uni|multi)variate", item.source)
    endpoint = getattr(item, "endpoint", "")
    if isinstance(item, Counts) or (isinstance(item, Ratio) and item.kind == "odds_ratio"):
        endpoint = "response"
    literal = next((other for other in item.otherwise if other.reading == "literal"), item)
    subgroup = getattr(item, "subgroup", {})
    return Fact(
        cohort.id,
        item.kind,
        endpoint,
        getattr(item, "covariate", ""),
        "+".join(getattr(literal, "level", ())),
        "+".join(getattr(literal, "versus", ())),
        ";".join(f"{name}={'+'.join(levels)}" for name, levels in subgroup.items()),
        model[0] if model else "",
    )


def of_statistic(fact: Fact, name: str, key: str) -> Fact:
    key = key.removeprefix("excluded.")
    if name == OVER_75:
        part = Fact(fact.cohort, "margin", covariate="htb", level=">75%", subgroup="htb=>50%")
        whole = Fact(fact.cohort, "margin", covariate="htb", level=">50%")
        return (part if key == "part" else whole)._replace(field="n")
    if (name, key) in SYNDROME:
        fact = Fact(fact.cohort, "adverse_event", covariate="postembolization_syndrome")
        return fact._replace(field=SYNDROME[name, key])
    covariate, field = STATISTICS[name, key]
    return fact._replace(covariate=covariate, field=field)


def numbers_of(item: AnyItem) -> Iterator[tuple[str, Decimal | int | bool]]:
    """Every number stated of an item, and `true`; those in tables as `values.CR`."""
    for key, value in item:
        if key not in item.model_fields_set:
            continue
        inside = value if isinstance(value, dict) else {"": value}
        for name, number in inside.items():
            if isinstance(number, (Decimal, int)) and number is not False:
                yield f"{key}.{name}".removesuffix("."), number


def printed_once(cohort: Cohort, item: AnyItem) -> Iterator[tuple[Fact, Decimal | int | bool]]:
    """Every number of an item that is printed where the item is."""
    fact = of_item(cohort, item)
    for key, number in numbers_of(item):
        field, _, name = key.partition(".")
        if {(item.kind, covariate, key) for covariate in (fact.covariate, "")} & set(DERIVED):
            continue
        match item:
            case Statistic():
                yield of_statistic(fact, item.name, key), number
            case AdverseEvent():
                event = EVENTS.get(item.event, item.event.replace(" ", "_"))
                yield fact._replace(covariate=event, field=key), number
            case Margin():
                named = "n" if field == "values" else field
                yield fact._replace(level=name, field=named), number
            case Counts() if number or cohort.id != "sysu-rectal-2022-2024":
                # The abstract does not mention complete responses: its 0 is a reading.
                yield fact._replace(field=name if field == "values" else f"{name}_percent"), number
            case Ratio() | Logrank() | Median():
                yield fact._replace(field=key.replace("time", "months")), number


def printed_again(
    cohort: Cohort, item: AnyItem, said: Restated
) -> Iterator[tuple[Fact, Decimal | int]]:
    """Every number of a restatement."""
    fact, level = of_item(cohort, item), "+".join(said.level)
    names = {key: key for key in ("estimate", "lower", "upper", "p", "p_below")}
    names |= {"time": "months", "percent": "percent", "count": "n"}
    if isinstance(item, Counts):
        total = said.level == ("CR", "PR")
        names |= {"count": level, "percent": "orr_percent" if total else f"{level}_percent"}
    elif isinstance(item, Margin) and "grade 2" in said.source:
        fact = fact._replace(covariate="grade", level="G2")
    elif isinstance(item, Margin):
        fact = fact._replace(level="any" if len(said.level) > 1 else level)
    elif isinstance(item, AdverseEvent):
        fact = fact._replace(covariate="treatment_associated_death")
    for key, field in names.items():
        number = getattr(said, key)
        if number is not None:
            yield fact._replace(field=field), number


def in_files() -> dict[Fact, str]:
    """Every printed number of the bundled cohorts."""
    found: dict[Fact, str] = {}
    for cohort in (read_cohort(name).cohort for name in BUNDLED_COHORTS):
        numbers = []
        for item in cohort.published:
            numbers += [(f, n, item.source) for f, n in printed_once(cohort, item)]
            for said in item.restated:
                numbers += [(f, n, said.source) for f, n in printed_again(cohort, item, said)]
        for fact, number, source in numbers:
            printed, text = fact._replace(source=place(source)), str(number).lower()
            assert found.setdefault(printed, text) == text, f"two values for {printed}"
        header = Fact(cohort.id, "statistic")
        first, last = map(str, cohort.enrolment)
        for field, value in (("n", cohort.n), ("enrolment_from", first), ("enrolment_to", last)):
            found[header._replace(field=field)] = str(value)
    return found


def csv_rows() -> list[tuple[Fact, str]]:
    with CSV.open(encoding="utf-8", newline="") as file:
        return [(Fact(**row), value) for row in csv.DictReader(file) if (value := row.pop("value"))]


def in_print() -> dict[Fact, str]:
    """Every row of the CSV but those listed; what stands in a file's head has no one source."""
    found: dict[Fact, str] = {}
    for row, value in csv_rows():
        head = row.kind == "statistic" and row.field in {"n", "enrolment_from", "enrolment_to"}
        fact = row._replace(source="") if head else row
        if listed(fact) is None:
            assert found.setdefault(fact, value) == value, f"two values for {fact}"
    return found


def listed(fact: Fact) -> Fact | None:
    """The entry of `ONLY_IN_PRINT` that leaves a row out."""
    whole_case = fact._replace(field="", source="")
    return next((entry for entry in (fact, whole_case) if entry in ONLY_IN_PRINT), None)


@pytest.fixture(scope="module")
def files() -> dict[Fact, str]:
    return in_files()


@pytest.fixture(scope="module")
def print_() -> dict[Fact, str]:
    return in_print()


def same_digits(one: str, other: str) -> bool:
    """Equal, with the same number of decimals; a day against its printed month, or a word."""
    if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", other):
        return one.startswith(other)
    if not re.fullmatch(r"-?\d+(\.\d+)?", other):
        return one == other
    return Decimal(one).as_tuple() == Decimal(other).as_tuple()


def test_every_printed_number_is_in_the_cohort_files(files, print_):
    assert sorted(set(print_) - set(files)) == []


def test_every_number_of_the_cohort_files_is_printed(files, print_):
    assert sorted(set(files) - set(print_)) == []


def test_every_number_has_the_printed_digits(files, print_):
    both = sorted(set(files) & set(print_))
    assert [(f, files[f], print_[f]) for f in both if not same_digits(files[f], print_[f])] == []


def test_the_comparison_does_not_shrink(print_):
    # Of 358 rows 7 are listed, and 3 say n or a day of enrolment a second time.
    assert len(csv_rows()) == 358
    assert sum(listed(fact) is not None for fact, _ in csv_rows()) == 7
    assert len(print_) == 358 - 7 - 3


def test_every_listed_row_is_still_in_the_csv():
    assert {listed(fact) for fact, _ in csv_rows()} - {None} == set(ONLY_IN_PRINT)


@pytest.mark.parametrize(("one", "other"), [("2.84", "2.840"), ("16", "16.0"), ("0.05", "0.06")])
def test_a_lost_digit_is_seen(one, other):
    assert not same_digits(one, other)
