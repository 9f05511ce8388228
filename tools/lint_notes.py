"""Notes and labels are for people: find code in src that reads a note or parses a label.

A note may be passed on as a note. Whoever shows notes to people is named in `SHOWN`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "netlm_bayes"
NOTE = "note"
LABELS = frozenset({NOTE, "contrast", "subgroup", "item", "method", "statement"})
"""Columns that are made to be read by people."""
PARSING = frozenset(
    {
        *("partition", "rpartition", "split", "rsplit", "startswith", "endswith"),
        *("removeprefix", "removesuffix", "contains", "search", "match", "fullmatch", "findall"),
    }
)
"""Methods that take a text apart."""
SHOWN = frozenset(
    {
        *("evidence/check.py", "pipeline/predict.py"),
        *("report/export/manuscript.py", "report/page/tables.py"),
    }
)
"""Modules, below the package, that show notes to people."""


def column_of(node: ast.AST) -> str | None:
    """Column that an expression reads: `row["note"]`, `row.get("note")` or `row.note`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Attribute(attr=str(name), ctx=ast.Load()):
            return name
    return None


def reads(node: ast.AST, columns: frozenset[str]) -> bool:
    """Tell whether any part of an expression reads one of these columns."""
    return any(column_of(part) in columns for part in ast.walk(node))


def _aliases(function: ast.AST) -> frozenset[str]:
    """Local names that hold a label: targets of what reads one, and labels as arguments."""
    found = {x.arg for x in ast.walk(function) if isinstance(x, ast.arg) and x.arg in LABELS}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _is_label(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


def _is_label(node: ast.AST) -> bool:
    """Tell whether an expression is a label itself, as it is or as `str(...)`."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _is_label(inner)
    return column_of(node) in LABELS


def _text(node: ast.AST, names: frozenset[str]) -> bool:
    """Tell whether an expression has a label in it, or a name that holds one."""
    named = any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))
    return named or reads(node, LABELS)


def _parses(node: ast.AST, names: frozenset[str]) -> bool:
    """Tell whether a node takes a label apart, or looks for words in it."""
    match node:
        case ast.Call(func=ast.Attribute(attr=str(method), value=value), args=args):
            texts = [value, *args] if isinstance(value, ast.Name) else [value]
            return method in PARSING and any(_text(text, names) for text in texts)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], left=ast.Constant(str()), comparators=[of]):
            return _is_label(of) or (isinstance(of, ast.Name) and of.id in names)
    return False


def _passed_on(tree: ast.AST) -> set[int]:
    """Nodes below `note=...`, `{"note": ...}`, `joined(...)` and assignments to a note."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="note", value=value):
                found.append(value)
            case ast.Call(func=ast.Name(id="joined")):
                found.append(node)
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                found += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == NOTE]
    return {id(part) for node in found for part in ast.walk(node)}


def faults(text: str, shows: bool = False) -> Iterator[tuple[int, str]]:
    """Lines of a module that read a note or parse a label, and which of them."""
    tree = ast.parse(text)
    kept = _passed_on(tree)
    held: dict[int, frozenset[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            held |= dict.fromkeys(map(id, ast.walk(function)), _aliases(function))
    for node in ast.walk(tree):
        names = held.get(id(node), frozenset())
        if _parses(node, names):
            yield node.lineno, "parses a label"
        elif column_of(node) == NOTE and not shows and id(node) not in kept:
            yield node.lineno, "reads a note"


def main() -> int:
    """Say where notes are read or labels parsed."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in sorted(SRC.rglob("*.py"))
        for line, what in faults(path.read_text("utf-8"), path.relative_to(SRC).as_posix() in SHOWN)
    ]
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
