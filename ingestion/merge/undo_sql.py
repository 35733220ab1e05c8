"""The set-based statements of an undo, as text: the same on every database, every join on the order key.

`undone`, `touched` and `gone` are small tables of the undo's own with the keys of the orders that are put back, of
those that are left, and of those that had been marked as removed. A run's change has made an order's current state, or
has taken the order away; what was before is the version that the change has ended.
"""

from __future__ import annotations

from catalog.contract import CORRECTABLE
from catalog.models import BIT
from ingestion.merge.overlay import CORRECTIONS, EVENTS
from ingestion.merge.sql import DELTA, ORDERS, VERSIONS, state
from ingestion.models import Run

RUNS = f'"{Run._meta.db_table}"'
UNDONE, TOUCHED_KEYS, GONE = '"ingestion_undone"', '"ingestion_touched"', '"ingestion_gone"'
TOUCHED = (
    f"SELECT key FROM {VERSIONS} WHERE change_id = %s UNION "
    f"SELECT v.key FROM {VERSIONS} v JOIN {ORDERS} o ON o.key = v.key "
    f"WHERE v.ended_by_id = %s AND o.change_id <> %s UNION "
    f"SELECT v.key FROM {VERSIONS} v JOIN {VERSIONS} w ON w.key = v.key "
    f"WHERE v.ended_by_id = %s AND w.change_id > %s UNION "
    f"SELECT o.key FROM {ORDERS} o JOIN {CORRECTIONS} c ON c.order_id = o.key "
    f"JOIN {EVENTS} e ON e.correction_id = c.id WHERE o.change_id = %s AND e.change_id > %s"
)
"""Orders that something has touched since, be it that they came back and went again. Takes the change seven times."""

FORMER = (
    f"COALESCE((SELECT v.change_id FROM {VERSIONS} v WHERE v.key = s.key AND v.ended_by_id = u.change_id), "
    f"(SELECT max(v.ended_by_id) FROM {VERSIONS} v WHERE v.key = s.key AND v.ended_by_id < u.change_id))"
)
"""What made the state before the one that an undone run had made, or took the order away before that."""

SPARED = (
    f"WITH RECURSIVE stands (key, change_id) AS (SELECT t.key, COALESCE(o.change_id, (SELECT max(v.ended_by_id) "
    f"FROM {VERSIONS} v WHERE v.key = t.key)) FROM {TOUCHED_KEYS} t LEFT JOIN {ORDERS} o ON o.key = t.key "
    f"UNION ALL SELECT s.key, {FORMER} FROM stands s JOIN {RUNS} r ON r.change_id = s.change_id "
    f"JOIN {RUNS} u ON u.id = r.undoes_id) SELECT s.key FROM stands s WHERE s.change_id = %s AND NOT EXISTS "
    f"(SELECT 1 FROM {CORRECTIONS} c JOIN {EVENTS} e ON e.correction_id = c.id "
    "WHERE c.order_id = s.key AND e.change_id > %s)"
)
"""Those of them that stand as the change has made them, as all that came later was undone. Where corrections had a part
in it they are not spared: what becomes of these hangs on who ended them. Takes the change twice.
"""

SOME_TOUCHED = f"SELECT key FROM {TOUCHED_KEYS} ORDER BY key LIMIT 10"


def find_touched() -> str:
    """Takes the change seven times."""
    return f"INSERT INTO {TOUCHED_KEYS} (key) SELECT key FROM ({TOUCHED}) AS touched"


def spare_restored() -> str:
    """What later runs have done and undos have put back has touched nothing. Takes the change twice."""
    return f"DELETE FROM {TOUCHED_KEYS} WHERE key IN ({SPARED})"


def find_undone() -> str:
    """The orders that a change has touched and nothing since. Takes the change three times."""
    return (
        f"INSERT INTO {UNDONE} (key) SELECT key FROM (SELECT key FROM {ORDERS} WHERE change_id = %s UNION "
        f"SELECT key FROM {VERSIONS} WHERE change_id = %s UNION "
        f"SELECT key FROM {VERSIONS} WHERE ended_by_id = %s) AS affected "
        f"WHERE NOT EXISTS (SELECT 1 FROM {TOUCHED_KEYS} t WHERE t.key = affected.key)"
    )


def stage_previous(staged: str) -> str:
    """What the source said before. Takes the change."""
    said = ", ".join(
        f"CASE WHEN v.overlaid & {BIT[c.name]} <> 0 THEN v.source_{c.name} ELSE v.{c.name} END" for c in CORRECTABLE
    )
    names = ", ".join(c.name for c in CORRECTABLE)
    return (
        f"INSERT INTO {staged} (key, line, order_id, source, {names}) "
        f"SELECT v.key, v.line, v.order_id, v.source, {said} "
        f"FROM {VERSIONS} v JOIN {UNDONE} u ON u.key = v.key WHERE v.ended_by_id = %s"
    )


def all_differ(staged: str) -> str:
    """Every staged order is written, whether it is there or not."""
    return (
        f"INSERT INTO {DELTA} (key, is_new) SELECT s.key, o.key IS NULL "
        f"FROM {staged} s LEFT JOIN {ORDERS} o ON o.key = s.key"
    )


def keep_taken_away(staged: str) -> str:
    """The states of orders that were not there before go into the history. Takes the new change."""
    kept = f"{state('o.')}, o.removed, o.line, o.key, o.change_id"
    return (
        f"INSERT INTO {VERSIONS} ({state()}, removed, line, key, change_id, ended_by_id) SELECT {kept}, %s "
        f"FROM {ORDERS} o JOIN {UNDONE} u ON u.key = o.key LEFT JOIN {staged} s ON s.key = o.key WHERE s.key IS NULL"
    )


def take_away(staged: str) -> str:
    """Orders that were not there before go."""
    return (
        f"DELETE FROM {ORDERS} WHERE key IN (SELECT u.key FROM {UNDONE} u "
        f"LEFT JOIN {staged} s ON s.key = u.key WHERE s.key IS NULL)"
    )


def find_gone() -> str:
    """The orders that were marked as removed before a change. Takes it.

    In a step of its own: of a history that has just grown, planners know too little to join it well.
    """
    return f"INSERT INTO {GONE} (key) SELECT key FROM {VERSIONS} WHERE ended_by_id = %s AND removed"


def restore_removed() -> str:
    """They are so again. Takes the new change."""
    return f"UPDATE {ORDERS} SET removed = TRUE WHERE change_id = %s AND key IN (SELECT key FROM {GONE})"


def log_corrections() -> str:
    """Write down what becomes of corrections. Takes the new change and the undone one."""
    return (
        f"INSERT INTO {EVENTS} (correction_id, change_id, kind, conflict_before_id) "
        f"SELECT c.id, %s, CASE WHEN c.ended_by_id IS NOT NULL THEN 'revived' "
        f"WHEN e.kind = 'revived' THEN 'caught_up' ELSE 'rewound' END, c.conflict_by_id "
        f"FROM {CORRECTIONS} c JOIN {UNDONE} u ON u.key = c.order_id JOIN {EVENTS} e ON e.correction_id = c.id "
        f"WHERE e.change_id = %s"
    )


def rewind_conflicts() -> str:
    """Conflicts are as they were before the change. Takes it."""
    return (
        f"UPDATE {CORRECTIONS} AS c SET conflict_by_id = e.conflict_before_id FROM {EVENTS} e "
        f"WHERE e.correction_id = c.id AND e.change_id = %s AND c.order_id IN (SELECT key FROM {UNDONE})"
    )


def revive() -> str:
    """Corrections that the change has ended are in force again. Takes it."""
    return (
        f"UPDATE {CORRECTIONS} SET ended_by_id = NULL, ending = '' "
        f"WHERE ended_by_id = %s AND order_id IN (SELECT key FROM {UNDONE})"
    )


def end_revived() -> str:
    """Corrections that an undo had brought back end again. Takes the new change and the undone one."""
    return (
        f"UPDATE {CORRECTIONS} SET ended_by_id = %s, ending = 'caught_up' WHERE ended_by_id IS NULL "
        f"AND order_id IN (SELECT key FROM {UNDONE}) "
        f"AND id IN (SELECT correction_id FROM {EVENTS} WHERE change_id = %s AND kind = 'revived')"
    )
