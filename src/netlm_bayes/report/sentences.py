"""Sentences from templates: numbers enter by filters, which format them and record their cells.

A template in `text/` separates its sentences by empty lines and breaks its own lines at will. What
a filter gives is a mark in the rendered text; when sentences are taken out of that text, each mark
is replaced by its number, and the sentence keeps where the number came from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from netlm_bayes.codebook import EVENT, EVENT_FREE
from netlm_bayes.compare.evidence_map import moves
from netlm_bayes.formats import (
    ABOUT,
    ABOUT_COUNT,
    P_VALUE,
    PROBABILITY,
    SIGNED,
    STANDARDISED,
    around_one,
    error_of,
    kind_of,
    listed,
    percent,
    plain,
    shown,
)
from netlm_bayes.report.facts import Facts
from netlm_bayes.report.findings import side
from netlm_bayes.report.labels import RATIOS
from netlm_bayes.report.run_facts import CHECKS, MANIFEST, Condition, Row, Rows, Traced, at, pointer
from netlm_bayes.units import plain_time, unit_after

TEXT = Path(__file__).with_name("text")
NONE = "none"
"""How a sentence counts nothing."""
KINDS = {
    "probability": PROBABILITY,
    "p_value": P_VALUE,
    "about": ABOUT,
    "signed": SIGNED,
    "standardised": STANDARDISED,
}
"""Kinds of numbers that a template names; other numbers have the kind of their row."""
START, END = "\ue000", "\ue001"
MARK = re.compile(f"{START}(\\d+){END}")


@dataclass(frozen=True)
class Sentence:
    """One sentence, and its numbers in their order."""

    text: str  # plain text, never markup
    numbers: tuple[Traced, ...]


class Compiled(BytecodeCache):
    """Compiled templates, kept for the next writer."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a compiled template."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Writer:
    """Renders templates over the facts of one run."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.traced: list[Traced] = []
        self.environment = Environment(
            loader=FileSystemLoader(TEXT),
            autoescape=False,  # plain text; the page escapes it
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=on_one_line,
            bytecode_cache=COMPILED,
        )
        self.environment.globals |= {
            "facts": facts,
            "stated": self.stated,
            "timed": self.timed,
            "checks": self.checks,
            "ratios": RATIOS,
            "moves": moves,
        }
        self.environment.filters |= {
            "number": self.number,
            "interval": self.interval,
            "probability": lambda row, column: self.number(row, column, "probability"),
            "p_value": lambda row, column: self.number(row, column, "p_value"),
            "percent": self.percent,
            "around_one": self.around_one,
            "events": self.events,
            "chosen": self.chosen,
            "cell": self.cell,
            "counted": self.counted,
            "check": self.check,
            "has": has,
            "side": side,
            "time_unit": lambda row, column: unit_after(row[column], row["time_unit"]),
            "is_infinite": math.isinf,
            "cohort": lambda name: self.label("cohorts", name, name),
            "covariate": lambda name: self.label("covariates", name, name),
            "endpoint": self.endpoint,
            "event": lambda name: self.label("events", name, EVENT),
            "event_free": lambda name: self.label("event_free", name, EVENT_FREE),
            "plain": lambda value: plain(float(value)),
            "listed": each_listed,
        }

    def sentences(self, template: str, **values: Any) -> list[Sentence]:
        """Render a template to its sentences."""
        return self.split(self.environment.get_template(f"{template}.j2").render(**values))

    def macros(self, template: str) -> Any:
        """Give the macros of a template, to be called by name."""
        return self.environment.get_template(f"{template}.j2").module

    def split(self, rendered: str) -> list[Sentence]:
        """Take the sentences out of a rendered template."""
        return [self._sentence(text) for text in re.split(r"\n\s*\n", rendered) if text.strip()]

    def _sentence(self, text: str) -> Sentence:
        text = re.sub(r" (?=[.,;:)])|(?<=\() ", "", " ".join(text.split()))
        numbers = tuple(self.traced[int(found[1])] for found in MARK.finditer(text))
        return Sentence(MARK.sub(lambda found: self.traced[int(found[1])].text, text), numbers)

    def mark(self, *traced: Any) -> str:
        """Record a number, and stand a mark in for it."""
        self.traced.append(Traced(*traced))
        return f"{START}{len(self.traced) - 1}{END}"

    # Filters: of rows.

    def number(self, row: Row, column: str, kind: str = "") -> str:
        """A number with the digits of its kind, as far as its Monte Carlo error supports them."""
        found = KINDS[kind] if kind else kind_of(row.values)
        text = shown(float(row[column]), error_of(row.values, column), found)
        return self.mark(row.table, row.where, column, text)

    def interval(self, row: Row, prefix: str = "", middle: str = "estimate", kind: str = "") -> str:
        """Give `estimate (lower to upper)`."""
        columns = [f"{prefix}{name}" for name in (middle, "lower", "upper")]
        estimate, lower, upper = (self.number(row, column, kind) for column in columns)
        return f"{estimate} ({lower} to {upper})"

    def percent(self, row: Row, column: str) -> str:
        """A share in percent."""
        text = percent(float(row[column]), error_of(row.values, column))
        return self.mark(row.table, row.where, column, text)

    def around_one(self, row: Row, column: str) -> str:
        """An interval symmetric around one on the log scale, by its upper limit."""
        text = around_one(float(row[column]), error_of(row.values, column))
        return self.mark(row.table, row.where, column, text)

    def events(self, row: Row, column: str) -> str:
        """About how many events, at least one; a bound where draws support no digit."""
        text = shown(max(1.0, row[column]), error_of(row.values, column), ABOUT_COUNT)
        how = "fewer than" if text.startswith("<") else "about"
        return f"{how} {self.mark(row.table, row.where, column, text.removeprefix('<'))}"

    def chosen(self, row: Row, column: str, factor: float = 1.0) -> str:
        """A number that was chosen or counted, and has no error."""
        text = plain(factor * float(row[column])) + (" %" if factor == 100 else "")
        return self.mark(row.table, row.where, column, text)

    def cell(self, row: Row, column: str) -> str:
        """A cell of text."""
        return self.mark(row.table, row.where, column, str(row[column]))

    def counted(self, rows: Rows) -> str:
        """How many rows meet the conditions."""
        return self.mark(rows.table, rows.where, "", str(len(rows) or NONE))

    # Filters and globals: of checks and manifest.

    def check(self, check: Any, field: str) -> str:
        """A number of a convergence check."""
        where: tuple[Condition, ...] = (("name", "==", check.name),)
        return self.mark(CHECKS, where, field, plain(getattr(check, field)))

    def checks(self, passed: bool | None = None) -> str:
        """How many checks passed, or failed, or how many there are."""
        found = [check for check in self.facts.checks if passed in (None, check.passed)]
        where: tuple[Condition, ...] = () if passed is None else (("passed", "==", passed),)
        return self.mark(CHECKS, where, "", str(len(found)))

    def stated(self, *path: str | int) -> str:
        """What the manifest says of model and cohorts; of a list how long it is."""
        value = at(self.facts.details, path)
        value = len(value) if isinstance(value, list) else value
        text = plain(value) if isinstance(value, float) else str(value)
        return self.mark(MANIFEST, (), pointer(("details", *path)), text)

    def timed(self, *path: str | int) -> str:
        """Months that the manifest states, in the model's unit."""
        unit = self.facts.spec.time_unit
        time = plain_time(float(at(self.facts.details, path)), unit)
        number = self.mark(MANIFEST, (), pointer(("details", *path)), plain(time))
        return f"{number} {unit_after(time, unit)}"

    def label(self, kind: str, name: str, otherwise: str) -> str:
        """Label of a name; the pool and the next institution have none."""
        known = name in self.facts.labels.get(kind, {})
        return self.stated("labels", kind, name) if known else otherwise

    def endpoint(self, name: str) -> str:
        """Label of an endpoint; one that starts at a landmark has a key of its own."""
        keys = self.facts.labels["endpoints"]
        found = [key for key in keys if key == name or key.startswith(f"{name}_from_month")]
        return self.stated("labels", "endpoints", found[0]) if found else name


def on_one_line(value: Any) -> Any:
    """What is put into a text, without line breaks: these part sentences."""
    return " ".join(value.split()) if isinstance(value, str) else value


def has(row: Row, column: str) -> bool:
    """Whether a row has a number in a column."""
    value = row.get(column, None)
    return value is not None and value == value


def each_listed(
    items: Iterable[Any], each: Callable[[Any], str] = str, comma: str = ", ", last: str = " and "
) -> str:
    """Write every item, and list them as a sentence does."""
    return listed([each(item) for item in items], comma, last)
