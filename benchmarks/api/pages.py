"""Pages, single orders and conditional requests, against plain Django REST framework in the same processes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.api.bench import Bench
from benchmarks.api.catalogue import Catalogue
from benchmarks.api.clients import Load, request
from benchmarks.api.lines import Line, faster, missing, pace
from benchmarks.api.site import Product, Site

ORDERS = "/api/v1/orders/"
PAGE = 50
DEEP = 1_000_000
"""The row, counted from the first, at which page 20,000 ends."""

PAGES = 20
"""Pages of one walk that are asked for."""


def load(paths: Sequence[str], status: int = 200, **headers: str) -> Load:
    """All paths, in an order that has nothing to do with what they are, the same in each run."""
    shuffled = random.Random(3).sample(paths, len(paths))
    return Load([request(path, **headers) for path in shuffled], status)


def of_websites(bench: Bench, site: Site, base: str) -> list[str]:
    """The first pages of each website, by the links from one to the next."""
    return [path for name in bench.orders.websites for path in site.follow(f"{base}?website={name}", PAGES)]


def numbered(bench: Bench) -> list[str]:
    """The same pages by number; a website of few orders has fewer."""
    sizes = dict(bench.orders.rows("SELECT website, count(*) FROM catalog_order GROUP BY website"))
    return [
        f"/plain/numbered/?website={name}&page={page}"
        for name in bench.orders.websites
        for page in range(1, min(PAGES, -(-sizes[name] // PAGE)) + 1)
    ]


def floor(bench: Bench) -> Iterator[Line]:
    """What can be reached at all: views that do nothing; and what the clients themselves take."""
    empty = {name: load([f"/plain/{name}/"]) for name in ("empty-django", "empty-drf")}
    seen = bench.compare(empty)
    yield Line("nothing: an empty Django view", "", pace(seen["empty-django"]))
    yield Line("nothing: an empty DRF view", "", pace(seen["empty-drf"]))
    cost = seen["empty-django"].cost
    share = cost * seen["empty-django"].rate / 1e6
    yield Line("the clients themselves", "", f"{cost:.0f} µs of a processor for each answer, {share:.0%} of one core")


def lists(bench: Bench) -> Iterator[Line]:
    """A page of one website, newest first: one that nobody has asked for, and one that was asked for before."""
    for site, how in each_way(bench):
        seen = bench.compare(
            {
                "ours": load(of_websites(bench, site, ORDERS)),
                "cursor": load(of_websites(bench, site, "/plain/orders/")),
                "number": load(numbered(bench)),
            },
            site,
        )
        what = f"page of {PAGE}, one website, newest first, {how}"
        yield faster(what, seen["ours"], seen["cursor"], "plain DRF, CursorPagination", 4)
        yield faster(what, seen["ours"], seen["number"], "plain DRF, PageNumberPagination", 10)


def single(bench: Bench) -> Iterator[Line]:
    """One order by key, any of them."""
    sample = bench.orders.sample
    for site, how in each_way(bench):
        seen = bench.compare(
            {
                "ours": load([f"{ORDERS}{order.source}/{order.order_id}/" for order in sample]),
                "plain": load([f"/plain/orders/{order.key}/" for order in sample]),
            },
            site,
        )
        yield faster(f"one order by key, {how}", seen["ours"], seen["plain"], "plain DRF", 2)


def each_way(bench: Bench) -> Iterator[tuple[Product, str]]:
    """The product without its memory of answers, and with it."""
    yield bench.site, "made anew"
    yield bench.usual_site, "asked for before"


def unchanged(bench: Bench) -> Iterator[Line]:
    """304: the client has what it asks for."""
    what = "304 to a page of one website"
    paths = of_websites(bench, bench.site, ORDERS)
    tags = {path: bench.site.get(path).headers.get("ETag") for path in paths}
    if None in tags.values():
        yield missing(what, "not there yet (no ETag)")
        return
    requests = [request(path, If_None_Match=str(tag)) for path, tag in tags.items()]
    random.Random(3).shuffle(requests)
    seen = bench.compare({"ours": Load(requests, 304), "empty": load(["/plain/empty-drf/"])})
    yield faster(what, seen["ours"], seen["empty"], "an empty DRF view", 0.8)


def deep(bench: Bench) -> Iterator[Line]:
    """The first pages against pages far behind, by cursor."""
    website = bench.orders.websites[0]
    for what, base in (("unfiltered", ORDERS), ("one website", f"{ORDERS}?website={website}")):
        page, start = far(bench.orders, bench.site, base, website if "?" in base else None)
        near_pages, far_pages = bench.site.follow(base, PAGES), bench.site.follow(start, PAGES)
        seen = bench.compare({"near": load(near_pages), "far": load(far_pages)})
        longer = seen["near"].rate / seen["far"].rate
        label = f"page {page:,} by cursor, {what}"
        yield Line(label, pace(seen["far"]), f"page 1: {pace(seen['near'])}", longer, most=1.3)


def far(orders: Catalogue, site: Site, base: str, website: str | None) -> tuple[int, str]:
    """The number and the path of a page as deep as asked for, or as there is; walked to with the largest pages."""
    counted = "SELECT count(*) FROM catalog_order WHERE NOT removed AND (%s::text IS NULL OR website = %s)"
    ((rows,),) = orders.rows(counted, website, website)
    step = min(1000, max(PAGE, rows // 50))
    steps = max(1, (min(DEEP, rows - PAGE * PAGES) - PAGE) // step)
    mark = "&" if "?" in base else "?"
    last = site.follow(f"{base}{mark}page_size={step}&count=none", steps + 1)[-1]
    cursor = urlencode({"cursor": parse_qs(urlsplit(last).query)["cursor"][0]})
    return steps * step // PAGE + 1, f"{base}{mark}{cursor}"
