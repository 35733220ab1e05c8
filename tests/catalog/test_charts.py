"""Charts: what is drawn, what is said of it, and that nothing in it can do harm."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.template import engines

from catalog.charts import Chart, Kind, Series, steps_to

DAYS = ["2018-07-12", "2018-07-13", "2018-07-14"]
EVIL = "<script>alert(1)</script>\u202e"


def chart(*series: Series, kind: Kind = Kind.BARS) -> Chart:
    return Chart("Orders per day", DAYS, series, kind, "orders", "order")


def elements(drawn: Chart, name: str) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(drawn.svg).iter() if each.tag.rpartition("}")[2] == name]


def shown(drawn: Chart) -> str:
    return engines["django"].from_string("{% load catalog_charts %}{% chart c %}").render({"c": drawn})


@pytest.mark.parametrize("kind", list(Kind))
def test_each_number_says_what_it_is_and_leads_to_what_it_counts(kind: Kind) -> None:
    drawn = chart(Series("VVNL", [3, None, 5000], ["/a", "/b", "/c"]), Series("VVBE", [1, 0, 2]), kind=kind)

    titles = [each.text for each in elements(drawn, "title")]
    assert titles == [
        "VVNL, 2018-07-12: 3 orders",
        "VVNL, 2018-07-14: 5,000 orders",
        "VVBE, 2018-07-12: 1 order",
        # There is no bar of 0, but a line goes down to it.
        *(["VVBE, 2018-07-13: 0 orders"] if kind is Kind.LINES else []),
        "VVBE, 2018-07-14: 2 orders",
    ]
    links = elements(drawn, "a")
    assert [each.get("href") for each in links] == ["/a", "/c"]
    assert {each.get("tabindex") for each in links} == {"-1"}, "the table has the same links for whoever goes by keys"


@pytest.mark.parametrize("kind", list(Kind))
def test_what_there_is_none_of_leads_nowhere(kind: Kind) -> None:
    drawn = Chart("Orders", DAYS, [Series("VVNL", [3, 0, 5], ["/a", "/b", "/c"])], kind, links=["/1", "/2", "/3"])

    assert [each.get("href") for each in elements(drawn, "a")] == ["/a", "/c"]
    assert '<th scope="row">2018-07-13</th><td>0</td>' in shown(drawn)
    assert '<th scope="row"><a href="/1">2018-07-12</a></th>' in shown(drawn)


def test_the_table_has_the_same_numbers() -> None:
    page = shown(chart(Series("VVNL", [3, None, 5000], ["/a", "/b", "/c"])))

    assert '<th scope="row">2018-07-14</th><td><a href="/c">5,000</a></td>' in page
    assert '<th scope="row">2018-07-13</th><td></td>' in page


@pytest.mark.parametrize("kind", list(Kind))
def test_a_strict_policy_lets_it_be(kind: Kind) -> None:
    drawn = chart(Series(EVIL, [1, 2, 3], ["/?a=1&b=<x>"] * 3), Series("b", [1, 2, 3]), kind=kind)
    page = shown(drawn)

    for element in ElementTree.fromstring(drawn.svg).iter():
        assert element.tag.rpartition("}")[2] not in ("script", "style")
        assert not {"style", "id"} & {*element.attrib}
        assert not any(name.startswith("on") for name in element.attrib)
    assert "<script" not in page
    assert "http:" not in page.replace("http://www.w3.org/", "")


def test_nothing_is_said_to_be_nothing() -> None:
    assert "Nothing to show yet." in shown(chart(Series("VVNL", [0, None, 0])))


def test_more_series_than_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="9 series"):
        chart(*(Series(str(number), [1, 2, 3]) for number in range(9)))


@pytest.mark.parametrize(
    ("highest", "steps"),
    [
        (0, [0]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (5, [0, 2, 4, 6]),
        (176, [0, 50, 100, 150, 200]),
        (109_000, [0, 50_000, 100_000, 150_000]),
    ],
)
def test_the_scale_is_of_whole_round_numbers(highest: int, steps: list[int]) -> None:
    assert [*steps_to(highest)] == steps
