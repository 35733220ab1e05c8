"""A customer who is erased is nowhere any more, does not come back, and the figures still add up."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.changes import NotPossible
from catalog.corrections import correct, correct_many, keep, retire
from catalog.fingerprints import ErasedCustomer, ErasureSalt, is_erased
from catalog.models import Change, Correction, Order, OrderVersion, ValueRule
from catalog.rules import is_settled, switch_off, switch_on
from ingestion.erase import erase_customer
from ingestion.models import RejectedRow
from ingestion.undo import undo_run
from tests.erasing import GONE, erase, of, places
from tests.factories import make_user
from tests.ingestion.test_overlay_races import meanwhile
from tests.loading import WriteFile, ingest, line, lines
from tests.processes import STAGED, Start, end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


def order(number: int, source: str = "services") -> Order:
    return Order.objects.get(order_id=number, source=source)


def customers(*numbers: int) -> list[int | None]:
    return [order(number).customer_id for number in numbers]


def history(number: int) -> Any:
    client = APIClient()
    client.force_authenticate(make_user(f"reader{number}"))
    answer = client.get(f"/api/v1/orders/services/{number}/history/")
    assert answer.status_code == 200
    return answer.json()


def test_the_story(write: WriteFile) -> None:
    first = write(line(1, **of()), line(2, **of()), line(3), line(4, source="cinema", **of()))
    ingest(first)
    ingest(write(line(2, **of(website="VVBE")), line(3, **of()), name="second.csv"))
    ingest(write(line(3), name="third.csv"))
    before = timezone.now()

    said = erase()

    assert said.splitlines() == [
        "The customer is erased.",
        "             2 orders held the number",
        "             2 superseded versions of orders held the number",
    ]
    assert customers(1, 2, 3) == [None, None, 1003]
    assert order(4, "cinema").customer_id == GONE
    assert places() == [f"Order.customer_id: {GONE}"]
    past = Order.objects.as_of(before).filter(source="services").order_by("key")
    assert list(past.values_list("customer_id", "website")) == [(None, "VVNL"), (None, "VVBE"), (1003, "VVNL")]
    newest = history(2)[0]
    assert (newest["kind"], newest["reason"]) == ("erasure", "asked for by letter")
    assert str(GONE) not in str([history(3), history(1)])
    assert is_erased("services", GONE)
    assert not is_erased("cinema", GONE)


def test_an_old_file_does_not_bring_the_number_back(write: WriteFile) -> None:
    path = write(line(1, **of()), line(2), line(3, **of(f"000{GONE}")))
    ingest(path)
    ingest(write(line(8), name="other.csv"))
    erase()
    versions = OrderVersion.objects.count()

    assert ingest(path, "--force").figures() == {"read": 3, "unchanged": 3}
    assert OrderVersion.objects.count() == versions
    more = write(
        line(1, **of(website="VVBE")),
        line(3, **of()),
        line(3, **of()),
        line(4, **of()),
        line(4, **of(website="VVBE")),
        line(5, **of()),
        line(6, **of(order_date="soon")),
        line(7, **of()),
        line(8, **of()),
        name="more.csv",
    )
    assert ingest(more, "--max-rejects", "50%").figures() == {
        "read": 9,
        "inserted": 2,
        "updated": 2,
        "unchanged": 1,
        "duplicate": 1,
        "rejected": 3,
    }
    assert customers(1, 3, 5, 7, 8) == [None] * 5
    assert places() == []
    assert all("[erased]" in raw for raw in RejectedRow.objects.values_list("raw", flat=True))


def test_first_load_of_an_empty_catalogue(write: WriteFile) -> None:
    path = write(line(1, **of()), line(2), *lines(3, 4, source="cinema", **of()))
    undo_run(ingest(path).report["run"])
    erase()

    assert not Order.objects.exists()
    assert ingest(path).figures() == {"read": 4, "inserted": 4}
    assert list(Order.objects.order_by("key").values_list("customer_id", flat=True)) == [None, 1002, GONE, GONE]


def test_a_customer_without_orders(write: WriteFile) -> None:
    ingest(write(line(1)))

    assert erase() == "The customer is erased, nothing found.\n"
    assert ingest(write(line(2, **of()), name="later.csv")).figures() == {"read": 1, "inserted": 1}
    assert customers(2) == [None]


def test_twice(write: WriteFile) -> None:
    ingest(write(line(1, **of())))
    erase()
    changes = Change.objects.count()

    assert erase() == "The customer was already erased, nothing found.\n"
    assert (Change.objects.count(), ErasedCustomer.objects.count()) == (changes, 1)
    Order.objects.update(customer_id=GONE)
    assert "was already erased.\n             1 order held" in erase()
    assert customers(1) == [None]


def test_dry_run_leaves_no_trace(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2, **of(website="?"))), "--max-rejects", "1")
    before = {model: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}

    said = erase("--dry-run")

    assert said.splitlines() == [
        "The customer is erased (dry run: nothing was changed).",
        "             1 order held the number",
        "             1 rejected row held the number",
    ]
    assert {model: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()} == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"source": "shop"}, "There is no source 'shop'; known are: services."),
        ({"number": "12x"}, "The customer's number cannot be right: '12x' is not a whole number"),
        ({"source": "\udcff"}, "There is no source '.udcff'; known are: services."),
        ({"reason": "by \udcff"}, "The reason 'by .udcff' has bytes that are not text"),
        ({"reason": " "}, "Say why the customer is erased"),
        ({"reason": f"letter of customer 00{GONE}."}, "write it without the number"),
    ],
)
def test_refusals(write: WriteFile, given: dict[str, str], sentence: str) -> None:
    ingest(write(line(1, **of())))
    with pytest.raises(CommandError, match=sentence) as refused:
        erase(**given)
    assert "\n" not in str(refused.value)
    assert not ErasedCustomer.objects.exists()
    assert not ErasureSalt.objects.exists()


def test_it_waits_unless_told_otherwise(write: WriteFile) -> None:
    ingest(write(line(1, **of())))
    assert "1 order held" in erase("--wait", "--dry-run")
    assert "1 order held" in erase("--no-wait", "--dry-run")


def test_it_needs_a_reason() -> None:
    with pytest.raises(CommandError, match="--reason"):
        call_command("erase_customer", "services", "1")


def test_it_waits_for_a_load_under_way(write: WriteFile, start: Start) -> None:
    ingest(write(line(1, **of())))
    loading = start(write(line(2, **of()), line(3, **of(website="?")), name="b.csv"), "--max-rejects", "1", hold=STAGED)
    with pytest.raises(CommandError, match=r"Run \d+ .* holds the load lock"):
        erase("--no-wait")
    assert customers(1) == [GONE]

    erasing = meanwhile(erase)
    assert end(loading)[0] == 0

    assert "2 orders held" in erasing.result(60)
    assert customers(1, 2) == [None, None]
    assert places() == []


def test_corrections_to_and_from_the_number(write: WriteFile) -> None:
    path = write(line(1, **of()), line(2), line(3, **of()), line(4))
    ingest(path)
    correct(order(1), "customer_id", 5, **WHO)
    correct(order(2), "customer_id", GONE, actor="ana", reason=f"it is #{GONE}, not 1002; see {GONE}7")
    correct(order(3), "website", "VVBE", actor="ana", reason=f"customer {GONE} called")
    correct(order(4), "website", "VVBE", actor="ana", reason=f"said customer {GONE}")
    ingest(write(line(2, customer_id="77"), name="conflict.csv"))
    keep(Correction.objects.filter(order=order(2)), actor="ana", reason=f"{GONE} confirms")

    said = erase()

    assert "3 orders held" in said
    assert "2 corrections held" in said
    assert "3 reasons held" in said
    assert customers(1, 2, 3, 4) == [5, None, None, 1004]
    assert order(1).source_values == {"customer_id": None}
    assert order(2).source_values == {"customer_id": 77}
    reasons = list(Change.objects.filter(kind="correction").order_by("id").values_list("reason", flat=True))
    assert reasons == [
        "seen on the invoice",
        f"it is #[erased], not 1002; see {GONE}7",
        "customer [erased] called",
        f"said customer {GONE}",
        "[erased] confirms",
    ]
    assert ingest(path, "--force").figures() == {"read": 4, "unchanged": 3, "updated": 1}
    assert customers(1, 2, 3) == [5, None, None]
    retire(Correction.objects.in_force(), **WHO)
    assert customers(1, 2, 3) == [None, 1002, None]
    texts = places()
    assert len(texts) == 2
    assert all(f"{GONE}7" in text or "said customer" in text for text in texts)


def test_what_is_said_of_rules(write: WriteFile) -> None:
    ingest(write(line(1, **of(voucher_status="EXPRIED")), line(2)))
    values = {"field": "voucher_status", "old": "EXPRIED", "new": "EXPIRED"}
    rule = ValueRule.objects.create(**values, reason=f"customer {GONE} said so, not {GONE}7")
    other = ValueRule.objects.create(**values | {"old": "NOWHERE"}, reason=f"customer 00{GONE}")
    for each in (rule, other):
        switch_on(each, actor="ana")
    switch_off(rule, actor="ana", reason=f"{GONE} was wrong")

    assert "5 reasons held" in erase()

    assert list(
        ValueRule.objects.filter(pk__in=(rule.pk, other.pk)).order_by("id").values_list("reason", flat=True)
    ) == [
        f"customer [erased] said so, not {GONE}7",
        "customer [erased]",
    ]
    assert len(places()) == 2
    assert all(f"not {GONE}7" in text for text in places())
    rule.refresh_from_db()
    assert is_settled(rule)
    with pytest.raises(NotPossible, match="off already, switched by ana"):
        switch_off(rule, actor="bo", reason="so")


def test_the_source_caught_up_with_an_erased_correction(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(1), "customer_id", GONE, **WHO)
    erase()

    assert ingest(write(line(1, **of()), name="later.csv")).report["caught_up"] == 1
    assert (order(1).customer_id, order(1).overlaid) == (None, 0)


def test_no_correction_brings_it_back(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2), line(3, source="cinema")))
    erase()

    for number in (1, 2):
        with pytest.raises(NotPossible, match="That customer of services was erased") as refused:
            correct(order(number), "customer_id", GONE, **WHO)
        assert refused.value.code == "customer_erased"
    with pytest.raises(NotPossible):
        correct_many(Order.objects.all(), "customer_id", GONE, **WHO)
    assert not Correction.objects.exists()
    correct(order(3, "cinema"), "customer_id", GONE, **WHO)
    correct(order(2), "customer_id", 5, **WHO)


def test_undo_does_not_bring_it_back(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2, **of())))
    second = ingest(write(line(1), line(2, **of(website="VVBE")), name="second.csv")).report["run"]
    erase()
    undone = undo_run(second, keep_touched=True)

    assert (undone.updated, undone.unchanged) == (1, 1)
    assert customers(1, 2) == [None, None]
    assert places() == []


def test_the_number_of_a_run_is_no_customer(write: WriteFile) -> None:
    run = ingest(write(line(8))).report["run"] + 1
    ingest(write(line(1, **of(run)), name="second.csv"))
    undone = undo_run(run)
    assert undone.change is not None
    erase(number=run)

    assert Change.objects.get(pk=undone.change.pk).reason == f"undo of run {run}"
    assert OrderVersion.objects.get(order_id=1).customer_id is None


def test_many_are_told_from_many_more(write: WriteFile) -> None:
    ingest(write(line(1)))
    gone = range(5000, 5400)
    for number in gone:
        erase_customer("services", number, reason="asked")

    path = write(*(line(n, customer_id=str(n)) for n in range(4000, 7000)), name="many.csv")
    assert ingest(path).figures() == {"read": 3000, "inserted": 3000}

    missing = Order.objects.filter(customer_id=None).order_by("key").values_list("order_id", flat=True)
    assert list(missing) == list(gone)
    others = Order.objects.exclude(customer_id=None).filter(order_id__gte=4000)
    assert others.count() == others.filter(customer_id=F("order_id")).count() == 2600


def test_a_missing_customer_is_shown_and_found(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2)))
    erase()
    client = APIClient()
    client.force_authenticate(make_user())
    found = client.get("/api/v1/orders/", {"customer_id__isnull": "true"}).json()["results"]
    assert [(o["order_id"], o["customer_id"]) for o in found] == [(1, None)]
    ordered = client.get("/api/v1/orders/", {"ordering": "-customer_id", "page_size": "1"}).json()
    assert [o["order_id"] for o in ordered["results"]] == [1]
    assert [o["order_id"] for o in client.get(ordered["next"]).json()["results"]] == [2]
    assert client.get("/api/v1/orders/", {"search": str(GONE)}).json()["results"] == []
