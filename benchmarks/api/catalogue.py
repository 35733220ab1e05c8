"""A catalogue as people have it, to be asked for: loaded orders, corrections, a rule."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, LiteralString, NamedTuple

from benchmarks.loads import Files
from benchmarks.machine import FailedError, PostgreSQL, ingest, run

CORRECTIONS = 300
RULE = ("voucher_status", "EXPRIED", "EXPIRED")
"""What the generator misspells, as the real export does."""

SAMPLE = 2000
"""Orders that are asked for one by one, about so many."""


class Known(NamedTuple):
    """One order's names."""

    key: int
    source: str
    order_id: int
    customer_id: int
    product_id: int


@dataclass
class Catalogue:
    """A database with orders, and what is in it."""

    server: PostgreSQL
    database: str

    @property
    def url(self) -> str:
        return self.server.url(self.database)

    def rows(self, sql: LiteralString, *values: Any) -> list[Any]:
        """What a query finds."""
        with self.server.connect(self.database) as connection:
            return connection.execute(sql, values).fetchall()

    @cached_property
    def orders(self) -> int:
        """How many."""
        return int(self.rows("SELECT count(*) FROM catalog_order")[0][0])

    @cached_property
    def websites(self) -> list[str]:
        """The six websites with most orders, that of most first."""
        counted = "SELECT website FROM catalog_order GROUP BY website ORDER BY count(*) DESC, website LIMIT 6"
        return [website for (website,) in self.rows(counted)]

    @cached_property
    def sample(self) -> list[Known]:
        """Orders from all over the table; the same ones in each run."""
        found = self.rows(
            "SELECT key, source, order_id, coalesce(customer_id, 1), coalesce(product_id, 1) "
            "FROM catalog_order TABLESAMPLE BERNOULLI (%s) REPEATABLE (1)",
            min(100, 100 * SAMPLE / self.orders),
        )
        random.Random(1).shuffle(found)
        return [Known(*row) for row in found]


@contextmanager
def catalogue(server: PostgreSQL, files: Files, orders: int) -> Iterator[Catalogue]:
    """A catalogue of that size, as long as the block runs."""
    with server.database(f"orders_{orders}") as database:
        url = server.url(database)
        path = files.generate(f"{database}.csv", orders)
        ingest(path, url=url)
        path.unlink()
        run(sys.executable, "-m", "benchmarks.api.catalogue", url=url)
        server.psql(database, "VACUUM ANALYZE")
        made = Catalogue(server, database)
        if not made.orders:
            raise FailedError("No order was loaded.")
        yield made


def overlay() -> None:
    """Correct some orders, each on its own, and switch a rule on."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "talpa_site.settings"
    import django  # noqa: PLC0415  only this process needs it

    django.setup()
    from catalog import corrections, rules  # noqa: PLC0415  models can be imported only now
    from catalog.models import Order, ValueRule  # noqa: PLC0415

    field, old, new = RULE
    rules.switch_on(ValueRule.objects.create(field=field, old=old, new=new, reason="a benchmark"), actor="benchmark")
    step = max(1, Order.objects.count() // CORRECTIONS)
    keys = Order.objects.order_by("pk").values_list("pk", flat=True).iterator()
    for order in Order.objects.filter(pk__in=list(islice(keys, None, None, step))[:CORRECTIONS]):
        corrections.correct(order, "order_status", "CORRECTED", actor="benchmark", reason="a benchmark")


if __name__ == "__main__":
    overlay()
