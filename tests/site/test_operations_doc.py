"""docs/operations.md lists every variable that the program reads, and none that it does not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

FILES = ("talpa_site/settings.py", "gunicorn.conf.py", "tests/databases.py", "tests/browser/chromium.py")
READ = re.compile(r"""(?:os\.environ\.get\(|os\.environ\[|flag\(|number\(|rate\(|seconds\(|size\()"([A-Z_]+)\"""")


def variables_read() -> set[str]:
    """The names of the environment variables in the source."""
    return {name for file in FILES for name in READ.findall((ROOT / file).read_text())}


def variables_listed() -> set[str]:
    """The names in the first column of the table."""
    text = Path(ROOT / "docs" / "operations.md").read_text()
    return set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))


def test_each_variable_is_listed() -> None:
    assert variables_listed() == variables_read()


def test_what_compose_sets_is_listed() -> None:
    environment = (
        (ROOT / "compose.yaml").read_text().partition("environment: &environment\n")[2].partition("  volumes:")[0]
    )
    names = set(re.findall(r"^    ([A-Z_]+):", environment, re.MULTILINE))
    assert len(names) > 10
    assert names - {"PGPASSFILE"} <= variables_listed()
