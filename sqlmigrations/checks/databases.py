"""Checks of the databases: whether history, files and schema agree. Nothing is made, changed or waited for.

``migrate`` and the test runner run these first, with the database that they are about to change: what is found there
while something is still to be applied is a warning at most, and never keeps them from applying it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import psycopg
from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import Error as DjangoError

from sqlmigrations.checks.messages import error, warning
from sqlmigrations.checks.settings import wrong_settings
from sqlmigrations.conf import settings
from sqlmigrations.database import connect, raw
from sqlmigrations.exceptions import InvalidFiles, SQLMigrationsError
from sqlmigrations.files.discovery import discover, folders
from sqlmigrations.history import locate, read_records
from sqlmigrations.messages import counted
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.service.databases import has_files, is_postgresql, main_alias, option, pending_django_migrations
from sqlmigrations.service.validate import ValidateOptions, ValidationReport, validate
from sqlmigrations.severity import Severity

#: Commands that run these checks and then change what is judged here.
CHANGING = ("migrate", "test")

#: The numbers of the ids for differences of the history, by attribute.
_NUMBERS = {"state": "043", "text": "044", "presence": "045", "chain": "046"}
_DRIFT = "047"


def check(databases: Sequence[str]) -> Iterator[CheckMessage]:
    """Yield what is wrong in those of ``databases`` that have SQL files."""
    if not wrong_settings():
        for alias in _ours(databases):
            yield from _of_database(alias)


def _ours(databases: Sequence[str]) -> list[str]:
    """Return those of ``databases`` that are judged: PostgreSQL, and of several aliases of one database only one."""
    known = [alias for alias in databases if alias in connections and is_postgresql(alias)]
    known = [alias for alias in known if alias == DEFAULT_DB_ALIAS or has_files(alias)]
    return [
        alias for alias in known if main_alias(alias) == alias or (main_alias(alias) not in known and has_files(alias))
    ]


def _of_database(alias: str) -> list[CheckMessage]:
    try:
        report = validate(ValidateOptions(database=alias, models=False))
        return [*_numbers(alias), *_judge(report)]
    except InvalidFiles:
        return []  # the checks of the files have told
    except (SQLMigrationsError, DjangoError, psycopg.Error) as failure:
        said, hint = str(failure).strip(), ""
        if isinstance(failure, SQLMigrationsError):
            said, hint = failure.message, failure.hint
        return [
            warning(
                "041",
                f"It can't be asked about its SQL files: {said}",
                hint=hint or f"Look at DATABASES['{alias}'], whether its server runs, and the rights of its role.",
                obj=f"DATABASES['{alias}']",
            )
        ]


def _numbers(alias: str) -> Iterator[CheckMessage]:
    """Report numbers of different width while they can still be mended for nothing."""
    mixed = discover(folders(alias)).mixed_width
    if mixed is None or _is_changing():
        return
    connection = raw(connect(alias))
    if not any(record.is_held for record in read_records(connection, locate(connection).tables).values()):
        message = f"Nothing is applied to database '{alias}', for {mixed.message}."
        yield error("034", message, hint=mixed.hint, obj=mixed.where)


def _judge(report: ValidationReport) -> Iterator[CheckMessage]:
    """Yield what is wrong in a database that has a history."""
    if not report.has_history:
        return
    for rule in report.expired:
        message = f"It expired on {rule.until} and hides nothing any more: {rule}."
        yield warning("048", message, hint=f"Its reason was: {rule.reason}", obj="settings.SQLMIGRATIONS_DRIFT_IGNORE")
    for skipped in filter(lambda skipped: skipped.asked, report.skipped):
        message = f"Not looked at: {skipped.what}, because {skipped.reason}."
        yield warning("042", message, hint=skipped.remedy, obj=f"DATABASES['{report.database}']")
    found = [difference for difference in report.differences if not _is_pending(difference) and _counts(difference)]
    if not found:
        return
    reprieve = _reprieve(report.database, len([each for each in report.differences if _is_pending(each)]))
    for difference in found:
        yield _message(report.database, difference, reprieve)


def _is_pending(difference: Difference) -> bool:
    """Say whether the difference is a file that the next run takes, not one that went wrong."""
    return difference.source is Source.HISTORY and difference.severity is Severity.WARNING


def _counts(difference: Difference) -> bool:
    """Say whether the difference is worth a message: among those of the schema, information isn't."""
    return difference.source is Source.HISTORY or difference.severity is not Severity.INFO


def _reprieve(alias: str, files: int) -> str:
    """Return why the database isn't judged yet, or nothing."""
    migrations = len(pending_django_migrations(alias))
    counts = [counted(count, what) for count, what in ((migrations, "Django migration"), (files, "SQL file")) if count]
    if counts:
        return f"not judged while {' and '.join(counts)} {'is' if migrations + files == 1 else 'are'} pending"
    return "not judged before a command that may mend it" if _is_changing() else ""


def _is_changing() -> bool:
    """Say whether this process is ``manage.py migrate`` or ``manage.py test``: checks aren't told who runs them."""
    return sys.argv[1:2] in [[command] for command in CHANGING]


def _message(alias: str, difference: Difference, reprieve: str) -> CheckMessage:
    is_drift = difference.source is not Source.HISTORY
    number = _DRIFT if is_drift else _NUMBERS[difference.attribute]
    is_lowered = bool(reprieve) or difference.severity is not Severity.ERROR
    is_lowered |= is_drift and settings.DRIFT_LEVEL == "warning"
    text = _text(difference) + (f" ({reprieve})." if reprieve else ".")
    hint = difference.fix or f"manage.py validateschema{option(alias)}"
    what = difference.object if not is_drift else f"{difference.kind} {difference.object}"
    return (warning if is_lowered else error)(number, text, hint=hint, obj=f"{what} in database '{alias}'")


def _text(difference: Difference) -> str:
    """Return what is wrong, in words."""
    if difference.source is not Source.HISTORY:
        return f"Expected {difference.expected}, found {difference.found}"
    match difference.attribute:
        case "text":
            return "Its text changed after it was applied"
        case "presence":
            return "Its file is gone, though the database holds what it made"
        case "chain":
            return f"The chain of the history is broken here: {difference.found}"
    return difference.found[:1].upper() + difference.found[1:]
