"""`make demo`: the site with a sample of orders in it, on this machine only, set up and served by one command.

Everything it makes lies in var/: its settings, its database and the password of its one user. Nothing is
taken from the caller's environment, so that a `DATABASE_URL` of another project is never touched.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import django
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parent.parent
SETTINGS_FILE = Path("var/demo.env")
PASSWORD_FILE = Path("var/demo-password")
SAMPLE = Path("data/sample.csv")
USER = "demo"
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "COLUMNS", "VIRTUAL_ENV"}


def main() -> None:
    """Set the demo up, say where to look, and serve it unless told not to."""
    options = arguments()
    os.chdir(ROOT)
    if not 1 <= options.port <= 65535:
        sys.exit(f"There is no port {options.port}; choose one from 1 to 65535.")
    if options.serve and is_busy(options.port):
        sys.exit(f"Port {options.port} is in use; choose another one: make demo PORT=8001")
    take_own_environment()
    try:
        set_up()
    except CommandError as error:
        sys.exit(f"The demo cannot be set up: {error}")
    print(addresses(options.port), flush=True)
    if options.serve:
        serve(options.port)


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--no-serve", dest="serve", action="store_false", help="set up, and leave serving to others")
    return parser.parse_args()


def is_busy(port: int) -> bool:
    """Whether some program listens on the port, or this one may not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def take_own_environment() -> None:
    """Leave nothing in the environment but the demo's settings, which are made on the first run."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    os.environ.clear()
    os.environ.update(kept)
    os.environ["ENV_FILE"] = str(SETTINGS_FILE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "talpa_site.settings"
    settings = {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": "sqlite:///var/demo.sqlite3",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DJANGO_INSECURE_HTTP": "on",
        "API_ANONYMOUS_READ": "on",
        "LOG_LEVEL": "WARNING",
    }
    keep_private(SETTINGS_FILE, "".join(f"{name}={value}\n" for name, value in settings.items()))


def keep_private(path: Path, text: str) -> str:
    """Write a file that only its owner can read, unless it is there; return what is in it."""
    path.parent.mkdir(exist_ok=True)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return path.read_text()
    path.write_text(text)
    return text


def set_up() -> None:
    """Make the tables, load the sample, and see that the demo's user can log in."""
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("ingest_csv", str(SAMPLE))
    switch_rules_on()
    see_to_user()


def switch_rules_on() -> None:
    """The value rule that ships as an example; only here is it switched on unasked."""
    from catalog import rules  # noqa: PLC0415  models can be imported only now
    from catalog.models import ValueRule  # noqa: PLC0415

    for rule in ValueRule.objects.filter(active=False):
        changed = rules.switch_on(rule, actor=USER)
        print(f"Value rule switched on: {rule}; {changed:,} orders.")


def see_to_user() -> None:
    """The demo's user has the password that is in the file, whatever was there before."""
    password = keep_private(PASSWORD_FILE, secrets.token_urlsafe(9) + "\n").strip()
    user, _ = get_user_model().objects.get_or_create(username=USER, defaults={"is_staff": True, "is_superuser": True})
    if not user.check_password(password):
        user.set_password(password)
        user.save()


def addresses(port: int) -> str:
    """What to open in a browser."""
    site = f"http://127.0.0.1:{port}"
    return (
        f"\n  Orders       {site}/api/v1/orders/"
        f"\n  Load runs    {site}/api/v1/runs/"
        f"\n  Admin        {site}/admin/    user {USER}, password {PASSWORD_FILE.read_text().strip()}\n"
    )


def serve(port: int) -> NoReturn:
    """Run the web server and the worker for uploads until the server ends; Ctrl-C ends both."""
    print("  Ctrl-C ends it.\n", flush=True)
    os.environ["BIND"] = f"127.0.0.1:{port}"
    web, worker = (
        subprocess.Popen([sys.executable, *program])  # noqa: S603 - programs of our own
        for program in (["-m", "gunicorn"], ["manage.py", "load_uploads"])
    )
    # Ctrl-C reaches them by itself; told twice to end, gunicorn would take its time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: web.terminate())
    code = web.wait()
    worker.terminate()
    worker.wait()
    sys.exit(code)


if __name__ == "__main__":
    main()
