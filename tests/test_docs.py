"""The documents say what the code does: names, codes, options, parameters, versions and links."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator

import pytest
from django.core.management import load_command_class

from catalog.api.filters import OrderFilterSet
from catalog.contract import COLUMNS, NAMES, Kind
from ingestion.codes import REASONS, REFUSALS
from ingestion.reader.exact import FLAWS
from tests.conftest import ROOT

DOCS = ROOT / "docs"
CONTRACT = (DOCS / "data-contract.md").read_text()
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
RAISED = ("Reason", "ValueRefused", "Refused", "LoadError", "Locked", "Interrupted")
SNAKE = re.compile(r"[a-z]+(?:_[a-z]+)+")


def section(title: str) -> str:
    """The part of the data contract under a heading."""
    return CONTRACT.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def first_cells(text: str) -> set[str]:
    """What stands in code style in the first column of the tables of a text."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def strings(node: ast.AST) -> set[str]:
    """The texts in a piece of code."""
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def codes_in(tree: ast.Module) -> Iterator[str]:
    """The codes that a module raises.

    The first argument of the exceptions and of `Reason`; where that is a variable, every text of the module
    that looks like a code. An attribute, such as `error.code`, passes on what was raised elsewhere.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and called(node) in RAISED:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.Name):
                yield from (text for text in strings(tree) if SNAKE.fullmatch(text) and text not in NAMES)
        elif isinstance(node, ast.keyword) and node.arg == "reason_code" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def called(call: ast.Call) -> str:
    """The name of what is called."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def own_codes(tree: ast.Module) -> Iterator[str]:
    """The codes that exceptions with one cause carry: `CODE = "..."` and `super().__init__("...", ...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and "CODE" in {getattr(target, "id", "") for target in node.targets}:
            yield from strings(node.value)
        elif isinstance(node, ast.Call) and called(node) == "__init__" and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def codes_raised() -> set[str]:
    """Every code of a reason or a refusal of a load; those of query parameters are not among them."""
    codes = set(FLAWS)
    for path in [ROOT / "catalog" / "contract.py", *(ROOT / "ingestion").rglob("*.py")]:
        codes.update(codes_in(ast.parse(path.read_text())))
    codes.update(own_codes(ast.parse((ROOT / "ingestion" / "errors.py").read_text())))
    return codes


def test_codes_are_found_in_the_code() -> None:
    expected = {"not_an_integer", "too_few_fields", "unclosed_quote", "missing_column", "locked", "interrupted"}
    assert expected <= codes_raised()


def test_each_code_is_explained_and_none_besides() -> None:
    assert first_cells(section("Reasons")) | first_cells(section("Refusals")) == codes_raised()


def test_codes_are_listed_as_they_are_explained() -> None:
    """What filters take; by the test above it is what the code raises."""
    assert first_cells(section("Reasons")) == set(REASONS)
    assert first_cells(section("Refusals")) == set(REFUSALS)


def test_columns_of_the_contract() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (yes|no) \| (.+) \|$", section("Columns"), re.MULTILINE)
    assert rows == [(c.name, c.kind, "yes" if c.required else "no", c.meaning) for c in COLUMNS]


def test_kinds_of_the_contract() -> None:
    assert set(Kind) <= first_cells(section("Columns"))


def options() -> set[str]:
    """The options of `ingest_csv` that are its own."""
    parser = load_command_class("ingestion", "ingest_csv").create_parser("manage.py", "ingest_csv")
    base = argparse.ArgumentParser()
    inherited = {"--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color"}
    inherited |= {"--skip-checks", *base._option_string_actions}
    return {name for name in parser._option_string_actions if name.startswith("--")} - inherited


@pytest.mark.parametrize("option", sorted(options()))
def test_each_option_is_documented(option: str) -> None:
    text = (ROOT / "README.md").read_text() + (DOCS / "operations.md").read_text()
    assert re.search(rf"{re.escape(option)}(?![\w-])", text)


def test_each_filter_is_documented() -> None:
    table = (DOCS / "api.md").read_text().split("## Filters of orders", 1)[1].split("\n## ", 1)[0]
    listed: set[str] = set()
    for name, lookups in re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE):
        alone = lookups.startswith("none")
        listed |= {name} | (set() if alone else {f"{name}__{lookup}" for lookup in re.findall(r"`(\w+)`", lookups)})
    assert listed == set(OrderFilterSet.base_filters)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-bench.txt"])
def test_each_direct_dependency_has_its_reason(name: str) -> None:
    direct = (ROOT / name).read_text().split("\n\n", 1)[0]
    pinned = set(re.findall(r"^([A-Za-z0-9_-]+)(?:\[\w+\])?==", direct, re.MULTILINE))
    reasons = (DOCS / "dependencies.md").read_text().split(f"(`{name}`)", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^\* `([^`]+)`: ", reasons, re.MULTILINE)) == pinned


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path = (ROOT / page).parent / target.partition("#")[0] if not target.startswith("#") else ROOT / page
            assert path.exists(), f"{page} links to {target}"


def test_pictures_are_small() -> None:
    assert all(picture.stat().st_size < 200_000 for picture in (DOCS / "images").glob("*.png"))


def test_codes_of_the_readme_exist() -> None:
    mentioned = set(re.findall(r"rejected, (\w+):", (ROOT / "README.md").read_text()))
    assert mentioned
    assert mentioned <= codes_raised()
