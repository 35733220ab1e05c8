"""The values of the columns that have few, beside a list: how many orders there would be of each."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from catalog.api.browsable.addresses import address
from catalog.api.conditional import catalogue_version
from catalog.api.dimensions import STATE
from catalog.api.filters import OrderFilterSet
from catalog.facets import facets
from catalog.grouping import Dimension, Grouping
from catalog.memory import Memory
from catalog.read_only import count_within

MOST = 12
"""Values of one column beside a list."""

SIZE = 500

MOST_CELLS = 100_000
"""Rows of the summary that are added up at once; it takes about a tenth of a second."""

Values = dict[str | None, int]

_known: Memory[dict[str, Values]] = Memory(200)


@dataclass(frozen=True, slots=True)
class Value:
    """One value; `url` is the query with it, or without it where it is in force."""

    text: str
    orders: int
    url: str
    active: bool

    @property
    def shown(self) -> str:
        return f"{self.orders:,}"


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of a column, the most frequent first."""

    label: str
    values: tuple[Value, ...]
    others: int


def facets_beside(path: str, params: QueryDict) -> list[Facet]:
    """The facets of a list, as far as the summary tells them at once: nobody has asked for them.

    What is said of a column itself does not hold for its own facet, so that other values can be chosen beside it.
    """
    found = _known.get((catalogue_version(), *asked(params)), lambda: find(params))
    shown = (facet_of(name, found[name], path, params) for name in STATE if name in found)
    return [facet for facet in shown if facet.values]


def find(params: QueryDict) -> dict[str, Values]:
    """How many orders have which value, by column."""
    free = [name for name in STATE if not any(own in params for own in own_filters(name))]
    found = counted(params, free)
    for name in STATE:
        if name not in free:
            others = params.copy()
            for own in own_filters(name):
                others.pop(own, None)
            found |= counted(others, [name])
    return found


def counted(params: QueryDict, names: list[str]) -> dict[str, Values]:
    """The same of some columns, under all that is asked; nothing where that would take long."""
    query, by = OrderFilterSet(params).query, [Dimension(name) for name in names]
    tally = Grouping(tuple(by)).tally(query)
    if not names or tally is None or count_within(tally._default_manager.filter(query.q), MOST_CELLS) > MOST_CELLS:
        return {}
    _, found = facets(query, [(one,) for one in by], SIZE)
    return {facet.by[0].name: dict(facet.values) for facet in found}


def own_filters(name: str) -> tuple[str, str, str]:
    """What a click on a value of a column sets."""
    return name, f"{name}__in", f"{name}__isnull"


def asked(params: QueryDict) -> tuple[str, ...]:
    """What the numbers depend on."""
    known = {*OrderFilterSet.base_filters, *OrderFilterSet.further}
    return tuple(sorted(f"{name}={text}" for name, texts in params.lists() for text in texts if name in known))


def facet_of(name: str, values: Values, path: str, params: QueryDict) -> Facet:
    """A facet with what is in force first, whether or not there is any of it, then what there is most of."""
    active = chosen(name, params)
    order = [*active, *(value for value in values if value not in active)]
    shown = order[: max(MOST, len(active))]
    return Facet(
        name.replace("_", " "),
        tuple(
            Value("missing" if value is None else value, values.get(value, 0), url(name, value, active, path, params),
                  value in active)
            for value in shown
        ),
        len(order) - len(shown),
    )  # fmt: skip


def chosen(name: str, params: QueryDict) -> list[str | None]:
    """The values of a column that are in force."""
    one, several, missing = own_filters(name)
    if str(params.get(missing, "")).lower() == "true":
        return [None]
    texts = [text.strip() for text in str(params.get(several, "")).split(",")] + [str(params.get(one, "")).strip()]
    return list(dict.fromkeys(text for text in texts if text))


def url(name: str, value: str | None, active: list[str | None], path: str, params: QueryDict) -> str:
    """The query with a value, or without it; a value and a missing one exclude each other."""
    one, several, missing = own_filters(name)
    if value in active:
        then = [other for other in active if other != value]
    elif value is None:
        then = [None]
    else:
        then = [*(other for other in active if other is not None), value]
    given: dict[str, str] = {}
    if then == [None]:
        given = {missing: "true"}
    elif then:
        given = {one if len(then) == 1 else several: ",".join(map(str, then))}
    return address(path, params, given, without=own_filters(name))
