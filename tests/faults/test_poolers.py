"""What stands between a run and the server: PgBouncer in each of its modes, and several of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql
from pytest_django import DjangoDbBlocker

from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import RunLockHeld
from sqlmigrations.runner import lock, pooler
from sqlmigrations.runner.lock import RunLock
from sqlmigrations.runner.pooler import PoolMode, find_mode
from sqlmigrations.runner.session import Session
from tests.faults.crowd import FILES, at_work, check_outcome, crowd, ends_of, put_files
from tests.faults.databases import ask, connect
from tests.faults.pgbouncer import pgbouncer
from tests.faults.processes import Place, run
from tests.helpers import put, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _may_connect(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


# Which mode it is


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_the_mode_is_found(place: Place, mode: str) -> None:
    with pgbouncer(place, mode) as pooled, connect(pooled) as one, connect(pooled) as other:
        assert find_mode(one, other) is PoolMode(mode)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_the_mode_is_found_where_the_other_is_never_lent_the_same_backend(
    place: Place, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two poolers have backends of their own each: what tells is that a third client has used the first one's."""
    backends = 1 if mode == "transaction" else 2
    with (
        pgbouncer(place, mode, pool_size=backends) as first,
        pgbouncer(place, mode) as second,
        connect(first) as one,
        connect(first) as third,
        connect(second) as other,
    ):
        use = pooler._use

        def use_in_turns(connection: Connection) -> pooler._Use:
            used = use(connection)
            third.execute("SELECT 1")
            return used

        monkeypatch.setattr(pooler, "_use", use_in_turns)
        assert find_mode(one, other) is PoolMode(mode)


def test_a_backend_that_was_another_ones_meanwhile_is_noticed(place: Place) -> None:
    """Where the pooler was idle at the beginning, it seemed to keep one backend for the session."""
    with pgbouncer(place) as pooled, through(pooled) as wrapper, connect(pooled) as other:
        session = Session(wrapper, pool_mode=PoolMode.SESSION)
        assert session.keeps_backend()
        with other.transaction():
            other.execute("SELECT 1")
            assert not session.keeps_backend()


@contextlib.contextmanager
def through(place: Place) -> Iterator[BaseDatabaseWrapper]:
    """Open a connection of Django's to ``place``."""
    wrapper = DatabaseWrapper({**connections["default"].settings_dict, **place.django})
    wrapper.ensure_connection()
    try:
        yield wrapper
    finally:
        wrapper.close()


# The run lock


@pytest.fixture(params=[PoolMode.TRANSACTION, PoolMode.SESSION])
def taken_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pooler be taken for one of either mode: what it does is seen only if others use it meanwhile."""
    monkeypatch.setattr(lock, "find_mode", lambda connection, other: request.param)


def hold(wrapper: BaseDatabaseWrapper) -> RunLock:
    """Return what takes the run lock through a pooler, and doesn't wait for another run."""
    return RunLock(wrapper, "public", has_pooler=True, wait=0, on_wait=lambda holder: None)


def test_one_run_at_a_time_whatever_the_mode_is_taken_for(place: Place, taken_for: None) -> None:
    """The backend of a session's lock would be lent to the other run, which had the lock then as well."""
    with pgbouncer(place) as pooled, through(pooled) as one, through(pooled) as other:
        with hold(one), pytest.raises(RunLockHeld), hold(other):
            pass
        with hold(other):
            pass


def test_the_lock_holds_no_snapshot(place: Place, taken_for: None) -> None:
    """Nobody's VACUUM or CREATE INDEX CONCURRENTLY has to wait for it."""
    set_for(place, "default_transaction_isolation", "serializable")
    holder = (
        "SELECT state, backend_xmin::text FROM pg_stat_activity WHERE pid IN "
        "(SELECT pid FROM pg_locks WHERE locktype = 'advisory') AND datname = current_database()"
    )
    with pgbouncer(place) as pooled, through(pooled) as wrapper, hold(wrapper):
        assert ask(place, holder) == [("idle in transaction", None)]


@pytest.mark.parametrize("setting", ["idle_in_transaction_session_timeout", "transaction_timeout"])
def test_no_timeout_ends_the_lock(place: Place, setting: str, taken_for: None) -> None:
    if not ask(place, "SELECT FROM pg_settings WHERE name = %s", setting):
        pytest.skip(f"PostgreSQL has {setting} from version 17 on")
    set_for(place, setting, "1s")
    with pgbouncer(place) as pooled, through(pooled) as one, through(pooled) as other, hold(one):
        time.sleep(1.5)
        with pytest.raises(RunLockHeld), hold(other):
            pass


def test_locks_of_others_stay(place: Place, taken_for: None) -> None:
    """A backend that was lent may have another client's lock, who hasn't noticed yet that it is behind a pooler."""
    advisory = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with pgbouncer(place, pool_size=3) as pooled, through(pooled) as wrapper:
        raw(wrapper).execute("SELECT pg_advisory_lock(7)")
        with hold(wrapper):
            pass
        assert ask(place, advisory) == [(1,)]


def set_for(place: Place, name: str, value: str) -> None:
    """Set something for the sessions of a database that begin from now on."""
    with connect(place) as session:
        session.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(place.dbname), sql.Identifier(name), sql.Literal(value)
            )
        )


# Whole runs


@pytest.mark.parametrize("backends", [60, 3])
def test_twelve_at_once_through_a_pooler(place: Place, folder: Path, backends: int) -> None:
    """Three backends are what one run takes: all others wait without keeping one."""
    put_files(folder, concurrent=False)
    with pgbouncer(place, pool_size=backends) as pooled:
        with crowd(pooled) as jobs:
            ends = ends_of(jobs)
        assert sum(f"{FILES} applied." in end.out for end in ends) == 1
        check_outcome(place)


def test_one_that_is_killed_behind_a_pooler_holds_nobody_up(place: Place, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE counted (id int); INSERT INTO counted VALUES (1); SELECT pg_sleep(2);"})
    with pgbouncer(place) as pooled:
        with crowd(pooled) as jobs:
            sleeping = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            wait_until(lambda: ask(place, sleeping))
            victim = at_work(jobs)
            assert victim is not None
            victim.kill()
            ends_of([job for job in jobs if job is not victim])
        assert ask(place, "SELECT id FROM counted") == [(1,)]


def test_a_file_outside_a_transaction_is_refused_behind_a_pooler(place: Place, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE t (id int);",
            "002.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON t (id);",
        },
    )
    with pgbouncer(place) as pooled:
        ran = run(pooled, "applysql")
        assert ran.code == 1, ran
        assert (
            "002.sql: A file with `transaction off` needs a backend of its own, "
            "and this alias goes through a pooler in transaction mode.\n"
            "    What to do: Add an alias to DATABASES that connects to the server directly, "
            "and name it with --database."
        ) in ran.out
        assert ask(place, "SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1") == [
            ("001.sql", "applied"),
            ("002.sql", "failed"),
        ]
    assert run(place, "applysql").code == 0


def test_a_pooler_that_keeps_a_backend_for_each_session_is_as_none(place: Place, folder: Path) -> None:
    put_files(folder, concurrent=True)
    with pgbouncer(place, "session") as pooled:
        ran = run(pooled, "applysql")
        assert (ran.err, ran.code) == ("", 0)
        check_outcome(place)


def test_behind_a_pooler_of_sessions_the_locks_that_a_file_takes_are_known(place: Place, folder: Path) -> None:
    """The pooler announces another backend's pid than that which works."""
    put(folder, {"001.sql": "CREATE TABLE t (id int);", "002.sql": "ALTER TABLE t ADD COLUMN a int;"})
    with pgbouncer(place, "session") as pooled:
        assert run(pooled, "applysql").code == 0
    locks = "SELECT details->'locks'->0->>'relation' FROM sqlmigrations_migrationevent WHERE filename = '002.sql'"
    assert ask(place, f"{locks} AND type = 'applied'") == [("public.t",)]


def test_a_pooler_that_knows_single_statements_only_is_refused(place: Place, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    with pgbouncer(place, "statement") as pooled:
        ran = run(pooled, "applysql")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.startswith("CommandError: The pooler in between refuses transactions: ")
    assert ran.err.endswith(
        "\n  Name an alias that connects to the server directly, or in pool_mode session or transaction.\n"
    )
    assert ask(place, "SELECT to_regclass('t')") == [(None,)]
