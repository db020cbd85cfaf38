"""Models of every sort, some of whose names change later."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import (
    BtreeGinExtension,
    BtreeGistExtension,
    CITextExtension,
    CreateCollation,
    HStoreExtension,
    TrigramExtension,
)
from django.db import migrations, models

LEGACY = """
    CREATE TABLE publishers (code varchar(8) PRIMARY KEY, name text NOT NULL);
    CREATE SCHEMA "Back Office";
    CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 4711::bigint';
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [
        BtreeGistExtension(),
        BtreeGinExtension(),
        CITextExtension(),
        HStoreExtension(),
        TrigramExtension(),
        CreateCollation("loose", locale="C"),
        migrations.RunSQL(LEGACY, migrations.RunSQL.noop),
        migrations.CreateModel(
            "Publisher",
            [
                ("code", models.CharField(max_length=8, primary_key=True)),
                ("name", models.TextField()),
            ],
            options={"managed": False, "db_table": "publishers"},
        ),
        migrations.CreateModel(
            "Author",
            [
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
                ("mail", models.EmailField(max_length=254)),
                ("slug", models.SlugField(unique=True)),
                ("number", models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel("Topic", [("name", models.CharField(max_length=50, primary_key=True))]),
        migrations.CreateModel(
            "Book",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=200, db_index=True)),
                ("author", models.ForeignKey("library.Author", models.CASCADE)),
                ("publisher", models.ForeignKey("library.Publisher", models.PROTECT, null=True)),
                ("topics", models.ManyToManyField("library.Topic")),
                ("price", models.DecimalField(max_digits=8, decimal_places=2, null=True)),
                ("shelf", models.SmallIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["title", "-price"], name="book_title_price")],
                "unique_together": {("title", "author")},
            },
        ),
        migrations.CreateModel(
            "Invoice",
            [
                ("id", models.UUIDField(primary_key=True)),
                ("book", models.ForeignKey("library.Book", models.CASCADE, related_name="+")),
                ("copies", models.ManyToManyField("library.Book", db_table='"Back Office"."invoice copies"')),
            ],
            options={"db_table": '"Back Office"."Invoice"'},
        ),
        migrations.CreateModel("Elsewhere", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Foreign", [("id", models.BigAutoField(primary_key=True))], options={"required_db_vendor": "oracle"}
        ),
        migrations.CreateModel(
            "Payment", [("invoice", models.OneToOneField("library.Invoice", models.CASCADE, primary_key=True))]
        ),
    ]
