"""Base of every schema, and the line of every key."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

Place = tuple[str | int, ...]
"""Path of a value in a file, such as ``("published", 3, "estimate")``, counted from 0."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}=,.\n]"
    r"""|[^\s\[\]{}=,.#"']+""",
    re.DOTALL,
)


def line_of(text: str, place: Place) -> int | None:
    r"""Line at which a value stands in a TOML text.

    >>> line_of("n = 84\n[priors]\neffect.sigma = 0.5", ("priors", "effect", "mu"))
    3
    """
    lines = _Reader(text).lines
    found = (lines.get(tuple(place[:size])) for size in range(len(place), 0, -1))
    return next((line for line in found if line), None)


def place_name(place: Place) -> str:
    """Write a place as people count.

    >>> place_name(("published", 3, "level"))
    'published[4].level'
    """
    return "".join(map(_step_name, place)).removeprefix(".")


def _step_name(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part + 1}]"
    return f".{part}" if re.fullmatch(r"[\w-]+", part) else f'."{part}"'


class _Reader:
    """One walk over the tokens of a valid TOML text, noting where each place is first met."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._tables: Counter[Place] = Counter()
        self._tokens = [*_tokens(text), ("", 0)]
        self._at = 0
        table: Place = ()
        while self._next:
            if self._next == "\n":
                self._take()
            elif self._next == "[":
                table = self._header()
            else:
                self._pair(table)

    @property
    def _next(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _line(self) -> int:
        return self._tokens[self._at][1]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _header(self) -> Place:
        """Read `[table]` or `[[list of tables]]`, within the latest of any list before it."""
        line = self._line
        place: Place = ()
        self._take()
        is_list = self._next == "["
        if is_list:
            self._take()
        *outer, last = self._key()
        if is_list:
            self._take()
        for name in outer:
            place = (*place, name)
            self.lines.setdefault(place, line)
            if self._tables[place]:
                place = (*place, self._tables[place] - 1)
        place = (*place, last)
        self.lines.setdefault(place, line)
        if is_list:
            self._tables[place] += 1
            place = (*place, self._tables[place] - 1)
            self.lines.setdefault(place, line)
        return place

    def _key(self) -> list[str]:
        """Read a dotted key and the `=` or `]` behind it."""
        names = []
        while (token := self._take()) not in {"=", "]"}:
            if token[0] in "\"'":
                names.append(tomllib.loads(f"key = {token}")["key"])
            elif token != ".":
                names.append(token)
        return names

    def _pair(self, place: Place) -> None:
        line = self._line
        for name in self._key():
            place = (*place, name)
            self.lines.setdefault(place, line)
        self._value(place)

    def _value(self, place: Place) -> None:
        """Read a list, an inline table or anything else."""
        opening, count = self._take(), 0
        if opening not in {"[", "{"}:
            while self._next not in {",", "]", "}", "\n", ""}:
                self._take()
            return
        while self._next not in {"]", "}"}:
            if self._next in {",", "\n"}:
                self._take()
            elif opening == "{":
                self._pair(place)
            else:
                self.lines.setdefault((*place, count), self._line)
                self._value((*place, count))
                count += 1
        self._take()


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Tokens with their lines, comments left out."""
    line, end = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", end, match.start())
        end = match.start()
        if not match[0].startswith("#"):
            yield match[0], line


Fault = tuple[Place, str]
"""Where in a document, and what was there and would be right."""


def within(place: Place, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of a part, with its place in the whole before their own."""
    return (((*place, *inner), what) for inner, what in faults)


class FaultsError(ValueError):
    """Everything that the parts of one document say against each other."""

    def __init__(self, found: Sequence[Fault]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(f"{place_name(place)}: {what}" for place, what in found))


class Document(BaseModel):
    """Base of every file's schema: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if found := tuple(self.faults()):
            raise FaultsError(found)
        return self

    def faults(self) -> Iterable[Fault]:
        """List what the parts say against each other, each of them being right by itself."""
        return ()


def _whole_as_decimal(value: Any) -> Any:
    """Take `13` where `13.6` could stand."""
    return Decimal(value) if type(value) is int else value


Number = Annotated[Decimal, BeforeValidator(_whole_as_decimal)]
"""A number with the decimals it was written with."""

Text = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that may be part of a file's name."""


def repeated(names: Iterable[object]) -> list[str]:
    """Names that stand more than once, each once."""
    listed = [str(name) for name in names]
    return [name for name in dict.fromkeys(listed) if listed.count(name) > 1]


def known_keys(schema: type[Document], loc: Sequence[str | int] = ("",)) -> list[str]:
    """Keys that the document at a place knows, in the schema's order."""
    documents = [schema]
    for step in loc[:-1]:
        fields = [d.model_fields[step] for d in documents if step in d.model_fields]
        inside = [inner for field in fields for inner in _documents_in(field.annotation)]
        documents = inside or [d for d in documents if step in _kinds(d)] or documents
    return list(dict.fromkeys(key for document in documents for key in _keys(document)))


def _keys(document: type[Document]) -> Iterator[str]:
    """Keys of a document; of one that may be written in several ways, each."""
    for name, field in document.model_fields.items():
        also = field.validation_alias
        yield from (str(x) for x in also.choices) if isinstance(also, AliasChoices) else (name,)


def known_kinds(schema: type[Document], loc: Sequence[str | int]) -> list[str]:
    """Kinds of item that the list at a place may hold."""
    fields = [schema.model_fields[step] for step in loc if step in schema.model_fields]
    documents = [inner for field in fields for inner in _documents_in(field.annotation)]
    return [kind for document in documents for kind in _kinds(document)]


def _kinds(document: type[Document]) -> tuple[str, ...]:
    field = document.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _documents_in(annotation: Any) -> list[type[Document]]:
    """Schemas named by a type, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _documents_in(inner)]
