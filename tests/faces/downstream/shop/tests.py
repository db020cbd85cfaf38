"""The downstream project's own tests: they need the SQL objects, and write rows that ``flush`` takes away again."""

from __future__ import annotations

import io

from django.core.management import call_command
from django.db import connection, connections
from django.test import TestCase, TransactionTestCase

from sqlmigrations.models import MigrationEvent, MigrationRecord
from tests.faces.downstream.shop.models import Customer

BOTH = {"default", "reports"}
FILES = ["shop/001_greetings.sql", "shop/repeatable/loud_names.sql"]


def ask(statement: str, alias: str = "default") -> list[tuple[object, ...]]:
    """Return all rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


class Expectations:
    """What holds in every test, whatever ran before it."""

    def test_sql_objects_work(self) -> None:
        """The trigger, the function and the view are there, over an empty table."""
        assert not ask("SELECT * FROM shop_customer")
        ask("DELETE FROM greeting RETURNING 1")  # a table of SQL files is no model's: flush leaves its rows
        Customer(name="Ada").save()
        assert ask("SELECT * FROM greeting") == [("Ada", "Hello Ada")]
        assert ask("SELECT * FROM loud_name") == [("ADA",)]
        assert ask("SELECT title FROM report", "reports") == [("Everything",)]

    def test_the_history_is_complete(self) -> None:
        """Records and events are those of the run that made the test database."""
        records = MigrationRecord.objects.order_by("filename")
        assert list(records.values_list("filename", "state")) == [(name, "applied") for name in FILES]
        assert MigrationEvent.objects.count() == 2 * len(FILES)
        assert [str(record) for record in MigrationRecord.objects.using("reports")] == ["001_report.sql"]

    def test_nothing_is_left_to_apply(self) -> None:
        """The command agrees; it would exit with 1 otherwise."""
        out = io.StringIO()
        call_command("applysql", check=True, stdout=out, no_color=True)
        assert out.getvalue() == "Every SQL file is applied.\n"


class InATransaction(Expectations, TestCase):
    """Tests whose rows are rolled back."""

    databases = BOTH


class Flushed(Expectations, TransactionTestCase):
    """Tests after each of which Django flushes the database."""

    databases = BOTH


class FlushedAgain(Expectations, TransactionTestCase):
    """The same again: the database was flushed before the first of them."""

    databases = BOTH


class TheTestDatabase(TestCase):
    """Where the tests run."""

    def test_is_not_the_real_one(self) -> None:
        """Its name says so, also in a clone."""
        assert str(connection.settings_dict["NAME"]).startswith("test_")
