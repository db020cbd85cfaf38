"""Checks of counters, which a database has to be worn for; asked are they before they have run for long enough."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlmigrations.health.cumulative.access import CacheHit, HotUpdates, SequentialScans
from sqlmigrations.health.cumulative.bloat import IndexBloat, TableBloat
from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.cumulative.jsonb import MissingGinIndex
from sqlmigrations.health.cumulative.matviews import MaterializedViewStale
from sqlmigrations.health.cumulative.server import Checkpoints, StandbyConflicts, TemporaryFiles
from sqlmigrations.health.cumulative.statements import SlowQueries, StatementStatistics
from sqlmigrations.health.cumulative.upkeep import AnalyzeAge, DeadTuples, VacuumAge
from tests.health.asking import Patient
from tests.health.matrix.case import By, Case, Newer
from tests.health.matrix.moments import on_standby
from tests.health.matrix.world import State, World

#: Statements by session: what has to be counted before the next statement is in one of its own.
Sessions = tuple[tuple[str, ...], ...]

FIT: Sessions = (
    (
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (fillfactor = 50)",
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 3000) AS n",
        "SET enable_seqscan = off",
        "UPDATE t SET pad = repeat('y', 100) WHERE id <= 10",
    ),
    ("VACUUM ANALYZE t",),
)

WORN: Sessions = (
    (
        "CREATE TABLE loose (id int CONSTRAINT loose_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off)",
        "INSERT INTO loose SELECT n, repeat('x', 100) FROM generate_series(1, 30000) AS n",
        "DELETE FROM loose WHERE id % 10 <> 0",
        "CREATE TABLE dead (id int) WITH (autovacuum_enabled = off)",
        "INSERT INTO dead SELECT n FROM generate_series(1, 3000) AS n",
        "DELETE FROM dead WHERE id <= 1500",
        "CREATE TABLE busy (x int)",
        "CREATE INDEX idle ON busy (x)",
        "INSERT INTO busy SELECT n FROM generate_series(1, 10) AS n",
        "UPDATE busy SET x = x + 1",
        "SET work_mem = '64kB'",
        "SELECT count(*) FROM (SELECT n FROM generate_series(1, 99999) AS n ORDER BY 1) AS sorted",
    ),
    ("VACUUM ANALYZE loose",),
)


def lived_in(name: str, sessions: Sessions) -> State:
    """Return a state of a database that ``app`` has used."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        use(world, name, sessions)
        with world.patient(name) as patient:
            yield patient

    return made


def use(world: World, name: str, sessions: Sessions) -> None:
    """Make a database once, and let sessions of ``app`` execute statements in it, one after the other."""
    if not world.make(name):
        return
    for statements in sessions:
        with world.session(name, role="app") as user:
            pid = user.info.backend_pid
            for statement in statements:
                user.execute(statement.encode())
        # A session hands in its counters before it is gone.
        world.wait(f"SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")


fit = lived_in("fit", FIT)
worn = lived_in("worn", WORN)


@contextlib.contextmanager
def cold(world: World) -> Iterator[Patient]:
    """Read a table of which nothing is in memory."""
    use(world, "worn", WORN)
    with world.session("postgres") as session:
        session.execute("CREATE DATABASE cold TEMPLATE worn STRATEGY file_copy")
    try:
        with world.session("cold") as reader:
            reader.execute("SELECT count(pad) FROM loose")
        world.wait("SELECT FROM pg_stat_user_tables WHERE relname = 'loose' AND seq_scan > 0", "cold")
        with world.patient("cold") as patient:
            yield patient
    finally:
        with world.session("postgres") as session:
            session.execute("DROP DATABASE cold WITH (FORCE)")


def checkpointed(count: int) -> State:
    """Return a state in which so many checkpoints came early."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        kind, requested = ("checkpointer", "num_requested") if world.major >= 17 else ("bgwriter", "checkpoints_req")
        with world.patient() as patient:
            patient.run(f"SELECT pg_stat_reset_shared('{kind}')")
            for _ in range(count):
                patient.run("CHECKPOINT")
            world.wait(f"SELECT FROM pg_stat_{kind} WHERE {requested} = {count}")
            yield patient

    return made


@contextlib.contextmanager
def cancelled(world: World) -> Iterator[Patient]:
    """Let the standby cancel a query, since a row that it may still want to see is removed on the primary."""
    with world.database("read"), world.session("read") as writer:
        writer.execute("CREATE TABLE t (id int)")
        writer.execute("INSERT INTO t VALUES (1)")
        world.wait("SELECT FROM pg_database WHERE datname = 'read'", on=world.standby)
        world.wait("SELECT WHERE to_regclass('t') IS NOT NULL", "read", on=world.standby)
        with contextlib.closing(world.session("read", on=world.standby)) as reader:
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT FROM t")
            writer.execute("DELETE FROM t")
            writer.execute("VACUUM t")
            cancelled = "SELECT FROM pg_stat_database_conflicts WHERE datname = 'read' AND confl_snapshot > 0"
            world.wait(cancelled, on=world.standby)
        with world.patient("read", on=world.standby) as patient:
            yield patient


def said(*statements: str, tables: str = "") -> State:
    """Return a state in which ``app`` has said nothing but these statements."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        world.make("said", "CREATE EXTENSION pg_stat_statements")
        with world.patient("said") as patient, world.session("said", role="app") as speaker:
            if tables:
                speaker.execute(tables.encode())
            patient.run("SELECT pg_stat_statements_reset()")
            for statement in statements:
                speaker.execute(statement.encode())
            try:
                yield patient
            finally:
                patient.run("DROP TABLE IF EXISTS item")

    return made


def viewed(sales: int) -> State:
    """Return a state in which so many sales came in since a materialized view was refreshed."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with world.database("viewed"), world.session("viewed", role="app") as seller:
            seller.execute("CREATE TABLE sale (id int)")
            seller.execute("CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM sale")
            with world.session("viewed") as almighty:
                almighty.execute("SELECT pg_stat_reset()")
            for _ in range(sales):
                seller.execute("INSERT INTO sale VALUES (1)")
            world.wait(f"SELECT FROM pg_stat_user_tables WHERE relname = 'sale' AND n_tup_ins = {sales}", "viewed")
            with world.patient("viewed") as patient:
                yield patient

    return made


CASES = (
    Case(
        check=SlowQueries(warning_seconds=0.005),
        no="""
            skipped, cumulative: pg_stat_statements is not installed in this database
              CREATE EXTENSION pg_stat_statements; with shared_preload_libraries = 'pg_stat_statements'
        """,
        well=said("SELECT 1"),
        hidden="""
            skipped, cumulative: 1 of 1 statement is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("bare",),
        ok="ok, cumulative: 1 statements",
        ill=said(*["SELECT pg_sleep(0.01)"] * 10),
        bad="""
            warning, cumulative: 1 statements
            warning query <query>: <time> on average, 10 calls, 100.0 % of all time; should be: 5 ms on average
              sql: EXPLAIN (ANALYZE, BUFFERS) ...;
        """,
        mends=(),
    ),
    Case(
        check=StatementStatistics(),
        nothing="RESET ROLE; CREATE EXTENSION pg_stat_statements VERSION '1.4'",
        no="""
            skipped, cumulative: pg_stat_statements 1.4 doesn't tell what it forgets
              ALTER EXTENSION pg_stat_statements UPDATE;
        """,
        well=said("SELECT 1"),
        ok="ok, cumulative: 1 extensions",
        ill=said(*[f"SELECT {', '.join('a' * number)} FROM (SELECT 1 AS a) AS t" for number in range(1, 102)]),
        bad="""
            warning, cumulative: 1 extensions
            warning pg_stat_statements: had no room 24 times a day, and forgot statements each time; should be:
                24 times a day
              sql: ALTER SYSTEM SET pg_stat_statements.max = 20000;
        """,
        mends=(),
    ),
    Case(
        check=MissingGinIndex(min_bytes=0, min_calls=1),
        no="skipped, cumulative: there are no JSONB columns to examine",
        well=said(
            "SELECT FROM item WHERE data @> '{}'",
            tables="CREATE TABLE item (data jsonb); CREATE INDEX ON item USING gin (data)",
        ),
        hidden="""
            skipped, cumulative: 1 of 1 statement is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("bare",),
        ok="ok, cumulative: 1 JSONB columns",
        ill=said("SELECT FROM item WHERE data @> '{}'", tables="CREATE TABLE item (data jsonb)"),
        bad="""
            warning, cumulative: 1 JSONB columns
            warning public.item.data: searched with @> in 1 call, 8.0 kB, without a GIN index; should be: a GIN
                index
              sql: CREATE INDEX CONCURRENTLY ON "public"."item" USING gin ("data" "jsonb_path_ops");
        """,
        mends=(),
    ),
    Case(
        check=UnusedIndex(min_window_seconds=0, min_bytes=0, unread_standbys=1),
        no="""
            skipped, cumulative: the server has counted for <time> only; 7 days are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 indexes",
        ill=worn,
        bad="""
            warning, cumulative: 2 indexes
            warning public.idle: never scanned in <time>, 16 kB, 20 writes to its table; should be: a scan in
                <time>
              sql: DROP INDEX CONCURRENTLY "public"."idle";
        """,
        mends=(),
    ),
    Case(
        check=TableBloat(warning_bytes=100_000),
        no="skipped, cumulative: there are no tables to examine",
        well=fit,
        ok=By(
            app="ok, cumulative: 1 tables",
            monitor="""
            skipped, cumulative: of 1 large table the statistics are hidden
              GRANT "pg_read_all_data" TO "<role>";
        """,
            bare="""
            skipped, cumulative: of 1 large table the statistics are hidden
              GRANT "pg_read_all_data" TO "<role>";
        """,
        ),
        ill=worn,
        bad=By(
            app="""
            critical, cumulative: 2 tables; left out: 1 without fresh statistics
            critical public.loose: about 3.6 MB of 4.0 MB unused (90.0 %, an estimate); should be: 30 % and 98
                kB
              sql: SELECT * FROM pgstattuple_approx('"public"."loose"');
              shell: pg_repack --table=public.loose
        """,
            monitor="""
            skipped, cumulative: of 2 large tables the statistics are hidden
              GRANT "pg_read_all_data" TO "<role>";
        """,
            bare="""
            skipped, cumulative: of 2 large tables the statistics are hidden
              GRANT "pg_read_all_data" TO "<role>";
        """,
        ),
        mends=(),
    ),
    Case(
        check=IndexBloat(warning_bytes=60_000),
        no="skipped, cumulative: there are no B-tree indexes to examine",
        well=fit,
        hidden="""
            skipped, cumulative: of 1 large index the statistics are hidden
              GRANT "pg_read_all_data" TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, cumulative: 1 B-tree indexes",
        ill=worn,
        bad="""
            critical, cumulative: 2 B-tree indexes
            critical public.loose_key: about 592 kB of 672 kB unused (88.1 %, an estimate); should be: 50 % and
                59 kB
              sql: REINDEX INDEX CONCURRENTLY "public"."loose_key";
        """,
        mends=(),
    ),
    Case(
        check=DeadTuples(min_window_seconds=0, min_rows=1000),
        no="""
            skipped, cumulative: the server has counted for <time> only; 60 min are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 tables",
        ill=worn,
        bad="""
            critical, cumulative: 3 tables
            critical public.dead: 1,500 dead rows (50.0 %); autovacuum comes at 50; should be: 20 %
              sql: VACUUM (ANALYZE, VERBOSE) "public"."dead";
              sql: ALTER TABLE "public"."dead" SET (autovacuum_vacuum_scale_factor = 0.02);
        """,
        mends=(),
    ),
    Case(
        check=VacuumAge(min_window_seconds=0, warning_seconds=0),
        no="""
            skipped, cumulative: the server has counted for <time> only; 24.0 h are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 tables",
        ill=worn,
        bad="""
            warning, cumulative: 3 tables
            warning public.dead: not vacuumed in the <time> counted, 1,500 dead rows and 3,000 new rows since;
                should be: <time>
              sql: VACUUM (ANALYZE, VERBOSE) "public"."dead";
        """,
        mends=(),
    ),
    Case(
        check=AnalyzeAge(min_window_seconds=0, warning_seconds=0),
        no="""
            skipped, cumulative: the server has counted for <time> only; 24.0 h are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 tables",
        ill=worn,
        bad="""
            warning, cumulative: 3 tables
            warning public.dead: not analysed in the <time> counted, 4,500 changes since; should be: <time>
              sql: ANALYZE "public"."dead";
        """,
        mends=(),
    ),
    Case(
        check=MaterializedViewStale(min_age_seconds=0),
        no="skipped, cumulative: there are no materialized views to examine",
        well=viewed(0),
        ok="ok, cumulative: 1 materialized views",
        ill=viewed(2),
        bad="""
            warning, cumulative: 1 materialized views
            warning public.report: not refreshed for at least <time>; 2 changes since in the tables it reads (100.0
                % of their rows); should be: below 20 % changed
              sql: REFRESH MATERIALIZED VIEW CONCURRENTLY "public"."report";
        """,
        mends=(),
    ),
    Case(
        check=CacheHit(min_window_seconds=0, min_pages=1),
        no="""
            skipped, cumulative: the server has counted for <time> only; 24.0 h are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 2 kinds of pages",
        ill=cold,
        bad="""
            ok, cumulative: 2 kinds of pages
            info indexes: 0.0 % found in memory; should be: 95 %
              sql: SHOW shared_buffers;
            info tables: 0.0 % found in memory; should be: 95 %
              sql: SHOW shared_buffers;
        """,
        mends=(),
    ),
    Case(
        check=SequentialScans(min_window_seconds=0, min_rows=1000, min_scans=1),
        no="""
            skipped, cumulative: the server has counted for <time> only; 7 days are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 tables",
        ill=worn,
        bad="""
            ok, cumulative: 3 tables
            info public.dead: read whole 1 times a day, 3,000 rows each; by an index 0 times; should be: 1 times
                a day
              shell: manage.py dbhealth --only slow_queries
            info public.loose: read whole 2 times a day, 15,000 rows each; by an index 0 times; should be: 1
                times a day
              shell: manage.py dbhealth --only slow_queries
        """,
        mends=(),
    ),
    Case(
        check=HotUpdates(min_window_seconds=0, min_updates=10),
        no="""
            skipped, cumulative: the server has counted for <time> only; 7 days are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 tables",
        ill=worn,
        bad=Newer(
            17,
            """
            ok, cumulative: 3 tables
            info public.busy: 0.0 % of 10 updates were HOT; 0.0 % went to another page; should be: 50 %
              sql: ALTER TABLE "public"."busy" SET (fillfactor = 85);
        """,
            """
            ok, cumulative: 3 tables
            info public.busy: 0.0 % of 10 updates were HOT; should be: 50 %
              sql: ALTER TABLE "public"."busy" SET (fillfactor = 85);
        """,
        ),
        mends=(),
    ),
    Case(
        check=TemporaryFiles(min_window_seconds=0, warning_bytes=1),
        no="""
            skipped, cumulative: the server has counted for <time> only; 60 min are needed
              A crash, a reset, a restore or an upgrade starts the counters anew. Wait.
        """,
        well=fit,
        ok="ok, cumulative: 1 databases",
        ill=worn,
        bad="""
            warning, cumulative: 1 databases
            warning worn: <size> an hour, 2 files in <time>; work_mem is 4.0 MB; should be: 1 bytes an hour
              sql: ALTER SYSTEM SET log_temp_files = '10MB';
        """,
        mends=(),
    ),
    Case(
        check=Checkpoints(min_window_seconds=0, min_checkpoints=1),
        no="""
            skipped, cumulative: checkpoints were counted only for <time>; 24.0 h are needed
              Wait.
        """,
        well=checkpointed(0),
        ok="ok, cumulative: 1 servers",
        ill=checkpointed(2),
        bad="""
            critical, cumulative: 1 servers
            critical max_wal_size: 100.0 % of the checkpoints came early, 2 a day; should be: 50 %
              sql: ALTER SYSTEM SET max_wal_size = '2048MB';
        """,
        mends=(),
    ),
    Case(
        check=StandbyConflicts(min_window_seconds=0, warning_queries=1),
        no="skipped, cumulative: there are no kinds of conflicts to examine",
        well=on_standby,
        ok=Newer(17, "ok, cumulative: 6 kinds of conflicts", "ok, cumulative: 5 kinds of conflicts"),
        ill=cancelled,
        bad=Newer(
            17,
            """
            warning, cumulative: 6 kinds of conflicts
            warning snapshot: 1 query cancelled a day; should be: 1 a day
              sql: ALTER SYSTEM SET hot_standby_feedback = on;
              sql: ALTER SYSTEM SET max_standby_streaming_delay = '2min';
        """,
            """
            warning, cumulative: 5 kinds of conflicts
            warning snapshot: 1 query cancelled a day; should be: 1 a day
              sql: ALTER SYSTEM SET hot_standby_feedback = on;
              sql: ALTER SYSTEM SET max_standby_streaming_delay = '2min';
        """,
        ),
        mends=(),
    ),
)
