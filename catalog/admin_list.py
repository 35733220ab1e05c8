"""The admin's list of orders: filtered in the API's grammar, counted by the summary, with columns of one's choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from catalog.admin_columns import COLUMNS, PARAMETER, OrderColumns, exported, only_needed
from catalog.admin_counts import Counts, counts_of
from catalog.admin_facets import Section, sections
from catalog.admin_query import FROM, OWN, UNTIL, Asked, asked_of, meant
from catalog.admin_saved import SavedFilters, chosen_columns, own
from catalog.api.browsable.addresses import READABLE, address
from catalog.api.browsable.chips import Chip, cut
from catalog.api.browsable.form import OF_MOMENTS, WORDS
from catalog.export.formats import FORMATS
from catalog.read_only import BoundedPaginator, IndexedChangeList, found_orders, order_url, orders_in_words, visible
from catalog.saved_models import SavedFilter


@dataclass(frozen=True, slots=True)
class File:
    """A file of what the list finds: with the columns of the contract, and with those that the list shows."""

    format: str
    url: str
    url_of_shown: str
    most: int | None = None
    """How many orders it can hold, where the list finds more."""


class OrderChangeList(IndexedChangeList):
    """One page of the list with all that stands around it; links to orders by what people call them."""

    def __init__(self, request: HttpRequest, *arguments: Any) -> None:
        self.request = request
        self.asked: Asked = asked_of(request)
        super().__init__(request, *arguments)

    @property
    def complaints(self) -> list[str]:
        """Why nothing was looked for, where the address asks for what cannot be read."""
        return [
            f"{'The search' if each.parameter == SEARCH_VAR else f'The address asks for {visible(each.parameter)}'}: "
            f"{each.message}"
            for each in self.asked.problems
        ]

    def url_for_result(self, result: Any) -> str:
        return order_url(result)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        orders = self.root_queryset
        query = self.asked.query
        # That there is nothing is known at once; to find nothing could take the database long.
        orders = orders.none() if query is None or counts_for(request).total == 0 else orders.filter(query.q)
        return orders.order_by(*self.get_ordering(request, orders))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # The number may be of a moment before: what has come since must not make the page endless.
        page = self.result_list if self.multi_page else self.result_list[: self.list_per_page]
        self.result_list = only_needed(page, columns_for(request))

    @property
    def found(self) -> str:
        """The number of orders that the filters find, in words."""
        if self.asked.query is None:
            return "Not searched"
        return orders_in_words(self.total) if self.total is not None else found_orders(self.paginator.found)

    @property
    def total(self) -> int | None:
        return counts_for(self.request).total

    @cached_property
    def sections(self) -> list[Section]:
        """The filters with choices."""
        return sections(self.asked, counts_for(self.request), self.request.user.get_username())

    @cached_property
    def chips(self) -> list[Chip]:
        """Each filter in force, with the list without it."""
        wrong = {problem.parameter for problem in self.asked.problems}
        found = []
        for name, texts in self.asked.address.lists():
            if name in OWN and name != SEARCH_VAR:
                continue
            for place, text in enumerate(texts):
                others = [*texts[:place], *texts[place + 1 :]]
                url = address("", self.asked.links, {name: others} if others else {}, without=(name,)) or "?"
                label = "search" if name == SEARCH_VAR else visible(said_of(name))
                found.append(Chip(label, cut(visible(str(text))), url, name in wrong))
        return found

    @property
    def without_filters(self) -> str:
        """The list with its order and columns, and no filter."""
        return self.asked.url(without=[name for name in self.asked.links if name not in OWN or name == SEARCH_VAR])

    @property
    def dates(self) -> list[tuple[str, str, str]]:
        """The two ends of the order dates: parameter, label, and the value in force."""
        params = self.asked.address
        return [(FROM, "From", params.get(FROM, "")), (UNTIL, "Up to", params.get(UNTIL, ""))]

    @property
    def zone(self) -> str:
        """The time zone in which days and years are meant, unless it is the one in which times are shown."""
        key: str = settings.SOURCE_TIME_ZONE.key
        return "" if key == "UTC" else key

    @property
    def kept_beside_dates(self) -> list[tuple[str, str]]:
        """What the form of the dates has to hand on."""
        return list(pairs(self.asked.links, without=(FROM, UNTIL)))

    @property
    def query_string(self) -> str:
        """What is asked, for the forms that keep it; the columns too, so that what is kept always looks the same."""
        query = self.asked.links.copy()
        query[PARAMETER] = ",".join(columns_for(self.request))
        return query.urlencode(safe=READABLE)

    @cached_property
    def saved(self) -> list[tuple[SavedFilter, bool]]:
        """The filters that this person has saved, and which of them is open."""
        return [(saved, saved.query in (self.query_string, self.bare_query)) for saved in own(self.request)]

    @property
    def bare_query(self) -> str:
        return self.asked.links.urlencode(safe=READABLE)

    @property
    def offered_columns(self) -> list[tuple[str, str, bool]]:
        """Every column, and whether it is shown."""
        return [(name, column.label, name in columns_for(self.request)) for name, column in COLUMNS.items()]

    @property
    def files(self) -> list[File]:
        """What the filters find as files; none where what they ask cannot be read."""
        if self.asked.query is None:
            return []
        export = reverse("order-export")
        fields = {"fields": ",".join(exported(columns_for(self.request)))}
        found = []
        for known in FORMATS.values():
            asked = {"format": known.name}
            too_many = known.most is not None and self.total is not None and self.total > known.most
            urls = (address(export, self.asked.params, asked), address(export, self.asked.params, asked | fields))
            found.append(File(known.name, *urls, known.most if too_many else None))
        return found

    @property
    def not_exported(self) -> list[str]:
        """The columns shown that files do not have."""
        names = columns_for(self.request)
        return [COLUMNS[name].label for name in names if name not in exported(names)]


def said_of(name: str) -> str:
    """A filter in words: `order_date__gte` is the order date from some day on."""
    column, _, lookup = name.partition("__")
    words = OF_MOMENTS.get(lookup) if column.endswith("_date") else None
    return f"{column} {words or WORDS.get(lookup, lookup)}".replace("_", " ").strip()


def pairs(params: QueryDict, *, without: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Parameters one by one."""
    for name, texts in params.lists():
        if name not in without:
            yield from ((name, str(text)) for text in texts)


def counts_for(request: HttpRequest) -> Counts:
    """The numbers for what a request asks, found once."""
    known = getattr(request, "counts_of_orders", None)
    if known is None:
        known = counts_of(asked_of(request))
        request.counts_of_orders = known  # type: ignore[attr-defined]  # lives as long as the request
    return cast("Counts", known)


def columns_for(request: HttpRequest) -> tuple[str, ...]:
    """The columns that the address names, or else those that this person chose last."""
    asked = asked_of(request)
    if not asked.columns:
        asked.columns = chosen_columns(request)
    return asked.columns


class OrderList(OrderColumns, SavedFilters):
    """The list of orders."""

    ordering = ("-order_date",)
    sortable_by = ("placed", "paid", "customer")
    # Names a field so that the admin shows a search box; `Asked` does the searching.
    search_fields = ("order_id",)
    search_help_text = "Any id (order, customer, payment, voucher, product), or an order like services/20771583"

    class Media:
        css = {"all": ("catalog/orders.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrderChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("natural_key", *(COLUMNS[name].display for name in columns_for(request)))

    def get_paginator(self, request: HttpRequest, *arguments: Any, **options: Any) -> Paginator:
        paginator = super().get_paginator(request, *arguments, **options)
        total = counts_for(request).total
        if total is not None and isinstance(paginator, BoundedPaginator):
            paginator.found = total
        return paginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "GET":
            query = meant(request.GET)
            if query != request.GET and ERROR_FLAG not in query:
                return redirect(f"{request.path}?{query.urlencode(safe=READABLE)}" if query else request.path)
        return super().changelist_view(request, extra_context)
