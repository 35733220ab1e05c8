"""Who may import whom, where a database may be known by name, and how long a file may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("catalog", "ingestion", "talpa_site")
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
OTHERS = (path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
EVERYTHING = sorted({*SOURCES, *(path.relative_to(ROOT).as_posix() for path in OTHERS)})
MAX_LINES = 400


def tree(source: str) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / source).read_text())


def imported(source: str) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_any(source: str, *packages: str) -> set[str]:
    """Which of the packages a file imports."""
    return {name for name in imported(source) for package in packages if f"{name}.".startswith(f"{package}.")}


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 40


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith("catalog/")])
def test_catalog_never_imports_ingestion(source: str) -> None:
    assert not imports_any(source, "ingestion")


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith(("catalog/", "ingestion/"))])
def test_applications_never_import_the_site(source: str) -> None:
    assert not imports_any(source, "talpa_site")


@pytest.mark.parametrize(
    "source", [s for s in SOURCES if s.startswith("ingestion/reader/")] + ["catalog/contract.py", "catalog/keys.py"]
)
def test_reader_and_contract_know_neither_django_nor_a_database(source: str) -> None:
    assert not imports_any(source, "django", "rest_framework", "psycopg", "sqlite3", "ingestion.models")


def test_the_api_asks_for_permissions_in_one_place() -> None:
    """A user who is asked directly does not know how narrow the token is."""
    asking = {source for source in SOURCES if "/api/" in source and asks_user(source)}
    assert asking == {"catalog/api/permissions.py"}


def asks_user(source: str) -> bool:
    """Whether a file asks anybody for permissions."""
    names = {"has_perm", "has_perms", "has_module_perms", "get_all_permissions", "is_superuser", "is_staff"}
    return any(isinstance(node, ast.Attribute) and node.attr in names for node in ast.walk(tree(source)))


ENGINES = ("ingestion/staging/", "catalog/engines/")
"""What the write side, and what the read side, knows of databases."""


def test_one_place_knows_which_database_this_is() -> None:
    knowing = {source for source in SOURCES if imports_any(source, "psycopg", "sqlite3") or asks_vendor(source)}
    allowed = {"catalog/fields.py", "talpa_site/settings.py"}
    assert {source for source in knowing if not source.startswith(ENGINES)} <= allowed


def asks_vendor(source: str) -> bool:
    """Whether a file reads `.vendor` of anything."""
    return any(isinstance(node, ast.Attribute) and node.attr == "vendor" for node in ast.walk(tree(source)))


@pytest.mark.parametrize("source", EVERYTHING)
def test_files_are_short_enough_to_be_read(source: str) -> None:
    assert len(Path(ROOT / source).read_text().splitlines()) <= MAX_LINES
