"""What a load makes of orders that are there, and of rows that are there twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.models import Order, OrderVersion, Source
from ingestion.models import RejectedRow, RejectReason, Run
from tests.loading import HEADER, WriteFile, ingest, line, lines, row, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


# --- Updates and history


def test_update_keeps_the_old_values_with_both_causes(write: WriteFile) -> None:
    first = ingest(write(*lines(1, 2)))
    changed = line(2, voucher_id="", order_status="CANCELLED", payment_date="2018-07-13 08:00:00")

    second = ingest(write(line(1), changed, name="second.csv"))

    assert second.figures() == {"read": 2, "updated": 1, "unchanged": 1}
    old_change, new_change = (Run.objects.get(pk=x.report["run"]).change_id for x in (first, second))
    version = OrderVersion.objects.get()
    old = row(2)
    assert tuple(getattr(version, name) for name in HEADER.split(",")) == old
    assert (version.line, version.removed) == (3, False)
    assert (version.change_id, version.ended_by_id) == (old_change, new_change)
    order = Order.objects.get(order_id=2)
    assert (order.change_id, order.voucher_id, order.order_status) == (new_change, None, "CANCELLED")
    assert order.payment_date == datetime(2018, 7, 13, 8, tzinfo=UTC)
    assert Order.objects.get(order_id=1).change_id == old_change


OTHER = {
    "customer_id": "7",
    "payment_id": "7",
    "voucher_id": "7",
    "product_id": "7",
    "website": "VVBE",
    "order_status": "NEW",
    "voucher_status": "NEW",
    "payment_status": "NEW",
    "order_date": "2018-07-12 17:33:04.001",
    "payment_date": "2018-07-12 17:40:00.123457",
}
OPTIONAL = ("payment_id", "voucher_id", "product_id", "voucher_status", "payment_status", "payment_date")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *(({}, {name: text}) for name, text in OTHER.items()),
        *(({}, {name: ""}) for name in OPTIONAL),
        *(({name: ""}, {name: OTHER[name]}) for name in OPTIONAL),
    ],
)
def test_a_difference_in_any_column_is_an_update(
    write: WriteFile, before: dict[str, str], after: dict[str, str]
) -> None:
    ingest(write(line(1, **before)))

    loaded = ingest(write(line(1, **after), name="second.csv"))

    assert loaded.figures() == {"read": 1, "updated": 1}
    [name] = after
    stored = Order.objects.values_list(name, flat=True).get()
    assert (stored is None) == (after[name] == "")
    if name in OPTIONAL and after[name]:
        assert stored != row(1)[HEADER.split(",").index(name)]


def test_a_row_that_is_only_written_differently_is_unchanged(write: WriteFile) -> None:
    ingest(write(line(1, voucher_id="")))

    loaded = ingest(
        write(line(1, voucher_id=" ", customer_id="001001", order_date="2018-07-12T19:33:04+02:00"), name="second.csv")
    )

    assert loaded.report["reason"] is None
    assert loaded.figures() == {"read": 1, "unchanged": 1}


# --- Duplicates


@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_exact_duplicates_are_counted_once(write: WriteFile, *, catalogue_is_empty: bool) -> None:
    if not catalogue_is_empty:
        ingest(write(line(99)))

    loaded = ingest(write(*lines(1, 2, 1, 1), name="second.csv"))

    assert loaded.figures() == {"read": 4, "inserted": 2, "duplicate": 2}
    assert rows()[:2] == [row(1), row(2)]
    assert Order.objects.get(order_id=1).line == 2


@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_conflicting_duplicates_are_all_rejected_with_line_and_text(
    write: WriteFile, *, catalogue_is_empty: bool
) -> None:
    if not catalogue_is_empty:
        ingest(write(line(1), line(99)))
    before = rows()
    quoted = '"' + line(1, voucher_id="").replace(",", '","') + '"'
    conflicts = [line(1), quoted, line(1)]

    loaded = ingest(
        write(conflicts[0], line(2), conflicts[1], "", conflicts[2], name="second.csv"), "--max-rejects", "3"
    )

    assert loaded.figures() == {"read": 4, "inserted": 1, "rejected": 3}
    assert loaded.report["rejects_by_reason"] == {"conflicting_duplicate": 3}
    assert set(rows()) == {*before, row(2)}
    assert list(RejectedRow.objects.values_list("line", "raw")) == list(zip((2, 4, 6), conflicts, strict=True))
    reasons = RejectReason.objects.all()
    assert {(r.code, r.column, r.value) for r in reasons} == {("conflicting_duplicate", "order_id", "1")}
    assert all("services/1" in r.message and "line 2" in r.message for r in reasons)


def test_values_of_contradicting_rows_are_not_new(write: WriteFile) -> None:
    first = ingest(
        write(line(1, order_status="PAYED", source="odd"), line(1, source="odd"), line(2)), "--max-rejects", "2"
    )

    assert first.report["new_values"]["order_status"] == ["PAID"]
    assert first.report["new_values"]["source"] == ["services"]
    assert list(Source.objects.values_list("code", flat=True)) == ["services"]
    second = ingest(write(line(3, order_status="PAYED"), name="second.csv"))
    assert second.report["new_values"] == {"order_status": ["PAYED"]}
