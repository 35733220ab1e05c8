"""Where the system's Chromium is."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """The path of the program. Raises `LookupError` with one sentence that says how to get it."""
    named = os.environ.get("CHROMIUM", "")
    for name in [named] if named else NAMES:
        if path := shutil.which(name):
            return path
    if named:
        raise LookupError(f"CHROMIUM is {named}, which is no program; name the browser, or unset it.")
    raise LookupError(
        "The browser tests need Chromium: apt install chromium (or set CHROMIUM to the path of a Chromium or Chrome)."
    )
