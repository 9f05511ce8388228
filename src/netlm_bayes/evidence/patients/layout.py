"""How a file of patients is laid out, where it is not by our names: columns, units, recodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.documents import Document, Fault, Text, did_you_mean, repeated

DAYS_PER_MONTH = 30.4375
MONTHS_PER_UNIT = {
    "days": 1 / DAYS_PER_MONTH,
    "weeks": 7 / DAYS_PER_MONTH,
    "months": 1.0,
    "years": 12.0,
}
CODES = {
    "event": ("0", "1"),
    RESPONSE: ("CR", "PR", "SD", "PD"),
    "synthetic": ("no", "yes"),
}
"""What columns with codes may hold, whatever the codebook."""


def _as_text(value: Any) -> Any:
    """Take the number 1 where a file has the text 1."""
    return str(value) if type(value) is int else value


TIME_COLUMNS = ("time", "entry", "time_lower", "time_upper")
Time = Literal["time", "entry", "time_lower", "time_upper"]
Unit = Literal["days", "weeks", "months", "years"]
Recode = dict[str, Annotated[str, BeforeValidator(_as_text)]]


class Layout(Document):
    """A file of patients and how to read it."""

    file: Text  # path of a CSV or Parquet, beside the cohort's file
    # name in the file of each canonical column that is called otherwise there
    columns: dict[Text, Text] = Field(default_factory=dict)
    # unit of time columns; that of `time` holds for those not given. A month has 30.4375 days, a
    # year 12 months
    units: dict[Time, Unit] = Field(default_factory=dict)
    # for a column, what stands in the file and what it means; `""` is missing
    recodes: dict[Text, Recode] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()  # columns of the file to leave
    # delimiter, decimal: of a CSV where they cannot be told from it
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    decimal: Literal["", ".", ","] = ""

    def faults(self) -> Iterator[Fault]:
        """One column of the file cannot be two of ours, nor both used and left."""
        for name in repeated(self.columns.values()):
            yield ("columns",), f"must each be another column; got '{name}' twice"
        for canonical, name in self.columns.items():
            if name in self.ignore:
                yield ("columns", canonical), f"'{name}' is in 'ignore' as well"
        if self.decimal == "," == self.delimiter:
            yield ("decimal",), "must not be ',', which is the delimiter"

    def months_per(self, column: str) -> float:
        """Months in one step of a time column."""
        return MONTHS_PER_UNIT[self.unit(column)]

    def unit(self, column: str) -> str:
        """Unit of a time column."""
        units = {str(name): str(unit) for name, unit in self.units.items()}
        return units.get(column, units.get("time", "months"))


def layout_faults(layout: Layout, codebook: Codebook, known: tuple[str, ...]) -> Iterator[Fault]:
    """Faults of a layout against the codebook, each with its place in the layout."""
    for key, names in (("columns", layout.columns), ("recodes", layout.recodes)):
        for name in names:
            if name not in known:
                there = did_you_mean(name, known) or "; it must be a name of ours or the codebook's"
                yield (key, name), f"no such column{there}"
    for name, recode in layout.recodes.items():
        allowed = allowed_codes(name, codebook)
        for theirs, ours in recode.items() if name in known else ():
            if ours and ours not in allowed:
                right = ", ".join([*allowed, '"" (missing)'])
                what = f"must be one of {right}; got '{ours}'{did_you_mean(ours, allowed)}"
                yield ("recodes", name, theirs), what


def allowed_codes(column: str, codebook: Codebook) -> tuple[str, ...]:
    """Codes that may stand in a column; none for numbers and names."""
    if column in CODES:
        return CODES[column]
    covariate = codebook.covariates.get(column)
    return covariate.levels if covariate else ()
