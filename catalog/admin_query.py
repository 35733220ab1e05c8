"""What the address of the admin's list of orders asks for: filters in the API's grammar, and a search for any id."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from django.contrib.admin.options import IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, QueryDict

from catalog.admin_columns import PARAMETER as COLUMNS
from catalog.admin_columns import read_columns
from catalog.api.browsable.addresses import address, tidied
from catalog.api.filters import OR, OrderFilterSet
from catalog.api.strict import InvalidQuery, Problem, check_names, gather
from catalog.contract import ValueRefused, parse_code, parse_integer, shown
from catalog.order_query import OrderQuery

PLACE = (PAGE_VAR, ERROR_FLAG, ALL_VAR)
"""Where in the list one is; no part of what is asked."""

OWN = frozenset({*PLACE, ORDER_VAR, SEARCH_VAR, COLUMNS, IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR})
"""The list's own parameters; all others are filters of the API."""

MISSING = "(missing)"
YEAR, FROM, UNTIL = "order_date__year", "order_date__gte", "order_date__lte"
SHORT = {"year": YEAR, "from": FROM, "to": UNTIL}
"""What filters may also be called."""


def meant(asked: QueryDict) -> QueryDict:
    """The address in the one grammar: without inputs that were left empty, and with short forms written out."""
    tidy = tidied(asked)
    for name in [name for name, texts in tidy.lists() if texts == [MISSING]]:
        del tidy[name]
        tidy[f"{name}__isnull"] = "true"
    for short in SHORT.keys() & tidy.keys():
        tidy.setlist(SHORT[short], [*tidy.getlist(SHORT[short]), *tidy.pop(short)])
    return tidy


class Asked:
    """One address of the list, read and checked. Where a filter is a problem there is no query: nothing is found."""

    def __init__(self, asked: QueryDict) -> None:
        self.address = asked
        self.problems: tuple[Problem, ...] = ()
        self.given: dict[str, Any] = {}
        self.query: OrderQuery | None = None
        self.columns: tuple[str, ...] = ()
        self.params = QueryDict(mutable=True)
        for name, texts in asked.lists():
            if name not in OWN:
                self.params.setlist(name, texts)
        for step in (self._read, self._read_columns):
            try:
                step()
            except InvalidQuery as refused:
                self.problems += refused.problems

    def _read(self) -> None:
        self._add_search(self.address.get(SEARCH_VAR, "").strip())
        filters = OrderFilterSet(self.params)
        gather(lambda: check_names(self.params, (*filters.filters, OR), (OR,)), filters.check)
        self.given, self.query = filters.given, filters.query

    def _read_columns(self) -> None:
        self.columns = read_columns(self.address)

    def _add_search(self, term: str) -> None:
        """The search as filters: an order by its name, or any id. Raises `InvalidQuery`."""
        if not term:
            return
        source, slash, number = term.rpartition("/")
        try:
            if slash:
                # In a group, so that it holds beside whatever else is said of either.
                named = f"(and(source={parse_code(source)},order_id={parse_integer(number)}))"
                self.params.appendlist(OR, named)
            else:
                self.params.appendlist("search", str(parse_integer(term)))
        except ValueRefused as refused:
            sentence = (
                f"{shown(term)} is neither a number nor an order like services/20771583. Only ids can be searched for; "
                "for other values there are the filters."
            )
            raise InvalidQuery(Problem(SEARCH_VAR, sentence)) from refused

    @cached_property
    def links(self) -> QueryDict:
        """What stays in the address when a filter is chosen: everything but the place in the list."""
        kept = self.address.copy()
        for name in PLACE:
            kept.pop(name, None)
        return kept

    def url(self, given: dict[str, str] | None = None, *, without: Sequence[str] = ()) -> str:
        """The list with some filters set and others left out."""
        return address("", self.links, given, without=without) or "?"


def asked_of(request: HttpRequest) -> Asked:
    """What a request asks of the list, read once."""
    known = getattr(request, "asked_of_orders", None)
    if known is None:
        known = Asked(cast("QueryDict", request.GET))
        request.asked_of_orders = known  # type: ignore[attr-defined]  # lives as long as the request
    return known
