"""What a person keeps of the list of orders: filters under names of their own, and the columns chosen last."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from catalog.admin_columns import PARAMETER as COLUMNS
from catalog.admin_columns import USUAL, in_order
from catalog.admin_query import PLACE, Asked, meant
from catalog.api.browsable.addresses import READABLE
from catalog.read_only import ReadOnlyAdmin
from catalog.saved_models import MAX_QUERY, MOST_SAVED, ChosenColumns, SavedFilter

LIST = "admin:catalog_order_changelist"
MANAGE = "admin:catalog_order_saved"


class NameForm(forms.Form):
    """The name of a saved filter."""

    name = forms.CharField(max_length=60, error_messages={"required": "A saved filter needs a name."})

    @property
    def said(self) -> str:
        """What is wrong with the name."""
        return " ".join(map(str, self.errors["name"]))

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name.isprintable():
            raise forms.ValidationError("The name has characters that would not show; write it without them.")
        return name


def me(request: HttpRequest) -> int:
    """The person who asks: a member of staff, who is logged in."""
    return int(cast("User", request.user).pk)


def own(request: HttpRequest) -> Any:
    """The filters that this person has saved."""
    return SavedFilter.objects.filter(user=me(request))


def chosen_columns(request: HttpRequest) -> tuple[str, ...]:
    """The columns that this person chose last, the usual ones unless they did."""
    kept = ChosenColumns.objects.filter(user=me(request)).values_list("columns", flat=True).first()
    return in_order((kept or "").split(",")) or USUAL


def to_list(query: str) -> HttpResponse:
    """The list with a query."""
    return redirect(f"{reverse(LIST)}?{query}" if query else reverse(LIST))


def kept_of(request: HttpRequest) -> QueryDict:
    """The query that the form of a list hands over, without the place in the list."""
    query = meant(QueryDict(request.POST.get("query", "").replace("\0", ""), mutable=True))
    for name in PLACE:
        query.pop(name, None)
    return query


class SavedFilters(ReadOnlyAdmin):
    """The pages behind the list's own tools. They keep things of the person who asks, and of nobody else."""

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any) -> Any:
            return self.admin_site.admin_view(view)

        one = "saved/<db_number:pk>"
        return [
            path("saved/", page(self.saved_view), name="catalog_order_saved"),
            path("saved/save/", page(require_POST(self.save_filter_view)), name="catalog_order_save_filter"),
            path(f"{one}/rename/", page(require_POST(self.rename_view)), name="catalog_order_rename_filter"),
            path(f"{one}/delete/", page(require_POST(self.forget_view)), name="catalog_order_delete_filter"),
            path("columns/", page(require_POST(self.columns_view)), name="catalog_order_columns"),
            *super().get_urls(),
        ]

    def check_reader(self, request: HttpRequest) -> None:
        """Refuse whoever may not look at orders."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def saved_view(self, request: HttpRequest) -> HttpResponse:
        """All that this person has saved, to open, rename and delete."""
        self.check_reader(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "Saved filters",
            "saved": own(request),
            "list": reverse(LIST),
            "most": MOST_SAVED,
        }
        return TemplateResponse(request, "admin/catalog/order/saved.html", context)

    def save_filter_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the filters, the order and the columns of the list under a name."""
        self.check_reader(request)
        query, form = kept_of(request), NameForm(request.POST)
        text = query.urlencode(safe=READABLE)
        if not form.is_valid():
            messages.error(request, form.said)
        elif problems := Asked(query).problems:
            messages.error(request, f"Not saved, as the list cannot be read: {problems[0].message}")
        elif len(text) > MAX_QUERY:
            messages.error(request, f"Not saved: the query is longer than {MAX_QUERY:,} characters.")
        else:
            self.keep(request, form.cleaned_data["name"], text)
        return to_list(text)

    def keep(self, request: HttpRequest, name: str, query: str) -> None:
        """Save under a name; what was saved under it before is replaced."""
        if not own(request).filter(name=name).exists() and own(request).count() >= MOST_SAVED:
            messages.error(request, f"Not saved: you have {MOST_SAVED} saved filters; delete one that you do not need.")
            return
        _, made = SavedFilter.objects.update_or_create(user_id=me(request), name=name, defaults={"query": query})
        messages.success(
            request, f"Saved as {name}." if made else f"Saved as {name}, in place of what had that name before."
        )

    def rename_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give a saved filter another name, which none of this person's others has."""
        self.check_reader(request)
        form = NameForm(request.POST)
        if not form.is_valid():
            messages.error(request, form.said)
            return redirect(MANAGE)
        name = form.cleaned_data["name"]
        try:
            with transaction.atomic():
                renamed = own(request).filter(pk=pk).update(name=name)
        except IntegrityError:
            messages.error(request, f"You have a saved filter {name} already; choose another name, or delete that one.")
            return redirect(MANAGE)
        self.say(request, renamed, f"It is called {name} now.")
        return redirect(MANAGE)

    def forget_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete a saved filter."""
        self.check_reader(request)
        deleted, _ = own(request).filter(pk=pk).delete()
        self.say(request, deleted, "The saved filter is deleted.")
        return redirect(MANAGE)

    def say(self, request: HttpRequest, done: int, sentence: str) -> None:
        if done:
            messages.success(request, sentence)
        else:
            messages.warning(request, "There is no such saved filter of yours.")

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Show the list with the chosen columns, now and whenever this person comes back; the usual ones for none."""
        self.check_reader(request)
        query, chosen = kept_of(request), in_order(request.POST.getlist("column"))
        # The order of the list names columns by their places.
        for name in (COLUMNS, ORDER_VAR):
            query.pop(name, None)
        if chosen and "usual" not in request.POST:
            ChosenColumns.objects.update_or_create(user_id=me(request), defaults={"columns": ",".join(chosen)})
            query[COLUMNS] = ",".join(chosen)
        else:
            ChosenColumns.objects.filter(user=me(request)).delete()
        return to_list(query.urlencode(safe=READABLE))
