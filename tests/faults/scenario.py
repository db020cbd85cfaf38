"""Seven files that do all that a run can do, and what has to come of them whatever happens on the way."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sqlmigrations.history import Tables, verify_chain
from sqlmigrations.programs import find
from tests.faults.databases import ask, connect
from tests.faults.processes import Place
from tests.helpers import PATIENCE, put, wait_until

#: Each statement that must not run twice puts a line into the table ``counted``, which has no key.
FILES = {
    "001_tables.sql": """
        CREATE TABLE counted (what text);
        CREATE TABLE items (id int PRIMARY KEY, kind text NOT NULL, note text);
        INSERT INTO counted VALUES ('001');
        """,
    "002_data.sql": """
        COPY items (id, kind) FROM stdin;
1\tsword
2\tshield
3\tsword
\\.
        INSERT INTO counted VALUES ('002');
        """,
    "003_index.sql": """
        -- sqlmigrations: transaction off
        INSERT INTO counted VALUES ('003, statement 1');
        SET work_mem = '8MB';
        CREATE INDEX CONCURRENTLY items_kind ON items (kind);
        INSERT INTO counted SELECT '003, statement 4, work_mem ' || current_setting('work_mem');
        VACUUM items;
        COPY items (id, kind) FROM stdin;
4\tbow
\\.
        UPDATE items SET note = coalesce(note, '') || '!';
        """,
    "004_view.sql": """
        CREATE VIEW swords AS SELECT id FROM items WHERE kind = 'sword';
        ALTER TABLE items ADD COLUMN weight int DEFAULT 1;
        DO $$ BEGIN INSERT INTO counted VALUES ('004'); END $$;
        """,
    "004_view.verify.sql": "SELECT count(*) = 2 AS two_swords FROM swords;",
    "005_rebuild.sql": """
        -- sqlmigrations: transaction off
        REINDEX INDEX CONCURRENTLY items_kind;
        INSERT INTO counted VALUES ('005');
        DROP INDEX CONCURRENTLY items_kind;
        CREATE UNIQUE INDEX CONCURRENTLY items_note ON items (id, note);
        """,
    "006_owners.sql": """
        CREATE TABLE owners (id int PRIMARY KEY, item int REFERENCES items DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO owners VALUES (1, 5);
        INSERT INTO items VALUES (5, 'axe');
        INSERT INTO counted VALUES ('006');
        """,
    "007_batches.sql": """
        -- sqlmigrations: batch 2
        -- sqlmigrations: pause 0
        UPDATE items SET note = coalesce(note, '') || '#' WHERE id > 0;
        """,
}

NAMES = [name for name in FILES if not name.endswith(".verify.sql")]


def put_files(folder: Path) -> None:
    """Write the seven files."""
    put(folder, FILES)


@dataclass(frozen=True)
class Left:
    """What a database holds after a run."""

    schema: str
    rows: dict[str, list[tuple[Any, ...]]]
    records: list[tuple[Any, ...]]
    applied: list[tuple[str, int]]
    chain: str
    invalid_indexes: list[tuple[Any, ...]]
    advisory_locks: list[tuple[Any, ...]]


def left_in(place: Place) -> Left:
    """Look at the database of ``place`` as soon as all others have left it."""
    wait_until(lambda: not _others(place))
    with connect(place) as session:
        chain = verify_chain(session, Tables("public"))
    return Left(
        schema=schema_of(place),
        rows={table: _rows(place, table) for table in ("counted", "items", "owners")},
        records=ask(
            place,
            """SELECT filename, state, success, error_message, statements_done, statements_total, progress,
                      executed_at IS NOT NULL, checksum
                 FROM sqlmigrations_migrationrecord ORDER BY filename""",
        ),
        applied=[
            (name, count)
            for name, count in ask(
                place,
                """SELECT filename, count(*) FROM sqlmigrations_migrationevent WHERE type = 'applied'
                    GROUP BY filename ORDER BY filename""",
            )
        ],
        chain=chain.break_reason or "intact",
        invalid_indexes=ask(place, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"),
        advisory_locks=ask(
            place,
            """SELECT classid, objid FROM pg_locks JOIN pg_database d ON d.oid = database
                WHERE locktype = 'advisory' AND datname = current_database()""",
        ),
    )


def _rows(place: Place, table: str) -> list[tuple[Any, ...]]:
    """Return a table's rows, whole and in order; a row that says so where there is no such table."""
    with connect(place) as session:
        try:
            return session.execute(
                sql.SQL("SELECT * FROM {0} AS t ORDER BY t::text").format(sql.Identifier(table))
            ).fetchall()
        except psycopg.errors.UndefinedTable:
            return [("there is no table",)]


def _others(place: Place) -> list[tuple[Any, ...]]:
    return ask(
        place,
        """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND backend_type = 'client backend'""",
    )


def schema_of(place: Place) -> str:
    """Return ``pg_dump --schema-only`` of the database, without the words that differ from dump to dump."""
    with connect(place) as session:
        program = find("pg_dump", session.info.server_version)
    arguments: list[str | Path] = [program, "--schema-only", f"--dbname={place.dbname}"]
    for option, value in (("host", place.host), ("port", place.port), ("username", place.user)):
        arguments += [f"--{option}={value}"] if value else []
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", answer.stdout)
