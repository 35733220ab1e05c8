"""Exports that end before their end: the client sees it, and the server lets go of everything."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from tests.exporting import EXPORT
from tests.loading import ingest
from tests.serving import get, serving

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 60_000
"""More than the buffers between the server and a client that does not read can hold."""

ALL = f"{EXPORT}?fields=order_id,source,customer_id,website,order_date,payment_date,removed,run,line,since"


@pytest.fixture
def many(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    call_command("generate_orders", rows=ORDERS, seed=3, output=str(path))
    assert ingest(path).report["inserted"] == ORDERS


def lines_of_whole(port: int, address: str) -> int:
    return get(port, address).read().count(b"\n")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_what_takes_too_long_is_broken_off_and_the_client_sees_it(format_: str, environment: dict[str, str]) -> None:
    with serving(environment, EXPORT_TIMEOUT="1") as port:
        answer = get(port, f"{ALL}&format={format_}")
        assert (answer.status, answer.read(10_000)[:1] != b"") == (200, True)
        time.sleep(1.5)
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        # The worker serves on, and an export that is quick enough is whole.
        assert lines_of_whole(port, f"{EXPORT}?fields=order_id&order_date__lt=2016-01-01") > 1


@pytest.mark.postgresql_only
@pytest.mark.usefixtures("many")
def test_a_database_connection_that_is_lost_is_seen_by_the_client(environment: dict[str, str]) -> None:
    with serving(environment) as port:
        answer = get(port, ALL)
        answer.read(10_000)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {EXPORTING}")
            assert cursor.fetchall() == [(True,)]
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        assert lines_of_whole(port, ALL) == ORDERS + 1


@pytest.mark.postgresql_only
@pytest.mark.usefixtures("many")
def test_a_client_that_goes_away_ends_the_query(environment: dict[str, str]) -> None:
    with serving(environment) as port:
        answer = get(port, ALL)
        answer.read(10_000)
        assert exporting() == 1
        answer.close()
        assert soon(lambda: exporting() == 0)


EXPORTING = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'"


def exporting() -> int:
    """How many exports the server is at."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {EXPORTING}")
        return int(cursor.fetchone()[0])


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()
