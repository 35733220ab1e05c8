"""`manage.py load_uploads`: the worker that checks and loads what is uploaded in the admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from ingestion.upload_models import Upload
from ingestion.uploads.worker import Worker


class Command(BaseCommand):
    """Starts the worker."""

    # Pages and their URLs have no part in a load.
    requires_system_checks = ()
    help = "Check and load files that are uploaded in the admin, as they come; runs until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is waiting, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to end."""
        try:
            if Upload._meta.db_table not in connection.introspection.table_names():
                raise CommandError("The database has no table of uploads yet; make it with: manage.py migrate")
        except DatabaseError as error:
            sentence = " ".join(str(error).split())
            raise CommandError(f"The database does not answer as it should: {sentence}") from error
        try:
            Worker(self.stdout.write, once=options["once"]).run()
        except OSError as error:
            raise CommandError(f"The folder of uploads cannot be used: {error}") from error
