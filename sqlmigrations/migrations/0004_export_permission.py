"""Adds a permission of its own for taking the events out of the site; no table changes."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Name the permission in the state; Django makes its row after migrating."""

    dependencies = [("sqlmigrations", "0003_schemasnapshot")]

    operations = [
        migrations.AlterModelOptions(
            name="migrationevent",
            options={
                "managed": False,
                "ordering": ("id",),
                "permissions": (("export_migrationevent", "Can export events"),),
                "verbose_name": "event",
                "verbose_name_plural": "events",
            },
        ),
    ]
