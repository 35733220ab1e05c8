"""`manage.py undo_run`: take a run back."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.changes import NotPossible
from ingestion.errors import LoadError
from ingestion.pipeline import holder
from ingestion.undo import undo_run
from ingestion.undo_effects import warning


class Command(BaseCommand):
    """Arguments in, figures out."""

    requires_system_checks = ()
    help = "Take a run back: its inserts go, its updates and removals are put back. An undo can be undone too."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to undo, and how careful to be."""
        parser.add_argument("run", type=int, metavar="RUN", help="the number of the run")
        parser.add_argument("--dry-run", action="store_true", help="do everything but commit, and print the figures")
        parser.add_argument(
            "--keep-touched", action="store_true", help="leave orders as they are that something has touched since"
        )
        parser.add_argument(
            "--wait",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="wait for a load that is under way, or refuse at once (default: wait)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Undo it, or say in one sentence why not."""
        try:
            done = undo_run(
                options["run"],
                **{name: options[name] for name in ("keep_touched", "dry_run", "wait")},
                on_wait=lambda: self.stderr.write(f"Waiting: {holder()} holds the load lock.", str),
            )
        except (LoadError, NotPossible) as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Run {options['run']} is undone" + (f" by run {done.pk}." if done.pk else " (dry run)."))
        for name, what in (
            ("updated", "orders have their former values again"),
            ("removed", "orders that it had brought are gone"),
            ("inserted", "orders that it had taken away are back"),
            ("unchanged", "orders were left, as something has touched them since"),
        ):
            if getattr(done, name):
                self.stdout.write(f"  {getattr(done, name):>12,} {what}")
        if later := warning(done):
            self.stdout.write(f"  {later}")
