"""A database that was restarted is noticed by nobody, and asked about by hardly anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT
from tests.postgresql import OPTIONS, TemporaryPostgreSQL
from tests.site.test_logs import gunicorn, status

pytestmark = pytest.mark.postgresql_only

STATISTICS = {"log_statement": "all", "log_destination": "stderr"}


@pytest.fixture
def server() -> Iterator[TemporaryPostgreSQL]:
    """A server of this test's own, which writes down every statement."""
    with tempfile.TemporaryDirectory(prefix="orders-") as folder:
        server = TemporaryPostgreSQL(Path(folder), {**OPTIONS, **STATISTICS})
        yield server
        server.stop()


@pytest.fixture
def own_environment(server: TemporaryPostgreSQL) -> dict[str, str]:
    """The environment of a site that has one worker with one thread, and so one connection."""
    single = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "1", "API_ANONYMOUS_READ": "on", "LOG_LEVEL": "ERROR"}
    environment = dict(os.environ) | single | {"DATABASE_URL": server.start()}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=ROOT, env=environment)
    return environment


def connections(server: TemporaryPostgreSQL) -> list[int]:
    """The processes that serve connections of the site."""
    with psycopg.connect(host=str(server.folder), user="postgres", dbname="postgres") as own:
        own_number = own.info.backend_pid
        rows = own.execute("SELECT pid FROM pg_stat_activity WHERE client_port IS NOT NULL ORDER BY pid")
        return [number for (number,) in rows if number != own_number]


def test_a_restart_is_invisible_to_the_next_request(
    server: TemporaryPostgreSQL, own_environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with gunicorn(own_environment, log) as site:
        for _ in range(3):
            assert [status(f"{site}/api/v1/orders/") for _ in range(5)] == [200] * 5
            server.restart()
            # At once, while the connection was used a moment ago.
            assert status(f"{site}/api/v1/orders/") == 200
    assert "database_unavailable" not in log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_so_is_the_end_of_one_connection(
    server: TemporaryPostgreSQL, own_environment: dict[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    with gunicorn(own_environment, tmp_path / "log") as site:
        assert [status(f"{site}/api/v1/orders/") for _ in range(3)] == [200] * 3
        [number] = connections(server)
        os.kill(number, how)
        server.wait_until_ready()
        assert status(f"{site}/api/v1/orders/") == 200


def test_it_is_asked_about_once_a_second_and_the_limit_set_once(
    server: TemporaryPostgreSQL, own_environment: dict[str, str], tmp_path: Path
) -> None:
    with gunicorn(own_environment, tmp_path / "log") as site:
        assert status(f"{site}/api/v1/orders/") == 200
        before = server.log.read_text()
        for number in range(50):
            # Each is another question: what was asked before is answered from memory.
            with urllib.request.urlopen(f"{site}/api/v1/orders/?customer_id={number + 1}") as response:
                assert response.status == 200
        said = server.log.read_text()[len(before) :]
        assert len(connections(server)) == 1
    assert said.count("catalog_order") >= 50
    assert said.count("statement: SELECT 1\n") <= 5
    assert "statement_timeout" in before
    assert "statement_timeout" not in said
