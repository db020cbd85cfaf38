"""The table of the DDL log, made by SQL of our own so that Django never manages it."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make the table of schema changes."""

    dependencies = [("sqlmigrations", "0001_initial")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0002_schemachange",
            state_operations=[
                migrations.CreateModel(
                    name="SchemaChange",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("xid", models.BigIntegerField()),
                        ("role", models.TextField()),
                        ("assumed_role", models.TextField(blank=True)),
                        ("application_name", models.TextField(blank=True)),
                        ("client_address", models.TextField(blank=True)),
                        ("backend_pid", models.IntegerField()),
                        ("filename", models.TextField(blank=True)),
                        ("tag", models.TextField()),
                        ("kind", models.TextField()),
                        ("object", models.TextField(blank=True)),
                        ("dropped", models.BooleanField()),
                        ("statement", models.TextField()),
                        ("query", models.TextField(blank=True)),
                    ],
                    options={
                        "db_table": "sqlmigrations_schemachange",
                        "verbose_name": "schema change",
                        "verbose_name_plural": "schema changes",
                        "ordering": ("-id",),
                        "managed": False,
                    },
                ),
            ],
        )
    ]
