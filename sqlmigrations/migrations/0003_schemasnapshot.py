"""The tables of the schema's versions."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make the tables of snapshots and their texts."""

    dependencies = [("sqlmigrations", "0002_schemachange")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0003_schemasnapshot",
            state_operations=[
                migrations.CreateModel(
                    name="SchemaSnapshot",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("reason", models.TextField()),
                        ("files", models.JSONField(default=list)),
                        ("role", models.TextField()),
                        ("tool", models.TextField()),
                        ("server", models.TextField()),
                        ("counts", models.JSONField()),
                        ("objects_read", models.BinaryField(db_column="objects")),
                        ("fingerprint", models.TextField(blank=True)),
                        ("unfinished", models.JSONField(null=True)),
                    ],
                    options={
                        "db_table": "sqlmigrations_schemasnapshot",
                        "verbose_name": "version of the schema",
                        "verbose_name_plural": "versions of the schema",
                        "ordering": ("-id",),
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="SchemaText",
                    fields=[
                        ("hash", models.TextField(primary_key=True, serialize=False)),
                        ("text", models.TextField()),
                        ("until", models.BigIntegerField(null=True)),
                    ],
                    options={
                        "db_table": "sqlmigrations_schematext",
                        "verbose_name": "text of the schema's objects",
                        "verbose_name_plural": "texts of the schema's objects",
                        "ordering": ("hash",),
                        "managed": False,
                    },
                ),
            ],
        )
    ]
