"""Correcting one column of many orders at once: asked, previewed, and done in a few statements."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from catalog.admin_actions import EXAMPLES, across, action_page, seen_by, step_of
from catalog.changes import NotPossible, latest_change
from catalog.corrections import correct_many, differing
from catalog.forms import CorrectManyForm
from catalog.models import Order
from catalog.read_only import ReadOnlyAdmin, cell_text, link_to_order, one_line

ACTION = "correct_selected"
ASKED = ("column", "value", "reason")


class BulkCorrection(ReadOnlyAdmin):
    """The list of orders with an action for all the orders that are ticked, or that its filters find."""

    actions = ("correct_selected",)

    @admin.action(description="Correct a column of the selected orders…", permissions=["correct"])
    def correct_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> TemplateResponse | None:
        """Ask what to write and why, show what would change, and change it."""
        step = step_of(request)
        form = (
            CorrectManyForm(request.POST) if step in ("preview", "confirm") else CorrectManyForm(initial=given(request))
        )
        if not (form.is_bound and form.is_valid()):
            return self.ask(request, form)
        if step == "preview":
            return self.preview(request, queryset, form)
        return self.write(request, queryset, form)

    def ask(self, request: HttpRequest, form: CorrectManyForm) -> TemplateResponse:
        """The first page: which column, which value, why."""
        context = {
            "title": "Correct a column of many orders",
            "lead": [scope(request)],
            "form": form,
            "button": "Show what would change",
            "step": "preview",
            "widen": "Take all orders that the list's filters find",
        }
        return action_page(self, request, ACTION, **context)

    def preview(
        self, request: HttpRequest, queryset: QuerySet[Order], form: CorrectManyForm, refused: str = ""
    ) -> TemplateResponse:
        """The second page: how many orders would change, and some of them."""
        field, value, reason = (form.cleaned_data[name] for name in ASKED)
        seen = latest_change()
        orders = differing(queryset, field, value)
        count = orders.count()
        if not count:
            form.add_error(None, f"All these orders show {field} {cell_text(value)} already; nothing would change.")
            return self.ask(request, form)
        noun = "order" if count == 1 else "orders"
        context: dict[str, Any] = {
            "title": f"Correct {field} of {count:,} {noun}",
            "refused": refused,
            "lead": [
                (
                    f"{scope(request)} {count:,} of them {'does' if count == 1 else 'do'} not show {field} "
                    f"{cell_text(value)} yet and would be corrected; the others stay as they are."
                ),
                f"Reason: {one_line(reason)}",
            ],
            "button": f"Correct {count:,} {noun}",
            "step": "confirm",
            "other_button": "Change column, value or reason",
            "other_step": "ask",
            "hidden": given(request),
            "seen": seen,
            "examples_title": f"The newest {EXAMPLES} of them" if count > EXAMPLES else "These are",
            "headers": ("order", f"{field} now", "would be", "the source says"),
            "examples": [example(order, field, value) for order in orders.order_by("-order_date", "-key")[:EXAMPLES]],
        }
        return action_page(self, request, ACTION, **context)

    def write(self, request: HttpRequest, queryset: QuerySet[Order], form: CorrectManyForm) -> TemplateResponse | None:
        """Make the corrections, unless something has changed since the preview."""
        field, value, reason = (form.cleaned_data[name] for name in ASKED)
        actor = request.user.get_username()
        try:
            count = correct_many(queryset, field, value, actor=actor, reason=reason, seen=seen_by(request))
        except NotPossible as refused:
            return self.preview(request, queryset, form, refused.message)
        noun = "order" if count == 1 else "orders"
        self.message_user(request, f"Corrected {field} of {count:,} {noun}.", messages.SUCCESS)
        return None


def given(request: HttpRequest) -> dict[str, str]:
    """What the first page asked for, as it was typed."""
    return {name: request.POST.get(name, "") for name in ASKED}


def scope(request: HttpRequest) -> str:
    """Which orders the action is about, in words."""
    if across(request):
        return "All orders that the list's filters and search find are selected."
    ticked = len(request.POST.getlist(ACTION_CHECKBOX_NAME))
    return "One order is selected." if ticked == 1 else f"{ticked} orders are selected."


def example(order: Order, field: str, value: Any) -> tuple[Any, ...]:
    """A line of the preview."""
    return (
        link_to_order(order),
        cell_text(getattr(order, field)),
        cell_text(value),
        cell_text(order.source_value(field)),
    )
