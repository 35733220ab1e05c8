"""Rejected rows exported, put right, and loaded again: by the command, as people use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from catalog.changes import NotPossible
from catalog.contract import NAMES
from catalog.corrections import correct
from catalog.models import Change, Correction, Order, OrderVersion
from ingestion.models import RejectedRow, Run
from ingestion.repair import dismiss, replay
from ingestion.undo import undo_run
from tests.loading import HEADER, WriteFile, catalogue, ingest, line, lines, row, rows
from tests.repairing import export, load, repair, row_on, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


def test_the_story(write: WriteFile, tmp_path: Path) -> None:
    """Two of three broken rows are put right; the third is wrong still."""
    run = load(write(line(1), line(2, website="VV NL"), line(3, customer_id="1e5"), line(4, order_date="2018-02-30 1")))
    exported = export(run, tmp_path)
    assert list(exported[0]) == [*NAMES, "reject_line", "reject_codes", "reject_reasons", "reject_raw"]
    assert [(r["order_id"], r["reject_line"], r["reject_codes"]) for r in exported] == [
        ("2", "3", "not_a_code"),
        ("3", "4", "not_an_integer"),
        ("4", "5", "not_a_timestamp"),
    ]
    assert exported[1]["reject_reasons"].startswith("customer_id: '1e5' is not a whole number")
    assert exported[1]["reject_raw"] == line(3, customer_id="1e5")
    exported[0]["website"] = "VVBE"
    exported[1]["customer_id"] = "77"

    done = repair(run, tmp_path, exported)

    assert (done.exit_code, done.report["status"], done.report["repairs"], done.report["repaired"]) == (
        0,
        "loaded",
        run,
        2,
    )
    assert done.figures() == {"read": 3, "inserted": 2, "rejected": 1}
    assert rows() == [row(1), row(2, website="VVBE"), row(3, customer_id=77)]
    made = Run.objects.get(pk=done.report["run"])
    assert made.change is not None
    assert (made.kind, made.repairs_id, made.change.kind, made.change.reason) == (
        *("repair", run, "repair"),
        f"repair of run {run}",
    )
    assert states(run) == {3: "repaired", 4: "repaired", 5: "open"}
    settled = row_on(run, 3)
    assert (settled.repaired_by_id, settled.settled_by) == (made.pk, made.actor)
    assert settled.settled_at is not None
    again = row_on(made.pk, 4)
    assert (again.state, again.note) == ("dismissed", f"was still wrong; see line 5 of run {run}")
    assert [r["reject_line"] for r in export(run, tmp_path)] == ["5"], "what is settled is exported no more"


def test_a_broken_record_may_hold_two_orders(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1) + line(2), line(3) + line(4)))
    first, second = export(run, tmp_path)
    good = [dict(zip(NAMES, text.split(","), strict=True)) for text in (*lines(1, 2, 3), line(4, website="V V"))]

    done = repair(run, tmp_path, [first | good[0], first | good[1], second | good[2], second | good[3]])

    assert done.figures() == {"read": 4, "inserted": 3, "rejected": 1}
    assert done.report["repaired"] == 1
    assert states(run) == {2: "repaired", 3: "open"}, "one of the two rows of line 3 is wrong still"


def test_duplicates_count_as_in_any_load(write: WriteFile, tmp_path: Path) -> None:
    """The same row twice, an order that is there already, and two different rows for one order."""
    run = load(write(line(1), *lines(1, 2, 2, 3, 3, website="V V")))
    wanted = [line(1), line(2), line(2), line(3), line(3, website="VVBE")]
    exported = export(run, tmp_path)
    for given, text in zip(exported, wanted, strict=True):
        given.update(zip(NAMES, text.split(","), strict=True))

    done = repair(run, tmp_path, exported)

    assert done.figures() == {"read": 5, "inserted": 1, "unchanged": 1, "duplicate": 1, "rejected": 2}
    assert done.report["rejects_by_reason"] == {"conflicting_duplicate": 2}
    assert states(run) == {3: "repaired", 4: "repaired", 5: "repaired", 6: "open", 7: "open"}


def test_overlays_and_history_are_those_of_any_load(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1), line(1, website="V V")))
    correct(Order.objects.get(), "website", "VVFR", actor="ana", reason="seen on the invoice")
    [exported] = export(run, tmp_path)

    done = repair(run, tmp_path, [exported | {"website": "VVBE"}])

    assert (done.report["updated"], done.report["conflicts"]) == (1, 1)
    order = Order.objects.get()
    assert (order.website, order.source_values) == ("VVFR", {"website": "VVBE"})
    assert order.change.kind == Change.Kind.REPAIR
    assert Correction.objects.in_conflict().count() == 1
    assert OrderVersion.objects.filter(ended_by=order.change).count() == 1


def test_timestamps_without_offset_are_local(write: WriteFile, tmp_path: Path) -> None:
    with override_settings(SOURCE_TIME_ZONE=ZoneInfo("Europe/Amsterdam")):
        run = load(write(line(1, website="V V")))
        repair(run, tmp_path, [export(run, tmp_path)[0] | {"website": "VVNL"}])
    assert Order.objects.get().order_date.hour == 15


def test_the_same_file_again_is_skipped_and_another_runs_same_words_are_not(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1, website="V V")))
    fixed = [export(run, tmp_path)[0] | {"website": "VVNL"}]
    first = repair(run, tmp_path, fixed)
    again = repair(run, tmp_path, fixed)
    assert (again.report["status"], again.report["already_loaded_in"]) == ("skipped", first.report["run"])
    next_day = load(write(line(1, website="V V"), "", name="next day.csv"))

    done = repair(next_day, tmp_path, fixed)

    assert (done.figures(), done.report["repaired"]) == ({"read": 1, "unchanged": 1}, 1)


def test_a_row_that_was_settled_before_is_loaded_like_any_other(write: WriteFile, tmp_path: Path) -> None:
    """People send the whole spreadsheet again with one more row put right."""
    run = load(write(*lines(1, 2, 3, website="V V")))
    exported = export(run, tmp_path)
    exported[0]["website"] = "VVNL"
    dismiss(RejectedRow.objects.filter(line=4), actor="ana", reason="a test order")
    first = repair(run, tmp_path, exported)
    exported[1]["website"] = "VVNL"

    done = repair(run, tmp_path, [*exported[:2], exported[2] | {"website": "VVNL"}])

    assert done.figures() == {"read": 3, "inserted": 2, "unchanged": 1}
    assert done.report["repaired"] == 1
    assert states(run) == {2: "repaired", 3: "repaired", 4: "dismissed"}
    assert row_on(run, 2).repaired_by_id == first.report["run"]
    exported[0]["website"] = "V V"
    wrong = repair(run, tmp_path, exported[:1])
    assert row_on(wrong.report["run"], 2).note == f"settled before as line 2 of run {run}"


def test_undo_opens_the_rows_again_and_undo_of_that_settles_them(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1), *lines(2, 3, website="V V")))
    exported = export(run, tmp_path)
    exported[0]["website"] = "VVNL"
    done = repair(run, tmp_path, exported).report["run"]

    undone = undo_run(done, actor="ana")

    assert rows() == [row(1)]
    assert states(run) == {3: "open", 4: "open"}
    undo_run(undone.pk, actor="bob")
    assert rows() == [row(1), row(2)]
    assert states(run) == {3: "repaired", 4: "open"}
    assert (row_on(run, 3).repaired_by_id, row_on(run, 3).settled_by) == (done, "bob")


def test_rejects_of_a_run_that_is_undone_wait_for_nobody(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1), *lines(2, 3, website="V V")))
    dismiss(RejectedRow.objects.filter(line=3), actor="ana", reason="a test order")

    undone = undo_run(run)

    assert set(states(run).values()) == {"dismissed"}
    with pytest.raises(CommandError, match=f"Run {run} was undone: nothing of its file is loaded"):
        export(run, tmp_path)
    undo_run(undone.pk)
    assert states(run) == {3: "dismissed", 4: "open"}


def test_dry_run_says_what_would_be_and_leaves_no_trace(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(*lines(1, 2, website="V V")))
    exported = export(run, tmp_path)
    exported[0]["website"] = "VVNL"
    before, count = catalogue(), Run.objects.count()

    dry = repair(run, tmp_path, exported, "--dry-run")

    assert (dry.report["status"], dry.report["repaired"], dry.figures()) == (
        *("dry_run", 1),
        {"read": 2, "inserted": 1, "rejected": 1},
    )
    assert (catalogue(), Run.objects.count(), states(run)) == (before, count, {2: "open", 3: "open"})


@pytest.mark.parametrize(
    ("changed", "code", "sentence"),
    [
        ({"reject_line": "77"}, "unknown_reject", "Line 3 has '77' as its reject_line, but run {run} rejected no such"),
        ({"reject_line": "2"}, "unknown_reject", "rejected no such line"),
        ({"reject_line": "3.0"}, "unknown_reject", "Line 3 has '3.0' as its reject_line"),
        ({"reject_line": ""}, "unknown_reject", "Line 3 has '' as its reject_line"),
        ({"reject_line": "9" * 30}, "unknown_reject", "rejected no such line"),
        ({"reject_raw": "\0"}, "unknown_reject", "Line 3 does not say which rejected row it repairs"),
    ],
)
def test_a_row_that_names_no_rejected_row_refuses_the_file(
    write: WriteFile, tmp_path: Path, changed: dict[str, str], code: str, sentence: str
) -> None:
    run = load(write(line(1), *lines(2, 3, website="V V")))
    before = catalogue()
    first, second = (given | {"website": "VVNL"} for given in export(run, tmp_path))

    done = repair(run, tmp_path, [first, second | changed])

    assert (done.exit_code, done.report["status"], done.report["reason_code"]) == (1, "refused", code)
    assert sentence.format(run=run) in done.report["reason"]
    assert (catalogue(), states(run)) == (before, {3: "open", 4: "open"})


def test_the_header_must_say_which_rows_are_meant(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1, website="V V")))
    [exported] = export(run, tmp_path)
    for columns, code, sentence in (
        (NAMES, "missing_column", "The header lacks reject_line"),
        ((*NAMES, "reject_line", "comment"), "unknown_column", "'comment'"),
        ((*NAMES[1:], "reject_line"), "missing_column", "order_id is missing"),
    ):
        report = repair(run, tmp_path, [{name: exported.get(name, "") for name in columns}]).report
        assert (report["status"], report["reason_code"]) == ("refused", code)
        assert sentence in report["reason"]
    doubled = write("x", header=f"{HEADER},reject_line,reject_line", name="doubled.csv")
    assert "reject_line stands there 2 times" in ingest(doubled, "--repairs", str(run)).report["reason"]
    without = ingest(tmp_path / "fix.csv").report
    assert (without["status"], without["reason_code"]) == ("refused", "unknown_column")
    assert "--repairs RUN" in without["reason"]


def test_only_what_is_loaded_can_be_repaired(write: WriteFile, tmp_path: Path) -> None:
    refused = ingest(write(line(1), line(2, website="V V"))).report
    run = refused["run"]
    assert refused["status"] == "refused"
    assert states(run) == {3: "dismissed"}, "nobody has to look after the rows of a file that is not loaded"
    sentence = f"Run {run} was refused: nothing of its file is loaded. Put the file right and load it again."
    with pytest.raises(CommandError, match=sentence):
        export(run, tmp_path)
    path = write(f"{line(2)},3", header=f"{HEADER},reject_line", name="fixed.csv")
    for number, reason in ((run, sentence), (10**30, "There is no run"), (-1, "There is no run")):
        report = ingest(path, f"--repairs={number}").report
        assert report["status"] == "refused"
        assert reason in report["reason"]
    assert not rows()
    with pytest.raises(CommandError, match="leave out --full-snapshot") as wrong:
        ingest(path, "--repairs", str(run), "--full-snapshot")
    assert wrong.value.returncode == 2


def test_a_limit_that_is_given_holds(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(*lines(1, 2, website="V V")))
    report = repair(run, tmp_path, export(run, tmp_path), "--max-rejects", "1").report
    assert (report["status"], report["reason_code"]) == ("refused", "too_many_rejects")
    assert set(states(run).values()) == {"open"}
    assert set(states(report["run"]).values()) == {"dismissed"}


def test_repairs_before_anything_else_is_in_the_catalogue(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1, website="V V")))
    done = repair(run, tmp_path, [export(run, tmp_path)[0] | {"website": "VVNL"}])
    assert (done.figures(), done.report["new_values"]["website"]) == ({"read": 1, "inserted": 1}, ["VVNL"])


def test_the_report_for_people(write: WriteFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = load(write(line(1, website="V V")))
    repair(run, tmp_path, [export(run, tmp_path)[0] | {"website": "VVNL"}], "--dry-run")
    call_command("ingest_csv", str(tmp_path / "fixed.csv"), "--repairs", str(run), "--no-progress")
    assert f"rejected rows of run {run} put right: 1" in capsys.readouterr().out


def test_replay_tells_whoever_comes_second(write: WriteFile) -> None:
    run = Run.objects.get(pk=load(write(*lines(1, 2, website="V V"))))
    first, second = RejectedRow.objects.order_by("line")
    wanted: list[tuple[RejectedRow, Any]] = [(first, line(1).split(",")), (second, line(2).split(","))]
    done = replay(run, wanted[:1], actor="ana")
    assert (done.file, done.actor, done.repaired) == (f"repair of {run}", "ana", 1)

    with pytest.raises(NotPossible, match=f"Line 2 of {run} was repaired by ana in {done} already") as refused:
        replay(run, wanted, actor="bob")

    assert refused.value.code == "settled_already"
    assert rows() == [row(1)]
    assert states(run.pk) == {2: "repaired", 3: "open"}


def test_dismissing_needs_a_reason_and_leaves_what_is_settled(write: WriteFile) -> None:
    run = load(write(*lines(1, 2, website="V V")))
    with pytest.raises(NotPossible):
        dismiss(RejectedRow.objects.all(), actor="ana", reason=" ")
    assert dismiss(RejectedRow.objects.filter(line=2), actor="ana", reason="a test order") == 1
    assert dismiss(RejectedRow.objects.order_by("line"), actor="bob", reason="another") == 1
    assert states(run) == {2: "dismissed", 3: "dismissed"}
    assert [(r.settled_by, r.note) for r in RejectedRow.objects.order_by("line")] == [
        *(("ana", "a test order"), ("bob", "another"))
    ]
