"""A value rule as an example. It is off: what a value means is for the people of the shop to say."""

from django.db import migrations

RULE = {
    "field": "voucher_status",
    "old": "EXPRIED",
    "new": "EXPIRED",
    "reason": "The shop's own typing error: both spellings stand in its exports for the same state.",
}


def make(apps, schema_editor):
    apps.get_model("catalog", "ValueRule").objects.get_or_create(**RULE)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_undo")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
