"""Files handed in through the admin, and the worker that takes them up."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from ingestion.upload_models import Upload
from tests.admin_side import get
from tests.conftest import ROOT
from tests.loading import export, lines

UPLOADS = "/admin/ingestion/upload/"
OPTIONS = {"max_rejects": "5%", "max_removals": "1%"}
SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The folder of uploads."""
    settings.UPLOAD_FOLDER = tmp_path / "uploads"
    return tmp_path / "uploads"


def send(client: Client, content: bytes, *, name: str = "orders.csv", **options: str) -> str:
    """Hand a file in as the form does; the address that the answer leads to."""
    response = client.post(f"{UPLOADS}add/", {"file": SimpleUploadedFile(name, content), **OPTIONS, **options})
    assert response.status_code == 302, response.content.decode()
    return response.headers["Location"]


def hand_in(client: Client, *rows: str, name: str = "orders.csv", **options: str) -> Upload:
    """Hand in a file with these rows."""
    address = send(client, export(*(rows or lines(1, 2, 3))), name=name, **options)
    return Upload.objects.get(pk=int(address.split("/")[-3]))


def shown_on(client: Client, upload: Upload) -> str:
    """What the page of an upload says that it shows."""
    shown = set(re.findall(r'name="shown" value="([^"]+)"', get(client, f"{UPLOADS}{upload.pk}/change/")))
    return shown.pop() if shown else ""


def press(client: Client, upload: Upload, button: str, **fields: str) -> None:
    """Press a button of its page, as that is now."""
    response = client.post(f"{UPLOADS}{upload.pk}/{button}/", {"shown": shown_on(client, upload), **fields})
    assert response.status_code == 302, response.content.decode()


def work() -> None:
    """Let a worker do all that waits."""
    call_command("load_uploads", once=True)


def until(found: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def working(environment: dict[str, str], folder: Path, *program: str) -> Iterator[subprocess.Popen[str]]:
    """A worker as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, *(program or [str(ROOT / "manage.py")]), "load_uploads"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment | {"UPLOAD_FOLDER": str(folder)},
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS)
        process.kill()
        process.communicate()
