"""Who may what: three groups, each with the rights of the one before it where that makes sense."""

from django.db import migrations

READ = [
    ("catalog", model, "view")
    for model in (
        "order", "orderversion", "source", "change", "knownvalue", "correction", "correctionevent", "valuerule",
    )
] + [("ingestion", model, "view") for model in ("run", "rejectedrow", "rejectreason")]  # fmt: skip
OVERLAY = [("catalog", model, action) for model in ("correction", "valuerule") for action in ("add", "change")]
GROUPS = {"viewer": READ, "steward": [*READ, *OVERLAY]}


def make(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission")
    types = apps.get_model("contenttypes", "ContentType")
    groups = apps.get_model("auth", "Group")
    for name, rights in GROUPS.items():
        group, _ = groups.objects.get_or_create(name=name)
        for app, model, action in rights:
            # Django itself makes these only after all migrations.
            kind, _ = types.objects.get_or_create(app_label=app, model=model)
            title = apps.get_model(app, model)._meta.verbose_name
            right, _ = permissions.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": f"Can {action} {title}"}
            )
            group.permissions.add(right)


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0002_overlays"),
        ("catalog", "0002_overlays"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
