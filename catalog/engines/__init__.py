"""The only place of the read side that knows which database this is."""

from __future__ import annotations

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy

from catalog.engines.base import Reader
from catalog.engines.postgresql import PostgreSQL
from catalog.engines.sqlite import SQLite

READERS: dict[str, type[Reader]] = {"postgresql": PostgreSQL, "sqlite": SQLite}

__all__ = ["Reader", "reader_for"]


def reader_for(connection: BaseDatabaseWrapper) -> Reader:
    """What reads from the database of this connection."""
    if isinstance(connection, ConnectionProxy):
        # It looks this thread's connection up each time that it is asked for anything.
        connection = connections[connection.alias]
    return READERS[connection.vendor](connection)
