"""What every test may ask for: the engine, and programs run for real against the test database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from catalog.api.conditional import answers
from tests.databases import ENGINES

ROOT = Path(__file__).resolve().parent.parent
ASKING = {"db", "transactional_db", "django_db_reset_sequences", "live_server", "engine"}
"""The fixtures of which all others that know a database are made."""


class RunManage(Protocol):
    """How `run_manage` is called."""

    def __call__(
        self, *arguments: str | Path, stdin: str | bytes | None = None, timeout: float = 120, **variables: str
    ) -> subprocess.CompletedProcess[str]: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--pictures`."""
    parser.addoption("--pictures", metavar="FOLDER", help="where the browser tests put their pictures (nowhere)")


def pytest_runtest_setup() -> None:
    """Forget what was answered: tests make orders without a change of the catalogue, whose version then lies."""
    answers.clear()


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "sqlite_only: tests what only SQLite has")
    config.addinivalue_line("markers", "postgresql_only: tests what only PostgreSQL has")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the other half of `make test` runs: tests of the other engine, and those of none but once."""
    others = {f"{name}_only" for name in ENGINES if name != config.getoption("database")}
    once = config.getoption("database") != ENGINES[0]
    elsewhere = [
        item
        for item in items
        if any(item.get_closest_marker(other) for other in others) or (once and not uses_database(item))
    ]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


def uses_database(item: pytest.Item) -> bool:
    """Whether a test can tell one database from another."""
    asked: list[str] = getattr(item, "fixturenames", [])
    return item.get_closest_marker("django_db") is not None or not ASKING.isdisjoint(asked)


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """The database under test: `sqlite` or `postgresql`."""
    name: str = pytestconfig.getoption("database")
    return name


GROUPS: dict[str, list[tuple[str, str, str]]] = {}
"""The groups that the migrations make, each with its permissions: code name, application and model."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Look at the groups while they are there: a test that commits leaves every table empty."""
    with django_db_blocker.unblock():
        for group in Group.objects.all():
            rights = group.permissions.values_list("codename", "content_type__app_label", "content_type__model")
            GROUPS[group.name] = list(rights)


@pytest.fixture
def shipped_groups(transactional_db: None) -> None:
    """The groups as the migrations make them, for tests that commit."""
    for name, rights in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([Permission.objects.get_by_natural_key(c, app, m) for c, app, m in rights])


@pytest.fixture(scope="session", autouse=True)
def _static_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pages are rendered without `collectstatic` having been run."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES=settings.STORAGES | {"staticfiles": plain}, STATIC_ROOT=tmp_path_factory.mktemp("static")
    ):
        yield


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The URL of the test database, where other processes see what the test has written, and it them."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{quote(name)}"))


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """The environment of a program that works on the test database."""
    return dict(os.environ) | {"DATABASE_URL": database_url}


@pytest.fixture
def run_manage(environment: dict[str, str]) -> RunManage:
    """Run `manage.py` as a process of its own on the test database.

    `run_manage("ingest_csv", path, LOG_LEVEL="DEBUG")`: keywords in capitals are environment variables.
    """

    def run(
        *arguments: str | Path, stdin: str | bytes | None = None, timeout: float = 120, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL}
        if stdin is not None:
            given = {"input": stdin.encode() if isinstance(stdin, str) else stdin}
        done = subprocess.run(
            [sys.executable, "-Wd", ROOT / "manage.py", *arguments],
            check=False,
            capture_output=True,
            cwd=ROOT,
            env=environment | variables,
            timeout=timeout,
            **given,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
