"""Fills a scratch database with what the live one holds: its schema, its statistics, perhaps its rows."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.client import DatabaseClient

from sqlmigrations.conf import settings
from sqlmigrations.database import fetch_row, raw
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.programs import find
from sqlmigrations.schema.scratch import Scratch

#: The server version from which statistics can be restored: pg_restore_relation_stats is new in 18.
STATISTICS = 180000


class CopyFailed(SQLMigrationsError):
    """The live database could not be copied, so nothing was tried."""


def copy_live(scratch: Scratch, *, rows: bool = False) -> list[str]:
    """Copy the live database's schema into ``scratch``, with ``rows`` its rows as well; return notes.

    Nothing is left to do where the server has copied the live database itself. Without rows, the planner's statistics
    are copied where the server can take them: plans are then those of the live database. Reading the live database
    takes AccessShare locks and no others.

    Raises:
        ProgramMissing: there is no ``pg_dump`` or ``psql`` for the server.
        CopyFailed: one of them failed.
    """
    if scratch.is_copy:
        return []
    version = raw(scratch.live).info.server_version
    dump, load = find("pg_dump", version), find("psql", version)
    options = [*([] if rows else ["--schema-only"]), *_left_out(scratch)]
    _pipe(dump, options, load, scratch)
    if rows:
        scratch.connection.execute("ANALYZE")
        return [f"Copied with pg_dump: {scratch.why_empty}."] if scratch.why_empty else []
    if version < STATISTICS:
        return [f"The statistics of tables are not copied: PostgreSQL {version // 10000} can't take them."]
    _pipe(dump, ["--statistics-only"], load, scratch)
    return []


def _left_out(scratch: Scratch) -> list[str]:
    """Return the options that leave out what the role can't make again, or must not: it would reach outside."""
    outside = ["--no-publications", "--no-subscriptions", "--no-security-labels", "--no-tablespaces"]
    (is_superuser,) = fetch_row(scratch.connection, "SELECT current_setting('is_superuser') = 'on'")
    has_roles = is_superuser and settings.SHADOW_DATABASE in (None, scratch.live.alias)
    return outside if has_roles else [*outside, "--no-owner", "--no-privileges"]


def _pipe(dump: Path, options: Sequence[str], load: Path, scratch: Scratch) -> None:
    """Send what ``pg_dump`` writes to ``psql``: it alone reads the commands of psql that a dump holds."""
    reading, reading_environment = _arguments(scratch.live)
    writing, writing_environment = _arguments(scratch.wrapper)
    quietly = ["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - a program that we found, no shell
            [dump, *options, *reading],
            env=reading_environment,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as source,
        subprocess.Popen(  # noqa: S603 - a program that we found, no shell
            [load, *quietly, *writing], env=writing_environment, stdin=source.stdout, stderr=subprocess.PIPE
        ) as target,
    ):
        if source.stdout is not None:
            source.stdout.close()  # so that pg_dump ends when psql does
        _out, load_errors = target.communicate()
        source.wait()
        said.seek(0)
        dump_errors = said.read()
    for program, code, errors in ((load, target.returncode, load_errors), (dump, source.returncode, dump_errors)):
        if code:
            raise CopyFailed(
                f"{program.name} could not copy the live database: {_first_line(errors)}",
                hint="The role must be able to read all of it, and to make it again in a database of its own.",
            )


def _arguments(wrapper: BaseDatabaseWrapper) -> tuple[list[str], dict[str, str]]:
    """Return how the client programs reach a database: arguments, and an environment that holds the password."""
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(wrapper.settings_dict, [])
    return arguments[1:], {**os.environ, **(environment or {})}


def _first_line(errors: bytes) -> str:
    return next((line for line in errors.decode(errors="replace").splitlines() if line.strip()), "it said nothing")
