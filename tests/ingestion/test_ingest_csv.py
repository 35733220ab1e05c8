"""Loading files, by the command: figures, ledger, history, limits, snapshots, output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from catalog.models import Change, KnownValue, Order, OrderVersion, Source
from ingestion.models import RejectedRow, RejectReason, Run
from ingestion.staging import engine_for
from tests.conftest import RunManage
from tests.factories import make_run
from tests.loading import HEADER, catalogue, export, indexes, ingest, line, row, rows

pytestmark = pytest.mark.django_db(transaction=True)

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a file of these lines, or of these bytes, and return its path."""

    def write_file(*lines: str, content: bytes | None = None, name: str = "orders.csv", header: str = HEADER) -> Path:
        path = tmp_path / name
        path.write_bytes(export(*lines, header=header) if content is None else content)
        return path

    return write_file


@pytest.fixture(autouse=True)
def _indexes_outlive_the_test(transactional_db: None) -> Iterator[None]:
    """However loads end, the table of orders has all its indexes and its primary key."""
    before = indexes()
    assert {index.name for index in Order._meta.indexes} <= before.keys()
    assert [columns for columns, primary, *_ in before.values() if primary] == [("key",)]
    yield
    assert indexes() == before


def lines(*numbers: int, **texts: str) -> list[str]:
    return [line(number, **texts) for number in numbers]


# --- A load and its report


def test_first_load(write: WriteFile) -> None:
    path = write(*lines(1, 2, 3))

    loaded = ingest(path)

    assert loaded.exit_code == 0
    assert loaded.report["status"] == "loaded"
    assert loaded.figures() == {"read": 3, "inserted": 3}
    assert rows() == [row(1), row(2), row(3)]
    assert list(Order.objects.values_list("line", flat=True)) == [2, 3, 4]
    run = Run.objects.get()
    assert (run.pk, run.file, run.read, run.inserted) == (loaded.report["run"], str(path), 3, 3)
    assert set(Order.objects.values_list("change", flat=True)) == {run.change_id}
    assert not OrderVersion.objects.exists()


def test_json_report_has_every_key_of_the_issue(write: WriteFile) -> None:
    path = write(line(1), line(2, website="no code"))

    report = ingest(path, "--max-rejects", "1").report

    named = {
        "file": str(path),
        "run": Run.objects.get().pk,
        "status": "loaded",
        "reason": None,
        "read": 2,
        "inserted": 1,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 0,
        "rejected": 1,
        "removed": 0,
        "rejects_by_reason": {"not_a_code": 1},
    }
    assert named.items() <= report.items()
    assert report["new_values"]["website"] == ["VVNL"]
    assert report["seconds"] > 0
    assert report["rows_per_second"] > 0


def test_mixed_load_accounts_for_every_row(write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    second = write(
        line(1),
        line(2, order_status="CANCELLED"),
        line(4),
        line(4),
        line(5, order_date="2018-02-30 10:00:00"),
        line(6),
        line(6, website="VVBE"),
        name="second.csv",
    )

    loaded = ingest(second, "--max-rejects", "3")

    assert loaded.figures() == {
        "read": 7,
        "inserted": 1,
        "updated": 1,
        "unchanged": 1,
        "duplicate": 1,
        "rejected": 3,
    }
    assert rows() == [row(1), row(2, order_status="CANCELLED"), row(3), row(4)]


def test_new_values_are_reported_and_remembered_once(write: WriteFile) -> None:
    first = ingest(write(line(1), line(2, source="events", voucher_status="")))
    second = ingest(write(line(1), line(3, website="VVFR"), name="second.csv"))

    assert first.report["new_values"] == {
        "source": ["events", "services"],
        "website": ["VVNL"],
        "order_status": ["PAID"],
        "voucher_status": ["USED"],
        "payment_status": ["PAID"],
    }
    assert second.report["new_values"] == {"website": ["VVFR"]}
    assert KnownValue.objects.filter(field="website").count() == 2
    assert set(Source.objects.values_list("code", flat=True)) == {"events", "services"}


def test_same_number_in_two_sources_is_two_orders(write: WriteFile) -> None:
    loaded = ingest(write(line(1), line(1, source="events", customer_id="7")))

    assert loaded.figures() == {"read": 2, "inserted": 2}
    assert set(rows()) == {row(1), row(1, source="events", customer_id=7)}


def test_second_load_keeps_the_numbers_of_sources(write: WriteFile) -> None:
    ingest(write(line(1, source="b"), line(1, source="a")))
    numbers = dict(Source.objects.values_list("code", "number"))

    loaded = ingest(write(line(1, source="a"), line(1, source="b"), line(1, source="c"), name="second.csv"))

    assert loaded.figures() == {"read": 3, "inserted": 1, "unchanged": 2}
    assert numbers.items() <= dict(Source.objects.values_list("code", "number")).items()


# --- The ledger


def test_loaded_content_is_skipped_under_any_name(write: WriteFile) -> None:
    first = ingest(write(*lines(1, 2)))
    before = catalogue()

    again = ingest(write(*lines(1, 2), name="other.csv"))

    assert again.exit_code == 0
    assert (again.report["status"], again.report["already_loaded_in"]) == ("skipped", first.report["run"])
    assert str(first.report["run"]) in again.report["reason"]
    assert again.figures() == {}
    assert catalogue() == before
    assert Run.objects.get(pk=again.report["run"]).same_as_id == first.report["run"]


def test_force_loads_again_and_changes_no_order(write: WriteFile) -> None:
    path = write(*lines(1, 2))
    ingest(path)
    before = list(Order.objects.values())

    again = ingest(path, "--force")

    assert again.report["status"] == "loaded"
    assert again.figures() == {"read": 2, "unchanged": 2}
    assert list(Order.objects.values()) == before
    assert not OrderVersion.objects.exists()


def test_refused_content_is_not_in_the_ledger(write: WriteFile) -> None:
    path = write(line(1), line(2, website="?"))
    assert ingest(path).report["status"] == "refused"

    assert ingest(path, "--max-rejects", "50%").report["status"] == "loaded"


# --- Dry run


@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_dry_run_shows_the_figures_of_the_real_run_and_leaves_no_trace(
    write: WriteFile, *, catalogue_is_empty: bool
) -> None:
    if not catalogue_is_empty:
        ingest(write(*lines(1, 2, 3)))
    path = write(
        line(1, source="new"),
        line(1),
        line(2, product_id=""),
        *lines(8, 8),
        line(9),
        line(9, website="VVBE"),
        line(10, customer_id="x"),
        name="second.csv",
    )
    before, before_indexes, runs = catalogue(), indexes(), Run.objects.count()
    options = ("--max-rejects", "3", "--full-snapshot", "--max-removals", "1")

    dry = ingest(path, "--dry-run", *options)

    assert (dry.exit_code, dry.report["status"], dry.report["run"]) == (0, "dry_run", None)
    assert catalogue() == before
    assert indexes() == before_indexes
    assert Run.objects.count() == runs
    assert not RejectedRow.objects.exists()
    real = ingest(path, *options)
    assert real.report["status"] == "loaded"
    assert dry.figures() == real.figures()
    for name in ("rejects_by_reason", "new_values"):
        assert dry.report[name] == real.report[name]


def test_refused_dry_run_leaves_no_trace(write: WriteFile) -> None:
    dry = ingest(write(line(1, website="?")), "--dry-run")

    assert (dry.exit_code, dry.report["status"], dry.report["run"]) == (1, "refused", None)
    assert not Run.objects.exists()
    assert not RejectedRow.objects.exists()


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


# --- Options that say how to read


def test_extra_columns_only_when_allowed(write: WriteFile) -> None:
    path = write(line(1, extra="hello"), header=HEADER + ",remark")

    refused = ingest(path)
    assert (refused.report["status"], refused.report["reason_code"]) == ("refused", "unknown_column")
    assert "'remark'" in refused.report["reason"]
    assert ingest(path, "--allow-extra-columns").figures() == {"read": 1, "inserted": 1}
    assert rows() == [row(1)]


@pytest.mark.parametrize(
    ("option", "mark"),
    [(",", ","), (";", ";"), ("|", "|"), ("tab", "\t"), (r"\t", "\t"), ("semicolon", ";"), ("pipe", "|")],
)
def test_named_delimiter(write: WriteFile, option: str, mark: str) -> None:
    path = write(line(1, delimiter=mark), header=HEADER.replace(",", mark))

    assert ingest(path, "--delimiter", option).figures() == {"read": 1, "inserted": 1}
    assert rows() == [row(1)]
    assert Run.objects.get().delimiter == mark


def test_wrong_delimiter_is_refused(write: WriteFile) -> None:
    assert ingest(write(line(1)), "--delimiter", ";").report["reason_code"] == "no_header"


def test_named_encoding(write: WriteFile) -> None:
    path = write(content=export(line(1, extra="prêt"), header=HEADER + ",remarqué").decode().encode("cp1252"))

    loaded = ingest(path, "--encoding", "cp1252", "--allow-extra-columns")

    assert loaded.figures() == {"read": 1, "inserted": 1}
    assert Run.objects.get().encoding == "cp1252"


@pytest.mark.parametrize(
    "options",
    [
        ("--encoding", "klingon"),
        ("--encoding", "base64"),
        ("--delimiter", "#"),
        ("--max-rejects", "many"),
        ("--max-rejects", "101%"),
        ("--max-rejects", "-1"),
        ("--max-removals", "1e3"),
    ],
)
def test_bad_option_ends_the_command_before_any_run(write: WriteFile, options: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        ingest(write(line(1)), *options)

    assert not Run.objects.exists()


def test_local_times_are_those_of_the_source_time_zone(write: WriteFile, settings: Any) -> None:
    settings.SOURCE_TIME_ZONE = ZoneInfo("Europe/Amsterdam")
    path = write(
        line(1, order_date="2018-07-12 17:33:04"),
        line(2, order_date="2018-01-12 17:33:04"),
        line(3, order_date="2018-10-28 02:30:00"),
        line(4, order_date="2018-03-25 02:30:00"),
        line(5, order_date="2018-07-12 17:33:04Z"),
    )

    loaded = ingest(path, "--max-rejects", "1")

    assert list(Order.objects.values_list("order_id", "order_date")) == [
        (1, datetime(2018, 7, 12, 15, 33, 4, tzinfo=UTC)),
        (2, datetime(2018, 1, 12, 16, 33, 4, tzinfo=UTC)),
        (3, datetime(2018, 10, 28, 0, 30, tzinfo=UTC)),
        (5, datetime(2018, 7, 12, 17, 33, 4, tzinfo=UTC)),
    ]
    assert loaded.report["rejects_by_reason"] == {"no_such_date": 1}


# --- Several paths, standard input, output


def test_one_refused_file_does_not_keep_the_others_out(write: WriteFile, tmp_path: Path) -> None:
    paths = [write(line(1)), write(content=b"", name="empty.csv"), tmp_path / "absent.csv", write(line(2), name="b")]

    loaded = ingest(*paths)

    assert loaded.exit_code == 1
    assert [(r["file"], r["status"]) for r in loaded.reports] == list(
        zip(map(str, paths), ("loaded", "refused", "refused", "loaded"), strict=True)
    )
    assert [r["reason_code"] for r in loaded.reports] == [None, "empty_file", "file_not_found", None]
    assert rows() == [row(1), row(2)]


def test_folder_is_refused(tmp_path: Path) -> None:
    assert ingest(tmp_path).report["reason_code"] == "not_a_file"


def test_standard_input_and_only_json_on_standard_output(run_manage: RunManage) -> None:
    done = run_manage("ingest_csv", "-", "--json", stdin=export(*lines(1, 2)))

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["file"], report["status"], report["inserted"]) == ("-", "loaded", 2)
    assert rows() == [row(1), row(2)]


def test_process_reports_one_object_a_file_and_exits_with_1_on_refusal(run_manage: RunManage, write: WriteFile) -> None:
    done = run_manage("ingest_csv", write(line(1)), write(content=b"nothing", name="b"), "--json", LOG_LEVEL="DEBUG")

    assert done.returncode == 1
    assert [json.loads(text)["status"] for text in done.stdout.splitlines()] == ["loaded", "refused"]
    assert "Traceback" not in done.stderr


def test_report_for_people(run_manage: RunManage, write: WriteFile) -> None:
    done = run_manage("ingest_csv", write(line(1), line(2, website="?")), "--max-rejects", "1")

    assert done.returncode == 0, done.stderr
    for words in ("loaded", "inserted", "rejected, not_a_code: 1", "new values of website: VVNL"):
        assert words in done.stdout


# --- Crashes


@pytest.mark.parametrize("status", ["loaded", "refused"])
def test_next_load_marks_a_dead_run_as_crashed(write: WriteFile, status: str) -> None:
    dead = make_run(status=Run.Status.RUNNING, change=None, started_at=timezone.now() - timedelta(hours=2))

    loaded = ingest(write(line(1, website="VVNL" if status == "loaded" else "?")))

    assert loaded.report["status"] == status
    dead.refresh_from_db()
    assert (dead.status, dead.reason_code) == ("crashed", "crashed")
    assert dead.finished_at is not None
    assert not Run.objects.filter(status=Run.Status.RUNNING).exists()


def test_dry_run_leaves_a_dead_run_alone(write: WriteFile) -> None:
    dead = make_run(status=Run.Status.RUNNING, change=None)

    ingest(write(line(1)), "--dry-run")

    dead.refresh_from_db()
    assert dead.status == "running"


@pytest.mark.parametrize("step", ["settle_twins", "store_new_values", "fill"])
@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_load_that_fails_changes_nothing(
    write: WriteFile, monkeypatch: pytest.MonkeyPatch, step: str, *, catalogue_is_empty: bool
) -> None:
    if not catalogue_is_empty:
        ingest(write(line(1)))
    before, path = catalogue(), write(line(1, website="VVBE"), line(2), name="second.csv")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(f"ingestion.staged.StagedFile.{step}", fail)
        failed = ingest(path)

    assert (failed.exit_code, failed.report["status"]) == (1, "failed")
    assert "the disk is full" in failed.report["reason"]
    assert catalogue() == before
    assert Change.objects.count() == len(before["Change"])
    assert ingest(path).report["status"] == "loaded"
    assert rows() == [row(1, website="VVBE"), row(2)]


@pytest.mark.postgresql_only
def test_indexes_that_a_killed_load_left_out_are_restored(write: WriteFile) -> None:
    engine_for(connection).drop_indexes()
    assert not any(primary for _, primary, *_ in indexes().values())

    assert ingest(write(line(1))).report["status"] == "loaded"
