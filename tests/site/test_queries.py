"""A query may take only so long: reads are stopped with a sentence, and nothing else is."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from catalog.engines import reader_for
from catalog.models import Order
from tests.conftest import RunManage
from tests.factories import make_order
from tests.read_side import ORDERS

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 0.2
SLOW = """
CREATE VIEW catalog_order AS SELECT * FROM orders_behind WHERE (
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n
) > 0
"""


@pytest.fixture
def slow_orders(transactional_db: None, settings: Any) -> Iterator[None]:
    """Orders of which each reading takes about a second, where a fifth of one is allowed."""
    settings.QUERY_TIME_LIMIT = LIMIT
    make_order(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_order RENAME TO orders_behind")
        cursor.execute(SLOW)
    yield
    reader_for(connection).begin(None)
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW catalog_order")
        cursor.execute("ALTER TABLE orders_behind RENAME TO catalog_order")


@pytest.fixture
def root(transactional_db: None) -> Client:
    """A browser and an API client of somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=None))
    return client


@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}?count=exact", f"{ORDERS}services/1/"])
@pytest.mark.usefixtures("slow_orders")
def test_a_read_that_takes_too_long_is_503_with_advice(root: Client, path: str) -> None:
    began = time.monotonic()
    response = root.get(path)
    assert time.monotonic() - began < 4 * LIMIT
    assert (response.status_code, response.json()["code"]) == (503, "query_too_expensive")
    assert "a range of order_date" in response.json()["detail"]
    assert "Retry-After" not in response.headers


@pytest.mark.usefixtures("slow_orders")
def test_the_next_request_is_answered(root: Client) -> None:
    assert root.get(ORDERS).status_code == 503
    assert root.get("/api/v1/runs/").status_code == 200


@pytest.mark.parametrize("path", ["/admin/catalog/order/", "/admin/catalog/order/services/1/change/"])
@pytest.mark.usefixtures("slow_orders")
def test_the_admin_says_it_on_a_page(root: Client, path: str) -> None:
    response = root.get(path)
    page = response.content.decode()
    assert response.status_code == 503
    assert "The database was stopped after 0.2 seconds" in page
    assert "Order catalogue" in page


@pytest.mark.usefixtures("slow_orders")
def test_the_log_has_one_line_about_it(root: Client, caplog: pytest.LogCaptureFixture) -> None:
    for path in (ORDERS, "/admin/catalog/order/"):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            root.get(path)
        lines = [record for record in caplog.records if "request_finished" not in record.getMessage()]
        assert ["query_too_expensive" in record.getMessage() for record in lines] == [True]
        assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.usefixtures("slow_orders")
def test_whatever_may_write_has_no_limit(root: Client) -> None:
    """The same connection serves both in turn."""
    assert root.get(f"{ORDERS}services/1/").status_code == 503
    response = root.post(f"{ORDERS}services/1/corrections/", {}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert root.get(f"{ORDERS}services/1/").status_code == 503


@pytest.mark.usefixtures("slow_orders")
def test_what_is_no_request_has_no_limit(root: Client, run_manage: RunManage, engine: str) -> None:
    assert root.get(ORDERS).status_code == 503
    done = run_manage("shell", "--no-imports", "-c", "from catalog.models import Order; print(Order.objects.count())")
    assert done.stdout.strip().endswith("1")
    if engine == "sqlite":
        assert Order.objects.count() == 1


def test_without_a_limit_everything_is_answered(root: Client, slow_orders: None, settings: Any) -> None:
    settings.QUERY_TIME_LIMIT = None
    assert root.get(ORDERS).status_code == 200


@pytest.mark.postgresql_only
def test_the_limit_is_set_once_for_many_reads(root: Client) -> None:
    root.get(ORDERS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '9s', false)")
    root.get(ORDERS)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("9s",)
    root.post("/api/v1/rules/", {}, content_type="application/json")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.postgresql_only
def test_somebody_who_ends_the_connection_is_an_outage(root: Client) -> None:
    """Only what the limit has stopped is the client's to mend."""
    root.get(ORDERS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [number] = cursor.fetchone() or (0,)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE catalog_order IN ACCESS EXCLUSIVE MODE")

        def end_it() -> None:
            time.sleep(0.3)
            connection_of_another = connection.copy()
            with connection_of_another.cursor() as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", [number])
            connection_of_another.close()

        thread = threading.Thread(target=end_it)
        thread.start()
        # What was asked before would be answered from memory.
        response = root.get(f"{ORDERS}?website=VVNL")
        thread.join()
        cursor.execute("ROLLBACK")
    other.close()
    connection.close()
    assert (response.status_code, json.loads(response.content)["code"]) == (503, "database_unavailable")
