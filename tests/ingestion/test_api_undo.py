"""Undo of a run through the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.corrections import correct
from catalog.models import Order
from ingestion.models import Run
from tests.factories import make_user
from tests.loading import WriteFile, ingest, lines
from tests.processes import load_lock

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = ["VVNL"] * 3, ["VVBE"] * 4


def client_with(*permissions: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_user("-".join(permissions) or "nobody", permissions=permissions))
    return client


@pytest.fixture
def loader() -> APIClient:
    """Somebody who may undo runs."""
    return client_with("change_run")


@pytest.fixture
def second(write: WriteFile) -> str:
    """The address of the second of two runs, which has changed three orders and brought one."""
    ingest(write(*lines(1, 2, 3)))
    return f"/api/v1/runs/{ingest(write(*lines(1, 2, 3, 4, website='VVBE'), name='second.csv')).report['run']}/"


def undo(client: APIClient, run: str, status: int = 200, **data: Any) -> dict[str, Any]:
    response = client.post(f"{run}undo/", data)
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def websites() -> list[str]:
    return list(Order.objects.order_by("key").values_list("website", flat=True))


def test_undone(loader: APIClient, second: str) -> None:
    done = undo(loader, second)

    assert (done["kind"], done["status"], done["updated"], done["removed"], done["actor"]) == (
        *("undo", "loaded", 3, 1, "change_run"),
    )
    assert loader.get(done["url"]).json() | {"warning": ""} == done
    assert f"/api/v1/runs/{done['undoes']}/" == second
    assert loader.get(second).json()["status"] == "undone"
    assert websites() == BEFORE
    assert undo(loader, second, 409)["code"] == "nothing_to_undo"
    assert undo(loader, done["url"])["updated"] == 3
    assert websites() == AFTER


def test_dry_run(loader: APIClient, second: str) -> None:
    dry = undo(loader, second, dry_run=True)

    assert (dry["id"], dry["url"], dry["orders"], dry["rejects"], dry["status"]) == (None, None, None, None, "dry_run")
    assert (dry["updated"], dry["removed"]) == (3, 1)
    assert (websites(), Run.objects.count()) == (AFTER, 2)


def test_later_loads_that_may_have_confirmed_its_values(loader: APIClient, second: str, write: WriteFile) -> None:
    later = ingest(write(*lines(1, 2, 3, 4, 5, website="VVBE"), name="later.csv")).report["run"]
    sentence = (
        f"1 later load in force (run {later}) found orders unchanged, perhaps some of these. Nothing tells which, so "
        "the undo may give them older values than the latest file has. Load that file again afterwards, with --force "
        "(in the admin: Load again)."
    )

    assert undo(loader, second, dry_run=True)["warning"] == sentence
    assert undo(loader, second)["warning"] == sentence


def test_touched_since(loader: APIClient, second: str) -> None:
    correct(Order.objects.get(order_id=2), "order_status", "CANCELED", actor="ana", reason="seen on the invoice")

    for dry_run in (True, False):
        refused = undo(loader, second, 409, dry_run=dry_run)
        assert refused["code"] == "touched_since"
        assert "services/2" in refused["detail"]
    assert websites() == AFTER
    done = undo(loader, second, keep_touched=True)
    assert (done["updated"], done["unchanged"], websites()) == (2, 1, ["VVNL", "VVBE", "VVNL"])


def test_a_load_under_way_is_named_and_not_waited_for(loader: APIClient, second: str, database_url: str) -> None:
    with load_lock(database_url):
        refused = undo(loader, second, 409)

    assert refused == {
        "detail": "Another load or undo holds the load lock; try again when it has ended.",
        "code": "locked",
    }
    assert websites() == AFTER


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"dryrun": True}, "dryrun", "Unknown field. Did you mean 'dry_run'? Allowed: keep_touched, dry_run."),
        ({"dry_run": "perhaps"}, "dry_run", "Must be a valid boolean."),
        ({"keep_touched": None}, "keep_touched", "This field may not be null."),
    ],
)
def test_a_slip_undoes_nothing(
    loader: APIClient, second: str, given: dict[str, Any], field: str, sentence: str
) -> None:
    assert undo(loader, second, 400, **given) == {field: [sentence], "code": "invalid"}
    assert "dry_run" in loader.post(f"{second}undo/?dry_run=true").json()
    assert websites() == AFTER


def test_who_may(second: str) -> None:
    assert client_with().post(f"{second}undo/").status_code == 403
    assert client_with("view_run", "add_run").post(f"{second}undo/").status_code == 403
    assert APIClient().post(f"{second}undo/").status_code == 401
    loader = client_with("change_run")
    assert loader.get(f"{second}undo/").status_code == 405
    assert undo(loader, f"{second[:-1]}999/", 404)["code"] == "not_found"
    assert loader.post(second, {"status": "undone"}).status_code == 405
    assert websites() == AFTER


def test_half_a_character_is_no_name_of_a_field(loader: APIClient, second: str) -> None:
    answer = loader.post(f"{second}undo/", '{"\\ud800": "x"}', content_type="application/json")
    assert answer.status_code == 400
    assert answer.json() == {"'\\ud800'": ["Unknown field. Allowed: keep_touched, dry_run."], "code": "invalid"}
    assert websites() == AFTER
