"""The house keeps its order: names that mean one thing, rooms, small functions, small modules."""

import ast
import statistics
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import bitrix24_chat_mcp
import bitrix24_demo_portal
import pytest

SERVER = Path(bitrix24_chat_mcp.__file__).parent
PORTAL = Path(bitrix24_demo_portal.__file__).parent
ROOMS = {"answers", "auth", "chats", "commands", "mcp_server", "portal", "runtime", "settings"}
ROOT_FILES = {"__init__.py", "__main__.py", "logs.py", "py.typed"}
GENERIC = {"T"}
"""The usual name of a type variable, which says nothing and therefore may stand in several modules."""


def modules(package: Path) -> Iterator[Path]:
    return (file for file in sorted(package.rglob("*.py")) if "__pycache__" not in file.parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def place(file: Path, node: ast.AST | None = None) -> str:
    return f"{file.relative_to(SERVER.parent)}:{getattr(node, 'lineno', 1)}"


def types(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Return the classes of a module, also nested ones, and its type aliases."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield node.name, node
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and is_type_name(target.id):
                yield target.id, node


def is_type_name(name: str) -> bool:
    """Return whether a name is written like a type's: `CamelCase`, perhaps behind an underscore."""
    word = name.lstrip("_")
    return word[:1].isupper() and (len(word) == 1 or not word.isupper()) and "_" not in word


def functions() -> Iterator[tuple[int, str]]:
    """Return the length in lines, decorators left out, and the place of every function of both packages."""
    for package in (SERVER, PORTAL):
        for file in modules(package):
            for node in ast.walk(parsed(file)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield (node.end_lineno or 0) - node.lineno + 1, f"{place(file, node)} {node.name}"


def test_no_class_or_type_alias_is_defined_twice_in_the_server() -> None:
    places = defaultdict[str, list[str]](list)
    for file in modules(SERVER):
        for name, node in types(parsed(file)):
            places[name.lstrip("_")].append(place(file, node))
    assert {name: where for name, where in places.items() if len(where) > 1 and name not in GENERIC} == {}


def test_the_package_root_holds_only_the_rooms() -> None:
    entries = {entry.name for entry in SERVER.iterdir()} - {"__pycache__", "prompts"}
    assert entries == ROOMS | ROOT_FILES


def test_functions_are_short() -> None:
    lengths = list(functions())
    assert statistics.median(length for length, _ in lengths) <= 7
    longer = sorted(((length, where) for length, where in lengths if length > 15), reverse=True)
    assert len(longer) <= len(lengths) / 10, "\n".join(f"{length} {where}" for length, where in longer)
    assert [(length, where) for length, where in longer if length > 45] == []


def test_modules_are_short() -> None:
    lengths = {
        place(file): len(file.read_text("utf-8").splitlines())
        for file in (*modules(SERVER), *modules(PORTAL))
    }
    assert {file: length for file, length in lengths.items() if length >= 250} == {}


@pytest.mark.parametrize("package", [SERVER, PORTAL], ids=lambda package: package.name)
def test_every_module_says_what_it_is_for(package: Path) -> None:
    assert [place(file) for file in modules(package) if not ast.get_docstring(parsed(file))] == []
