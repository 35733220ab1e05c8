"""The history of an order as a picture: it shows just what was, from when to when, and nothing in it is markup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from catalog import rules
from catalog.corrections import correct, retire
from catalog.models import Change, Correction, Order, ValueRule
from catalog.read_only import moment
from catalog.timeline import Difference, Entry
from catalog.timeline_picture import BEFORE, MOST, Span, TimelinePicture, elapsed, fitting, lanes, newest
from tests.admin_side import client_of, get
from tests.factories import START, make_change, make_conflict, make_order, make_run, make_version

pytestmark = pytest.mark.django_db
PAGE = "/admin/catalog/order/services/5/change/"

FIRST = START + timedelta(days=1)


@dataclass
class Story:
    """A history as it is made: its entries, and what the order showed after each; None while it was gone."""

    entries: list[Entry] = field(default_factory=list)
    shown: list[dict[str, Any] | None] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=lambda: {"website": 0, "payment_id": 0, "removed": False})

    def tell(self, did: str) -> None:
        """The next change: `w` and `p` set a value, `r` removes or brings back, `e` is an event only, `g` for gone."""
        change = Change(pk=len(self.entries) + 1, kind=Change.Kind.LOAD, at=FIRST, actor="nightly")
        gone = bool(self.shown) and self.shown[-1] is None
        entry = Entry(change)
        if not self.entries:
            entry.first = entry.state = True
        elif did == "g" and not gone:
            entry.gone = True
        elif did != "e":
            entry.state = True
            self._set(entry, did)
        self.entries.append(entry)
        out = entry.gone or (gone and not entry.state)
        self.shown.append(None if out else dict(self.state))

    def _set(self, entry: Entry, did: str) -> None:
        before = dict(self.state)
        if did == "r":
            self.state["removed"] = entry.removed = not before["removed"]
        elif did in ("w", "p"):
            name = {"w": "website", "p": "payment_id"}[did]
            self.state[name] += 1
            entry.differences.append(Difference(name, before[name], self.state[name], before[name], self.state[name]))


def told(text: str) -> tuple[Story, Order]:
    story = Story()
    for did in text:
        story.tell(did)
    return story, Order(removed=story.state["removed"])


def held(spans: tuple[Span, ...], number: int) -> list[str | None]:
    """What a lane shows after each of the changes; fails where it shows two things."""
    found: list[str | None] = [None] * number
    for span in spans:
        assert span.start < span.end
        for place in range(max(span.start, 0), span.end):
            assert found[place] is None, "two at once"
            found[place] = span.value
    return found


@given(st.text(alphabet="wprge", min_size=1, max_size=30))
def test_the_lanes_show_just_what_the_order_showed(text: str) -> None:
    story, order = told(text)
    drawn = {lane.name: held(lane.spans, len(story.entries)) for lane in lanes(story.entries, order)}

    there = ["removed" if state["removed"] else "in the catalogue" for state in story.shown if state]
    assert [value for value in drawn["order"] if value] == there
    assert [value is None for value in drawn.pop("order")] == [state is None for state in story.shown]
    assert set(drawn) == {name for name in ("website", "payment_id") if story.state[name]}, "those that ever changed"
    for name, values in drawn.items():
        assert values == [state and str(state[name]) for state in story.shown]


@given(st.text(alphabet="wprge", min_size=1, max_size=30), st.integers(1, 8))
def test_of_a_long_history_the_newest_is_shown_as_it_was(text: str, most: int) -> None:
    story, order = told(text)
    whole = {lane.name: held(lane.spans, len(story.entries)) for lane in lanes(story.entries, order)}

    left, kept = newest(lanes(story.entries, order), story.entries, most)

    assert kept == story.entries[-most:]
    for lane in left:
        assert held(lane.spans, len(kept)) == whole[lane.name][-most:]
    changed = {d.name for entry in kept for d in entry.differences}
    assert {lane.name for lane in left} == {"order", *changed}


@given(st.text(alphabet="wprge", min_size=1, max_size=30), st.booleans())
def test_everything_lies_within_the_picture_and_spans_meet_at_marks(text: str, whole: bool) -> None:
    story, order = told(text)
    picture = TimelinePicture(story.entries[::-1], order, whole=whole)

    at = {mark["x"] for mark in picture.marks}
    assert len(at) == min(MOST, len(story.entries))
    for bar in picture.bars:
        assert bar["x"] in at | {0}
        assert bar["x"] + bar["width"] in at | {picture.width}
        assert 0 < bar["y"] < bar["y"] + bar["height"] <= picture.height
    assert picture.is_cut is (not whole or len(story.entries) > MOST)
    starts = {lane.spans[0].start for lane in picture.lanes if lane.spans}
    assert (BEFORE in starts) <= (len(story.entries) > MOST)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a moment"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (3600, "1 hour"),
        (86400 * 40, "40 days"),
        (86400 * 365 * 1200, "1,200 years"),
    ],
)
def test_a_length_of_time_is_said_in_words(seconds: float, words: str) -> None:
    assert elapsed(timedelta(seconds=seconds)) == words


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    assert fitting("VVNL", 36) == "VVNL"
    assert fitting("PAID_TO_SUPPLIER", 36) == "PAID…"


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def titles(page: str) -> list[str]:
    """What the bars say."""
    return [unescape(text) for text in re.findall(r'<g class="bar [a-z-]+"><title>(.*?)</title>', page)]


def marks(page: str) -> list[tuple[str, str]]:
    """The kind of each change, and the entry of the table to which its mark leads; each is there."""
    found = re.findall(r'<a href="#(change-\d+)"[^>]* class="mark mark-(\w+)"', page)
    for target, _ in found:
        assert page.count(f'id="{target}"') == 1
    return [(kind, target) for target, kind in found]


def order() -> Order:
    return Order.objects.get(order_id=5)


def at(change: Change | None) -> str:
    assert change is not None
    return moment(change.at)


def test_the_picture_tells_of_loads_people_and_rules(steward: Client) -> None:
    run = make_run()
    make_order(5, change=run.change, voucher_status="EXPRIED")
    conflict = make_conflict(order(), "website", "VVBE", "VVFR")
    retire(Correction.objects.filter(pk=conflict.pk), actor="ben", reason="the source is right")
    rules.switch_on(ValueRule.objects.get(), actor="ana")

    page = get(steward, PAGE)

    assert [kind for kind, _ in marks(page)] == ["load", "correction", "load", "correction", "rule"]
    first, made, brought, ended, ruled = Change.objects.order_by("pk")
    assert titles(page) == [
        f"order: in the catalogue, from {at(first)} until now",
        f"website: VVNL, from {at(first)} until {at(made)}",
        f"website: VVBE, from {at(made)} until {at(brought)}; the source says VVNL",
        f"website: VVBE, from {at(brought)} until {at(ended)}; the source says VVFR",
        f"website: VVFR, from {at(ended)} until now",
        f"voucher_status: EXPRIED, from {at(first)} until {at(ruled)}",
        f"voucher_status: EXPIRED, from {at(ruled)} until now; the source says EXPRIED",
    ]
    assert f"run {run.pk}, nightly" in page
    assert 'style="' not in page[page.index("timeline-picture") : page.index('<table class="history">')]


def test_an_order_that_never_changed_has_no_picture(steward: Client) -> None:
    make_order(5)
    assert "timeline-picture" not in get(steward, PAGE)


def test_texts_in_the_picture_are_no_markup(steward: Client) -> None:
    make_order(5)
    correct(order(), "website", "VVBE", actor='<b>"a"\u202e\x1b', reason="so")
    page = get(steward, PAGE)
    picture = page[page.index('<svg class="timeline-picture"') : page.index('<table class="history">')]
    assert "<b>" not in picture
    assert "\u202e" not in picture
    assert "\x1b" not in picture
    assert "&lt;b&gt;&quot;a&quot;\\u202e\\x1b" in picture


def test_the_past_of_an_order_that_was_removed_and_came_back(steward: Client) -> None:
    one, two, three = (make_run().change or make_change() for _ in range(3))
    made = make_order(5, change=three)
    make_version(made, change=one, ended_by=two)
    make_version(made, change=two, ended_by=three, removed=True)
    assert [text.split(", from")[0] for text in titles(get(steward, PAGE))] == [
        "order: in the catalogue",
        "order: removed",
        "order: in the catalogue",
    ]


def test_a_long_history_says_what_is_left_out(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_order(5)
    for number in range(1, MOST + 3):
        correct(order(), "customer_id", number, actor="ana", reason="so")
    page = get(steward, PAGE)
    assert len(marks(page)) == MOST
    assert f"Only the newest {MOST} changes are drawn" in page
    assert "customer_id: 2, from before until" in "\n".join(titles(page))
    monkeypatch.setattr("catalog.admin_orders.SHOWN", 5)
    assert "Only the newest 6 changes are drawn" in get(steward, PAGE)
