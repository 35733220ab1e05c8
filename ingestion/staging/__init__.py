"""The only place of the write side that knows which database this is."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ingestion.staging.base import STAGED_COLUMNS, Engine
from ingestion.staging.postgresql import PostgreSQL
from ingestion.staging.sqlite import SQLite

ENGINES: dict[str, type[Engine]] = {"postgresql": PostgreSQL, "sqlite": SQLite}

__all__ = ["STAGED_COLUMNS", "Engine", "engine_for"]


def engine_for(connection: BaseDatabaseWrapper) -> Engine:
    """What loads into the database of this connection."""
    return ENGINES[connection.vendor](connection)
