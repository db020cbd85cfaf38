"""What only PostgreSQL has, and what Django words in SQL of its own."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres import fields as pg
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import BrinIndex, GinIndex, GistIndex, HashIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower, Now

MARKS = pg.ArrayField(models.CharField(max_length=5))
OPEN = Q(state="open")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("library", "0002_rename")]
    operations: ClassVar = [
        migrations.CreateModel(
            "Loan",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("number", models.BigIntegerField(db_default=Func(function="next_number"))),
                ("made_at", models.DateTimeField(db_default=Now(), db_comment="When it was handed out")),
                ("during", pg.DateTimeRangeField()),
                ("state", models.CharField(max_length=10, db_default="open", db_collation="C")),
                ("reader", models.TextField(db_collation="loose")),
                ("notes", pg.HStoreField(null=True)),
                (
                    "marks",
                    pg.ArrayField(
                        models.CharField(max_length=5),
                        db_default=models.Value([], MARKS),
                    ),
                ),
                ("data", models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ("book", models.ForeignKey("library.Book", models.CASCADE)),
                ("words", SearchVectorField(null=True)),
                ("fee", models.DecimalField(max_digits=6, decimal_places=2, db_default=0)),
                (
                    "tax",
                    models.GeneratedField(
                        expression=F("fee") * 0.19,
                        db_persist=True,
                        output_field=models.DecimalField(max_digits=8, decimal_places=3),
                    ),
                ),
                ("is_late", models.BooleanField(null=True)),
                ("pages", models.PositiveSmallIntegerField(null=True)),
                ("wait", models.DurationField(null=True)),
                ("at", models.TimeField(null=True)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("blob", models.BinaryField(null=True)),
                ("ratio", models.FloatField(null=True)),
            ],
            options={
                "db_table_comment": "Books that are out",
                "indexes": [
                    GinIndex(OpClass(F("reader"), name="gin_trgm_ops"), name="loan_reader"),
                    GinIndex(fields=["words"], name="loan_words", fastupdate=False),
                    BrinIndex(fields=["made_at"], name="loan_made", pages_per_range=16),
                    HashIndex(fields=["state"], name="loan_state"),
                    GistIndex(fields=["during"], name="loan_during", fillfactor=80),
                    models.Index(Lower("state"), F("made_at").desc(nulls_last=True), name="loan_lower"),
                    models.Index(fields=["book"], include=["state"], condition=Q(is_late=True), name="loan_late"),
                    models.Index(fields=["state"], opclasses=["text_pattern_ops"], name="loan_like"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(state__in=["open", "back", "lost"]), name="loan_states"),
                    models.CheckConstraint(condition=Q(fee__gte=0) | Q(is_late=False), name="loan_fee"),
                    models.UniqueConstraint(
                        fields=["number"], deferrable=models.Deferrable.DEFERRED, name="loan_number"
                    ),
                    models.UniqueConstraint(Lower("state"), "book", name="loan_once"),
                    models.UniqueConstraint(fields=["book"], condition=OPEN, include=["fee"], name="loan_open"),
                    ExclusionConstraint(
                        name="loan_overlap",
                        expressions=[("during", RangeOperators.OVERLAPS), ("book", RangeOperators.EQUAL)],
                        condition=Q(is_late__isnull=False),
                    ),
                ],
            },
        ),
        migrations.AddField("Writer", "alias", models.CharField(max_length=30, db_default="", db_index=True)),
        migrations.AlterField("Writer", "number", models.PositiveBigIntegerField()),
        migrations.AddConstraint("Writer", models.CheckConstraint(condition=~Q(name=""), name="writer_name")),
        migrations.AlterUniqueTogether("Book", {("title", "writer", "shelf")}),
    ]
