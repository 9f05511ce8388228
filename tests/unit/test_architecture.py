"""ARCHITECTURE.md is true: the map shows the tree, and the layers are those that are enforced."""

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src/netlm_bayes")


def code_block(heading: str) -> list[str]:
    """Lines of the first code block under a heading of ARCHITECTURE.md."""
    _, section = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split(f"\n## {heading}\n")
    return section.split("\n```\n")[1].splitlines()


def read_map(lines: list[str]) -> dict[str, str]:
    """Paths and their descriptions: nested by two spaces, set apart by two or more."""
    described: dict[str, str] = {}
    folders: list[str] = []
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 2
        names, description = re.fullmatch(r" *(\S+(?: \S+)*)(?: {2,}(.*))?", line).groups()
        folder = "".join(folders[:depth])
        described |= {folder + name: description or "" for name in names.split(" ")}
        folders = [*folders[:depth], names]
    return described


@pytest.fixture(scope="module")
def rooms() -> dict[str, str]:
    return read_map(code_block("Rooms"))


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """Packages at every depth, and modules beside them at the top."""
    top = {path.as_posix() for path in (ROOT / PACKAGE).glob("[a-z]*.py")}
    packages = {f"{path.parent.as_posix()}/" for path in (ROOT / PACKAGE).glob("*/**/__init__.py")}
    return {path.removeprefix(f"{ROOT.as_posix()}/") for path in top | packages}


def test_everything_on_the_map_exists(rooms):
    files = {path for path in rooms if (ROOT / path).is_file()}
    folders = {path for path in rooms if path.endswith("/") and (ROOT / path).is_dir()}
    assert sorted(set(rooms) - files - folders) == []


def test_every_room_is_on_the_map(rooms, modules):
    assert modules
    assert sorted(modules - set(rooms)) == []


def test_every_room_has_a_description(rooms, modules):
    assert [path for path in sorted(modules & set(rooms)) if not rooms[path]] == []


def test_every_module_says_first_what_it_is_for():
    trees = {path: ast.parse(path.read_text("utf-8")) for path in (ROOT / PACKAGE).rglob("*.py")}
    assert len(trees) > 100
    assert [path for path, tree in sorted(trees.items()) if not ast.get_docstring(tree)] == []


def test_the_layers_are_those_that_import_linter_enforces():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (layers,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert layers["layers"] == code_block("Who may import whom")
    assert layers["exhaustive"]


def test_no_module_imports_itself_by_way_of_others_not_even_for_its_types():
    folder = ROOT / PACKAGE.parent
    paths = {path: path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py")}
    names = {".".join(parts).removesuffix(".__init__"): path for path, parts in paths.items()}
    imported = {name: set(modules_imported(path, names)) for name, path in names.items()}
    assert imported["netlm_bayes.evidence.assemble"] > {"netlm_bayes.evidence.analysis"}
    assert len(list(TopologicalSorter(imported).static_order())) == len(names)


def modules_imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that one imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & set(known)
