"""The pages of the API as tests look at them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.factories import make_user

HTML = {"Accept": "text/html"}

VOID = frozenset({"input", "link", "meta", "br", "hr", "img", "use", "path"})


@dataclass(slots=True)
class Element:
    """One element; `text` is all that is written in it."""

    tag: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    inside: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def get(self, name: str) -> str:
        """The value of an attribute, empty where it has none."""
        return self.attributes.get(name, "")

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements below it with these attributes; `class_` is one of the classes."""
        return [
            element
            for element in self.inside
            if element.tag == tag and all(matches(element, name, value) for name, value in attributes.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The one element of its kind."""
        [found] = self.all(tag, **attributes)
        return found


def matches(element: Element, name: str, value: str) -> bool:
    if name == "class_":
        return value in element.get("class").split()
    return element.get(name.replace("_", "-")) == value


class Reader(HTMLParser):
    """Reads a page; elements that are not closed rightly are a failure."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        for outer in self.open:
            outer.inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        # Within a picture any element may end as it begins.
        drawn = any(element.tag == "svg" for element in self.open)
        assert tag in VOID or drawn, f"<{tag} /> is never closed"
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"<{closed.tag} {closed.attributes}> ends with </{tag}>"

    def handle_data(self, data: str) -> None:
        for outer in self.open:
            outer.parts.append(data)


def read_page(content: bytes | str) -> Element:
    """The page."""
    reader = Reader()
    reader.feed(content.decode() if isinstance(content, bytes) else content)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is never closed"
    return reader.root


@pytest.fixture
def reader(db: None, client: Client) -> Client:
    """The browser of someone who may read."""
    client.force_login(make_user())
    return client


def see(reader: Client, address: str, status: int = 200) -> Element:
    """The page at an address."""
    response = reader.get(address, headers=HTML)
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("text/html")
    return read_page(response.content)


def chips(page: Element) -> dict[str, str]:
    """What the page says is in force, with the address without it."""
    items = [item for found in page.all("ul", class_="chips") for item in found.all("li")]
    return {item.one("span").text: item.one("a").get("href") for item in items}


def rows(page: Element) -> list[dict[str, Element]]:
    """The results of a list by the heads of their columns."""
    table = page.one("table", class_="results")
    heads = [re.sub(" [▲▼]$", "", head.text) for head in table.one("thead").all("th")]
    return [dict(zip(heads, row.all("td"), strict=True)) for row in table.one("tbody").all("tr")]


def query(address: str) -> dict[str, list[str]]:
    """The parameters in an address."""
    return parse_qs(urlsplit(address).query, keep_blank_values=True)
