"""What has drifted: each figure of a load against the median of the loads before it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingestion.drift import BEFORE, ENOUGH, Measure, drift, drifts
from ingestion.models import Run
from tests.factories import make_run

pytestmark = pytest.mark.django_db


def make_load(read: int = 1000, **values: Any) -> Run:
    """A load of 1,000 rows, 5 of them rejected, 2 repeated, 30 without a payment, at 100 rows/s; with two new codes."""
    given: dict[str, Any] = {
        "rejected": 5,
        "duplicate": 2,
        "missing": {"payment_id": 30},
        "seconds": 10.0,
        "new_values": {"website": ["VVNL", "VVBE"]},
    } | values
    given.setdefault("inserted", read - given["rejected"] - given["duplicate"])
    return make_run(read=read, **given)


def far(run: Run) -> dict[str, str]:
    """What is far off, and how."""
    return {measure.name: measure.verdict for measure in drift(run) if measure.is_far}


def named(run: Run, name: str) -> Measure:
    [measure] = [measure for measure in drift(run) if measure.name == name]
    return measure


@pytest.fixture
def usual() -> list[Run]:
    """As many loads as it takes to know the usual, all the same."""
    return [make_load() for _ in range(ENOUGH)]


def test_every_figure_is_there_in_words(usual: list[Run]) -> None:
    assert [measure.text for measure in drift(make_load(1050))] == [
        "rows read: 1,050, usually 1,000",
        "rejected: 0.5%, usually 0.5%",
        "duplicate: 0.2%, usually 0.2%",
        "missing payment_id: 2.9%, usually 3.0%",
        "new values: 2, usually 2",
        "speed: 105 rows/s, usually 100 rows/s",
    ]
    assert far(make_load(1050)) == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"read": 1090}, {}),
        ({"read": 1101}, {"rows read": "far above the usual"}),
        ({"read": 899}, {"rows read": "far below the usual"}),
        ({"rejected": 14}, {}),
        ({"rejected": 16}, {"rejected": "far above the usual"}),
        ({"duplicate": 13}, {"duplicate": "far above the usual"}),
        ({"missing": {"payment_id": 39}}, {}),
        ({"missing": {"payment_id": 41}}, {"missing payment_id": "far above the usual"}),
        ({"missing": {"payment_id": 0}}, {"missing payment_id": "far below the usual"}),
        ({"new_values": {"website": ["A", "B"], "source": ["c", "d"]}}, {}),
        ({"new_values": {"website": ["A", "B"], "source": ["c", "d", "e"]}}, {"new values": "far above the usual"}),
        ({"seconds": 18.0}, {}),
        ({"seconds": 21.0}, {"speed": "far below the usual"}),
        ({"seconds": 0.5}, {}),
    ],
)
def test_after_loads_that_were_all_the_same_a_change_counts_when_it_matters(
    usual: list[Run], values: dict[str, Any], expected: dict[str, str]
) -> None:
    assert far(make_load(**values)) == expected


@pytest.mark.parametrize(("read", "is_far"), [(1450, False), (1550, True), (550, False), (450, True)])
def test_where_loads_differ_anyway_a_load_may_differ_as_much(read: int, *, is_far: bool) -> None:
    for earlier in (800, 900, 1000, 1100, 1200):
        make_load(earlier)
    assert ("rows read" in far(make_load(read))) == is_far


def test_one_odd_load_does_not_make_the_usual(usual: list[Run]) -> None:
    make_load(1_000_000)
    assert named(make_load(), "rows read").usual == 1000


def test_too_few_loads_make_no_usual() -> None:
    for _ in range(ENOUGH - 1):
        make_load()
    measures = drift(make_load(5_000_000))
    assert {(measure.usual, measure.is_far, measure.verdict) for measure in measures} == {
        (None, False, "too few loads before")
    }
    assert measures[0].text == "rows read: 5,000,000"


def test_only_loads_in_force_before_it_count() -> None:
    for _ in range(ENOUGH):
        make_load(10)
    for _ in range(BEFORE):
        make_load()
    run = make_load()
    for values in ({"status": "undone"}, {"status": "refused"}, {"kind": "repair"}, {"kind": "undo"}):
        for _ in range(BEFORE):
            make_load(7, **values)
    assert named(make_load(), "rows read").usual == 1000
    for _ in range(BEFORE):
        make_load(20_000)
    assert named(run, "rows read").usual == 1000


def test_runs_from_before_missing_values_were_counted_are_left_out() -> None:
    for _ in range(BEFORE - ENOUGH):
        make_load(missing={})
    assert named(make_load(), "missing payment_id").usual is None
    for _ in range(ENOUGH):
        make_load()
    assert named(make_load(missing={"payment_id": 60}), "missing payment_id").usual == 0.03 * 1000 / 995
    assert "missing payment_id" not in {measure.name for measure in drift(make_load(missing={}))}


@pytest.mark.parametrize("values", [{"kind": "repair"}, {"kind": "undo"}, {"status": "refused"}, {"status": "running"}])
def test_what_is_no_load_is_not_compared(usual: list[Run], values: dict[str, Any]) -> None:
    assert drift(make_load(**values)) == []


def test_a_load_without_rows(usual: list[Run]) -> None:
    empty = make_load(0, rejected=0, duplicate=0, missing={"payment_id": 0}, new_values={})
    assert far(empty) == {"rows read": "far below the usual", "speed": "far below the usual"}


def test_a_dry_run_is_compared_with_the_latest_loads(usual: list[Run]) -> None:
    run = Run(status="loaded", read=2000, inserted=2000, started_at=timezone.now())
    assert far(run)["rows read"] == "far above the usual"


def test_many_runs_in_two_queries(usual: list[Run]) -> None:
    runs = [make_load(1000 + 200 * number) for number in range(25)]
    runs[3:3] = [make_run(status="refused"), make_run(kind="repair")]
    with CaptureQueriesContext(connection) as one:
        drift(runs[-1])
    with CaptureQueriesContext(connection) as many:
        found = drifts(runs)
    assert (len(one), len(many)) == (1, 2)
    assert found == {run.pk: drift(run) for run in runs}
    assert drifts([]) == {}
    assert drifts(runs[3:5]) == {run.pk: [] for run in runs[3:5]}
