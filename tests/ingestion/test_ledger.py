"""Content that is loaded already, and loads that are only tried."""

from __future__ import annotations

import pytest

from catalog.models import Order, OrderVersion
from ingestion.models import RejectedRow, Run
from tests.loading import WriteFile, catalogue, indexes, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


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
    before = list(Order.objects.order_by("pk").values())

    again = ingest(path, "--force")

    assert again.report["status"] == "loaded"
    assert again.figures() == {"read": 2, "unchanged": 2}
    assert list(Order.objects.order_by("pk").values()) == before
    assert not OrderVersion.objects.exists()


def test_refused_content_is_not_in_the_ledger(write: WriteFile) -> None:
    path = write(line(1), line(2, website="?"))
    assert ingest(path).report["status"] == "refused"

    assert ingest(path, "--max-rejects", "50%").report["status"] == "loaded"


def test_snapshot_of_content_that_was_loaded_as_a_part_is_no_repetition(write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    part = write(*lines(1, 2), name="part.csv")
    ingest(part)

    snapshot = ingest(part, "--full-snapshot", "--max-removals", "1")

    assert snapshot.figures() == {"read": 2, "unchanged": 2, "removed": 1}
    assert ingest(part, "--full-snapshot").report["status"] == "skipped"
    assert ingest(part).report["status"] == "skipped"


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
    for name in ("rejects_by_reason", "new_values", "missing"):
        assert dry.report[name] == real.report[name]


def test_refused_dry_run_leaves_no_trace(write: WriteFile) -> None:
    dry = ingest(write(line(1, website="?")), "--dry-run")

    assert (dry.exit_code, dry.report["status"], dry.report["run"]) == (1, "refused", None)
    assert not Run.objects.exists()
    assert not RejectedRow.objects.exists()
