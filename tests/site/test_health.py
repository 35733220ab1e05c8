"""The probes: the process, and whether it can do its work."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from django.test import Client


def test_the_process_answers_without_a_database(client: Client) -> None:
    """pytest-django forbids the database here, so this would fail if it were asked."""
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "sessionid" not in response.cookies
    assert "no-cache" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_the_database_is(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_not_ready_before_the_migrations_are_applied(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="ingestion").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["detail"]


@pytest.mark.django_db
def test_not_ready_while_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("connection refused at 10.0.0.7")

    monkeypatch.setattr(connection, "cursor", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "detail": "The database does not answer."}
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_probes_take_no_posts(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_the_front_page_leads_to_the_api(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/api/v1/"
