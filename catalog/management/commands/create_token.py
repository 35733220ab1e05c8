"""`manage.py create_token`: a token for a program."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.tokens import ApiToken, in_days, make_token

MOST_DAYS = 36_500


class Command(BaseCommand):
    """Arguments in, the token out: alone on its line, for `TOKEN=$(manage.py create_token …)`."""

    requires_system_checks = ()
    help = "Make a token for the API, which acts in the name of a user, and print it: this once, and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose token, what for, and how far it reaches."""
        parser.add_argument("username", metavar="USERNAME", help="the user in whose name the token acts")
        parser.add_argument("--name", required=True, help="what it is for, like: nightly report")
        parser.add_argument(
            "--group",
            choices=ApiToken.Scope.values,
            default="",
            help="narrow it to what this group and the user may both do (default: whatever the user may do)",
        )
        parser.add_argument("--expires-in-days", type=int, metavar="N", help="how long it works (default: for good)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or say in one sentence why not."""
        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(
                f"There is no user {options['username']!r}; make one in the admin or by createsuperuser."
            )
        days = options["expires_in_days"]
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--expires-in-days must be from 1 to {MOST_DAYS}.", returncode=2)
        expires_at = None if days is None else in_days(days)
        try:
            secret = make_token(user, name=options["name"], scope=options["group"], expires_at=expires_at)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(secret)
