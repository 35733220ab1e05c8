"""Files handed in through the admin: checked, looked at, loaded once or not at all."""

from __future__ import annotations

import gzip
import os
import re
import stat
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Order
from ingestion.erase import erase_customer
from ingestion.models import Run
from ingestion.undo import undo_run
from ingestion.upload_models import Upload
from ingestion.uploads.work import KEPT
from tests.admin_side import get, post, said, text_of
from tests.factories import make_user
from tests.loading import HEADER, WriteFile, export, ingest, line, lines, rows
from tests.uploading import OPTIONS, UPLOADS, folder, hand_in, press, send, work

__all__ = ("folder",)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]

RIGHTS = ("view_upload", "add_upload", "change_upload", "view_run", "view_rejectedrow")


@pytest.fixture
def loader(client: Client) -> Client:
    """Somebody who may upload and load."""
    client.force_login(make_user("lo", staff=True, permissions=RIGHTS))
    return client


def page_of(client: Client, upload: Upload) -> str:
    """What the page of an upload says."""
    return text_of(get(client, f"{UPLOADS}{upload.pk}/change/"))


def state_of(upload: Upload) -> str:
    upload.refresh_from_db()
    return upload.state


def files(folder: Path) -> list[Path]:
    """What waits in the folder."""
    return [path for path in folder.iterdir() if path.name != "worker-lock"]


def test_from_the_file_to_the_run(loader: Client, folder: Path) -> None:
    make_user("bo")
    upload = hand_in(loader, *lines(1, 2, 3), name="nightly.csv")

    assert state_of(upload) == "waiting"
    assert upload.content is not None
    assert (folder / upload.content.hex).read_bytes() == export(*lines(1, 2, 3))
    work()
    page = page_of(loader, upload)
    assert "Nothing is changed yet. This is what loading the file would do:" in page
    assert "read inserted updated unchanged duplicate rejected 3 3 0 0 0 0" in page
    assert "website VVNL" in page
    assert not Order.objects.exists()
    assert not Run.objects.exists()

    press(loader, upload, "load")
    assert "It is loaded as soon as the worker takes it up." in page_of(loader, upload)
    work()
    run = Run.objects.get()
    assert (run.status, run.file, run.actor, run.inserted) == ("loaded", "nightly.csv", "lo", 3)
    assert state_of(upload) == "loaded"
    assert upload.run == run
    assert f"run {run.pk}" in page_of(loader, upload)
    assert len(rows()) == 3
    assert files(folder) == []


def test_who_confirms_is_who_loads(loader: Client) -> None:
    upload = hand_in(loader)
    work()
    bo = Client()
    bo.force_login(make_user("bo", staff=True, permissions=RIGHTS))
    press(bo, upload, "load")
    work()

    assert Run.objects.get().actor == "bo"
    assert "uploaded by lo" in page_of(loader, upload)
    assert "confirmed by bo" in page_of(loader, upload)


def test_the_folder_and_its_files_are_nobody_elses(loader: Client, folder: Path) -> None:
    hand_in(loader)
    [file] = files(folder)
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)


def test_rejected_rows_are_shown_before_and_kept_after(loader: Client) -> None:
    bad = [line(4, order_id="1e5"), line(5, website="<b>VV</b>")]
    upload = hand_in(loader, *lines(1, 2, 3), *bad, max_rejects="50%")
    work()
    html = get(loader, f"{UPLOADS}{upload.pk}/change/")
    page = text_of(html)
    assert "not_an_integer 1" in page
    assert "not_a_code" in page
    assert "&lt;b&gt;VV&lt;/b&gt;" in html
    assert "<b>VV</b>" not in html
    press(loader, upload, "load")
    work()

    run = Run.objects.get()
    assert (run.inserted, run.rejected) == (3, 2)
    assert f'href="/admin/ingestion/rejectedrow/?run={run.pk}"' in get(loader, f"{UPLOADS}{upload.pk}/change/")


def test_too_many_rejects_refuse_and_another_limit_does_not(loader: Client) -> None:
    upload = hand_in(loader, *lines(1, 2, 3), line(4, order_id="1e5"))
    work()
    page = page_of(loader, upload)
    assert state_of(upload) == "refused"
    assert "1 of 4 rows are rejected; at most 5 % may be." in page
    assert "Load this file" not in page
    assert "line reasons record 5 not_an_integer" in page

    press(loader, upload, "check", max_rejects="1", max_removals="1%")
    work()
    assert state_of(upload) == "checked"
    assert not Run.objects.exists()


def test_a_load_that_is_refused_leaves_its_run_and_rejects(loader: Client, write: WriteFile) -> None:
    ingest(write(*lines(*range(1, 5))))
    upload = hand_in(loader, *lines(1, 2, 3, 4, 5), full_snapshot="on")
    work()
    assert state_of(upload) == "checked"
    ingest(write(*lines(6, 7), name="more.csv"))
    assert "The catalogue has changed since the check" in page_of(loader, upload)
    press(loader, upload, "load")
    work()

    run = Run.objects.latest("id")
    assert (run.status, run.reason_code) == ("refused", "too_many_removals")
    assert state_of(upload) == "refused"
    assert upload.run == run
    assert "2 of 6 orders would be marked as removed" in page_of(loader, upload)
    assert len(rows()) == 6


NOT_LOADABLE = {
    "not CSV": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "refused"),
    "wrong header": (HEADER.replace("website", "webside").encode() + b"\n", "refused"),
    "no rows": (b"\n", "refused"),
    "broken archive": (gzip.compress(export(*lines(1, 2, 3)))[:-9], "refused"),
}


@pytest.mark.parametrize("case", NOT_LOADABLE)
def test_what_cannot_be_loaded_is_said_in_a_sentence(loader: Client, folder: Path, case: str) -> None:
    content, state = NOT_LOADABLE[case]
    upload = Upload.objects.get(pk=int(send(loader, content, name="odd.bin").split("/")[-3]))
    work()

    assert state_of(upload) == state
    assert upload.reason
    assert upload.reason in page_of(loader, upload)
    assert str(folder) not in upload.reason
    assert upload.content is not None
    assert upload.content.hex not in upload.reason


def test_content_that_is_loaded_already_is_skipped(loader: Client, write: WriteFile) -> None:
    number = ingest(write(*lines(1, 2, 3))).report["run"]
    upload = hand_in(loader, *lines(1, 2, 3), name="same.csv")
    work()
    assert state_of(upload) == "skipped"
    html = get(loader, f"{UPLOADS}{upload.pk}/change/")
    assert f"This content was loaded in run {number}" in text_of(html)
    assert "--force (in the admin: Load again) loads it again." in text_of(html)
    assert f'<th scope="row">content loaded in</th><td><a href="/admin/ingestion/run/{number}/change/">run' in html
    assert 'name="force"' in html

    undo_run(number, actor="lo")
    press(loader, upload, "check", **OPTIONS)
    work()
    assert state_of(upload) == "checked"


def test_two_confirmations_load_once(loader: Client) -> None:
    upload = hand_in(loader)
    work()
    press(loader, upload, "load")
    page = post(loader, f"{UPLOADS}{upload.pk}/load/", {})
    assert said(page) == "The file cannot be loaded now: it is waiting to be loaded, as lo wants."
    work()
    page = post(loader, f"{UPLOADS}{upload.pk}/load/", {})
    assert said(page) == "The file cannot be loaded now: it is loaded."
    work()
    assert Run.objects.count() == 1


def test_the_same_file_twice_is_loaded_once(loader: Client) -> None:
    uploads = [hand_in(loader), hand_in(loader)]
    work()
    for upload in uploads:
        press(loader, upload, "load")
    work()

    assert [state_of(upload) for upload in uploads] == ["loaded", "skipped"]
    assert sorted(Run.objects.values_list("status", flat=True)) == ["loaded", "skipped"]


def test_discarded(loader: Client, folder: Path) -> None:
    upload = hand_in(loader)
    work()
    press(loader, upload, "discard")

    assert files(folder) == []
    assert "It was thrown away" in page_of(loader, upload)
    for button in ("load", "check", "discard"):
        assert "cannot be" in said(post(loader, f"{UPLOADS}{upload.pk}/{button}/", OPTIONS))
    work()
    assert not Run.objects.exists()


def test_a_wrong_limit_is_told(loader: Client, folder: Path) -> None:
    fields = {"file": SimpleUploadedFile("orders.csv", export(*lines(1))), **OPTIONS, "max_rejects": "few"}
    response = loader.post(f"{UPLOADS}add/", fields)
    assert "few" in response.content.decode()
    assert "is neither a number of rows like 500" in response.content.decode()
    assert files(folder) == []
    upload = hand_in(loader)
    work()
    page = text_of(post(loader, f"{UPLOADS}{upload.pk}/check/", OPTIONS | {"max_rejects": "few"}))
    assert "is neither a number of rows like 500" in page
    assert state_of(upload) == "checked"


def test_an_empty_file_and_none_at_all(loader: Client, folder: Path) -> None:
    empty = loader.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile("orders.csv", b""), **OPTIONS})
    assert "The file is empty; not even a header is there." in empty.content.decode()
    none = loader.post(f"{UPLOADS}add/", OPTIONS)
    assert "Choose a file." in none.content.decode()
    assert not folder.exists() or files(folder) == []
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large(loader: Client, folder: Path, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1000
    refused = loader.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile("a.csv", b"x" * 1001), **OPTIONS})
    assert "The file is larger than 1000" in text_of(refused.content.decode())
    assert files(folder) == []
    refused = loader.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile("a.csv", b"x" * 1_100_000), **OPTIONS})
    assert refused.status_code == 413
    assert "The file is larger than 1000" in text_of(refused.content.decode())
    assert files(folder) == []
    hand_in(loader)


def test_scripts_get_a_sentence_or_an_address(loader: Client) -> None:
    accept = {"Accept": "application/json"}
    done = loader.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile("a.csv", b"x"), **OPTIONS}, headers=accept)
    assert done.json() == {"page": f"{UPLOADS}{Upload.objects.get().pk}/change/"}
    refused = loader.post(f"{UPLOADS}add/", OPTIONS, headers=accept)
    assert refused.json() == {"refused": "Choose a file."}


def test_a_forged_request_hands_nothing_in(folder: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("lo", staff=True, permissions=RIGHTS))
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', get(strict, f"{UPLOADS}add/"))[-1]
    fields = {"file": SimpleUploadedFile("a.csv", export(*lines(1))), **OPTIONS}
    assert strict.post(f"{UPLOADS}add/", fields).status_code == 403
    assert files(folder) == []
    fields = {"file": SimpleUploadedFile("a.csv", export(*lines(1))), **OPTIONS, "csrfmiddlewaretoken": token}
    assert strict.post(f"{UPLOADS}add/", fields).status_code == 302


def test_two_files_in_one_request(loader: Client, folder: Path) -> None:
    both = [SimpleUploadedFile("a.csv", export(*lines(1))), SimpleUploadedFile("b.csv", export(*lines(2)))]
    loader.post(f"{UPLOADS}add/", {"file": both[0], "other": both[1], **OPTIONS})
    assert Upload.objects.get().file == "a.csv"
    assert [path.read_bytes() for path in files(folder)] == [export(*lines(1))]


def test_a_folder_that_cannot_be_written(loader: Client, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").write_text("")
    settings.UPLOAD_FOLDER = tmp_path / "file" / "uploads"
    response = loader.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile("a.csv", b"x"), **OPTIONS})
    assert response.status_code == 507
    assert "The server cannot keep the file: Not a directory." in text_of(response.content.decode())


def test_without_a_worker_the_page_says_so(loader: Client) -> None:
    upload = hand_in(loader)
    assert "No worker is running" in page_of(loader, upload)
    assert "python manage.py load_uploads" in page_of(loader, upload)
    answer = loader.get(f"{UPLOADS}{upload.pk}/state/").json()
    assert answer["state"] == "waiting"
    assert "No worker is running" in answer["doing"]
    work()
    assert loader.get(f"{UPLOADS}{upload.pk}/state/").json() == {"state": "checked", "doing": ""}


def test_a_file_that_is_gone(loader: Client, folder: Path) -> None:
    upload = hand_in(loader)
    for path in files(folder):
        path.unlink()
    work()
    assert state_of(upload) == "failed"
    assert "The file is not in the folder of uploads of the worker" in page_of(loader, upload)
    assert str(folder) not in page_of(loader, upload)


def test_forgotten_uploads_are_cleared_up(loader: Client, folder: Path) -> None:
    old, loaded, fresh = (hand_in(loader, *lines(n)) for n in (1, 2, 3))
    work()
    press(loader, loaded, "load")
    work()
    Upload.objects.exclude(pk=fresh.pk).update(changed_at=old.uploaded_at - KEPT)
    stray = folder / ("0" * 32 + ".part")
    others = folder / "somebody-elses.csv"
    for path in (stray, others):
        path.write_bytes(b"x")
    for path in folder.iterdir():
        long_ago = time.time() - timedelta(days=8).total_seconds()
        os.utime(path, (long_ago, long_ago))
    work()

    assert set(Upload.objects.values_list("pk", flat=True)) == {loaded.pk, fresh.pk}
    fresh.refresh_from_db()
    assert fresh.content is not None
    assert {path.name for path in files(folder)} == {fresh.content.hex, others.name}
    assert "There is no upload" in said(text := get_followed(loader, f"{UPLOADS}{old.pk}/change/")), text


def get_followed(client: Client, path: str) -> str:
    return client.get(path, follow=True).content.decode()


def test_erased_customers_are_in_no_report(loader: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    bad = line(9, customer_id="1001", order_id="x")
    before = hand_in(loader, *lines(1, 2), bad, max_rejects="50%")
    work()
    assert "1001" in str(Upload.objects.get(pk=before.pk).examples)
    erase_customer("services", 1001, reason="a letter", actor="lo")
    after = hand_in(loader, *lines(4, 5), bad, max_rejects="50%", name="after.csv")
    work()

    assert Upload.objects.get(pk=before.pk).examples == []
    shown: list[dict[str, Any]] = Upload.objects.get(pk=after.pk).examples
    assert "1001" not in str(shown)
    assert "[erased]" in shown[0]["raw"]
