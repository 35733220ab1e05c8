"""The pages of the API: what people see of it, and where it leads them."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.api.filters import OrderFilterSet
from catalog.api.views import OrderViewSet
from catalog.contract import NAMES
from catalog.corrections import correct
from tests.factories import make_known_value, make_order, make_orders, make_reject, make_run, make_user
from tests.pages import HTML, Element, chips, query, read_page, reader, rows, see
from tests.read_side import ORDERS

__all__ = ["reader"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(reader: Client) -> list[Element]:
    """One page of each kind."""
    rights = ("add_correction", "add_valuerule", "change_run", "change_rejectedrow")
    reader.force_login(make_user("rik", permissions=rights))
    run = make_run()
    order = make_orders(3, payment_id=None)[0]
    make_reject(run, 2, ("not_a_code", "website"))
    correct(order, "website", "VVBE", actor="ana", reason="seen on the invoice")
    order_url = f"{ORDERS}services/1/"
    found = ("/api/v1/", ORDERS, order_url, f"{order_url}history/", f"{order_url}corrections/", "/api/v1/runs/",
             f"/api/v1/runs/{run.pk}/", f"/api/v1/runs/{run.pk}/rejects/", "/api/v1/rules/", "/api/v1/conflicts/",
             f"{ORDERS}?website=NONE")  # fmt: skip
    return [
        *(see(reader, url) for url in found),
        see(reader, f"{ORDERS}?websit=1", 400),
        see(reader, "/api/v1/runs/9/", 404),
    ]


def test_no_page_holds_scripts_or_styles_of_its_own(reader: Client, pages: list[Element]) -> None:
    for page in pages:
        for element in page.inside:
            assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
            assert element.tag != "style"
            if element.tag == "script":
                assert element.get("src") or element.get("type") == "application/json"
        outside = [e.get("src") or e.get("href") for e in page.inside if e.tag in ("script", "link", "img", "iframe")]
        assert all(address.startswith("/") or not address for address in outside)
    policy = reader.get(ORDERS, headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_input_has_a_label_and_every_page_one_heading(pages: list[Element]) -> None:
    for page in pages:
        labels = {label.get("for") for label in page.all("label")}
        names = [e.get("id") for e in page.inside if e.get("id")]
        assert len(names) == len(set(names))
        for form in page.all("form", class_="query"):
            inputs = [e for e in form.inside if e.tag in ("input", "select")]
            assert {e.get("id") for e in inputs} <= labels
        assert len(page.all("h1")) == 1


def test_every_parameter_has_an_input_of_its_kind(reader: Client) -> None:
    make_order(1)
    make_known_value("website", "VVNL")
    page = see(reader, ORDERS)
    form = page.one("form", class_="query")
    inputs = {e.get("name"): e for e in form.inside if e.tag in ("input", "select")}
    view = OrderViewSet.pagination_class.parameters
    assert set(inputs) == {*OrderFilterSet.base_filters, *OrderFilterSet.further, *view} - {"cursor"}
    kinds = {name: inputs[name].get("type") for name in ("order_date__gte", "as_of", "customer_id__gt", "website")}
    assert kinds == {"order_date__gte": "date", "as_of": "datetime-local", "customer_id__gt": "number",
                     "website": "text"}  # fmt: skip
    assert [o.get("value") for o in page.one("datalist", id=inputs["website"].get("list")).all("option")] == ["VVNL"]
    for choice in form.all("select"):
        assert len(choice.all("option")) < 20
        assert all(not option.get("value").isdigit() for option in choice.all("option"))


def test_the_form_reads_no_orders(reader: Client) -> None:
    make_orders(60)
    with CaptureQueriesContext(connection) as queries:
        page = see(reader, f"{ORDERS}?website=VVNL&count=none")
    assert page.one("input", name="website").get("value") == "VVNL"
    reading = [q["sql"] for q in queries if '"catalog_order"' in q["sql"]]
    assert len(reading) == 1
    assert "LIMIT 51" in reading[0]


def test_an_input_that_was_left_empty_is_no_parameter(reader: Client) -> None:
    make_orders(2)
    response = reader.get(f"{ORDERS}?search=&website=VVNL&website__in=+&or=&or=(order_id=1)&page_size=", headers=HTML)
    assert response.status_code == 302
    assert query(response.headers["Location"]) == {"website": ["VVNL"], "or": ["(order_id=1)"]}
    assert [row["order_id"].text for row in rows(see(reader, response.headers["Location"]))] == ["1"]
    assert reader.get(f"{ORDERS}?search=").status_code == 400, "programs are told"


def test_a_time_need_not_tell_its_seconds_in_a_form(reader: Client) -> None:
    make_orders(2)
    response = reader.get(f"{ORDERS}?as_of=2018-01-01T10:00", headers=HTML)
    assert query(response.headers["Location"]) == {"as_of": ["2018-01-01T10:00:00"]}
    assert see(reader, response.headers["Location"]).one("input", name="as_of").get("value") == "2018-01-01T10:00:00"


def test_what_is_in_force_can_be_taken_away(reader: Client) -> None:
    make_orders(5)
    address = f"{ORDERS}?website=VVNL&or=(order_id=1,order_id=2)&or=(order_id=2,order_id=3)&ordering=order_id"
    page = see(reader, address)
    assert [row["order_id"].text for row in rows(page)] == ["2"]
    found = chips(page)
    assert list(found) == [
        "website=VVNL",
        "or=(order_id=1,order_id=2)",
        "or=(order_id=2,order_id=3)",
        "ordering=order_id",
    ]
    assert query(found["website=VVNL"]) == {
        "or": ["(order_id=1,order_id=2)", "(order_id=2,order_id=3)"],
        "ordering": ["order_id"],
    }
    page = see(reader, found["or=(order_id=1,order_id=2)"])
    assert [row["order_id"].text for row in rows(page)] == ["2", "3"]


@pytest.mark.parametrize(("count", "words"), [(0, "0 orders"), (1, "1 order"), (1_234, "1,234 orders")])
def test_the_count_in_words(reader: Client, count: int, words: str) -> None:
    make_orders(count)
    assert see(reader, ORDERS).one("p", class_="count").text == words
    assert see(reader, f"{ORDERS}?count=none").one("p", class_="count").text == "orders, not counted"


def test_the_count_of_many_in_words(reader: Client) -> None:
    make_orders(10_001)
    # What the summary does not know.
    many = f"{ORDERS}?customer_id__gt=1"
    assert see(reader, many).one("p", class_="count").text == "more than 10,000 orders"
    assert see(reader, f"{many}&count=exact").one("p", class_="count").text == "10,001 orders"


def test_results_are_a_table_that_leads_on(reader: Client) -> None:
    make_order(1, payment_id=None)
    correct(make_order(2), "website", "VVBE", actor="ana", reason="seen on the invoice")
    second, first = rows(see(reader, ORDERS))
    assert list(first) == [*NAMES, "run", "line", "since"]
    assert first["order_id"].one("a").get("href") == f"{ORDERS}services/1/"
    assert first["run"].one("a").get("href").startswith("/api/v1/runs/")
    for name, place in (("customer_id", "customers"), ("product_id", "products")):
        url = first[name].one("a").get("href")
        assert url.startswith(f"/api/v1/{place}/services/")
        see(reader, url)
    assert first["payment_id"].one("span", class_="missing").text == "missing"
    assert first["order_date"].text == "2018-01-01 01:00:00"
    assert (second["website"].get("class"), second["website"].text) == ("corrected", "VVBE source: VVNL")
    assert first["website"].get("class") == ""


def test_columns_are_chosen_by_links(reader: Client) -> None:
    make_order(1, removed=True)
    page = see(reader, f"{ORDERS}?fields=website,removed&removed=any")
    assert [list(row) for row in rows(page)] == [["website", "removed"]]
    links = {link.get("aria-label"): link.get("href") for link in page.one("details", class_="choices").all("a")}
    assert query(links["Hide website"]) == {"fields": ["removed"], "removed": ["any"]}
    assert query(links["Show order_id"])["fields"] == ["order_id,website,removed"]
    page = see(reader, f"{ORDERS}?fields=removed&removed=any")
    assert "Hide removed" not in {link.get("aria-label") for link in page.one("details", class_="choices").all("a")}


def test_heads_sort(reader: Client) -> None:
    make_orders(3)
    page = see(reader, f"{ORDERS}?website=VVNL")
    heads = {head.text: head for head in page.one("table", class_="results").all("th")}
    assert heads["order_date ▼"].get("aria-sort") == "descending"
    assert query(heads["order_date ▼"].one("a").get("href")) == {"website": ["VVNL"], "ordering": ["order_date"]}
    page = see(reader, heads["customer_id"].one("a").get("href"))
    assert [row["customer_id"].text for row in rows(page)] == ["1003", "1002", "1001"]


def test_pages_are_walked_by_links(reader: Client) -> None:
    make_orders(5)
    page, seen = see(reader, f"{ORDERS}?page_size=2&ordering=order_id"), []
    while True:
        seen += [row["order_id"].text for row in rows(page)]
        following = [link for link in page.all("a") if link.get("rel").startswith("next")]
        if not following:
            break
        page = see(reader, following[0].get("href"))
    assert seen == ["1", "2", "3", "4", "5"]
    assert chips(page).keys() == {"page_size=2", "ordering=order_id"}


QUESTIONS = [
    "",
    "?website=VVNL",
    "?website__in=VVNL,VVBE&order_date__gte=2018-01-01T00:00:00%2B01:00&ordering=-website,order_id",
    "?or=(website__in=(VVNL,VVBE),and(order_status=PAID,customer_id=1001))&corrected_by=O'Neill%20%26%20%22Co%22%20$HOME",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_curl_line_asks_the_same(reader: Client, settings: Any, question: str) -> None:
    make_orders(3)
    page = see(reader, ORDERS + question)
    command, option, header, url = shlex.split(page.one("input", id="same-curl").get("value"))
    assert (command, option, header) == ("curl", "--header", "Authorization: Token YOUR_TOKEN")
    assert url == page.one("input", id="same-url").get("value")
    assert url.startswith("http://testserver/")
    assert url.isascii()
    again, first = reader.get(url).json(), reader.get(ORDERS + question).json()
    assert {**again, "results": [row["order_id"] for row in again["results"]]} == {
        **first,
        "results": [row["order_id"] for row in first["results"]],
    }
    settings.API_ANONYMOUS_READ = True
    page = see(reader, ORDERS + question)
    assert shlex.split(page.one("input", id="same-curl").get("value")) == ["curl", url]


def test_a_refusal_leads_to_what_was_meant(reader: Client) -> None:
    make_orders(3)
    wrong = "?websit=VVNL&removed=tru&ordering=order_id,-order_dat&fields=order_id,webste&page_size=2"
    page = see(reader, ORDERS + wrong, 400)
    for _ in range(4):
        page = see(reader, page.all("a", class_="meant")[0].get("href"), 200 if _ == 3 else 400)
    assert chips(page).keys() == {
        "website=VVNL", "removed=true", "ordering=order_id,-order_date", "fields=order_id,website", "page_size=2"
    }  # fmt: skip


def test_a_refusal_keeps_what_was_typed_and_marks_it(reader: Client) -> None:
    page = see(reader, f"{ORDERS}?order_date__gte=yesterday&customer_id=x&removed=tru&website=VVNL", 400)
    said = {item.one("b").text: item for item in page.one("section", class_="refusal").all("li")}
    assert said.keys() == {"order_date__gte", "customer_id", "removed"}
    assert "'yesterday' is not a timestamp" in said["order_date__gte"].text
    assert "Allowed: true; false; any" in said["removed"].text
    for name, typed in {"order_date__gte": "yesterday", "customer_id": "x", "removed": "tru"}.items():
        marked = page.one("input", name=name)
        assert (marked.get("value"), marked.get("type"), marked.get("aria-invalid")) == (typed, "text", "true")
        assert page.one("p", id=marked.get("aria-describedby")).text
    assert page.one("input", name="website").get("aria-invalid") == ""
    assert page.one("input", name="website").get("value") == "VVNL"


def test_nothing_that_was_sent_is_taken_for_html(reader: Client) -> None:
    address = f"{ORDERS}?<script>=1&website=<b>x</b>&search=%22onfocus=alert(1)%20%E2%80%AE&ordering=</form>"
    response = reader.get(address, headers=HTML)
    assert response.status_code == 400
    text = response.content.decode()
    assert not [part for part in ("<b>x", "<script>=", '"onfocus') if part in text]
    assert text.count("\u202e") == 1, "in the input, which keeps what was typed"
    page = read_page(response.content)
    assert "website=<b>x</b>" in chips(page)
    assert 'search="onfocus=alert(1) \\u202e' in chips(page)


def test_nothing_that_was_loaded_is_taken_for_html(reader: Client) -> None:
    run = make_run(file="/x/<img src=x onerror=alert(1)>\u202e.csv", actor="<i>\x1b[31m")
    make_reject(run, 2, ("not_a_code", "website"), raw="1,<script>alert(1)</script>\u2066,http://testserver/x")
    for address in ("/api/v1/runs/", f"/api/v1/runs/{run.pk}/", f"/api/v1/runs/{run.pk}/rejects/"):
        response = reader.get(address, headers=HTML)
        page, text = read_page(response.content), response.content.decode()
        assert not page.all("img") + page.all("i")
        assert not [part for part in ("\u202e", "\u2066", "\x1b", "<script>alert") if part in text]
    assert "1,<script>alert(1)</script>\\u2066" in page.one("table", class_="results").text


def test_an_order_leads_to_its_history_and_back(reader: Client) -> None:
    correct(make_order(1), "website", "VVBE", actor="ana", reason="seen on the invoice")
    page = see(reader, f"{ORDERS}services/1/")
    assert page.one("h1").text == "Order services/1"
    links = {link.text: link.get("href") for link in page.all("a")}
    history = see(reader, links["History"])
    assert "seen on the invoice" in history.text
    assert history.one("ol", class_="breadcrumb").all("a")[-2].get("href").startswith(f"{ORDERS}services/1/")
    facts = {row.one("th").text: row for row in page.one("table", class_="facts").all("tr")}
    assert facts["website"].one("td").text == "VVBE source: VVNL"


def test_every_head_leads_somewhere(pages: list[Element], reader: Client) -> None:
    for link in pages[0].one("header").all("a"):
        assert reader.get(link.get("href"), headers=HTML).status_code == 200


def test_who_may_not_read_is_led_to_the_login(client: Client) -> None:
    page = see(client, f"{ORDERS}?website=VVNL", 401)
    [link, _] = [link for link in page.all("a") if "login" in link.get("href")]
    assert query(link.get("href")) == {"next": [f"{ORDERS}?website=VVNL"]}
    assert reverse("rest_framework:login") in link.get("href")


def test_a_page_of_the_past_is_no_other(reader: Client) -> None:
    make_order(1, order_date=datetime(2018, 1, 1, tzinfo=UTC))
    page = see(reader, f"{ORDERS}?as_of=2018-01-01")
    assert page.one("p", class_="nothing").text.startswith("Nothing meets")
    assert chips(page).keys() == {"as_of=2018-01-01"}


def test_exports_and_documents_are_linked_where_there_are_any(reader: Client) -> None:
    fields = "fields=order_id,source_values,url"
    make_order(1, website="VVBE")
    page = see(reader, f"{ORDERS}?website=VVBE&page_size=2&count=none&ordering=order_id&{fields}")
    for link in page.one("section", class_="same").all("a"):
        assert query(link.get("href")).items() >= {"website": ["VVBE"], "ordering": ["order_id"]}.items()
        assert reader.get(link.get("href")).status_code == 200, link.text
