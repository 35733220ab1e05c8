"""Rejected records whose quotation marks are broken: nobody knows their fields, so none is offered."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from rest_framework.test import APIClient

from catalog.contract import NAMES
from tests.factories import make_user
from tests.loading import WriteFile, line, row, rows
from tests.repairing import export, load, repair, row_on, states

pytestmark = pytest.mark.django_db(transaction=True)

BROKEN = {
    "nothing but an open quotation": ('"a,b', "unclosed_quote"),
    "a further field is opened": (line(2) + ',"x', "unclosed_quote"),
    "the last field is opened": (line(2, payment_date='"'), "unclosed_quote"),
    "a quotation ends within a field": (line(2, website='"VV"NL'), "bad_quote"),
    "and does so after all fields": (line(2) + ',"x"y', "bad_quote"),
}


@pytest.mark.parametrize(("raw", "code"), BROKEN.values(), ids=BROKEN)
def test_a_record_with_a_broken_quotation_has_no_fields(write: WriteFile, tmp_path: Path, raw: str, code: str) -> None:
    run = load(write(line(1), raw))
    exported = export(run, tmp_path)
    assert [(r["reject_codes"], {r[name] for name in NAMES}) for r in exported] == [(code, {""})]

    done = repair(run, tmp_path, exported)

    assert (done.figures(), states(run), rows()) == ({"read": 1, "rejected": 1}, {3: "open"}, [row(1)])


def test_the_admin_and_the_api_offer_none_either(write: WriteFile) -> None:
    run = load(write(line(1), '"a,b'))
    user = make_user("steward", staff=True, permissions=("view_run", "view_rejectedrow", "change_rejectedrow"))
    browser, program = Client(), APIClient()
    browser.force_login(user)
    program.force_authenticate(user)
    listed, number = "/admin/ingestion/rejectedrow/", row_on(run, 3).pk

    page = browser.get(f"{listed}{number}/change/")
    many = browser.post(listed, {"action": "repair_selected", "_selected_action": [number]})
    answer = program.post(f"/api/v1/runs/{run}/rejects/3/repair/", {"website": "VVNL"})

    assert "cannot be split into fields, so these are empty" in page.content.decode()
    assert "put it right on its own page" in many.content.decode()
    assert (answer.status_code, answer.json()["order_id"]) == (400, ["order_id is required and missing."])
