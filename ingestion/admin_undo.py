"""Undo of a run in the admin: a preview, and one button."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from catalog.changes import NotPossible
from catalog.read_only import NOTHING, link_to, link_to_order, moment, orders_in_words, visible
from ingestion.errors import Locked
from ingestion.models import Run
from ingestion.undo import preview_undo, undo_run
from ingestion.undo_effects import warning

SENTENCES = {
    "updated": "former values again",
    "removed": "gone, as brought by this run",
    "inserted": "back, as taken away by this run",
}

LOOK_AGAIN = ("touched_since", "changed_meanwhile")
"""Refusals of what was confirmed after which the preview has something to show."""

NOT_SAID = "Nothing was undone: say that the orders touched since may stay as they are, or undo later loads first."


class UndoForm(forms.Form):
    """The confirmation: which state of the catalogue was looked at, and that touched orders may stay as they are."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    keep_touched = forms.BooleanField(required=False)


class UndoMixin(admin.ModelAdmin):
    """The button on a run's page, and the page behind it."""

    change_form_template = "admin/ingestion/run/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self.undo_view)
        return [
            path("<int:pk>/undo/", self.admin_site.admin_view(view), name="ingestion_run_undo"),
            *super().get_urls(),
        ]

    def may_undo(self, request: HttpRequest) -> bool:
        """Whether somebody may undo runs; their figures nobody may change."""
        return request.user.has_perm("ingestion.change_run")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        run = kwargs.get("obj")
        context["may_undo"] = isinstance(run, Run) and run.can_be_undone and self.may_undo(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="undo")
    def taken_back(self, run: Run) -> SafeString | str:
        """By which run it was undone, or which one it undoes."""
        if run.undoes:
            return format_html("This run undoes {}.", link_to(run.undoes, str(run.undoes)))
        undo = run.undo_in_force()
        if undo is None:
            return NOTHING
        at = moment(undo.started_at.replace(microsecond=0))
        return format_html("Undone by {}, {}, {}.", link_to(undo, str(undo)), undo.actor, at)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the undo would do; and, confirmed, the undo."""
        if not self.may_undo(request):
            raise PermissionDenied
        run = Run.objects.filter(pk=pk).first()
        if run is None:
            raise Http404
        try:
            return self.confirmed(request, run) if request.method == "POST" else self.preview(request, run)
        except (NotPossible, Locked) as refused:
            messages.error(request, NOT_SAID if refused.code == "touched_since" else refused.message)
            # A preview that was refused must not lead to itself.
            again = request.method == "POST" and refused.code in LOOK_AGAIN
            return redirect("admin:ingestion_run_undo" if again else "admin:ingestion_run_change", pk)

    def preview(self, request: HttpRequest, run: Run) -> HttpResponse:
        found = preview_undo(run.pk)
        figures = [
            (orders_in_words(getattr(found.run, n)), text) for n, text in SENTENCES.items() if getattr(found.run, n)
        ]
        orders = reverse("admin:catalog_order_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Undo run {run.pk}",
            "opts": self.opts,
            "media": self.media,
            "run": run,
            "file": visible(run.file),
            "started": moment(run.started_at.replace(microsecond=0)),
            "figures": [*figures, *found.besides],
            "no_order": not figures,
            "orders": f"{orders}?run={run.pk}" if request.user.has_perm("catalog.view_order") else "",
            "warning": warning(found.run, lambda load: link_to(load, str(load))),
            "touched": found.run.unchanged and orders_in_words(found.run.unchanged),
            "examples": [link_to_order(order) for order in found.touched],
            "more": found.run.unchanged > len(found.touched),
            "form": UndoForm(initial={"seen": found.latest}),
        }
        return TemplateResponse(request, "admin/ingestion/run/undo.html", context)

    def confirmed(self, request: HttpRequest, run: Run) -> HttpResponse:
        form = UndoForm(request.POST)
        if not form.is_valid():
            # The page was not ours: look first.
            return redirect("admin:ingestion_run_undo", run.pk)
        given = form.cleaned_data
        done = undo_run(run.pk, **given, wait=False, actor=request.user.get_username())
        messages.success(request, f"Run {run.pk} is undone by run {done.pk}.")
        return redirect("admin:ingestion_run_change", done.pk)
