"""What a person keeps of the list of orders: filters under names, and columns."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.saved_models import MOST_SAVED, ChosenColumns, SavedFilter
from tests.admin_side import client_of, fields_of, get, post, said
from tests.factories import make_orders
from tests.order_list import ORDERS, heads, names_on, see, viewer
from tests.pages import query, read_page

__all__ = ["viewer"]

pytestmark = pytest.mark.django_db

USUAL = "customer_id,website,order_status,voucher_status,payment_status,order_date,payment_date"


def save(client: Client, name: str, address: str = "?website=VVNL") -> str:
    """Save what the list shows at an address; the page that follows."""
    fields = fields_of(see(client, address), "name")
    return post(client, f"{ORDERS}saved/save/", fields | {"name": name})


def saved(page: str) -> dict[str, str]:
    """The saved filters above a list, with their addresses."""
    bars = read_page(page).all("nav", class_="saved")
    links = bars[0].all("a") if bars else []
    return {link.text: link.get("href") for link in links if link.get("href").startswith("?")}


def columns_form(page: str) -> dict[str, Any]:
    return fields_of(page, "column")


def test_filters_are_kept_under_a_name_and_opened_by_it(viewer: Client) -> None:
    make_orders(3)
    page = save(viewer, " Late  ones ", "?website=VVNL&q=2&o=1&p=1")
    assert said(page) == "Saved as Late ones."
    assert names_on(page) == ["services/2"], "one is where one was"
    assert query(saved(see(viewer))["Late ones"]) == {
        "website": ["VVNL"],
        "q": ["2"],
        "o": ["1"],
        "columns": [USUAL],
    }
    opened = see(viewer, saved(page)["Late ones"])
    assert names_on(opened) == ["services/2"]
    assert read_page(opened).one("nav", class_="saved").one("a", aria_current="true").text == "Late ones"


def test_the_same_name_is_given_to_what_is_saved_last(viewer: Client) -> None:
    save(viewer, "mine")
    page = save(viewer, "mine", "?website=VVBE")
    assert said(page) == "Saved as mine, in place of what had that name before."
    assert query(saved(page)["mine"])["website"] == ["VVBE"]
    assert SavedFilter.objects.count() == 1


def test_saved_filters_are_ones_own(viewer: Client) -> None:
    save(viewer, "mine")
    kept = SavedFilter.objects.get()
    other = client_of("viewer", "ben")
    assert saved(see(other)) == {}
    assert "mine" not in get(other, f"{ORDERS}saved/")
    for what, fields in (("rename", {"name": "theirs"}), ("delete", {})):
        page = post(other, f"{ORDERS}saved/{kept.pk}/{what}/", fields)
        assert said(page) == "There is no such saved filter of yours."
    kept.refresh_from_db()
    assert kept.name == "mine"
    save(other, "mine", "?website=VVBE")
    assert query(saved(see(viewer))["mine"])["website"] == ["VVNL"]


def test_saved_filters_are_renamed_and_deleted(viewer: Client) -> None:
    save(viewer, "one")
    save(viewer, "two", "?website=VVBE")
    one = SavedFilter.objects.get(name="one")
    page = post(viewer, f"{ORDERS}saved/{one.pk}/rename/", {"name": "two"})
    assert said(page) == "You have a saved filter two already; choose another name, or delete that one."
    page = post(viewer, f"{ORDERS}saved/{one.pk}/rename/", {"name": "three"})
    assert said(page) == "It is called three now."
    page = post(viewer, f"{ORDERS}saved/{one.pk}/delete/", {})
    assert said(page) == "The saved filter is deleted."
    assert list(saved(see(viewer))) == ["two"]
    assert "There is no such saved filter" in said(post(viewer, f"{ORDERS}saved/{one.pk}/delete/", {}))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "A saved filter needs a name."),
        ("   ", "A saved filter needs a name."),
        ("a\u202eb", "characters that would not show"),
        ("x" * 61, "at most 60 characters"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_a_name_is_one_that_people_can_read(viewer: Client, name: str, told: str) -> None:
    assert told in said(save(viewer, name))
    assert not SavedFilter.objects.exists()
    save(viewer, "good")
    pk = SavedFilter.objects.get().pk
    assert told in said(post(viewer, f"{ORDERS}saved/{pk}/rename/", {"name": name}))
    assert SavedFilter.objects.get().name == "good"


def test_a_name_with_markup_is_shown_as_what_it_is(viewer: Client) -> None:
    page = save(viewer, "<script>alert(1)</script>") + get(viewer, f"{ORDERS}saved/")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_only_so_many_are_kept(viewer: Client) -> None:
    save(viewer, "first")
    user = SavedFilter.objects.get().user
    SavedFilter.objects.bulk_create(SavedFilter(user=user, name=f"n{n}", query="") for n in range(1, MOST_SAVED))
    assert f"you have {MOST_SAVED} saved filters" in said(save(viewer, "one more"))
    assert said(save(viewer, "n1", "?website=VVBE")) == "Saved as n1, in place of what had that name before."
    assert SavedFilter.objects.count() == MOST_SAVED


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("webiste=VVNL", "Unknown parameter. Did you mean 'website'?"),
        ("website=" + "V" * 33, "longer than 32 characters"),
        ("or=(website=" + ",website=".join(["V" * 32] * 50) + ")&" + "or=(order_id=1)&" * 150, "longer than 4,000"),
        ("columns=nothing", "There is no column 'nothing'."),
    ],
)
def test_what_cannot_be_read_is_not_kept(viewer: Client, kept: str, told: str) -> None:
    page = viewer.post(f"{ORDERS}saved/save/", {"name": "mine", "query": kept})
    assert page.status_code == 302
    assert told in said(get(viewer, f"{ORDERS}saved/"))
    assert not SavedFilter.objects.exists()


def test_what_is_opened_is_checked_again(viewer: Client) -> None:
    """What was saved may be of another day, when there were other filters."""
    make_orders(1)
    save(viewer, "old")
    SavedFilter.objects.update(query="colour=red&website=VVNL")
    page = see(viewer, saved(see(viewer))["old"])
    assert "colour: Unknown parameter." in said(page)
    assert names_on(page) == []


@pytest.mark.parametrize("kept", ["", "//evil.example/", "p=7&e=1", "website=VVNL\0", "https://evil.example/?a"])
def test_a_form_that_was_tampered_with_leads_nowhere_else(viewer: Client, kept: str) -> None:
    for path in ("saved/save/", "columns/"):
        response = viewer.post(f"{ORDERS}{path}", {"name": "x", "query": kept})
        assert response.headers["Location"].partition("?")[0] == ORDERS


def test_nothing_is_kept_without_a_form(viewer: Client) -> None:
    save(viewer, "mine")
    pk = SavedFilter.objects.get().pk
    for path in ("saved/save/", f"saved/{pk}/rename/", f"saved/{pk}/delete/", "columns/"):
        assert viewer.get(f"{ORDERS}{path}").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = viewer.cookies
    assert strict.post(f"{ORDERS}saved/{pk}/delete/").status_code == 403


def test_who_is_gone_leaves_nothing_behind(viewer: Client) -> None:
    save(viewer, "mine")
    post(viewer, f"{ORDERS}columns/", {"column": "website", "query": ""})
    SavedFilter.objects.get().user.delete()
    assert not SavedFilter.objects.exists()
    assert not ChosenColumns.objects.exists()


def test_columns_are_chosen_in_a_form_and_remembered(viewer: Client) -> None:
    make_orders(1)
    form = columns_form(see(viewer, "?website=VVNL&o=6"))
    assert form["column"] == USUAL.split(",")
    page = post(viewer, f"{ORDERS}columns/", form | {"column": ["product_id", "website", "nonsense"]})
    assert heads(page) == ["Order", "Product id", "Website"]
    assert names_on(page) == ["services/1"], "the filters are still there"
    assert heads(see(viewer)) == ["Order", "Product id", "Website"], "the next day"
    assert len(heads(see(client_of("viewer", "ben")))) == 8, "for nobody else"
    assert heads(see(viewer, "?columns=removed")) == ["Order", "Removed"], "but for a link with others"
    assert heads(see(viewer)) == ["Order", "Product id", "Website"]


def test_the_address_after_a_choice_shows_others_the_same(viewer: Client) -> None:
    response = viewer.post(
        f"{ORDERS}columns/", {"column": ["website", "run"], "query": "website=VVNL&o=1&columns=line"}
    )
    assert query(response.headers["Location"]) == {"website": ["VVNL"], "columns": ["website,run"]}


def test_the_usual_columns_come_back(viewer: Client) -> None:
    post(viewer, f"{ORDERS}columns/", {"column": "website", "query": ""})
    post(viewer, f"{ORDERS}columns/", {"column": "website", "usual": "1", "query": ""})
    make_orders(1)
    assert len(heads(see(viewer))) == 8
    assert not ChosenColumns.objects.exists()


def test_columns_that_were_kept_and_are_no_more_are_left_out(viewer: Client) -> None:
    make_orders(1)
    post(viewer, f"{ORDERS}columns/", {"column": "website", "query": ""})
    ChosenColumns.objects.update(columns="colour,website")
    assert heads(see(viewer)) == ["Order", "Website"]
    ChosenColumns.objects.update(columns="colour")
    assert len(heads(see(viewer))) == 8
