"""The same first load by other means, to compare with: `python -m benchmarks.peers MEANS FILE`.

Each fills the product's own table in the database at DATABASE_URL. None of them finds contradictions in the
file, keeps rejected rows, remembers where a value comes from, or is all or nothing.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talpa_site.settings")
django.setup()

from django.utils.dateparse import parse_datetime
from import_export import fields, resources, widgets
from tablib import Dataset

from catalog.contract import COLUMNS, NAMES, Kind
from catalog.keys import order_key
from catalog.models import Order

BATCH = 2000
SOURCES: dict[str, int] = {}
"""The number of each source, given out as they come."""


def key_of(row: dict[str, str]) -> int:
    """The order's key."""
    number = SOURCES.setdefault(row["source"], len(SOURCES) + 1)
    return order_key(number, int(row["order_id"]))


def value(text: str, kind: Kind) -> Any:
    """A text as the model takes it."""
    if not text:
        return None
    if kind is Kind.INTEGER:
        return int(text)
    return moment(text) if kind is Kind.TIMESTAMP else text


def moment(text: str) -> datetime:
    """A timestamp in UTC."""
    parsed = parse_datetime(text)
    if parsed is None:
        raise ValueError(text)
    return parsed.replace(tzinfo=UTC)


def orders(path: Path) -> Iterator[Order]:
    """The rows of a file as models."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            values = {column.name: value(row[column.name], column.kind) for column in COLUMNS}
            yield Order(key=key_of(row), change_id=1, **values)


def bulk_create(path: Path) -> None:
    """Django's own upsert."""
    rows = orders(path)
    while batch := list(islice(rows, BATCH)):
        Order.objects.bulk_create(batch, update_conflicts=True, update_fields=[*NAMES], unique_fields=["key"])


class Moment(widgets.Widget):
    """django-import-export's own widget for moments wants one format for all of them."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> datetime | None:
        return moment(value) if value else None


class OrderResource(resources.ModelResource):
    """Orders in django-import-export, set up to be as fast as it can be."""

    key = fields.Field(attribute="key", column_name="key", widget=widgets.IntegerWidget())
    order_date = fields.Field(attribute="order_date", column_name="order_date", widget=Moment())
    payment_date = fields.Field(attribute="payment_date", column_name="payment_date", widget=Moment())

    class Meta:
        model = Order
        fields = ("key", *NAMES)
        import_id_fields = ("key",)
        use_bulk = True
        batch_size = BATCH
        skip_diff = True
        skip_html_diff = True

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        dataset.append_col([key_of(row) for row in dataset.dict], header="key")

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name in NAMES:
            row[name] = row[name] or None

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        instance.change_id = 1


def import_export(path: Path) -> None:
    """django-import-export in bulk mode."""
    with path.open(newline="") as file:
        result = OrderResource().import_data(Dataset().load(file, format="csv"), raise_errors=True)
    if result.has_errors():
        raise SystemExit("django-import-export reports errors.")


MEANS: dict[str, Callable[[Path], None]] = {"bulk_create": bulk_create, "import_export": import_export}

if __name__ == "__main__":
    MEANS[sys.argv[1]](Path(sys.argv[2]))
