"""Renames that keep the names of constraints, indexes and sequences, and columns that stand at the end."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("library", "0001_initial")]
    operations: ClassVar = [
        migrations.RenameModel("Author", "Writer"),
        migrations.RenameField("Book", "author", "writer"),
        migrations.RenameField("Writer", "slug", "address"),
        migrations.AlterField("Writer", "mail", models.EmailField(max_length=254, unique=True)),
        migrations.AlterField("Writer", "id", models.BigAutoField(primary_key=True)),
        migrations.RenameIndex("Book", new_name="book_by_title", old_name="book_title_price"),
        migrations.AlterModelTable("Payment", "Payments of users"),
        migrations.AlterField("Book", "title", models.CharField(max_length=250, db_index=False)),
        migrations.AddField(
            "Book",
            "editor",
            models.ForeignKey("library.Writer", models.SET_NULL, null=True, related_name="+", db_constraint=False),
        ),
        migrations.RenameModel("Topic", "Subject"),
        migrations.CreateModel(
            "Person",
            [],
            options={"proxy": True},
            bases=("library.writer",),
        ),
        migrations.CreateModel(
            "Journal",
            [
                (
                    "book_ptr",
                    models.OneToOneField(
                        "library.Book", models.CASCADE, parent_link=True, primary_key=True, auto_created=True
                    ),
                ),
                ("issue", models.IntegerField(db_index=True)),
                ("reviewer", models.ForeignKey("library.Person", models.CASCADE)),
            ],
            bases=("library.book",),
        ),
    ]
