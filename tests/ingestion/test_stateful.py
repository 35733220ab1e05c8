"""Random sequences of everything that changes the catalogue, held against a model of it in plain Python.

`SEQUENCES=200` tries that many instead of a few dozen; each time they are others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog import corrections, quality, rules
from catalog.changes import NotPossible
from catalog.fingerprints import ErasedCustomer
from catalog.models import (
    BIT,
    Change,
    Correction,
    CorrectionEvent,
    KnownValue,
    Order,
    OrderVersion,
    Source,
    ValueRule,
)
from catalog.tally_models import DayTally, QualityCount, StateTally
from ingestion.erase import erase_customer
from ingestion.models import RejectedRow, RejectReason, RejectRepair, Run
from ingestion.repair import dismiss, replay
from ingestion.undo import undo_run
from tests.catalogue_model import CUSTOMER, FIELDS, Fix, Key, Model, Row, State, Value
from tests.counting import assert_counted
from tests.loading import export, ingest, line

SEQUENCES = int(os.environ.get("SEQUENCES", "40"))
SOURCES = ("services", "avdd")
KEYS = [(source, number) for source in SOURCES for number in (1, 2, 3, 4)]
VALUES: dict[str, tuple[Value, ...]] = {
    "website": ("VVNL", "VVBE", "VVFR"),
    "voucher_status": ("EXPRIED", "EXPIRED", "USED", None),
    "customer_id": (7, 8, 9),
}
DATES = {
    1: {},
    2: {"order_date": "2018-07-12 23:59:59.999999"},
    3: {"order_date": "2042-01-01 00:00:00"},
    4: {"order_status": "UNKNOWN"},
}
"""What the orders of each number have besides: what is counted shall differ."""
RULES: list[tuple[str, Value, Value]] = [
    ("voucher_status", "EXPRIED", "EXPIRED"),
    ("voucher_status", "EXPIRED", "USED"),
    ("voucher_status", "EXPRIED", None),
    ("website", "VVFR", "VVBE"),
]
FIGURES = ("inserted", "updated", "unchanged", "duplicate", "rejected", "removed", "caught_up", "conflicts")
# In this order they may be emptied.
TABLES = (
    *(
        RejectReason,
        RejectRepair,
        RejectedRow,
        CorrectionEvent,
        Correction,
        OrderVersion,
        Order,
        Run,
        KnownValue,
        Source,
    ),
    *(ErasedCustomer, QualityCount, DayTally, StateTally, Change, ValueRule),
)

SAME: Any = object()
"""Stands in a row for what the source said the last time: most of a file repeats what is there."""

said = st.tuples(*(st.one_of(st.just(SAME), st.sampled_from(VALUES[name])) for name in FIELDS))
rows = st.builds(Row, st.sampled_from(KEYS), said, st.integers(0, 9).map(bool))
corrected = st.sampled_from(FIELDS).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name])))


def text(row: Row) -> str:
    """The row as it stands in a file."""
    values = DATES[row.key[1]] | {
        name: "" if value is None else str(value) for name, value in zip(FIELDS, row.said, strict=True)
    }
    if not row.valid:
        values["website"] = "V V"
    return line(row.key[1], source=row.key[0], **values)


def state(order: Order) -> State:
    """An order of the catalogue as the model has it."""
    overlaid = frozenset(name for name, bit in BIT.items() if order.overlaid & bit)
    assert {name for name in BIT if getattr(order, f"source_{name}") is not None} <= overlaid <= set(FIELDS)
    shown = tuple(getattr(order, name) for name in FIELDS)
    below: Any = tuple(order.source_value(name) for name in FIELDS)
    return State(below, shown, overlaid, order.removed)


def shop(moment: datetime | None = None) -> dict[Key, State]:
    """The catalogue, now or at a moment."""
    orders = Order.objects.all() if moment is None else Order.objects.as_of(moment)
    return {(order.source, order.order_id): state(order) for order in orders.order_by("source", "order_id")}


class Shop(RuleBasedStateMachine):
    """Each step is done by the product and by the model; then both are compared."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        for table in TABLES:
            table._default_manager.all()._raw_delete(using="default")
        self.model = Model()
        # Of a source that nobody knows, a rejected row could be anybody's.
        Source.objects.bulk_create(Source(number=n, code=code) for n, code in enumerate(SOURCES, start=1))
        self.records = [
            ValueRule.objects.create(field=field, old=str(old), new=str(new or ""), reason="a test")
            for field, old, new in RULES
        ]
        self.loaded: dict[bytes, list[tuple[int, bool]]] = {}
        self.past: list[tuple[datetime, dict[Key, State]]] = []
        self.failing: dict[int, dict[str, int]] = {}

    def filled(self, row: Row) -> Row:
        """The row with what the source said the last time, or the first value there is, where it says the same."""
        before = self.model.now(row.key)
        first = tuple(VALUES[name][0] for name in FIELDS)
        usual = before.said if before else first
        said = tuple(u if v is SAME else v for u, v in zip(usual, row.said, strict=True))
        # A file has a customer, whether or not the catalogue may know it.
        return replace(row, said=(*said[:CUSTOMER], first[CUSTOMER] if said[CUSTOMER] is None else said[CUSTOMER]))

    # --- Steps

    @rule(rows=st.lists(rows, max_size=6), snapshot=st.booleans(), force=st.booleans(), dry=st.booleans())
    def load(self, rows: list[Row], snapshot: bool, force: bool, dry: bool) -> None:
        rows = [self.filled(row) for row in rows]
        content = export(*map(text, rows))
        path = self.folder / "orders.csv"
        path.write_bytes(content)
        options = ["--max-rejects=100%", "--max-removals=100%", *["--full-snapshot"] * snapshot, *["--force"] * force]
        rehearsed = ingest(path, *options, "--dry-run").report if dry else None
        report = ingest(path, *options).report
        figures = {name: report[name] for name in FIGURES}
        assert rehearsed is None or {name: rehearsed[name] for name in FIGURES} == figures
        earlier = self.loaded.setdefault(content, [])
        if not force and any(self.model.runs[n].in_force and full >= snapshot for n, full in earlier):
            assert report["status"] == "skipped"
            return
        assert report["status"] == "loaded", report["reason"]
        change = Run.objects.get(pk=report["run"]).change_id
        assert change
        assert figures == self.model.load(rows, report["run"], change, snapshot=snapshot)
        earlier.append((report["run"], snapshot))

    @precondition(lambda self: self.model.orders())
    @rule(data=st.data(), values=st.lists(corrected, min_size=1, max_size=2))
    def correct(self, data: st.DataObject, values: list[tuple[str, Value]]) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.orders())))
        shown = self.model.orders()[key]
        same = all(shown.shows(name) == value for name, value in dict(values).items())
        erased = (key[0], dict(values).get("customer_id")) in self.model.erased
        pinned = any(self.model.is_pinned(key, name, value) for name, value in dict(values).items())
        expected = "same_as_source" if pinned else "customer_erased" if erased else "no_difference" if same else None
        with refusal() as refused:
            corrections.correct_fields(order(key), dict(values), actor="ana", reason="a test")
        assert refused == ([expected] if expected else [])
        assert expected or self.model.correct([key], dict(values), latest())

    @precondition(lambda self: self.model.orders())
    @rule(website=st.sampled_from(VALUES["website"]), value=corrected)
    def correct_many(self, website: Value, value: tuple[str, Value]) -> None:
        keys = [key for key, state in self.model.orders().items() if state.shows("website") == website]
        name, wanted = value
        erased = name == "customer_id" and any((source, wanted) in self.model.erased for source, _ in keys)
        count = 0
        with refusal() as refused:
            count = corrections.correct_many(
                Order.objects.filter(website=website), name, wanted, actor="ana", reason="a test"
            )
        assert refused == ["customer_erased"] * erased
        assert erased or count == self.model.correct(keys, {name: wanted}, latest())

    @precondition(lambda self: self.model.in_force())
    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        fix = data.draw(st.sampled_from(self.model.in_force()))
        assert corrections.retire(correction(fix), actor="ana", reason="a test") == 1
        self.model.retire(fix, latest())

    @precondition(lambda self: self.model.conflicts())
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        fix = data.draw(st.sampled_from(self.model.conflicts()))
        assert corrections.keep(correction(fix), actor="ana", reason="a test") == 1
        self.model.keep(fix, latest())

    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(RULES))
        on = chosen not in self.model.rules
        other = on and chosen[:2] in {other[:2] for other in self.model.rules}
        count = 0
        with refusal() as refused:
            if on:
                count = rules.switch_on(self.records[RULES.index(chosen)], actor="ana")
            else:
                count = rules.switch_off(self.records[RULES.index(chosen)], actor="ana", reason="a test")
        assert refused == ["rule_exists"] * other
        assert other or count == self.model.switch(chosen, latest(), on=on)

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), keep_touched=st.booleans())
    def undo(self, data: st.DataObject, keep_touched: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.runs)))
        expected = []
        if not self.model.runs[number].in_force:
            expected = ["nothing_to_undo"]
        elif self.model.touched(number) and not keep_touched:
            expected = ["touched_since"]
        elif self.model.touched(number) and self.model.touched(number) == self.model.affected(number):
            expected = ["nothing_left"]
        run = None
        with refusal() as refused:
            run = undo_run(number, keep_touched=keep_touched)
        assert refused == expected
        if run:
            figures = self.model.undo(number, run.pk, latest())
            assert figures == {name: getattr(run, name) for name in figures}

    @precondition(lambda self: self.open_rejects())
    @rule(data=st.data(), row=rows)
    def repair(self, data: st.DataObject, row: Row) -> None:
        run, number = data.draw(st.sampled_from(self.open_rejects()))
        row = replace(self.filled(row), valid=True)
        rejected = RejectedRow.objects.get(run=run, line=number)
        done = replay(Run.objects.get(pk=run), [(rejected, text(row).split(","))], actor="ana")
        figures = self.model.repair((run, number), row, done.pk, latest())
        assert figures == {name: getattr(done, name) for name in FIGURES}

    @precondition(lambda self: self.open_rejects())
    @rule(data=st.data())
    def dismiss(self, data: st.DataObject) -> None:
        run, number = data.draw(st.sampled_from(self.open_rejects()))
        assert dismiss(RejectedRow.objects.filter(run=run, line=number), actor="ana", reason="a test") == 1
        self.model.rejects[run, number].dismissed = True

    @rule(source=st.sampled_from(SOURCES), customer=st.sampled_from(VALUES["customer_id"]))
    def erase(self, source: str, customer: int) -> None:
        done = erase_customer(source, customer, reason="a test")
        assert done.emptied.orders == self.model.erase(source, customer, latest())
        self.past = [
            (moment, {k: s.without(customer) if k[0] == source else s for k, s in orders.items()})
            for moment, orders in self.past
        ]

    def open_rejects(self) -> list[tuple[int, int]]:
        """Those that can be repaired."""
        return [key for key in self.model.rejects if self.model.reject_state(key)[0] == "open"]

    # --- What must hold after each of them

    @invariant()
    def same_catalogue(self) -> None:
        assert shop() == self.model.orders()

    @invariant()
    def same_corrections(self) -> None:
        found = [
            ((c.order.source, c.order.order_id), c.field, c.value, c.base, c.conflict_by_id)
            for c in Correction.objects.in_force().select_related("order")
        ]
        expected = [(fix.key, fix.name, fix.value, fix.base, fix.conflict) for fix in self.model.in_force()]
        assert sorted(found, key=str) == sorted(expected, key=str)

    @invariant()
    def same_runs(self) -> None:
        in_force = set(Run.objects.filter(status=Run.Status.LOADED).values_list("pk", flat=True))
        assert in_force == {number for number, run in self.model.runs.items() if run.in_force}

    @invariant()
    def same_rejects(self) -> None:
        found = {
            (row.run_id, row.line): (row.state, row.repaired_by_id if row.state == "repaired" else None)
            for row in RejectedRow.objects.all()
        }
        assert found == {key: self.model.reject_state(key) for key in self.model.rejects}

    @invariant()
    def same_past(self) -> None:
        """The present goes on record; then one moment of the past is looked at, and the one just before it."""
        change = Change.objects.order_by("-id").first()
        if change is None:
            return
        if not self.past or self.past[-1][0] != change.at:
            self.past.append((change.at, self.model.orders()))
        chosen = (7 * len(self.past) + change.pk) % len(self.past)
        moment, expected = self.past[chosen]
        assert shop(moment) == expected
        assert shop(moment - timedelta(microseconds=1)) == (self.past[chosen - 1][1] if chosen else {})

    @invariant()
    def same_numbers(self) -> None:
        """What is counted is what the orders say; and the counts of quality of an earlier change are as they were."""
        change = Change.objects.order_by("-id").first()
        if change is None:
            return
        assert_counted()
        self.failing[change.pk] = quality.counts()
        chosen = sorted(self.failing)[7 * change.pk % len(self.failing)]
        assert quality.counts(chosen) == self.failing[chosen]


def order(key: Key) -> Order:
    return Order.objects.get(source=key[0], order_id=key[1])


def correction(fix: Fix) -> Any:
    return Correction.objects.filter(order=order(fix.key), field=fix.name, ended_by=None)


@contextmanager
def refusal() -> Iterator[list[str]]:
    """Inside, the product may refuse; with which code."""
    codes: list[str] = []
    try:
        yield codes
    except NotPossible as refused:
        codes.append(refused.code)


def latest() -> int:
    """The number of the change just made."""
    return int(Change.objects.order_by("-id").values_list("pk", flat=True)[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("indexes_outlive_the_test")
def test_any_sequence_of_changes(tmp_path: Path) -> None:
    Shop.folder = tmp_path
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        ),
    )
