"""What somebody decides about an upload holds for what they saw of it, and for nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from catalog.models import Order
from ingestion.models import Run
from ingestion.upload_models import Upload
from tests.admin_side import get, post, said, text_of
from tests.factories import make_user
from tests.loading import WriteFile, export, ingest, line, lines
from tests.uploading import OPTIONS, UPLOADS, folder, hand_in, press, shown_on, work

__all__ = ("folder",)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]

RIGHTS = ("view_upload", "add_upload", "change_upload", "view_run", "view_rejectedrow")


@pytest.fixture
def loader(client: Client) -> Client:
    """Somebody who may upload and load."""
    client.force_login(make_user("lo", staff=True, permissions=RIGHTS))
    return client


def state_of(upload: Upload) -> str:
    upload.refresh_from_db()
    return upload.state


@pytest.mark.parametrize(("button", "verb"), [("load", "loaded"), ("check", "checked again"), ("discard", "discarded")])
def test_a_button_of_a_page_from_before_another_check_does_nothing(
    loader: Client, write: WriteFile, button: str, verb: str
) -> None:
    ingest(write(*lines(1, 2, 3)))
    upload = hand_in(loader, *lines(4))
    work()
    old = shown_on(loader, upload)
    bo = Client()
    bo.force_login(make_user("bo", staff=True, permissions=RIGHTS))
    press(bo, upload, "check", max_rejects="5%", max_removals="100%", full_snapshot="on")
    work()

    for shown in (old, "", "yesterday"):
        page = post(loader, f"{UPLOADS}{upload.pk}/{button}/", OPTIONS | {"shown": shown})
        assert said(page) == (
            f"The file was not {verb}: it was taken up or checked again since you looked at it. Look at it again."
        )
    work()
    assert state_of(upload) == "checked"
    assert (upload.full_snapshot, upload.report["removed"]) == (True, 3)
    assert Run.objects.count() == 1

    press(loader, upload, "load")
    work()
    assert state_of(upload) == "loaded"
    assert Order.objects.present().count() == 1


def test_rejected_rows_are_shown_to_whoever_may_see_rejected_rows(loader: Client) -> None:
    upload = hand_in(loader, *lines(1, 2), line(3, order_id="1e5", website="SECRET"), max_rejects="50%")
    work()
    ana = Client()
    ana.force_login(make_user("ana", staff=True, permissions=("view_upload", "view_run")))
    path = f"{UPLOADS}{upload.pk}/change/"
    assert "SECRET" in get(loader, path)
    assert "SECRET" not in get(ana, path)
    assert "not_an_integer 1" in text_of(get(ana, path))

    press(loader, upload, "load")
    work()
    assert "/admin/ingestion/rejectedrow/" in get(loader, path)
    assert "/admin/ingestion/rejectedrow/" not in get(ana, path)


def test_nothing_is_accepted_from_somebody_who_may_not_see_what_becomes_of_it(client: Client, folder: Path) -> None:
    client.force_login(make_user("ana", staff=True, permissions=("add_upload", "view_run")))
    fields = {"file": SimpleUploadedFile("a.csv", export(*lines(1))), **OPTIONS}
    assert client.post(f"{UPLOADS}add/", fields).status_code == 403
    assert not folder.exists()
    assert f"{UPLOADS}add/" not in get(client, "/admin/ingestion/run/")


@pytest.mark.sqlite_only
def test_a_file_that_the_database_does_not_take_has_to_be_sent_again(loader: Client, folder: Path) -> None:
    fields = {"file": SimpleUploadedFile("a.csv", export(*lines(1))), **OPTIONS}
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 100")
        refused = loader.post(f"{UPLOADS}add/", fields, headers={"Accept": "application/json"})
    connection.close()
    assert refused.status_code == 503
    assert "the file was not kept. Send it again when the load has ended." in refused.json()["refused"]
    assert list(folder.iterdir()) == []
    hand_in(loader, *lines(1))
