"""Rejected rows, removed orders, and how many of them a load may have."""

from __future__ import annotations

import pytest

from catalog.models import Order, OrderVersion
from ingestion.models import RejectedRow, RejectReason, Run
from tests.loading import WriteFile, catalogue, export, ingest, line, lines, row, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


# --- Rejects and their limit


def test_reject_keeps_line_text_and_every_reason(write: WriteFile) -> None:
    broken = line(2, customer_id="12.0", website="", order_date="2018-02-30 10:00:00")

    loaded = ingest(write(line(1), "", broken), "--max-rejects", "1")

    reject = RejectedRow.objects.get()
    assert (reject.run_id, reject.line, reject.raw) == (loaded.report["run"], 4, broken)
    assert [(r.code, r.column, r.value) for r in reject.reasons.all()] == [
        ("not_an_integer", "customer_id", "12.0"),
        ("missing_value", "website", ""),
        ("no_such_date", "order_date", "2018-02-30 10:00:00"),
    ]
    assert all(len(r.message) > 10 for r in reject.reasons.all())


def test_reject_that_is_no_text_is_kept_byte_for_byte(write: WriteFile) -> None:
    broken = line(2).encode() + b"\xff\xfe\x00"
    ingest(write(content=export(line(1)) + broken), "--max-rejects", "1")

    reject = RejectedRow.objects.get()
    assert reject.raw_bytes is not None
    assert bytes(reject.raw_bytes) == broken
    assert reject.raw == line(2) + r"\xff\xfe\x00"


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        ("0", "refused"),
        ("1", "refused"),
        ("2", "loaded"),
        ("19%", "refused"),
        ("19.9%", "refused"),
        ("20%", "loaded"),
        ("100%", "loaded"),
    ],
)
def test_limit_of_rejects(write: WriteFile, limit: str, status: str) -> None:
    path = write(*lines(*range(1, 9)), line(9, website="?"), line(10, website="?"))

    loaded = ingest(path, "--max-rejects", limit)

    assert (loaded.report["status"], loaded.exit_code) == (status, int(status == "refused"))
    assert Order.objects.count() == (8 if status == "loaded" else 0)


def test_limit_of_rejects_is_five_percent_unless_told_otherwise(write: WriteFile) -> None:
    good, bad = lines(*range(1, 20)), lines(20, 21, website="?")

    assert ingest(write(*good, *bad)).report["status"] == "refused"
    assert ingest(write(*good, bad[0])).report["status"] == "loaded"


def test_conflicts_count_towards_the_limit(write: WriteFile) -> None:
    loaded = ingest(write(*lines(1, 2), line(2, website="VVBE")), "--max-rejects", "1")

    assert (loaded.report["status"], loaded.report["rejected"]) == ("refused", 2)
    assert not Order.objects.exists()


@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_refused_load_keeps_its_rejects_and_leaves_the_catalogue(write: WriteFile, *, catalogue_is_empty: bool) -> None:
    if not catalogue_is_empty:
        ingest(write(*lines(1, 2)))
    before = catalogue()

    refused = ingest(write(line(1, website="VVBE"), line(2, website="?"), line(3, source="x"), name="second.csv"))

    assert refused.exit_code == 1
    assert (refused.report["status"], refused.report["reason_code"]) == ("refused", "too_many_rejects")
    assert refused.figures() == {"read": 3, "rejected": 1}
    assert catalogue() == before
    run = Run.objects.get(pk=refused.report["run"])
    assert (run.status, run.change, run.rejected) == ("refused", None, 1)
    reject = run.rejects.get()
    assert (reject.line, reject.raw) == (3, line(2, website="?"))
    assert [r.code for r in reject.reasons.all()] == ["not_a_code"]


# --- Full snapshots


def test_full_snapshot_without_rows_removes_nothing(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))

    assert ingest(write(name="empty.csv"), "--full-snapshot").figures() == {}

    assert Order.objects.present().count() == 2


def test_without_full_snapshot_nothing_is_removed(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))

    assert ingest(write(line(1), name="second.csv")).figures() == {"read": 1, "unchanged": 1}
    assert rows() == [row(1), row(2)]


def test_full_snapshot_marks_what_is_gone_of_its_sources(write: WriteFile) -> None:
    first = ingest(write(*lines(1, 2, 3), line(1, source="events")))

    second = ingest(write(*lines(1, 3), name="second.csv"), "--full-snapshot", "--max-removals", "1")

    assert second.figures() == {"read": 2, "unchanged": 2, "removed": 1}
    gone = Order.objects.get(removed=True)
    assert (gone.natural_key, gone.line) == ("services/2", None)
    assert gone.change_id == Run.objects.get(pk=second.report["run"]).change_id
    assert gone.customer_id == 1002
    version = OrderVersion.objects.get()
    assert (version.natural_key, version.removed, version.line) == ("services/2", False, 3)
    assert version.change_id == Run.objects.get(pk=first.report["run"]).change_id
    assert version.ended_by_id == gone.change_id


def test_removed_order_is_removed_once_and_counts_as_updated_when_it_is_back(write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    snapshot = ("--full-snapshot", "--max-removals", "1", "--force")
    without = write(*lines(1, 3), name="without.csv")
    assert ingest(without, *snapshot).figures() == {"read": 2, "unchanged": 2, "removed": 1}
    assert ingest(without, *snapshot).figures() == {"read": 2, "unchanged": 2}

    back = ingest(write(*lines(1, 2, 3), name="back.csv"), "--force")

    assert back.figures() == {"read": 3, "updated": 1, "unchanged": 2}
    assert rows() == [row(1), row(2), row(3)]
    assert list(OrderVersion.objects.order_by("change_id").values_list("removed", flat=True)) == [False, True]


@pytest.mark.parametrize(
    "broken",
    [
        [line(2, website="?")],
        [line(2, order_id=" 002 ", customer_id="x", order_date="")],
        [line(2), line(2, website="VVBE")],
    ],
    ids=["bad value", "bad values, key with blanks", "conflict"],
)
def test_full_snapshot_removes_no_order_whose_row_is_rejected(write: WriteFile, broken: list[str]) -> None:
    ingest(write(*lines(1, 2)))

    loaded = ingest(
        write(line(1), *broken, name="second.csv"), "--full-snapshot", "--max-removals", "0", "--max-rejects", "2"
    )

    assert loaded.figures() == {"read": 1 + len(broken), "unchanged": 1, "rejected": len(broken)}
    assert rows() == [row(1), row(2)]


@pytest.mark.parametrize(
    ("limit", "status"),
    [("0", "refused"), ("1", "refused"), ("2", "loaded"), ("49%", "refused"), ("50%", "loaded")],
)
def test_limit_of_removals(write: WriteFile, limit: str, status: str) -> None:
    ingest(write(*lines(1, 2, 3, 4), line(1, source="events")))
    before = catalogue()

    loaded = ingest(write(*lines(1, 2), name="second.csv"), "--full-snapshot", "--max-removals", limit)

    assert (loaded.report["status"], loaded.exit_code) == (status, int(status == "refused"))
    if status == "refused":
        assert loaded.report["reason_code"] == "too_many_removals"
        assert loaded.report["removed"] == 0
        assert catalogue() == before
    else:
        assert loaded.report["removed"] == 2


def test_limit_of_removals_is_one_percent_unless_told_otherwise(write: WriteFile) -> None:
    ingest(write(*lines(*range(1, 101))))

    too_many = ingest(write(*lines(*range(1, 99)), name="second.csv"), "--full-snapshot")
    few = ingest(write(*lines(*range(1, 100)), name="third.csv"), "--full-snapshot")

    assert (too_many.report["status"], few.report["status"], few.report["removed"]) == ("refused", "loaded", 1)


def test_rows_that_are_very_long_are_stored_a_few_at_a_time(write: WriteFile) -> None:
    path = write(line(1), *(line(n, website="x" * 1_500_000) for n in range(2, 8)))

    loaded = ingest(path, "--max-rejects", "6")

    assert loaded.figures() == {"read": 7, "inserted": 1, "rejected": 6}
    assert {len(raw) > 1_500_000 for raw in RejectedRow.objects.values_list("raw", flat=True)} == {True}
    assert all(len(value) <= 10_001 for value in RejectReason.objects.values_list("value", flat=True))
