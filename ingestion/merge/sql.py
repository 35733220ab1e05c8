"""The set-based statements of a load, as text: the same on every database, every join on the order key.

`staged` is the quoted name of the table that holds the file's rows; the small tables are `twins` (keys that
the file has more than once), `clashes` (those of them with different rows), `delta` (keys to write) and
`kept` (keys that a full snapshot must not remove).
"""

from __future__ import annotations

from catalog.contract import CORRECTABLE, NAMES
from catalog.models import Order, OrderVersion, field_of

SOURCE_VALUES = tuple(f"source_{column.name}" for column in CORRECTABLE)
LAYER = ("overlaid", *SOURCE_VALUES)
"""The columns that hold what the source says where something lies over it."""

ORDERS = f'"{Order._meta.db_table}"'
VERSIONS = f'"{OrderVersion._meta.db_table}"'
TWINS, CLASHES, DELTA, KEPT = ('"ingestion_twins"', '"ingestion_clashes"', '"ingestion_delta"', '"ingestion_kept"')


def columns(prefix: str = "") -> str:
    """The contract's columns, separated by commas."""
    return ", ".join(f"{prefix}{name}" for name in NAMES)


def state(prefix: str = "") -> str:
    """The contract's columns and the source's values below them, separated by commas."""
    return ", ".join(f"{prefix}{name}" for name in (*NAMES, *LAYER))


def find_twins(staged: str) -> str:
    """Keys that stand in the file more than once, each with the first line it stands on."""
    return f"INSERT INTO {TWINS} (key, line) SELECT key, min(line) FROM {staged} GROUP BY key HAVING count(*) > 1"


def find_clashes(staged: str) -> str:
    """The twins whose rows are not all the same."""
    return (
        f"INSERT INTO {CLASHES} (key) SELECT key FROM (SELECT DISTINCT s.key, {columns('s.')} "
        f"FROM {staged} s JOIN {TWINS} t ON t.key = s.key) AS distinct_rows GROUP BY key HAVING count(*) > 1"
    )


def clashing_rows(staged: str) -> str:
    """Line, source, order number and the key's first line of every row that clashes, by line."""
    return (
        f"SELECT s.line, s.source, s.order_id, t.line FROM {staged} s JOIN {CLASHES} c ON c.key = s.key "
        f"JOIN {TWINS} t ON t.key = s.key ORDER BY s.line"
    )


def delete_clashes(staged: str) -> str:
    """No one can know which of the rows is right: none is loaded."""
    return f"DELETE FROM {staged} WHERE key IN (SELECT key FROM {CLASHES})"


def delete_repeats(staged: str) -> str:
    """The same row again: the first is kept."""
    return (
        f"DELETE FROM {staged} WHERE EXISTS "
        f"(SELECT 1 FROM {TWINS} t WHERE t.key = {staged}.key AND t.line < {staged}.line)"
    )


def compare(staged: str) -> str:
    """The rows that are new to the catalogue, or differ from it; a removed order that is back differs."""
    differs = " OR ".join(
        f"o.{name} IS DISTINCT FROM s.{name}" if field_of(Order, name).null else f"o.{name} <> s.{name}"
        for name in NAMES
    )
    below = " OR ".join(f"o.{name} IS DISTINCT FROM s.{name}" for name in SOURCE_VALUES)
    differs += f" OR o.overlaid <> s.overlaid OR (s.overlaid <> 0 AND ({below}))"
    return (
        f"INSERT INTO {DELTA} (key, is_new) SELECT s.key, o.key IS NULL FROM {staged} s "
        f"LEFT JOIN {ORDERS} o ON o.key = s.key WHERE o.key IS NULL OR o.removed OR {differs}"
    )


def find_removed(staged: str, sources: int) -> str:
    """Orders of `sources` sources that the file, a full snapshot, no longer has."""
    marks = ", ".join(["%s"] * sources)
    return (
        f"INSERT INTO {DELTA} (key, is_new) SELECT o.key, NULL FROM {ORDERS} o "
        f"LEFT JOIN {staged} s ON s.key = o.key LEFT JOIN {KEPT} k ON k.key = o.key "
        f"WHERE s.key IS NULL AND k.key IS NULL AND NOT o.removed AND o.source IN ({marks})"
    )


def keep_key() -> str:
    """Remember a key that a full snapshot must not remove. Takes the key."""
    return f"INSERT INTO {KEPT} (key) VALUES (%s) ON CONFLICT DO NOTHING"


def keep_versions() -> str:
    """Put what is about to be superseded into the history. Takes the change."""
    kept = f"{state('o.')}, o.removed, o.line, o.key, o.change_id"
    return (
        f"INSERT INTO {VERSIONS} ({state()}, removed, line, key, change_id, ended_by_id) "
        f"SELECT {kept}, %s FROM {ORDERS} o JOIN {DELTA} d ON d.key = o.key WHERE d.is_new IS NOT TRUE"
    )


def update(staged: str) -> str:
    """Write the rows that differ. Takes the change."""
    values = ", ".join(f"{name} = s.{name}" for name in (*NAMES, *LAYER, "line"))
    return (
        f"UPDATE {ORDERS} AS o SET {values}, removed = FALSE, change_id = %s FROM {staged} s "
        f"JOIN {DELTA} d ON d.key = s.key WHERE o.key = s.key AND d.is_new IS FALSE"
    )


def mark_removed() -> str:
    """Mark the orders that are gone. Takes the change."""
    return (
        f"UPDATE {ORDERS} AS o SET removed = TRUE, line = NULL, change_id = %s FROM {DELTA} d "
        f"WHERE o.key = d.key AND d.is_new IS NULL"
    )


def insert_new(staged: str) -> str:
    """Write the rows that are new. Takes the change."""
    return (
        f"INSERT INTO {ORDERS} ({state()}, line, key, change_id) SELECT {state('s.')}, s.line, s.key, %s "
        f"FROM {staged} s JOIN {DELTA} d ON d.key = s.key WHERE d.is_new IS TRUE ORDER BY s.key"
    )


def insert_all(staged: str) -> str:
    """Write every row into a catalogue that is empty. Takes the change."""
    return (
        f"INSERT INTO {ORDERS} ({state()}, line, key, change_id) "
        f"SELECT {state('s.')}, s.line, s.key, %s FROM {staged} s ORDER BY s.key"
    )
