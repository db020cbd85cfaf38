"""What to do about the errors that people meet most, from real errors of a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlmigrations.files.scripts import Script
from sqlmigrations.runner.explanation import role_set
from tests.databases import assuming, session
from tests.helpers import applysql, put, role, run_sql, value

#: Otherwise it is refused before it runs.
ALLOWED = "-- sqlmigrations: allow drop-index-of-constraint: the server's own answer is wanted\n"
CONSTRAINT = "A constraint needs this index and takes it along when it goes. Write instead: "
NOT_IN_TRANSACTION = "Put the statement into a file of its own that begins with: -- sqlmigrations: transaction off"
DUPLICATE = (
    "If the database has it already from elsewhere, record the file without running it: applysql --fake NAME. "
    "Otherwise write IF NOT EXISTS, where the command knows it, or OR REPLACE."
)
COMMIT_INSIDE = (
    "COMMIT and ROLLBACK inside DO or a procedure can't work while the file is one transaction. Take them out, or put "
    "the statement into a file of its own that begins with: -- sqlmigrations: transaction off"
)
EXTENSION = (
    "The extension's files are not on the server. Install its package there (Debian: postgresql-contrib or "
    "postgresql-NN-NAME), or see in pg_available_extensions what there is."
)
#: A file that isn't there (PostgreSQL 14) and a feature that isn't (15 and later).
MISSING = "58P01 or 0A000"
LOCK_TIMEOUT = (
    "Another session held the lock for longer than lock_timeout. Run it again when that one is done, or give this file "
    "more time: -- sqlmigrations: lock_timeout 10s"
)
CANCELLED = (
    "It took longer than statement_timeout, or somebody cancelled it. Give this file more time: -- sqlmigrations: "
    "statement_timeout 10min"
)
NEW_VALUE = "Move ALTER TYPE ... ADD VALUE into an earlier file: a new value can be used once its file is committed."
ROLE = "Roles belong to the whole server. Create this one there first: CREATE ROLE ...;"
ROWS = "Rows of the table are in the way. Count and show them, without changing any: applysql --plan --lint"
DEFERRED = "A deferred constraint is violated at the end of the file: its rows must fit before the file ends."


def advice(folder: Path, text: str) -> tuple[str, str]:
    """Apply one file that fails; return its SQLSTATE and our advice."""
    put(folder, {"001.sql": text})
    ran = applysql()
    lines = [line.strip() for line in ran.out.splitlines()]
    (first,) = (line for line in lines if line.startswith("001.sql:"))
    said = [line.removeprefix("What to do: ") for line in lines if line.startswith("What to do: ")]
    return first[-6:-1], "".join(said)


BEFORE = """
CREATE TABLE users (id int CONSTRAINT "Users PK" PRIMARY KEY, name text CONSTRAINT users_name_key UNIQUE);
CREATE TABLE "Posts" (author int REFERENCES users, name text REFERENCES users (name));
CREATE TYPE mood AS ENUM ('sad');
CREATE VIEW names AS SELECT name FROM users;
CREATE SCHEMA app;
CREATE TABLE app.hidden (id int);
CREATE TABLE app."Odd Name" (id int);
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
"""


@pytest.mark.parametrize(
    ("text", "sqlstate", "expected"),
    [
        (
            f"{ALLOWED}DROP INDEX users_name_key;",
            "2BP01",
            f'{CONSTRAINT}ALTER TABLE "Posts" DROP CONSTRAINT "Posts_name_fkey"; '
            "ALTER TABLE users DROP CONSTRAINT users_name_key;",
        ),
        (
            f'{ALLOWED}DROP INDEX IF EXISTS public."Users PK";',
            "2BP01",
            f'{CONSTRAINT}ALTER TABLE "Posts" DROP CONSTRAINT "Posts_author_fkey"; '
            'ALTER TABLE users DROP CONSTRAINT "Users PK";',
        ),
        (
            "DROP TABLE users;",
            "2BP01",
            "Drop what depends on it first, or add CASCADE if all of that may go too.",
        ),
        ("ALTER TABLE users DROP COLUMN name;", "2BP01", None),
        ("CALL commits();", "2D000", COMMIT_INSIDE),
        ("DO $$ BEGIN ROLLBACK; END $$;", "2D000", COMMIT_INSIDE),
        ("ALTER TYPE mood ADD VALUE 'happy'; SELECT 'happy'::mood;", "55P04", NEW_VALUE),
        ("CREATE TABLE users (id int);", "42P07", DUPLICATE),
        ("CREATE INDEX users_name_key ON users (name);", "42P07", DUPLICATE),
        ("CREATE TYPE mood AS ENUM ();", "42710", DUPLICATE),
        ("ALTER TABLE users ADD name text;", "42701", DUPLICATE),
        ("CREATE TABLE t (a int, a int);", "42701", ""),
        ("CREATE VIEW v AS SELECT * FROM users, app.hidden;", "42701", ""),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; " * 2, "42723", DUPLICATE),
        ("CREATE SCHEMA app;", "42P06", DUPLICATE),
        ("CREATE EXTENSION none_of_this_name;", MISSING, EXTENSION),
        ("CREATE EXTENSION IF NOT EXISTS none_of_this_name;", MISSING, EXTENSION),
        ("GRANT SELECT ON users TO sqlm_nobody;", "42704", ROLE),
        ("ALTER TABLE users OWNER TO sqlm_nobody;", "42704", ROLE),
        ("SET ROLE sqlm_nobody;", "22023", None),
        ("CREATE TABLE t (m moood);", "42704", ""),
        (
            "SELECT * FROM nowhere;",
            "42P01",
            "If another file makes it, name that file: -- sqlmigrations: requires NAME",
        ),
        (
            "SELECT * FROM hidden;",
            "42P01",
            "There is app.hidden, which this session's search_path doesn't reach. Write the name with its schema.",
        ),
        (
            'SELECT * FROM "Odd Name";',
            "42P01",
            "There is app.\"Odd Name\", which this session's search_path doesn't reach. Write the name with its "
            "schema.",
        ),
        ("INSERT INTO users VALUES (1); ALTER TABLE users ALTER name SET NOT NULL;", "23502", ROWS),
        ("INSERT INTO users VALUES (1); ALTER TABLE users ADD CHECK (id > 1);", "23514", ROWS),
        (
            "CREATE TABLE k (id int PRIMARY KEY); INSERT INTO users VALUES (1); "
            "ALTER TABLE users ADD FOREIGN KEY (id) REFERENCES k;",
            "23503",
            ROWS,
        ),
        ("INSERT INTO users VALUES (1, 'a'), (2, 'a'); CREATE UNIQUE INDEX u ON users (name);", "23505", None),
        ("INSERT INTO users VALUES (1), (1);", "23505", ""),
        ('INSERT INTO "Posts" VALUES (1);', "23503", ""),
        ("SELECT 1/0;", "22012", ""),
        ("SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(5);", "57014", CANCELLED),
        (
            "CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1), (1);",
            "23505",
            DEFERRED,
        ),
        (
            "CREATE TABLE d (a int REFERENCES users DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1);",
            "23503",
            DEFERRED,
        ),
        (
            "CREATE TABLE d (a int, EXCLUDE (a WITH =) DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1), (1);",
            "23P01",
            DEFERRED,
        ),
    ],
)
def test_advice(ready_database: str, folder: Path, text: str, sqlstate: str, expected: str | None) -> None:
    run_sql(BEFORE)
    found = advice(folder, text)
    assert found[0] in sqlstate.split(" or ")
    if expected is not None:
        assert found[1] == expected


def test_a_statement_that_refuses_a_transaction_only_when_it_meets_certain_objects(
    ready_database: str, folder: Path
) -> None:
    """Nobody can tell from its text: the server says so when it meets a partitioned index."""
    run_sql(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); "
        "CREATE INDEX p_id ON p (id)"
    )
    assert advice(folder, "REINDEX INDEX p_id;") == ("25001", NOT_IN_TRANSACTION)


def test_a_missing_right(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (id int)")
    with role() as name:
        run_sql(f"GRANT CREATE ON SCHEMA public TO {name}")
        with assuming(name):
            found = advice(folder, "SELECT * FROM users;")
    assert found == (
        "42501",
        f'The files run as role {name}. Let the owner or a superuser say GRANT ... TO "{name}", or run them as another '
        "role.",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SET ROLE {name};\nSELECT 1;\nSELECT * FROM users;", 1),
        ("SELECT 1;\nSET LOCAL ROLE {name};\nSELECT * FROM users;", 2),
        ("SET ROLE none;\nSET SESSION AUTHORIZATION {name};\nSELECT * FROM users;", 2),
    ],
)
def test_a_missing_right_of_a_role_that_the_file_sets(fresh_database: str, folder: Path, text: str, line: int) -> None:
    run_sql("CREATE TABLE users (id int)")
    with role() as name:
        found = advice(folder, text.format(name=name))
    words = f"It ran as the role that line {line} sets: give that one the right, or RESET ROLE before."
    assert found == ("42501", words)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;", 0),
        ("SET ROLE a;\nRESET ROLE;", 0),
        ("SET ROLE a;\nRESET ALL;", 0),
        ("SET SESSION AUTHORIZATION a;\nRESET SESSION AUTHORIZATION;\nSET SESSION ROLE a;", 3),
        ("SELECT 'SET ROLE a';\nSET ROLE a;\nSET work_mem = '1MB';", 2),
    ],
)
def test_which_line_sets_the_role(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "001.sql"
    path.write_text(f"{text}\nSELECT * FROM users;", encoding="utf-8")
    script = Script("001.sql", path)
    (*_before, last) = script.read()
    assert role_set(script, last) == line


def test_a_transaction_timeout(ready_database: str, folder: Path) -> None:
    if int(value("SHOW server_version_num")) < 170000:
        pytest.skip("PostgreSQL has transaction_timeout since 17")
    words = (
        "A file is one transaction, and it took longer than transaction_timeout, which is set for the role or the "
        "database. Give the role that runs files more: ALTER ROLE ... SET transaction_timeout = 0;"
    )
    assert advice(folder, "SET transaction_timeout = '50ms'; SELECT pg_sleep(600);") == ("25P04", words)


def test_a_lock_timeout(ready_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (id int)")
    with session() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE users")
        text = "-- sqlmigrations: lock_timeout 50ms\n-- sqlmigrations: retries 0\nALTER TABLE users ADD a int;"
        assert advice(folder, text) == ("55P03", LOCK_TIMEOUT)


@pytest.mark.parametrize(
    "makes",
    [
        "CREATE FUNCTION public.sqlmigrations_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE TABLE public.sqlmigrations_migrationevent (id bigint)",
        "CREATE TABLE django_migrations (id bigint)",
    ],
)
def test_a_dump_that_holds_the_history(ready_database: str, folder: Path, makes: str) -> None:
    sqlstate, advised = advice(folder, makes)
    assert sqlstate in ("42723", "42P07")
    assert advised == (
        "A run makes this itself before its first file, and a dump of a database with a history holds it, too. Dump "
        "again with: pg_dump --exclude-table='sqlmigrations_*' --exclude-table=django_migrations, and delete the "
        "functions called sqlmigrations_... from the file."
    )
