"""The admin's page of the checks of quality: how many orders fail each, and how that moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Q, Sum
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog import quality
from catalog.models import Change
from catalog.read_only import moment, run_link
from catalog.tally_models import QualityCount

DAYS = 30

Moves = dict[str, tuple[int, int]]
"""By check: how many orders came to fail it, and how many no longer do."""


def quality_page(request: HttpRequest, site: AdminSite) -> TemplateResponse:
    """Each check with its sentence, its number, how the number moved, and the orders behind it."""
    if not request.user.has_perm("catalog.view_order"):
        raise PermissionDenied
    load = last_load()
    begin = timezone.now() - timedelta(days=DAYS)
    by_load = {} if load is None else moved(Q(change=load))
    lately, now = moved(since(begin)), quality.counts()
    orders = reverse("admin:catalog_order_changelist")
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Quality",
        "checks": [
            {
                "name": check.name.replace("_", " "),
                "sentence": check.sentence,
                "count": f"{now[check.name]:,}",
                "none": not now[check.name],
                "url": f"{orders}?quality={check.name}",
                "load": move(by_load.get(check.name)),
                "lately": move(lately.get(check.name)),
            }
            for check in quality.CHECKS
        ],
        "run": None if load is None else run_link(load),
        "loaded": None if load is None else moment(load.at.replace(microsecond=0)),
        "days": DAYS,
    }
    return TemplateResponse(request, "admin/catalog/quality.html", context)


def last_load() -> Change | None:
    """The change that the latest load made which has not been undone."""
    loads = Change.objects.filter(kind=Change.Kind.LOAD, run__status="loaded")
    return loads.order_by("-id").select_related("run").first()


def since(begin: datetime) -> Q:
    """The changes from a moment on; changes are numbered in the order of their moments."""
    first = Change.objects.filter(at__gte=begin).order_by("at", "id").values_list("id", flat=True).first()
    return Q(pk__in=()) if first is None else Q(change__gte=first)


def moved(changes: Q) -> Moves:
    """What some changes added to each check, and took away."""
    rows = QualityCount.objects.filter(changes).order_by().values_list("name")
    return {name: (added, gone) for name, added, gone in rows.annotate(a=Sum("added"), g=Sum("gone"))}


def move(numbers: tuple[int, int] | None) -> dict[str, str]:
    """A move in words: the sum of both ways, and both."""
    added, gone = numbers or (0, 0)
    both = f"{added:,} more and {gone:,} fewer" if added and gone else ""
    net = added - gone
    kind = "up" if net > 0 else "down" if net else "same"
    return {"net": f"{net:+,}" if net else "±0" if both else "no change", "kind": kind, "both": both}
