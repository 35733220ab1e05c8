"""Rules and corrections over staged rows: what the source says becomes what the catalogue shows.

Afterwards a staged row is an order's whole state: the values in force, and below them the source's own where they
differ. The statements are the same on every database. `corrected` is a small table of the load's own with the rows
whose orders have corrections in force.
"""

from __future__ import annotations

from catalog.contract import CORRECTABLE
from catalog.models import BIT, Correction, CorrectionEvent, typed
from catalog.rules import meanings
from ingestion.merge.sql import LAYER, ORDERS
from ingestion.staging import Engine

CORRECTIONS = f'"{Correction._meta.db_table}"'
EVENTS = f'"{CorrectionEvent._meta.db_table}"'
CORRECTED = '"ingestion_corrected"'
FIELDS = tuple(column.name for column in CORRECTABLE)


def cover(field: str, value: str) -> str:
    """The assignments that lay a value over a column."""
    return f"source_{field} = {field}, {field} = {value}, overlaid = overlaid + {BIT[field]}"


def apply_rule(table: str, field: str) -> str:
    """Where no correction lies over the source's value already. Takes what is shown, and the source's value."""
    return f"UPDATE {table} SET {cover(field, '%s')} WHERE {field} = %s AND overlaid & {BIT[field]} = 0"


def take_corrected(staged: str) -> str:
    """The rows whose orders have corrections in force."""
    names = ", ".join((*FIELDS, *LAYER))
    return (
        f"INSERT INTO {CORRECTED} (key, {names}) SELECT key, {names} FROM {staged} "
        f"WHERE key IN (SELECT order_id FROM {CORRECTIONS} WHERE ended_by_id IS NULL)"
    )


def give_back_corrected(staged: str) -> str:
    """Their states, as they are with the corrections."""
    values = ", ".join(f"{name} = c.{name}" for name in (*FIELDS, *LAYER))
    return f"UPDATE {staged} AS s SET {values} FROM {CORRECTED} c WHERE c.key = s.key"


CAUGHT_UP = "s.{field} IS NOT DISTINCT FROM c.{value} AND s.{field} IS DISTINCT FROM c.{base}"
BACK = "s.{field} IS NOT DISTINCT FROM c.{base} AND c.conflict_by_id IS NOT NULL"
THIRD = (
    "s.{field} IS DISTINCT FROM c.{value} AND s.{field} IS DISTINCT FROM c.{base} "
    "AND (c.conflict_by_id IS NULL OR s.{field} IS DISTINCT FROM "
    "(SELECT o.source_{field} FROM " + ORDERS + " o WHERE o.key = c.order_id))"
)


def where(condition: str, field: str) -> str:
    """The corrections of a column, in force, whose staged row meets a condition."""
    met = condition.format(field=field, value=typed("value", field), base=typed("base", field))
    return f"c.ended_by_id IS NULL AND c.field = '{field}' AND s.key = c.order_id AND {met}"


def log(condition: str, field: str, kind: str) -> str:
    """Write down what is about to become of corrections. Takes the change."""
    return (
        f"INSERT INTO {EVENTS} (correction_id, change_id, kind, conflict_before_id) "
        f"SELECT c.id, %s, '{kind}', c.conflict_by_id FROM {CORRECTIONS} c, {CORRECTED} s "
        f"WHERE {where(condition, field)}"
    )


def retire_caught_up(field: str) -> str:
    """The source says now what the correction says. Takes the change."""
    return (
        f"UPDATE {CORRECTIONS} AS c SET ended_by_id = %s, ending = '{Correction.Ending.CAUGHT_UP}' "
        f"FROM {CORRECTED} s WHERE {where(CAUGHT_UP, field)}"
    )


def settle(field: str) -> str:
    """The source is back at what it said when the correction was made: no conflict any more."""
    return f"UPDATE {CORRECTIONS} AS c SET conflict_by_id = NULL FROM {CORRECTED} s WHERE {where(BACK, field)}"


def find_conflicts(field: str) -> str:
    """The source has a third value, or yet another one. Takes the change."""
    return f"UPDATE {CORRECTIONS} AS c SET conflict_by_id = %s FROM {CORRECTED} s WHERE {where(THIRD, field)}"


def apply_corrections(field: str) -> str:
    """Lay what is still in force over the rows."""
    return (
        f"UPDATE {CORRECTED} AS s SET source_{field} = s.{field}, {field} = c.{typed('value', field)}, "
        f"overlaid = s.overlaid + {BIT[field]} FROM {CORRECTIONS} c "
        f"WHERE c.order_id = s.key AND c.field = '{field}' AND c.ended_by_id IS NULL"
    )


def overlay_rules(engine: Engine, table: str) -> None:
    """Lay the rules in force over rows."""
    for field in FIELDS:
        for old, new in meanings(field):
            engine.execute(apply_rule(table, field), [new, old])


def apply_all(engine: Engine, staged: str) -> None:
    """Lay corrections and rules over staged rows, as they are: nobody has said anything new."""
    fields = set(Correction.objects.in_force().order_by().values_list("field", flat=True).distinct())
    if fields and engine.execute(take_corrected(staged)):
        for field in sorted(fields):
            engine.execute(apply_corrections(field))
        engine.execute(give_back_corrected(staged))
    overlay_rules(engine, staged)


def overlay_corrections(engine: Engine, staged: str, change: int) -> tuple[int, int]:
    """Lay the corrections in force over staged rows, and see which of them the source contradicts.

    Returns how many have retired because the source caught up, and how many have come into conflict.
    """
    caught_up = conflicts = 0
    in_force = Correction.objects.in_force().order_by()
    fields = set(in_force.values_list("field", flat=True).distinct())
    if not fields or not engine.execute(take_corrected(staged)):
        return 0, 0
    for field in sorted(fields):
        for condition, kind in ((CAUGHT_UP, "caught_up"), (BACK, "settled"), (THIRD, "conflict")):
            engine.execute(log(condition, field, kind), [change])
        caught_up += engine.execute(retire_caught_up(field), [change])
        engine.execute(settle(field))
        conflicts += engine.execute(find_conflicts(field), [change])
        engine.execute(apply_corrections(field))
    engine.execute(give_back_corrected(staged))
    return caught_up, conflicts
