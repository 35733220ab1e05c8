"""Tokens in the admin: made and shown once, revoked by their owner or an administrator."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.tokens import ApiToken, make_token
from tests.admin_side import client_of, fields_of, get, post, said, text_of
from tests.factories import make_user
from tests.read_side import ORDERS

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/apitoken/"
ADD = f"{LIST}add/"


def administrator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=None))
    return client


def secret_on(page: str) -> str:
    [secret] = set(re.findall(r"oc_[\w-]{43}", page))
    return str(secret)


def make_in_admin(client: Client, **values: str) -> str:
    """The page after a token was made by sending the form."""
    return post(client, ADD, fields_of(get(client, ADD), "name") | values)


def works(secret: str) -> bool:
    status = Client().get(ORDERS, headers={"Authorization": f"Token {secret}"}).status_code
    assert status in (200, 401)
    return status == 200


def test_it_is_shown_once_and_works() -> None:
    ana = client_of("viewer", "ana")
    page = make_in_admin(ana, name="nightly report")
    secret = secret_on(page)
    assert works(secret)
    token = ApiToken.objects.get()
    assert (token.name, token.user.username, token.scope) == ("nightly report", "ana", "")
    for path in (LIST, f"{LIST}{token.pk}/change/"):
        again = get(ana, path)
        assert token.hint in again
        assert secret not in again
        assert token.digest not in again


def test_the_page_that_shows_it_is_kept_nowhere() -> None:
    ana = client_of("viewer", "ana")
    response = ana.post(ADD, fields_of(get(ana, ADD), "name") | {"name": "x"})
    assert "no-store" in response.headers["Cache-Control"]
    assert "oc_" not in str(ana.cookies)


def test_whoever_is_no_superuser_makes_tokens_of_their_own_only() -> None:
    boss = make_user("boss")
    make_in_admin(client_of("steward", "ana"), name="x", user=str(boss.pk))
    assert ApiToken.objects.get().user.username == "ana"


def test_a_superuser_makes_them_for_others() -> None:
    robot = make_user("robot")
    secret = secret_on(make_in_admin(administrator(), name="x", user=str(robot.pk), scope="viewer"))
    token = ApiToken.objects.get()
    assert (token.user, token.scope) == (robot, "viewer")
    assert works(secret)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "taken"}, "There is a token of this name already"),
        ({"name": "x", "scope": "boss"}, "Select a valid choice."),
        ({"name": "x", "expires_at_0": "2018-01-01", "expires_at_1": "00:00"}, "This is in the past"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, str], sentence: str) -> None:
    ana = client_of("viewer", "ana")
    make_token(User.objects.get(username="ana"), name="taken")
    assert sentence in make_in_admin(ana, **values)
    assert ApiToken.objects.count() == 1


def test_everyone_sees_their_own_and_an_administrator_all() -> None:
    ana, bob = client_of("viewer", "ana"), client_of("viewer", "bob")
    make_in_admin(ana, name="token of ana")
    number = ApiToken.objects.get().pk
    assert "token of ana" in get(ana, LIST)
    assert "token of ana" not in get(bob, LIST)
    assert bob.get(f"{LIST}{number}/change/").status_code == 302
    assert "token of ana" in get(administrator(), LIST)


def test_its_owner_revokes_it() -> None:
    ana = client_of("viewer", "ana")
    secret = secret_on(make_in_admin(ana, name="x"))
    number = ApiToken.objects.get().pk
    assert "Revoke this token" in get(ana, f"{LIST}{number}/change/")
    page = post(ana, f"{LIST}{number}/revoke/", {})
    assert said(page) == "1 token is revoked, and refused from now on."
    assert "Revoke this token" not in page
    assert re.search(r"revoked 20\S+ \S+ by ana", text_of(page))
    assert not works(secret)


def test_nobody_else_but_an_administrator_revokes_it() -> None:
    secret = secret_on(make_in_admin(client_of("viewer", "ana"), name="x"))
    number = ApiToken.objects.get().pk
    bob = client_of("loader", "bob")
    assert bob.post(f"{LIST}{number}/revoke/").status_code == 403
    bob.post(LIST, {"action": "revoke_tokens", "_selected_action": [number]})
    assert works(secret)
    assert client_of("viewer", "eve").get(f"{LIST}{number}/revoke/").status_code == 405
    post(administrator(), f"{LIST}{number}/revoke/", {})
    assert not works(secret)


def test_many_are_revoked_at_once() -> None:
    user = make_user("robot")
    secrets = [make_token(user, name=name) for name in "abc"]
    chosen = list(ApiToken.objects.filter(name__in="ab").values_list("pk", flat=True))
    page = post(administrator(), LIST, {"action": "revoke_tokens", "_selected_action": chosen})
    assert said(page) == "2 tokens are revoked, and refused from now on."
    assert [works(secret) for secret in secrets] == [False, False, True]


def test_the_list_tells_those_in_force_from_the_others() -> None:
    user = make_user("robot")
    for name in ("living", "revoked", "expired"):
        make_token(user, name=f"token {name}")
    ApiToken.objects.filter(name="token revoked").revoke(actor="root")
    ApiToken.objects.filter(name="token expired").update(expires_at=timezone.now() - timedelta(days=1))
    root = administrator()
    assert re.findall(r">token (\w+)<", get(root, LIST, state="in_force")) == ["living"]
    assert re.findall(r">token (\w+)<", get(root, LIST, state="ended")) == ["expired", "revoked"]


def test_a_user_with_tokens_can_be_deleted() -> None:
    user = make_user("robot")
    make_token(user, name="x")
    post(administrator(), f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(username="robot").exists()
    assert not ApiToken.objects.exists()
