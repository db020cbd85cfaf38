"""The example through ``applysql``: everything applied once, and the same database as psql makes."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from sqlmigrations.service.validate import ValidateOptions, validate
from tests.helpers import Settings, applysql

from .scripts import FOLDER, REPEATABLE, VERSIONED, Client


@pytest.fixture(autouse=True)
def example(settings: Settings, empty: Client) -> Client:
    """Point the settings at the example's folder and the alias at an empty database."""
    settings.SQLMIGRATIONS_DIRS = [FOLDER]
    return empty


def test_every_file_is_applied_once() -> None:
    first = applysql()
    assert first.code == 0, first.err
    assert f"{len(VERSIONED + REPEATABLE)} applied." in first.out
    check = applysql("--check")
    assert (check.out, check.err, check.code) == ("Every SQL file is applied.\n", "", 0)
    again = applysql()
    assert again.out == "  No SQL files to apply: everything is up to date.\nHead of the history: <hash>\n"
    assert validate(ValidateOptions(history=True)).differences == ()


def test_the_result_is_that_of_psql(example: Client) -> None:
    assert applysql().code == 0
    call_command("migrate", "sqlmigrations", "zero", verbosity=0)
    connection.cursor().execute("DROP TABLE django_migrations")
    ours = example.schema()
    start_afresh()
    for name in VERSIONED + REPEATABLE:
        example.run(name)
    assert ours == example.schema()


def start_afresh() -> None:
    """Make the alias's database empty again."""
    wrapper = connections["default"]
    name = sql.Identifier(wrapper.settings_dict["NAME"])
    wrapper.close()
    with wrapper._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
