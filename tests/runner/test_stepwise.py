"""Files outside a transaction: each statement with its checkpoint, so that the file goes on where it stopped."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from sqlmigrations.runner import stepwise
from tests.databases import session
from tests.helpers import Ran, Settings, applysql, events, put, rows, run_sql, states, tables, value, wait_until

OFF = "-- sqlmigrations: transaction off\n"
HEAD = "Head of the history: <hash>\n"


def progress() -> tuple[int, int]:
    ((done, total),) = rows("SELECT statements_done, statements_total FROM sqlmigrations_migrationrecord")
    return done, total


def file(*statements: str) -> dict[str, str]:
    return {"001.sql": OFF + "\n".join(statements) + "\n"}


def test_each_statement_commits_with_its_checkpoint(ready_database: str, folder: Path) -> None:
    put(
        folder,
        file(
            "CREATE TABLE t AS SELECT pg_current_xact_id()::text AS xid;",
            "INSERT INTO t SELECT pg_current_xact_id()::text;",
            "CREATE TABLE checkpoints AS SELECT xmin::text AS xid, statements_done, statements_total, state "
            "FROM sqlmigrations_migrationrecord;",
        ),
    )
    assert applysql().code == 0
    first, second = rows("SELECT xid FROM t ORDER BY xid::bigint")
    assert first != second
    assert rows("SELECT * FROM checkpoints") == [(*second, 2, 3, "partial")]
    assert rows("SELECT state, statements_done, statements_total, progress FROM sqlmigrations_migrationrecord") == [
        ("applied", 3, 3, None)
    ]


def test_a_failure_stops_half_way_and_says_so(ready_database: str, folder: Path) -> None:
    put(
        folder,
        {
            **file("CREATE TABLE t (id int);", "INSERT INTO t VALUES (1);", "SELECT 1/0;", "INSERT INTO t VALUES (2);"),
            "002.sql": "ALTER TABLE t ADD name text;",
            "003.sql": "CREATE TABLE u (id int);",
        },
    )
    assert applysql() == Ran(
        "Running SQL files:\n"
        "  Applying 001.sql... STOPPED HALF-WAY (<time>, 2 statements)\n"
        "    001.sql:4: division by zero [22012]\n"
        "    4 | SELECT 1/0;\n"
        "  Held 002.sql: touches t, as does 001.sql, which is not applied\n"
        "  Applying 003.sql... OK (<time>, 1 statement)\n"
        "  1 applied, 1 held, 1 partial.\n" + HEAD,
        "",
        5,
    )
    assert states() == {"001.sql": "partial", "003.sql": "applied"}
    assert events()[:2] == [("started", "001.sql"), ("stopped", "001.sql")]
    assert rows("SELECT count(*) FROM t") == [(1,)]
    assert applysql("--plan").out == (
        "Planned SQL files:\n  Resume 001.sql  (resumes after statement 2 of 4)\n"
        "  Apply 002.sql  (late, but independent of the 1 applied after it)\n"
    )
    assert applysql("--check").code == 5
    assert " [/] 001.sql partial: resumes after statement 2 of 4\n" in applysql("--list").out


def test_it_resumes_where_it_stopped(ready_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE guard (id int)")
    statements = [f"INSERT INTO counted VALUES ({n});" for n in range(1, 10)]
    statements[4] = "INSERT INTO counted SELECT 5 / count(*) * count(*) FROM guard;"
    put(folder, file("CREATE TABLE counted (n int);", *statements))
    assert applysql().code == 5
    assert progress() == (5, 10)
    run_sql("INSERT INTO guard VALUES (1)")
    assert applysql().out.startswith("Running SQL files:\n  Resuming 001.sql... OK (<time>, 10 statements)\n")
    assert rows("SELECT n FROM counted ORDER BY n") == [(n,) for n in range(1, 10)]
    assert events() == [(type, "001.sql") for type in ("started", "stopped", "resumed", "applied")]
    timings = value("SELECT timings FROM sqlmigrations_migrationevent WHERE type = 'applied'")
    assert [timing["number"] for timing in timings] == [6, 7, 8, 9, 10]


def test_a_failure_in_the_first_statement_leaves_nothing_to_resume(ready_database: str, folder: Path) -> None:
    put(folder, file("SELECT 1/0;", "CREATE TABLE t (id int);"))
    ran = applysql()
    assert (ran.code, states(), tables()) == (1, {"001.sql": "failed"}, [])
    assert applysql("--plan").out == "Planned SQL files:\n  Apply 001.sql  (failed before)\n"
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    assert applysql().code == 0


def test_the_rest_may_be_mended_before_it_resumes(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TABLE t (id int);", "INSERT INTO tt VALUES (1);"))
    assert applysql().code == 5
    put(folder, file("CREATE TABLE t (id int);", "INSERT INTO t VALUES (1);", "INSERT INTO t VALUES (2);"))
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(1,), (2,)]


RESTART = (
    'What to do: Restore that part, or say where to go on: applysql 001.sql --resume-at N (or --restart) --reason "..."'
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            file("CREATE TABLE t (id bigint);", "CREATE TABLE u (id int);", "SELECT 1;"),
            "a statement of the part that has run was edited",
        ),
        (
            file("CREATE TABLE u (id int);", "CREATE TABLE t (id int);", "SELECT 1;"),
            "a statement of the part that has run was edited",
        ),
        (file("CREATE TABLE t (id int);"), "it had 2 statements done and has only 1 now"),
    ],
)
def test_the_part_that_has_run_must_not_be_edited(
    ready_database: str, folder: Path, text: Mapping[str, str], what: str
) -> None:
    put(folder, file("CREATE TABLE t (id int);", "CREATE TABLE u (id int);", "SELECT 1/0;"))
    assert applysql().code == 5
    put(folder, text)
    ran = applysql()
    assert ran.code == 5
    assert f"    001.sql: The file stopped after statement 2 and was changed since: {what}.\n    {RESTART}\n" in ran.out
    assert (states(), progress()[0]) == ({"001.sql": "partial"}, 2)

    put(folder, file("CREATE TABLE t (id int);", "CREATE TABLE u (id int);", "SELECT 1;"))
    assert applysql().code == 0


def test_comments_of_the_part_that_has_run_may_be_edited(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TABLE t (id int);", "SELECT 1/0;"))
    assert applysql().code == 5
    put(folder, file("-- why", "CREATE TABLE t (id int);", "/* and */", "SELECT 1;"))
    assert applysql().code == 0


def test_transaction_off_must_stay_while_it_is_half_way(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TABLE t (id int);", "SELECT 1/0;"))
    assert applysql().code == 5
    put(folder, {"001.sql": "CREATE TABLE t (id int); SELECT 1;"})
    assert applysql() == Ran(
        "  Left 001.sql: it stopped half-way outside a transaction, and its `transaction off` is gone\n  1 partial.\n"
        + HEAD,
        "",
        5,
    )


def test_session_statements_of_the_done_part_are_executed_again(ready_database: str, folder: Path) -> None:
    run_sql("CREATE SCHEMA app; CREATE TABLE guard (id int)")
    put(
        folder,
        file(
            "SET search_path = app;",
            "SELECT set_config('app.tenant', '7', false);",
            "PREPARE ins (int) AS SELECT $1;",
            "CREATE TABLE t AS SELECT 1 AS id;",
            "SELECT 1 / count(*) FROM public.guard;",
            "INSERT INTO t SELECT current_setting('app.tenant')::int;",
            "EXECUTE ins (1);",
        ),
    )
    assert applysql().code == 5
    run_sql("INSERT INTO guard VALUES (1)")
    assert applysql().code == 0
    assert rows("SELECT id FROM app.t ORDER BY id") == [(1,), (7,)]


@pytest.mark.parametrize(
    "temporary",
    ["CREATE TEMPORARY TABLE tmp (id int);", "CREATE TEMP VIEW tmp AS SELECT 1;", "SELECT 1 AS id INTO TEMP tmp;"],
)
def test_a_temporary_object_of_the_done_part_refuses_the_resume(
    ready_database: str, folder: Path, temporary: str
) -> None:
    put(folder, file("CREATE TABLE t (id int);", temporary, "SELECT 1/0;"))
    assert applysql().code == 5
    ran = applysql()
    assert ran.code == 5
    assert (
        "    001.sql:3: The part that has run made a temporary table, which has gone with its session.\n"
        "    What to do: Undo what has run and begin again: applysql 001.sql --restart "
        '--reason "..."\n'
    ) in ran.out
    assert progress()[0] == 2


def test_temporary_objects_serve_within_one_attempt(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TEMP TABLE tmp (id int);", "INSERT INTO tmp VALUES (7);", "CREATE TABLE t AS TABLE tmp;"))
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(7,)]


def test_copy_and_its_checkpoint(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TABLE t (id int);", "COPY t FROM stdin;\n1\n2\n\\.", "SELECT 1/0;"))
    assert applysql().code == 5
    put(folder, file("CREATE TABLE t (id int);", "COPY t FROM stdin;\n1\n2\n\\.", "SELECT 1;"))
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(1,), (2,)]


def test_procedures_that_commit(ready_database: str, folder: Path) -> None:
    run_sql(
        "CREATE TABLE t (id int); CREATE PROCEDURE fill() LANGUAGE plpgsql AS "
        "$$ BEGIN FOR i IN 1..3 LOOP INSERT INTO t VALUES (i); COMMIT; END LOOP; END $$"
    )
    put(
        folder,
        file("CALL fill();", "DO $$ BEGIN INSERT INTO t VALUES (4); COMMIT; INSERT INTO t VALUES (5); END $$;"),
    )
    assert applysql().code == 0
    assert rows("SELECT id FROM t ORDER BY id") == [(n,) for n in range(1, 6)]


BARE = [
    "VACUUM t;",
    "VACUUM (ANALYZE) t;",
    "REINDEX TABLE CONCURRENTLY t;",
    "REINDEX (VERBOSE) INDEX CONCURRENTLY t_pkey;",
    "REINDEX SCHEMA public;",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS made ON t (id);",
    "DROP INDEX CONCURRENTLY IF EXISTS made;",
    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;",
    "CLUSTER;",
    "DISCARD ALL;",
    "CHECKPOINT;",
]


@pytest.mark.parametrize("statement", BARE)
def test_statements_that_refuse_a_transaction(ready_database: str, folder: Path, statement: str) -> None:
    run_sql(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE p (id int) PARTITION BY RANGE (id); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2)"
    )
    put(folder, file("CREATE TABLE before (id int);", statement, "CREATE TABLE after (id int);"))
    ran = applysql()
    assert (ran.err, ran.code, states()) == ("", 0, {"001.sql": "applied"})
    assert {"before", "after"} <= set(tables())


@pytest.mark.parametrize(
    ("directives", "expected"), [("", "0"), ("-- sqlmigrations: lock_timeout 7s\n", "7s")], ids=["ours", "the file's"]
)
def test_the_lock_timeout_that_a_bare_statement_sees(
    ready_database: str, folder: Path, directives: str, expected: str
) -> None:
    run_sql(
        "CREATE TABLE t (id int); CREATE TABLE seen (value text); "
        "CREATE PROCEDURE look() LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO seen SELECT current_setting('lock_timeout'); COMMIT; END $$; "
        "CREATE FUNCTION peek(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE WARNING 'lock_timeout=%', current_setting('lock_timeout'); RETURN $1; END $$; INSERT INTO t VALUES (1)"
    )
    put(folder, {"001.sql": f"{OFF}{directives}CREATE INDEX CONCURRENTLY i ON t (peek(id));"})
    assert applysql().code == 0
    notices = value("SELECT notices FROM sqlmigrations_migrationevent WHERE type = 'applied'")
    assert set(notices) == {f"WARNING: lock_timeout={expected}"}


@pytest.mark.parametrize("statement", ["VACUUM FULL t;", "REINDEX SCHEMA public;", "CLUSTER;"])
def test_a_bare_statement_that_locks_others_out_does_not_make_them_queue(
    ready_database: str, folder: Path, settings: Settings, statement: str
) -> None:
    """It gives up after lock_timeout, as any other, and is tried again."""
    settings.SQLMIGRATIONS_LOCK_TIMEOUT = "100ms"
    run_sql("CREATE TABLE t (id int PRIMARY KEY); CLUSTER t USING t_pkey")
    put(folder, file("CREATE TABLE u (id int);", statement))
    with session(application_name="a long report") as idle:
        idle.execute("BEGIN; INSERT INTO t VALUES (1)")
        settings.SQLMIGRATIONS_RETRIES = 1
        ran = applysql()
        assert ran.code == 5
        assert "canceling statement due to lock timeout [55P03]" in ran.out
        assert f"Blocked by pid <pid> (role {idle.info.user}, host " in ran.out
    assert applysql().code == 0
    assert states() == {"001.sql": "applied"}


def test_a_bare_statement_that_may_be_repeated_is_tried_again(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": f"{OFF}-- sqlmigrations: lock_timeout 50ms\nVACUUM FULL t;"})
    with session() as idle:
        idle.execute("BEGIN; INSERT INTO t VALUES (1)")

        def let_go(number: int) -> float:
            idle.execute("COMMIT")
            return 0.0

        monkeypatch.setattr(stepwise, "pause", let_go)
        assert applysql().code == 0
    assert states() == {"001.sql": "applied"}


def test_validating_a_constraint_waits_as_long_as_it_takes(
    ready_database: str, folder: Path, settings: Settings
) -> None:
    """Nobody who reads or writes waits behind it, so nothing is won by giving up."""
    settings.SQLMIGRATIONS_LOCK_TIMEOUT = "50ms"
    settings.SQLMIGRATIONS_RETRIES = 0
    run_sql("CREATE TABLE t (id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID")
    put(folder, file("ALTER TABLE t VALIDATE CONSTRAINT c;", "SELECT 1;"))
    with session() as other:
        other.execute("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")

        def let_go() -> None:
            wait_until(lambda: rows("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ShareUpdateExclusiveLock'"))
            threading.Event().wait(0.3)
            run_sql("INSERT INTO t VALUES (1)")
            other.execute("COMMIT")

        thread = threading.Thread(target=let_go)
        thread.start()
        ran = applysql()
        thread.join()
    assert (ran.err, ran.code) == ("", 0)


def test_a_lock_timeout_of_one_statement_is_tried_again(ready_database: str, folder: Path) -> None:
    run_sql("CREATE SEQUENCE tries")
    stubborn = (
        "DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '55P03'; END IF; END $$;"
    )
    put(folder, file("CREATE TABLE t (id int);", "INSERT INTO t VALUES (1);", stubborn, "INSERT INTO t VALUES (2);"))
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(1,), (2,)]
    assert value("SELECT last_value FROM tries") == 3


def test_a_copy_that_met_a_lock_timeout_is_not_sent_in_half(ready_database: str, folder: Path) -> None:
    """Its data has streamed by: the file stops, and the next run sends all of it."""
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": f"{OFF}-- sqlmigrations: lock_timeout 50ms\nSELECT 1;\nCOPY t FROM stdin;\n1\n2\n\\.\n"})
    with session() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE t")
        assert applysql().code == 5
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(1,), (2,)]


# In doubt


def pretend_begun(number: int) -> None:
    """Leave the record as a run does that was killed while statement ``number`` was at work."""
    run_sql(f"UPDATE sqlmigrations_migrationrecord SET progress = jsonb_set(progress, '{{intent}}', '{number}')")


def test_a_statement_whose_end_nobody_saw_and_nobody_can_tell(ready_database: str, folder: Path) -> None:
    put(folder, file("CREATE TABLE t (id int);", "SELECT 1/0;", "CREATE TABLE u (id int);"))
    assert applysql().code == 5
    put(folder, file("CREATE TABLE t (id int);", "CREATE DATABASE sqlm_never;", "CREATE TABLE u (id int);"))
    pretend_begun(2)
    assert applysql() == Ran(
        "Running SQL files:\n"
        "  Resuming 001.sql... IN DOUBT (<time>, 0 statements)\n"
        "    001.sql:3: Statement 2 was begun and nobody saw its end; the catalog can't tell either.\n"
        "    3 | CREATE DATABASE sqlm_never;\n"
        "    What to do: Look whether it happened. If so: applysql 001.sql --resume-at 3, else with 2, "
        'each time with --reason "...".\n'
        "  1 in doubt.\n" + HEAD,
        "",
        5,
    )
    assert states() == {"001.sql": "in_doubt"}
    assert "  In doubt 001.sql: Statement 2 was begun and nobody saw its end; the catalog can't tell either.\n" in (
        applysql().out
    )
    assert value("SELECT count(*) FROM pg_database WHERE datname = 'sqlm_never'") == 0


@pytest.mark.parametrize(
    ("statement", "before", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (id);", "CREATE INDEX i ON t (id)", "OK"),
        ("CREATE INDEX CONCURRENTLY i ON t (id);", "", "OK"),
        ('CREATE INDEX CONCURRENTLY "I x" ON t (id);', 'CREATE INDEX "I x" ON t (id)', "OK"),
        ("DROP INDEX CONCURRENTLY i;", "", "OK"),
        ("DROP INDEX CONCURRENTLY i;", "CREATE INDEX i ON t (id)", "OK"),
        ("VACUUM t;", "", "OK"),
        ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", "", "OK"),
        ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", "ALTER TABLE p DETACH PARTITION p1", "OK"),
        ("DISCARD ALL;", "", "OK"),
        ("CALL nothing();", "", "IN DOUBT"),
    ],
)
def test_the_catalog_tells_whether_a_statement_happened(
    ready_database: str, folder: Path, statement: str, before: str, expected: str
) -> None:
    run_sql(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1'; "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2)"
    )
    put(folder, file("CREATE TABLE t (id int);", "SELECT 1/0;", "CREATE TABLE u (id int);"))
    assert applysql().code == 5
    put(folder, file("CREATE TABLE t (id int);", statement, "CREATE TABLE u (id int);"))
    pretend_begun(2)
    run_sql(before)
    ran = applysql()
    assert ran.out.splitlines()[1].startswith(f"  Resuming 001.sql... {expected} (")
