"""The figures on a run's page: one bar that adds up, reasons, what has drifted, and the file of rejected rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from ingestion import repair as repairing
from ingestion.models import Run
from tests.admin_side import get, said, text_of
from tests.factories import make_reject, make_run, make_user
from tests.loading import WriteFile, ingest, line, lines
from tests.repairing import load, states

RUNS = "/admin/ingestion/run/"
REJECTS = "/admin/ingestion/rejectedrow/"


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    """A member of staff who may look at runs and rejects, and nothing else."""
    client.force_login(make_user(staff=True, permissions=("view_run", "view_rejectedrow")))
    return client


def page_of(client: Client, run: Run | int) -> str:
    return get(client, f"{RUNS}{run.pk if isinstance(run, Run) else run}/change/")


def bar(page: str) -> list[tuple[str, float, float]]:
    """The parts of the bar: what it says of each, where it begins, and how wide it is."""
    found = re.findall(r'<rect class="part-\d" x="([\d.]+)" width="([\d.]+)" height="28"><title>([^<]+)', page)
    return [(title, float(x), float(width)) for x, width, title in found]


def test_the_parts_of_the_bar_make_up_what_was_read(staff: Client) -> None:
    figures = {"inserted": 700_000, "updated": 250_000, "unchanged": 49_989, "duplicate": 1, "rejected": 10}
    run = make_run(read=1_000_000, **figures)
    parts = bar(page_of(staff, run))

    assert [title for title, _, _ in parts] == [
        "700,000 rows inserted, 70.0%",
        "250,000 rows updated, 25.0%",
        "49,989 rows unchanged, 5.0%",
        "1 row duplicate, under 0.1%",
        "10 rows rejected, under 0.1%",
    ]
    at = 0.0
    for _, x, width in parts:
        assert x == pytest.approx(at, abs=0.11)
        assert width >= 6, "it can be seen"
        at += width
    assert at == pytest.approx(1000, abs=0.3)


def test_what_has_no_rows_has_no_part_but_stands_in_the_table(staff: Client) -> None:
    page = page_of(staff, make_run(read=5, inserted=5))
    assert bar(page) == [("5 rows inserted, 100.0%", 0.0, 1000.0)]
    assert "updated 0 0.0% unchanged 0 0.0% duplicate 0 0.0% rejected 0 0.0% read 5 100%" in text_of(page)


def test_a_refused_file_shows_what_was_not_loaded(staff: Client) -> None:
    page = page_of(staff, make_run(status="refused", read=100, rejected=40))
    assert [title for title, _, _ in bar(page)] == ["40 rows rejected, 40.0%", "60 rows not loaded, 60.0%"]
    assert "rejects.csv" not in page, "its rows cannot be repaired"


def test_what_is_counted_besides_the_rows(staff: Client) -> None:
    page = text_of(page_of(staff, make_run(read=9, unchanged=9, removed=1200, caught_up=3, conflicts=4)))
    assert "orders marked as removed: 1,200" in page
    assert "corrections retired, as the source caught up: 3" in page
    assert "corrections in conflict with the source: 4" in page


@pytest.mark.django_db(transaction=True)
def test_it_leads_to_its_orders_in_the_admin_and_in_the_api(client: Client, write: WriteFile) -> None:
    run = ingest(write(*lines(1, 2))).report["run"]
    client.force_login(make_user("or", staff=True, permissions=("view_run", "view_order")))
    page = get(client, f"/admin/ingestion/run/{run}/change/")

    assert f'<a href="/admin/catalog/order/?run={run}">Orders that this run was the last to change</a>' in page
    assert f'(<a href="/api/v1/orders/?run={run}">in the API</a>)' in page
    assert "services/2" in get(client, "/admin/catalog/order/", run=run)


def test_an_undo_counts_orders(staff: Client) -> None:
    page = page_of(staff, make_run(kind="undo", read=10, updated=7, unchanged=3, removed=2))
    assert [title for title, _, _ in bar(page)] == [
        "7 orders former values again, 70.0%",
        "3 orders left, as touched since, 30.0%",
    ]
    assert "orders gone, as brought by the undone run: 2" in text_of(page)
    assert "orders gone, as brought by the undone run: 2" in text_of(page_of(staff, make_run(kind="undo", removed=2)))


def test_lines_that_have_nothing_to_say_are_left_out(staff: Client) -> None:
    fields = ("reason", "reason_code", "same_as", "repairs_run", "taken_back")
    loaded = make_run()
    refused = make_run(status="refused", reason="It is empty.", reason_code="empty_file")
    skipped = make_run(status="skipped", same_as=loaded)
    undo = make_run(kind="undo", undoes=loaded)
    shown = {
        run.pk: {name for name in fields if f"field-{name}" in page_of(staff, run)}
        for run in (loaded, refused, skipped, undo)
    }
    assert list(shown.values()) == [{"taken_back"}, {"reason", "reason_code"}, {"same_as"}, {"taken_back"}]


def test_a_run_that_read_nothing_has_neither_bar_nor_comparison(staff: Client) -> None:
    page = page_of(staff, make_run(status="failed"))
    assert bar(page) == []
    assert "What became of the rows" not in page
    assert "Compared with the usual" not in page


def test_reasons_are_bars_with_links(staff: Client) -> None:
    run = make_run(read=30, rejected=30, rejects_by_reason={"no_such_date": 10, "not_a_code": 25})
    page = page_of(staff, run)
    assert page.index("code=not_a_code") < page.index("code=no_such_date"), "the most frequent first"
    for code, width in (("not_a_code", "100.0"), ("no_such_date", "40.0")):
        row = re.search(rf'href="{REJECTS}\?run={run.pk}&amp;code={code}">.*?</tr>', page)
        assert row
        assert f'<rect class="part-5" width="{width}"' in row[0]
    assert "A row with several reasons counts under each of them." in page


def test_drift_is_told_in_words(staff: Client) -> None:
    for _ in range(5):
        make_run(read=1000, inserted=1000, missing={"payment_id": 10})
    page = text_of(page_of(staff, make_run(read=1000, inserted=1000, missing={"payment_id": 200})))
    assert "1 of 5 figures is far off the usual" in page
    assert "missing payment_id 20.0% 1.0% far above the usual" in page
    assert "rows read 1,000 1,000 as usual" in page


def test_without_loads_to_compare_with_the_page_says_so(staff: Client) -> None:
    page = text_of(page_of(staff, make_run(read=1000, inserted=1000, missing={"payment_id": 10})))
    assert "There is no usual yet: that takes 5 loads before this one." in page
    assert "missing payment_id 1.0%" in page
    assert "far" not in page


@pytest.mark.django_db(transaction=True)
def test_the_file_of_rejects_is_that_of_the_command_and_can_be_loaded_back(
    write: WriteFile, tmp_path: Path, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "AT_ONCE", 2)
    monkeypatch.setattr(repairing, "PIECE", 10)
    run = load(write(*lines(1, 2, 3, 4, 5, website="V V"), line(6)))
    url = f"{RUNS}{run}/rejects.csv"
    assert f'href="{url}"' in page_of(staff, run)
    assert f'href="{url}"' in get(staff, REJECTS, run=run)
    assert "rejects.csv" not in get(staff, REJECTS)

    response = staff.get(url)

    assert response.streaming
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'attachment; filename="rejects-of-run-{run}.csv"'
    downloaded = response.getvalue()
    call_command("export_rejects", str(run), output=str(tmp_path / "fix.csv"))
    assert downloaded == (tmp_path / "fix.csv").read_bytes()
    (tmp_path / "fixed.csv").write_bytes(downloaded.replace(b",V V,", b",VVNL,"))
    assert ingest(tmp_path / "fixed.csv", "--repairs", str(run)).report["repaired"] == 5
    assert set(states(run).values()) == {"repaired"}


def test_the_file_takes_the_permission_to_look_at_rejects(client: Client, db: None) -> None:
    run = make_run(read=1, rejected=1)
    make_reject(run, 2, ("not_a_code", "website"))
    client.force_login(make_user(staff=True, permissions=("view_run",)))
    assert "rejects.csv" not in page_of(client, run)
    assert client.get(f"{RUNS}{run.pk}/rejects.csv").status_code == 403
    client.logout()
    assert client.get(f"{RUNS}{run.pk}/rejects.csv").headers["Location"].startswith("/admin/login/")


def test_there_is_no_file_of_what_cannot_be_repaired(staff: Client) -> None:
    run = make_run(status="refused", read=1, rejected=1)
    page = staff.get(f"{RUNS}{run.pk}/rejects.csv", follow=True).content.decode()
    assert "was refused: nothing of its file is loaded" in said(page)
    assert staff.get(f"{RUNS}{run.pk + 1}/rejects.csv").status_code == 404
    assert staff.post(f"{RUNS}{run.pk}/rejects.csv").status_code == 405
