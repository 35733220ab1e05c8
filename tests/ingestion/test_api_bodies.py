"""The bodies of requests that change something: nothing in them passes unread."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from catalog.api.schema import errors
from catalog.models import Change, Correction, ValueRule
from ingestion.models import RejectedRow
from tests.conftest import ROOT
from tests.factories import make_conflict, make_order, make_reject, make_run, make_user

pytestmark = pytest.mark.django_db

RULE = {"field": "voucher_status", "old": "EXPRIED", "new": "EXPIRED", "reason": "a typing error"}
FIX = {"field": "website", "value": "VVBE", "reason": "seen on the invoice"}
WHY = {"reason": "so"}


@pytest.fixture
def client() -> APIClient:
    """Somebody who may do everything."""
    client = APIClient(raise_request_exception=False)
    user = make_user("ana")
    user.groups.set(Group.objects.all())
    client.force_authenticate(user)
    return client


@pytest.fixture
def addresses() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every address that takes a POST, with a body that would do."""
    order = make_order(1)
    conflict = make_conflict(order, "order_status", "NEW", "LOST")
    rules = [ValueRule.objects.create(**RULE | {"old": old}, active=old == "B") for old in "AB"]
    run = make_run()
    make_reject(run, 2, ("not_a_code", "website"))
    corrections, rejects = "orders/services/1/corrections/", f"runs/{run.pk}/rejects/2/"
    return {
        "correct": (corrections, FIX),
        "retire": (f"{corrections}{conflict.pk}/retire/", WHY),
        "keep": (f"conflicts/{conflict.pk}/keep/", WHY),
        "take_source": (f"conflicts/{conflict.pk}/take_source/", WHY),
        "rule": ("rules/", RULE),
        "on": (f"rules/{rules[0].pk}/on/", {}),
        "off": (f"rules/{rules[1].pk}/off/", WHY),
        "undo": (f"runs/{run.pk}/undo/", {}),
        "repair": (f"{rejects}repair/", {"website": "VVNL"}),
        "dismiss": (f"{rejects}dismiss/", WHY),
    }


def state() -> list[Any]:
    """What a body that is refused must leave alone."""
    corrections = Correction.objects.order_by("id").values_list("id", "ended_by", "conflict_by")
    rules = ValueRule.objects.order_by("id").values_list("id", "active")
    return [*corrections, *rules, Change.objects.count(), *RejectedRow.objects.values_list("state")]


POSTS = ("correct", "retire", "keep", "take_source", "rule", "on", "off", "undo", "repair", "dismiss")


def send(client: APIClient, path: str, body: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


@pytest.mark.parametrize("name", POSTS)
def test_a_field_that_is_not_known_is_refused(client: APIClient, addresses: dict[str, Any], name: str) -> None:
    path, body = addresses[name]
    before = state()
    for slip in ("dry-run", "sinse", "active", "code", "\ud800", "\x1b[31m\u202e", "x" * 5_000):
        answer = send(client, path, json.dumps(body | {slip: True}))

        assert answer.status_code == 400, (slip, answer.content)
        said = answer.json()
        assert said["code"] == "invalid"
        [(key, [sentence])] = [(key, text) for key, text in said.items() if key != "code"]
        assert key in (slip, "non_field_errors", "'\\ud800'", "'\\x1b[31m\\u202e'", f"'{'x' * 59}…'")
        assert "Unknown" in sentence
        assert "llowed" in sentence
    assert state() == before


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("body", ["[]", '["reason"]', '"text"', "7", "true", "null"])
def test_a_body_that_is_no_object_is_refused(
    client: APIClient, addresses: dict[str, Any], name: str, body: str
) -> None:
    before = state()

    answer = send(client, addresses[name][0], body)

    assert answer.status_code == 400, answer.content
    assert answer.json() == {"non_field_errors": ["The body must be a JSON object."], "code": "invalid"}
    assert state() == before


@pytest.mark.parametrize("name", POSTS)
def test_nothing_that_is_echoed_breaks_the_answer(client: APIClient, addresses: dict[str, Any], name: str) -> None:
    path, body = addresses[name]
    if body:
        answer = send(client, path, json.dumps(dict.fromkeys(body, "\ud800\x00\u202e")))

        assert answer.status_code == 400, answer.content
        assert "\u202e" not in answer.content.decode()


def test_the_nearest_name_and_what_is_allowed_are_told(client: APIClient, addresses: dict[str, Any]) -> None:
    answers = {
        name: send(client, addresses[name][0], json.dumps(addresses[name][1] | {slip: "x"})).json()[slip]
        for name, slip in (("correct", "sinse"), ("rule", "active"), ("on", "dry_run"), ("repair", "websit"))
    }

    assert answers["correct"] == ["Unknown field. Did you mean 'since'? Allowed: reason, field, value, since."]
    assert answers["rule"] == ["Unknown field. Allowed: field, old, new, reason."]
    assert answers["on"] == ["Unknown field. Nothing is allowed in the body."]
    assert answers["repair"][0].startswith("Unknown column. Did you mean 'website'? Allowed: order_id, source, ")


@pytest.mark.parametrize(
    ("name", "field", "value", "sentence"),
    [
        *[("undo", "dry_run", value, "Must be a valid boolean.") for value in (1, 0, "true", "no", [1])],
        ("correct", "reason", 7, "Not a valid string."),
        ("correct", "value", 7, "Give a text: website is a code."),
        ("repair", "order_date", 7, "Give a text: order_date is a timestamp."),
        ("rule", "old", True, "Not a valid string."),
    ],
)
def test_each_type_of_json_has_its_own_meaning(
    client: APIClient, addresses: dict[str, Any], name: str, field: str, value: Any, sentence: str
) -> None:
    path, body = addresses[name]
    before = state()

    answer = send(client, path, json.dumps(body | {field: value}))

    assert (answer.status_code, answer.json()) == (400, {field: [sentence], "code": "invalid"})
    assert state() == before


def test_a_slip_and_other_errors_are_told_together(client: APIClient, addresses: dict[str, Any]) -> None:
    answer = send(client, addresses["correct"][0], json.dumps({"feild": "website", "value": True, "reason": "so"}))

    assert set(answer.json()) == {"feild", "field", "value", "code"}


def test_the_form_of_a_browser_is_understood(client: APIClient, addresses: dict[str, Any]) -> None:
    for name in ("on", "off", "undo", "correct"):
        path, body = addresses[name]
        form = {key: str(value) for key, value in body.items()} | {"csrfmiddlewaretoken": "x"}
        assert client.post(f"/api/v1/{path}", form, format="multipart").status_code in (200, 201, 409), name


@pytest.mark.parametrize("name", POSTS)
def test_what_is_nested_too_deeply_is_refused(client: APIClient, addresses: dict[str, Any], name: str) -> None:
    before = state()
    for body in ("[" * 1000 + "]" * 1000, '{"reason":' * 5_000 + "1" + "}" * 5_000, "[" * 100_000):
        answer = send(client, addresses[name][0], body)

        assert answer.status_code == 400, answer.content
        assert answer.json() == {"detail": "JSON parse error - The body is nested too deeply.", "code": "parse_error"}
    assert state() == before


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_too_long_is_told_how_long_it_may_be(client: APIClient, settings: Any, kind: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000
    body = json.dumps(RULE | {"reason": "x" * 20_000})

    answer = client.post("/api/v1/rules/", body, content_type=kind)

    sentence = "The body has more than the 20,000 bytes that it may have."
    assert (answer.status_code, answer.json()) == (413, {"detail": sentence, "code": "body_too_large"})


def test_how_long_a_body_may_be_is_as_documented(settings: Any) -> None:
    limit = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"

    assert f"| 413 | `body_too_large` | a body of more than {limit} |" in (ROOT / "docs" / "api.md").read_text()
    assert limit in errors.ERRORS["BodyTooLarge"].examples["body_too_large"]["detail"]
