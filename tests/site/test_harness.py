"""The test harness itself: the engine is the one asked for, and processes share the test database."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from catalog.models import Source
from tests.conftest import ROOT, RunManage
from tests.databases import SETTINGS, clean_environment

COUNT_SOURCES = "from catalog.models import Source; print(Source.objects.count())"


def test_the_engine_is_the_one_asked_for(engine: str) -> None:
    assert connection.vendor == engine


def test_a_process_sees_what_the_test_has_written(run_manage: RunManage) -> None:
    Source.objects.create(number=1, code="services")
    done = run_manage("shell", "--no-imports", "-c", COUNT_SOURCES)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_the_test_sees_what_a_process_has_written(run_manage: RunManage) -> None:
    command = "from catalog.models import Source; Source.objects.create(number=2, code='shop')"
    assert run_manage("shell", "--no-imports", "-c", command).returncode == 0
    assert Source.objects.get().code == "shop"


def test_no_setting_of_the_caller_reaches_the_tests() -> None:
    caller = {"PATH": "/bin", "DJANGO_DEBUG": "on", "ENV_FILE": "/x", "TZ": "Asia/Tokyo", "PGHOST": "other"}
    assert clean_environment(caller) == {"PATH": "/bin"} | SETTINGS


def test_libpq_is_told_how_to_reach_a_server_that_the_caller_names() -> None:
    caller = {"TEST_DATABASE_URL": "postgres://host/name", "PGPASSFILE": "/home/me/.pgpass"}
    assert clean_environment(caller) == caller | SETTINGS


def test_the_environment_is_the_clean_one() -> None:
    assert {name: os.environ[name] for name in SETTINGS} == SETTINGS
    assert "ENV_FILE" not in os.environ


@pytest.mark.sqlite_only
def test_about_sqlite_runs_on_sqlite_only(engine: str) -> None:
    assert engine == "sqlite"


@pytest.mark.postgresql_only
def test_about_postgresql_runs_on_postgresql_only(engine: str) -> None:
    assert engine == "postgresql"


def test_without_a_browser_the_run_ends_before_it_begins() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--database", "sqlite", "-q", "tests/browser", "tests/test_architecture.py"],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env=dict(os.environ) | {"CHROMIUM": "/nowhere"},
        text=True,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: CHROMIUM is /nowhere, which is no program; name the browser, or unset it." in done.stderr
    assert "passed" not in done.stdout
