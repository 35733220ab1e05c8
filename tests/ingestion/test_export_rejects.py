"""Rejected rows as a file to put right: never shifted, harmless in a spreadsheet, and back again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catalog.contract import NAMES
from ingestion.models import RejectReason, Run
from ingestion.repair import MAX_CELL, fields_of
from tests.conftest import RunManage
from tests.loading import HEADER, WriteFile, line, row, rows
from tests.repairing import export, load, repair, row_on, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

DIRT = (
    line(1, website="VV NL"),
    line(2, customer_id=" +7 ", order_date="2018-02-30 10:00:00"),
    line(3, order_id="", source=""),
    line(4, website='"a ""quoted"" , comma"'),
    line(5, website='"two\nlines"'),
    line(6, website="=HYPERLINK(1)", payment_status="@x", voucher_id="-5"),
    line(7, website="REFUSÉ"),
    line(8),
    line(8, website="VVBE"),
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_exported_and_loaded_back_unedited_each_row_is_rejected_for_the_same_reasons(
    write: WriteFile, tmp_path: Path, delimiter: str
) -> None:
    backwards = [
        delimiter.join([cells[i] for i in (*range(11, -1, -1), 12)])
        for cells in csv.reader([HEADER + ",note", *[f"{text},x" for text in DIRT if '"' not in text]])
    ]
    path = write(*backwards[1:], header=backwards[0])
    run = load(path, "--allow-extra-columns")
    if delimiter == ",":
        run = load(write(*DIRT, name="as it is.csv"))

    done = repair(run, tmp_path, export(run, tmp_path))

    assert done.report["repaired"] == 0
    assert set(states(run).values()) == {"open"}
    before, after = (said(number) for number in (run, done.report["run"]))
    assert list(before.values()) == list(after.values())
    assert not rows()


def said(run: int) -> dict[int, list[tuple[str, str]]]:
    """Code and column of every reason against the rows of a run."""
    found: dict[int, list[tuple[str, str]]] = {}
    for reason in RejectReason.objects.filter(reject__run=run).order_by("reject", "id").select_related("reject"):
        found.setdefault(reason.reject.line, []).append((reason.code, reason.column))
    return found


def test_edited_every_row_loads(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(*DIRT))
    exported = export(run, tmp_path)
    good = dict(zip(NAMES, line(0).split(","), strict=True))
    for number, given in enumerate(exported, 1):
        given.update(good, order_id=str(number))

    done = repair(run, tmp_path, exported)

    assert done.figures() == {"read": 9, "inserted": 9}
    assert (done.report["repaired"], set(states(run).values())) == (9, {"repaired"})


def test_formulas_are_made_harmless_and_values_are_not_touched(write: WriteFile, tmp_path: Path) -> None:
    broken = line(1, website="-NL", order_status="=1+1", voucher_status="@SUM", voucher_id="-5")
    run = load(write(broken))
    [exported] = export(run, tmp_path)
    assert [exported[name] for name in ("website", "order_status", "voucher_status", "voucher_id")] == [
        *("-NL", "'=1+1", "'@SUM", "'-5")
    ]
    run = load(write(line(1, order_id="=1"), name="second.csv"))
    assert export(run, tmp_path)[0]["reject_raw"].startswith("'=1,services")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (f"{line(1)},more".encode(), "too_many_fields"),
        (b"1,services", "too_few_fields"),
        (b'1,"services', "unclosed_quote"),
        (b'1,"services"x,3', "bad_quote"),
        (line(1, website="VV\x00").encode(), "nul_character"),
        (line(1).encode().replace(b"VVNL", b"VV\xff"), "not_text"),
        (line(1, website="x" * 1_000_001).encode(), "field_too_long"),
    ],
)
def test_what_cannot_be_split_has_empty_fields_and_is_never_shifted(
    write: WriteFile, tmp_path: Path, broken: bytes, code: str
) -> None:
    run = load(write(content=HEADER.encode() + b"\n" + broken + b"\n"))

    [exported] = export(run, tmp_path)

    assert [exported[name] for name in NAMES] == [""] * 12
    assert (exported["reject_line"], exported["reject_codes"]) == ("2", code)
    assert exported["reject_raw"][:9] == broken.decode("utf-8", "backslashreplace")[:9]
    assert len(exported["reject_raw"]) < MAX_CELL + 20
    assert fields_of(row_on(run, 2)) is None
    exported.update(zip(NAMES, line(5).split(","), strict=True))
    assert repair(run, tmp_path, [exported]).report["repaired"] == 1
    assert rows() == [row(5)]


def test_standard_output_to_standard_input(write: WriteFile, run_manage: RunManage) -> None:
    run = load(write(line(1, website="V V")))
    exported = run_manage("export_rejects", str(run))
    assert (exported.returncode, exported.stderr) == (0, f"1 open rejected rows of run {run}\n")

    done = run_manage("ingest_csv", "--repairs", str(run), "-", stdin=exported.stdout.replace(",V V,", ",VVNL,", 1))

    assert (done.returncode, done.stderr) == (0, "")
    assert rows() == [row(1)]


def test_the_memory_of_columns_is_missing_in_old_runs(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(line(1, website="V V")))
    Run.objects.update(columns=[])
    assert export(run, tmp_path)[0]["order_id"] == "1"
