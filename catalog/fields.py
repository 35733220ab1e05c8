"""Column and index types of our own: the few places where the same schema is written differently."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from catalog.contract import MAX_CODE_LENGTH

BYTEWISE = {"postgresql": "C", "sqlite": "BINARY"}
"""The name that each database gives to plain byte order."""


class OrderKeyField(models.BigAutoField):
    """A 64-bit primary key that the program computes.

    It derives from `BigAutoField` because that is SQLite's own row number there, which saves an index; the
    suffix that would make the database count by itself is left out, so no sequence exists.
    """

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str | None:
        return None


class CodeField(models.CharField):
    """A code of the data contract, compared and sorted byte by byte.

    The same order on every database, whatever its locale, and several times faster to sort and index than
    a language's collation.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_CODE_LENGTH)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        return {**super().db_parameters(connection), "collation": BYTEWISE[connection.vendor]}


class KeyedIndex(models.Index):
    """An index whose last column is the primary key, so that rows that are equal in the others have an order.

    SQLite ends every index entry with the row number, which an order's key is. Named as a column it would
    be there twice: a seventh more to write.

    One with a condition is of few rows.
    """

    @property
    def is_of_few_rows(self) -> bool:
        """Whether most rows that are written do not touch it."""
        return self.condition is not None

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        if schema_editor.connection.vendor != "sqlite":
            return super().create_sql(model, schema_editor, using, **kwargs)
        plain = models.Index(fields=self.fields[:-1], name=self.name, condition=self.condition)
        return plain.create_sql(model, schema_editor, using, **kwargs)
