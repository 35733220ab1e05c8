"""The admin's pages, as one person opens them, at two sizes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from benchmarks.api.bench import Bench
from benchmarks.api.catalogue import Catalogue
from benchmarks.api.clients import Load, Round, request
from benchmarks.api.lines import Line
from benchmarks.api.site import Product
from benchmarks.machine import run

ADMIN = "/admin/"
ORDERS = "/admin/catalog/order/"
LIMITS = {"the start page": 200}
LIMIT = 300
"""Milliseconds that a page may take at the larger size, the slowest of a hundred."""

ASKED = 100
"""Orders whose pages are opened."""


def admin(bench: Bench) -> Iterator[Line]:
    """Each page by one browser, at two sizes; the limits are for the larger one."""
    small, large = (pages(*both) for both in ((bench.orders, bench.site), (bench.large, bench.large_site)))
    for what, asked in small.items():
        seen, far = opened(bench, bench.site, asked), opened(bench, bench.large_site, large[what])
        limit = LIMITS.get(what, LIMIT)
        yield Line(
            f"{what}, {bench.large.orders:,} orders; p99 as a share of {limit} ms",
            f"p50 {far.p50:.0f} ms, p99 {far.p99:.0f} ms",
            f"{bench.orders.orders:,} orders: p50 {seen.p50:.0f} ms, p99 {seen.p99:.0f} ms",
            far.p99 / limit,
            most=1,
        )


def opened(bench: Bench, site: Product, asked: Load) -> Round:
    """How long it takes one browser, after a page of each worker."""
    with site.clients(1) as one:
        return bench.turns.measure({"page": (one, asked)})["page"]


def pages(orders: Catalogue, site: Product) -> dict[str, Load]:
    """What is opened, by a superuser."""
    cookie = session(orders)
    websites = [f"{ORDERS}?website={name}" for name in orders.websites]
    some = orders.sample[:ASKED]
    asked = {
        "the start page": [ADMIN],
        "the list of orders": [ORDERS, f"{ORDERS}?p=2", f"{ORDERS}?p=100"],
        "orders of one website": websites,
        "orders of one website and status": [f"{path}&voucher_status=USED" for path in websites],
        "orders found by a number": [f"{ORDERS}?q={order.customer_id}" for order in some],
        "orders of a rare combination": [f"{ORDERS}?payment_status__isnull=true&order_status=PAID"],
        "customers": [f"/admin/catalog/customer/{order.source}/{order.customer_id}/" for order in some],
        "products": [
            f"/admin/catalog/product/{order.source}/{order.product_id}/" for order in some if order.product_id > 1
        ],
        "one order": [f"{ORDERS}{order.source}/{order.order_id}/change/" for order in some],
        "the quality checks": ["/admin/quality/"],
        "the runs": ["/admin/ingestion/run/"],
        "the rejected rows": ["/admin/ingestion/rejectedrow/"],
        "the corrections": ["/admin/catalog/correction/"],
        "the changes": ["/admin/catalog/change/"],
    }
    return {what: Load([request(path, Cookie=cookie) for path in paths]) for what, paths in asked.items()}


def session(orders: Catalogue) -> str:
    """The cookie of somebody who is logged in."""
    return run(sys.executable, "-m", "benchmarks.api.admin", url=orders.url).output.strip()


def log_in() -> None:
    """Make a superuser with a session, and print the cookie."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "talpa_site.settings"
    import django  # noqa: PLC0415  only this process needs it

    django.setup()
    from django.conf import settings  # noqa: PLC0415  models can be imported only now
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    user, _ = User.objects.get_or_create(username="benchmark", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    print(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")


if __name__ == "__main__":
    log_in()
