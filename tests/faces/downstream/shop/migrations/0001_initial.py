"""The shop's table."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Make the table of customers."""

    initial = True
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Customer", fields=[("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
        )
    ]
