"""Tokens: made by the command, used through the API; what they may do, and when they end."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Correction
from catalog.tokens import ApiToken, make_token
from tests.conftest import RunManage
from tests.factories import make_order, make_user
from tests.read_side import ORDERS

pytestmark = pytest.mark.django_db

CORRECTION = {"field": "website", "value": "AVDD-NL", "reason": "seen on the invoice"}


def header(secret: str, scheme: str = "Token") -> dict[str, str]:
    return {"Authorization": f"{scheme} {secret}"}


def superuser() -> User:
    return User.objects.create_superuser("root", password=None)


def correct(secret: str) -> Any:
    """The answer to whoever corrects order 1 with a token."""
    path = f"{ORDERS}services/1/corrections/"
    return Client().post(path, CORRECTION, content_type="application/json", headers=header(secret))


def refusal(client: Client, secret: str) -> str:
    response = client.get(ORDERS, headers=header(secret))
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
    return str(response.json()["detail"])


@pytest.mark.parametrize("scheme", ["Token", "token", "Bearer", "bearer"])
def test_a_token_is_enough(client: Client, scheme: str) -> None:
    secret = make_token(make_user(), name="report")
    assert client.get(ORDERS, headers=header(secret, scheme)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ("Token nonsense", "not known here"),
        ("Bearer nonsense", "not known here"),
        ("Token", "No credentials"),
        ("Token a b", "should not contain spaces"),
        ("Token \xff", "invalid characters"),
    ],
)
def test_a_wrong_one_is_401(client: Client, sent: str, sentence: str) -> None:
    response = client.get(ORDERS, headers={"Authorization": sent})
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
    assert response.headers["WWW-Authenticate"] == sent.split(maxsplit=1)[0]
    assert sentence in response.json()["detail"]


def test_only_a_hash_is_kept() -> None:
    secret = make_token(make_user(), name="report")
    token = ApiToken.objects.get()
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    kept = " ".join(map(str, ApiToken.objects.values_list().get()))
    assert secret not in kept
    assert secret.startswith(token.hint)
    assert len(secret) - len(token.hint) > 35


def test_the_hour_of_its_latest_use_is_known_for_one_write_an_hour(client: Client) -> None:
    secret = make_token(make_user(), name="report")

    def written() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(ORDERS, headers=header(secret)).status_code == 200
        return len([query for query in asked if query["sql"].startswith("UPDATE")])

    assert written() == 1
    token = ApiToken.objects.get()
    assert token.used_at is not None
    assert (token.used_at.minute, token.used_at.second, token.used_at.microsecond) == (0, 0, 0)
    assert timedelta() <= timezone.now() - token.used_at < timedelta(hours=1, seconds=10)
    assert [written(), written()] == [0, 0]
    ApiToken.objects.update(used_at=timezone.now() - timedelta(hours=1, minutes=1))
    assert [written(), written()] == [1, 0]


def test_it_is_looked_up_with_its_user_in_one_query(client: Client) -> None:
    secret = make_token(make_user(), name="report")
    client.get(ORDERS, headers=header(secret))
    with CaptureQueriesContext(connection) as asked:
        client.get(ORDERS, headers=header(secret))
    assert len([query for query in asked if "token" in query["sql"] or "auth_" in query["sql"]]) == 1


@contextlib.contextmanager
def somebody_writes() -> Iterator[None]:
    """Another connection in the middle of a transaction that writes."""
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
def test_noting_its_use_never_waits_for_a_load(client: Client) -> None:
    secret = make_token(make_user(), name="report")
    with somebody_writes():
        began = timezone.now()
        assert client.get(ORDERS, headers=header(secret)).status_code == 200
        assert timezone.now() - began < timedelta(seconds=5)
        assert ApiToken.objects.get().used_at is None
    assert client.get(ORDERS, headers=header(secret)).status_code == 200
    assert ApiToken.objects.get().used_at is not None
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


def test_it_ends_when_it_is_revoked_or_expires_or_its_user_goes(client: Client) -> None:
    user = make_user()
    revoked, kept = (make_token(user, name=name) for name in ("a", "b"))
    assert ApiToken.objects.filter(name="a").revoke(actor="root") == 1
    assert refusal(client, revoked) == "This token was revoked; ask for a new one."
    assert client.get(ORDERS, headers=header(kept)).status_code == 200
    ApiToken.objects.filter(name="b").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "This token expired at 20" in refusal(client, kept)
    ApiToken.objects.filter(name="b").update(expires_at=timezone.now() + timedelta(days=1))
    assert client.get(ORDERS, headers=header(kept)).status_code == 200
    User.objects.update(is_active=False)
    assert "may not sign in any more" in refusal(client, kept)


def test_a_name_is_free_again_when_its_token_is_revoked() -> None:
    user = make_user()
    first = make_token(user, name="report")
    ApiToken.objects.revoke(actor="root")
    assert make_token(user, name="report") != first


def test_a_token_may_do_what_its_user_may() -> None:
    make_order(1)
    steward, nobody = make_user("s"), make_user("n")
    steward.groups.set(Group.objects.filter(name="steward"))
    assert correct(make_token(nobody, name="x")).status_code == 403
    assert correct(make_token(steward, name="x")).status_code == 201
    assert Correction.objects.get().made_by.actor == "s"


@pytest.mark.parametrize(("scope", "status"), [("viewer", 403), ("loader", 403), ("steward", 201), ("", 201)])
def test_a_narrowed_token_may_do_no_more_than_its_group(scope: str, status: int) -> None:
    make_order(1)
    assert correct(make_token(superuser(), name="x", scope=scope)).status_code == status
    assert Correction.objects.count() == (status == 201)


def test_a_narrowed_token_may_do_no_more_than_its_user() -> None:
    make_order(1)
    assert correct(make_token(make_user(), name="x", scope="steward")).status_code == 403


def test_without_its_group_a_narrowed_token_only_reads(client: Client) -> None:
    make_order(1)
    secret = make_token(superuser(), name="x", scope="steward")
    Group.objects.all().delete()
    assert correct(secret).status_code == 403
    assert client.get(ORDERS, headers=header(secret)).status_code == 200


def test_the_header_wins_over_a_session(client: Client) -> None:
    make_order(1)
    root = superuser()
    client.force_login(root)
    headers = header(make_token(root, name="x", scope="viewer"))
    path = f"{ORDERS}services/1/corrections/"
    assert client.post(path, CORRECTION, content_type="application/json", headers=headers).status_code == 403
    assert client.post(path, CORRECTION, content_type="application/json").status_code == 201


def test_a_token_is_no_login_to_the_admin(client: Client) -> None:
    headers = header(make_token(superuser(), name="x"))
    assert client.get("/admin/", headers=headers).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_a_token_that_works(run_manage: RunManage, client: Client) -> None:
    make_user("ana")
    done = run_manage("create_token", "ana", "--name", "nightly", "--group", "viewer", "--expires-in-days", "30")
    assert (done.returncode, done.stderr) == (0, "")
    assert client.get(ORDERS, headers=header(done.stdout.strip())).status_code == 200
    token = ApiToken.objects.get()
    assert (token.name, token.scope, str(token.user)) == ("nightly", "viewer", "ana")
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    ("arguments", "sentence", "code"),
    [
        (("bob", "--name", "x"), "There is no user 'bob'", 1),
        (("ana", "--name", "taken"), "There is a token of this name already", 1),
        (("ana", "--name", "x" * 61), "at most 60 characters", 1),
        (("ana", "--name", ""), "cannot be blank", 1),
        (("ana", "--name", "x", "--group", "boss"), "invalid choice: 'boss'", 2),
        (("ana", "--name", "x", "--expires-in-days", "-5"), "--expires-in-days must be from 1 to 36500.", 2),
        (("ana",), "required: --name", 2),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_is_wrong(
    run_manage: RunManage, arguments: tuple[str, ...], sentence: str, code: int
) -> None:
    make_token(make_user("ana"), name="taken")
    done = run_manage("create_token", *arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert ApiToken.objects.count() == 1
