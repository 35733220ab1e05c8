"""Where style sheets, scripts and pictures are served from."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise publishes no types
    """Files under names that change with their content, as `collectstatic` makes them.

    Where that was never run, pages come without their looks. Django would fail them all, that of an address which does
    not exist among them, so that a mistyped address would look like a fault of the site.
    """

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
