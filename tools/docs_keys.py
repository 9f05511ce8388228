"""Write docs/keys.md: every key of every file that people write, from the schemas.

    python tools/docs_keys.py

A key's meaning stands once, beside its field: as its `description`, as the comment beside or above
it, or in the numpydoc attributes of its class. What several schemas call by one name has one
meaning, here. A key without a meaning is refused.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from netlm_bayes.choices import DEFAULT_PRIORS, Prior
from netlm_bayes.codebook import PATIENT_COLUMNS as COLUMNS
from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Document
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Item, as_tuple

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
HEAD = """\
# Every key of every file

Written by `tools/docs_keys.py` from the schemas that `netlm-bayes check` holds files to;
[own-paper.md](own-paper.md) shows them at work. A key is needed where the table says so; some are
needed beside others, or in place of others, and `check` says which. Numbers of a paper are written
as printed, `2.840` and not `2.84`.
"""
PATIENTS = """\
## A table of patients

One row a patient; [patients.md](patients.md) shows one. `time` and `event`, or `time_lower` and
`time_upper`, or `response` are needed; a covariate stands under its key in the codebook, or under
its `raw`.
"""
FILES: Mapping[str, type[Document]] = {
    "A codebook": Codebook,
    "A cohort": Cohort,
    "A model": Model,
}
SHARED = {
    "adjusted_for": 'other covariates of the regression; `["unstated"]` where the paper is silent',
    "approximate": "whether it is printed as a rounded or approximate number",
    "at_risk": "patients still at risk at that time",
    "better": "the levels that do better",
    "confidence": "two-sided confidence of the interval",
    "count": "how many",
    "covariate": "key of a covariate of the codebook",
    "covariates": "keys of covariates of the codebook",
    "effects": "whether its ratios are those of the model's endpoint, or its own",
    "endpoint": "key of an endpoint of the codebook",
    "estimate": "the estimate as printed",
    "events": "how many had the event",
    "events_reference": "how many of them had the level that the others are compared with",
    "followed_to": "months to which patients were followed; needed of a median not reached",
    "kind": "what is printed",
    "level": "the level, or the levels joined, that the number is of",
    "lower": "lower limit of its interval",
    "missing": "patients whose level is not known",
    "months": "the time, in months",
    "not_reached": "whether the median was not reached, in place of `months`",
    "n": "patients that the number is of; all of the cohort where it is not given",
    "of": "what it is a difference of",
    "p": "its P value, two-sided unless `sides` says otherwise",
    "p_above": "a number that the P value is above, as of `p > 0.05`",
    "p_below": "a number that the P value is below, as of `p < 0.001`",
    "percent": "the same in per cent, as printed",
    "share": "prior of the share of the hazard: the two parameters of a beta",
    "source": "where it is printed",
    "subgroup": "levels, by covariate, of the patients that the number is of; everyone without",
    "survival": "the proportion free of the event at that time",
    "time": "the time: in `months`, or `time` in the unit of the item or of the cohort",
    "unit": "unit of its times: `days`, `weeks`, `months` or `years`",
    "upper": "upper limit of its interval",
    "values": "patients by level, or by category of response",
    "versus": "the level, or the levels joined, that it is compared with",
    "why": "the reason",
}
"""Meaning of keys that several schemas have under one name."""
NAMED = {bool: "true or false", int: "whole number", float: "number", Decimal: "number"}
NAMED |= {str: "text", date: "date"}


@dataclass(frozen=True)
class Key:
    """One key of a file, as its table shows it."""

    name: str
    value: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Part:
    """One table of a file: how it is headed in TOML, what it is, and its keys."""

    heading: str
    about: str
    keys: tuple[Key, ...]


def parts_of(document: type[Document], path: str = "", title: str = "") -> Iterator[Part]:
    """The tables of a file, outermost first; of a printed item the keys of its kind alone."""
    own = {k: f for k, f in document.model_fields.items() if k not in left_to_every_kind(document)}
    keys = tuple(key_of(document, name, field) for name, field in own.items())
    yield Part(title or "The file itself", about(document), keys)
    for name, field in own.items():
        inner = dict(inner_documents(field.annotation, f"{path}.{name}".lstrip(".")))
        kinds = [one for one in inner if issubclass(one, Item)]
        if kinds:
            yield from parts_of(Item, name, f"`[[{name}]]`, of every kind")
        for one, heading in inner.items():
            title = f"`{heading}`, {kinds_in(one)}" if one in kinds else f"`{heading}`"
            yield from parts_of(one, heading.strip("[]"), title)


def left_to_every_kind(document: type[Document]) -> Iterable[str]:
    """Keys that a kind of item shares with every other."""
    return Item.model_fields if issubclass(document, Item) and document is not Item else ()


def kinds_in(document: type[Document]) -> str:
    """Kinds of item that a schema is of."""
    names = get_args(document.model_fields["kind"].annotation)
    return " or ".join(f'`kind = "{name}"`' for name in names)


def inner_documents(annotation: Any, path: str) -> Iterator[tuple[type[Document], str]]:
    """Schemas within a value, and how their tables are headed."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Document):
        yield annotation, f"[{path}]"
    elif origin is dict:
        yield from inner_documents(inside[1], f"{path}.x")
    elif origin is tuple:
        yield from ((inner, f"[{heading}]") for inner, heading in inner_documents(inside[0], path))
    else:
        for one in inside:
            yield from inner_documents(one, path)


def key_of(document: type[Document], name: str, field: FieldInfo) -> Key:
    """One key with its value, its default and its meaning."""
    default = "needed" if field.is_required() else written(field.default)
    value = "text or list of text" if takes_one(field) else value_of(field.annotation)
    return Key(called(name, field), value, default, meaning_of(document, name, field))


def called(name: str, field: FieldInfo) -> str:
    """What a file calls a key: one name, or several to choose from."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [name]
    return "` or `".join(map(str, choices))


def takes_one(field: FieldInfo) -> bool:
    """Whether a text may stand in place of a list of one."""
    return any(getattr(one, "func", None) is as_tuple for one in field.metadata)


def value_of(annotation: Any) -> str:
    """What may stand behind a key, in words."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return value_of(inside[0])
    if origin is Literal:
        return ", ".join(f"`{one!r}`".replace("'", '"') for one in inside if one != "")
    if origin in (Union, UnionType):
        found = dict.fromkeys(value_of(one) for one in inside if one is not NoneType)
        return " or ".join(found)
    if origin is tuple:
        return f"list of {several(value_of(inside[0]))}"
    if origin is dict:
        return f"{several(value_of(inside[1]))} by name"
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return "table"
    return NAMED.get(annotation, "text")


def several(value: str) -> str:
    """Several of a kind of value."""
    return f"{value}s" if value in ("number", "whole number", "date", "table") else value


def written(default: Any) -> str:
    """A default as a file would have it; empty where there is none."""
    if default in (None, "", ()) or not isinstance(
        default, (bool, int, float, Decimal, str, tuple)
    ):
        return ""
    if isinstance(default, tuple):
        return f"`[{', '.join(f'{one:g}' for one in default)}]`"
    text = str(default).lower() if isinstance(default, bool) else f"{default}"
    return f'`"{text}"`' if isinstance(default, str) else f"`{text}`"


# Meanings.


def meaning_of(document: type[Document], name: str, field: FieldInfo) -> str:
    """What a key means, by the schema that declares it, or by its name; empty where none says."""
    if field.description:
        return " ".join(field.description.split())
    owner = next(one for one in document.__mro__ if name in vars(one).get("__annotations__", {}))
    return beside_field(owner).get(name) or attributes_of(owner).get(name) or SHARED.get(name, "")


@cache
def beside_field(document: type) -> Mapping[str, str]:
    """Comments beside and above the fields of a class, by field."""
    source = inspect.getsource(document)
    lines, body = source.splitlines(), ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    fields = [
        x for x in body.body if isinstance(x, ast.AnnAssign) and isinstance(x.target, ast.Name)
    ]
    names = [field.target.id for field in fields if isinstance(field.target, ast.Name)]
    for name, field in zip(names, fields, strict=True):
        above, last = field.lineno - 2, field.end_lineno or field.lineno
        while lines[above].strip().startswith("#"):
            above -= 1
        said = [line.strip(" #") for line in lines[above + 1 : field.lineno - 1]]
        said += re.findall(r"  # (.*)$", lines[last - 1])
        found |= {
            one: text for one, text in shared_out(name, " ".join(said), names) if one not in found
        }
    return found


def shared_out(name: str, comment: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A comment by the fields that it is of: its own, or those that it names before a colon."""
    listed = re.match(r"((?:\w+, )*\w+): (.*)", comment)
    of = listed[1].split(", ") if listed else []
    if listed and {*of} <= {*names}:
        yield from ((one, listed[2]) for one in of)
    elif comment:
        yield name, comment


@cache
def attributes_of(document: type) -> Mapping[str, str]:
    """Numpydoc attributes of a class, by name."""
    text = inspect.cleandoc(document.__doc__ or "").partition("Attributes\n----------\n")[2]
    found = re.findall(r"^(\w[^\n]*?)(?: : [^\n]*)?\n((?:    [^\n]*\n?)+)", text, re.MULTILINE)
    return {name: " ".join(said.split()) for names, said in found for name in names.split(", ")}


def about(document: type) -> str:
    """First line of a schema's docstring."""
    return inspect.cleandoc(document.__doc__ or "").splitlines()[0]


# The page.


def unexplained() -> list[str]:
    """Keys that have no meaning."""
    parts = [part for document in FILES.values() for part in parts_of(document)]
    return [f"{part.heading}: {key.name}" for part in parts for key in part.keys if not key.meaning]


def page() -> str:
    """The whole page."""
    sections = [HEAD]
    for title, document in FILES.items():
        sections.append(f"## {title}\n")
        sections += map(table_of, parts_of(document))
    return "\n".join([*sections, priors(), columns()])


def table_of(part: Part) -> str:
    """One table of keys."""
    rows = [
        f"| `{key.name}` | {cell(key.value)} | {key.default} | {cell(key.meaning)} |"
        for key in part.keys
    ]
    head = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"### {part.heading}\n", f"{part.about}\n", *head, *rows, ""])


def cell(text: str) -> str:
    """Text within a cell: no capital, no full stop, no bar."""
    first = text[:1].lower() if text[1:2].islower() else text[:1]
    return (first + text[1:]).replace("|", "\\|").removesuffix(".")


def priors() -> str:
    """Default priors of each kind of model."""
    rows = [
        f"| {kind} | `{name}` | {prior_text(prior)} | {prior.why} |"
        for kind, known in DEFAULT_PRIORS.items()
        for name, prior in known.items()
    ]
    text = "### The priors that `[priors.x]` may name, and what they are otherwise\n"
    head = [
        "| model | prior | default | why |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([text, *head, *rows, ""])


def prior_text(prior: Prior) -> str:
    """A prior with its parameters."""
    mean = "" if prior.family == "half_normal" else f"{prior.mu:g}, "
    return f"{prior.family}({mean}{prior.sigma:g})"


def columns() -> str:
    """Columns of a table of patients."""
    own = {**COLUMNS, RESPONSE: "best response: `CR`, `PR`, `SD` or `PD`"}
    rows = [f"| `{name}` | {meaning} |" for name, meaning in own.items()]
    return "\n".join([PATIENTS, "| column | meaning |", "| --- | --- |", *rows, ""])


def main() -> None:
    """Write the page, or name the keys without a meaning."""
    if found := unexplained():
        raise SystemExit("no meaning: " + "; ".join(found))
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
