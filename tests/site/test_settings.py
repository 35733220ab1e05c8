"""Every setting comes from the environment, and a wrong one ends each program with one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAMS = {
    "check": [sys.executable, "manage.py", "check"],
    "command": [sys.executable, "manage.py", "ingest_csv", "no-such-file.csv"],
    "gunicorn": [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"],
}
SHOW = """
import json, django
from django.conf import settings
names = {names!r}
print(json.dumps({{name: getattr(settings, name) for name in names}}, default=str))
"""


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program of the site; it must end by itself."""
    machine = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=machine | environment, timeout=60
    )


def read(*names: str, **environment: str) -> dict[str, object]:
    """The named settings under an environment."""
    known = {
        "DJANGO_SETTINGS_MODULE": "talpa_site.settings",
        "DJANGO_SECRET_KEY": "any",
        "DATABASE_URL": "postgres:///x",
    }
    done = run([sys.executable, "-c", SHOW.format(names=names)], known | environment)
    assert done.returncode == 0, done.stderr
    values: dict[str, object] = json.loads(done.stdout)
    return values


@pytest.fixture
def valid(tmp_path: Path) -> dict[str, str]:
    """The least that a program needs to start."""
    return {"DJANGO_SECRET_KEY": "any", "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}"}


WRONG = {
    "secret_missing": ({"DJANGO_SECRET_KEY": ""}, "DJANGO_SECRET_KEY is not set"),
    "secret_file_missing": (
        {"DJANGO_SECRET_KEY": "", "DJANGO_SECRET_KEY_FILE": "/no/such/file"},
        "DJANGO_SECRET_KEY_FILE cannot be read",
    ),
    "env_file_missing": ({"ENV_FILE": "/no/such/file"}, "ENV_FILE names /no/such/file"),
    "database_of_another_kind": (
        {"DATABASE_URL": "mysql://host/name"},
        "DATABASE_URL must start with sqlite: or postgres:",
    ),
    "database_not_a_url": ({"DATABASE_URL": "orders.sqlite3"}, "DATABASE_URL must start with sqlite: or postgres:"),
    "database_port": ({"DATABASE_URL": "postgres://host:port/name"}, "DATABASE_URL cannot be read"),
    "database_unnamed": ({"DATABASE_URL": "postgres://host"}, "DATABASE_URL names no database"),
    "database_in_memory": ({"DATABASE_URL": "sqlite://:memory:"}, "DATABASE_URL names a database in memory"),
    "database_folder": ({"DATABASE_URL": "sqlite:////dev/null/x"}, "The folder of the SQLite database cannot be made"),
    "time_zone": ({"SOURCE_TIME_ZONE": "Mars/Olympus"}, "SOURCE_TIME_ZONE is 'Mars/Olympus'"),
    "time_zone_path": ({"SOURCE_TIME_ZONE": "../etc/passwd"}, "SOURCE_TIME_ZONE is '../etc/passwd'"),
    "log_level": ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of DEBUG, INFO"),
    "log_format": ({"LOG_FORMAT": "xml"}, "LOG_FORMAT one of json, console"),
    "flag": ({"DJANGO_DEBUG": "maybe"}, "DJANGO_DEBUG is 'maybe'"),
    "rate": ({"API_RATE_LIMIT": "many"}, "API_RATE_LIMIT is 'many'; write it like 6000/minute"),
    "rate_of_none": ({"API_ANONYMOUS_RATE_LIMIT": "0/minute"}, "API_ANONYMOUS_RATE_LIMIT is '0/minute'; write it like"),
    "rate_period": ({"API_RATE_LIMIT": "5/week"}, "API_RATE_LIMIT is '5/week'; write it like"),
    "time_limit": ({"QUERY_TIME_LIMIT": "soon"}, "QUERY_TIME_LIMIT is 'soon'; set it to a number of seconds"),
    "size": ({"UPLOAD_LIMIT": "plenty"}, "UPLOAD_LIMIT is 'plenty'; write it like 200MB, with KB, MB or GB."),
    "memory": ({"API_MEMORY": "0MB"}, "API_MEMORY is '0MB'; write it like 32MB, with KB, MB or GB, or off."),
    "no_time": ({"QUERY_TIME_LIMIT": "0"}, "QUERY_TIME_LIMIT is '0'; set it to a number of seconds"),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_ends_the_program_with_one_sentence(program: str, case: str, valid: dict[str, str]) -> None:
    environment, sentence = WRONG[case]
    done = run(PROGRAMS[program], valid | environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert done.stderr.startswith("Settings: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_defaults_open_nothing() -> None:
    names = ("DEBUG", "ALLOWED_HOSTS", "API_ANONYMOUS_READ", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE")
    assert read(*names) == {
        "DEBUG": False,
        "ALLOWED_HOSTS": [],
        "API_ANONYMOUS_READ": False,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
    }


def test_the_memory_of_answers_can_be_switched_off() -> None:
    assert read("API_MEMORY") == {"API_MEMORY": 32 << 20}
    assert read("API_MEMORY", API_MEMORY="off") == {"API_MEMORY": 0}


def test_what_is_not_packed_may_be_as_large_as_what_is_sent() -> None:
    names = ("UPLOAD_LIMIT", "UPLOAD_UNPACKED_LIMIT")
    assert read(*names) == {"UPLOAD_LIMIT": 200 << 20, "UPLOAD_UNPACKED_LIMIT": 2 << 30}
    assert read(*names, UPLOAD_LIMIT="3GB")["UPLOAD_UNPACKED_LIMIT"] == 3 << 30


def test_nobody_is_believed_about_https_unless_a_proxy_is_announced() -> None:
    assert read("SECURE_PROXY_SSL_HEADER") == {"SECURE_PROXY_SSL_HEADER": None}
    header = ["HTTP_X_FORWARDED_PROTO", "https"]
    assert read("SECURE_PROXY_SSL_HEADER", DJANGO_BEHIND_PROXY="on") == {"SECURE_PROXY_SSL_HEADER": header}


def test_nobody_is_believed_about_addresses_unless_a_proxy_is_announced() -> None:
    proxies = [read("REST_FRAMEWORK", DJANGO_BEHIND_PROXY=flag)["REST_FRAMEWORK"] for flag in ("off", "on")]
    assert [found["NUM_PROXIES"] for found in proxies if isinstance(found, dict)] == [0, 1]


def test_limits_can_be_changed_and_lifted() -> None:
    assert read("QUERY_TIME_LIMIT") == {"QUERY_TIME_LIMIT": 10.0}
    assert read("QUERY_TIME_LIMIT", QUERY_TIME_LIMIT="2.5") == {"QUERY_TIME_LIMIT": 2.5}
    assert read("QUERY_TIME_LIMIT", QUERY_TIME_LIMIT="off") == {"QUERY_TIME_LIMIT": None}
    values = read("REST_FRAMEWORK", API_RATE_LIMIT="off", API_ANONYMOUS_RATE_LIMIT="7/second")["REST_FRAMEWORK"]
    assert isinstance(values, dict)
    assert values["DEFAULT_THROTTLE_RATES"] == {"known": None, "anonymous": "7/second"}


def test_lists_are_separated_by_commas() -> None:
    values = read(
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        DJANGO_ALLOWED_HOSTS="a.example, b.example,",
        DJANGO_CSRF_TRUSTED_ORIGINS="https://a.example",
    )
    assert values == {"ALLOWED_HOSTS": ["a.example", "b.example"], "CSRF_TRUSTED_ORIGINS": ["https://a.example"]}


@pytest.mark.parametrize(
    ("value", "expected"), [("on", True), ("TRUE", True), ("1", True), ("off", False), ("0", False), ("", False)]
)
def test_flags_are_on_or_off(value: str, expected: bool) -> None:
    assert read("DEBUG", DJANGO_DEBUG=value) == {"DEBUG": expected}


def test_plain_http_is_for_those_who_say_so() -> None:
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    assert read(*names, DJANGO_INSECURE_HTTP="on") == dict.fromkeys(names, False)


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    values = read("SECRET_KEY", DJANGO_SECRET_KEY="", DJANGO_SECRET_KEY_FILE=str(file))
    assert values == {"SECRET_KEY": "from the file"}


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / "site.env"
    file.write_text("SOURCE_TIME_ZONE=Europe/Amsterdam\nDJANGO_SECRET_KEY=from-file\n")
    values = read("SOURCE_TIME_ZONE", "SECRET_KEY", ENV_FILE=str(file), DJANGO_SECRET_KEY="from-environment")
    assert values == {"SOURCE_TIME_ZONE": "Europe/Amsterdam", "SECRET_KEY": "from-environment"}


@pytest.mark.parametrize("url", ["sqlite:///var/x.sqlite3", f"sqlite:///{ROOT}/var/x.sqlite3"])
def test_an_sqlite_path_is_seen_from_the_project_wherever_one_stands(url: str, tmp_path: Path) -> None:
    values = read("DATABASES", DATABASE_URL=url, PYTHONPATH=str(ROOT))
    assert f'"NAME": "{ROOT}/var/x.sqlite3"' in json.dumps(values)


def test_a_database_without_a_url_is_a_file_of_the_project() -> None:
    assert f'"NAME": "{ROOT}/var/catalog.sqlite3"' in json.dumps(read("DATABASES", DATABASE_URL=""))


def test_production_settings_pass_the_deployment_checks(valid: dict[str, str]) -> None:
    production = {
        "DJANGO_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEF",
        "DJANGO_ALLOWED_HOSTS": "a.b",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = run(command, valid | production)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
