"""How many values a file left out: counted in each load, by column, in the rows that keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.models import Run
from tests.loading import WriteFile, ingest, line
from tests.repairing import export, load, repair

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

NONE = dict.fromkeys(("payment_id", "voucher_id", "product_id", "voucher_status", "payment_status", "payment_date"), 0)

ROWS = (
    line(1),
    line(2, payment_id="", payment_date="  "),
    # A quote is read by the other way through the reader.
    line(3, website='"VVNL"', payment_id="", voucher_status='""'),
    line(4, voucher_id="", website="no code"),
    # Valid each by itself, though the first two contradict each other, and the others say the same.
    line(5, voucher_id=""),
    line(5, voucher_id="", website="VVBE"),
    line(6, product_id=""),
    line(6, product_id=""),
)
MISSING = NONE | {"payment_id": 2, "voucher_id": 2, "product_id": 2, "voucher_status": 1, "payment_date": 1}


def test_counted_among_valid_rows(write: WriteFile) -> None:
    report = ingest(write(*ROWS), "--max-rejects", "3").report

    assert (report["status"], report["rejected"], report["missing"]) == ("loaded", 3, MISSING)
    run = Run.objects.get()
    assert (run.missing, run.valid) == (MISSING, 7)


def test_the_same_in_a_dry_run_in_a_later_load_and_in_a_file_that_is_refused(write: WriteFile) -> None:
    ingest(write(line(9), name="first.csv"))
    path = write(*ROWS)

    assert ingest(path, "--dry-run", "--max-rejects", "3").report["missing"] == MISSING
    refused = ingest(path, "--max-rejects", "0").report
    assert (refused["status"], refused["missing"]) == ("refused", MISSING)
    assert ingest(path, "--max-rejects", "3").report["missing"] == MISSING
    assert ingest(path).report["missing"] == {}, "of content that is skipped nothing is read"


def test_in_a_repair(write: WriteFile, tmp_path: Path) -> None:
    run = load(write(*ROWS))
    changed = [row | {"website": "VVNL"} for row in export(run, tmp_path) if row["order_id"] == "4"]

    assert repair(run, tmp_path, changed).report["missing"] == NONE | {"voucher_id": 1}
