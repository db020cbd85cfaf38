"""Looks after the SQL files when a server starts: for ``wsgi.py`` and ``asgi.py``.

    from sqlmigrations.startup import prepare

    application = get_wsgi_application()
    prepare(apply=True)

Nothing of Django is imported before ``prepare`` runs, so that the import may stand above ``get_wsgi_application()``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlmigrations.service.results import Report

#: Seconds to wait for another process that applies files: below the 30 that gunicorn gives a worker to start.
LOCK_WAIT = 20.0

#: Seconds to wait for a server that doesn't answer, where DATABASES says nothing about it (``connect_timeout``).
CONNECT_TIMEOUT = 10

logger = logging.getLogger("sqlmigrations")


def prepare(apply: bool = False, validate: bool = True) -> None:
    """Apply what is pending, if asked to, and validate every database that has SQL files.

    Everything is logged and nothing raised: a database that is away, files that are wrong, or another process that
    applies files for longer than ``LOCK_WAIT`` never keep the server from starting. Every connection that was opened
    is closed. Where an event loop runs in this thread, the work is done in a thread of its own, and waited for.
    """
    if _in_event_loop():
        thread = threading.Thread(target=_prepare, args=(apply, validate), name="sqlmigrations.prepare")
        thread.start()
        thread.join()
    else:
        _prepare(apply, validate)


def _in_event_loop() -> bool:
    """Say whether an event loop runs in this thread: Django's database connections refuse to work there."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _prepare(apply: bool, validate: bool) -> None:
    """Prepare one database after the other."""
    from sqlmigrations.service.databases import aliases_with_files

    try:
        for alias in aliases_with_files():
            _prepare_one(alias, apply=apply, validate=validate)
    except Exception:
        logger.exception("The SQL files were not looked at; the server starts all the same.")


def _prepare_one(alias: str, *, apply: bool, validate: bool) -> None:
    """Prepare one database, and log whatever goes wrong."""
    from sqlmigrations.exceptions import RunLockHeld, SQLMigrationsError

    with _own_connection(alias):
        try:
            if apply:
                _apply(alias)
            if validate:
                _validate(alias)
        except RunLockHeld as held:
            logger.warning("Database '%s': %s The server starts without waiting longer.", alias, held.message)
        except SQLMigrationsError as error:
            logger.error("Database '%s': %s", alias, error)
        except Exception:
            logger.exception("Database '%s': the SQL files were not looked at; the server starts all the same.", alias)


@contextmanager
def _own_connection(alias: str) -> Iterator[None]:
    """Use no pool and don't wait long for a dead server in the block, and close the connection at its end.

    A pool tries for 30 seconds to reach a server that is away, which is as long as gunicorn gives a worker to start,
    and its idle connections must not be inherited by forked workers. The settings are shared by all threads: only this
    connection has others. One that was open before is used as it is, and stays open.
    """
    from django.db import connections

    wrapper = connections[alias]
    if wrapper.connection is not None:
        yield
        return
    given = wrapper.settings_dict
    options = {"connect_timeout": CONNECT_TIMEOUT, **given["OPTIONS"]}
    options.pop("pool", None)
    wrapper.settings_dict = {**given, "OPTIONS": options}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = given


def _apply(alias: str) -> None:
    """Apply what is pending; each file's end is logged by the run itself. The lock is taken only when there is work."""
    from sqlmigrations.service.apply import ApplyOptions, apply, plan_run

    if plan_run(ApplyOptions(database=alias)).plan.runnable:
        apply(ApplyOptions(database=alias, lock_wait=LOCK_WAIT), _log_wait)


def _log_wait(report: Report) -> None:
    from sqlmigrations.service.told import Waiting

    if isinstance(report, Waiting):
        logger.info("Waiting for another process that applies SQL files: %s", report.holder)


def _validate(alias: str) -> None:
    """Log what isn't as it should be."""
    from sqlmigrations.schema.difference import Source
    from sqlmigrations.service.databases import option
    from sqlmigrations.service.validate import ValidateOptions, validate
    from sqlmigrations.severity import Severity

    report = validate(ValidateOptions(database=alias, models=False))
    if report.pending:
        words = "Database '%s': SQL files are pending: %d. Run: manage.py applysql%s"
        logger.warning(words, alias, report.pending, option(alias))
    for difference in report.differences:
        if difference.source is Source.HISTORY and difference.severity is Severity.WARNING:
            continue  # a pending file, counted above
        if difference.source is not Source.HISTORY and difference.severity is Severity.INFO:
            continue
        level = logging.ERROR if difference.severity is Severity.ERROR else logging.WARNING
        logger.log(level, "Database '%s': %s %s: %s", alias, difference.kind, difference.object, difference.found)
    for skipped in filter(lambda skipped: skipped.asked, report.skipped):
        logger.warning("Database '%s': %s was not validated: %s", alias, skipped.what, skipped.reason)
