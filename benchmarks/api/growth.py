"""What becomes of the slowest answers when there are ten times as many orders."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.api.answers import FACETS
from benchmarks.api.bench import Bench
from benchmarks.api.catalogue import Catalogue
from benchmarks.api.clients import Load, Round
from benchmarks.api.lines import Line, missing
from benchmarks.api.pages import ORDERS, PAGES, far, load
from benchmarks.api.site import CLIENTS, Site

MONTH = "order_date__gte=2019-03-01T00:00:00Z&order_date__lt=2019-04-01T00:00:00Z"
ASKED = 300
"""Customers, products and numbers that are asked for."""


def growth(bench: Bench) -> Iterator[Line]:
    """Each request at two sizes, in turns; by one client, and by eight at a time."""
    large = requests(bench.large, bench.large_site)
    for what, small in requests(bench.orders, bench.site).items():
        if why := bench.site.lacks(small[0]):
            yield missing(f"p99 of {what}", why)
            continue
        for clients in (1, CLIENTS):
            seen = both(bench, load(small), load(large[what]), clients)
            yield line(bench, f"p99 of {what}, {clients} client{'s' if clients > 1 else ''}", *seen)


def both(bench: Bench, small: Load, large: Load, clients: int) -> tuple[Round, Round]:
    """The two sizes in turns, each on connections of its own."""
    with bench.site.clients(clients) as few, bench.large_site.clients(clients) as many:
        seen = bench.turns.measure({"small": (few, small), "large": (many, large)})
    return seen["small"], seen["large"]


def line(bench: Bench, what: str, small: Round, large: Round) -> Line:
    """A line about the slowest of a hundred."""
    return Line(
        f"{what}, {bench.large.orders:,} orders",
        f"{large.p99:.1f} ms (p50 {large.p50:.1f})",
        f"{bench.orders.orders:,} orders: {small.p99:.1f} ms (p50 {small.p50:.1f})",
        large.p99 / small.p99,
        most=2,
    )


def requests(orders: Catalogue, site: Site) -> dict[str, list[str]]:
    """What is asked for, in which ways."""
    sample = orders.sample[:ASKED]
    first = {
        "all orders": [ORDERS],
        "all orders, a million rows deep": [far(orders, site, ORDERS, None)[1]],
        "one website": [f"{ORDERS}?website={name}" for name in orders.websites],
        "a rare status": [f"{ORDERS}?order_status=CORRECTED"],
        "a frequent status": [f"{ORDERS}?order_status=PAID"],
        "one month": [f"{ORDERS}?{MONTH}"],
        "latest payments": [f"{ORDERS}?ordering=-payment_date"],
        "two filters": [f"{ORDERS}?website={orders.websites[0]}&voucher_status=USED"],
    }
    facet = "facet=order_status&facet=voucher_status"
    return {
        **{f"a page of {what}": site.follow(path, PAGES) for what, (path, *_) in first.items()},
        "a page of one customer": [f"{ORDERS}?customer_id={order.customer_id}" for order in sample],
        "a page of one product": [f"{ORDERS}?product_id={order.product_id}" for order in sample],
        "a search by number": [f"{ORDERS}?search={order.order_id}" for order in sample],
        "facets of all orders": [FACETS],
        "facets of one website": [f"{ORDERS}facets/?{facet}&website={name}" for name in orders.websites],
        "facets of one month": [f"{ORDERS}facets/?facet=website&{facet}&{MONTH}"],
        "facets of one product": [f"{ORDERS}facets/?{facet}&product_id={order.product_id}" for order in sample],
        "facets of one customer": [
            f"{ORDERS}facets/?facet=website&{facet}&customer_id={order.customer_id}" for order in sample
        ],
    }
