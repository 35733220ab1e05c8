"""`manage.py rebuild_tallies`: count all orders anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from catalog import quality, tallies
from catalog.changes import lock_catalogue
from catalog.tally_models import DayTally


class Command(BaseCommand):
    """No arguments; what was counted, out."""

    requires_system_checks = ()
    help = "Count all orders anew, by the days of SOURCE_TIME_ZONE; needed only after that setting was changed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Nobody changes the catalogue meanwhile; readers see the old numbers until all are done."""
        with transaction.atomic():
            lock_catalogue()
            tallies.rebuild()
            quality.rebuild()
        self.stdout.write(f"Counted anew by the days of {tallies.counted_in()}: {DayTally.objects.count():,} numbers.")
