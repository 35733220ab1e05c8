"""What migrations do to what is there already."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from catalog.models import ValueRule
from catalog.rules import switches
from catalog.tokens import ApiToken
from tests.counting import assert_counted
from tests.factories import make_change, make_order, make_orders, make_user, make_version
from tests.read_side import ORDERS


@pytest.mark.django_db(transaction=True)
def test_switches_made_before_they_named_their_rule() -> None:
    before = MigrationExecutor(connection)
    before.migrate([("catalog", "0007_erasure")])
    try:
        state = before.loader.project_state([("catalog", "0007_erasure")]).apps
        rule, change = state.get_model("catalog", "ValueRule"), state.get_model("catalog", "Change")
        rule.objects.all().delete()
        given = {"field": "voucher_status", "old": "EXPRIED", "new": ""}
        made = [rule.objects.create(**given, reason=reason).pk for reason in ("first", "second", "never on")]
        text = "voucher_status EXPRIED means a missing value"
        for reason in (f"{text}: first", f"off: {text}: so", f"{text}: second", f"off: {text}: no", "something else"):
            change.objects.create(kind="rule", at=timezone.now(), actor="ana", reason=reason)
    finally:
        call_command("migrate", verbosity=0)

    found = [[change.reason for change in switches(ValueRule.objects.get(pk=pk))] for pk in made]
    assert found == [[f"off: {text}: so", f"{text}: first"], [f"off: {text}: no", f"{text}: second"], []]


@pytest.mark.django_db(transaction=True)
def test_a_catalogue_that_is_there_already_is_counted() -> None:
    make_orders(30)
    odd = make_order(31, order_status="CANCELED", order_date="2942-01-01T00:00:00Z", voucher_status=None)
    make_order(32, removed=True)
    make_version(odd, change=odd.change, ended_by=make_change())
    MigrationExecutor(connection).migrate([("catalog", "0008_switches")])
    call_command("migrate", verbosity=0)
    assert_counted()


@pytest.mark.django_db(transaction=True)
def test_tokens_that_were_kept_in_plain_text_work_on_and_are_kept_no_more() -> None:
    secret = "0123456789abcdef" * 2 + "01234567"
    user = make_user("robot")
    MigrationExecutor(connection).migrate([("catalog", "0008_switches")])
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, user_id integer, created text)")
            cursor.execute("INSERT INTO authtoken_token VALUES (%s, %s, '2018-01-01')", [secret, user.pk])
    finally:
        call_command("migrate", verbosity=0)

    assert Client().get(ORDERS, headers={"Authorization": f"Token {secret}"}).status_code == 200
    assert ApiToken.objects.get().user == user
    assert "authtoken_token" not in connection.introspection.table_names()
