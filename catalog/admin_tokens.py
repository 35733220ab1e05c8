"""The admin's pages of API tokens: everyone's own, and for administrators all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from catalog.read_only import ReadOnlyAdmin, moment, visible
from catalog.tokens import ApiToken, is_taken, new_token


class TokenForm(forms.ModelForm):
    """What a token is for, and what bounds it has."""

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scope", "expires_at")
        help_texts = {"expires_at": "In UTC. Empty for a token that works until it is revoked."}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The admin's two inputs for one moment stand beside words that are no labels.
        inputs = getattr(self.fields["expires_at"].widget, "widgets", ()) if "expires_at" in self.fields else ()
        for widget, name in zip(inputs, ("date", "time"), strict=False):
            widget.attrs["aria-label"] = f"Expires at: {name}"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("expires_at") and given["expires_at"] <= timezone.now():
            self.add_error("expires_at", "This is in the past; choose a later moment, or leave it empty.")
        if given.get("user") and given.get("name") and is_taken(given["user"], given["name"]):
            self.add_error("name", "There is a token of this name already; revoke it, or choose another name.")
        return given


class InForce(admin.SimpleListFilter):
    """Those that still work, unless told otherwise."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_force", "in force"), ("ended", "revoked or expired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        in_force = ApiToken.objects.in_force()
        choices = {"in_force": queryset.filter(pk__in=in_force), "ended": queryset.exclude(pk__in=in_force)}
        return choices.get(self.value() or "", queryset)


def administers(request: HttpRequest) -> bool:
    """Whether somebody may see and revoke the tokens of others."""
    return request.user.has_perm("catalog.change_apitoken")


class ApiTokenAdmin(ReadOnlyAdmin):
    """Made and revoked here; what a token is cannot be changed, as whoever relies on it was told something else."""

    form = TokenForm
    list_display = ("name", "owner", "narrowed", "hint", "made", "used", "expires", "state")
    list_filter = (InForce,)
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "hint")
    search_help_text = "Part of the name, of the owner, or the first characters of a token"
    actions = ("revoke_tokens",)
    readonly_fields = ("owner", "narrowed", "made", "used", "expires", "state")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return TokenForm.Meta.fields if obj is None else ("name", "hint", *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tokens = super().get_queryset(request)
        return tokens if administers(request) else tokens.filter(user_id=request.user.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or administers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Without it nobody could delete a user who has tokens.
        return bool(request.user.is_superuser)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only who may do everything anyway makes a token that acts as somebody else."""
        users = get_user_model().objects.filter(is_active=True).order_by("username")
        own = not request.user.is_superuser
        kwargs |= {
            "queryset": users.filter(username=request.user.get_username()) if own else users,
            "initial": request.user.pk,
        }
        return super().formfield_for_foreignkey(db_field, request, **kwargs, disabled=own)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The only choice is the group."""
        choices = [("", "whatever its owner may do"), *ApiToken.Scope.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs, choices=choices)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.secret = new_token(obj)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the token here and now: a message on the next page would wait in a cookie or in the database."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": f"Token {visible(obj.name)}",
            "token": obj,
            "orders": request.build_absolute_uri("/api/v1/orders/"),
        }
        return TemplateResponse(request, "admin/catalog/apitoken/made.html", context)

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(require_POST(self.revoke_view))
        return [path("<int:pk>/revoke/", revoke, name="catalog_apitoken_revoke"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End one token."""
        tokens = self.get_queryset(request).filter(pk=pk)
        if not tokens.exists():
            raise PermissionDenied
        self.revoke_tokens(request, tokens)
        return redirect("admin:catalog_apitoken_change", pk)

    @admin.action(description="Revoke selected tokens")
    def revoke_tokens(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        # The list has only those that this person may revoke, so the selection has, too.
        ending = list(tokens.filter(revoked_at=None))
        revoked = ApiToken.objects.filter(pk__in=[token.pk for token in ending]).revoke(
            actor=request.user.get_username()
        )
        for token in ending:
            self.log_change(request, token, "Revoked.")
        sentence = f"{'1 token is' if revoked == 1 else f'{revoked} tokens are'} revoked, and refused from now on."
        messages.success(request, sentence)

    @admin.display(description="owner", ordering="user__username")
    def owner(self, token: ApiToken) -> str:
        return visible(token.user.get_username())

    @admin.display(description="narrowed to", empty_value="whatever its owner may do")
    def narrowed(self, token: ApiToken) -> str | None:
        return token.scope or None

    @admin.display(description="made")
    def made(self, token: ApiToken) -> str:
        return moment(token.created_at.replace(microsecond=0))

    @admin.display(description="last used in the hour from")
    def used(self, token: ApiToken) -> str:
        return f"{token.used_at:%Y-%m-%d %H:%M}" if token.used_at else "never"

    @admin.display(description="expires")
    def expires(self, token: ApiToken) -> str:
        return moment(token.expires_at) if token.expires_at else "never"

    @admin.display(description="state")
    def state(self, token: ApiToken) -> SafeString:
        if token.revoked_at:
            at = moment(token.revoked_at.replace(microsecond=0))
            return format_html('<span class="pill pill-off">revoked</span> {} by {}', at, visible(token.revoked_by))
        word = "off" if token.why_refused() else "on"
        return format_html('<span class="pill pill-{}">{}</span>', word, "refused" if word == "off" else "in force")
