"""Tokens of which only a hash is kept; those made until now go on working."""

import hashlib

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def take_over(apps, schema_editor):
    connection = schema_editor.connection
    if "authtoken_token" not in connection.introspection.table_names():
        return
    tokens = apps.get_model("catalog", "ApiToken").objects
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, user_id FROM authtoken_token")
        for key, user_id in cursor.fetchall():
            tokens.create(
                digest=hashlib.sha256(key.encode()).hexdigest(),
                hint=key[:6],
                user_id=user_id,
                name="made before tokens had names",
            )
        # It holds the tokens themselves.
        cursor.execute("DROP TABLE authtoken_token")
    apps.get_model("contenttypes", "ContentType").objects.filter(app_label="authtoken").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_tallies"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="What it is for, like: nightly report.", max_length=60)),
                (
                    "scope",
                    models.CharField(
                        blank=True,
                        choices=[("viewer", "viewer"), ("steward", "steward"), ("loader", "loader")],
                        help_text="It can then never do more than this group and its owner may both do.",
                        max_length=7,
                        verbose_name="narrowed to",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("hint", models.CharField(editable=False, max_length=9, verbose_name="begins with")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="made"),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("used_at", models.DateTimeField(editable=False, null=True, verbose_name="last used")),
                ("revoked_at", models.DateTimeField(editable=False, null=True, verbose_name="revoked")),
                ("revoked_by", models.CharField(blank=True, editable=False, max_length=150)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("user", "name"),
                        name="catalog_apitoken_name",
                        violation_error_message="There is a token of this name already; revoke it, or choose another name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["", "viewer", "steward", "loader"])),
                        name="catalog_apitoken_scope",
                    ),
                ],
            },
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
