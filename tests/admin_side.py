"""Pages of the admin as a browser sees and sends them."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from tests.factories import make_user

Fields = dict[str, Any]


def client_of(group: str, name: str = "") -> Client:
    """A browser in which a member of staff of this group is logged in."""
    user = make_user(name or group, staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client = Client()
    client.force_login(user)
    return client


class FormReader(HTMLParser):
    """What a browser would send of the forms of a page, buttons aside."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.open = self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and name and self._sent(given, attrs):
            self.forms[-1].setdefault(name, []).append(given.get("value", ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.forms[-1]):
            # The first one, unless another one is chosen.
            self.forms[-1][self.select] = [given.get("value", "")]
        elif tag == "textarea":
            self.area = name
            self.forms[-1].setdefault(name, []).append("")

    def _sent(self, given: dict[str, str], attrs: list[tuple[str, str | None]]) -> bool:
        kind = given.get("type", "text")
        return kind != "submit" and (kind not in ("radio", "checkbox") or "checked" in dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            # The browser drops the line end right after the opening tag.
            self.forms[-1][self.area][-1] += data.removeprefix("\n").removeprefix("\r\n")


def fields_of(page: str, having: str) -> Fields:
    """The fields of the one form of a page that has a field of that name, as the page shows them."""
    reader = FormReader()
    reader.feed(page)
    [form] = [form for form in reader.forms if having in form]
    return {name: values if len(values) > 1 else values[0] for name, values in form.items()}


def get(client: Client, path: str, **query: Any) -> str:
    """The text of a page that must be there."""
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code, response.headers.get("Location"))
    return response.content.decode()


def post(client: Client, path: str, fields: Fields) -> str:
    """The text of the page to which sending a form leads, redirections followed."""
    response = client.post(path, fields, follow=True)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def text_of(page: str) -> str:
    """What a page says, without its tags, on one line."""
    spaced = re.sub(r"<(?!/?(?:a|b|strong|span|ins|del)\b)[^>]+>", " ", page)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", spaced)))


def said(page: str) -> str:
    """The messages above a page, and the note above its form."""
    found = re.findall(
        r'<li class="(?:success|warning|error|info)">(.*?)</li>|<p class="errornote">(.*?)</p>', page, re.DOTALL
    )
    return text_of(" ".join(a + b for a, b in found)).strip()
