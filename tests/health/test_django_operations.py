"""Where a model owns what was found, its migration comes first; and the migration that brought it in is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint
from django.db import connections, models
from django.test.utils import isolate_apps

from sqlmigrations.health.base import Fix, FixKind, Origin, Subject
from sqlmigrations.health.fixes import add_index, change_type, drop_index, model_of, validate_constraint
from sqlmigrations.service.origin import Origins
from tests.helpers import applysql, put, run_sql

#: What the texts of operations are made of.
NAMES = {
    "AddIndexConcurrently": AddIndexConcurrently,
    "RemoveIndexConcurrently": RemoveIndexConcurrently,
    "ValidateConstraint": ValidateConstraint,
    "models": models,
}


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Know one model, and no others, for the time of the test."""
    with isolate_apps("django.contrib.auth") as registry:

        class Book(models.Model):
            title = models.TextField()
            shelf = models.IntegerField(db_column="shelf_no")
            isbn = models.CharField(max_length=13, db_index=True)

            class Meta:
                app_label = "auth"
                db_table = "library_book"
                indexes = (models.Index(fields=["title"], name="by_title"),)

            def __str__(self) -> str:
                return self.title

        monkeypatch.setattr("sqlmigrations.health.fixes.apps", registry)
        yield


def _of(kind: str, *columns: str, name: str = "", table: str = "library_book") -> Subject:
    return Subject(kind, "public", table, name, columns)


def _texts(fixes: tuple[Fix, ...]) -> list[tuple[str, str]]:
    return [(str(fix.kind), fix.text) for fix in fixes]


@pytest.mark.usefixtures("book")
def test_operations_come_first() -> None:
    assert _texts(add_index(_of("column", "shelf_no"), ["shelf_no"])) == [
        (
            "django",
            'AddIndexConcurrently("book", models.Index(fields=[\'shelf\'], name="library_book_shelf_no_idx"))',
        ),
        ("sql", 'CREATE INDEX CONCURRENTLY ON "public"."library_book" ("shelf_no");'),
    ]
    assert _texts(drop_index(_of("index", name="by_title"))) == [
        ("django", 'RemoveIndexConcurrently("book", "by_title")'),
        ("sql", 'DROP INDEX CONCURRENTLY "public"."by_title";'),
    ]
    assert _texts(validate_constraint(_of("constraint", name="positive"))) == [
        ("django", 'ValidateConstraint("book", "positive")'),
        ("sql", 'ALTER TABLE "public"."library_book" VALIDATE CONSTRAINT "positive";'),
    ]
    assert _texts(change_type(_of("column", "id"), "bigint")) == [
        ("django", 'AlterField("book", "id", models.BigAutoField(...))'),
        ("sql", 'ALTER TABLE "public"."library_book" ALTER COLUMN "id" TYPE bigint;'),
    ]


def _model(name: str, base: type[models.Model] = models.Model, **options: Any) -> type[models.Model]:
    meta = type("Meta", (), {"app_label": "auth", **options})
    return type(name, (base,), {"__module__": __name__, "Meta": meta})


def test_a_table_is_owned_by_the_model_that_migrations_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by a proxy, or an unmanaged model of the same table, whichever comes first."""
    with isolate_apps("django.contrib.auth") as registry:
        _model("Seen", db_table="library_book", managed=False)
        made = _model("Made", db_table="library_book")
        _model("Shown", made, proxy=True)
        monkeypatch.setattr("sqlmigrations.health.fixes.apps", registry)
        assert model_of(_of("table")) is made
        assert model_of(Subject("table", "elsewhere", "library_book")) is None


@pytest.mark.usefixtures("book")
def test_an_index_of_a_field_goes_with_the_field() -> None:
    """Dropped by hand alone, it would be missed by whoever compares the database with the models."""
    assert _texts(drop_index(_of("index", name="library_book_isbn_0a1b2c3d"))) == [
        ("django", 'AlterField("book", "isbn", models.CharField(..., db_index=False))'),
        ("sql", 'DROP INDEX CONCURRENTLY "public"."library_book_isbn_0a1b2c3d";'),
    ]
    for name in ("library_book_isbn_by_hand", "library_book_shelf_no_0a1b2c3d"):
        assert [kind for kind, _ in _texts(drop_index(_of("index", name=name)))] == ["sql"]


@pytest.mark.usefixtures("book")
def test_operations_are_django_s() -> None:
    """Each can be written into a migration as it stands."""
    fixes = [
        *add_index(_of("column", "shelf_no"), ["shelf_no"]),
        *drop_index(_of("index", name="by_title")),
        *validate_constraint(_of("constraint", name="positive")),
    ]
    made = [eval(fix.text, dict(NAMES)) for fix in fixes if fix.kind is FixKind.DJANGO]  # noqa: S307 - our own texts
    assert [type(operation) for operation in made] == [
        AddIndexConcurrently,
        RemoveIndexConcurrently,
        ValidateConstraint,
    ]


@pytest.mark.usefixtures("book")
def test_what_no_model_owns_is_mended_by_sql() -> None:
    assert [kind for kind, _ in _texts(drop_index(_of("index", name="made_by_hand")))] == ["sql"]
    assert [kind for kind, _ in _texts(validate_constraint(_of("constraint", name="x", table="other")))] == ["sql"]


@pytest.mark.parametrize(
    ("subject", "migration"),
    [
        (Subject("table", "public", "auth_user"), "auth/migrations/0001_initial.py"),
        (
            Subject("column", "public", "auth_user", columns=("last_login",)),
            "auth/migrations/0005_alter_user_last_login_null.py",
        ),
        (Subject("table", "public", "nobody_s"), None),
    ],
)
@pytest.mark.usefixtures("fresh_database")
def test_the_migration_that_brought_it_in_is_named(subject: Subject, migration: str | None) -> None:
    origin = Origins(connections["default"]).of(subject)
    assert (origin is None) == (migration is None)
    assert origin is None or migration is None or origin.file == f"django/contrib/{migration}"


@pytest.mark.usefixtures("fresh_database")
def test_of_two_files_that_made_it_the_later_one_in_the_history_is_named(folder: Path) -> None:
    """Whatever the server's clock said."""
    put(folder, {"001.sql": "CREATE VIEW v AS SELECT 1;", "002.sql": "DROP VIEW v;\nCREATE VIEW v AS SELECT 2;"})
    assert applysql().code == 0
    run_sql("UPDATE sqlmigrations_migrationrecord SET executed_at = '2024-01-01'::timestamptz - id * interval '1 hour'")
    assert Origins(connections["default"]).of(Subject("view", "public", "v")) == Origin("002.sql", 2)


@pytest.mark.usefixtures("fresh_database")
def test_of_a_table_that_was_dropped_and_made_again_the_file_that_made_this_one_is_named(folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t ();", "002.sql": "DROP TABLE t;\nCREATE TABLE t (id int);"})
    assert applysql().code == 0
    assert Origins(connections["default"]).of(Subject("table", "public", "t")) == Origin("002.sql", 2)


@pytest.mark.usefixtures("fresh_database")
def test_a_file_that_was_recorded_without_being_run_is_named_too(folder: Path) -> None:
    put(folder, {"001.sql": "CREATE VIEW v AS SELECT 1;"})
    run_sql("CREATE VIEW v AS SELECT 1")
    assert applysql("--fake").code == 0
    assert Origins(connections["default"]).of(Subject("view", "public", "v")) == Origin("001.sql", 1)
