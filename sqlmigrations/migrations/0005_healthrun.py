"""The table of kept looks at the database's health."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make the table of health runs."""

    dependencies = [("sqlmigrations", "0004_export_permission")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0005_healthrun",
            state_operations=[
                migrations.CreateModel(
                    name="HealthRun",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("reason", models.TextField()),
                        ("role", models.TextField()),
                        ("tool", models.TextField()),
                        ("server", models.TextField()),
                        ("place", models.TextField()),
                        ("started_at", models.DateTimeField()),
                        ("counting_since", models.DateTimeField(null=True)),
                        ("summary", models.JSONField()),
                        ("measured", models.JSONField()),
                    ],
                    options={
                        "db_table": "sqlmigrations_healthrun",
                        "verbose_name": "health run",
                        "verbose_name_plural": "health runs",
                        "ordering": ("-id",),
                        "managed": False,
                    },
                ),
            ],
        )
    ]
