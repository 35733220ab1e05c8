"""Rejected rows put right and dismissed through the API."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import Order
from ingestion.models import RejectedRow, Run
from ingestion.repair import dismiss
from tests.factories import make_reject, make_run, make_user
from tests.loading import WriteFile, line, lines, row, rows
from tests.processes import load_lock
from tests.repairing import load, row_on, states

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(name: str, *permissions: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_user(name, permissions=permissions))
    return client


@pytest.fixture
def steward(transactional_db: None) -> APIClient:
    return client_of("steward", "change_rejectedrow")


def url(run: int, number: int, what: str = "") -> str:
    return f"/api/v1/runs/{run}/rejects/{number}/" + (f"{what}/" if what else "")


def post(client: APIClient, path: str, status: int = 200, **data: Any) -> dict[str, Any]:
    response = client.post(path, data)
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_a_row_is_put_right_by_the_texts_that_are_wrong(steward: APIClient, write: WriteFile) -> None:
    run = load(write(line(1), line(2, website="VV NL", customer_id="1e5", voucher_id="x")))
    path = url(run, 3, "repair")

    said = post(steward, path, 400, website="VVBE", voucher_id=None)
    assert said == {
        "customer_id": ["'1e5' is not a whole number; only the digits 0 to 9 are allowed."],
        "code": "invalid",
    }
    answer = post(steward, path, website="VVBE", voucher_id=None, customer_id=77)

    done = Run.objects.get(kind="repair")
    assert rows() == [row(1), row(2, website="VVBE", voucher_id=None, customer_id=77)]
    assert answer["reject"] == steward.get(url(run, 3)).json()
    assert (answer["reject"]["state"], answer["reject"]["repaired_by"]) == ("repaired", done.pk)
    assert (answer["reject"]["settled_by"], done.actor) == ("steward", "steward")
    figures = {name: answer["run"][name] for name in ("id", "kind", "repairs", "repaired", "inserted", "rejected")}
    assert figures == {"id": done.pk, "kind": "repair", "repairs": run, "repaired": 1, "inserted": 1, "rejected": 0}
    again = post(steward, path, 409, website="VVFR", customer_id="77", voucher_id="")
    assert again["code"] == "settled_already"
    assert again["detail"] == f"Line 3 of run {run} was repaired by steward in run {done.pk} already."
    assert Order.objects.get(order_id=2).website == "VVBE"


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"websit": "VVBE"}, "websit", "Unknown column. Did you mean 'website'?"),
        ({"website": True}, "website", "Give a text"),
        ({"website": ["VVBE"]}, "website", "Give a text"),
        ({"website": None}, "website", "website is required and missing."),
        ({"website": "VVBE", "order_date": "2018-02-30 10:00:00"}, "order_date", "not a date and time that exists"),
    ],
)
def test_what_does_not_keep_the_contract_is_told_by_field(
    steward: APIClient, write: WriteFile, given: dict[str, Any], field: str, sentence: str
) -> None:
    run = load(write(line(1, website="V V")))
    said = post(steward, url(run, 2, "repair"), 400, **given)
    assert sentence in said[field][0]
    assert (states(run), rows()) == ({2: "open"}, [])


def test_a_body_that_is_no_object_is_refused(steward: APIClient, write: WriteFile) -> None:
    run = load(write(line(1, website="V V")))
    assert steward.post(url(run, 2, "repair"), ["website"], format="json").status_code == 400


def test_a_record_that_cannot_be_split_needs_every_field(steward: APIClient, write: WriteFile) -> None:
    run = load(write("1,services"))
    assert "order_id" in post(steward, url(run, 2, "repair"), 400, website="VVBE")
    names: dict[str, Any] = {"order_id": 1, "source": "a", "customer_id": 2, "website": "b", "order_status": "c"}
    post(steward, url(run, 2, "repair"), **names, order_date="2018-07-12 17:33:04")
    assert states(run) == {2: "repaired"}


def test_dismissing_needs_a_reason(steward: APIClient, write: WriteFile) -> None:
    run = load(write(line(1, website="V V")))
    assert "reason" in post(steward, url(run, 2, "dismiss"), 400, reason=" ")

    answer = post(steward, url(run, 2, "dismiss"), reason="a test order")

    assert (answer["state"], answer["settled_by"], answer["note"]) == ("dismissed", "steward", "a test order")
    assert answer["settled_at"]
    again = post(steward, url(run, 2, "dismiss"), 409, reason="another")
    assert (again["code"], row_on(run, 2).note) == ("settled_already", "a test order")


def test_a_load_under_way_is_a_conflict(steward: APIClient, write: WriteFile, database_url: str) -> None:
    run = load(write(line(1, website="V V")))
    with load_lock(database_url):
        answer = post(steward, url(run, 2, "repair"), 409, website="VVNL")
    assert answer["code"] == "locked"
    assert "holds the load lock" in answer["detail"]
    assert list(Run.objects.values_list("pk", flat=True)) == [run], "who tries again leaves no trace each time"


def test_of_a_file_that_is_not_loaded_nothing_can_be_repaired(steward: APIClient) -> None:
    run = make_run(status="refused", change=None)
    make_reject(run, 2, ("not_a_code", "website"), raw=line(1))
    answer = post(steward, url(run.pk, 2, "repair"), 409, website="VVNL")
    assert answer["code"] == "not_loaded"
    assert answer["detail"].startswith(f"Run {run.pk} was refused: nothing of its file is loaded.")


def test_those_who_may_only_look_change_nothing(write: WriteFile) -> None:
    run = load(write(line(1, website="V V")))
    viewer = client_of("viewer", "view_rejectedrow")
    for what, data in (("repair", {"website": "VVNL"}), ("dismiss", {"reason": "x"})):
        assert post(viewer, url(run, 2, what), 403, **data)["code"] == "permission_denied"
        assert APIClient().post(url(run, 2, what), data).status_code == 401
    assert viewer.get(url(run, 2)).json()["state"] == "open"
    assert post(viewer, url(run, 2), 405)["code"] == "method_not_allowed"


def test_what_is_not_there(steward: APIClient) -> None:
    run = make_run().pk
    for path in (url(run, 9, "repair"), url(run, 9, "dismiss"), url(99, 2, "repair")):
        assert post(steward, path, 404, reason="x")["code"] == "not_found"
    assert steward.get(url(run, 9)).json()["detail"] == f"Run {run} rejected no line 9."


def test_rows_are_filtered_by_state(steward: APIClient, write: WriteFile) -> None:
    run = load(write(*lines(1, 2, 3, website="V V")))
    post(steward, url(run, 2, "repair"), website="VVNL")
    dismiss(RejectedRow.objects.filter(line=3, run=run), actor="ana", reason="x")

    def found(**query: str) -> list[int]:
        answer = steward.get(f"/api/v1/runs/{run}/rejects/", query).json()
        return [reject["line"] for reject in answer["results"]]

    assert found() == [2, 3, 4]
    assert found(state="open") == [4]
    assert found(state__in="repaired,dismissed") == [2, 3]
    said = steward.get(f"/api/v1/runs/{run}/rejects/", {"state": "opne"})
    assert (said.status_code, "Did you mean 'open'?" in said.json()["state"][0]) == (400, True)


def test_the_page_for_people_takes_json_alone(steward: APIClient, write: WriteFile) -> None:
    """The empty inputs of a form would say that every column is missing."""
    run = load(write(line(1, website="V V")))
    text = steward.get(url(run, 2, "repair"), headers={"accept": "text/html"}).content.decode()

    assert 'name="website"' not in text
    [offered] = re.findall(r'<textarea name="_content".*?>(.*?)</textarea>', text, re.DOTALL)
    assert json.loads(unescape(offered)) == {}
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        answer = steward.post(url(run, 2, "repair"), "website=VVNL", content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    post(steward, url(run, 2, "repair"), website="VVNL")
    assert rows() == [row(1)]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("body", [{"\ud800": "x"}, {"website": "\ud800"}, {"w\udfff": {"\ud800": ["\ud800"]}}])
def test_half_a_character_is_no_name_and_no_value(
    steward: APIClient, write: WriteFile, accept: str, body: dict[str, Any]
) -> None:
    run = load(write(line(1, website="V V")))
    for path in (url(run, 2, "repair"), url(run, 2, "dismiss")):
        answer = steward.post(path, json.dumps(body), content_type="application/json", headers={"accept": accept})
        assert answer.status_code == 400
        assert answer.content.decode()


@pytest.mark.parametrize("what", ["repair", "dismiss", ""])
def test_pages_for_people(steward: APIClient, write: WriteFile, what: str) -> None:
    run = load(write(line(1, website="V V")))
    page = steward.get(url(run, 2, what), headers={"accept": "text/html"})
    assert page.status_code == (405 if what else 200)
