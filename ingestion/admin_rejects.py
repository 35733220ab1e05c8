"""The admin's pages of rejected rows: the list, and the page on which one row is put right or dismissed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Left, Length
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.changes import NotPossible
from catalog.contract import BLANKS, COLUMNS, NAMES
from catalog.forms import ReasonForm
from catalog.models import Order
from catalog.read_only import ReadOnlyAdmin, link_to, moment, visible
from catalog.values import written
from ingestion import admin_rejects_many
from ingestion.admin_filters import RejectCode, RejectColumn, RejectRun, RejectState, run_number
from ingestion.admin_rejects_file import rejects_file
from ingestion.merge.repairs import settled_already
from ingestion.models import RejectedRow, RejectReason, Run
from ingestion.repair import check, dismiss_one, fields_of, open_rows, replay

LISTED_CHARACTERS = 300
SHOWN_CHARACTERS = 100_000
MAY_SETTLE = "ingestion.change_rejectedrow"


def reason_line(reason: RejectReason) -> SafeString:
    return format_html("<strong>{}</strong>: {}", reason.code, visible(reason.message))


class RepairForm(forms.Form):
    """The twelve fields of the contract as text, with the contract's own messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = {"size": "34", "autocomplete": "off", "spellcheck": "false"}
        for column in COLUMNS:
            self.fields[column.name] = forms.CharField(
                required=False, strip=False, help_text=column.meaning, widget=forms.TextInput(attrs=widget)
            )

    @property
    def texts(self) -> list[str]:
        """What stands in the fields, in contract order."""
        return [self.data.get(name, "") for name in NAMES]

    def clean(self) -> dict[str, Any]:
        for name, message in check(self.texts).items():
            self.add_error(name, message)
        return self.cleaned_data


def order_named(texts: list[str]) -> Order | None:
    """The order that a row would replace."""
    by_name = dict(zip(NAMES, texts, strict=True))
    found = Order.objects.named(by_name["source"].strip(BLANKS), by_name["order_id"].strip(BLANKS))
    return found.select_related("change__run").first()


def stamp(order: Order | None) -> str:
    """The state of an order that somebody has seen; empty when there is none."""
    return f"{order.key}-{order.change_id}" if order else ""


class RejectedRowAdmin(ReadOnlyAdmin):
    """Rejected rows: those of one run in the order of its file, or all with the newest run first."""

    list_display = ("position", "run", "became", "reasons", "beginning")
    list_filter = (RejectRun, RejectState, RejectCode, RejectColumn)
    list_select_related = ("run",)
    actions = ("repair_selected", "dismiss_selected")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """May this user repair and dismiss?"""
        return request.user.has_perm(MAY_SETTLE)

    @admin.action(description="Repair selected rows…", permissions=["settle"])
    def repair_selected(self, request: HttpRequest, queryset: QuerySet[RejectedRow]) -> HttpResponse | None:
        return admin_rejects_many.repair(self, request, queryset)

    @admin.action(description="Dismiss selected rows…", permissions=["settle"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[RejectedRow]) -> HttpResponse | None:
        return admin_rejects_many.dismiss_rows(self, request, queryset)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the rows of one run goes the file to put them right in."""
        number = run_number(request.GET.get(RejectRun.parameter_name, ""))
        run = None if number is None else Run.objects.filter(pk=number).first()
        return super().changelist_view(request, {"file": run and rejects_file(run)} | (extra_context or {}))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # The id is made of run and line, so the primary key's index gives both orders.
        return ("id",) if RejectRun.parameter_name in request.GET else ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RejectedRow]:
        """Records can be large: only what is shown of them is read."""
        rows = RejectedRow.objects.defer("raw", "raw_bytes").prefetch_related("reasons")
        return rows.annotate(
            start=Left("raw", SHOWN_CHARACTERS if self._one(request) else LISTED_CHARACTERS), length=Length("raw")
        ).order_by(*self.get_ordering(request))

    @staticmethod
    def _one(request: HttpRequest) -> bool:
        match = request.resolver_match
        return bool(match and match.kwargs)

    @admin.display(description="line")
    def position(self, row: RejectedRow) -> str:
        return str(row.line)

    @admin.display(description="state")
    def became(self, row: RejectedRow) -> SafeString:
        return format_html('<span class="pill pill-{}">{}</span>', row.state, row.get_state_display())

    def reasons(self, row: RejectedRow) -> SafeString:
        return format_html_join(SafeString("<br>"), "{}", ((reason_line(reason),) for reason in row.reasons.all()))

    @admin.display(description="row")
    def beginning(self, row: Any) -> SafeString:
        left = row.length - len(row.start)
        return format_html('<pre class="raw">{}{}</pre>', visible(row.start), f"… {left:,} more" if left else "")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One row. Not Django's own view: a load is a transaction of its own, and that one is inside another."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404(f"There is no rejected row {object_id}.")
        page = RejectPage(self, request, row)
        if request.method != "POST":
            return page.shown()
        if not self.has_settle_permission(request) or not {"_repair", "_dismiss"} & request.POST.keys():
            raise PermissionDenied
        return page.repair() if "_repair" in request.POST else page.dismiss()


class RejectPage:
    """The page of one row, as it is asked for or as it comes back."""

    def __init__(self, model_admin: RejectedRowAdmin, request: HttpRequest, row: Any) -> None:
        self.admin = model_admin
        self.request = request
        self.row = row
        self.dismissing = ReasonForm()

    def repair(self) -> HttpResponse:
        """Load the row with what was typed, or show what stands against it."""
        form = RepairForm(self.request.POST)
        if self.row.state != RejectedRow.State.OPEN:
            return self.too_late(form)
        order = order_named(form.texts)
        if not form.is_valid():
            return self.shown(form)
        if self.request.POST.get("seen", "") != stamp(order):
            what = f"Order {order} is" if order else "The order is no longer"
            form.add_error(
                None, f"{what} in the catalogue as it stands now; look at this page again, then load the row."
            )
            return self.shown(form)
        try:
            done = replay(self.row.run, [(self.row, form.texts)], actor=self.request.user.get_username())
        except NotPossible as refused:
            return self.refused(refused, form)
        order = order_named(form.texts)
        loaded = format_html(": order {} was loaded by {}.", order_link(order), link_to(done, str(done)))
        return self.settled("repaired", loaded)

    def dismiss(self) -> HttpResponse:
        """Settle the row without loading it."""
        self.dismissing = ReasonForm(self.request.POST)
        if self.row.state != RejectedRow.State.OPEN:
            return self.too_late()
        if not self.dismissing.is_valid():
            return self.shown()
        actor, reason = self.request.user.get_username(), self.dismissing.cleaned_data["reason"]
        try:
            dismiss_one(self.row, actor=actor, reason=reason)
        except NotPossible as refused:
            return self.refused(refused)
        return self.settled("dismissed", SafeString("."))

    def too_late(self, form: RepairForm | None = None) -> HttpResponse:
        """Somebody has settled the row since its page was opened."""
        return self.refused(NotPossible("settled_already", settled_already(self.row)), form)

    def refused(self, refused: NotPossible, form: RepairForm | None = None) -> HttpResponse:
        messages.error(self.request, refused.message)
        self.row.refresh_from_db(fields=("state", "repaired_by", "settled_by", "settled_at", "note"))
        return self.shown(form)

    def settled(self, became: str, more: SafeString) -> HttpResponse:
        """Say so, and where to go on."""
        following = self.following()
        further = (
            format_html(" Next open row: {}.", link_to(following, f"line {following.line}"))
            if following
            else format_html(" No row of {} is open any more.", self.row.run)
        )
        text = format_html("Line {} of {} is {}{}{}", self.row.line, self.row.run, became, more, further)
        messages.success(self.request, text)
        return HttpResponseRedirect(self.request.get_full_path())

    def following(self) -> RejectedRow | None:
        """The next open row of the run, from the start again after the last one."""
        rows = open_rows(self.row.run).only("id", "line", "run")
        return rows.filter(pk__gt=self.row.pk).first() or rows.exclude(pk=self.row.pk).first()

    def shown(self, form: RepairForm | None = None) -> HttpResponse:
        """The page; without a `form` that comes back, the fields are filled from the record."""
        row = self.row
        is_open = row.state == RejectedRow.State.OPEN
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "media": self.admin.media,
            "title": f"Rejected row: {row}",
            "row": row,
            "facts": self.facts(),
            "following": self.following(),
            "why_not": row.run.why_not_repairable if is_open else "",
            "may_settle": is_open and self.admin.has_settle_permission(self.request),
        }
        if context["may_settle"]:
            context["dismissing"] = self.dismissing
            context |= self.repairing(form)
        else:
            context["typed"] = self.typed(form)
        return TemplateResponse(self.request, "admin/ingestion/rejectedrow/row.html", context)

    def typed(self, form: RepairForm | None) -> list[tuple[str, SafeString | str]]:
        """What came with a form that is not shown again."""
        given = zip(NAMES, form.texts, strict=True) if form else self.dismissing.data.items()
        return [(name, visible(text)) for name, text in given if name in (*NAMES, *self.dismissing.fields)]

    def repairing(self, form: RepairForm | None) -> dict[str, Any]:
        texts = form.texts if form else fields_of(self.row)
        form = form or (RepairForm(dict(zip(NAMES, texts, strict=True))) if texts else RepairForm())
        order = order_named(texts) if texts else None
        cells = [(form[name], written(getattr(order, name)) if order else "") for name in NAMES]
        return {
            "form": form,
            "cells": cells,
            "unreadable": texts is None,
            "seen": stamp(order),
            "order": order,
            "order_link": order_link(order),
            "cause": cause(order) if order else "",
        }

    def facts(self) -> list[tuple[str, SafeString | str]]:
        """What is known of the row."""
        row = self.row
        reasons = [
            (r.code, r.column, visible(r.value[:LISTED_CHARACTERS]), visible(r.message)) for r in row.reasons.all()
        ]
        return [
            ("state", format_html("{} {}", self.admin.became(row), self.what_became())),
            ("run", format_html("{} of {}", link_to(row.run, str(row.run)), visible(row.run.file))),
            ("line", str(row.line)),
            ("row as it stood in the file", self.admin.beginning(row)),
            ("reasons", render_to_string("admin/ingestion/rejectedrow/reasons.html", {"reasons": reasons})),
        ]

    def what_became(self) -> SafeString | str:
        row: RejectedRow = self.row
        repair = link_to(row.repaired_by, str(row.repaired_by)) if row.repaired_by else ""
        if row.state == RejectedRow.State.OPEN:
            return format_html("again, as {} was undone", repair) if repair else ""
        who = format_html(" by {}, {}", row.settled_by, moment(row.settled_at)) if row.settled_at else ""
        if row.state == RejectedRow.State.REPAIRED:
            return format_html("in {}{}", repair, who)
        return format_html("{}: {}", who, visible(row.note)) if who else visible(row.note)


def order_link(order: Order | None) -> SafeString | str:
    """A link to an order by the name that people call it."""
    if order is None:
        return ""
    place = reverse("admin:catalog_order_change", args=[f"{quote(order.source)}/{order.order_id}"])
    return format_html('<a href="{}">{}</a>', place, order)


def cause(order: Order) -> SafeString | str:
    """What brought the present values of an order."""
    run: Run | None = getattr(order.change, "run", None)
    return link_to(run, str(run)) if run else str(order.change)
