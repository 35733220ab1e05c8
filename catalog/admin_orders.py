"""The admin's page of one order: its values, to be put right by those who may, and its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog import quality
from catalog.admin_following import list_before, next_in_list
from catalog.admin_history import SHOWN, change_facts, history_rows
from catalog.admin_links import entities_of
from catalog.changes import NotPossible
from catalog.checks import KNOWN, Check
from catalog.contract import COLUMNS
from catalog.corrections import correct_fields
from catalog.forms import CorrectOrderForm
from catalog.models import Correction, Order, ValueRule
from catalog.read_only import ReadOnlyAdmin, cell_text, link_to, one_line, order_url, second, visible
from catalog.timeline import Entry, timeline
from catalog.timeline_picture import TimelinePicture
from catalog.values import read


class OrderPage(ReadOnlyAdmin):
    """The page of an order instead of Django's form of a record."""

    class Media:
        css = {"all": ("catalog/glance.css",)}

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """Whether this person may correct orders."""
        return request.user.has_perm("catalog.add_correction")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = self.get_object(request, unquote(object_id))
        if order is None:
            return self.not_there(request, unquote(object_id))
        may_correct = self.has_correct_permission(request)
        if request.method != "POST":
            return self.page(request, order, CorrectOrderForm(order) if may_correct else None)
        if not may_correct:
            raise PermissionDenied
        return self.save(request, object_id, order)

    def save(self, request: HttpRequest, object_id: str, order: Order) -> HttpResponse:
        """Make the corrections, or show the page again with what is against them."""
        form = CorrectOrderForm(order, request.POST)
        if not form.is_valid():
            return self.page(request, order, form)
        try:
            reason = form.cleaned_data["reason"]
            made = correct_fields(order, form.values, actor=request.user.get_username(), reason=reason)
        except NotPossible as refused:
            return self.refuse(request, object_id, refused)
        names = " and ".join(correction.field for correction in made)
        self.message_user(request, f"Corrected {names} of order {order}.", messages.SUCCESS)
        return redirect(self.within_list(request, order_url(order)))

    def within_list(self, request: HttpRequest, url: str) -> str:
        """An address that remembers from which list one came."""
        filters = self.get_preserved_filters(request)
        return add_preserved_filters({"preserved_filters": filters, "opts": self.opts}, url)

    def refuse(self, request: HttpRequest, object_id: str, refused: NotPossible) -> HttpResponse:
        """Somebody was quicker: the page with what is in force now, and what was typed."""
        order = self.get_object(request, unquote(object_id))
        if order is None:
            return self.not_there(request, unquote(object_id))
        form = CorrectOrderForm(order, request.POST)
        if form.is_valid() or refused.code != "changed_meanwhile":
            form.add_error(None, refused.message)
        return self.page(request, order, form)

    def page(self, request: HttpRequest, order: Order, form: CorrectOrderForm | None) -> TemplateResponse:
        """The page, with inputs where there is a form."""
        entries = timeline(order, SHOWN + 1)
        corrections = list(
            Correction.objects.in_force().filter(order=order).select_related("made_by", "conflict_by__run")
        )
        overlays = overlays_of(order, corrections, entries)
        doubts = doubts_about(order)
        following = next_in_list(request, order)
        suspect = {name for doubt in doubts for name, _ in doubt["columns"]}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "list_url": list_before(request),
            "following": self.within_list(request, order_url(following)) if following else "",
            "title": "Order",
            "subtitle": order.natural_key,
            "order": order,
            "api": reverse("order-detail", kwargs={"source": order.source, "order_id": order.order_id}),
            "change": change_facts(order.change),
            "form": form,
            "entities": entities_of(order),
            "doubts": doubts,
            "overlays": overlays,
            "rows": [
                value_row(order, column, form, overlays) | {"suspect": column.name in suspect} for column in COLUMNS
            ],
            "corrections": [correction_row(correction, order) for correction in corrections],
            "may_decide": request.user.has_perm("catalog.change_correction"),
            "picture": TimelinePicture(entries, order, whole=len(entries) <= SHOWN),
            "history": history_rows(entries[:SHOWN]),
            "more_history": len(entries) > SHOWN,
        }
        return TemplateResponse(request, "admin/catalog/order/page.html", context)


def value_row(order: Order, column: Any, form: CorrectOrderForm | None, overlays: dict[str, Any]) -> dict[str, Any]:
    """One column: its value or its input, and what the source says where that is something else."""
    name = column.name
    return {
        "name": name,
        "meaning": column.meaning,
        "input": form[name] if form and name in form.fields else None,
        "text": cell_text(getattr(order, name)),
        "overlay": overlays.get(name),
    }


def doubts_about(order: Order) -> list[dict[str, Any]]:
    """The checks of quality that the order fails: why it is suspect, by which values, and what mends it."""
    return [
        {
            "sentence": check.sentence,
            "columns": [(name, cell_text(getattr(order, name))) for name in doubtful(check, order)],
            "cure": check.cure,
            "came": "" if check.in_row else second(order.change.at),
            "rules": [link_to(rule, str(rule)) for rule in rules_at_hand(order)] if check.name == UNKNOWN else [],
        }
        for check in quality.failed_by(order)
    ]


UNKNOWN = "unknown_status"


def doubtful(check: Check, order: Order) -> list[str]:
    """The columns that make an order fail a check."""
    if check.name != UNKNOWN:
        return [*check.columns]
    return [name for name, known in KNOWN.items() if getattr(order, name) not in (None, *known)]


def rules_at_hand(order: Order) -> list[ValueRule]:
    """Value rules, written down but off, that would change one of the order's statuses."""
    rules = ValueRule.objects.filter(active=False, field__in=KNOWN)
    return [rule for rule in rules if read(rule.field, rule.old) == order.source_value(rule.field)]


def correction_row(correction: Correction, order: Order) -> dict[str, Any]:
    """A correction in force, and the conflict in which it may be."""
    conflict = correction.conflict_by
    return {
        "url": reverse(f"admin:catalog_{'conflict' if conflict else 'correction'}_change", args=[correction.pk]),
        "field": correction.field,
        "value": cell_text(correction.value),
        "base": cell_text(correction.base),
        "source": cell_text(order.source_value(correction.field)),
        "made": change_facts(correction.made_by),
        "conflict": change_facts(conflict) if conflict else None,
    }


def overlays_of(order: Order, corrections: list[Correction], entries: list[Entry]) -> dict[str, dict[str, Any]]:
    """For every column that is overlaid: what its source says, and what lies over it since when, by whom and why."""
    corrected = {correction.field: correction for correction in corrections}
    rules = list(ValueRule.objects.filter(active=True, field__in=set(order.source_values) - set(corrected)))
    found = {}
    for name, below in order.source_values.items():
        facts = {"source": cell_text(below)}
        if name in corrected:
            made = corrected[name].made_by
            facts |= {"kind": "correction", "actor": visible(made.actor), "since": second(made.at)}
            facts["reason"] = one_line(made.reason)
        else:
            rule = next((r for r in rules if r.field == name and read(name, r.old) == below), None)
            facts |= {"kind": "value rule", "since": since(name, entries)}
            facts["reason"] = one_line(f"{rule}: {rule.reason}") if rule else ""
        found[name] = facts
    return found


def since(name: str, entries: list[Entry]) -> SafeString | str:
    """When a column got the value that it shows, as far as the entries tell."""
    for entry in entries:
        if entry.first or any(d.name == name for d in entry.differences):
            return second(entry.change.at)
    return ""
