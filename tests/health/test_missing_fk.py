"""Columns that point at other tables without a foreign key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import models
from django.test.utils import isolate_apps

from sqlmigrations.health.structural.keys import MissingForeignKey
from tests.health.asking import Answered, Patient, fixes, said

SHOP = """
CREATE TABLE shop_customer (id bigint PRIMARY KEY);
CREATE TABLE categories (id int PRIMARY KEY);
CREATE TABLE boxes (id uuid PRIMARY KEY);
CREATE TABLE a_thing (id int PRIMARY KEY);
CREATE TABLE b_thing (id int PRIMARY KEY);
CREATE TABLE pair (x int, y int, PRIMARY KEY (x, y));
"""


def _by_name(parent: str) -> str:
    return f"points at public.{parent} without a foreign key (its name says so)"


def test_names_tell(patient: Patient) -> None:
    """The table's name, in the singular, with an app's label before it or not; only one of a fitting type counts."""
    patient.run(
        SHOP + "CREATE TABLE t (id int PRIMARY KEY, customer_id int, category_id smallint, box_id uuid,"
        " held_id bigint REFERENCES shop_customer,"
        " thing_id int, pair_id int, boxes_id int, order_id int, _id int, customer_ident int)"
    )
    result = patient.ask(MissingForeignKey())
    assert said(result) == Answered(
        "ok",
        4,
        (
            ("public.t.box_id", "info", _by_name("boxes")),
            ("public.t.category_id", "info", _by_name("categories")),
            ("public.t.customer_id", "info", _by_name("shop_customer")),
        ),
    )
    for _, fix in fixes(result):
        patient.run(fix)
    assert said(patient.ask(MissingForeignKey())) == Answered("ok", 4)


def test_nothing_that_points(patient: Patient) -> None:
    patient.run(SHOP)
    assert said(patient.ask(MissingForeignKey())) == Answered(
        "skipped", reason="there are no columns that point at other tables to examine"
    )


@pytest.fixture
def models_of_a_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Know two models, and no others, for the time of the test."""
    with isolate_apps("django.contrib.auth") as registry:

        class Author(models.Model):
            class Meta:
                app_label = "auth"
                db_table = "writers"

            def __str__(self) -> str:
                return str(self.pk)

        class Book(models.Model):
            author = models.ForeignKey(Author, models.DO_NOTHING, db_constraint=False)
            customer_id = models.IntegerField()

            class Meta:
                app_label = "auth"
                db_table = "book"

            def __str__(self) -> str:
                return str(self.pk)

        monkeypatch.setattr("sqlmigrations.health.fixes.apps", registry)
        yield


@pytest.mark.usefixtures("models_of_a_project")
def test_models_know_better(patient: Patient) -> None:
    """A relation that is meant to be without one is told, a plain number isn't, whatever their names say."""
    patient.run(SHOP + "CREATE TABLE writers (id bigint PRIMARY KEY);")
    patient.run("CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint, customer_id int)")
    result = patient.ask(MissingForeignKey())
    assert said(result) == Answered(
        "ok",
        1,
        (("public.book.author_id", "info", "points at public.writers without a foreign key (db_constraint=False)"),),
    )
    assert fixes(result) == [
        ("django", 'AlterField("book", "author", models.ForeignKey(..., db_constraint=True))'),
        (
            "sql",
            'ALTER TABLE "public"."book" ADD CONSTRAINT "book_author_id_fk" FOREIGN KEY ("author_id") '
            'REFERENCES "public"."writers" ("id") NOT VALID;',
        ),
    ]
