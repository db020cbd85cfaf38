"""Indexes for long histories, a table of kept reports, and the permissions of the admin's actions."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make indexes and the table; name the permissions, whose rows Django makes after migrating."""

    dependencies = [("sqlmigrations", "0006_schemaexpectation")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0007_admin",
            state_operations=[
                migrations.CreateModel(
                    name="Report",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "kind",
                            models.TextField(choices=[("validation", "validation"), ("health", "health")]),
                        ),
                        ("at", models.DateTimeField()),
                        ("role", models.TextField()),
                        ("tool", models.TextField()),
                        ("document", models.JSONField()),
                    ],
                    options={
                        "db_table": "sqlmigrations_report",
                        "verbose_name": "report",
                        "verbose_name_plural": "reports",
                        "ordering": ("-id",),
                        "managed": False,
                    },
                ),
                migrations.AlterModelOptions(
                    name="migrationrecord",
                    options={
                        "managed": False,
                        "ordering": ("-attempted_at", "-id"),
                        "permissions": (
                            ("apply_migrationrecord", "Can apply SQL migrations"),
                            ("revert_migrationrecord", "Can revert SQL migrations"),
                            ("fake_migrationrecord", "Can mark SQL migrations as applied"),
                            ("validate_migrationrecord", "Can run validations"),
                            ("examine_migrationrecord", "Can run health checks"),
                            ("accept_migrationrecord", "Can accept drift"),
                        ),
                        "verbose_name": "SQL migration",
                        "verbose_name_plural": "SQL migrations",
                    },
                ),
            ],
        )
    ]
