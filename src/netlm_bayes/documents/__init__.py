"""TOML files that people write: read, validated at once, every problem with its line."""

from netlm_bayes.documents.changes import flattened, set_at
from netlm_bayes.documents.lines import Place, line_of
from netlm_bayes.documents.schema import Document, Fault, Identifier, Number, Text, repeated
from netlm_bayes.documents.toml import (
    digest,
    expect_kind,
    file_kind,
    problem_at,
    problems_at,
    read_bytes,
    read_toml,
    validated,
)
from netlm_bayes.documents.words import did_you_mean, shown

__all__ = [
    "Document",
    "Fault",
    "Identifier",
    "Number",
    "Place",
    "Text",
    "did_you_mean",
    "digest",
    "expect_kind",
    "file_kind",
    "flattened",
    "line_of",
    "problem_at",
    "problems_at",
    "read_bytes",
    "read_toml",
    "repeated",
    "set_at",
    "shown",
    "validated",
]
