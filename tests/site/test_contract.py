"""The API holds what its description says, for whatever the description allows and for what it forbids."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from catalog.api.schema import shapes
from catalog.api.schema.views import description
from catalog.contract import NAMES
from catalog.corrections import correct
from catalog.models import Order, ValueRule
from catalog.tokens import ApiToken, digest_of, make_token
from tests.conftest import ROOT
from tests.factories import make_third_value, make_user
from tests.loading import ingest

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = 8
TOKEN = "0123456789abcdef" * 2 + "01234567"
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 4,
        "generation": {"deterministic": True, "database": "none", "max-examples": EXAMPLES},
        "phases": {
            # All that a value can be, and what it cannot be. PostgreSQL minds more of it than SQLite.
            "coverage": {"enabled": connection.vendor == "postgresql"},
            "stateful": {"enabled": False},
        },
        "auth": {"openapi": {"tokenAuth": {"api_key": f"Token {TOKEN}"}}},
    }
)

BEYOND_SCHEMA = (
    # How long a month is, and where time ends.
    *("is not a date and time that exists", "is not a date that exists", "is out of range"),
    # That two values differ, and that a column is named once, with or without a "-".
    *("Both values are the same", "is given twice"),
    # That conditions go together, that the lower one comes first, and what lies in the future.
    *("No order can meet both", "is after", "is in the future"),
    # What the groups are ordered by, and how long a time the orders span.
    *("is not grouped by", "there are more than"),
    # What is inside a group.
    *("The group cannot be read", "Unknown parameter", "Unknown lookup"),
)


LIST = "/api/v1/orders/"


def described() -> dict[str, Any]:
    """The description. The lookups that all searches of orders share stand at the list only.

    They are the same components everywhere; to try each of them, in each wrong way, in eight places would take many
    times as long and find nothing new.
    """
    document = description(False)
    paths = {path: dict(operations) for path, operations in document["paths"].items()}
    lookups = [each for each in paths[LIST]["get"]["parameters"] if "__" in each.get("$ref", "")]
    assert len(lookups) > 50
    for path, operations in paths.items():
        given = operations.get("get", {}).get("parameters", [])
        if path != LIST and all(each in given for each in lookups):
            operations["get"] = operations["get"] | {"parameters": [each for each in given if each not in lookups]}
    return document | {"paths": paths}


@cache
def application() -> WSGIHandler:
    """The site, as soon as there is a folder of static files."""
    return WSGIHandler()


api = schemathesis.openapi.from_dict(described(), config=CONFIG)
api.app = lambda environ, start: application()(environ, start)  # noqa: PLW0108  not before a test asks


@pytest.fixture
def catalogue(django_db_reset_sequences: None, tmp_path: Path) -> None:
    """A small catalogue in which the examples of the description exist, and somebody who may do everything."""
    lines = (ROOT / "data" / "sample.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "orders.csv").write_bytes(b"".join(lines[:600]))
    assert ingest(tmp_path / "orders.csv").exit_code == 0
    order = Order.objects.get(order_id=shapes.ADDRESSES["order_id"][2])
    make_third_value(correct(order, "website", "VVBE", actor="ana", reason="seen on the invoice"), "VVDE")
    # The rule that is shipped, unless a test before this one has emptied the tables.
    said = {"new": "EXPIRED", "reason": "a typing error"}
    ValueRule.objects.get_or_create(field="voucher_status", old="EXPRIED", defaults=said)
    user = make_user("bea")
    user.is_superuser = True
    user.save()
    make_token(user, name="contract")
    ApiToken.objects.update(digest=digest_of(TOKEN))


@api.parametrize()
# One catalogue for all requests to an operation, which is as in life.
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_operation(case: Case, catalogue: None) -> None:
    valid = bool(case.meta and case.meta.generation.mode.is_positive)
    if valid:
        # Nobody can make up a cursor.
        case.query.pop("cursor", None)
    response = case.call()
    if valid and response.status_code == 400 and is_beyond_schema(case.body, response.json()):
        return
    case.validate_response(response)


def is_beyond_schema(given: Any, answer: dict[str, Any]) -> bool:
    """Whether all that is wrong is what no JSON schema can say.

    Of a rejected row that is to be repaired, also what was left as it is.
    """
    left = set(NAMES) - set(given) if isinstance(given, dict) else set()
    wrong = {name: messages for name, messages in answer.items() if name not in {"code", "allowed"} | left}
    return all(any(words in message for words in BEYOND_SCHEMA) for messages in wrong.values() for message in messages)
