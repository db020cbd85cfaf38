"""States of a server at one moment: what its sessions, standbys, slots and archiver are at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from sqlmigrations.health.snapshot import configuration
from tests.health.asking import Patient
from tests.health.matrix.world import State, World


def beside(statements: str) -> State:
    """Return a state in which another session of ``app`` has executed statements."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with world.session(role="app", application_name="web") as other, world.patient() as patient:
            if statements:
                other.execute(statements.encode())
            yield patient

    return made


def beside_busy(statement: str) -> State:
    """Return a state in which another session of ``app`` works on a statement."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        at_work = "SELECT FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'"
        with world.busy("app", statement, at_work), world.patient() as patient:
            yield patient

    return made


@contextlib.contextmanager
def waiting(world: World) -> Iterator[Patient]:
    """Let one session of ``app`` wait for another."""
    with world.session(role="app", application_name="web") as holder, world.patient() as patient:
        holder.execute("SELECT pg_advisory_lock(7)")
        waits = "SELECT FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL"
        with world.busy("app", "SELECT pg_advisory_lock(7)", waits):
            yield patient


def aged(column: str) -> str:
    """Return statements that make a table's oldest transaction or multixact 600 million ids old."""
    next_id = {"relfrozenxid": "pg_current_xact_id()::text", "relminmxid": "next_multixact_id::text"}[column]
    source = {"relfrozenxid": "", "relminmxid": "FROM pg_control_checkpoint()"}[column]
    return (
        "CREATE TABLE t (id int); RESET ROLE; "
        f"UPDATE pg_class SET {column} = (SELECT mod({next_id}::int8 - 600000000 + 4294967296, 4294967296) "
        f"{source})::text::xid WHERE relname = 't'"
    )


@contextlib.contextmanager
def on_standby(world: World) -> Iterator[Patient]:
    """Ask the standby."""
    with world.patient(on=world.standby) as patient:
        yield patient


@contextlib.contextmanager
def without_standby(world: World) -> Iterator[Patient]:
    """Stop the standby meanwhile."""
    world.standby.stop()
    try:
        with world.patient() as patient:
            world.wait("SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_replication)")
            yield patient
    finally:
        world.start_standby()


@contextlib.contextmanager
def paused(world: World) -> Iterator[Patient]:
    """Let the standby stop replaying, and ask it."""
    with world.patient(on=world.standby) as patient:
        patient.run("SELECT pg_wal_replay_pause()")
        try:
            world.wait("SELECT WHERE pg_get_wal_replay_pause_state() = 'paused'", on=world.standby)
            yield patient
        finally:
            patient.run("SELECT pg_wal_replay_resume()")


@contextlib.contextmanager
def caught_up(world: World) -> Iterator[Patient]:
    """Wait until the standby has replayed what was written before, and ask the primary."""
    with world.patient() as patient:
        world.wait("SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()")
        yield patient


@contextlib.contextmanager
def behind(world: World) -> Iterator[Patient]:
    """Let the standby stop replaying, write something, and ask the primary."""
    with paused(world), world.patient() as patient:
        patient.run("SELECT pg_logical_emit_message(false, 'matrix', repeat('x', 100000))")
        world.wait("SELECT FROM pg_stat_replication WHERE replay_lsn < pg_current_wal_lsn() - 100000")
        yield patient


def with_slot(*, keeps: bool) -> State:
    """Return a state with a slot that nobody reads; it ``keeps`` WAL once it is set up."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with world.patient() as patient:
            patient.run(f"SELECT pg_create_physical_replication_slot('replica_1', {keeps})")
            try:
                yield patient
            finally:
                patient.run("SELECT pg_drop_replication_slot('replica_1')")

    return made


@contextlib.contextmanager
def subscribed(world: World) -> Iterator[Patient]:
    """Let the database subscribe to another one of the same server."""
    with world.database("publisher"), world.session("publisher") as source, world.patient() as patient:
        source.execute("CREATE PUBLICATION everything")
        source.execute("SELECT pg_create_logical_replication_slot('from_main', 'pgoutput')")
        place = world.primary.place
        patient.run(
            f"CREATE SUBSCRIPTION from_main CONNECTION 'host={place.host} port={place.port} user={place.user} "
            "dbname=publisher' PUBLICATION everything WITH (create_slot = false, slot_name = 'from_main')"
        )
        world.wait("SELECT FROM pg_stat_subscription WHERE pid IS NOT NULL", "shop")
        try:
            yield patient
        finally:
            patient.run("DROP SUBSCRIPTION from_main")


def archiving(command: str, condition: str) -> State:
    """Return a state in which the archiver has archived, or failed to archive, a file of the WAL."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with world.patient() as patient:
            patient.run(f"ALTER SYSTEM SET archive_command = '{command}'")
            patient.run("SELECT pg_reload_conf()")
            patient.run("SELECT pg_stat_reset_shared('archiver')")
            patient.run("SELECT pg_logical_emit_message(false, 'matrix', 'x'), pg_switch_wal()")
            try:
                world.wait(f"SELECT FROM pg_stat_archiver WHERE {condition}")
                yield patient
            finally:
                patient.run("ALTER SYSTEM RESET archive_command")
                patient.run("SELECT pg_reload_conf()")

    return made


def beginning_with(**settings: str) -> State:
    """Return a state in which the server keeps what it is told, and the asking session began with some settings."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        known = {name: value for name, value in settings.items() if name != "transaction_timeout" or world.major >= 17}
        options = " ".join(f"-c {name}={value}" for name, value in known.items())
        with world.session() as almighty:
            almighty.execute("ALTER SYSTEM SET fsync = on")
            almighty.execute("SELECT pg_reload_conf()")
            world.wait("SELECT WHERE current_setting('fsync') = 'on'")
            try:
                with world.patient(options=options) as patient:
                    yield patient
            finally:
                almighty.execute("ALTER SYSTEM RESET fsync")
                almighty.execute("SELECT pg_reload_conf()")

    return made


def ended(day: date) -> State:
    """Return a state in which the server's version has its last release on a day."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with pytest.MonkeyPatch.context() as patch, world.patient() as patient:
            patch.setattr(configuration, "LAST_RELEASES", {world.major: day})
            yield patient

    return made


@contextlib.contextmanager
def scratched(world: World) -> Iterator[Patient]:
    """Write over a page of a table behind the server's back, and read it."""
    with world.database("scratched"), world.session("scratched") as owner:
        owner.execute("CREATE TABLE t AS SELECT n FROM generate_series(1, 9) AS n")
        owner.execute("VACUUM FULL t")  # writes the new file past the server's memory
        ((path,),) = owner.execute("SELECT pg_relation_filepath('t')").fetchall()
        with (world.primary.data / path).open("r+b") as file:
            file.seek(8000)
            file.write(b"scratch")
        with contextlib.suppress(psycopg.errors.DataCorrupted):
            owner.execute("SELECT * FROM t")
        world.wait("SELECT FROM pg_stat_database WHERE datname = 'scratched' AND checksum_failures > 0")
        with world.patient() as patient:
            yield patient


#: A function that says it is immutable and then isn't: the entries of the index don't fit the rows any more.
CHECKED = """
CREATE TABLE t (x int);
INSERT INTO t VALUES (1);
CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE INDEX t_f ON t (f(x));
RESET ROLE;
CREATE EXTENSION amcheck;
GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO app;
GRANT EXECUTE ON FUNCTION verify_heapam TO app;
"""


def with_rule(rule: str) -> State:
    """Return a state in which ``app`` may read pg_hba.conf, and the file has one rule more."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        path = world.primary.data / "pg_hba.conf"
        kept = path.read_text()
        path.write_text(f"{rule}\n")
        grant = (
            "RESET ROLE; GRANT SELECT ON pg_hba_file_rules TO app; GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO app"
        )
        try:
            with world.built(grant) as patient:
                yield patient
        finally:
            path.write_text(kept)

    return made
