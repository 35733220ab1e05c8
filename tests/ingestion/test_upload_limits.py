"""What an upload may cost: unpacked bytes, rejected rows, memory, room in the folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ingestion.models import RejectedRow
from ingestion.reader.batches import OrderReader, ReadOptions
from ingestion.reader.inputs import open_input
from ingestion.upload_models import Upload
from ingestion.uploads import steps
from tests.admin_side import get, text_of
from tests.factories import make_user
from tests.loading import WriteFile, export, ingest, line, lines
from tests.uploading import OPTIONS, UPLOADS, folder, hand_in, press, send, work

__all__ = ("folder",)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]

RIGHTS = ("view_upload", "add_upload", "change_upload", "view_run", "view_rejectedrow")
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.fixture
def loader(client: Client) -> Client:
    """Somebody who may upload and load."""
    client.force_login(make_user("lo", staff=True, permissions=RIGHTS))
    return client


def page_of(client: Client, upload: Upload) -> str:
    return text_of(get(client, f"{UPLOADS}{upload.pk}/change/"))


def sent(client: Client, content: bytes, **options: str) -> Upload:
    """Hand in these bytes."""
    return Upload.objects.get(pk=int(send(client, content, **options).split("/")[-3]))


@pytest.mark.parametrize("kind", PACKED)
def test_what_unpacks_to_too_much_is_refused_before_it_is_read(loader: Client, settings: Any, kind: str) -> None:
    settings.UPLOAD_UNPACKED_LIMIT = 100_000
    bomb = sent(loader, PACKED[kind](export(*["x" * 100] * 50_000)))
    assert bomb.size < 20_000
    work()
    bomb.refresh_from_db()

    assert (bomb.state, bomb.report["read"], bomb.report["stages"]) == ("refused", 0, {})
    page = page_of(loader, bomb)
    assert "orders.csv has more than 100,000 bytes when it is unpacked" in page
    assert "(UPLOAD_UNPACKED_LIMIT). Divide it, or load it on the server with the command ingest_csv." in page
    assert "Load this file" not in page


def test_as_much_as_is_allowed_is_loaded_and_the_run_does_not_repeat_the_limit(loader: Client, settings: Any) -> None:
    settings.UPLOAD_UNPACKED_LIMIT = len(export(*lines(1, 2, 3)))
    upload = sent(loader, gzip.compress(export(*lines(1, 2, 3))))
    work()
    press(loader, upload, "load")
    work()

    upload.refresh_from_db()
    assert upload.run is not None
    assert (upload.state, upload.run.options) == ("loaded", {})
    assert "unpacked" not in page_of(loader, upload)


def test_rejected_rows_that_take_too_much_end_the_reading(loader: Client, settings: Any) -> None:
    settings.UPLOAD_UNPACKED_LIMIT = 50_000
    upload = hand_in(loader, *["x"] * 20_000, max_rejects="100%")
    work()
    upload.refresh_from_db()

    assert (upload.state, len(upload.examples)) == ("refused", 20)
    assert upload.report["rejected"] < 1_000
    page = page_of(loader, upload)
    assert "rejected rows take more than 50,000 bytes with their reasons" in page
    assert "(UPLOAD_UNPACKED_LIMIT). Look at the first of them: is it an export of orders?" in page


def test_lines_of_one_byte_are_not_all_in_memory_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(export(*["x"] * 120_000, *lines(1, 2)))
    with open_input(str(path)) as source:
        found = list(OrderReader(source, ReadOptions(), UTC).batches())

    assert [(batch.read, len(batch.rejects), batch.rows.num_rows) for batch in found] == [
        (50_002, 50_000, 2),
        (50_000, 50_000, 0),
        (20_000, 20_000, 0),
    ]
    numbers = [reject.line for batch in found for reject in batch.rejects]
    assert numbers == list(range(2, 120_002))
    assert sum(batch.bytes for batch in found) == len(export(*["x"] * 120_000, *lines(1, 2))) - len(export())


def test_one_person_fills_the_folder_up_to_a_number_of_files(
    loader: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST_KEPT", 2)
    first, _ = hand_in(loader, *lines(1)), hand_in(loader, *lines(2))
    fields = {"file": SimpleUploadedFile("more.csv", export(*lines(3))), **OPTIONS}
    refused = loader.post(f"{UPLOADS}add/", fields, headers={"Accept": "application/json"})
    assert refused.status_code == 409
    assert "files of yours are kept here already. Have some of them loaded or discarded" in refused.json()["refused"]
    assert len(list(folder.iterdir())) == 2

    press(loader, first, "discard")
    hand_in(loader, *lines(3))


def test_the_command_has_no_such_limit(write: WriteFile, settings: Any) -> None:
    settings.UPLOAD_UNPACKED_LIMIT = 1
    report = ingest(write(*lines(1, 2, 3), line(4, order_id="x")), "--max-rejects=1").report
    assert (report["status"], report["inserted"]) == ("loaded", 3)
    assert RejectedRow.objects.count() == 1
