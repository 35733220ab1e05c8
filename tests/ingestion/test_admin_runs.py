"""The admin's pages of runs and rejected rows, as staff see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.read_only import BoundedPaginator
from ingestion.models import Run
from tests.factories import make_reject, make_run, make_user

pytestmark = pytest.mark.django_db

RUNS = "/admin/ingestion/run/"
REJECTS = "/admin/ingestion/rejectedrow/"
EVIL = '<script>alert(1)</script>\x1b[31m\u202e"'
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m\\u202e&quot;"


@pytest.fixture
def staff(client: Client) -> Client:
    """A member of staff who may look at runs and rejects, and nothing else."""
    client.force_login(make_user(staff=True, permissions=("view_run", "view_rejectedrow")))
    return client


def page(client: Client, path: str, **query: Any) -> str:
    """The text of a page that must be there."""
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def listed(client: Client, **query: Any) -> list[int]:
    """The lines of the rejects on a page of the list, from top to bottom."""
    return [int(line) for line in re.findall(r'field-position"><a[^>]*>(\d+)</a>', page(client, REJECTS, **query))]


@pytest.mark.parametrize("status", list(Run.Status))
def test_the_list_says_in_words_what_became_of_a_run(staff: Client, status: Run.Status) -> None:
    make_run(status=status)
    assert f'<span class="pill pill-{status}">{status.label}</span>' in page(staff, RUNS)


def test_runs_are_found_by_file_checksum_and_status(staff: Client) -> None:
    make_run(file="/exports/may.csv", sha256="ab" * 32)
    make_run(file="/exports/june.csv", sha256="cd" * 32, status="refused")
    for query in ({"q": "june"}, {"q": "cdcd"}, {"status__exact": "refused"}):
        text = page(staff, RUNS, **query)
        assert "june.csv" in text
        assert "may.csv" not in text


def test_the_page_of_a_run_has_every_figure_and_a_link_to_its_rejects(staff: Client) -> None:
    run = make_run(read=3000, inserted=1000, rejected=2000, rejects_by_reason={"not_a_code": 2000}, delimiter="\t")
    text = page(staff, f"{RUNS}{run.pk}/change/")
    assert "<td>3,000</td>" in text
    assert f'href="{REJECTS}?run={run.pk}">Look at the rejected rows' in text
    assert f'href="{REJECTS}?run={run.pk}&amp;code=not_a_code">not_a_code</a></th><td>2,000</td>' in text
    assert f'href="/api/v1/runs/{run.pk}/"' in text
    assert ">tab<" in text


def test_every_field_of_a_run_is_on_its_page(staff: Client) -> None:
    """What a column holds can be read there, whatever the column is called on the page."""
    texts = ("reason_code", "reason", "compression", "encoding", "actor", "host")
    run = make_run(**{name: f"[{name[:5]}]"[:8] for name in texts}, stages={"stage-a": 1.5}, options={"force": True})
    text = page(staff, f"{RUNS}{run.pk}/change/")
    for expected in (*(f"[{name[:5]}]"[:8] for name in texts), "stage-a", "force", "4711"):
        assert expected in text


def test_what_comes_from_a_file_is_escaped_and_shows_what_it_hides(staff: Client) -> None:
    run = make_run(file=EVIL, rejected=1, read=1)
    reject = make_reject(run, 2, ("not_a_code", "website"), raw=f"{EVIL}\nsecond line\tend")
    for path in (RUNS, f"{RUNS}{run.pk}/change/", REJECTS, f"{REJECTS}{reject.pk}/change/"):
        text = page(staff, path)
        assert "<script>alert" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert SHOWN in text.replace("&#x27;", "'"), path
    assert f'<pre class="raw">{SHOWN}\\n\nsecond line\\tend</pre>' in page(staff, REJECTS)


def test_rejects_of_a_run_stand_in_the_order_of_the_file(staff: Client) -> None:
    run, other = make_run(), make_run()
    for line in (30, 4, 200):
        make_reject(run, line, ("not_a_code", "website"))
    make_reject(other, 5, ("not_a_code", "website"))
    assert listed(staff, run=run.pk) == [4, 30, 200]
    assert listed(staff) == [5, 200, 30, 4], "of all runs: the newest first"
    assert listed(staff, run="99999999999999999999") == []
    assert listed(staff, run="x") == []


def test_rejects_are_filtered_by_code_and_column(staff: Client) -> None:
    run = make_run(read=3, rejected=3, rejects_by_reason={"not_a_code": 2, "wrong_number_of_fields": 1})
    make_reject(run, 2, ("not_a_code", "website"))
    make_reject(run, 3, ("not_a_code", "source"), ("missing_value", "website"))
    make_reject(run, 4, ("wrong_number_of_fields", ""))
    assert listed(staff, run=run.pk, code="not_a_code") == [2, 3]
    assert listed(staff, run=run.pk, column="website") == [2, 3]
    assert listed(staff, run=run.pk, column="(whole row)") == [4]
    text = page(staff, REJECTS)
    assert "?code=wrong_number_of_fields" in text
    assert f"?run={run.pk}" in text


def test_a_large_record_is_cut_in_the_list(staff: Client) -> None:
    reject = make_reject(make_run(), 2, ("not_a_code", "website"), raw="x" * 50_000)
    assert "x" * 301 not in page(staff, REJECTS)
    assert "… 49,700 more" in page(staff, REJECTS)
    assert "x" * 50_000 in page(staff, f"{REJECTS}{reject.pk}/change/")


def test_the_list_of_rejects_counts_within_bounds_and_reads_whole_tables_for_nothing(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 5)
    run = make_run()
    taken = []
    for first in (2, 5):
        for line in range(first, first + 3):
            make_reject(run, line, ("not_a_code", "website"))
        with CaptureQueriesContext(connection) as queries:
            page(staff, REJECTS, run=run.pk, code="not_a_code")
        counts = [q["sql"] for q in queries if "COUNT(" in q["sql"]]
        assert counts
        assert all("LIMIT 6" in sql for sql in counts)
        assert not [q for q in queries if "DISTINCT" in q["sql"]]
        taken.append(len(queries))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("path", [RUNS, REJECTS])
def test_nothing_can_be_added_or_deleted_even_by_a_superuser(admin_client: Client, path: str) -> None:
    reject = make_reject(make_run(), 2, ("not_a_code", "website"))
    pk = reject.run_id if path == RUNS else reject.pk
    assert admin_client.get(f"{path}add/").status_code == 403
    assert admin_client.post(f"{path}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{path}{pk}/change/", {"status": "loaded"}).status_code == 403
