"""Who may repair and load; and rejects of files that were never loaded wait for nobody."""

from django.db import migrations

STEWARD = [("ingestion", "rejectedrow", "change")]
LOADER = [("ingestion", "run", "add"), ("ingestion", "run", "change")]


def extend(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission")
    types = apps.get_model("contenttypes", "ContentType")
    groups = apps.get_model("auth", "Group")
    loader, _ = groups.objects.get_or_create(name="loader")
    viewer = groups.objects.filter(name="viewer").first()
    if viewer:
        loader.permissions.add(*viewer.permissions.all())
    steward, _ = groups.objects.get_or_create(name="steward")
    for group, rights in ((steward, STEWARD), (loader, LOADER)):
        for app, model, action in rights:
            # Django itself makes these only after all migrations.
            kind, _ = types.objects.get_or_create(app_label=app, model=model)
            title = apps.get_model(app, model)._meta.verbose_name
            right, _ = permissions.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": f"Can {action} {title}"}
            )
            group.permissions.add(right)


def dismiss_what_was_not_loaded(apps, schema_editor):
    rows, runs = apps.get_model("ingestion", "RejectedRow"), apps.get_model("ingestion", "Run")
    rows.objects.filter(run__in=runs.objects.exclude(status="loaded")).update(
        state="dismissed", note="nothing of its file is loaded"
    )


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0005_repair")]
    operations = [
        migrations.RunPython(extend, migrations.RunPython.noop),
        migrations.RunPython(dismiss_what_was_not_loaded, migrations.RunPython.noop),
    ]
