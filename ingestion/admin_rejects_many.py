"""The admin's actions on many rejected rows: shown first, done when somebody has seen what they will do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from catalog.changes import NotPossible
from catalog.contract import BLANKS, NAMES
from catalog.forms import ReasonForm
from catalog.keys import order_key
from catalog.models import Order, Source
from catalog.read_only import link_to
from ingestion.masking import layout_of
from ingestion.models import RejectedRow, Run
from ingestion.reader.header import Header
from ingestion.repair import check, dismiss, fields_of, replay

AT_MOST = 10_000
"""Rows that a web request may repair; more are for export_rejects and ingest_csv --repairs."""

EXAMPLES = 10
UNREADABLE = "The record cannot be split into fields; put it right on its own page."


class SetForm(forms.Form):
    """One value for one column of all rows."""

    column = forms.ChoiceField(
        required=False,
        choices=[("", "no column"), *((name, name) for name in NAMES if name != "order_id")],
        help_text="“no column” loads the rows as they are",
    )
    value = forms.CharField(required=False, strip=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))


@dataclass
class Outlook:
    """What a repair of many rows would do."""

    valid: int = 0
    wrong: int = 0
    replacing: int = 0
    examples: list[tuple[RejectedRow, dict[str, str]]] = field(default_factory=list)

    @property
    def seen(self) -> str:
        """What somebody has agreed to."""
        return f"{self.valid}-{self.replacing}"


class Candidates:
    """The open rows of a selection, each with its texts, one column set to one value if that is wanted."""

    def __init__(self, rows: QuerySet[RejectedRow], column: str, value: str) -> None:
        self.rows = rows.select_related("run").order_by("pk")
        self.column = column
        self.value = value
        self._header = cache(lambda number: layout_of(Run.objects.get(pk=number)))

    def __iter__(self) -> Iterator[tuple[RejectedRow, list[str], dict[str, str]]]:
        """Row, texts, and what stands against them by column; nothing, if the row can be loaded."""
        for row in self.rows.iterator(chunk_size=500):
            if row.run.why_not_repairable:
                yield row, [], {"": row.run.why_not_repairable}
                continue
            header: Header = self._header(row.run_id)
            texts = fields_of(row, header)
            if texts is None:
                yield row, [], {"": UNREADABLE}
                continue
            if self.column:
                texts[NAMES.index(self.column)] = self.value
            yield row, texts, check(texts)

    def valid(self) -> Iterator[tuple[RejectedRow, list[str]]]:
        """Those that can be loaded."""
        return ((row, texts) for row, texts, problems in self if not problems)

    def outlook(self) -> Outlook:
        """What would be loaded, and what is wrong still."""
        outlook, names = Outlook(), []
        for row, texts, problems in self:
            if problems:
                outlook.wrong += 1
                outlook.examples += [(row, problems)] if len(outlook.examples) < EXAMPLES else []
            else:
                outlook.valid += 1
                names.append((texts[NAMES.index("source")].strip(BLANKS), texts[NAMES.index("order_id")].strip(BLANKS)))
        outlook.replacing = number_there(names)
        return outlook


def number_there(names: list[tuple[str, str]]) -> int:
    """How many of these orders are in the catalogue."""
    numbers = dict(Source.objects.values_list("code", "number"))
    keys = sorted({order_key(numbers[source], int(order_id)) for source, order_id in names if source in numbers})
    return sum(Order.objects.filter(key__in=keys[i : i + 500]).count() for i in range(0, len(keys), 500))


def repair(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[RejectedRow]) -> HttpResponse | None:
    """Show what a repair of the selected rows would do; when that was seen, do it."""
    rows, settled = still_open(queryset)
    if rows[: AT_MOST + 1].count() > AT_MOST:
        sentence = f"More than {AT_MOST:,} open rows are selected. Filter them, or use export_rejects and ingest_csv."
        messages.error(request, sentence)
        return None
    form = SetForm(request.POST)
    chosen = form.cleaned_data if form.is_valid() else {"column": "", "value": ""}
    candidates = Candidates(rows, chosen["column"], chosen["value"])
    outlook = candidates.outlook()
    confirmed = "_confirm" in request.POST and form.is_valid()
    if confirmed and request.POST.get("seen") == outlook.seen and outlook.valid:
        load(request, candidates)
        return None
    if confirmed:
        messages.warning(request, "What would be loaded has changed: look at it again.")
    context = {"title": "Repair rejected rows", "form": form, "outlook": outlook, "settled": settled}
    return page(model_admin, request, "repair_many.html", context)


def load(request: HttpRequest, candidates: Candidates) -> None:
    """Load what is valid, in one run for each run that is repaired, and say what came of it."""
    actor = request.user.get_username()
    numbers = sorted(set(candidates.rows.order_by().values_list("run", flat=True).distinct()))
    for repaired in Run.objects.filter(pk__in=numbers).order_by("pk"):
        of_run = Candidates(candidates.rows.filter(run=repaired), candidates.column, candidates.value)
        if next(of_run.valid(), None) is None:
            continue
        try:
            done = replay(repaired, of_run.valid(), actor=actor)
        except NotPossible as refused:
            messages.error(request, f"Nothing of {repaired} was repaired: {refused.message}")
            continue
        text = format_html(
            "{} rejected rows of {} are repaired by {}.", f"{done.repaired:,}", repaired, link_to(done, str(done))
        )
        messages.success(request, text)
        if done.rejected:
            messages.warning(request, f"{done.rejected:,} rows contradict each other: their orders are named twice.")


def dismiss_rows(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[RejectedRow]) -> HttpResponse | None:
    """Ask for the reason; then dismiss the selected rows that are open."""
    rows, settled = still_open(queryset)
    count = rows.count()
    given = "_confirm" in request.POST
    form = ReasonForm(request.POST if given else None)
    if given and form.is_valid():
        if request.POST.get("seen") == str(count):
            done = dismiss(rows, actor=request.user.get_username(), reason=form.cleaned_data["reason"])
            messages.success(request, f"{done:,} rejected rows are dismissed.")
            return None
        messages.warning(request, "The number of rows has changed: look at it again.")
    context = {"title": "Dismiss rejected rows", "form": form, "count": count, "settled": settled}
    return page(model_admin, request, "dismiss_many.html", context)


def still_open(queryset: QuerySet[RejectedRow]) -> tuple[QuerySet[RejectedRow], bool]:
    """Those of a selection that are open, and whether there are others among them."""
    chosen = RejectedRow.objects.filter(pk__in=queryset.order_by().values("pk"))
    return chosen.filter(state=RejectedRow.State.OPEN), chosen.exclude(state=RejectedRow.State.OPEN).exists()


def page(model_admin: ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page that asks; its form carries the selection on."""
    common = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
        "action": template.removesuffix("_many.html") + "_selected",
    }
    return TemplateResponse(request, f"admin/ingestion/rejectedrow/{template}", common | context)
