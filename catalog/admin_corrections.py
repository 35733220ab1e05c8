"""The admin's pages of corrections and of the conflicts among them, where a person decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from catalog.admin_actions import EXAMPLES, across, action_page, seen_by, step_of
from catalog.admin_filters import ConflictRun, CorrectedBy, CorrectedColumn, CorrectionState
from catalog.admin_history import change_facts
from catalog.changes import NotPossible, latest_change
from catalog.corrections import fields_of, waiting
from catalog.decisions import FOR_CONFLICTS, FOR_OTHERS, KEEP, RETIRE, TAKE_SOURCE, WRITE, Decision
from catalog.forms import DecideForm, ReasonForm, ValueForm
from catalog.models import Change, Correction, Order
from catalog.read_only import (
    KEY,
    NOTHING,
    ReadOnlyAdmin,
    cause,
    cell_text,
    link_to_order,
    moment,
    one_line,
    order_url,
    visible,
)

LISTED = 60
"""Characters of a reason in a list."""


class AnyCorrectionAdmin(ReadOnlyAdmin):
    """What the lists of corrections and of conflicts have in common."""

    list_select_related = ("order", "made_by", "ended_by", "conflict_by__run")
    # The cells have their own links: to the order, and to the correction.
    list_display_links = None
    search_fields = ("order",)
    search_help_text = "An order like services/20771583"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.view_correction")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this person may decide about corrections."""
        return request.user.has_perm("catalog.change_correction")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        source, slash, number = search_term.strip().rpartition("/")
        if not source and not number:
            return queryset, False
        if not slash:
            self.message_user(request, "Search for an order like services/20771583.", messages.WARNING)
        return queryset.filter(order__in=Order.objects.named(source, number).values("pk")), False

    def get_list_display(self, request: HttpRequest) -> Any:
        """Whoever may only look is not called upon to decide."""
        columns = super().get_list_display(request)
        return columns if self.has_decide_permission(request) else ("what", *columns[1:])

    @admin.display(description="order and column")
    def what(self, correction: Correction, call: str = "{}") -> SafeString:
        page = reverse(f"admin:catalog_{self.opts.model_name}_change", args=[correction.pk])
        words = call.format(correction.field)
        return format_html('{}<br><a href="{}">{}</a>', link_to_order(correction.order), page, words)

    @admin.display(description="source when corrected")
    def base_text(self, correction: Correction) -> str:
        return cell_text(correction.base)

    @admin.display(description="correction")
    def value_text(self, correction: Correction) -> SafeString:
        return format_html("<strong>{}</strong>", cell_text(correction.value))

    @admin.display(description="source now")
    def source_text(self, correction: Correction) -> str:
        return cell_text(correction.order.source_value(correction.field))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one correction, in conflict or not: what it is about, and what can be decided."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        correction = self.one(unquote(object_id))
        if correction is None:
            return self.not_there(request, unquote(object_id))
        may_decide = self.has_decide_permission(request)
        if request.method != "POST":
            return self.page(request, correction, form_for(correction) if may_decide else None)
        if not may_decide:
            raise PermissionDenied
        return self.decide(request, correction)

    def one(self, number: str) -> Correction | None:
        """The correction that the address names, whatever has become of it."""
        if not KEY.fullmatch(number):
            return None
        related = ("order__change", "made_by", "ended_by__run", "conflict_by__run")
        return Correction.objects.filter(pk=int(number)).select_related(*related).first()

    def decide(self, request: HttpRequest, correction: Correction) -> HttpResponse:
        """Do what was decided, unless things stand otherwise than on the page from which it was."""
        conflict = str(correction.conflict_by_id or "")
        form = form_for(correction, request.POST)
        if form is None or request.POST.get("seen", "") != conflict:
            return self.page(request, correction, form, meanwhile(correction))
        if not form.is_valid():
            return self.page(request, correction, form)
        as_seen = Correction.objects.in_force().filter(pk=correction.pk, conflict_by=correction.conflict_by_id)
        try:
            decision = form.decide(as_seen, request.user.get_username())
        except NotPossible as refused:
            now = self.one(str(correction.pk)) or correction
            quicker = refused.code in ("decided_already", "ended_already")
            sentence = meanwhile(now) if quicker else refused.message
            return self.page(request, now, form_for(now, request.POST), sentence)
        done = f"{decision.done} the correction of {correction.field} of order {correction.order}."
        self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:catalog_conflict_changelist" if conflict else order_url(correction.order))

    def page(
        self, request: HttpRequest, correction: Correction, form: DecideForm | None, refused: str = ""
    ) -> TemplateResponse:
        """The page, with decisions where there are any and this person may make them."""
        conflict = correction.conflict_by
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "Conflict" if conflict and not correction.ended_by else "Correction",
            "subtitle": f"{correction.field} of order {correction.order}",
            "correction": correction,
            "order": link_to_order(correction.order),
            "value": cell_text(correction.value),
            "base": cell_text(correction.base),
            "source": cell_text(correction.order.source_value(correction.field)),
            "shows": cell_text(getattr(correction.order, correction.field)),
            "made": change_facts(correction.made_by),
            "ended": change_facts(correction.ended_by) if correction.ended_by else None,
            "conflict": change_facts(conflict) if conflict else None,
            "decisions": FOR_CONFLICTS if conflict else FOR_OTHERS,
            "form": form,
            "refused": refused,
            "events": [
                {"what": event.get_kind_display(), **change_facts(event.change)}
                for event in correction.events.select_related("change__run").order_by("-id")[:EXAMPLES]
            ],
            "back": reverse(f"admin:catalog_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/catalog/correction/page.html", context)

    def decide_many(self, request: HttpRequest, queryset: QuerySet[Any], decision: Decision) -> TemplateResponse | None:
        """Ask why, with what would be decided before one's eyes, and decide."""
        seen = latest_change()
        columns = fields_of(queryset.filter(ended_by=None))
        if not columns or (decision is WRITE and len(columns) > 1):
            sentence = (
                f"One value cannot be written in several columns ({', '.join(columns)}); filter by column."
                if columns
                else f"None of these {self.opts.verbose_name_plural} is left to decide; somebody was quicker."
            )
            self.message_user(request, sentence, messages.WARNING)
            return None
        column = columns[0] if decision is WRITE else ""
        form = many_form(request, column)
        refused = ""
        if form.is_bound and form.is_valid():
            value = (form.cleaned_data["value"],) if column else ()
            actor, reason = request.user.get_username(), form.cleaned_data["reason"]
            try:
                count = decision.decide(queryset, *value, actor=actor, reason=reason, seen=seen_by(request))
            except NotPossible as no:
                refused = no.message
            else:
                noun = "correction" if count == 1 else "corrections"
                self.message_user(request, f"{decision.done} {count:,} {noun}.", messages.SUCCESS)
                return None
        return self.ask(request, queryset, decision, form, seen=seen, refused=refused)

    def ask(
        self, request: HttpRequest, queryset: QuerySet[Any], decision: Decision, form: forms.Form, **context: Any
    ) -> TemplateResponse:
        """The page that shows what would be decided."""
        corrections = queryset.filter(ended_by=None)
        count = corrections.count()
        found = "All that the list's filters find are selected" if across(request) else "The ticked ones are selected"
        many = f"{count:,} {self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural}"
        context |= {
            "title": f"{decision.many} {many}",
            "lead": [f"{found}. {decision.meaning}"],
            "form": form,
            "button": f"{decision.many} {many}",
            "step": "confirm",
            "widen": "Take all that the list's filters find",
            "examples_title": f"The first {EXAMPLES} of them" if count > EXAMPLES else "These are",
            "headers": ("order", "column", "source when corrected", "correction", "source now", "by", "why"),
            "examples": [self.example(c) for c in corrections[:EXAMPLES]],
        }
        return action_page(self, request, f"{decision.name}_selected", **context)

    def example(self, c: Correction) -> tuple[Any, ...]:
        """A line of that page."""
        values = (self.base_text(c), self.value_text(c), self.source_text(c))
        return (link_to_order(c.order), c.field, *values, visible(c.made_by.actor), one_line(c.made_by.reason))


def many_form(request: HttpRequest, column: str) -> forms.Form:
    """The form of the page: bound once its button was pressed, and else with what was typed so far."""
    if step_of(request) == "confirm":
        return ValueForm(request.POST, column=column) if column else ReasonForm(request.POST)
    typed = {name: request.POST.get(name, "") for name in ("value", "reason")}
    return ValueForm(initial=typed, column=column) if column else ReasonForm(initial=typed)


def form_for(correction: Correction, data: Any = None) -> DecideForm | None:
    """What can be decided about a correction as it stands; nothing once it has ended."""
    if correction.ended_by_id is not None:
        return None
    return DecideForm(correction, FOR_CONFLICTS if correction.conflict_by_id else FOR_OTHERS, data)


def meanwhile(correction: Correction) -> str:
    """What the second of two people is told."""
    if correction.ended_by is not None:
        return (
            f"Nothing was done: meanwhile the correction was {correction.get_ending_display()} "
            f"({correction.ended_by.actor}, {moment(correction.ended_by.at)})."
        )
    latest = correction.events.select_related("change").order_by("-id").first()
    if latest is None:
        return "Nothing was done: the request does not say what it is about; look at the correction again."
    return (
        f"Nothing was done: meanwhile it says “{latest.get_kind_display()}” "
        f"({latest.change.actor}, {moment(latest.change.at)}); look at it again."
    )


def about(change: Change) -> SafeString:
    """When, as exactly as a list needs it."""
    day, time = moment(change.at)[:16].split()
    return format_html('<span class="nowrap">{}</span> {}', day, time)


def said_by(change: Change, name: SafeString | str) -> SafeString:
    """Who, when and why, in the cell of a list."""
    why = Truncator(one_line(change.reason)).chars(LISTED)
    return format_html('{}, {}<br><span class="quiet">{}</span>', name, about(change), why)


class ConflictAdmin(AnyCorrectionAdmin):
    """The queue: corrections whose source has a third value, the oldest conflict first."""

    list_display = ("what_to_decide", "base_text", "value_text", "source_text", "brought_by", "who")
    list_filter = (CorrectedColumn, ConflictRun)
    # By the number itself: changes by themselves sort the newest first.
    ordering = ("conflict_by_id", "id")
    actions = ("keep_selected", "take_source_selected", "write_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return waiting(super().get_queryset(request))

    @admin.display(description="order and column")
    def what_to_decide(self, correction: Correction) -> SafeString:
        return self.what(correction, "{}: decide…")

    @admin.display(description="brought by")
    def brought_by(self, correction: Correction) -> SafeString | str:
        change = correction.conflict_by
        return NOTHING if change is None else format_html("{}<br>{}", cause(change), about(change))

    @admin.display(description="corrected by")
    def who(self, correction: Correction) -> SafeString:
        return said_by(correction.made_by, visible(correction.made_by.actor))

    @admin.action(description="Keep the corrections…", permissions=["decide"])
    def keep_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """They stay in force."""
        return self.decide_many(request, queryset, KEEP)

    @admin.action(description="Take the source's values…", permissions=["decide"])
    def take_source_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """They end."""
        return self.decide_many(request, queryset, TAKE_SOURCE)

    @admin.action(description="Write another value…", permissions=["decide"])
    def write_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """One third value for all of them."""
        return self.decide_many(request, queryset, WRITE)


class CorrectionAdmin(AnyCorrectionAdmin):
    """All corrections, the newest first."""

    list_display = ("what", "base_text", "value_text", "source_text", "state", "who")
    list_filter = (CorrectionState, CorrectedColumn, CorrectedBy)
    ordering = ("-id",)
    actions = ("retire_selected",)

    @admin.display(description="state")
    def state(self, correction: Correction) -> SafeString:
        if correction.ended_by:
            facts = (correction.get_ending_display(), visible(correction.ended_by.actor))
            return format_html("{}<br>{}, {}", *facts, about(correction.ended_by))
        if correction.conflict_by_id:
            return format_html('<span class="pill pill-conflict">{}</span>', "conflict")
        return format_html('<span class="pill pill-loaded">{}</span>', "in force")

    @admin.display(description="corrected by")
    def who(self, correction: Correction) -> SafeString:
        name = correction.made_by.actor
        return said_by(correction.made_by, format_html('<a href="?{}">{}</a>', urlencode({"by": name}), visible(name)))

    @admin.action(description="Retire the corrections…", permissions=["decide"])
    def retire_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """They end."""
        return self.decide_many(request, queryset, RETIRE)
