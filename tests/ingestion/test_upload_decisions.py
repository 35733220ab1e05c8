"""What somebody decides about an upload holds for what they saw of it, and for nothing else."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Order
from ingestion.models import Run
from ingestion.upload_models import Upload
from tests.admin_side import post, said
from tests.factories import make_user
from tests.loading import WriteFile, ingest, lines
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
