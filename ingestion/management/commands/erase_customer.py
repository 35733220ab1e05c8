"""`manage.py erase_customer`: forget a customer."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.changes import NotPossible
from catalog.contract import ValueRefused, parse_integer
from ingestion.erase import Erasure, erase_customer
from ingestion.errors import LoadError


class Command(BaseCommand):
    """Arguments in, figures out."""

    requires_system_checks = ()
    help = "Erase a customer's number from everything that is stored; the orders stay. It cannot be taken back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom, and why."""
        parser.add_argument("source", metavar="SOURCE", help="the source that gave out the customer's number")
        parser.add_argument("customer", metavar="CUSTOMER_ID", help="the customer's number")
        parser.add_argument("--reason", required=True, help="why; kept for good, so without the customer's number")
        parser.add_argument("--dry-run", action="store_true", help="do everything but commit, and print the figures")
        parser.add_argument(
            "--wait",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="wait for a load that is under way, or refuse at once (default: wait)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, or say in one sentence why not."""
        try:
            done = erase_customer(
                options["source"],
                parse_integer(options["customer"]),
                reason=options["reason"],
                dry_run=options["dry_run"],
                wait=options["wait"],
                on_wait=lambda holder: self.stderr.write(f"Waiting: {holder} holds the load lock."),
            )
        except (LoadError, NotPossible) as error:
            raise CommandError(error.message) from error
        except ValueRefused as refused:
            raise CommandError(f"The customer's number cannot be right: {refused.message}.") from refused
        self._tell(done, dry_run=options["dry_run"])

    def _tell(self, done: Erasure, *, dry_run: bool) -> None:
        found = ", nothing found" if done.found_nothing else ""
        what = "The customer was already erased" if done.again else "The customer is erased"
        self.stdout.write(f"{what}{found}" + (" (dry run: nothing was changed)." if dry_run else "."))
        for count, one, many in (
            (done.emptied.orders, "order", "orders"),
            (done.emptied.versions, "superseded version of an order", "superseded versions of orders"),
            (done.emptied.corrections, "correction", "corrections"),
            (done.emptied.reasons, "reason", "reasons"),
            (done.rejects, "rejected row", "rejected rows"),
        ):
            if count:
                self.stdout.write(f"  {count:>12,} {one if count == 1 else many} held the number")
