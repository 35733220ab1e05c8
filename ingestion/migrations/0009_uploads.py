"""Uploads, and who may do what with them."""

import django.db.models.deletion
from django.db import migrations, models

import ingestion.upload_models

VIEW = [("view", "upload")]
LOAD = [("add", "upload"), ("change", "upload")]
GROUPS = {"viewer": VIEW, "steward": VIEW, "loader": VIEW + LOAD}


def allow(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission")
    types = apps.get_model("contenttypes", "ContentType")
    # Django itself makes these only after all migrations.
    kind, _ = types.objects.get_or_create(app_label="ingestion", model="upload")
    for name, rights in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        for action, model in rights:
            right, _ = permissions.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": f"Can {action} {model}"}
            )
            group.permissions.add(right)


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0008_what_a_run_tells"),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file", models.CharField(help_text="its name where it came from", max_length=255)),
                ("size", models.BigIntegerField(help_text="bytes")),
                (
                    "content",
                    models.UUIDField(
                        blank=True,
                        help_text="its name in the folder of uploads; none once it is gone",
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "full_snapshot",
                    models.BooleanField(
                        default=False,
                        help_text="the file has all orders of its sources: mark those as removed that it does not have",
                    ),
                ),
                (
                    "allow_extra_columns",
                    models.BooleanField(default=False, help_text="pass over columns that are not in the contract"),
                ),
                (
                    "max_rejects",
                    models.CharField(
                        default="5%",
                        help_text="refuse the file if more rows are rejected: a number, or a share such as 5%",
                        max_length=16,
                        validators=[ingestion.upload_models.check_limit],
                    ),
                ),
                (
                    "max_removals",
                    models.CharField(
                        default="1%",
                        help_text="refuse a full snapshot if more orders would be marked as removed: a number, or a share such as 1%",
                        max_length=16,
                        validators=[ingestion.upload_models.check_limit],
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting to be checked"),
                            ("checking", "being checked"),
                            ("checked", "checked"),
                            ("confirmed", "waiting to be loaded"),
                            ("loading", "being loaded"),
                            ("loaded", "loaded"),
                            ("skipped", "skipped"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                            ("discarded", "discarded"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, default="", help_text="why it is in this state, where that is not plain"
                    ),
                ),
                ("changed_at", models.DateTimeField(help_text="since when it is in this state")),
                ("report", models.JSONField(blank=True, default=dict, help_text="the report of the dry run")),
                (
                    "examples",
                    models.JSONField(
                        blank=True, default=list, help_text="the first rows that the dry run has rejected"
                    ),
                ),
                (
                    "seen",
                    models.BigIntegerField(
                        blank=True, help_text="the catalogue's latest change before the dry run", null=True
                    ),
                ),
                ("uploaded_by", models.CharField(max_length=150)),
                ("uploaded_at", models.DateTimeField()),
                (
                    "confirmed_by",
                    models.CharField(blank=True, default="", help_text="who had it loaded", max_length=150),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        help_text="its load",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="upload",
                        to="ingestion.run",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "checking", "confirmed", "loading"))),
                        fields=["changed_at"],
                        name="upload_for_the_worker",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "loaded"), _negated=True), ("run__isnull", False), _connector="OR"
                        ),
                        name="upload_loaded_by_a_run",
                    )
                ],
            },
        ),
        migrations.RunPython(allow, migrations.RunPython.noop),
    ]
