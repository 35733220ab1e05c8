"""What everything that changes the catalogue means, in plain Python: slow, small, and without a database.

The stateful test holds the product against it. An order is known by `(source, number)`; of its columns three stand for
all: one that is required, one that may be missing, and the customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

Key = tuple[str, int]
Value = str | int | None
FIELDS = ("website", "voucher_status", "customer_id")
CUSTOMER = FIELDS.index("customer_id")


def without(values: tuple[Value, ...], customer: Value) -> tuple[Value, ...]:
    """The values of an order without the number of a customer."""
    return tuple(None if (n, v) == (CUSTOMER, customer) else v for n, v in enumerate(values))


@dataclass(frozen=True)
class State:
    """An order: what its source said, what is shown, in which columns something lies over the source's value."""

    said: tuple[Value, ...]
    shown: tuple[Value, ...]
    overlaid: frozenset[str]
    removed: bool = False

    def says(self, name: str) -> Value:
        return self.said[FIELDS.index(name)]

    def shows(self, name: str) -> Value:
        return self.shown[FIELDS.index(name)]

    def has(self, customer: Value) -> bool:
        return customer in (self.said[CUSTOMER], self.shown[CUSTOMER])

    def without(self, customer: Value) -> State:
        return replace(self, said=without(self.said, customer), shown=without(self.shown, customer))


@dataclass
class Fix:
    """A correction. `log`: the changes that a load, a person or an undo made to it, with its conflict before each;
    `revived`: the undos that brought it back.
    """

    key: Key
    name: str
    value: Value
    base: Value
    ended: int | None = None
    conflict: int | None = None
    log: list[tuple[int, int | None]] = field(default_factory=list)
    revived: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Row:
    """A row of a file; one that is not `valid` has a website that is no code."""

    key: Key
    said: tuple[Value, ...]
    valid: bool = True


@dataclass
class Run:
    """A load, a repair or an undo that is or was in the catalogue."""

    change: int
    undoes: int | None = None
    in_force: bool = True
    repair: bool = False


@dataclass
class Reject:
    """A row that was rejected, the repairs that have accepted it, and who or what has dismissed it."""

    row: Row
    erased: bool
    repairs: list[int] = field(default_factory=list)
    dismissed: bool = False


class Model:
    """The whole catalogue. Every method that changes it takes the number of the change."""

    def __init__(self) -> None:
        self.histories: dict[Key, list[tuple[int, State | None]]] = defaultdict(list)
        self.fixes: list[Fix] = []
        self.rules: set[tuple[str, Value, Value]] = set()
        self.runs: dict[int, Run] = {}
        self.rejects: dict[tuple[int, int], Reject] = {}
        self.erased: set[tuple[str, Value]] = set()

    # --- What there is

    def now(self, key: Key) -> State | None:
        return self.histories[key][-1][1] if self.histories[key] else None

    def orders(self) -> dict[Key, State]:
        found = {key: self.now(key) for key in self.histories}
        return {key: state for key, state in sorted(found.items()) if state is not None}

    def in_force(self) -> list[Fix]:
        return [fix for fix in self.fixes if fix.ended is None]

    def conflicts(self) -> list[Fix]:
        return [fix for fix in self.in_force() if fix.conflict is not None]

    def fix_of(self, key: Key, name: str) -> Fix | None:
        return next((fix for fix in self.in_force() if (fix.key, fix.name) == (key, name)), None)

    def is_pinned(self, key: Key, name: str, value: Value) -> bool:
        """Whether a correction to that value would put what the source says in the place of another correction."""
        state = self.orders()[key]
        return self.fix_of(key, name) is not None and state.says(name) == value != state.shows(name)

    def state(self, key: Key, said: tuple[Value, ...], *, removed: bool = False) -> State:
        """What is shown of what the source says: a correction wins over a rule, and rules never follow one another."""
        shown, overlaid = list(said), set()
        for position, name in enumerate(FIELDS):
            fix = self.fix_of(key, name)
            ruled = [new for column, old, new in self.rules if (column, old) == (name, said[position])]
            if fix or ruled:
                shown[position] = fix.value if fix else ruled[0]
                overlaid.add(name)
        return State(said, tuple(shown), frozenset(overlaid), removed)

    def _set(self, key: Key, change: int, state: State | None) -> None:
        self.histories[key].append((change, state))

    def _show(self, keys: Iterable[Key], change: int) -> int:
        """Let orders show what they should; their number."""
        wanted = list(keys)
        for key in wanted:
            state = self.orders()[key]
            self._set(key, change, self.state(key, state.said, removed=state.removed))
        return len(wanted)

    # --- Loads

    def load(self, rows: list[Row], number: int, change: int, *, snapshot: bool = False) -> dict[str, int]:
        """Load a file as the run of that number; the figures of its report."""
        self.runs[number] = Run(change)
        figures = dict.fromkeys(
            ("inserted", "updated", "unchanged", "duplicate", "rejected", "removed", "caught_up", "conflicts"), 0
        )
        by_key: dict[Key, list[Row]] = defaultdict(list)
        for row in rows:
            if row.valid:
                by_key[row.key].append(self._without_erased(row))
        clashing = {key for key, twins in by_key.items() if len(set(twins)) > 1}
        for line, row in enumerate(rows, start=2):
            if not row.valid or row.key in clashing:
                self.rejects[number, line] = Reject(row, self._is_erased(row))
                figures["rejected"] += 1
        kept = {row.key for row in rows if not row.valid}
        for key, twins in by_key.items():
            kept.add(key)
            if key in clashing:
                continue
            figures["duplicate"] += len(twins) - 1
            figures[self._load_row(twins[0], change, figures)] += 1
        if snapshot:
            if figures["rejected"]:
                kept |= self._repaired()
            sources = {source for source, _ in by_key}
            gone = [k for k, s in self.orders().items() if k[0] in sources and k not in kept and not s.removed]
            for key in gone:
                self._set(key, change, replace(self.orders()[key], removed=True))
            figures["removed"] = len(gone)
        return figures

    def _repaired(self) -> set[Key]:
        """The orders that a person has put right may be those of rows that are wrong still."""
        changes = {run.change for run in self.runs.values() if run.repair and run.in_force}
        return {key for key, history in self.histories.items() if changes & {change for change, _ in history}}

    def _load_row(self, row: Row, change: int, figures: dict[str, int]) -> str:
        before = self.now(row.key)
        for fix in self.in_force():
            if fix.key == row.key:
                assert before is not None
                self._meet(fix, before.says(fix.name), row.said[FIELDS.index(fix.name)], change, figures)
        after = self.state(row.key, row.said)
        if before == after:
            return "unchanged"
        self._set(row.key, change, after)
        return "updated" if before else "inserted"

    def _meet(self, fix: Fix, before: Value, says: Value, change: int, figures: dict[str, int]) -> None:
        """The three-way rule."""
        if says == fix.base:
            if fix.conflict is not None:
                fix.log.append((change, fix.conflict))
                fix.conflict = None
        elif says == fix.value:
            fix.log.append((change, fix.conflict))
            fix.ended = change
            figures["caught_up"] += 1
        elif fix.conflict is None or says != before:
            fix.log.append((change, fix.conflict))
            fix.conflict = change
            figures["conflicts"] += 1

    def _is_erased(self, row: Row) -> bool:
        return (row.key[0], row.said[CUSTOMER]) in self.erased

    def _without_erased(self, row: Row) -> Row:
        return replace(row, said=without(row.said, row.said[CUSTOMER])) if self._is_erased(row) else row

    def repair(self, reject: tuple[int, int], row: Row, number: int, change: int) -> dict[str, int]:
        """Load a rejected row that was put right."""
        self.rejects[reject].repairs.append(number)
        figures = self.load([row], number, change)
        self.runs[number].repair = True
        return figures

    def reject_state(self, key: tuple[int, int]) -> tuple[str, int | None]:
        """What became of a rejected row, and in which run it was repaired."""
        reject = self.rejects[key]
        in_force = [number for number in reject.repairs if self.runs[number].in_force]
        if in_force:
            return "repaired", max(in_force)
        waits = self.runs[key[0]].in_force and not reject.erased and not reject.dismissed
        return "open" if waits else "dismissed", None

    # --- Corrections and rules

    def correct(self, keys: Iterable[Key], values: dict[str, Value], change: int) -> int:
        """Set values right; the number of orders that did not show them already."""
        touched = set()
        for key in keys:
            state = self.orders()[key]
            for name, value in values.items():
                if state.shows(name) == value:
                    continue
                former = self.fix_of(key, name)
                if former:
                    former.ended = change
                self.fixes.append(Fix(key, name, value, base=state.says(name)))
                touched.add(key)
        return self._show(sorted(touched), change)

    def retire(self, fix: Fix, change: int) -> None:
        fix.ended = change
        self._show([fix.key], change)

    def keep(self, fix: Fix, change: int) -> None:
        fix.log.append((change, fix.conflict))
        fix.base, fix.conflict = self.orders()[fix.key].says(fix.name), None

    def switch(self, rule: tuple[str, Value, Value], change: int, *, on: bool) -> int:
        name, old, _ = rule
        (self.rules.add if on else self.rules.remove)(rule)
        orders = self.orders().items()
        return self._show([k for k, s in orders if s.says(name) == old and not self.fix_of(k, name)], change)

    # --- Undo

    def affected(self, number: int) -> list[Key]:
        """The orders that a run has changed."""
        change = self.runs[number].change
        return [key for key, history in self.histories.items() if change in [c for c, _ in history]]

    def touched(self, number: int) -> list[Key]:
        """Those of them that something has touched since."""
        change = self.runs[number].change
        return [key for key in self.affected(number) if self._is_touched(key, change)]

    def _is_touched(self, key: Key, change: int) -> bool:
        later = [entry for fix in self.fixes if fix.key == key for entry, _ in fix.log if entry > change]
        return change not in self._stands(key) or bool(later)

    def _stands(self, key: Key) -> list[int]:
        """What has made an order as it is: the latest change, and where that was an undo, what it has put back."""
        history = self.histories[key]
        found: list[int] = []
        while history:
            found.append(history[-1][0])
            undos = [run for run in self.runs.values() if run.undoes and run.change == found[-1]]
            undone = [self.runs[run.undoes].change for run in undos if run.undoes]
            history = [entry for entry in history if undone and entry[0] < undone[0]]
        return found

    def undo(self, number: int, new_number: int, change: int) -> dict[str, int]:
        """Take a run back, but for what something has touched since; the figures."""
        touched = self.touched(number)
        figures = {"updated": 0, "removed": 0, "inserted": 0, "unchanged": len(touched)}
        for key in self.affected(number):
            if key not in touched:
                figures[self._put_back(key, self.runs[number].change, change)] += 1
        self.runs[new_number] = Run(change, undoes=number)
        undone: int | None = number
        in_force = False
        while undone is not None:
            self.runs[undone].in_force = in_force
            undone, in_force = self.runs[undone].undoes, not in_force
        for place, reject in self.rejects.items():
            if self.reject_state(place)[0] == "repaired":
                # That it was dismissed meanwhile is past.
                reject.dismissed = False
        return figures

    def _put_back(self, key: Key, undone: int, change: int) -> str:
        for fix in self.fixes:
            if fix.key == key:
                self._rewind(fix, undone, change)
        former = [state for c, state in self.histories[key] if c < undone][-1:]
        present = self.now(key)
        if not former or former[0] is None:
            self._set(key, change, None)
            return "removed"
        self._set(key, change, self.state(key, former[0].said, removed=former[0].removed))
        return "updated" if present else "inserted"

    def _rewind(self, fix: Fix, undone: int, change: int) -> None:
        before = [conflict for entry, conflict in fix.log if entry == undone]
        if not before:
            return
        fix.log.append((change, fix.conflict))
        fix.conflict = before[0]
        if fix.ended == undone:
            fix.ended = None
            fix.revived.add(change)
        elif fix.ended is None and undone in fix.revived:
            fix.ended = change

    # --- Erasure

    def erase(self, source: str, customer: Value, change: int) -> int:
        """Take a customer's number out of everything; how many orders had it."""
        self.erased.add((source, customer))
        has_it = [key for key, state in self.orders().items() if key[0] == source and state.has(customer)]
        for key in has_it:
            self._set(key, change, self.orders()[key])
        for key, history in self.histories.items():
            if key[0] == source:
                history[:] = [(made, state and state.without(customer)) for made, state in history]
        for fix in self.fixes:
            if fix.key[0] == source and fix.name == "customer_id":
                fix.value, fix.base = (None if value == customer else value for value in (fix.value, fix.base))
        for reject in self.rejects.values():
            reject.erased |= (reject.row.key[0], reject.row.said[CUSTOMER]) == (source, customer)
        return len(has_it)
