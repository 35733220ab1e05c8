"""The API's runs and rejected rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ingestion.models import Run
from tests.factories import make_reject, make_run
from tests.read_side import api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

RUNS = "/api/v1/runs/"


def found(api: APIClient, **query: Any) -> list[int]:
    response = api.get(RUNS, query)
    assert response.status_code == 200, response.content
    return [run["id"] for run in response.json()["results"]]


def lines(api: APIClient, run: Run, **query: Any) -> list[int]:
    response = api.get(f"{RUNS}{run.pk}/rejects/", query)
    assert response.status_code == 200, response.content
    return [row["line"] for row in response.json()["results"]]


def test_a_run_shows_every_figure_and_where_to_go_from_it(api: APIClient) -> None:
    run = make_run(read=9, inserted=4, unchanged=3, rejected=2, rejects_by_reason={"not_a_code": 2}, sha256="ab" * 32)
    shown = api.get(f"{RUNS}{run.pk}/").json()
    figures = {name: shown[name] for name in ("read", "inserted", "updated", "unchanged", "duplicate", "rejected")}
    assert figures == {"read": 9, "inserted": 4, "updated": 0, "unchanged": 3, "duplicate": 0, "rejected": 2}
    assert shown["rejects_by_reason"] == {"not_a_code": 2}
    assert shown["url"] == f"http://testserver{RUNS}{run.pk}/"
    assert shown["rejects"] == f"http://testserver{RUNS}{run.pk}/rejects/"
    assert shown["orders"] == f"http://testserver/api/v1/orders/?run={run.pk}"
    as_json = api.get(shown["url"], {"format": "json"}).json()
    assert as_json["orders"] == f"http://testserver/api/v1/orders/?format=json&run={run.pk}"
    assert api.get(RUNS).json()["results"] == [shown]


def test_every_field_of_a_run_is_shown(api: APIClient) -> None:
    """No column of the table is forgotten; `change` is the database's own business."""
    run = make_run()
    fields = {field.name for field in Run._meta.concrete_fields} - {"change"}
    assert fields <= set(api.get(f"{RUNS}{run.pk}/").json())


def test_newest_first(api: APIClient) -> None:
    first, second = make_run(), make_run()
    assert found(api) == [second.pk, first.pk]
    assert found(api, ordering="id") == [first.pk, second.pk]


def test_pages_of_runs_by_start_are_exact(api: APIClient) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC)
    ids = [make_run(started_at=now).pk for _ in range(5)]
    url, met = f"{RUNS}?ordering=started_at&page_size=2", []
    while url:
        page = api.get(url).json()
        met += [run["id"] for run in page["results"]]
        url = page["next"]
    assert met == ids


def test_runs_are_filtered(api: APIClient) -> None:
    start = datetime(2020, 5, 1, 12, tzinfo=UTC)
    loaded = make_run(file="/exports/May.csv", sha256="a" * 64, started_at=start)
    refused = make_run(status="refused", file="/exports/june.csv", started_at=start + timedelta(days=31), rejected=7)
    assert found(api, status="refused") == [refused.pk]
    assert found(api, status__in="refused,loaded", ordering="id") == [loaded.pk, refused.pk]
    assert found(api, file__icontains="may") == [loaded.pk]
    assert found(api, sha256="a" * 64) == [loaded.pk]
    assert found(api, started_at="2020-05-01") == [loaded.pk]
    assert found(api, started_at__gt="2020-05-01") == [refused.pk]
    assert found(api, rejected="0") == [loaded.pk]
    assert found(api, rejected__gt="0") == [refused.pk]


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("status", "loadd", "Did you mean 'loaded'?"),
        ("reason_code", "too_many_reject", "Did you mean 'too_many_rejects'?"),
        ("reason_code__in", "locked,crash", "Did you mean 'crashed'?"),
        ("stauts", "loaded", "Did you mean 'status'?"),
        ("file__icontains", "a\x00", "control characters"),
        ("file__icontains", "x" * 5000, "longer than 4096"),
        ("started_at__gte", "May", "not a timestamp"),
        ("rejected", "-1", "not a whole number"),
        ("ordering", "file", "Cannot order by 'file'"),
    ],
)
def test_what_cannot_be_read_is_refused(api: APIClient, parameter: str, value: str, words: str) -> None:
    assert words in refusal(api, RUNS, **{parameter: value})[parameter][0]


@pytest.mark.parametrize(
    "place", ["99/", "99/rejects/", "x/", "99999999999999999999/", "99999999999999999999/rejects/"]
)
def test_a_run_that_does_not_exist_is_404_in_json(api: APIClient, place: str) -> None:
    response = api.get(RUNS + place)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_reject_shows_its_row_and_every_reason(api: APIClient) -> None:
    run = make_run()
    make_reject(run, 7, ("not_an_integer", "customer_id"), ("no_such_date", "order_date"), raw='1,"<b>\x1b[31m')
    assert api.get(f"{RUNS}{run.pk}/rejects/").json()["results"] == [
        {
            "line": 7,
            "raw": '1,"<b>\x1b[31m',
            "reasons": [
                {"code": "not_an_integer", "column": "customer_id", "value": "x", "message": "customer_id is wrong"},
                {"code": "no_such_date", "column": "order_date", "value": "x", "message": "order_date is wrong"},
            ],
            "state": "open",
            "repaired_by": None,
            "settled_by": "",
            "settled_at": None,
            "note": "",
        }
    ]


def test_rejects_are_those_of_the_run_in_the_order_of_the_file(api: APIClient) -> None:
    run, other = make_run(), make_run()
    for line in (30, 4, 200):
        make_reject(run, line, ("not_a_code", "website"))
    make_reject(other, 5, ("not_a_code", "website"))
    assert lines(api, run) == [4, 30, 200]
    assert lines(api, run, ordering="-line") == [200, 30, 4]


def test_rejects_are_filtered_by_one_reason_that_has_it_all(api: APIClient) -> None:
    run = make_run()
    make_reject(run, 2, ("not_a_code", "website"))
    make_reject(run, 3, ("not_a_code", "source"), ("missing_value", "website"))
    make_reject(run, 4, ("too_few_fields", ""))
    assert lines(api, run, code="not_a_code") == [2, 3]
    assert lines(api, run, code="not_a_code", column="website") == [2]
    assert lines(api, run, code__in="missing_value,too_few_fields") == [3, 4]
    assert lines(api, run, column__in="website,source") == [2, 3]
    assert lines(api, run, line__gte=3, line__lt=4) == [3]
    assert lines(api, run, code="bad_quote") == []


@pytest.mark.parametrize(
    ("parameter", "value", "meant"),
    [
        ("code", "not_an_integr", "not_an_integer"),
        ("code__in", "bad_quote,not_tex", "not_text"),
        ("column", "websit", "website"),
        ("column__in", "source,websit", "website"),
    ],
)
def test_words_that_no_reason_can_have_are_refused(api: APIClient, parameter: str, value: str, meant: str) -> None:
    said = refusal(api, f"{RUNS}{make_run().pk}/rejects/", **{parameter: value})
    assert f"Did you mean '{meant}'?" in said[parameter if parameter != "code" else "non_field_errors"][0]
    assert meant in said["allowed"][parameter]


def test_rejects_are_strict_too(api: APIClient) -> None:
    run = make_run()
    said = refusal(api, f"{RUNS}{run.pk}/rejects/", cod="x", line="first")
    assert set(said) == {"cod", "line", "code", "allowed"}
    assert "Did you mean 'code'?" in said["cod"][0]
    assert "code: " in refusal(api, f"{RUNS}{run.pk}/rejects/", code="")["non_field_errors"][0]


def test_pages_of_rejects_are_exact(api: APIClient) -> None:
    run = make_run()
    for line in range(2, 9):
        make_reject(run, line, ("not_a_code", "website"))
    url, met = f"{RUNS}{run.pk}/rejects/?page_size=3", []
    while url:
        page = api.get(url).json()
        met.append([row["line"] for row in page["results"]])
        url = page["next"]
    assert met == [[2, 3, 4], [5, 6, 7], [8]]


def test_a_cursor_of_one_runs_rejects_is_refused_by_anothers(api: APIClient) -> None:
    run, other = make_run(), make_run()
    for line in (2, 3):
        make_reject(run, line, ("not_a_code", "website"))
        make_reject(other, line, ("not_a_code", "website"))
    following = api.get(f"{RUNS}{run.pk}/rejects/?page_size=1").json()["next"]
    assert api.get(following).json()["results"][0]["line"] == 3
    elsewhere = following.replace(f"/runs/{run.pk}/", f"/runs/{other.pk}/")
    assert "another query" in refusal(api, elsewhere)["cursor"][0]


def test_the_number_of_queries_does_not_grow_with_the_page(api: APIClient) -> None:
    run = make_run()
    for line in range(2, 22):
        make_reject(run, line, ("not_a_code", "website"), ("not_a_code", "source"))
        make_run()
    for path, queries in ((RUNS, 2), (f"{RUNS}{run.pk}/rejects/", 4)):
        for size in (2, 20):
            with CaptureQueriesContext(connection) as taken:
                assert len(api.get(path, {"page_size": size}).json()["results"]) == size
            assert len(taken) == queries, path
