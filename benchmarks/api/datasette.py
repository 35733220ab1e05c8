"""The same pages by Datasette, on the same rows in SQLite, with the indexes that they need."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.api.bench import Bench
from benchmarks.api.lines import Line, faster, missing
from benchmarks.api.pages import ORDERS, PAGES, load, of_websites
from benchmarks.api.site import CLIENTS, Site, free_port, served, wait_for
from catalog.contract import COLUMNS, Kind

CUSTOMERS = 300
LEAN = "_nocount=1&_nosuggest=1&_nofacet=1"
"""What Datasette can be told to leave out: counting, and looking for facets."""

TABLE = "/orders/orders"
TYPES = {Kind.INTEGER: "INTEGER", Kind.CODE: "TEXT", Kind.TIMESTAMP: "TEXT"}
NEWEST = "_sort_desc=order_date&_size=50&_shape=objects"


def datasette(bench: Bench) -> Iterator[Line]:
    """One website and one customer, newest first, and one order by key."""
    try:
        name = f"Datasette {version('datasette')}"
    except PackageNotFoundError:
        yield missing("the same pages by Datasette", "Datasette is not installed here")
        return
    with running(bench, written(bench)) as theirs:
        first = [f"{TABLE}.json?website={name}&{NEWEST}" for name in bench.orders.websites]
        lean = [page for path in first for page in theirs.follow(f"{path}&{LEAN}", PAGES, "next_url")]
        customers = [order.customer_id for order in bench.orders.sample[:CUSTOMERS]]
        ours = of_websites(bench, bench.site, ORDERS)
        by_customer = [f"{ORDERS}?customer_id={number}" for number in customers]
        of_customer = [f"{TABLE}.json?customer_id={number}&{NEWEST}" for number in customers]
        by_key = [f"{ORDERS}{order.source}/{order.order_id}/" for order in bench.orders.sample]
        of_key = [f"{TABLE}/{order.key}.json?_shape=objects" for order in bench.orders.sample]
        told = f"{name}, told not to count"
        yield against(bench, theirs, "one website, newest first", ours, first, name)
        yield against(bench, theirs, "one website, newest first", ours, lean, told)
        yield against(bench, theirs, "one customer, newest first", by_customer, of_customer, name)
        yield against(
            bench, theirs, "one customer, newest first", by_customer, [f"{path}&{LEAN}" for path in of_customer], told
        )
        yield against(bench, theirs, "one order by key", by_key, of_key, name)


def against(bench: Bench, site: Site, what: str, ours: list[str], theirs: list[str], name: str) -> Line:
    """The product and Datasette in turns, each on connections of its own."""
    with bench.site.clients(CLIENTS) as mine, site.clients(CLIENTS) as others:
        seen = bench.turns.measure({"ours": (mine, load(ours)), "theirs": (others, load(theirs))})
    return faster(what, seen["ours"], seen["theirs"], name, least=1)


def written(bench: Bench) -> Path:
    """A file of SQLite with the rows that the product shows."""
    path = bench.files.folder / "orders.db"
    names = ", ".join(column.name for column in COLUMNS)
    columns = ", ".join(f"{column.name} {TYPES[column.kind]}" for column in COLUMNS)
    moment = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    values = ", ".join(moment.format(c.name) if c.kind is Kind.TIMESTAMP else c.name for c in COLUMNS)
    with (
        closing(sqlite3.connect(path)) as file,
        bench.server.connect(bench.orders.database) as connection,
        connection.transaction(),
        connection.cursor("all") as cursor,
    ):
        file.execute(f"CREATE TABLE orders (key INTEGER PRIMARY KEY, {columns})")
        cursor.itersize = 10_000
        cursor.execute(f"SELECT key, {values} FROM catalog_order WHERE NOT removed")
        places = ", ".join("?" * (len(COLUMNS) + 1))
        file.executemany(f"INSERT INTO orders (key, {names}) VALUES ({places})", cursor)
        for name in ("website", "customer_id"):
            file.execute(f"CREATE INDEX {name}_newest ON orders ({name}, order_date DESC)")
        file.execute("ANALYZE")
        file.commit()
    return path


@contextmanager
def running(bench: Bench, path: Path) -> Iterator[Site]:
    """Datasette on a file that it knows nobody will change; it has no workers to choose the number of."""
    port = free_port()
    command = (sys.executable, "-m", "datasette", "serve", "--immutable", path, "--port", str(port))
    with served(command, bench.log) as process:
        site = Site(port, process)
        wait_for(site, "/-/versions.json", bench.log)
        yield site
