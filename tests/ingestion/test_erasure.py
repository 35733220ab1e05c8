"""A customer who is erased is nowhere any more, does not come back, and the figures still add up."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.changes import NotPossible
from catalog.corrections import correct, correct_many, keep, retire
from catalog.fingerprints import ErasedCustomer, ErasureSalt, is_erased
from catalog.models import Change, Correction, Order, OrderVersion
from ingestion.erase import erase_customer
from ingestion.errors import Locked
from ingestion.models import RejectedRow, RejectReason, Run
from ingestion.staging import engine_for
from ingestion.undo import undo_run
from tests.factories import make_user
from tests.loading import HEADER, WriteFile, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}
GONE = 987654321
"""A number that stands nowhere but where a test puts it."""


def erase(*options: str, source: str = "services", number: object = GONE, reason: str = "asked for by letter") -> str:
    """Run the command; what it says."""
    output = io.StringIO()
    call_command("erase_customer", source, str(number), "--reason", reason, *options, stdout=output)
    return output.getvalue()


def places(number: int = GONE) -> list[str]:
    """Where the digits of a number stand, in any column of any table."""
    found = []
    for model in apps.get_models():
        for record in model._default_manager.order_by("pk").values():
            for name, value in record.items():
                text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                if str(number) in text:
                    found.append(f"{model.__name__}.{name}: {text}")
    return found


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


def of(customer: object = GONE, **texts: str) -> dict[str, str]:
    return {"customer_id": str(customer), **texts}


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
        name="more.csv",
    )
    assert ingest(more, "--max-rejects", "50%").figures() == {
        "read": 8,
        "inserted": 2,
        "updated": 1,
        "unchanged": 1,
        "duplicate": 1,
        "rejected": 3,
    }
    assert customers(1, 3, 5, 7) == [None] * 4
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
    assert "was already erased.\n             1 orders" in erase()
    assert customers(1) == [None]


def test_dry_run_leaves_no_trace(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2, **of(website="?"))), "--max-rejects", "1")
    before = {model: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}

    said = erase("--dry-run")

    assert said.splitlines() == [
        "The customer is erased (dry run: nothing was changed).",
        "             1 orders held the number",
        "             1 rejected rows held the number",
    ]
    assert {model: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()} == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"source": "shop"}, "There is no source 'shop'; known are: services."),
        ({"number": "12x"}, "The customer's number cannot be right: '12x' is not a whole number"),
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


def test_it_needs_a_reason() -> None:
    with pytest.raises(CommandError, match="--reason"):
        call_command("erase_customer", "services", "1")


def test_not_while_a_load_is_under_way(write: WriteFile) -> None:
    ingest(write(line(1, **of())))
    other = connection.copy()
    with engine_for(other).lock(wait=False, on_wait=lambda: None) as held:
        assert held
        with pytest.raises(CommandError, match="holds the load lock"):
            erase("--no-wait")
        with pytest.raises(Locked):
            erase_customer("services", GONE, reason="asked", wait=False)
    other.close()
    assert customers(1) == [GONE]


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
    assert "3 reasons of changes held" in said
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


def test_further_columns_may_quote_the_number(write: WriteFile) -> None:
    ingest(write(line(8)))
    erase()
    header = f"{HEADER},raw"
    path = write(line(1, website="?", extra=f"it was {GONE}"), line(2), name="extra.csv", header=header)
    text = path.read_text().replace("2018-07-12 17:40:00.123456\n", "2018-07-12 17:40:00.123456,\n")
    path.write_text(text)
    ingest(path, "--allow-extra-columns", "--max-rejects", "1")

    assert RejectedRow.objects.get().raw.endswith(",it was [erased]")


def test_undo_does_not_bring_it_back(write: WriteFile) -> None:
    ingest(write(line(1, **of()), line(2, **of())))
    second = ingest(write(line(1), line(2, **of(website="VVBE")), name="second.csv")).report["run"]
    erase()
    undone = undo_run(second, keep_touched=True)

    assert (undone.updated, undone.unchanged) == (1, 1)
    assert customers(1, 2) == [None, None]
    assert places() == []


REJECTS = {
    "plain": (line(1, **of(website="a b")), line(1, **of("[erased]", website="a b"))),
    "leading zeros": (line(1, **of(f" 000{GONE}", website="?")), line(1, **of("[erased]", website="?"))),
    "quoted": (line(1, **of(f'"{GONE}"', website='"a"",b"')), line(1, **of("[erased]", website='"a"",b"'))),
    "also elsewhere": (
        line(1, **of(website="?", payment_id=str(GONE))),
        line(1, **of("[erased]", website="?", payment_id=str(GONE))),
    ),
    "too few fields": (f"1,services,{GONE}", "1,services,[erased]"),
    "too many fields": (line(1, **of()) + ",1", line(1, **of("[erased]")) + ",1"),
    "open quotation mark": (line(1, **of(website='"VV')), line(1, **of("[erased]", website='"VV'))),
    "customer cannot be read": (line(1, **of(f"+{GONE}")), line(1, **of("+[erased]"))),
    "source cannot be read": (line(1, **of(source="serv ices")), line(1, **of("[erased]", source="serv ices"))),
    "columns shifted": (
        f"services,{GONE},1,2,3,VVNL,PAID,,,2018-07-12 17:33:04,,",
        "services,[erased],1,2,3,VVNL,PAID,,,2018-07-12 17:33:04,,",
    ),
    "of another source": (line(1, **of(source="cinema", website="?")), line(1, **of(source="cinema", website="?"))),
    "other source, too few": (f"1,cinema,{GONE}", f"1,cinema,{GONE}"),
    "a longer number": (f"1,services,{GONE}0", f"1,services,{GONE}0"),
}


@pytest.mark.parametrize("erased_first", [False, True], ids=["stored before", "loaded after"])
@pytest.mark.parametrize(("raw", "masked"), REJECTS.values(), ids=REJECTS)
def test_a_rejected_row(write: WriteFile, raw: str, masked: str, erased_first: bool) -> None:
    ingest(write(line(8), line(9, source="cinema")))
    path = write(line(10), raw, name="rejects.csv")
    if erased_first:
        erase()
        ingest(path, "--max-rejects", "1")
    else:
        ingest(path, "--max-rejects", "1")
        assert ("1 rejected rows" in erase()) == (raw != masked)

    assert RejectedRow.objects.get().raw == masked
    reasons = RejectReason.objects.values_list("value", "message")
    assert not any(str(GONE) in text for reason in reasons for text in reason)
    assert not any(place.startswith("Reject") for place in places()) or str(GONE) in masked


@pytest.mark.parametrize("erased_first", [False, True])
def test_a_rejected_row_that_is_no_text(write: WriteFile, erased_first: bool) -> None:
    ingest(write(line(8)))
    content = write(line(10), name="a.csv").read_bytes() + f"1,services,{GONE},\x85{GONE},\xff\n".encode("latin-1")
    path = write(content=content, name="broken.csv")
    if erased_first:
        erase()
    ingest(path, "--max-rejects", "1")
    if not erased_first:
        erase()

    row = RejectedRow.objects.get()
    assert row.raw == "1,services,[erased],\\x85[erased],\\xff"
    assert bytes(row.raw_bytes or b"") == b"1,services,[erased],\x85[erased],\xff"
    assert places() == []


def test_a_refused_file_keeps_no_number(write: WriteFile) -> None:
    ingest(write(line(8)))
    erase()
    refused = ingest(write(*lines(1, 2, website="?", **of()), name="bad.csv"))
    headless = ingest(write(header=line(1, **of()), name="headless.csv"))

    assert [refused.report["status"], headless.report["status"]] == ["refused", "refused"]
    assert "it reads '#,services,#########" in Run.objects.latest("id").reason
    assert RejectedRow.objects.count() == 2
    assert places() == []


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
