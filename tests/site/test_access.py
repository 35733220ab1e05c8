"""Who may do what: every address, method and kind of user, held against docs/access.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import Group, User
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from catalog.tokens import ApiToken, make_token
from tests.conftest import ROOT
from tests.factories import make_run

pytestmark = pytest.mark.django_db

TEXT = (ROOT / "docs" / "access.md").read_text()
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
SAFE = ("GET", "HEAD", "OPTIONS")
PREFIXES = ("/api/v1/", "/healthz", "/readyz")
# There is a run, which has rejected nothing; all else that is asked for does not exist, so nothing can be done to it.
RUN = 7
EXAMPLES = {"source": "services", "run": str(RUN)}


def table(title: str) -> dict[str, dict[str, str]]:
    """The rows of the table under a heading: first cell → the name of each other column → cell."""
    lines = TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    names = rows[0][1:]
    found = [(row[0].strip("`"), dict(zip(names, row[1:], strict=True))) for row in rows[2:]]
    assert len({first for first, _ in found}) == len(found), "a row is there twice"
    return dict(found)


ADDRESSES = table("Addresses")
PEOPLE = table("People and tokens")


def addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    """Every address of the site, as the documents write it: `<db_number:pk>` is `<pk>`."""
    for pattern in patterns:
        here = before + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern) and here.startswith(PREFIXES):
            yield here


def test_each_address_is_in_the_table_and_none_besides() -> None:
    assert sorted(ADDRESSES) == sorted(addresses(get_resolver().url_patterns))


def user_named(kind: str) -> User:
    """Somebody of a kind: `superuser`, `user without group` or `user in …`."""
    if kind == "superuser":
        return User.objects.create_superuser("root", password=None)
    user = User.objects.create_user("ana", password=None)
    if group := re.fullmatch(r"user in (\w+)", kind):
        user.groups.add(Group.objects.get(name=group[1]))
    else:
        assert kind == "user without group"
    return user


def client_for(kind: str, settings: Any) -> Client:
    """How somebody of a kind asks."""
    if kind.startswith("stranger"):
        settings.API_ANONYMOUS_READ = "API_ANONYMOUS_READ" in kind
        return Client()
    if not kind.startswith("token "):
        client = Client()
        client.force_login(user_named(kind))
        return client
    if kind in ENDED:
        secret = make_token(User.objects.create_superuser("root", password=None), name="x")
        ENDED[kind]()
    else:
        owner, _, scope = kind.removeprefix("token of ").partition(", narrowed to ")
        secret = make_token(user_named(owner), name="x", scope=scope)
    return Client(headers={"Authorization": f"Token {secret}"})


ENDED: dict[str, Callable[[], object]] = {
    "token that was revoked": lambda: ApiToken.objects.revoke(actor="root"),
    "token that has expired": lambda: ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=1)),
}


def expected(method: str, needs: dict[str, str], has: dict[str, str]) -> str:
    """What the documents say: `yes`, or the status."""
    if needs["GET"] == "open":
        return "yes" if method in ("GET", "HEAD") else "405"
    needed = "read" if method == "OPTIONS" else needs.get("GET" if method == "HEAD" else method, "-")
    if needed != "-":
        return has[needed]
    if has["read"] != "yes" or (has["correct"] == "401" and method not in SAFE):
        return "401"
    return "405"


def answer(client: Client, method: str, address: str) -> str:
    """What the site does: `yes` where it goes on to look at what was asked for, or the status."""
    path = re.sub(r"<(\w+)>", lambda found: EXAMPLES.get(found[1], "1"), address)
    response = client.generic(method, path, "{}", content_type="application/json")
    if response.streaming:
        # An export ends its snapshot of the database when it has been read.
        b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert response.status_code < 500 or address == "/readyz", (method, path)
    if response.status_code == 302 and response.headers["Location"].startswith(resolve_url(site.LOGIN_URL)):
        return "401"
    return str(response.status_code) if response.status_code in (401, 403, 405) else "yes"


@pytest.mark.parametrize("kind", PEOPLE)
def test_everyone_may_do_just_what_the_tables_say(kind: str, settings: Any) -> None:
    make_run(pk=RUN)
    client = client_for(kind, settings)
    asked = [(method, address) for address in ADDRESSES for method in METHODS]
    said = {f"{method} {address}": expected(method, ADDRESSES[address], PEOPLE[kind]) for method, address in asked}
    done = {f"{method} {address}": answer(client, method, address) for method, address in asked}
    assert done == said


def test_the_table_names_every_kind_of_user() -> None:
    groups = sorted(Group.objects.values_list("name", flat=True))
    users = ["superuser", "user without group", *(f"user in {group}" for group in groups)]
    assert {*users, *(f"token of {user}" for user in users)} <= set(PEOPLE)
    assert {f"token of superuser, narrowed to {group}" for group in groups} <= set(PEOPLE)
    assert groups == sorted(ApiToken.Scope.values)
