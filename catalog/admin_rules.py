"""The admin's pages of value rules: written down, previewed, switched on and off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from catalog import rules
from catalog.changes import NotPossible
from catalog.models import MAX_REASON, Change, ValueRule
from catalog.read_only import (
    NOTHING,
    BoundedPaginator,
    IndexedChangeList,
    ReadOnlyAdmin,
    count_within,
    found_orders,
    link_to_order,
    moment,
    one_line,
    orders_in_words,
    some_orders,
    visible,
)

MISSING = "(missing)"
SHOWN_SWITCHES = 20


class RuleForm(forms.ModelForm):
    """A rule as the contract allows it."""

    class Meta:
        model = ValueRule
        fields = ("field", "old", "new", "reason")
        labels = {"field": "Column"}
        widgets = {"reason": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if {"field", "old", "new"} <= given.keys():
            try:
                given["old"], given["new"] = rules.checked(given["field"], given["old"], given["new"])
            except rules.RuleRefused as refused:
                for name, sentence in refused.problems.items():
                    self.add_error(name, sentence)
        return given


class ReasonForm(forms.Form):
    """Why a rule is switched off."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="why; it is kept for good",
        error_messages={"required": "Say why the rule is switched off; nothing was changed."},
    )


class State(admin.SimpleListFilter):
    """On or off."""

    title = "state"
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "on"), ("0", "off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(active=value == "1")


class Column(admin.ChoicesFieldListFilter):
    """The column that a rule is about, by the contract's word for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "column"


class RuleChangeList(IndexedChangeList):
    """Knows who switched each rule of the page last."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        switches = rules.latest_switches(self.result_list)
        for rule in self.result_list:
            rule.last_switch = switches.get(rule.pk)


def switched_by(change: Change | None) -> str:
    """Who switched a rule, and when."""
    return f"{visible(change.actor)}, {moment(change.at.replace(microsecond=0))}" if change else NOTHING


class ValueRuleAdmin(ReadOnlyAdmin):
    """Rules by column. A new one is off; one that was ever on stays as it is, and can only be switched."""

    form = RuleForm
    list_display = ("column", "old", "meaning", "why", "state", "switched")
    list_filter = (State, ("field", Column))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RuleChangeList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        editable = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return ("field", "old", "new", "reason" if editable else "why")

    @admin.display(description="reason")
    def why(self, rule: ValueRule) -> str:
        return one_line(rule.reason)

    @admin.display(description="column")
    def column(self, rule: ValueRule) -> str:
        return rule.field

    @admin.display(description="to")
    def meaning(self, rule: ValueRule) -> str:
        return rule.new or MISSING

    @admin.display(description="state")
    def state(self, rule: ValueRule) -> SafeString:
        return pill(rule)

    @admin.display(description="last switched")
    def switched(self, rule: Any) -> str:
        return switched_by(rule.last_switch)

    def view_on_site(self, rule: ValueRule) -> str:
        """The rule in the API."""
        return reverse("rule-detail", args=[rule.pk])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def may_change(self, request: HttpRequest) -> bool:
        """Whether somebody may switch rules, and write on those that were never on."""
        return admin.ModelAdmin.has_change_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request) and (obj is None or not rules.is_settled(obj))

    def get_urls(self) -> list[URLPattern]:
        switches: tuple[tuple[str, Callable[..., HttpResponse]], ...] = (("on", self.on_view), ("off", self.off_view))
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"catalog_valuerule_{name}",
            )
            for name, view in switches
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rule = self.get_object(request, object_id) if object_id else None
        context = {"show_save_and_add_another": False, "show_save_and_continue": False, **(extra_context or {})}
        if rule and request.method == "GET":
            context |= self.effect(request, rule)
        try:
            if rule and request.method == "POST" and self.may_change(request):
                # Without the right to change it, Django would say that somebody else has it.
                rules.refuse_settled(rule)
            return super().changeform_view(request, object_id, form_url, context)
        except NotPossible as refused:
            messages.error(request, refused.message)
            return redirect("admin:catalog_valuerule_change", object_id)

    def effect(self, request: HttpRequest, rule: ValueRule) -> dict[str, Any]:
        """What the rule's page shows below the rule: what it does or would do, and how to switch it."""
        switches = rules.switches(rule)[:SHOWN_SWITCHES]
        context = {
            "rule": rule,
            "meaning": rule.new or MISSING,
            "pill": pill(rule),
            "switches": [(moment(c.at.replace(microsecond=0)), *map(visible, (c.actor, c.reason))) for c in switches],
            "may_switch": self.may_change(request),
        }
        if rule.active:
            return context | {"shown": some_orders(rules.applied(rule)), "reason_form": ReasonForm()}
        examples = [(link_to_order(order), moment(order.order_date)) for order in rules.examples(rule)]
        touched = count_within(rules.touched(rule), BoundedPaginator.LIMIT)
        return context | {
            "touched": touched and found_orders(touched),
            "examples": examples,
            "more": touched > len(examples),
        }

    def save_model(self, request: HttpRequest, obj: ValueRule, form: Any, change: bool) -> None:
        rules.store(obj)

    def response_add(self, request: HttpRequest, obj: ValueRule, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, "The rule is written down. It is off: see below what it changes, then switch it on.")
        return redirect("admin:catalog_valuerule_change", obj.pk)

    def response_change(self, request: HttpRequest, obj: ValueRule) -> HttpResponse:
        messages.success(request, "The rule is changed. It is off: see below what it changes, then switch it on.")
        return redirect("admin:catalog_valuerule_change", obj.pk)

    def on_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a rule in force."""
        rule = self.rule_to_switch(request, pk)
        return self.switch(request, rule, lambda actor: rules.switch_on(rule, actor=actor))

    def off_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring the source's values back, for a reason."""
        rule = self.rule_to_switch(request, pk)
        given = ReasonForm(request.POST)
        if not given.is_valid():
            messages.error(request, " ".join(map(str, given.errors["reason"])))
            return redirect("admin:catalog_valuerule_change", pk)
        reason = given.cleaned_data["reason"]
        return self.switch(request, rule, lambda actor: rules.switch_off(rule, actor=actor, reason=reason))

    def rule_to_switch(self, request: HttpRequest, pk: int) -> ValueRule:
        if not self.may_change(request):
            raise PermissionDenied
        rule = ValueRule.objects.filter(pk=pk).first()
        if rule is None:
            raise Http404
        return rule

    def switch(self, request: HttpRequest, rule: ValueRule, way: Callable[[str], int]) -> HttpResponse:
        """Switch a rule and say what that did, or why it cannot be."""
        try:
            changed = way(request.user.get_username())
        except NotPossible as refused:
            messages.error(request, refused.message)
        else:
            messages.success(
                request, f"The rule is {'on' if rule.active else 'off'}: {orders_in_words(changed)} changed."
            )
        return redirect("admin:catalog_valuerule_change", rule.pk)


def pill(rule: ValueRule) -> SafeString:
    """Whether a rule is on, in a word that is seen at once."""
    return format_html('<span class="pill pill-{0}">{0}</span>', "on" if rule.active else "off")
