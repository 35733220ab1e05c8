"""What compose.yaml's service `secrets` runs: makes up the passwords of a new installation, once.

    python -m talpa_site.make_secrets FOLDER

It writes `django-secret-key`, `postgres-password`, and `pgpass`, by which libpq knows that password. Files that
are there stay as they are.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path


def main() -> None:
    """Fill the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {sys.argv[0]} FOLDER")
    make_secrets(Path(sys.argv[1]))


def make_secrets(folder: Path) -> None:
    """Write each file that is missing; the password of PostgreSQL is made up only when the folder is new."""
    write_once(folder / "django-secret-key", secrets.token_urlsafe(50))
    password = write_once(folder / "postgres-password", secrets.token_urlsafe(32))
    write_once(folder / "pgpass", f"*:*:*:*:{password}\n")


def write_once(path: Path, text: str) -> str:
    """Write a file that only its owner may read, whole or not at all; return what it holds."""
    if path.exists():
        return path.read_text()
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return text


if __name__ == "__main__":
    main()
