"""Loading files, by the command: report, options, output."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from catalog.models import Change, KnownValue, Order, OrderVersion, Source
from ingestion.models import Run
from ingestion.staging import engine_for
from tests.conftest import RunManage
from tests.factories import make_run
from tests.loading import HEADER, WriteFile, catalogue, export, indexes, ingest, line, lines, row, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


# --- A load and its report


def test_first_load(write: WriteFile) -> None:
    path = write(*lines(1, 2, 3))

    loaded = ingest(path)

    assert loaded.exit_code == 0
    assert loaded.report["status"] == "loaded"
    assert loaded.figures() == {"read": 3, "inserted": 3}
    assert rows() == [row(1), row(2), row(3)]
    assert list(Order.objects.order_by("pk").values_list("line", flat=True)) == [2, 3, 4]
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


@pytest.mark.parametrize("header", [HEADER, '"' + HEADER.replace(",", '","') + '"'])
def test_wrong_delimiter_is_refused_with_the_right_one(write: WriteFile, header: str) -> None:
    report = ingest(write(line(1), header=header), "--delimiter", ";").report
    assert report["reason_code"] == "no_header"
    assert "does not read as the contract with ';' as the delimiter, but it does with ','" in report["reason"]


def test_no_delimiter_is_named_under_which_the_line_reads_no_better(write: WriteFile) -> None:
    report = ingest(write(line(1), header=HEADER.replace("website", "site")), "--delimiter", ";").report
    assert "Line 1 is not the header of an order export" in report["reason"]


@pytest.mark.parametrize("header", [HEADER, '"' + HEADER.replace(",", '","') + '"'])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_an_encoding_without_its_mark_is_named(write: WriteFile, encoding: str, header: str) -> None:
    path = write(content=export(line(1), header=header).decode().encode(encoding))
    report = ingest(path).report
    assert report["reason_code"] == "no_header"
    assert f"looks like {encoding[:6].upper()} without a byte order mark" in report["reason"]
    assert report["reason"].endswith(f" {encoding}.")
    assert ingest(path, "--encoding", encoding).figures() == {"read": 1, "inserted": 1}


def test_reasons_come_in_the_order_of_their_numbers_and_then_of_their_codes(write: WriteFile) -> None:
    path = write(
        line(1, website="V V", order_date="2018-02-30 10:00:00"),
        line(2, source="", order_date="2018-02-30 10:00:00", product_id="x"),
    )

    report = ingest(path, "--max-rejects", "100%").report

    assert list(report["rejects_by_reason"].items()) == [
        ("no_such_date", 2),
        ("missing_value", 1),
        ("not_a_code", 1),
        ("not_an_integer", 1),
    ]


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

    assert list(Order.objects.order_by("pk").values_list("order_id", "order_date")) == [
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


def test_empty_path_and_missing_tables_are_told(run_manage: RunManage, write: WriteFile, tmp_path: Path) -> None:
    assert "A path is empty" in ingest("").report["reason"]

    done = run_manage("ingest_csv", write(line(1)), DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")

    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_name_that_is_no_text_is_told_and_loaded(run_manage: RunManage, write: WriteFile, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/lat\xe9.csv"
    Path(os.fsdecode(path)).write_bytes(export(line(1)))

    done = run_manage("ingest_csv", os.fsdecode(path), "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"].endswith(r"/lat\xe9.csv")


def test_a_missing_file_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    refused = ingest(tmp_path / "orders\udcff.csv")

    assert (refused.exit_code, refused.report["status"]) == (1, "refused")
    assert "orders\\udcff.csv" in refused.report["reason"]
    assert Run.objects.get().reason == refused.report["reason"]
