"""Errors outside the API are pages of the site, with its menu; in the API they stay JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.admin_side import client_of, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/nope", "/admin/nope/", "/admin/catalog/change/nope/"])
def test_what_is_not_there(address: str) -> None:
    response = client_of("viewer").get(address, follow=True)
    page = response.content.decode()

    assert response.status_code in (200, 404)
    assert '<nav id="work"' in page
    if response.status_code == 404:
        assert f"There is nothing at '{response.wsgi_request.path}'." in text_of(page)


def test_what_is_not_there_for_strangers() -> None:
    response = Client().get("/nope/<b>")

    assert response.status_code == 404
    page = response.content.decode()
    assert "There is nothing at" in page
    assert "/nope/&lt;b&gt;" in page
    assert '<nav id="work"' not in page
    assert '<a href="/api/v1/">Back to the start' in page


def test_what_one_may_not_do() -> None:
    response = client_of("viewer").get("/admin/ingestion/upload/add/")

    assert response.status_code == 403
    page = response.content.decode()
    assert '<nav id="work"' in page
    assert "You are signed in as viewer, who may not open this page" in text_of(page)


def test_the_api_answers_programs() -> None:
    response = Client().get("/api/v1/stats/")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_what_would_change_something_is_not_sent_on_to_the_slash(method: str) -> None:
    """A client follows a redirect with a GET, which succeeds; nothing is changed, and nobody is told."""
    response = getattr(Client(), method)("/api/v1/rules?colour=red", "{}", content_type="application/json")

    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert response.json() == {
        "detail": "There is nothing at /api/v1/rules; /api/v1/rules/ is meant, with a slash at its end.",
        "code": "not_found",
    }


def test_the_slash_is_named_only_where_it_leads_somewhere() -> None:
    for path in ("/api/v1/rulez", "/api/v1/rulez/"):
        assert Client().post(path).json()["detail"] == f"There is nothing at {path}."


def test_who_reads_is_sent_on_to_the_slash() -> None:
    response = Client().get("/api/v1/rules?active=true")

    assert (response.status_code, response["Location"]) == (301, "/api/v1/rules/?active=true")


@pytest.mark.parametrize("name", ["500.html", "403_csrf.html"])
def test_pages_for_when_things_are_amiss_need_nothing(name: str) -> None:
    assert "Order catalogue" in render_to_string(name)


def test_a_form_without_its_token_is_told_so() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/admin/login/", {"username": "a", "password": "b"})

    assert response.status_code == 403
    assert "The form is out of date" in text_of(response.content.decode())


def test_without_collected_files_a_page_lacks_only_its_looks(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    storage = {"BACKEND": "talpa_site.static_files.CollectedFiles"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    response = Client().get("/nope")

    assert response.status_code == 404
    assert 'href="/static/talpa_site/theme.css"' in response.content.decode()
