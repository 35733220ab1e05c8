"""The programs that compose.yaml and the Dockerfile run."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
import yaml

from talpa_site import demo, healthcheck
from talpa_site.make_secrets import make_secrets
from tests.conftest import ROOT


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(first) == ["django-secret-key", "pgpass", "postgres-password"]
    assert first["pgpass"] == f"*:*:*:*:{first['postgres-password']}\n"
    assert len(first["django-secret-key"]) >= 50
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    make_secrets(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first


def test_secrets_half_written_are_completed(tmp_path: Path) -> None:
    (tmp_path / "postgres-password").write_text("known")
    (tmp_path / "pgpass.new").write_text("cut sh")
    make_secrets(tmp_path)
    assert (tmp_path / "pgpass").read_text() == "*:*:*:*:known\n"
    assert not (tmp_path / "pgpass.new").exists()


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ("orders.example.org,b", "orders.example.org"),
        (".example.org", "example.org"),
        ("*", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_health_check_names_a_host_that_the_site_answers_to(
    hosts: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", hosts)
    monkeypatch.setenv("BIND", "0.0.0.0:8123")
    request = healthcheck.request()
    assert (request.full_url, request.get_header("Host")) == ("http://127.0.0.1:8123/healthz", host)


def test_the_health_check_fails_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND", "127.0.0.1:1")
    with pytest.raises(SystemExit, match=r"^/healthz: .*refused"):
        healthcheck.main()


def test_the_demo_does_not_start_on_a_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", "--port", "8123"])
    monkeypatch.setattr(demo, "is_busy", lambda port: port == 8123)
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match="Port 8123 is in use"):
        demo.main()


@pytest.mark.parametrize(
    "name", ["manage.py", "gunicorn.conf.py", "requirements.txt", "talpa_site", "catalog", "ingestion"]
)
def test_what_the_image_copies_exists_and_reaches_the_build(name: str) -> None:
    assert (ROOT / name).exists()
    assert f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines()
    assert name in (ROOT / "Dockerfile").read_text()


def test_site_and_worker_share_the_folder_of_uploads() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert services["worker"]["command"] == ["python", "manage.py", "load_uploads"]
    for name in ("web", "worker"):
        assert "uploads:/data" in services[name]["volumes"]
    assert "UPLOAD_FOLDER=/data/uploads" in (ROOT / "Dockerfile").read_text()
