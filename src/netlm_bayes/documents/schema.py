"""What a file may hold: the base of every schema, and what a schema tells of its keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from netlm_bayes.documents.lines import Place, place_name

Fault = tuple[Place, str]
"""Where in a document, and what was there and would be right."""


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
    return list(dict.fromkeys(key for document in documents for key in document.model_fields))


def known_kinds(schema: type[Document], loc: Sequence[str | int]) -> list[str]:
    """Kinds of item that the list at a place may hold."""
    fields = [schema.model_fields[step] for step in loc if step in schema.model_fields]
    documents = [inner for field in fields for inner in _documents_in(field.annotation)]
    return [kind for document in documents for kind in _kinds(document)]


def _kinds(document: type[Document]) -> tuple[str, ...]:
    """Values of `kind` that belong to a schema."""
    field = document.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _documents_in(annotation: Any) -> list[type[Document]]:
    """Schemas named by a type, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _documents_in(inner)]
