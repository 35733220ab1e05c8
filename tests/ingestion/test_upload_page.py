"""What the page of an upload says of a check and of a load, and where it leads."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.corrections import correct
from catalog.models import Order
from ingestion.models import Run
from ingestion.undo import undo_run
from ingestion.upload_models import Upload
from tests.admin_side import get
from tests.factories import make_user
from tests.ingestion.test_uploads import RIGHTS, loader, page_of, state_of
from tests.loading import WriteFile, export, ingest, line, lines
from tests.uploading import OPTIONS, UPLOADS, folder, hand_in, press, send, work

__all__ = ("folder", "loader")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


@pytest.mark.parametrize("at_once", [True, False])
def test_content_that_is_loaded_already_is_loaded_again_if_somebody_says_so(
    loader: Client, write: WriteFile, at_once: bool
) -> None:
    ingest(write(*lines(1, 2, 3)))
    ingest(write(*lines(1, 2, 3, website="VVBE"), name="newer.csv"))
    upload = hand_in(loader, *lines(1, 2, 3), **({"force": "on"} if at_once else {}))
    work()
    if not at_once:
        press(loader, upload, "check", **OPTIONS, force="on")
        work()
    assert state_of(upload) == "checked"
    press(loader, upload, "load")
    work()

    assert state_of(upload) == "loaded"
    assert upload.run is not None
    assert (upload.run.updated, upload.run.options) == (3, {"force": True})
    assert "options force: True" in page_of(loader, upload)


def test_a_file_with_nothing_but_a_header_says_so(loader: Client) -> None:
    upload = Upload.objects.get(pk=int(send(loader, export()).split("/")[-3]))
    work()

    assert state_of(upload) == "checked"
    page = page_of(loader, upload)
    assert "read inserted updated unchanged duplicate rejected 0 0 0 0 0 0" in page
    assert "The file has a header and no rows." in page


def test_what_a_load_does_to_corrections_is_said_in_its_time_and_leads_there(loader: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    for number, website in ((1, "VVFR"), (2, "VVBE")):
        correct(Order.objects.get(order_id=number), "website", website, actor="ana", reason="seen on the invoice")
    upload = hand_in(loader, *lines(1, 2, 3, website="VVBE"))
    work()
    page = page_of(loader, upload)
    assert "What the check has found" in page
    assert "Corrections that would retire, as the source says now what they said: 1" in page
    assert "Corrections that would wait for somebody, as the source has another value: 1" in page
    press(loader, upload, "load")
    work()

    run, path = Run.objects.latest("id"), f"{UPLOADS}{upload.pk}/change/"
    page = page_of(loader, upload)
    assert "What the load has done It is loaded." in page
    assert "read inserted updated unchanged duplicate rejected 3 0 3 0 0 0" in page
    assert "Corrections that have retired, as the source says now what they said: 1" in page
    assert "Corrections that the source has put in conflict, as it has another value: 1" in page
    assert "would" not in page
    link = f'href="/admin/catalog/conflict/?run={run.pk}"'
    assert link not in get(loader, path)
    steward = Client()
    steward.force_login(make_user("st", staff=True, permissions=(*RIGHTS, "view_correction", "view_order")))
    assert link in get(steward, path)
    page = get(steward, f"/admin/ingestion/run/{run.pk}/change/")
    assert link in page
    assert "1 conflict" in get(steward, "/admin/catalog/conflict/", run=run.pk)
    undo_run(run.pk, actor="lo")
    assert "It was loaded, and its run was undone since." in page_of(loader, upload)


def test_how_many_of_the_rejected_rows_are_shown_is_said(loader: Client) -> None:
    few = hand_in(loader, *[line(number, order_id="1e5") for number in range(20)], max_rejects="100%")
    many = hand_in(loader, *[line(number, order_id="1e5") for number in range(21)], max_rejects="100%")
    work()

    assert "Each of them line reasons record" in page_of(loader, few)
    assert "The first 20 of 21 line reasons record" in page_of(loader, many)
