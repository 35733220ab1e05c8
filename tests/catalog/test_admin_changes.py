"""The page of a change leads to what it changed."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.changes import latest_change
from catalog.corrections import correct
from catalog.models import Change, Order
from tests.admin_side import client_of, get, text_of
from tests.factories import make_change, make_order, make_run, make_user, make_version
from tests.order_list import listed

pytestmark = pytest.mark.django_db


def page_of(client: Client, change: int) -> str:
    return get(client, f"/admin/catalog/change/{change}/change/")


def test_a_correction_leads_to_its_order_and_says_what_it_changed() -> None:
    make_order(5)
    correct(Order.objects.get(), "website", "VVBE", actor="ana", reason="seen on the invoice")
    page = page_of(client_of("viewer"), latest_change())

    assert '<a href="/admin/catalog/order/services/5/change/">services/5</a>' in page
    assert "website: VVNL → VVBE" in text_of(page)
    assert "website corrected" in text_of(page)
    assert "Still as this change left it: 1 order." in text_of(page)


def test_a_load_leads_to_its_orders() -> None:
    change = make_change(kind=Change.Kind.LOAD)
    run = make_run(change=change)
    for number in range(8):
        make_order(number + 1, change=change)
    order = Order.objects.get(order_id=3)
    make_version(order, change=change, ended_by=make_change())
    Order.objects.filter(pk=order.pk).update(change=Change.objects.latest("pk"))
    viewer = client_of("viewer")
    page = page_of(viewer, change.pk)

    link = f"/admin/catalog/order/?run={run.pk}&removed=any"
    assert f'<a href="{link.replace("&", "&amp;")}">7 orders</a>; changed again since: 1 order.' in page
    assert len(listed(viewer, run=run.pk, removed="any")) == 7
    assert page.count("the order as it first came") == 5, "a few"
    with CaptureQueriesContext(connection) as few:
        page_of(viewer, change.pk)
    for number in range(8, 28):
        make_order(number + 1, change=change)
    with CaptureQueriesContext(connection) as many:
        page_of(viewer, change.pk)
    assert len(many) <= len(few)


def test_an_order_that_is_gone_is_named_without_a_link() -> None:
    change, undo = make_change(), make_change(kind=Change.Kind.UNDO)
    make_version(make_order(5), change=change, ended_by=undo)
    Order.objects.all().delete()
    page = page_of(client_of("viewer"), undo.pk)

    assert "services/5 the order was no longer in the catalogue" in text_of(page)
    assert "/admin/catalog/order/services/5/" not in page


def test_a_change_of_no_order_says_so() -> None:
    assert "It changed no order." in page_of(client_of("viewer"), make_change().pk)


def test_whoever_may_not_see_orders_sees_none() -> None:
    change = make_order(5).change
    client = Client()
    client.force_login(make_user("ana", staff=True, permissions=("view_change",)))
    assert "services/5" not in page_of(client, change.pk)
