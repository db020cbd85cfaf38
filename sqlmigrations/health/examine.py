"""Runs checks against one database: read-only, each in a savepoint of its own, none able to break another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from sqlmigrations.database import Connection, fetch_dicts, is_lost
from sqlmigrations.health.base import SQL, Check, Probe, Result, Skip, Status, judge
from sqlmigrations.health.capabilities import probe_capabilities
from sqlmigrations.health.measures import Past
from sqlmigrations.messages import gettext as _

logger = logging.getLogger("sqlmigrations")

#: The application name of our own session, by which checks of activity leave it out.
APPLICATION = "dbhealth"

#: What holds in the transaction; ``statement_timeout`` is set for each check.
SETTINGS: Mapping[str, str] = {
    "transaction_read_only": "on",
    "search_path": "",
    "lock_timeout": "100ms",
    "application_name": APPLICATION,
    "jit": "off",
    # To start parallel workers takes longer than they save, and others may need them.
    "max_parallel_workers_per_gather": "0",
    # The catalogs of thousands of tables, joined without temporary files.
    "work_mem": "32MB",
    # Catalogs that just grew have no statistics yet: the planner takes thousands of rows for one, and loops.
    "enable_nestloop": "off",
    "quote_all_identifiers": "off",
    # A policy would hide rows silently; so it is an error, and the check is skipped.
    "row_security": "off",
}

Progress = Callable[[Result], None]


def silent(result: Result) -> None:
    """Take a result and do nothing with it."""


def examine(
    connection: Connection,
    checks: Iterable[Check],
    *,
    database: str,
    past: Past | None = None,
    progress: Progress = silent,
) -> tuple[Result, ...]:
    """Run the checks one after the other and return their results; ``past`` is what was measured before.

    Everything happens in one transaction that is rolled back, or in a savepoint of the surrounding one.

    Raises:
        psycopg.Error: the connection was lost. Any other error of a check is its result: skipped.
    """
    results = []
    with asking(connection, database=database) as probe:
        for check in checks:
            result = _one(connection, check, _for_check(check, replace(probe, past=past or Past())))
            results.append(result)
            progress(result)
    return tuple(results)


@contextmanager
def asking(connection: Connection, *, database: str) -> Iterator[Probe]:
    """Open a transaction that changes nothing, and yield what asks in it for the package's own SQL files."""
    with _transaction(connection):
        _set(connection, "statement_timeout", Check.timeout)
        yield Probe(database, probe_capabilities(connection), partial(_execute, connection), partial(_read, SQL, {}))


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """Open a transaction that changes nothing, with settings of its own, and roll it back."""
    with connection.transaction(force_rollback=True):
        for name, value in SETTINGS.items():
            _set(connection, name, value)
        yield


def _set(connection: Connection, name: str, value: str) -> None:
    connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def _one(connection: Connection, check: Check, probe: Probe) -> Result:
    """Run one check, timed and shielded."""
    began = time.perf_counter()
    try:
        with connection.transaction(force_rollback=True):
            _set(connection, "statement_timeout", check.timeout)
            result = judge(check, check.run(probe))
    except Skip as skip:
        result = _skipped(check, skip.reason, skip.remedy)
    except Exception as error:
        if isinstance(error, psycopg.Error) and (connection.closed or is_lost(error)):
            raise
        result = _failed(check, error, probe)
    return replace(result, duration_ms=(time.perf_counter() - began) * 1000)


def _for_check(check: Check, probe: Probe) -> Probe:
    """Return a probe that finds the SQL files of one check."""
    texts = check.sql_files()
    return replace(probe, texts=partial(_read, check.folder, texts), check=next(iter(texts), check.id))


def _read(folder: Path, texts: Mapping[str, str], name: str) -> str:
    return texts[name] if name in texts else (folder / f"{name}.sql").read_text(encoding="utf-8")


def _execute(
    connection: Connection, statement: str, parameters: Mapping[str, Any] | None, search_path: str
) -> list[dict[str, Any]]:
    with connection.transaction(force_rollback=True):  # lets go of each statement's locks
        if search_path:
            _set(connection, "search_path", search_path)
        return fetch_dicts(connection, statement.encode(), parameters)


def _skipped(check: Check, reason: str, remedy: str = "") -> Result:
    return Result(check=check, status=Status.SKIPPED, reason=reason, remedy=remedy)


def _failed(check: Check, error: Exception, probe: Probe) -> Result:
    """Return what an error makes of a check: skipped, with what would help."""
    said = str(error).strip().partition("\n")[0]
    if isinstance(error, errors.InsufficientPrivilege):
        return _skipped(check, said, probe.grant(check.right or "pg_read_all_data"))
    if isinstance(error, errors.QueryCanceled):
        return _skipped(check, _("it took longer than {timeout}", timeout=check.timeout))
    if isinstance(error, errors.LockNotAvailable):
        waited = SETTINGS["lock_timeout"]
        return _skipped(
            check, _("a lock was held by somebody for longer than {waited}", waited=waited), _("Try again.")
        )
    logger.warning("The check %s failed", check.id, exc_info=error)
    return _skipped(check, _("it failed: {kind}: {said}", kind=type(error).__name__, said=said))
