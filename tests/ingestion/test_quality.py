"""The checks of quality: what fails them, how many, and what becomes of them when somebody puts things right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import quality
from catalog.changes import latest_change
from catalog.corrections import correct
from catalog.models import Order, field_of
from catalog.tally_models import QualityCount
from ingestion.undo import undo_run
from tests.conftest import ROOT, RunManage
from tests.counting import assert_counted
from tests.factories import make_user
from tests.loading import WriteFile, ingest, line, lines
from tests.read_side import refusal

pytestmark = pytest.mark.django_db(transaction=True)
QUALITY = "/api/v1/quality/"
UNPAID = {"payment_id": "", "payment_date": ""}
SUSPECT: dict[str, dict[str, str]] = {
    "ordered_in_future": {"order_date": "2942-01-01 00:00:00", "payment_date": ""},
    "paid_before_ordered": {"payment_date": "2018-07-12 17:33:03.999999"},
    "paid_without_payment": {**UNPAID, "payment_status": ""},
    "canceled_but_paid": {"order_status": "CANCELED"},
    "refunded_but_not_canceled": {"payment_status": "REFUNDED"},
    "refunded_but_voucher_paid": {
        **UNPAID,
        "order_status": "CANCELED",
        "payment_status": "REFUNDED",
        "voucher_status": "PAID_TO_SUPPLIER",
    },
    "voucher_incomplete": {"voucher_id": ""},
    "unknown_status": {"voucher_status": "EXPRIED"},
}
NONE = dict.fromkeys(SUSPECT, 0)


@pytest.fixture
def api(transactional_db: None) -> APIClient:
    """A client of a user without any permission, which is enough to read."""
    client = APIClient()
    client.force_authenticate(make_user())
    return client


def failing(name: str) -> list[int]:
    return sorted(Order.objects.filter(quality.condition(name)).values_list("order_id", flat=True))


def test_the_list_says_what_should_not_be(api: APIClient, write: WriteFile) -> None:
    ingest(write(*(line(n, **values) for n, values in enumerate(SUSPECT.values(), start=1)), *lines(11, 12)))
    listed = api.get(QUALITY).json()
    assert [check["name"] for check in listed] == list(SUSPECT)
    assert {check["name"]: check["count"] for check in listed} == dict.fromkeys(SUSPECT, 1)
    assert listed[0] == {
        "name": "ordered_in_future",
        "sentence": "The order is dated later than the moment at which its values came into the catalogue.",
        "count": 1,
        "orders": "http://testserver/api/v1/orders/?quality=ordered_in_future",
    }
    assert [failing(name) for name in SUSPECT] == [[n] for n in range(1, len(SUSPECT) + 1)]
    assert_counted()


def test_each_count_leads_to_its_orders_and_a_correction_takes_them_away(api: APIClient, write: WriteFile) -> None:
    ingest(write(*(line(n, **values) for n, values in enumerate(SUSPECT.values(), start=1)), *lines(11, 12)))
    then = timezone.now().isoformat()
    for number, check in enumerate(api.get(QUALITY).json(), start=1):
        assert [order["order_id"] for order in api.get(check["orders"]).json()["results"]] == [number], check["name"]
        assert api.get(f"{check['orders']}&website__ne=VVNL").json()["results"] == []
    order = Order.objects.get(order_id=8)
    correct(order, "voucher_status", "EXPIRED", actor="ana", reason="a slip of the till")

    listed = {check["name"]: check for check in api.get(QUALITY).json()}
    assert listed["unknown_status"]["count"] == 0
    assert api.get(listed["unknown_status"]["orders"]).json()["results"] == []
    for number, name in enumerate(SUSPECT, start=1):
        before = api.get("/api/v1/orders/", {"quality": name, "as_of": then}).json()["results"]
        assert [order["order_id"] for order in before] == [number], name


def test_a_new_code_and_a_missing_one(write: WriteFile) -> None:
    ingest(
        write(
            line(1, order_status="UNKNOWN", payment_status=""),
            line(2, payment_status="CHARGED_BACK"),
            line(3, voucher_status="", voucher_id="", payment_status="", order_status="CANCELED"),
        )
    )
    assert quality.counts() == NONE | {"unknown_status": 2}


def test_the_real_shop_has_little_of_it(write: WriteFile) -> None:
    ingest(ROOT / "data" / "sample.csv")
    counts = quality.counts()
    assert counts["ordered_in_future"] == 10
    assert all(number <= Order.objects.count() / 50 for number in counts.values())
    assert_counted()


def test_nothing_loaded_nothing_wrong(api: APIClient) -> None:
    assert {check["name"]: check["count"] for check in api.get(QUALITY).json()} == NONE


@pytest.mark.parametrize("query", [{"name": "x"}, {"nmae": "x"}, {"count": "exact"}])
def test_parameters_are_refused(api: APIClient, query: dict[str, Any]) -> None:
    assert list(query) == [key for key in refusal(api, QUALITY, **query) if key not in ("code", "allowed")]


def test_a_correction_takes_the_order_off_the_list(write: WriteFile) -> None:
    ingest(write(line(1, **SUSPECT["ordered_in_future"]), line(2, **SUSPECT["unknown_status"])))
    before = latest_change()
    for number, field, value in ((1, "order_date", "2018-01-01T00:00:00Z"), (2, "voucher_status", "EXPIRED")):
        order = Order.objects.get(order_id=number)
        correct(order, field, field_of(Order, field).to_python(value), actor="ana", reason="a test")
    assert quality.counts() == NONE
    assert failing("ordered_in_future") == failing("unknown_status") == []
    # What was known at that time is still known.
    assert quality.counts(before) == NONE | {"ordered_in_future": 1, "unknown_status": 1}
    assert_counted()


def test_a_correction_beside_leaves_it_there(write: WriteFile) -> None:
    ingest(write(line(1, **SUSPECT["ordered_in_future"])))
    correct(Order.objects.get(order_id=1), "website", "VVBE", actor="ana", reason="a test")
    assert quality.counts()["ordered_in_future"] == 1
    assert failing("ordered_in_future") == [1]


def test_removed_orders_do_not_count(write: WriteFile) -> None:
    ingest(write(line(1, **SUSPECT["canceled_but_paid"]), line(2)))
    ingest(write(line(2)), "--full-snapshot", "--max-removals=100%")
    assert quality.counts() == NONE
    assert_counted()


def test_a_dry_run_and_an_undo(write: WriteFile) -> None:
    ingest(write(line(1), line(2, **SUSPECT["paid_without_payment"])))
    worse = write(line(1, **SUSPECT["canceled_but_paid"]), line(2), name="worse.csv")
    before = quality.counts()
    ingest(worse, "--dry-run")
    assert quality.counts() == before
    run = ingest(worse).report["run"]
    assert quality.counts() == NONE | {"canceled_but_paid": 1}
    undo_run(run)
    assert quality.counts() == before
    assert_counted()


def test_more_changes_than_a_condition_can_name(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in (1, 2, 3):
        ingest(write(line(n, **SUSPECT["ordered_in_future"]), line(10 + n)))
    monkeypatch.setattr(quality, "MOST_CHANGES", 2)
    assert failing("ordered_in_future") == [1, 2, 3]


def test_the_command_counts_every_change_anew(write: WriteFile, run_manage: RunManage) -> None:
    ingest(write(*(line(n, **values) for n, values in enumerate(SUSPECT.values(), start=1))))
    ingest(write(line(1), line(2, website="VVBE", **SUSPECT["paid_before_ordered"])))
    kept = [quality.counts(change) for change in range(latest_change() + 1)]
    QualityCount.objects.all().delete()
    assert run_manage("rebuild_tallies").returncode == 0
    assert [quality.counts(change) for change in range(latest_change() + 1)] == kept
    assert_counted()


def test_each_check_is_answered_by_an_index(tmp_path: Path, run_manage: RunManage, engine: str) -> None:
    path = tmp_path / "orders.csv"
    given = ("--rows=20000", "--seed=1", "--dirty=0.01", f"--output={path}")
    assert run_manage("generate_orders", *given).returncode == 0
    ingest(path)
    for check in quality.CHECKS:
        wanted = {f"odd_{check.name}"} if check.in_row else {"order_by_change", "order_by_date"}
        assert used_index(check.name, engine) in wanted


def used_index(name: str, engine: str) -> str:
    """The index by which the database finds the newest orders that fail a check."""
    found = Order.objects.present().filter(quality.condition(name)).order_by("-order_date", "-key")[:51]
    sql, params = found.values_list("key").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN " if engine == "postgresql" else "EXPLAIN QUERY PLAN ") + sql, params)
        plan = "\n".join(str(row) for row in cursor.fetchall())
    [index] = re.findall(r"(?i)\b(?:using|on)(?: covering)?(?: index)? (o(?:dd|rder)_\w+)", plan)
    return str(index)
