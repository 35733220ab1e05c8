"""A pytest plugin: the database that the suite runs on, and an environment that holds nothing of the caller's.

`--database sqlite` (unless told otherwise) is a file in a temporary folder; `--database postgresql` is what
`TEST_DATABASE_URL` names, or else a server of our own, started here and removed when the tests end, however
they end. The settings read the environment when they are imported, so this runs before pytest-django does.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.postgresql import CannotStartError, TemporaryPostgreSQL

ENGINES = ("sqlite", "postgresql")

# What the machine and the tools need. Everything else of the caller's, above all settings, is dropped.
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "TERM", "TMPDIR", "VIRTUAL_ENV", "CI"}
KEPT |= {"TEST_DATABASE_URL", "CRASH_TESTS", "SEQUENCES", "WALK_ROWS", "REWRITE_COOKBOOK", "CHROMIUM"}
KEPT_PREFIXES = ("PYTEST_", "COVERAGE_", "COV_", "SSL_", "LD_", "DYLD_")
# How to reach a server that the caller names; with a server of our own they could only mislead libpq.
CLIENT_PREFIX = "PG"

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "talpa_site.settings",
    "DJANGO_SECRET_KEY": "for-tests-only-" + "0123456789abcdef" * 4,
    "DJANGO_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "DJANGO_INSECURE_HTTP": "on",
    "SOURCE_TIME_ZONE": "UTC",
    # All tests ask from one address.
    "API_RATE_LIMIT": "off",
    "API_ANONYMOUS_RATE_LIMIT": "off",
    "LOG_LEVEL": "WARNING",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--database`."""
    parser.addoption("--database", choices=ENGINES, default="sqlite", help="the database to test on (sqlite)")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Lay out the environment before Django's settings are imported."""
    # A test run that is told to end does so like one that is interrupted: it cleans up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = early_config.known_args_namespace.database
    folder = Path(tempfile.mkdtemp(prefix="orders-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = database_url(engine, folder)
    environment = clean_environment(dict(os.environ)) | {"DATABASE_URL": url}
    os.environ.clear()
    os.environ.update(environment)


def pytest_report_header(config: pytest.Config) -> str:
    """Name the database in the first lines that pytest prints."""
    return f"database: {config.getoption('database')}"


def database_url(engine: str, folder: Path) -> str:
    """The URL of the engine's database; starts a server when one is needed and none is named."""
    if engine == "sqlite":
        return f"sqlite:///{folder / 'catalog.sqlite3'}"
    if named := os.environ.get("TEST_DATABASE_URL"):
        return reachable(named)
    server = TemporaryPostgreSQL(folder)
    atexit.register(server.stop)
    try:
        return server.start()
    except CannotStartError as error:
        raise pytest.UsageError(
            f"{error} Name a server in TEST_DATABASE_URL instead, as a role that may create databases."
        ) from None


def reachable(url: str) -> str:
    """The URL, if a PostgreSQL answers there; a test run that could only fail ends here."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise pytest.UsageError("TEST_DATABASE_URL must start with postgres://.")
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.Error as error:
        raise pytest.UsageError(f"TEST_DATABASE_URL: {str(error).splitlines()[0]}") from None
    return url


def clean_environment(caller: dict[str, str]) -> dict[str, str]:
    """The caller's environment without anything that could reach the settings or the programs under test."""
    prefixes = (*KEPT_PREFIXES, CLIENT_PREFIX) if "TEST_DATABASE_URL" in caller else KEPT_PREFIXES
    kept = {name: value for name, value in caller.items() if name in KEPT or name.startswith(prefixes)}
    return kept | SETTINGS
