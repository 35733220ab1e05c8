"""Walks over all orders, page by page, while another process loads, corrects and undoes.

`WALK_ROWS=1000000` walks over that many orders instead of a few thousand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Change, Order
from tests.conftest import ROOT
from tests.read_side import ORDERS, api

__all__ = ["api"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

ROWS = int(os.environ.get("WALK_ROWS", "1500"))
PAGE = min(1000, max(50, ROWS // 1000))
ORDERINGS: tuple[str, ...] = (
    "-order_date",
    "payment_date",
    "customer_id",
    "website,-product_id",
    "-voucher_status,order_status,-order_id",
)
if ROWS > 100_000:
    # Those that an index serves: without one each page sorts all orders, and the walk takes hours.
    ORDERINGS = ("-order_date", "payment_date", "customer_id", "-product_id", "website")

# Whatever can change the catalogue, again and again until somebody makes the file that says stop.
CHANGING = """
import contextlib, os, sys, django
django.setup()
from django.core.management import call_command
from catalog.corrections import correct_many, retire
from catalog.models import Correction, Order
from ingestion.undo import undo_run
from ingestion.models import Run
later, stop = sys.argv[1:]
turn = 0
while not os.path.exists(stop):
    turn += 1
    with contextlib.redirect_stdout(open(os.devnull, "w")):
        call_command("ingest_csv", later, "--force", "--no-progress")
    some = Order.objects.filter(customer_id__gte=1).order_by("product_id", "key")[turn:turn + 20]
    keys = list(some.values_list("pk", flat=True))
    correct_many(Order.objects.filter(pk__in=keys), "product_id", turn, actor="ana", reason="walk")
    retire(Correction.objects.all(), actor="ana", reason="walk")
    undo_run(Run.objects.filter(status="loaded", kind="load").latest("id").pk, wait=True, keep_touched=True,
             dry_run=False, actor="ana")
    print(turn, flush=True)
"""


@pytest.fixture
def later(tmp_path: Path, settings: Any) -> Path:
    """A loaded catalogue, and the next day's file: some orders are changed in it, and some are new."""
    # Here it is not asked how long a page takes.
    settings.QUERY_TIME_LIMIT = 600.0
    today, later = tmp_path / "today.csv", tmp_path / "later.csv"
    call_command("generate_orders", rows=ROWS, seed=5, output=str(today))
    call_command("generate_orders", rows=ROWS + ROWS // 50, seed=5, changed=0.02, output=str(later))
    call_command("ingest_csv", str(today), "--json", "--no-progress", stdout=(tmp_path / "report").open("w"))
    return later


@contextmanager
def changing(later: Path, environment: dict[str, str]) -> Iterator[None]:
    """Another process that changes the catalogue all the while, at least twice."""
    stop = later.with_name("stop")
    with subprocess.Popen(
        [sys.executable, "-c", CHANGING, str(later), str(stop)],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "talpa_site.settings", "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "1\n"
            yield
            assert process.stdout.readline() == "2\n"
        finally:
            stop.touch()
            process.communicate()
    assert process.returncode == 0


def walk(api: APIClient, url: str, direction: str) -> tuple[Counter[str], str]:
    """How often each order comes, and the address of the last page."""
    seen: Counter[str] = Counter()
    while True:
        response = api.get(url)
        assert response.status_code == 200, response.content
        page = response.json()
        seen.update(f"{order['source']}/{order['order_id']}" for order in page["results"])
        if page[direction] is None:
            return seen, url
        url = page[direction]


def test_what_was_there_all_along_comes_exactly_once(api: APIClient, later: Path, environment: dict[str, str]) -> None:
    first = Change.objects.get()
    walks = {}
    with changing(later, environment):
        for ordering in ORDERINGS:
            start = f"{ORDERS}?ordering={ordering}&page_size={PAGE}&fields=source,order_id&count=none&removed=any"
            walks[ordering, "next"], last = walk(api, start, "next")
            backwards, _ = walk(api, last, "previous")
            walks[ordering, "previous"] = backwards
    untouched = {order.natural_key for order in Order.objects.filter(change=first).only("source", "order_id")}
    assert len(untouched) > ROWS * 0.8
    for name, seen in walks.items():
        assert {order: seen[order] for order in untouched if seen[order] != 1} == {}, name


def test_at_one_moment_everything_comes_exactly_once(api: APIClient, later: Path, environment: dict[str, str]) -> None:
    moment = timezone.now().isoformat().replace("+", "%2B")
    there = Counter(order.natural_key for order in Order.objects.only("source", "order_id"))
    with changing(later, environment):
        for ordering in ORDERINGS:
            start = f"{ORDERS}?as_of={moment}&ordering={ordering}&page_size={PAGE}&fields=source,order_id&count=none"
            forwards, last = walk(api, start, "next")
            backwards, _ = walk(api, last, "previous")
            assert forwards == there, ordering
            assert backwards == there, ordering
