"""The checks of this moment: their sessions, standbys and slots are real ones, on a server of the matrix's own."""

from __future__ import annotations

from datetime import date

from sqlmigrations.health.snapshot.ages import AntiWraparoundVacuum, MultixactWraparound, TransactionIdWraparound
from sqlmigrations.health.snapshot.configuration import (
    EndOfLife,
    HostAuthentication,
    ServerSettings,
    SessionTimeouts,
    StatisticsLost,
)
from sqlmigrations.health.snapshot.damage import ChecksumFailures, Corruption
from sqlmigrations.health.snapshot.horizon import HorizonHolder
from sqlmigrations.health.snapshot.locks import Blocked
from sqlmigrations.health.snapshot.replication import Archiver, ReplicaLag, Slots, SubscriptionErrors
from sqlmigrations.health.snapshot.sessions import Connections, IdleInTransaction, LongRunning
from tests.health.matrix.case import By, Case, Newer
from tests.health.matrix.moments import (
    CHECKED,
    aged,
    archiving,
    beginning_with,
    behind,
    beside,
    beside_busy,
    caught_up,
    ended,
    on_standby,
    paused,
    scratched,
    subscribed,
    waiting,
    with_rule,
    with_slot,
    without_standby,
)

ANALYZED = (
    "CREATE TABLE t (a int, b int); INSERT INTO t SELECT n, n FROM generate_series(1, 2000) AS n; "
    "CREATE STATISTICS a_b ON a, b FROM t; ANALYZE t"
)

CASES = (
    Case(
        check=Connections(),
        no="ok, snapshot: 1 limits",
        well="ALTER DATABASE shop CONNECTION LIMIT 90",
        ok="ok, snapshot: 2 limits",
        ill="ALTER DATABASE shop CONNECTION LIMIT 1",
        bad="""
            critical, snapshot: 2 limits
            critical shop: 1 of 1 usable connection (100.0 %); should be: 80 %
              sql: SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3;
        """,
        mends=(),
    ),
    Case(
        check=IdleInTransaction(warning_seconds=0),
        no="skipped, snapshot: there are no sessions to examine",
        well=beside(""),
        hidden="""
            skipped, snapshot: the work of 1 of 1 session is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("bare",),
        ok="ok, snapshot: 1 sessions",
        ill=beside("BEGIN; SELECT 1"),
        bad="""
            warning, snapshot: 1 sessions
            warning pid <pid> (app, web): transaction open for <time>, idle for <time>; should be: <time>
              sql: SELECT pg_catalog.pg_terminate_backend(<pid>);
        """,
        mends=(),
    ),
    Case(
        check=LongRunning(warning_seconds=0),
        no="skipped, snapshot: there are no sessions to examine",
        well=beside(""),
        hidden="""
            skipped, snapshot: the work of 1 of 1 session is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("bare",),
        ok="ok, snapshot: 1 sessions",
        ill=beside_busy("SELECT pg_sleep(60)"),
        bad="""
            warning, snapshot: 1 sessions
            warning pid <pid> (app, busy): has run for <time>; should be: <time>
              sql: SELECT pg_catalog.pg_cancel_backend(<pid>);
        """,
        mends=(),
    ),
    Case(
        check=Blocked(critical_seconds=0),
        no="skipped, snapshot: there are no sessions to examine",
        well=beside(""),
        ok="ok, snapshot: 1 sessions",
        ill=waiting,
        bad="""
            critical, snapshot: 2 sessions
            critical pid <pid> (app, web): 1 session waits for it, the longest for <time>; should be: <time>
              sql: SELECT pg_catalog.pg_terminate_backend(<pid>);
        """,
        mends=(),
    ),
    Case(
        check=HorizonHolder(warning_seconds=0),
        no=By(
            app="""
            skipped, snapshot: the work of 1 of 1 possible holder is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
            monitor="ok, snapshot: 1 transactions, slots and standbys",
            bare="""
            skipped, snapshot: the work of 1 of 1 possible holder is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        ),
        well=beside(""),
        hidden="""
            skipped, snapshot: the work of 2 of 2 possible holders is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("bare",),
        ok=By(
            app="""
            skipped, snapshot: the work of 1 of 2 possible holders is hidden from <role>
              GRANT "pg_monitor" TO "<role>";
        """,
            monitor="ok, snapshot: 2 transactions, slots and standbys",
        ),
        ill=beside("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"),
        bad=By(
            app="""
            warning, snapshot: 1 transactions, slots and standbys; left out: 1 possible holder of other roles
            warning pid <pid>: holds up vacuum <n> transactions back, for <time> (app, web, idle in transaction);
                should be: 10 million transactions, <time>
              sql: SELECT pg_catalog.pg_terminate_backend(<pid>);
        """,
            monitor="""
            warning, snapshot: 2 transactions, slots and standbys
            warning pid <pid>: holds up vacuum <n> transactions back, for <time> (app, web, idle in transaction);
                should be: 10 million transactions, <time>
              sql: SELECT pg_catalog.pg_terminate_backend(<pid>);
        """,
        ),
        mends=(),
    ),
    Case(
        check=TransactionIdWraparound(),
        no="ok, snapshot: <n> databases and tables",
        well="CREATE TABLE t (id int)",
        ok="ok, snapshot: <n> databases and tables",
        ill=aged("relfrozenxid"),
        bad="""
            warning, snapshot: <n> databases and tables
            warning public.t: 600 million transactions old, 27.9 % of the way to a standstill; should be: 500
                million
              sql: VACUUM (FREEZE, VERBOSE) "public"."t";
        """,
        mends=(),
    ),
    Case(
        check=MultixactWraparound(),
        no="ok, snapshot: <n> databases and tables",
        well="CREATE TABLE t (id int)",
        ok="ok, snapshot: <n> databases and tables",
        ill=aged("relminmxid"),
        bad="""
            warning, snapshot: <n> databases and tables
            warning public.t: 600 million multixacts old, 27.9 % of the way to a standstill; should be: 500
                million
              sql: VACUUM (FREEZE, VERBOSE) "public"."t";
        """,
        mends=(),
    ),
    Case(
        check=AntiWraparoundVacuum(),
        no="ok, snapshot: <n> tables",
        well="CREATE TABLE t (id int)",
        ok="ok, snapshot: <n> tables",
        ill=f"{aged('relfrozenxid')}; UPDATE pg_class SET relpages = 200000 WHERE relname = 't'",
        bad="""
            critical, snapshot: <n> tables
            critical public.t: 300.0 % of autovacuum_freeze_max_age, 1.5 GB to read; should be: 90 %
              sql: VACUUM (FREEZE, VERBOSE) "public"."t";
        """,
        mends=(),
    ),
    Case(
        check=ReplicaLag(critical_bytes=10_000),
        nothing=without_standby,
        no="skipped, snapshot: there are no standbys to examine",
        well=caught_up,
        hidden="""
            skipped, snapshot: where 1 standby got to is hidden
              GRANT "pg_monitor" TO "<role>";
        """,
        hidden_from=("app", "bare"),
        ok="ok, snapshot: 1 standbys",
        ill=behind,
        bad="""
            critical, snapshot: 1 standbys
            critical walreceiver: <size> behind<, time> (streaming); should be: <time> and 16 MB, or 9.8 kB
        """,
        mends=(),
    ),
    Case(
        check=ReplicaLag(),
        name="on the standby",
        well=on_standby,
        ok="ok, snapshot: 1 standbys",
        ill=paused,
        bad="""
            warning, snapshot: 1 standbys
            warning this standby: <size> behind, <time> (paused); should be: <time> and 16 MB, or 1.0 GB
        """,
        mends=(),
    ),
    Case(
        check=Slots(warning_bytes=1),
        no="skipped, snapshot: there are no replication slots to examine",
        well=with_slot(keeps=False),
        ok="ok, snapshot: 1 replication slots",
        ill=with_slot(keeps=True),
        bad=Newer(
            17,
            """
            warning, snapshot: 1 replication slots
            warning replica_1: keeps <size> of WAL, nobody reads it for <time>; should be: 1 bytes
              sql: SELECT pg_catalog.pg_drop_replication_slot('replica_1');
        """,
            """
            warning, snapshot: 1 replication slots
            warning replica_1: keeps <size> of WAL, nobody reads it; should be: 1 bytes
              sql: SELECT pg_catalog.pg_drop_replication_slot('replica_1');
        """,
        ),
        mends=(),
    ),
    Case(
        check=SubscriptionErrors(),
        no="skipped, snapshot: there are no subscriptions to examine",
        well=subscribed,
        ok="ok, snapshot: 1 subscriptions",
        ill="RESET ROLE; "
        "CREATE SUBSCRIPTION from_main CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)",
        bad="""
            critical, snapshot: 1 subscriptions
            critical from_main: disabled; should be: enabled, at work, no error
              sql: ALTER SUBSCRIPTION "from_main" ENABLE;
        """,
        mends=(),
    ),
    Case(
        check=Archiver(),
        nothing=on_standby,
        no="skipped, snapshot: there are no archivers to examine",
        well=archiving("true", "archived_count > 0"),
        ok="ok, snapshot: 1 archivers",
        ill=archiving("false", "failed_count > 0"),
        bad="""
            critical, snapshot: 1 archivers
            critical archive_command: fails on <wal>, never worked; should be: the last attempt succeeded
              sql: SHOW archive_command;
              sql: SELECT * FROM pg_stat_archiver;
        """,
        mends=(),
    ),
    Case(
        check=ChecksumFailures(),
        no="ok, snapshot: <n> databases whose pages have checksums",
        well="",
        ok="ok, snapshot: <n> databases whose pages have checksums",
        ill=scratched,
        bad="""
            critical, snapshot: <n> databases whose pages have checksums
            critical scratched: 1 page with a wrong checksum, the last <time> ago; should be: none
              shell: manage.py dbhealth --only corruption
        """,
        mends=(),
    ),
    Case(
        check=Corruption(),
        no="""
            skipped, snapshot: the extension amcheck is not installed
              CREATE EXTENSION amcheck;
        """,
        well=CHECKED,
        hidden="""
            skipped, snapshot: this role may not call public.bt_index_check(regclass,boolean) and
                public.verify_heapam(regclass,boolean,boolean,text,bigint,bigint)
              GRANT EXECUTE ON FUNCTION public.bt_index_check(regclass,boolean) TO "<role>"; GRANT EXECUTE ON
                  FUNCTION public.verify_heapam(regclass,boolean,boolean,text,bigint,bigint) TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, snapshot: 2 B-tree indexes and tables",
        ill=f"{CHECKED} CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE "
        "AS 'BEGIN RETURN $1 + 1; END'",
        bad="""
            critical, snapshot: 2 B-tree indexes and tables
            critical public.t_f: heap tuple (0,1) from table "t" lacks matching index tuple within index "t_f"; should
                be: no damage
              sql: REINDEX INDEX CONCURRENTLY "public"."t_f";
        """,
    ),
    Case(
        check=HostAuthentication(),
        no="""
            skipped, snapshot: pg_hba.conf may not be read
              GRANT SELECT ON pg_catalog.pg_hba_file_rules TO "<role>"; GRANT EXECUTE ON FUNCTION
                  pg_catalog.pg_hba_file_rules() TO "<role>";
        """,
        well=with_rule("host all all 10.0.0.0/8 scram-sha-256"),
        hidden="""
            skipped, snapshot: pg_hba.conf may not be read
              GRANT SELECT ON pg_catalog.pg_hba_file_rules TO "<role>"; GRANT EXECUTE ON FUNCTION
                  pg_catalog.pg_hba_file_rules() TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, snapshot: 1 rules of pg_hba.conf",
        ill=with_rule("host all app 10.0.0.0/8 trust"),
        bad="""
            warning, snapshot: 1 rules of pg_hba.conf
            warning pg_hba.conf line 1: host all app 10.0.0.0: trust, which asks for no password; should be:
                scram-sha-256 or cert
              shell: pg_hba.conf
        """,
        mends=(),
    ),
    Case(
        check=ServerSettings(),
        nothing=beginning_with(),
        no="ok, snapshot: 11 settings",
        well=beginning_with(),
        ok="ok, snapshot: 11 settings",
        ill=beginning_with(synchronous_commit="off", log_min_duration_statement="-1", log_lock_waits="off"),
        bad="""
            warning, snapshot: 11 settings
            warning log_min_duration_statement: -1: no slow query is logged, and auto_explain isn't loaded;
                should be: a time
              sql: ALTER SYSTEM SET "log_min_duration_statement" = '1s';
            warning synchronous_commit: off: a crash forgets what was committed a moment before; should be: on
              sql: ALTER SYSTEM SET "synchronous_commit" = 'on';
            info log_lock_waits: off: the log doesn't tell who waited for whom; should be: on
              sql: ALTER SYSTEM SET "log_lock_waits" = 'on';
        """,
        mends=(),
    ),
    Case(
        check=SessionTimeouts(),
        no=Newer(
            17,
            """
            warning, snapshot: 4 timeouts
            warning idle_in_transaction_session_timeout: not set for <role>: a forgotten transaction holds its
                locks; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "idle_in_transaction_session_timeout" = '60s';
            warning statement_timeout: not set for <role>: a statement may run for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "statement_timeout" = '30s';
            info lock_timeout: not set for <role>: a statement may wait for a lock for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "lock_timeout" = '10s';
            info transaction_timeout: not set for <role>: a transaction may last for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "transaction_timeout" = '5min';
        """,
            """
            warning, snapshot: 3 timeouts
            warning idle_in_transaction_session_timeout: not set for <role>: a forgotten transaction holds its
                locks; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "idle_in_transaction_session_timeout" = '60s';
            warning statement_timeout: not set for <role>: a statement may run for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "statement_timeout" = '30s';
            info lock_timeout: not set for <role>: a statement may wait for a lock for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "lock_timeout" = '10s';
        """,
        ),
        well=beginning_with(
            statement_timeout="30s",
            idle_in_transaction_session_timeout="60s",
            lock_timeout="10s",
            transaction_timeout="5min",
        ),
        ok=Newer(17, "ok, snapshot: 4 timeouts", "ok, snapshot: 3 timeouts"),
        ill=beginning_with(lock_timeout="10s"),
        bad=Newer(
            17,
            """
            warning, snapshot: 4 timeouts
            warning idle_in_transaction_session_timeout: not set for <role>: a forgotten transaction holds its
                locks; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "idle_in_transaction_session_timeout" = '60s';
            warning statement_timeout: not set for <role>: a statement may run for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "statement_timeout" = '30s';
            info transaction_timeout: not set for <role>: a transaction may last for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "transaction_timeout" = '5min';
        """,
            """
            warning, snapshot: 3 timeouts
            warning idle_in_transaction_session_timeout: not set for <role>: a forgotten transaction holds its
                locks; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "idle_in_transaction_session_timeout" = '60s';
            warning statement_timeout: not set for <role>: a statement may run for ever; should be: a time
              sql: ALTER ROLE "<role>" IN DATABASE "shop" SET "statement_timeout" = '30s';
        """,
        ),
        mends=(),
    ),
    Case(
        check=EndOfLife(),
        nothing=ended(date(2999, 1, 1)),
        no="ok, snapshot: 1 servers",
        well=ended(date(2999, 1, 1)),
        ok="ok, snapshot: 1 servers",
        ill=ended(date(2020, 1, 2)),
        bad="""
            critical, snapshot: 1 servers
            critical PostgreSQL <major>: <version>: its last release was on 2020-01-02; should be: a version
                that is supported for 180 more days
              shell: pg_upgrade
        """,
        mends=(),
    ),
    Case(
        check=StatisticsLost(),
        no="skipped, snapshot: there are no tables and extended statistics to examine",
        well=ANALYZED,
        hidden="""
            skipped, snapshot: the statistics of tables, or extended ones, are hidden: 2 of 2
              GRANT "pg_read_all_data" TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, snapshot: 2 tables and extended statistics",
        ill=f"{ANALYZED}; RESET ROLE; DELETE FROM pg_statistic WHERE starelid = 't'::regclass; "
        "DELETE FROM pg_statistic_ext_data",
        bad="""
            warning, snapshot: 2 tables and extended statistics
            warning public.a_b: none, of 2,000 rows; should be: analysed
              sql: ANALYZE "public"."t";
            warning public.t: none, of 2,000 rows; should be: analysed
              sql: ANALYZE "public"."t";
        """,
    ),
)
