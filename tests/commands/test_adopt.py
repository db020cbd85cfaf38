"""``applysql --adopt``: another tool's history taken over as it is, and nothing run again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.helpers import Ran, applysql, events, put, rows, run_sql, states, tables, value

FILES = {
    "001_users.sql": "CREATE TABLE users (id int);",
    "001_users.down.sql": "DROP TABLE users;",
    "002_posts.sql": "CREATE TABLE posts (id int);",
    "003_tags.sql": "CREATE TABLE tags (id int);",
}

#: A table as a predecessor of this tool kept it: a file that failed, and one whose file is gone by now.
PREDECESSOR = """
    CREATE TABLE users (id int);
    CREATE TABLE migrations (
        id serial PRIMARY KEY, filename varchar(255) UNIQUE, executed_at timestamp DEFAULT now(),
        execution_time_ms integer, success boolean DEFAULT true, error_message text
    );
    INSERT INTO migrations (filename, executed_at, execution_time_ms, success, error_message) VALUES
        ('001_users.sql', '2024-02-03 04:05:06', 17, true, NULL),
        ('000_gone.sql', '2024-01-01 00:00:00', 3, true, NULL),
        ('002_posts.sql', '2024-02-03 04:05:07', 5, false, 'relation "users" does not exist')
    """

SHOWN = (
    "To take over from migrations (a table of file names):\n"
    "  000_gone.sql: applied, but no such file is on disk, <when>\n"
    "  001_users.sql: applied, <when>\n"
    '  002_posts.sql: failed, <when>: relation "users" does not exist\n'
)


def test_it_shows_first_and_asks(fresh_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, FILES)
    run_sql(PREDECESSOR)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert applysql("--adopt", "migrations") == Ran(
        SHOWN, "CommandError: Nobody is there to be asked.\n  If you mean it, add --noinput.\n", 2
    )
    assert applysql("--adopt", "migrations", "--plan") == Ran(SHOWN, "", 0)
    assert value("SELECT to_regclass('sqlmigrations_migrationrecord')") is None


def test_states_times_and_errors_are_kept(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(PREDECESSOR)
    assert applysql("--adopt", "migrations", "--noinput") == Ran(f"{SHOWN}Head of the history: <hash>\n", "", 0)
    columns = """filename, state, success, executed_at AT TIME ZONE 'UTC' || '', attempted_at AT TIME ZONE 'UTC' || '',
                 execution_time_ms, error_message, applied_sql, down_sql"""
    assert rows(f"SELECT {columns} FROM sqlmigrations_migrationrecord ORDER BY filename") == [
        ("000_gone.sql", "retired", None, "2024-01-01 00:00:00", "2024-01-01 00:00:00", 3.0, "", None, None),
        (
            "001_users.sql",
            "applied",
            True,
            "2024-02-03 04:05:06",
            "2024-02-03 04:05:06",
            17.0,
            "",
            FILES["001_users.sql"],
            FILES["001_users.down.sql"],
        ),
        (
            "002_posts.sql",
            "failed",
            False,
            None,
            "2024-02-03 04:05:07",
            5.0,
            'relation "users" does not exist',
            None,
            None,
        ),
    ]
    assert rows("SELECT filename, duration_ms, details FROM sqlmigrations_migrationevent ORDER BY id") == [
        ("000_gone.sql", 3.0, {"table": "migrations", "tool": "a table of file names", "state": "retired"}),
        ("001_users.sql", 17.0, {"table": "migrations", "tool": "a table of file names", "state": "applied"}),
        (
            "002_posts.sql",
            5.0,
            {
                "table": "migrations",
                "tool": "a table of file names",
                "state": "failed",
                "message": 'relation "users" does not exist',
            },
        ),
    ]
    assert value("SELECT count(*) FROM migrations") == 3


def test_nothing_is_run_again_and_what_failed_is(fresh_database: str, folder: Path) -> None:
    """The table ``users`` is there: a second CREATE would fail."""
    put(folder, FILES)
    run_sql(PREDECESSOR)
    assert applysql("--adopt", "migrations", "--noinput").code == 0
    assert tables() == ["migrations", "users"]
    ran = applysql()
    assert (ran.err, ran.code) == ("", 0)
    assert [line.split("...")[0] for line in ran.out.splitlines() if "..." in line] == [
        "  Applying 002_posts.sql",
        "  Applying 003_tags.sql",
    ]
    assert applysql("--check").code == 0


def test_a_second_time_takes_nothing_over(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(PREDECESSOR)
    assert applysql("--adopt", "migrations", "--noinput").code == 0
    before = events()
    said = "Nothing to take over from migrations (a table of file names): 3 of its files are on record already.\n"
    assert applysql("--adopt", "migrations", "--noinput") == Ran(said, "", 0)
    run_sql("INSERT INTO migrations (filename, success) VALUES ('003_tags.sql', true)")
    assert applysql("--adopt", "migrations", "--noinput").code == 0
    assert events() == [*before, ("adopted", "003_tags.sql")]


def test_the_document(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(PREDECESSOR)
    answer = json.loads(applysql("--adopt", "migrations", "--noinput", "--format", "json").out.replace("<ms>", "0"))
    assert (answer["tool"], answer["head"]) == ("a table of file names", "<hash>")
    assert [(each["name"], each["state"], each["error"]) for each in answer["adopted"]] == [
        ("000_gone.sql", "retired", ""),
        ("001_users.sql", "applied", ""),
        ("002_posts.sql", "failed", 'relation "users" does not exist'),
    ]


FLYWAY = """
    CREATE TABLE flyway_schema_history (
        installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), type varchar(20),
        script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp DEFAULT now(),
        execution_time int, success boolean
    );
    INSERT INTO flyway_schema_history VALUES
        (1, NULL, 'schema', 'SCHEMA', '"app"', NULL, 'a', '2024-01-01', 0, true),
        (2, '1', 'users', 'SQL', '001_users.sql', 7, 'a', '2024-01-01', 11, true),
        (3, '2', 'posts', 'SQL', '002_posts.sql', 8, 'a', '2024-01-02', 12, false)
    """
DBMATE = """
    CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('001'), ('2')
    """
GOOSE = """
    CREATE TABLE goose_db_version (
        id serial PRIMARY KEY, version_id bigint, is_applied boolean, tstamp timestamp DEFAULT now()
    );
    INSERT INTO goose_db_version (version_id, is_applied) VALUES
        (0, true), (1, true), (2, true), (3, true), (3, false)
    """


@pytest.mark.parametrize(
    ("made", "table", "tool", "expected"),
    [
        (FLYWAY, "flyway_schema_history", "Flyway", {"001_users.sql": "applied", "002_posts.sql": "failed"}),
        (DBMATE, "public.schema_migrations", "dbmate", {"001_users.sql": "applied", "002_posts.sql": "applied"}),
        (GOOSE, "goose_db_version", "goose", {"001_users.sql": "applied", "002_posts.sql": "applied"}),
    ],
    ids=["flyway", "dbmate", "goose"],
)
def test_other_tools(
    fresh_database: str, folder: Path, made: str, table: str, tool: str, expected: dict[str, str]
) -> None:
    put(folder, FILES)
    run_sql(made)
    ran = applysql("--adopt", table, "--noinput")
    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.splitlines()[0] == f"To take over from {table} ({tool}):"
    assert states() == expected
    before = events()
    assert applysql("--adopt", table, "--noinput").code == 0
    assert events() == before


def test_what_flyway_has_undone_or_deleted_is_pending(fresh_database: str, folder: Path) -> None:
    """Until it was migrated once more."""
    put(folder, FILES)
    run_sql(FLYWAY)
    run_sql(
        """
        INSERT INTO flyway_schema_history VALUES
            (4, '1', 'users', 'UNDO_SQL', 'U1__users.sql', 9, 'a', '2024-01-03', 13, true),
            (5, '3', 'tags', 'SQL', 'V3__tags.sql', 9, 'a', '2024-01-04', 13, true),
            (6, '3', 'tags', 'DELETE', 'V3__tags.sql', 9, 'a', '2024-01-05', 0, true)
        """
    )
    assert applysql("--adopt", "flyway_schema_history", "--noinput").code == 0
    assert states() == {"002_posts.sql": "failed"}
    run_sql(
        """
        INSERT INTO flyway_schema_history VALUES
            (7, '1', 'users', 'SQL', 'V1__users.sql', 9, 'a', '2024-01-06', 13, true),
            (8, '3', 'tags', 'SQL', 'V3__tags.sql', 9, 'a', '2024-01-07', 13, true),
            (9, '3', 'tags', 'UNDO_SQL', 'U3__tags.sql', 9, 'a', '2024-01-08', 13, false)
        """
    )
    assert applysql("--adopt", "flyway_schema_history", "--noinput").code == 0
    assert states() == {"001_users.sql": "applied", "002_posts.sql": "failed", "003_tags.sql": "applied"}


def test_files_of_flyway_that_were_renamed(fresh_database: str, folder: Path) -> None:
    """By version and by what they are called; a version that is no number stays what it was called."""
    put(folder, FILES | {"repeatable/totals.sql": "SELECT 1;"})
    run_sql(FLYWAY)
    run_sql(
        """
        UPDATE flyway_schema_history SET script = 'sub/V1__users.sql' WHERE installed_rank = 2;
        UPDATE flyway_schema_history SET script = 'V2__articles.sql' WHERE installed_rank = 3;
        INSERT INTO flyway_schema_history VALUES
            (4, '3.1', 'tags', 'SQL', 'V3.1__tags.sql', 9, 'a', '2024-01-03', 13, true),
            (5, NULL, 'totals', 'SQL', 'R__totals.sql', 10, 'a', '2024-01-04', 14, true)
        """
    )
    assert applysql("--adopt", "flyway_schema_history", "--noinput").code == 0
    assert states() == {
        "001_users.sql": "applied",
        "002_posts.sql": "failed",
        "V3.1__tags.sql": "retired",
        "repeatable/totals.sql": "applied",
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("nowhere", "There is no table nowhere.\n  Name it as in SQL, with its schema if need be."),
        (
            "other",
            "other has the columns a, b, which is no history that is known (Flyway, a table of file names, goose, "
            "dbmate).\n  Record what was applied with: applysql --baseline NAME",
        ),
    ],
)
def test_what_is_no_history(fresh_database: str, folder: Path, table: str, message: str) -> None:
    put(folder, FILES)
    run_sql("CREATE TABLE other (a int, b int)")
    assert applysql("--adopt", table, "--noinput") == Ran("", f"CommandError: {message}\n", 2)


def test_a_table_of_any_name(fresh_database: str, folder: Path) -> None:
    """Rows that say nothing of their success, and quotes and percent signs in names and errors."""
    put(folder, FILES)
    run_sql(
        """
        CREATE SCHEMA "Old % Tool";
        CREATE TABLE "Old % Tool"."migra""tions" (
            filename text, executed_at timestamptz, execution_time_ms numeric, success boolean, error_message text
        );
        INSERT INTO "Old % Tool"."migra""tions" VALUES
            ('001_users.sql', NULL, NULL, true, 'an old error'), ('002_posts.sql', '2024-01-01', 1.5, false, NULL)
        """
    )
    ran = applysql("--adopt", '"Old % Tool"."migra""tions"', "--noinput")
    assert (ran.err, ran.code) == ("", 0)
    assert rows("SELECT filename, state, execution_time_ms, error_message FROM sqlmigrations_migrationrecord") == [
        ("002_posts.sql", "failed", 1.5, ""),
        ("001_users.sql", "applied", None, ""),
    ]


def test_a_view_of_other_columns(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(
        """
        CREATE TABLE changelog (name text, applied_at timestamptz);
        INSERT INTO changelog VALUES ('001_users.sql', '2024-02-03 04:05:06+00');
        CREATE VIEW old_history AS
        SELECT name AS filename, applied_at AS executed_at, NULL::int AS execution_time_ms,
               true AS success, NULL::text AS error_message
          FROM changelog
        """
    )
    assert applysql("--adopt", "old_history", "--noinput").code == 0
    assert states() == {"001_users.sql": "applied"}


def test_columns_of_other_types(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(
        """
        CREATE TABLE migrations (filename varchar, executed_at text, execution_time_ms real, success text,
                                 error_message varchar);
        INSERT INTO migrations VALUES ('001_users.sql', '2024-02-03 04:05:06+00', 1.5, 'yes', NULL),
                                      ('002_posts.sql', '2024-02-03', 2, 'no', 'broken')
        """
    )
    assert applysql("--adopt", "migrations", "--noinput").code == 0
    columns = "filename, state, attempted_at AT TIME ZONE 'UTC' || '', execution_time_ms, error_message"
    assert rows(f"SELECT {columns} FROM sqlmigrations_migrationrecord ORDER BY filename") == [
        ("001_users.sql", "applied", "2024-02-03 04:05:06", 1.5, ""),
        ("002_posts.sql", "failed", "2024-02-03 00:00:00", 2.0, "broken"),
    ]
    run_sql("INSERT INTO migrations VALUES ('003_tags.sql', 'yesterday evening', 1, 'yes', NULL)")
    ran = applysql("--adopt", "migrations", "--noinput")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.startswith(
        "CommandError: It has the shape of a table of file names, but a row of it can't be read: invalid input "
    )
