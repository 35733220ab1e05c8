"""A client that is made from the API's description works against it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from catalog.api.schema.views import description
from catalog.tokens import make_token
from tests.factories import make_orders, make_user

PACKAGE = "order_catalogue_client"

Module = Callable[[str], Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the client was made."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(description(False)))
    # As it comes: what tidies its layout would only take time.
    (folder / "config.yaml").write_text("post_hooks: []")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    paths = ["--path", "openapi.json", "--config", "config.yaml", "--output-path", PACKAGE]
    done = subprocess.run([*command, *paths], cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def module(written: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module of the client by its name."""
    monkeypatch.syspath_prepend(written)
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def client(module: Module, live_server: LiveServer) -> Any:
    """A client of somebody who may correct orders."""
    user = make_user("ana", permissions=("add_correction",))
    token = make_token(user, name="a generated client")
    return module("client").AuthenticatedClient(base_url=live_server.url, token=token, prefix="Token")


def test_list_page_by_page(module: Module, client: Any) -> None:
    make_orders(5)
    orders_list = module("api.orders.orders_list").sync

    query = {"website_in": "VVNL,VVBE", "order_date_gte": date(2018, 1, 1), "ordering": "order_date", "page_size": 3}
    page = orders_list(client=client, **query)

    assert (page.count, page.previous) == (5, None)
    assert [order.order_id for order in page.results] == [1, 2, 3]
    assert page.results[0].order_date.year == 2018
    assert page.results[0].customer_id == 1001
    [cursor] = parse_qs(urlsplit(page.next_).query)["cursor"]
    rest = orders_list(client=client, **query, cursor=cursor)
    assert [order.order_id for order in rest.results] == [4, 5]
    assert rest.next_ is None


def test_flags_and_choices(module: Module, client: Any) -> None:
    make_orders(2)
    removed = module("models.orders_list_removed").OrdersListRemoved

    page = module("api.orders.orders_list").sync(client=client, payment_id_isnull=True, removed=removed.ANY)

    assert (page.count, page.results) == (0, [])


def test_correction(module: Module, client: Any) -> None:
    make_orders(1)
    models = module("models")
    seen = module("api.orders.orders_read").sync("services", 1, client=client)
    given = models.CorrectionRequest(
        field=models.CorrectableField.WEBSITE, value="VVBE", reason="seen on the invoice", since=seen.since
    )
    correct = module("api.orders.orders_corrections_create").sync

    made = correct("services", 1, client=client, body=given)
    again = correct("services", 1, client=client, body=given)

    assert (made.value, made.source_value, made.made_by.actor, made.ended_by) == ("VVBE", "VVNL", "ana", None)
    order = module("api.orders.orders_read").sync("services", 1, client=client)
    assert (order.website, order.source_values["website"]) == ("VVBE", "VVNL")
    # The order is no longer as it was seen.
    assert again.code == "changed_meanwhile"
    entries = module("api.orders.orders_history_read").sync("services", 1, client=client)
    assert [entry.kind for entry in entries] == ["correction", "load"]


def test_errors(module: Module, client: Any) -> None:
    make_orders(1)
    models = module("models")

    missing = module("api.orders.orders_read").sync("services", 2, client=client)
    wrong = module("api.orders.orders_list").sync(client=client, ordering="colour", page_size=0)
    refused = module("api.conflicts.conflicts_keep").sync(1, client=client, body=models.ReasonRequest(reason="so"))
    stranger = module("client").Client(base_url=client._base_url)
    unknown = module("api.orders.orders_list").sync(client=stranger)

    assert (type(missing), missing.code) == (models.NotFound, "not_found")
    assert (type(wrong), wrong.code, set(wrong.additional_properties)) == (
        *(models.InvalidQuery, "invalid_query", {"ordering", "page_size"}),
    )
    assert (type(refused), refused.code) == (models.NotPermitted, "permission_denied")
    assert (type(unknown), unknown.code) == (models.NotSignedIn, "not_authenticated")
