"""The admin as a place to work: its name, and its menu in the order of the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from catalog.admin_entities import entity_urls
from catalog.admin_quality import quality_page
from ingestion.today import today


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the menu: the page it leads to, and the permission that opens it; without one, all staff may."""

    text: str
    page: str
    permission: str = ""
    also: tuple[str, ...] = ()
    """Further parts of the admin that belong to it."""


WORK = (
    Place("Today", "index"),
    Place("Orders", "catalog_order_changelist", "catalog.view_order", ("catalog/customer/", "catalog/product/")),
    Place("Conflicts", "catalog_conflict_changelist", "catalog.view_correction"),
    Place("Rejects", "ingestion_rejectedrow_changelist", "ingestion.view_rejectedrow"),
    Place("Quality", "quality", "catalog.view_order"),
    Place("Runs", "ingestion_run_changelist", "ingestion.view_run", ("ingestion/upload/",)),
    Place("Rules", "catalog_valuerule_changelist", "catalog.view_valuerule"),
    Place("Corrections", "catalog_correction_changelist", "catalog.view_correction"),
    Place("Changes", "catalog_change_changelist", "catalog.view_change"),
)
ACCESS = (
    # Whoever may sign in makes tokens of their own.
    Place("Tokens", "catalog_apitoken_changelist"),
    Place("Users", "auth_user_changelist", "auth.view_user"),
    Place("Groups", "auth_group_changelist", "auth.view_group"),
)


class CatalogueSite(AdminSite):
    """The site of all admin pages."""

    site_header = site_title = "Order catalogue"
    index_title = "Today"
    index_template = "admin/ingestion/today.html"
    site_url = "/api/v1/"
    # The menu stands above the page, which leaves its whole width to tables.
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        allowed = context["has_permission"]
        return context | {
            "work": self.menu(request, WORK) if allowed else [],
            "access": self.menu(request, ACCESS) if allowed else [],
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, today(request.user) | (extra_context or {}))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        def page(request: HttpRequest) -> HttpResponse:
            return quality_page(request, self)

        # Checks, customers and products are no records of their own, so no model's pages have room for theirs.
        own = [path("quality/", self.admin_view(page), name="quality"), *entity_urls(self)]
        return [*own, *super().get_urls()]

    def menu(self, request: HttpRequest, places: tuple[Place, ...]) -> list[dict[str, Any]]:
        """What this person may open, and which of it is open."""
        found = []
        root = reverse(f"{self.name}:index")
        for place in places:
            if place.permission and not request.user.has_perm(place.permission):
                continue
            url = reverse(f"{self.name}:{place.page}")
            # Every page is below the first.
            parts = (url, *(root + part for part in place.also))
            current = request.path == url if url == root else request.path.startswith(parts)
            found.append({"text": place.text, "url": url, "current": current})
        return found
