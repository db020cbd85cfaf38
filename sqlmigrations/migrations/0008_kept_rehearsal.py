"""Lets rehearsals be kept beside validations and looks at the health."""

from __future__ import annotations

from django.db import migrations, models

from sqlmigrations.migrations._postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    """Allow one more kind of report."""

    dependencies = [("sqlmigrations", "0007_admin")]

    operations = [
        RunOnPostgreSQL.from_files(
            "0008_kept_rehearsal",
            state_operations=[
                migrations.AlterField(
                    model_name="report",
                    name="kind",
                    field=models.TextField(
                        choices=[("validation", "validation"), ("health", "health"), ("rehearsal", "rehearsal")]
                    ),
                )
            ],
        )
    ]
