"""Why a load did not happen, in the words of the domain."""

from __future__ import annotations


class LoadError(Exception):
    """A load ended without touching the catalogue; carries a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        # A file's name need not be text, but what is stored and printed must be.
        self.message = message.encode("utf-8", "backslashreplace").decode()
        super().__init__(self.message)
        self.code = code


class Refused(LoadError):
    """The file, or what it would do to the catalogue, is not acceptable."""


class Locked(Refused):
    """Another load holds the lock and the caller did not want to wait."""

    def __init__(self, holder: str) -> None:
        super().__init__("locked", f"{holder} holds the load lock; try again when it has ended.")


class Interrupted(LoadError, KeyboardInterrupt):
    """Somebody stopped the load (Ctrl-C, SIGTERM). As a `KeyboardInterrupt`, it makes psycopg cancel its statement."""

    CODE = "interrupted"

    def __init__(self) -> None:
        super().__init__(self.CODE, "The load was interrupted; nothing was changed.")


def option(name: str, label: str = "") -> str:
    """An option as a cure, under the names that it has for the command and in the form of uploads."""
    return f"--{name} (in the admin: {label or name.replace('-', ' ').capitalize()})"
