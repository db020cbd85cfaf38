"""Make the table of announcements; the state knows of the tables that SQL files make, and touches none of them."""

from __future__ import annotations

import django.db.models.deletion
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import migrations, models


class Migration(migrations.Migration):
    """Make ``tabletop_announcement``."""

    initial = True

    operations = (
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=TransactionNow(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("planned", "planned"),
                            ("active", "active"),
                            ("paused", "paused"),
                            ("completed", "completed"),
                            ("abandoned", "abandoned"),
                        ],
                        db_default="planned",
                        verbose_name="state",
                    ),
                ),
                ("name", models.TextField(verbose_name="name")),
                ("description", models.TextField(blank=True, db_default="", verbose_name="description")),
                (
                    "properties",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        help_text="House rules and whatever the game system asks for.",
                        verbose_name="properties",
                    ),
                ),
                ("slug", models.TextField(help_text="The name as it appears in addresses.", verbose_name="slug")),
            ],
            options={
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
                "db_table": "campaigns",
                "ordering": ("-updated_at",),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="GameSystem",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "is_offered",
                    models.BooleanField(
                        db_default=True,
                        help_text="Whether new campaigns may choose it; old ones keep what they have.",
                        verbose_name="offered",
                    ),
                ),
                ("code", models.TextField(primary_key=True, serialize=False, verbose_name="code")),
                ("name", models.TextField(verbose_name="name")),
            ],
            options={
                "verbose_name": "game system",
                "verbose_name_plural": "game systems",
                "db_table": "game_systems",
                "ordering": ("name",),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Player",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=TransactionNow(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                ("display_name", models.TextField(verbose_name="name")),
                (
                    "properties",
                    models.JSONField(
                        blank=True, db_default=models.Value({}, models.JSONField()), verbose_name="properties"
                    ),
                ),
                ("email", models.TextField(verbose_name="e-mail address")),
            ],
            options={
                "verbose_name": "player",
                "verbose_name_plural": "players",
                "db_table": "users",
                "ordering": ("display_name",),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Announcement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("body", models.TextField(blank=True, verbose_name="text")),
                (
                    "published_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty as long as only the game master sees it.",
                        null=True,
                        verbose_name="published at",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="announcements",
                        to="tabletop.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "announcement",
                "verbose_name_plural": "announcements",
                "ordering": ("-published_at",),
            },
        ),
    )
