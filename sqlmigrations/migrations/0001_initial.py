"""The history's two tables, made by SQL of our own so that Django never manages them."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make the tables of records and events."""

    initial = True
    dependencies = []

    operations = [
        RunOnPostgreSQL.from_files(
            "0001_initial",
            state_operations=[
                migrations.CreateModel(
                    name="MigrationEvent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("run", models.UUIDField()),
                        ("type", models.TextField()),
                        ("filename", models.TextField()),
                        ("at", models.DateTimeField()),
                        ("duration_ms", models.FloatField(null=True)),
                        ("role", models.TextField()),
                        ("os_user", models.TextField(blank=True)),
                        ("host", models.TextField(blank=True)),
                        ("application_name", models.TextField(blank=True)),
                        ("backend_pid", models.IntegerField()),
                        ("backend_start", models.DateTimeField()),
                        ("tool", models.TextField()),
                        ("server", models.TextField()),
                        ("revision", models.TextField(blank=True)),
                        ("checksum", models.TextField(blank=True)),
                        ("timings", models.JSONField(default=list)),
                        ("notices", models.JSONField(default=list)),
                        ("sqlstate", models.TextField(blank=True)),
                        ("line", models.IntegerField(null=True)),
                        ("blockers", models.JSONField(default=list)),
                        ("details", models.JSONField(default=dict)),
                        ("previous_hash", models.TextField(unique=True)),
                        ("hash", models.TextField()),
                    ],
                    options={
                        "db_table": "sqlmigrations_migrationevent",
                        "verbose_name": "event",
                        "verbose_name_plural": "events",
                        "ordering": ("id",),
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="MigrationRecord",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("filename", models.TextField(unique=True)),
                        ("kind", models.TextField()),
                        ("state", models.TextField()),
                        ("success", models.BooleanField(null=True)),
                        ("executed_at", models.DateTimeField(null=True)),
                        ("attempted_at", models.DateTimeField()),
                        ("execution_time_ms", models.FloatField(null=True)),
                        ("error_message", models.TextField(blank=True)),
                        ("error_sqlstate", models.TextField(blank=True)),
                        ("error_line", models.IntegerField(null=True)),
                        ("checksum", models.TextField(blank=True)),
                        ("applied_sql", models.TextField(null=True)),
                        ("down_sql", models.TextField(null=True)),
                        ("verify_sql", models.TextField(null=True)),
                        ("statements_done", models.IntegerField(default=0)),
                        ("statements_total", models.IntegerField(null=True)),
                        ("applied_by", models.TextField()),
                        ("revision", models.TextField(blank=True)),
                        ("tags", models.JSONField(default=list)),
                        ("objects_made", models.JSONField(default=list)),
                        ("progress", models.JSONField(null=True)),
                    ],
                    options={
                        "db_table": "sqlmigrations_migrationrecord",
                        "verbose_name": "SQL migration",
                        "verbose_name_plural": "SQL migrations",
                        "ordering": ("-attempted_at", "-id"),
                        "managed": False,
                    },
                ),
            ],
        )
    ]
