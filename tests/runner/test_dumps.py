"""A dump applied by applysql makes the same database as psql does, rows included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from sqlmigrations.database import raw
from tests.helpers import applysql, client, dump, put, run_sql

DUMPS = Path(__file__).parent / "dumps"


def told(text: str) -> str:
    """Return a dump without the key that is another one each time."""
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", text)


def clear() -> None:
    """Take everything out of the database."""
    run_sql("DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def loaded_by_psql(path: Path) -> str:
    clear()
    client("psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file", path)
    return told(dump())


def loaded_by_applysql() -> str:
    clear()
    ran = applysql()
    assert (ran.err, ran.code) == ("", 0)
    call_command("migrate", "sqlmigrations", "zero", verbosity=0)
    run_sql("DROP TABLE django_migrations")
    return told(dump())


@pytest.mark.parametrize("options", [[], ["--inserts"], ["--rows-per-insert=3", "--column-inserts"]], ids=" ".join)
def test_a_dump_of_this_server(fresh_database: str, folder: Path, options: list[str]) -> None:
    """Written as COPY or as INSERT; with a row of a megabyte, and one that psql would read as two blocks."""
    run_sql((DUMPS / "rows.sql").read_text())
    run_sql(
        "INSERT INTO texts VALUES (20, repeat(E'é\\t\\\\', 300000)); INSERT INTO bytes VALUES (20, convert_to("
        "repeat(E'\\\\.\\n', 200000), 'UTF8'))"
    )
    put(folder, {"001_dump.sql": dump("default", *options)})
    expected = loaded_by_psql(folder / "001_dump.sql")
    assert "COPY public.texts" in expected
    assert loaded_by_applysql() == expected


@pytest.mark.parametrize("name", ["pg_dump_15", "pg_dump_18", "pg_dump_rows_15", "pg_dump_rows_18"])
def test_dumps_of_old_and_new_servers(fresh_database: str, folder: Path, name: str) -> None:
    written = (DUMPS / f"{name}.sql").read_text()
    if raw(connections["default"]).info.server_version < 170000:
        # A setting that came with 17: psql itself could not load the dump.
        written = written.replace("SET transaction_timeout = 0;\n", "")
    put(folder, {"001_dump.sql": written})
    expected = loaded_by_psql(folder / "001_dump.sql")
    assert "COPY " in expected
    assert loaded_by_applysql() == expected
