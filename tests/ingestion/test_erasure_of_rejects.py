"""Rejected rows of a customer who is erased: those that are stored, and those of later loads."""

from __future__ import annotations

import pytest

from ingestion.errors import LoadError
from ingestion.models import RejectedRow, RejectReason, Run
from ingestion.pipeline import Load
from ingestion.repair import dismiss
from tests.erasing import GONE, erase, of, places
from tests.loading import HEADER, WriteFile, ingest, line, lines

pytestmark = pytest.mark.django_db(transaction=True)

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
        assert ("1 rejected row held" in erase()) == (raw != masked)

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


def test_further_columns_may_quote_the_number(write: WriteFile) -> None:
    ingest(write(line(8)))
    erase()
    header = f"{HEADER},raw"
    path = write(line(1, website="?", extra=f"it was {GONE}"), line(2), name="extra.csv", header=header)
    text = path.read_text().replace("2018-07-12 17:40:00.123456\n", "2018-07-12 17:40:00.123456,\n")
    path.write_text(text)
    ingest(path, "--allow-extra-columns", "--max-rejects", "1")

    assert RejectedRow.objects.get().raw.endswith(",it was [erased]")


def test_a_refused_file_keeps_no_number(write: WriteFile) -> None:
    ingest(write(line(8)))
    erase()
    refused = ingest(write(*lines(1, 2, website="?", **of()), name="bad.csv"))
    headless = ingest(write(header=line(1, **of()), name="headless.csv"))

    assert [refused.report["status"], headless.report["status"]] == ["refused", "refused"]
    assert "it reads '#,services,#########" in Run.objects.latest("id").reason
    assert RejectedRow.objects.count() == 2
    assert places() == []


def test_erased_while_a_refused_load_is_written_down(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load lock is free again at that moment."""
    ingest(write(line(1)))
    write_down = Load.end_without_change

    def too_late(load: Load, status: Run.Status, error: LoadError) -> None:
        erase()
        write_down(load, status, error)

    monkeypatch.setattr(Load, "end_without_change", too_late)
    assert ingest(write(line(2, **of(website="?")), name="b.csv")).report["status"] == "refused"

    assert RejectedRow.objects.count() == 1
    assert places() == []


def test_columns_in_another_order(write: WriteFile) -> None:
    ingest(write(line(8)))
    names = [*reversed(HEADER.split(","))]
    texts = dict(zip(HEADER.split(","), line(1, **of(website="?", payment_id=str(GONE))).split(","), strict=True))
    path = write(",".join(texts[name] for name in names), name="reversed.csv", header=",".join(names))
    ingest(path, "--max-rejects", "1")

    erase()

    masked = dict(zip(names, RejectedRow.objects.get().raw.split(","), strict=True))
    assert masked == texts | {"customer_id": "[erased]"}


@pytest.mark.parametrize("erased_first", [False, True])
def test_masked_row_waits_for_nobody(write: WriteFile, erased_first: bool) -> None:
    ingest(write(line(8)))
    if erased_first:
        erase()
    run = ingest(write(line(1, **of(website="?")), line(2, website="?"), name="new.csv"), "--max-rejects", "2").report
    if not erased_first:
        erase()

    assert list(RejectedRow.objects.order_by("line").values_list("state", "note")) == [
        ("dismissed", "the customer was erased"),
        ("open", ""),
    ]
    assert run["rejected"] == 2


def test_why_a_row_was_dismissed_is_masked(write: WriteFile) -> None:
    ingest(write(line(8)))
    ingest(write(line(1, **of(website="?")), name="new.csv"), "--max-rejects", "1")
    dismiss(RejectedRow.objects.all(), actor="ana", reason=f"customer {GONE} is a test")

    erase()

    assert RejectedRow.objects.get().note == "customer [erased] is a test"
    assert places() == []
