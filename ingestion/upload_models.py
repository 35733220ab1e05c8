"""Files that people hand in through the admin, and what becomes of them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from ingestion.options import Limit, LoadOptions
from ingestion.reader.batches import ReadOptions


def check_limit(text: str) -> None:
    """Raise `ValidationError` unless it is a number of rows or a share of them."""
    try:
        Limit.parse(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Upload(models.Model):
    """One file: checked by a dry run at once, and loaded when somebody has seen the report and says so.

    The row is also what the worker takes its work from: it takes up what is in a state of `QUEUE`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be checked"
        CHECKING = "checking", "being checked"
        CHECKED = "checked", "checked"
        CONFIRMED = "confirmed", "waiting to be loaded"
        LOADING = "loading", "being loaded"
        LOADED = "loaded", "loaded"
        SKIPPED = "skipped", "skipped"
        REFUSED = "refused", "refused"
        FAILED = "failed", "failed"
        DISCARDED = "discarded", "discarded"

    QUEUE = (State.WAITING, State.CONFIRMED)
    AT_WORK = (State.CHECKING, State.LOADING)
    CHECKABLE = (State.CHECKED, State.SKIPPED, State.REFUSED, State.FAILED)
    """States in which it can be checked again, as long as its content is there."""
    DISCARDABLE = (*QUEUE, State.CHECKING, *CHECKABLE)

    file = models.CharField(max_length=255, help_text="its name where it came from")
    size = models.BigIntegerField(help_text="bytes")
    content = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="its name in the folder of uploads; none once it is gone",
    )
    full_snapshot = models.BooleanField(
        default=False, help_text="the file has all orders of its sources: mark those as removed that it does not have"
    )
    allow_extra_columns = models.BooleanField(default=False, help_text="pass over columns that are not in the contract")
    force = models.BooleanField(
        "load again", default=False, help_text="load the file even if its content is loaded already"
    )
    max_rejects = models.CharField(
        max_length=16,
        default="5%",
        validators=[check_limit],
        help_text="refuse the file if more rows are rejected: a number, or a share such as 5%",
    )
    max_removals = models.CharField(
        max_length=16,
        default="1%",
        validators=[check_limit],
        help_text="refuse a full snapshot if more orders would be marked as removed: a number, or a share such as 1%",
    )

    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.TextField(blank=True, default="", help_text="why it is in this state, where that is not plain")
    changed_at = models.DateTimeField(help_text="since when it is in this state")
    report = models.JSONField(default=dict, blank=True, help_text="the report of the dry run")
    examples = models.JSONField(default=list, blank=True, help_text="the first rows that the dry run has rejected")
    seen = models.BigIntegerField(null=True, blank=True, help_text="the catalogue's latest change before the dry run")
    run = models.OneToOneField(
        "ingestion.Run", models.PROTECT, null=True, blank=True, related_name="upload", help_text="its load"
    )

    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=150, blank=True, default="", help_text="who had it loaded")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            # What the worker looks for every second.
            models.Index(
                fields=("changed_at",),
                name="upload_for_the_worker",
                condition=Q(state__in=("waiting", "checking", "confirmed", "loading")),
            ),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(state="loaded") | Q(run__isnull=False), name="upload_loaded_by_a_run"),
        )

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def is_under_way(self) -> bool:
        """Whether the worker has it, or will take it up."""
        return self.state in (*self.QUEUE, *self.AT_WORK)

    @property
    def version(self) -> str:
        """Names what a person has seen of it: it is another one after each check and each step."""
        return self.changed_at.isoformat()

    @property
    def stored_as(self) -> UUID:
        """The name of its content. Raises `LookupError` when it is gone."""
        if self.content is None:
            raise LookupError(f"The content of {self} is gone.")
        return self.content

    def options(self, *, dry_run: bool) -> LoadOptions:
        """What the command would be given."""
        return LoadOptions(
            read=ReadOptions(allow_extra_columns=self.allow_extra_columns),
            dry_run=dry_run,
            force=self.force,
            full_snapshot=self.full_snapshot,
            max_rejects=Limit.parse(self.max_rejects),
            max_removals=Limit.parse(self.max_removals),
            unpacked_limit=settings.UPLOAD_UNPACKED_LIMIT,
        )
