"""Uploads through gunicorn, as in production; and who may do what with them, held against docs/access.md."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from ingestion.upload_models import Upload
from tests.factories import make_user
from tests.serving import serving
from tests.site.test_access import table
from tests.uploading import until

ADDRESSES = table("Uploads in the admin")
PEOPLE = table("Members of staff")
ADD = "/admin/ingestion/upload/add/"


def client_for(kind: str) -> Client:
    """How somebody of a kind asks."""
    client = Client()
    if kind == "superuser":
        client.force_login(User.objects.create_superuser("root", password=None))
    elif kind != "stranger":
        user = make_user("ana", staff="nobody" not in kind)
        if group := re.fullmatch(r"staff in (\w+)", kind):
            user.groups.add(Group.objects.get(name=group[1]))
        client.force_login(user)
    return client


def answer(client: Client, method: str, path: str) -> str:
    """What the site does: `yes` where it goes on, or why not."""
    response = client.generic(method, path)
    if response.status_code == 302 and response.headers["Location"].startswith("/admin/login/"):
        return "login"
    return str(response.status_code) if response.status_code in (403, 405) else "yes"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", PEOPLE)
def test_everyone_may_do_just_what_the_tables_say(kind: str) -> None:
    now = timezone.now()
    upload = Upload.objects.create(file="x", size=1, uploaded_by="lo", uploaded_at=now, changed_at=now)
    client = client_for(kind)
    said, done = {}, {}
    for address, needs in ADDRESSES.items():
        for method in ("GET", "POST"):
            if needs[method] == "-" and address.endswith("/upload/"):
                # A list of the admin takes both for the same.
                continue
            has = "405" if needs[method] == "-" else PEOPLE[kind][needs[method]]
            said[method, address] = "login" if PEOPLE[kind]["see"] == "login" else has
            done[method, address] = answer(client, method, address.replace("<pk>", str(upload.pk)))
    assert done == said


@pytest.mark.django_db
def test_the_table_names_every_kind_of_member() -> None:
    groups = {f"staff in {name}" for name in Group.objects.values_list("name", flat=True)}
    assert {"stranger", "nobody of staff", "staff without group", "superuser", *groups} == set(PEOPLE)


@pytest.fixture
def cookie(transactional_db: None) -> str:
    """The cookies of somebody who may upload, and whose request is read in search of the token against forgery."""
    client = Client()
    client.force_login(make_user("lo", staff=True, permissions=("add_upload", "view_upload")))
    session = settings.SESSION_COOKIE_NAME
    return f"{session}={client.cookies[session].value}; {settings.CSRF_COOKIE_NAME}={'a' * 32}"


@contextmanager
def sending(port: int, cookie: str, length: int) -> Iterator[socket.socket]:
    """The beginning of a request that announces so many bytes."""
    head = (
        f"POST {ADD} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n"
        "Accept: application/json\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode())
        yield connection


def test_what_is_too_large_is_refused_before_it_is_sent(
    cookie: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        serving(environment, UPLOAD_LIMIT="1MB", UPLOAD_FOLDER=str(tmp_path / "uploads")) as port,
        sending(port, cookie, 5 << 20) as connection,
    ):
        reply = connection.recv(1 << 16)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert not (tmp_path / "uploads").exists()


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_what_breaks_off_leaves_nothing(cookie: str, environment: dict[str, str], tmp_path: Path, how: str) -> None:
    folder = tmp_path / "uploads"
    with serving(environment, UPLOAD_FOLDER=str(folder)) as port:
        with sending(port, cookie, 2 << 20) as connection:
            head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            connection.sendall(head + b"order_id\n" * 120_000)
            until(lambda: folder.exists() and any(folder.iterdir()))
            if how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not any(folder.iterdir()))
    assert not Upload.objects.exists()
