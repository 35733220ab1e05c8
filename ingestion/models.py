"""Runs, which are the ledger of loaded contents too, and the rows that a run could not load."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from catalog.models import Change


class Run(models.Model):
    """One file given to `ingest_csv`, what became of it, and every figure of its report."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        LOADED = "loaded", "loaded"
        SKIPPED = "skipped", "skipped"
        REFUSED = "refused", "refused"
        FAILED = "failed", "failed"
        CRASHED = "crashed", "crashed"
        UNDONE = "undone", "undone"

    class Kind(models.TextChoices):
        LOAD = "load", "load"
        UNDO = "undo", "undo"

    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    reason_code = models.CharField(max_length=40, blank=True, help_text="why it was refused or failed, for programs")
    reason = models.TextField(blank=True, help_text="why it was skipped, refused or failed, for people")
    change = models.OneToOneField(
        Change, models.PROTECT, null=True, blank=True, related_name="run", help_text="what it did to the catalogue"
    )
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.LOAD)
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by", help_text="the run that it takes back"
    )
    same_as = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the run that had loaded this content",
    )

    file = models.CharField(max_length=4096, help_text="the path as given; - is standard input")
    file_size = models.BigIntegerField(null=True, help_text="bytes of the file as it stood on disk")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the content, after decompression")
    compression = models.CharField(max_length=8, blank=True)
    encoding = models.CharField(max_length=40, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    options = models.JSONField(default=dict, help_text="the options of the command that differ from their defaults")

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    stages = models.JSONField(default=dict, help_text="seconds spent in each stage")
    actor = models.CharField(max_length=150, help_text="who started it")
    host = models.CharField(max_length=255)
    process = models.PositiveIntegerField(help_text="number of the process on that host")

    read = models.BigIntegerField(default=0)
    inserted = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    caught_up = models.BigIntegerField(
        default=0, help_text="corrections that have retired, as the source says now what they said"
    )
    conflicts = models.BigIntegerField(
        default=0, help_text="corrections that wait for a person, as the source says something else now"
    )
    new_values = models.JSONField(default=dict, help_text="codes not seen before, by column")
    rejects_by_reason = models.JSONField(default=dict, help_text="number of rejected rows with each reason")

    class Meta:
        ordering = ("-id",)
        indexes = (
            # The ledger: has this content been loaded?
            models.Index(fields=("sha256",), name="run_by_content", condition=Q(status="loaded")),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(status="loaded")
                | Q(read=F("inserted") + F("updated") + F("unchanged") + F("duplicate") + F("rejected")),
                name="run_accounts_for_every_row",
            ),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"


class RejectedRow(models.Model):
    """A record that could not be loaded, as it stood in the file.

    The id follows from the run and the line (`reject_id`), so that rejects are written in bulk together
    with their reasons.
    """

    id = models.BigIntegerField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="rejects", db_index=False)
    line = models.BigIntegerField(help_text="line of the file on which the record starts (header = 1)")
    raw = models.TextField(help_text="the record; bytes that are not text stand as \\x..")
    raw_bytes = models.BinaryField(null=True, help_text="the record byte for byte, where it is not plain text")

    class Meta:
        ordering = ("run", "line")
        verbose_name = "rejected row"
        constraints = (models.UniqueConstraint(fields=("run", "line"), name="rejectedrow_unique_line"),)

    def __str__(self) -> str:
        return f"line {self.line} of run {self.run_id}"


class RejectReason(models.Model):
    """One of the reasons why a row was rejected; see `catalog.contract.Reason`."""

    reject = models.ForeignKey(RejectedRow, models.CASCADE, related_name="reasons")
    code = models.CharField(max_length=40)
    column = models.CharField(max_length=32, blank=True)
    value = models.TextField(blank=True)
    message = models.TextField()

    class Meta:
        ordering = ("id",)
        verbose_name = "reason"
        # Rejects are looked for by what is wrong and by where.
        indexes = (
            models.Index(fields=("code", "reject"), name="rejectreason_by_code"),
            models.Index(fields=("column", "reject"), name="rejectreason_by_column"),
        )

    def __str__(self) -> str:
        return self.message


LINES_PER_RUN = 10**11


def reject_id(run_id: int, line: int) -> int:
    """The id of the reject at `line` (below 10^11) of a run."""
    return run_id * LINES_PER_RUN + line
