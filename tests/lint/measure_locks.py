"""Measure which locks statements take, and what work they do: ``python -m tests.lint.measure_locks``.

Each statement runs on the server of DATABASE_URL against the tables of ``schema.sql``, in a transaction that is rolled
back; what refuses to run in one runs on a copy, held up by a session with an old snapshot until its locks were seen.
The server's own messages of level DEBUG1 tell its work: rewriting, verifying, building. The answers are written to
``locks.json``, beside those of other versions. Messages are those of PostgreSQL 15 to 18.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg

from tests.databases import new_database, session
from tests.lint.conftest import Connection
from tests.lint.helpers import SCHEMA, source
from tests.lint.lock_table import STRENGTH

FILE = Path(__file__).parent / "locks.json"
OFF = "-- sqlmigrations: transaction off\n"

#: What is measured, by the id that the rules name it by.
STATEMENTS = {
    "create-index": "CREATE INDEX orders_code_new ON orders (code);",
    "create-index-concurrently": f"{OFF}CREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    "drop-index": "DROP INDEX orders_code_idx;",
    "drop-index-concurrently": f"{OFF}DROP INDEX CONCURRENTLY orders_code_idx;",
    "reindex-table": "REINDEX TABLE orders;",
    "reindex-table-concurrently": f"{OFF}REINDEX TABLE CONCURRENTLY items;",
    "add-column": "ALTER TABLE orders ADD COLUMN remark text;",
    "add-column-constant-default": "ALTER TABLE orders ADD COLUMN remark text NOT NULL DEFAULT '';",
    "add-column-stable-default": "ALTER TABLE orders ADD COLUMN added timestamptz DEFAULT now();",
    "add-column-volatile-default": "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    "add-column-serial": "ALTER TABLE orders ADD COLUMN number bigserial;",
    "add-column-identity": "ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;",
    "add-column-stored": "ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED;",
    "add-column-virtual": "ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) VIRTUAL;",
    "add-column-check": "ALTER TABLE orders ADD COLUMN weight int CHECK (weight > 0);",
    "add-column-unique": "ALTER TABLE orders ADD COLUMN reference text UNIQUE;",
    "add-column-references": "ALTER TABLE orders ADD COLUMN item bigint REFERENCES items (id);",
    "set-not-null": "ALTER TABLE orders ALTER COLUMN code SET NOT NULL;",
    "set-not-null-proven": "ALTER TABLE proven ALTER COLUMN a SET NOT NULL;",
    "not-null-not-valid": "ALTER TABLE orders ADD CONSTRAINT orders_code_given NOT NULL code NOT VALID;",
    "change-column-type": "ALTER TABLE keyless ALTER COLUMN a TYPE bigint;",
    "change-column-type-referenced": "ALTER TABLE refers ALTER COLUMN order_id TYPE bigint;",
    "change-column-type-alike": "ALTER TABLE orders ALTER COLUMN note TYPE varchar;",
    "timestamp-to-timestamptz": "SET LOCAL timezone = 'Europe/Paris';\nALTER TABLE orders ALTER placed TYPE "
    "timestamptz;",
    "timestamp-to-timestamptz-utc": "SET LOCAL timezone = 'UTC';\nALTER TABLE orders ALTER placed TYPE timestamptz;",
    "drop-column": "ALTER TABLE orders DROP COLUMN placed;",
    "rename-column": "ALTER TABLE refers RENAME COLUMN item TO thing;",
    "set-default": "ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';",
    "set-statistics": "ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500;",
    "add-foreign-key": "ALTER TABLE refers ADD FOREIGN KEY (item) REFERENCES items (id);",
    "add-foreign-key-not-valid": "ALTER TABLE refers ADD FOREIGN KEY (item) REFERENCES items (id) NOT VALID;",
    "validate-foreign-key": "ALTER TABLE points VALIDATE CONSTRAINT points_order_nv;",
    "drop-foreign-key": "ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;",
    "add-check": "ALTER TABLE orders ADD CHECK (amount >= 0);",
    "add-check-not-valid": "ALTER TABLE orders ADD CHECK (amount >= 0) NOT VALID;",
    "validate-check": "ALTER TABLE orders VALIDATE CONSTRAINT orders_code_nv;",
    "add-unique": "ALTER TABLE orders ADD UNIQUE (amount, code);",
    "add-unique-using-index": "ALTER TABLE orders ADD UNIQUE USING INDEX orders_reference_idx;",
    "primary-key-using-index-nullable": "ALTER TABLE keyless ADD PRIMARY KEY USING INDEX keyless_a_idx;",
    "add-exclusion": "ALTER TABLE orders ADD EXCLUDE (code WITH =);",
    "alter-domain-constraint": "ALTER DOMAIN money_d ADD CHECK (VALUE >= 0);",
    "alter-domain-constraint-not-valid": "ALTER DOMAIN money_d ADD CHECK (VALUE >= 0) NOT VALID;",
    "create-table-references": "CREATE TABLE visits (id bigint PRIMARY KEY, order_id int REFERENCES orders (id));",
    "drop-table": "DROP TABLE refers;",
    "rename-table": "ALTER TABLE items RENAME TO things;",
    "rename-schema": "ALTER SCHEMA attic RENAME TO cellar;",
    "rename-enum-value": "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
    "add-enum-value": "ALTER TYPE mood ADD VALUE 'meh';",
    "set-unlogged": "ALTER TABLE keyless SET UNLOGGED;",
    "set-fillfactor": "ALTER TABLE orders SET (fillfactor = 70);",
    "cluster": "CLUSTER orders USING orders_pkey;",
    "truncate": "TRUNCATE moods;",
    "create-partition-of": "CREATE TABLE parts_4 PARTITION OF parts FOR VALUES FROM (300) TO (400);",
    "attach-partition": "ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (100) TO (200);",
    "attach-partition-proven": "ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (200) TO (300);",
    "detach-partition": "ALTER TABLE parts DETACH PARTITION parts_1;",
    "detach-partition-concurrently": f"{OFF}ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY;",
    "refresh": "REFRESH MATERIALIZED VIEW totals;",
    "refresh-concurrently": "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
    "update-all": "UPDATE orders SET note = 'a';",
    "delete-all": "DELETE FROM keyless;",
    "create-trigger": "CREATE TRIGGER orders_t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noop();",
    "create-policy": "CREATE POLICY orders_p ON orders;",
    "enable-row-security": "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    "comment-on-table": "COMMENT ON TABLE orders IS 'all of them';",
    "analyze": "ANALYZE orders;",
}
#: Statements that older servers don't know, with the first version that does.
SINCE = {"add-column-virtual": 18, "not-null-not-valid": 18}

_TABLES = """
SELECT pg_class.oid, pg_class.relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
 WHERE pg_class.relkind IN ('r', 'p', 'm', 'v') AND pg_namespace.nspname !~ '^pg_|^information_schema$'
"""
_LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = %s AND granted AND locktype = 'relation'"
_WORK = (
    ("rewrites", re.compile(r'^rewriting table "(.+)"')),
    ("scans", re.compile(r'^verifying table "(.+)"')),
    ("builds", re.compile(r'^building index ".+" on table "(.+?)"')),
    ("validates", re.compile(r'^validating foreign key constraint "(.+)"')),
    ("proven", re.compile(r'^existing constraints on column "(.+)" are sufficient')),
    ("proven", re.compile(r'^partition constraint for table "(.+)" is implied')),
)

Measured = dict[str, Any]


def measure(connection: Connection, id: str) -> Measured:
    """Return the strongest lock on each table of before, and the work that was done.

    What runs outside a transaction changes the database.
    """
    file = source(STATEMENTS[id])
    before: dict[int, str] = dict(connection.execute(_TABLES).fetchall())
    notices: list[str] = []

    def note(notice: psycopg.errors.Diagnostic) -> None:
        notices.append(notice.message_primary or "")

    connection.add_notice_handler(note)
    connection.execute("SET client_min_messages = debug1")
    pid = connection.info.backend_pid
    if file.directives.transaction:
        with connection.transaction(force_rollback=True):
            for statement in file.statements:
                connection.execute(statement.sql)
            locks = connection.execute(_LOCKS, (pid,)).fetchall()
    else:
        with session(dbname=connection.info.dbname) as other:
            locks = _observed(connection, other, file.statements[0].sql, pid)
    connection.remove_notice_handler(note)
    connection.execute("RESET client_min_messages")
    strongest: dict[str, str] = {}
    for oid, mode in locks:
        name, mode = before.get(oid, ""), mode.removesuffix("Lock")
        if name and STRENGTH.index(mode) > STRENGTH.index(strongest.get(name, "AccessShare")):
            strongest[name] = mode
    return {"locks": dict(sorted(strongest.items())), **_work(notices)}


def _observed(connection: Connection, other: Connection, statement: bytes, pid: int) -> list[tuple[int, str]]:
    """Run a statement that waits for old snapshots and lockers, look at its locks meanwhile, and let it end."""
    with _in_thread(connection, statement) as working, other.transaction():
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT FROM orders, items, parts LIMIT 1")
        working.set()
        deadline = time.monotonic() + 30
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        with session(dbname=other.info.dbname) as watcher:
            while not watcher.execute(waiting, (pid,)).fetchall()[0][0]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{statement.decode()} never waited")
                time.sleep(0.005)
            return watcher.execute(_LOCKS, (pid,)).fetchall()


@contextmanager
def _in_thread(connection: Connection, statement: bytes) -> Iterator[threading.Event]:
    """Run a statement once the event is set; wait for its end."""
    begin = threading.Event()

    def run() -> None:
        begin.wait(60)
        connection.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield begin
    finally:
        begin.set()
        thread.join(60)


def _work(notices: list[str]) -> Measured:
    found: dict[str, list[str]] = {}
    for notice in notices:
        for kind, pattern in _WORK:
            if (match := pattern.match(notice)) and "toast" not in match[1]:
                found.setdefault(kind, []).append(match[1])
    return {kind: sorted(set(names)) for kind, names in sorted(found.items())}


def read() -> dict[str, Any]:
    """Return the table as it is kept."""
    table: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return table


def main() -> None:
    """Measure every statement on the server at hand and write the table."""
    table = read()
    with new_database(f"sqlm_locks_{os.getpid()}") as name:
        with session(dbname=name) as connection:
            connection.execute(SCHEMA.encode())
            version = connection.info.server_version // 10000
        for id in STATEMENTS:
            if version >= SINCE.get(id, 0):
                entry = table.setdefault(id, {"versions": {}})
                with new_database(f"{name}_copy", template=name) as copied, session(dbname=copied) as connection:
                    entry["versions"][str(version)] = measure(connection, id)
    ordered = {
        id: {"sql": text, "versions": dict(sorted(table[id]["versions"].items()))} for id, text in STATEMENTS.items()
    }
    FILE.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    django.setup()
    main()
