"""Addresses of the admin's lists with what no database can look for."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_known_value, make_order, make_reject, make_run

pytestmark = pytest.mark.django_db

LISTS = {
    "ingestion/rejectedrow": ("code", "state", "column", "run"),
    "ingestion/run": ("status", "kind__exact", "q"),
    "ingestion/upload": ("state__exact", "q"),
    "catalog/order": ("website", "source", "year", "removed", "q"),
    "catalog/correction": ("by", "state", "field"),
    "catalog/conflict": ("run", "field"),
    "catalog/valuerule": ("field", "field__exact", "active"),
    "catalog/change": ("kind", "kind__exact"),
    "catalog/knownvalue": ("field", "field__in"),
    "catalog/source": ("\x00", "code"),
}


@pytest.mark.parametrize("place", LISTS)
def test_a_nul_in_an_address_is_told(admin_client: Client, place: str) -> None:
    make_order(1)
    make_known_value("website", "VVNL")
    make_reject(make_run(), 2, ("not_a_code", "website"))
    for name in LISTS[place]:
        for value in ("\x00", "VV\x00NL"):
            answer = admin_client.get(f"/admin/{place}/", {name: value}, follow=True)

            assert answer.status_code == 200, (name, value)
            assert "a filter or page that does not exist" in answer.content.decode(), name
