"""Corrections, conflicts, value rules and histories through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.changes import changing
from catalog.models import Change, Correction, Order, OrderVersion, ValueRule
from catalog.read_only import BoundedPaginator
from tests.factories import make_order, make_orders, make_user

pytestmark = pytest.mark.django_db

ORDER = "/api/v1/orders/services/1/"
CORRECTIONS = f"{ORDER}corrections/"
GIVEN = {"field": "website", "value": "VVBE", "reason": "seen on the invoice"}


def client_of(*groups: str) -> APIClient:
    user = make_user("-".join(groups) or "nobody")
    user.groups.set(Group.objects.filter(name__in=groups))
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def steward() -> APIClient:
    return client_of("steward")


def post(client: APIClient, path: str, status: int = 200, **data: Any) -> dict[str, Any]:
    response = client.post(path, data)
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def conflict(steward: APIClient) -> int:
    """A correction whose source has a third value since."""
    number: int = post(steward, CORRECTIONS, 201, **GIVEN)["id"]
    with changing(Change.Kind.LOAD, "nightly") as change:
        Order.objects.update(source_website="VVFR")
        Correction.objects.update(conflict_by=change)
    return number


def test_line_is_one_of_the_file_that_changed_the_order_last(steward: APIClient) -> None:
    make_order(1)
    assert steward.get(ORDER).json()["line"] == 2

    post(steward, CORRECTIONS, 201, **GIVEN)

    assert (steward.get(ORDER).json()["run"], steward.get(ORDER).json()["line"]) == (None, None)


def test_correction_is_made_shown_and_retired(steward: APIClient) -> None:
    make_order(1)

    made = post(steward, CORRECTIONS, 201, **GIVEN)

    assert (made["order"], made["field"], made["value"], made["base"]) == ("services/1", "website", "VVBE", "VVNL")
    assert (made["made_by"]["actor"], made["made_by"]["reason"]) == ("steward", "seen on the invoice")
    order = steward.get(ORDER).json()
    assert (order["website"], order["source_values"]) == ("VVBE", {"website": "VVNL"})
    assert steward.get(CORRECTIONS).json()["results"] == [made]
    retired = post(steward, f"{CORRECTIONS}{made['id']}/retire/", reason="the invoice was wrong")
    assert (retired["ending"], retired["ended_by"]["reason"]) == ("retired", "the invoice was wrong")
    order = steward.get(ORDER).json()
    assert (order["website"], order["source_values"]) == ("VVNL", {})
    assert post(steward, f"{CORRECTIONS}{made['id']}/retire/", 409, reason="again")["code"] == "ended_already"


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"field": "order_id", "value": 7}, "field", "not a valid choice"),
        ({"field": "source", "value": "x"}, "field", "not a valid choice"),
        ({"field": "customer_id", "value": "1e5"}, "value", "'1e5' is not a whole number"),
        ({"field": "customer_id", "value": None}, "value", "customer_id is required and missing"),
        ({"field": "website", "value": True}, "value", "Give a text"),
        ({"field": "order_date", "value": "2018-02-30 10:00:00"}, "value", "not a date and time that exists"),
        ({"reason": ""}, "reason", "blank"),
        ({"value": "a b"}, "value", "characters other than"),
    ],
)
def test_bad_correction_is_refused(steward: APIClient, given: dict[str, Any], field: str, sentence: str) -> None:
    make_order(1)

    refused = steward.post(CORRECTIONS, GIVEN | given)

    assert refused.status_code == 400, refused.content
    assert sentence in refused.json()[field][0]
    assert not Correction.objects.exists()


def test_a_missing_value_can_be_the_right_one(steward: APIClient) -> None:
    make_order(1)

    made = post(steward, CORRECTIONS, 201, field="payment_date", value=None, reason="never paid")

    assert made["value"] is None
    assert made["base"] == "2018-01-01T01:09:00Z"
    assert steward.get(ORDER).json()["source_values"] == {"payment_date": "2018-01-01T01:09:00Z"}


def test_second_person_is_told(steward: APIClient) -> None:
    make_order(1)
    since = steward.get(ORDER).json()["since"]
    post(steward, CORRECTIONS, 201, **GIVEN, since=since)

    told = post(steward, CORRECTIONS, 409, field="order_status", value="NEW", reason="so", since=since)

    assert told["code"] == "changed_meanwhile"
    assert "by steward" in told["detail"]
    assert Order.objects.get().order_status == "PAID"
    assert post(steward, CORRECTIONS, 409, **GIVEN)["code"] == "no_difference"


@pytest.mark.parametrize("groups", [(), ("viewer",)])
def test_only_stewards_may_change(groups: tuple[str, ...]) -> None:
    make_order(1)
    rule = ValueRule.objects.create(field="website", old="VVNL", new="VVBE", reason="so")
    client = client_of(*groups)
    paths = (CORRECTIONS, f"{CORRECTIONS}1/retire/", "/api/v1/conflicts/1/keep/", "/api/v1/conflicts/1/take_source/")

    for path in (*paths, "/api/v1/rules/", f"/api/v1/rules/{rule.pk}/on/", f"/api/v1/rules/{rule.pk}/off/"):
        assert client.post(path, GIVEN).status_code == 403, path
        assert APIClient().post(path, GIVEN).status_code == 401, path
    for path in (CORRECTIONS, "/api/v1/conflicts/", "/api/v1/rules/", f"{ORDER}history/"):
        assert client.get(path).status_code == 200, path
    assert not Correction.objects.exists()


def test_conflict_is_listed_and_kept(steward: APIClient) -> None:
    make_order(1)
    number = conflict(steward)

    [waiting] = steward.get("/api/v1/conflicts/").json()["results"]

    assert (waiting["id"], waiting["base"], waiting["value"], waiting["source_value"]) == (
        number,
        "VVNL",
        "VVBE",
        "VVFR",
    )
    assert waiting["conflict_by"]["kind"] == "load"
    kept = post(steward, f"/api/v1/conflicts/{number}/keep/", reason="the shop is wrong")
    assert (kept["base"], kept["conflict_by"], kept["ended_by"]) == ("VVFR", None, None)
    assert steward.get("/api/v1/conflicts/").json()["results"] == []
    assert post(steward, f"/api/v1/conflicts/{number}/keep/", 404, reason="again")["code"] == "not_found"


def test_the_value_of_the_source_is_taken_and_not_pinned(steward: APIClient) -> None:
    make_order(1)
    number = conflict(steward)

    refused = post(steward, CORRECTIONS, 409, **GIVEN | {"value": "VVFR"})

    assert refused == {
        "detail": "The source itself says that of website. Retire the correction there, so that the source's value "
        "is taken.",
        "code": "same_as_source",
    }
    assert Correction.objects.get(ended_by=None).pk == number
    post(steward, f"{CORRECTIONS}{number}/retire/", reason="the shop is right")
    assert post(steward, CORRECTIONS, 409, **GIVEN | {"value": "VVFR"})["code"] == "no_difference"


def test_an_order_is_exempt_from_a_rule_by_a_correction_to_what_its_source_says(steward: APIClient) -> None:
    make_order(1)
    rule = ValueRule.objects.create(field="website", old="VVNL", new="VVBE", reason="so")
    post(steward, f"/api/v1/rules/{rule.pk}/on/")

    post(steward, CORRECTIONS, 201, **GIVEN | {"value": "VVNL"})

    assert steward.get(ORDER).json()["website"] == "VVNL"


def test_conflict_decided_for_the_source(steward: APIClient) -> None:
    make_order(1)
    number = conflict(steward)

    decided = post(steward, f"/api/v1/conflicts/{number}/take_source/", reason="the shop is right")

    assert decided["ending"] == "retired"
    assert steward.get(ORDER).json()["website"] == "VVFR"


def test_rule_is_previewed_switched_on_and_off(steward: APIClient) -> None:
    for number, status in ((1, "EXPRIED"), (2, "EXPRIED"), (3, "EXPIRED")):
        make_order(number, voucher_status=status)

    made = post(
        steward, "/api/v1/rules/", 201, field="voucher_status", old="EXPRIED", new="EXPIRED", reason="typing error"
    )

    preview = steward.get(made["url"]).json()
    assert (preview["active"], preview["touches"], preview["examples"]) == (False, 2, ["services/2", "services/1"])
    assert post(steward, f"{made['url']}on/")["changed"] == 2
    assert steward.get(ORDER).json()["voucher_status"] == "EXPIRED"
    assert steward.get(ORDER).json()["source_values"] == {"voucher_status": "EXPRIED"}
    assert post(steward, f"{made['url']}on/", 409)["code"] == "switched_already"
    twin = post(steward, "/api/v1/rules/", 201, field="voucher_status", old="EXPRIED", new="USED", reason="so")
    assert post(steward, f"{twin['url']}on/", 409)["code"] == "rule_exists"
    assert post(steward, f"{made['url']}off/", reason="tried out")["changed"] == 2
    assert steward.get(ORDER).json()["voucher_status"] == "EXPRIED"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"field": "order_id"}, "field"),
        ({"old": ""}, "old"),
        ({"old": "a b"}, "old"),
        ({"new": "EXPRIED"}, "new"),
        ({"field": "website", "new": ""}, "new"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_bad_rule_is_refused(steward: APIClient, given: dict[str, Any], field: str) -> None:
    shipped = ValueRule.objects.count()
    rule = {"field": "voucher_status", "old": "EXPRIED", "new": "EXPIRED", "reason": "typing error"}

    refused = steward.post("/api/v1/rules/", rule | given)

    assert refused.status_code == 400
    assert field in refused.json()
    assert ValueRule.objects.count() == shipped


@pytest.mark.parametrize(("count", "told"), [(60, 60), (61, None)])
def test_the_preview_never_counts_without_a_bound(
    steward: APIClient, monkeypatch: pytest.MonkeyPatch, count: int, told: int | None
) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 60)
    rule = ValueRule.objects.create(field="order_status", old="PAID", new="DONE", reason="so")
    make_orders(count)
    with CaptureQueriesContext(connection) as queries:
        preview = steward.get(f"/api/v1/rules/{rule.pk}/").json()
    assert (preview["touches"], len(preview["examples"])) == (told, 10)
    assert all("LIMIT 61" in q["sql"] for q in queries if "COUNT(" in q["sql"])
    assert post(steward, f"/api/v1/rules/{rule.pk}/on/")["changed"] == count


def test_rules_are_filtered_by_column_and_state(steward: APIClient) -> None:
    ValueRule.objects.all().delete()
    for field, active in (("website", True), ("order_status", False)):
        ValueRule.objects.create(field=field, old="A", new="B", reason="so", active=active)

    def found(query: str, status: int = 200) -> Any:
        answer = steward.get(f"/api/v1/rules/?{query}")
        assert answer.status_code == status, answer.content
        return [rule["field"] for rule in answer.json()["results"]] if status == 200 else answer.json()

    assert found("active=true") == ["website"]
    assert found("active=false") == ["order_status"]
    assert found("active=false&field=website") == []
    assert "not one of true, false" in found("active=1", 400)["active"][0]


def test_history_tells_who_set_what_and_why(steward: APIClient) -> None:
    make_order(1)
    number = conflict(steward)
    post(steward, f"/api/v1/conflicts/{number}/keep/", reason="the shop is wrong")

    kept, corrected, first = steward.get(f"{ORDER}history/").json()

    assert (first["kind"], first["first"], first["values"]) == ("load", True, [])
    assert corrected["values"] == [
        {"field": "website", "before": "VVNL", "after": "VVBE", "source_before": "VVNL", "source_after": "VVFR"}
    ]
    assert (corrected["actor"], corrected["reason"]) == ("steward", "seen on the invoice")
    assert (kept["reason"], kept["values"], kept["events"]) == (
        "the shop is wrong",
        [],
        ["correction of website: kept by a person"],
    )
    assert OrderVersion.objects.count() == 1
    assert steward.get("/api/v1/orders/services/99/history/").status_code == 404
