"""What the tests of the loader share: files to load, and a table of orders that stays whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.models import Order
from tests.loading import HEADER, WriteFile, export, indexes
from tests.processes import Start, starting


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a file of these lines, or of these bytes, and return its path."""

    def write_file(*lines: str, content: bytes | None = None, name: str = "orders.csv", header: str = HEADER) -> Path:
        path = tmp_path / name
        path.write_bytes(export(*lines, header=header) if content is None else content)
        return path

    return write_file


@pytest.fixture
def indexes_outlive_the_test(transactional_db: None) -> Iterator[None]:
    """However loads end, the table of orders has all its indexes and its primary key."""
    before = indexes()
    assert {index.name for index in Order._meta.indexes} <= before.keys()
    assert [columns for columns, primary, *_ in before.values() if primary] == [("key",)]
    yield
    assert indexes() == before


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start a load and go on: `start(path, "--no-wait")`, or `start(path, hold=WRITTEN)` to hold it there."""
    with starting(environment) as popen:
        yield popen
