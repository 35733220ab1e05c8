"""Export files for tests, and loading them through the command."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from catalog.contract import NAMES
from catalog.models import Change, KnownValue, Order, OrderVersion, Source

HEADER = ",".join(NAMES)

WriteFile = Callable[..., Path]
"""How the fixture `write` is called: with lines, or `content=`; `name=` and `header=`."""

Row = tuple[Any, ...]
"""Twelve values in contract order, as the catalogue must hold them."""


def line(number: int, *, delimiter: str = ",", extra: str | None = None, **texts: str) -> str:
    """One row of a file, without its line end; `texts` stand instead of the usual ones, as they are."""
    fields = {
        "order_id": f"{number}",
        "source": "services",
        "customer_id": f"{1000 + number}",
        "payment_id": f"{2000 + number}",
        "voucher_id": f"{3000 + number}",
        "product_id": f"{50 + number}",
        "website": "VVNL",
        "order_status": "PAID",
        "voucher_status": "USED",
        "payment_status": "PAID",
        "order_date": "2018-07-12 17:33:04.000",
        "payment_date": "2018-07-12 17:40:00.123456",
    } | texts
    return delimiter.join([*fields.values(), *([] if extra is None else [extra])])


def lines(*numbers: int, **texts: str) -> list[str]:
    """One row of a file for each number."""
    return [line(number, **texts) for number in numbers]


def row(number: int, **values: Any) -> Row:
    """What the catalogue must hold of `line(number)`."""
    fields = {
        "order_id": number,
        "source": "services",
        "customer_id": 1000 + number,
        "payment_id": 2000 + number,
        "voucher_id": 3000 + number,
        "product_id": 50 + number,
        "website": "VVNL",
        "order_status": "PAID",
        "voucher_status": "USED",
        "payment_status": "PAID",
        "order_date": datetime(2018, 7, 12, 17, 33, 4, tzinfo=UTC),
        "payment_date": datetime(2018, 7, 12, 17, 40, 0, 123456, tzinfo=UTC),
    } | values
    return tuple(fields.values())


def export(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    """A whole file."""
    return "".join(text + end for text in (header, *lines)).encode()


@dataclass(frozen=True)
class Loaded:
    """What the command said: its exit code, and its JSON report of each file."""

    exit_code: int
    reports: list[dict[str, Any]]

    @property
    def report(self) -> dict[str, Any]:
        """The report of the only file."""
        [report] = self.reports
        return report

    def figures(self) -> dict[str, int]:
        """The figures of the only file that are not zero."""
        names = ("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed")
        return {name: self.report[name] for name in names if self.report[name]}


def ingest(*arguments: str | Path) -> Loaded:
    """Run `ingest_csv --json` in this process."""
    output, code = io.StringIO(), 0
    try:
        call_command("ingest_csv", *map(str, arguments), "--json", "--no-progress", stdout=output)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Loaded(code, [json.loads(text) for text in output.getvalue().splitlines()])


def rows() -> list[Row]:
    """The orders of the catalogue that are not removed, as values, by key."""
    return list(Order.objects.present().order_by("key").values_list(*NAMES))


def catalogue() -> dict[str, list[Any]]:
    """Everything that a load may change, but for its record of the run."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Order, OrderVersion, Source, KnownValue, Change)
    }


def indexes() -> dict[str, Any]:
    """The indexes, unique and primary keys of the table of orders."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Order._meta.db_table)
    return {
        name: (tuple(facts["columns"] or ()), facts["primary_key"], facts["unique"], facts["index"])
        for name, facts in found.items()
    }
