"""The table of what models expect of the schema."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Make the table of expectations."""

    dependencies = [("sqlmigrations", "0005_healthrun")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0006_schemaexpectation",
            state_operations=[
                migrations.CreateModel(
                    name="SchemaExpectation",
                    fields=[
                        ("key", models.TextField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("expected", models.BinaryField()),
                        ("fingerprint", models.TextField(blank=True)),
                        ("verdict", models.JSONField(null=True)),
                    ],
                    options={
                        "db_table": "sqlmigrations_schemaexpectation",
                        "verbose_name": "what models expect",
                        "verbose_name_plural": "what models expect",
                        "ordering": ("key",),
                        "managed": False,
                    },
                ),
            ],
        )
    ]
