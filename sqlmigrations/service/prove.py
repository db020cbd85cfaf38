"""Tries fixes on a scratch copy of the live schema, and tells which of them do what they should."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.conninfo import make_conninfo

from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.programs import ProgramMissing, find
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.fix import Fix, everything
from sqlmigrations.schema.scratch import NoScratch, scratch_database
from sqlmigrations.severity import Severity

#: What a source speaks of, of a whole catalog.
Part = Callable[[Catalog], Catalog]

#: Seconds that a dump of the schema may take.
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Proof:
    """A fix, and why it is not proven; nothing where it is."""

    fix: Fix
    doubt: str = ""


def prove(
    wrapper: BaseDatabaseWrapper, fixes: Sequence[Fix], expected: Catalog, found: Catalog, part: Part
) -> tuple[Proof, ...]:
    """Run all ``fixes``, in their order, on a copy of the live schema and compare ``part`` of that with ``expected``.

    What drops data is run too: the copy has none. Nothing is raised: what can't be tried is not proven.
    """
    worth = [fix for fix in fixes if fix.statements]
    doubts = {id(fix): fix.note for fix in fixes if not fix.statements}
    if worth:
        try:
            with scratch_database(wrapper, "proof of fixes") as scratch:
                _copy(raw(wrapper), scratch.connection, found)
                doubts |= _tried(scratch.connection, worth, lambda copy: _keys(expected, part(copy)))
        except NoScratch as missing:
            doubts |= {id(fix): f"no scratch database to try it in: {missing.reason}" for fix in worth}
    return tuple(Proof(fix, doubts.get(id(fix), "")) for fix in fixes)


def _tried(copy: Connection, fixes: Sequence[Fix], look: Callable[[Catalog], dict[_Key, Difference]]) -> dict[int, str]:
    """Run the fixes and return what is to be doubted about each; ``look`` tells what differs."""
    before = look(read_catalog(copy))
    doubts = {id(fix): doubt for fix in fixes if (doubt := _run(copy, fix))}
    after = look(read_catalog(copy))
    new = {key: one for key, one in after.items() if key not in before and one.severity is not Severity.INFO}
    for fix in fixes:
        key = _key(fix.difference)
        if id(fix) in doubts:
            continue
        if key not in before:
            doubts[id(fix)] = "a copy of the schema doesn't show this difference"
        elif key in after:
            doubts[id(fix)] = "the difference was still there on a copy of the schema"
        elif left := next((one for one in new.values() if one.object in fix.text), None):
            doubts[id(fix)] = f"on a copy it left another difference: {left.kind} {left.object}, {left.attribute}"
    return doubts


_Key = tuple[str, str, str]


def _key(difference: Difference) -> _Key:
    return difference.kind, difference.object, difference.attribute


def _keys(expected: Catalog, copy: Catalog) -> dict[_Key, Difference]:
    return {_key(one): one for one in compare(expected, copy, source=Source.SNAPSHOT)}


def _run(copy: Connection, fix: Fix) -> str:
    """Run a fix; return why it failed, if it did."""
    try:
        for statement in fix.statements:
            copy.execute(statement.sql.encode())
    except psycopg.Error as error:
        return f"it failed on a copy of the schema: {(error.diag.message_primary or str(error)).strip()}"
    return ""


# The copy


def _copy(live: Connection, copy: Connection, found: Catalog) -> None:
    """Make the live schema in ``copy``: as pg_dump has it, or where there is none, as the catalog has it.

    What can't be made is left out: then the copy shows other differences, and the proof finds that.
    """
    try:
        statements: Iterable[bytes] = _dumped(live)
    except ProgramMissing:
        statements = (statement.sql.encode() for statement in everything(found))
    for statement in statements:
        try:
            copy.execute(statement)
        except psycopg.Error:  # an extension that this role may not make, say
            continue
    copy.execute("RESET ALL")


def _dumped(live: Connection) -> Iterator[bytes]:
    """Return the statements of a dump of the schema.

    Raises:
        ProgramMissing: there is no pg_dump for this server, or it failed.
    """
    program = find("pg_dump", live.info.server_version)
    address = make_conninfo(**{**live.info.get_parameters(), "dbname": live.info.dbname})
    environment = {**os.environ, "PGPASSWORD": live.info.password or ""}
    command = [str(program), "--schema-only", "--dbname", address]
    try:
        dumped = subprocess.run(  # noqa: S603 - a program that was found, arguments of our own
            command, env=environment, capture_output=True, check=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProgramMissing("pg_dump", live.info.server_version // 10000, []) from error
    return _statements(dumped.stdout.decode())


def _statements(dump: str) -> Iterator[bytes]:
    try:
        for statement in RecordedFile("dump.sql", Path("dump.sql"), text=dump).read():
            yield statement.sql
    except InvalidFile:  # something that files may not hold: the copy ends here, and the proof finds that
        return
