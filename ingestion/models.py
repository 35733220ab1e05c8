"""Runs, which are the ledger of loaded contents too, and the rows that a run could not load."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from catalog.models import Change
from ingestion.upload_models import Upload  # noqa: F401  Django looks for all models here


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
        REPAIR = "repair", "repair"
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
    repairs = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="repair_runs",
        help_text="the run whose rejected rows it repairs",
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
    columns = models.JSONField(
        default=list,
        help_text="the header's columns in their order; empty texts for those that are not in the contract",
    )
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
    repaired = models.BigIntegerField(default=0, help_text="rejected rows of an earlier run that it has put right")
    new_values = models.JSONField(default=dict, help_text="codes not seen before, by column")
    rejects_by_reason = models.JSONField(default=dict, help_text="number of rejected rows with each reason")
    missing = models.JSONField(
        default=dict,
        help_text="number of valid rows without a value, for each column that may be missing; empty if not counted",
    )

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

    @property
    def valid(self) -> int:
        """Rows of the file that keep the contract, each by itself; `missing` counts among them."""
        # Those that contradict each other are rejected for that alone.
        return self.read - self.rejected + int(self.rejects_by_reason.get("conflicting_duplicate", 0))

    @property
    def why_not_repairable(self) -> str:
        """Why its rejected rows cannot be repaired; empty when they can."""
        if self.status == Run.Status.LOADED:
            return ""
        if self.same_as_id:
            return f"Run {self.pk} was skipped: its content was loaded in run {self.same_as_id}."
        became = {Run.Status.REFUSED: "was refused", Run.Status.UNDONE: "was undone"}
        words = became.get(Run.Status(self.status), f"is {self.get_status_display()}")
        return f"Run {self.pk} {words}: nothing of its file is loaded. Put the file right and load it again."

    @property
    def can_be_undone(self) -> bool:
        """Whether it is in force, be it a load or an undo."""
        return self.status == self.Status.LOADED and self.change_id is not None

    def undo_in_force(self) -> Run | None:
        """The run that has undone it, unless that was undone in its turn."""
        return self.undone_by.filter(status=self.Status.LOADED).order_by("-id").first()


class LoadProgress(models.Model):
    """Where the load under way is, written once a second beside its transaction; see `ingestion.live`.

    One row, as there is one load at a time. Databases that cannot be written beside a load keep it elsewhere.
    """

    at = models.DateTimeField(help_text="when it was written, by the clock of the database")
    text = models.TextField()

    class Meta:
        verbose_name = verbose_name_plural = "progress of a load"
        # It is shown with the run that it is of.
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class RejectedRow(models.Model):
    """A record that could not be loaded, as it stood in the file.

    The id follows from the run and the line (`reject_id`), so that rejects are written in bulk together
    with their reasons.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        REPAIRED = "repaired", "repaired"
        DISMISSED = "dismissed", "dismissed"

    id = models.BigIntegerField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="rejects", db_index=False)
    line = models.BigIntegerField(help_text="line of the file on which the record starts (header = 1)")
    raw = models.TextField(help_text="the record; bytes that are not text stand as \\x..")
    raw_bytes = models.BinaryField(null=True, help_text="the record byte for byte, where it is not plain text")

    state = models.CharField(max_length=16, choices=State, default=State.OPEN, db_default=State.OPEN)
    repaired_by = models.ForeignKey(
        Run,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="repaired_rows",
        help_text="the run that loaded it, put right; where the row is not repaired, that run was undone",
    )
    settled_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="who repaired or dismissed it"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="", db_default="", help_text="why it was dismissed")

    class Meta:
        ordering = ("run", "line")
        verbose_name = "rejected row"
        constraints = (
            models.UniqueConstraint(fields=("run", "line"), name="rejectedrow_unique_line"),
            models.CheckConstraint(
                condition=~Q(state="repaired") | Q(repaired_by__isnull=False), name="rejectedrow_repaired_by_a_run"
            ),
        )
        indexes = (
            # What waits for somebody, the newest first; most rows are settled in the end.
            models.Index(fields=("-id",), name="rejectedrow_open", condition=Q(state="open")),
            # What a repair has put right.
            models.Index(fields=("repaired_by",), name="rejectedrow_repaired", condition=Q(repaired_by__isnull=False)),
        )

    def __str__(self) -> str:
        return f"line {self.line} of run {self.run_id}"


class RejectRepair(models.Model):
    """A repair run that has accepted every row it had for a rejected row. There may be several, of which some are
    undone: what is repaired follows from those in force.
    """

    reject = models.ForeignKey(RejectedRow, models.CASCADE, db_index=False, related_name="repairs")
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("id",)
        verbose_name = "repair of a rejected row"
        verbose_name_plural = "repairs of rejected rows"
        constraints = (models.UniqueConstraint(fields=("reject", "run"), name="rejectrepair_unique"),)

    def __str__(self) -> str:
        return f"{self.reject} by {self.run}"


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
