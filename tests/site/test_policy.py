"""The Content-Security-Policy: on every answer, and as strict as the page allows."""

from __future__ import annotations

import pytest
from django.test import Client

from talpa_site.policy import HEADER, POLICY
from tests.factories import make_user

pytestmark = pytest.mark.django_db

OTHERS = {"/api/v1/docs/", "/api/v1/redoc/"}
"""Pages by libraries that write styles into the page."""


@pytest.mark.parametrize(
    "path",
    [
        *("/admin/", "/admin/login/", "/admin/catalog/order/", "/admin/nothing/", "/nothing/"),
        *("/api/v1/orders/", "/api/v1/orders/?website=<script>", "/api-auth/login/", *sorted(OTHERS)),
    ],
)
@pytest.mark.parametrize("accepts", ["text/html", "application/json"])
def test_no_answer_is_without_a_policy(path: str, accepts: str) -> None:
    client = Client()
    client.force_login(make_user("ana", staff=True, permissions=("view_order",)))

    policy = client.get(path, HTTP_ACCEPT=accepts).headers[HEADER]
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert "script-src 'self';" in policy
    assert ("'unsafe-inline'" in policy) == (path in OTHERS and accepts == "text/html")


def test_the_policy_names_no_other_place() -> None:
    assert "http" not in POLICY
    assert "*" not in POLICY
