"""Django's SQL of a question, compiled once for all questions of the same shape.

To compile takes Django longer than the database needs to answer. Two questions have the same shape when they differ in
plain values only; then their SQL is the same, and the values stand in the same places among its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from catalog.engines import reader_for

Row = Sequence[Any]
Build = Callable[[Q], "QuerySet[Any, Any]"]
"""What makes a whole question of its condition."""

MOST_SHAPES = 1000

MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda place: 8 * 10**18 + place,
    str: lambda place: f"\ue000{place}",
    datetime: lambda place: datetime(1, 1, 2, tzinfo=UTC) + timedelta(microseconds=place),
}
"""Values that no question has, another one for each place."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, its parameters, and how Django converts what comes back, by column."""

    sql: str
    params: tuple[Any, ...]
    converters: tuple[tuple[int, Any, Any], ...]

    def rows(self, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        """What the database answers to the SQL with these parameters."""
        found: list[Row] = list(reader_for(connection).fetch(self.sql, params, one_plan=one_plan))
        return [self._converted(row) for row in found] if self.converters else found

    def _converted(self, row: Row) -> Row:
        values = list(row)
        for position, convert, expression in self.converters:
            for step in convert:
                values[position] = step(values[position], expression, connection)
        return values


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement of whose parameters some are places for values: the parameter's number, the value's, and its type."""

    statement: Statement
    places: tuple[tuple[int, int, Any], ...]

    def params(self, values: Sequence[Any]) -> list[Any]:
        """The parameters for these values."""
        params = list(self.statement.params)
        for position, number, kind in self.places:
            # Django tells PostgreSQL's driver the width of a number by a type of its own.
            params[position] = kind(values[number]) if issubclass(kind, int) else values[number]
        return params


_shapes: dict[Any, Shape | None] = {}


def rows(build: Build, q: Q, key: Any, *, one_plan: bool = False) -> list[Row]:
    """The rows of `build(q)`; `key` names what else they depend on, so that one key and one shape have one SQL.

    `one_plan`: whatever the values are, the best way to the rows is the same.
    """
    values: list[Any] = []
    outline = _outline(q, values)
    if outline is not None:
        shape = _shape_of(build, q, values, (connection.alias, key, outline))
        if shape is not None:
            params = shape.params([_adapted(value) for value in values])
            return shape.statement.rows(params, one_plan=one_plan)
    statement = _compiled(build(q))
    return [] if statement is None else statement.rows(statement.params, one_plan=False)


def _shape_of(build: Build, q: Q, values: list[Any], key: Any) -> Shape | None:
    if key not in _shapes:
        if len(_shapes) >= MOST_SHAPES:
            _shapes.clear()
        _shapes[key] = _prepare(build, q, values)
    return _shapes.get(key)


def _prepare(build: Build, q: Q, values: list[Any]) -> Shape | None:
    """The shape of a question; none where its values do not simply reappear among the parameters."""
    actual = _compiled(build(q))
    marks = [MARKS[type(value)](place) for place, value in enumerate(values)]
    marked = _compiled(build(_filled(q, iter(marks))))
    if actual is None or marked is None or actual.sql != marked.sql:
        return None
    numbers = {_adapted(mark): number for number, mark in enumerate(marks)}
    places = tuple(
        (position, numbers[value], type(value))
        for position, value in enumerate(marked.params)
        if isinstance(value, tuple(MARKS)) and value in numbers
    )
    shape = Shape(marked, places)
    filled = tuple(shape.params([_adapted(value) for value in values]))
    placed = {number for _, number, _ in places}
    return shape if filled == actual.params and placed == set(numbers.values()) else None


def _compiled(queryset: QuerySet[Any, Any]) -> Statement | None:
    """A query as SQL; none where Django knows that nothing can be found."""
    compiler = queryset.query.get_compiler(connection=connection)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    found = compiler.get_converters([column for column, _, _ in compiler.select])
    converters = tuple((position, tuple(steps), expression) for position, (steps, expression) in found.items())
    return Statement(sql, tuple(params), converters)


def _outline(q: Q, values: list[Any]) -> Any:
    """A condition without its plain values, which are added to `values`; none where it has other than plain ones."""
    parts: list[Any] = []
    for child in q.children:
        part = _outline(child, values) if isinstance(child, Q) else _outline_of_lookup(child, values)
        if part is None:
            return None
        parts.append(part)
    return (q.connector, q.negated, *parts)


def _outline_of_lookup(child: Any, values: list[Any]) -> Any:
    if not isinstance(child, tuple):
        return None
    name, value = child
    if value is None or isinstance(value, bool):
        return (name, value)
    if type(value) in MARKS:
        values.append(value)
        return (name, type(value))
    if isinstance(value, list | tuple) and all(type(item) in MARKS for item in value):
        values.extend(value)
        return (name, *map(type, value))
    return None


def _filled(q: Q, values: Any) -> Q:
    """The same condition with other values."""
    children: list[Any] = []
    for child in q.children:
        if isinstance(child, Q):
            children.append(_filled(child, values))
            continue
        name, value = cast("tuple[str, Any]", child)
        if isinstance(value, list | tuple):
            value = [next(values) for _ in value]
        elif value is not None and not isinstance(value, bool):
            value = next(values)
        children.append((name, value))
    return Q.create(children=children, connector=q.connector, negated=q.negated)


def _adapted(value: Any) -> Any:
    """A value as Django hands it to the driver."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
