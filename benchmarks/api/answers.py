"""Answers about many orders: facets against SQL, exports against COPY."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from statistics import median
from typing import LiteralString

import psycopg

from benchmarks.api.bench import Bench
from benchmarks.api.lines import Line, missing
from benchmarks.api.pages import ORDERS, load
from benchmarks.api.site import Product, product
from benchmarks.machine import FailedError
from catalog.contract import NAMES

DIMENSIONS: tuple[LiteralString, ...] = ("website", "order_status", "voucher_status", "payment_status")
FACETS = f"{ORDERS}facets/?{'&'.join(f'facet={name}' for name in DIMENSIONS)}"
EXPORT = f"{ORDERS}export/?format=csv"

GROUPED: tuple[LiteralString, ...] = tuple(
    f"SELECT {name}, count(*) FROM catalog_order WHERE NOT removed GROUP BY {name}" for name in DIMENSIONS
)
AT_ONCE: LiteralString = (
    f"SELECT {', '.join(DIMENSIONS)}, count(*) FROM catalog_order WHERE NOT removed "
    f"GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in DIMENSIONS)})"
)
COLUMNS = ", ".join(NAMES)
BLOCK = 1 << 20


def facets(bench: Bench) -> Iterator[Line]:
    """Four facets over all orders, against the same numbers asked for in SQL, in whichever way is the faster."""
    what = "four facets over all orders"
    if why := bench.site.lacks(FACETS):
        yield missing(what, why)
        return
    with bench.orders.server.connect(bench.orders.database) as connection, bench.site.clients(1) as client:
        asked = load([FACETS])
        client.run(asked, bench.turns.seconds)
        ours, one_by_one, at_once = [], [], []
        for _ in range(bench.turns.rounds):
            one_by_one.append(seconds(lambda: query(connection, *GROUPED)))
            at_once.append(seconds(lambda: query(connection, AT_ONCE)))
            ours.append(client.run(asked, bench.turns.seconds).p50 / 1e3)
    ways = {"four `GROUP BY`": median(one_by_one), "`GROUPING SETS`": median(at_once)}
    name = min(ways, key=lambda way: ways[way])
    took = median(ours)
    yield Line(what, f"{took * 1e3:.2f} ms", f"{name}: {ways[name] * 1e3:.0f} ms", ways[name] / took, least=50)


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def query(connection: psycopg.Connection, *statements: LiteralString) -> None:
    """Ask, and take all that is found."""
    for statement in statements:
        connection.execute(statement).fetchall()


def exports(bench: Bench) -> Iterator[Line]:
    """All orders as CSV, against COPY of the same columns; and what memory it takes."""
    what = f"export of {bench.orders.orders:,} orders to CSV"
    # Asked for one order only, as the answer is read to its end.
    if why := bench.site.lacks(f"{EXPORT}&order_id=1"):
        yield missing(what, why)
        return
    plain = f"SELECT {COLUMNS} FROM catalog_order WHERE NOT removed"
    sorted_ = f"{plain} ORDER BY order_date DESC, key DESC"
    ours, theirs, in_order = [], [], []
    rows = exported(bench.site, EXPORT)
    if rows != bench.orders.orders:
        raise FailedError(f"The export has {rows:,} rows of {bench.orders.orders:,}.")
    for _ in range(bench.turns.rounds):
        ours.append(seconds(lambda: exported(bench.site, EXPORT)))
        theirs.append(copied(bench, plain))
        in_order.append(copied(bench, sorted_))
    yield export_line(what, rows, median(ours), median(theirs), "`COPY` in no order", least=0.5)
    yield export_line(what, rows, median(ours), median(in_order), "`COPY` newest first", least=None)
    yield memory(bench)


def export_line(what: str, rows: int, ours: float, theirs: float, against: str, least: float | None) -> Line:
    """A line about rows a second."""
    figures = (f"{rows / ours:,.0f} rows/s", f"{against}: {rows / theirs:,.0f} rows/s")
    return Line(what, *figures, theirs / ours, least=least)


def copied(bench: Bench, sql: str) -> float:
    """The seconds that COPY takes to hand the rows of a query to psql."""
    return bench.server.psql(bench.orders.database, f"\\copy ({sql}) TO '/dev/null' (FORMAT csv, HEADER)").seconds


def exported(site: Product, path: str) -> int:
    """Take an export to its end; the number of its rows. An end that comes too early is an error."""
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=600)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            raise FailedError(f"{path}: status {response.status}, {response.read(1000).decode(errors='replace')}")
        lines = 0
        while block := response.read(BLOCK):
            lines += block.count(b"\n")
    return lines - 1


def memory(bench: Bench) -> Line:
    """The peak of one worker in an export of a tenth of all orders, and of all."""
    percentile = "SELECT percentile_disc(0.1) WITHIN GROUP (ORDER BY order_date) FROM catalog_order"
    ((moment,),) = bench.orders.rows(percentile)
    part = f"{EXPORT}&order_date__lt={moment:%Y-%m-%dT%H:%M:%SZ}"
    with product(bench.orders.url, bench.log, workers=1) as site:
        exported(site, part)
        peaks = []
        for path in (part, EXPORT):
            site.peak()
            rows = exported(site, path)
            peaks.append((rows, site.peak()))
    (few, small), (many, large) = peaks
    return Line(
        f"peak memory of the worker that exports {many:,} orders",
        f"{large:.0f} MB",
        f"{few:,} orders: {small:.0f} MB",
        large / small,
        most=1.1,
    )
