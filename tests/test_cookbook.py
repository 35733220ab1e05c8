"""The cookbook of docs/api.md: every question is asked of the sample, and the answer is the one that stands there.

`REWRITE_COOKBOOK=yes` writes down what the API answers now. In the document `…` stands for whatever differs from one
installation to the next, and for the middle of what is long.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import Change
from tests.conftest import ROOT
from tests.loading import ingest
from tests.read_side import api

__all__ = ["api"]

PAGE = ROOT / "docs" / "api.md"
RECIPE = re.compile(r"```http\nGET (?P<url>\S+)\n```\n\n```(?P<kind>json|csv)\n(?P<answer>.*?)```\n", re.DOTALL)
SHOWN = 3
"""Most results of a list that stand in the document, unless they are single numbers or words."""

CHANGING = {"run", "since", "next", "previous", "at", "as_of"}
"""What differs from one installation to the next."""


def cookbook() -> str:
    """The part of the document that is tested."""
    return PAGE.read_text().split("\n## Cookbook\n", 1)[1]


def shortened(answer: Any, key: str = "") -> Any:
    """The answer as the document has it."""
    if key in CHANGING and answer is not None:
        return "…"
    if isinstance(answer, dict):
        return {name: shortened(value, name) for name, value in answer.items()}
    if isinstance(answer, list):
        kept = answer if len(answer) <= SHOWN + 1 else answer[:SHOWN]
        return [shortened(value) for value in kept] + ["…"] * (len(kept) < len(answer))
    return answer.replace("http://testserver", "…") if isinstance(answer, str) else answer


def written(response: Any, kind: str) -> str:
    """What stands in the document for an answer."""
    content = response.getvalue() if response.streaming else response.content
    if kind == "csv":
        lines = content.decode().splitlines()
        return "\n".join([*lines[: SHOWN + 1], *(["…"] if len(lines) > SHOWN + 1 else [])]) + "\n"
    return json.dumps(shortened(json.loads(content)), indent=2, ensure_ascii=False) + "\n"


@pytest.fixture
def sample(transactional_db: None) -> None:
    """The catalogue of the demo, as the first load of a new installation."""
    assert ingest(ROOT / "data" / "sample.csv").exit_code == 0
    assert Change.objects.count() == 1


def test_the_cookbook_is_true(api: APIClient, sample: None) -> None:
    recipes = list(RECIPE.finditer(cookbook()))
    assert len(recipes) >= 15
    answers: dict[str, str] = {}
    for recipe in recipes:
        response = api.get(recipe["url"])
        assert response.status_code == 200, f"{recipe['url']}: {response.content!r}"
        answers[recipe["url"]] = written(response, recipe["kind"])
    if os.environ.get("REWRITE_COOKBOOK"):
        rewrite(answers)
    assert {recipe["url"]: recipe["answer"] for recipe in RECIPE.finditer(cookbook())} == answers


def rewrite(answers: dict[str, str]) -> None:
    """Write the answers into the document."""
    before, after = PAGE.read_text().split("\n## Cookbook\n", 1)

    def answered(recipe: re.Match[str]) -> str:
        begin, end = recipe.start("answer") - recipe.start(), recipe.end("answer") - recipe.start()
        return recipe[0][:begin] + answers[recipe["url"]] + recipe[0][end:]

    PAGE.write_text(f"{before}\n## Cookbook\n{RECIPE.sub(answered, after)}")
