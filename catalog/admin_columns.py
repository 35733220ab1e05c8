"""The columns of the admin's list of orders: which there are, which are shown, and what is read for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import QueryDict
from django.utils.safestring import SafeString

from catalog.admin_links import link_to_entity
from catalog.api.strict import InvalidQuery, Problem, nearest
from catalog.contract import BLANKS, CORRECTABLE, shown
from catalog.entities import Kind
from catalog.export.columns import COLUMNS as EXPORTED
from catalog.models import BIT, Order
from catalog.read_only import NOTHING, cell_text, moment, run_link

PARAMETER = "columns"

NAME = "order"
"""The column that is always there: the order's name, which holds `source` and `order_id`."""

READ_ALWAYS = ("key", "source", "order_id")


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column: what the admin shows it by, and the columns of the table that it is made of."""

    label: str
    display: str
    reads: tuple[str, ...]
    usual: bool = False

    @property
    def of_change(self) -> bool:
        """Whether the change that made the order is read as well, and its run."""
        return "change" in self.reads


USUAL_ONES = frozenset(
    {"customer_id", "website", "order_status", "voucher_status", "payment_status", "order_date", "payment_date"}
)
DISPLAYS = {"order_date": "placed", "payment_date": "paid", "customer_id": "customer", "product_id": "product"}

COLUMNS: Mapping[str, ListColumn] = {
    **{
        column.name: ListColumn(
            column.name.replace("_", " "),
            DISPLAYS.get(column.name, column.name),
            (column.name,),
            column.name in USUAL_ONES,
        )
        for column in CORRECTABLE
    },
    "set_right": ListColumn("set right", "set_right", ("overlaid",)),
    "removed": ListColumn("removed", "is_removed", ("removed",)),
    "run": ListColumn("run", "last_run", ("change",)),
    "line": ListColumn("line", "last_line", ("change", "line")),
    "since": ListColumn("in force since", "since", ("change",)),
}
"""By name, in the order of the contract; behind it what the catalogue knows besides."""

USUAL = tuple(name for name, column in COLUMNS.items() if column.usual)


def read_columns(params: QueryDict) -> tuple[str, ...]:
    """The columns that an address names, in their own order; none where it names none. Raises `InvalidQuery`."""
    if PARAMETER not in params:
        return ()
    names = [name.strip(BLANKS) for text in params.getlist(PARAMETER) for name in str(text).split(",")]
    wrong = dict.fromkeys(name for name in names if name not in COLUMNS)
    if wrong:
        known = tuple(COLUMNS)
        messages = (f"There is no column {shown(name)}.{nearest(name, known)}" for name in list(wrong)[:5])
        raise InvalidQuery(*(Problem(PARAMETER, message, known) for message in messages))
    return in_order(names)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are columns, in the order of the contract."""
    wanted = set(names)
    return tuple(name for name in COLUMNS if name in wanted)


def exported(names: Iterable[str]) -> tuple[str, ...]:
    """The columns of a file that has what the list shows, as far as files have it."""
    return tuple(name for name in EXPORTED if name in {"order_id", "source", *names})


def only_needed(orders: Any, names: Iterable[str]) -> Any:
    """The same orders, with no more read of them than these columns show."""
    shown_ones = [COLUMNS[name] for name in names]
    fields = [*READ_ALWAYS, *(field for column in shown_ones for field in column.reads)]
    if not any(column.of_change for column in shown_ones):
        return orders.only(*dict.fromkeys(fields))
    return orders.select_related("change__run")


class OrderColumns(admin.ModelAdmin):
    """How each column is shown."""

    @admin.display(description="order")
    def natural_key(self, order: Order) -> str:
        return order.natural_key

    @admin.display(description="order date", ordering="order_date")
    def placed(self, order: Order) -> str:
        return moment(order.order_date)

    @admin.display(description="payment date", ordering="payment_date")
    def paid(self, order: Order) -> str:
        return moment(order.payment_date)

    @admin.display(description="customer id", ordering="customer_id")
    def customer(self, order: Order) -> SafeString | str:
        return link_to_entity(order, Kind.CUSTOMER)

    @admin.display(description="product id")
    def product(self, order: Order) -> SafeString | str:
        return link_to_entity(order, Kind.PRODUCT)

    @admin.display(description="set right")
    def set_right(self, order: Order) -> str:
        return ", ".join(name for name, bit in BIT.items() if order.overlaid & bit) or NOTHING

    @admin.display(description="removed")
    def is_removed(self, order: Order) -> str:
        return cell_text(order.removed)

    @admin.display(description="run")
    def last_run(self, order: Order) -> SafeString | str:
        return run_link(order.change)

    @admin.display(description="line")
    def last_line(self, order: Order) -> str:
        return cell_text(order.line if order.change.reads_a_file else None)

    @admin.display(description="in force since")
    def since(self, order: Order) -> str:
        return moment(order.change.at)
