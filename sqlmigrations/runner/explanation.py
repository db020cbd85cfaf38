"""Says what an error means for the file that met it: what went wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

import psycopg

from sqlmigrations.database import Connection
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.discovery import DOWN, SUFFIX
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.splitter import Splitter
from sqlmigrations.files.statements import Statement
from sqlmigrations.messages import gettext as _
from sqlmigrations.runner.advice import advise
from sqlmigrations.runner.failure import Failure, StatementFailed, of_database, of_file, of_statement
from sqlmigrations.runner.verify import VerifyFailed


def explain(error: Exception, script: Script, connection: Connection | None) -> Failure:
    """Return what ``error`` means for ``script``.

    The transaction must have been rolled back: some advice looks into the catalog, over ``connection`` if it lives.
    """
    match error:
        case StatementFailed():
            failure = of_statement(script.name, script.path, error)
            return replace(failure, advice=_advice(failure, error, script, connection))
        case VerifyFailed():
            return error.failure.advised(_("The file was rolled back."))
        case InvalidFile():
            return of_file(error)
        case psycopg.Error():
            return replace(of_database(script.name, error), advice=advise(None, None, error))
        case _:
            return Failure(str(error).strip(), script.name)


def _advice(failure: Failure, failed: StatementFailed, script: Script, connection: Connection | None) -> str:
    if failure.sqlstate == "42501" and (line := role_set(script, failed.statement)):
        return _("It ran as the role that line {line} sets: give that one the right, or RESET ROLE before.", line=line)
    advice = advise(connection, failed.statement, failed.error)
    kept_down = isinstance(script, RecordedFile) and script.name.endswith(DOWN)
    if kept_down and (not advice or failure.sqlstate == "42P01"):
        return _(
            "This script was kept when the file was applied. Correct it on disk, and take that one: "
            "revertsql {name} --from-disk",
            name=script.name.removesuffix(DOWN) + SUFFIX,
        )
    return advice


#: What changes the role of the statements behind it, with whether it is another one then.
_ROLES = {
    ("SET", "ROLE"): True,
    ("SET", "LOCAL", "ROLE"): True,
    ("SET", "SESSION", "ROLE"): True,
    ("SET", "SESSION", "AUTHORIZATION"): True,
    ("SET", "LOCAL", "SESSION", "AUTHORIZATION"): True,
    ("SET", "ROLE", "NONE"): False,
    ("RESET", "ROLE"): False,
    ("RESET", "SESSION", "AUTHORIZATION"): False,
    ("RESET", "ALL"): False,
}


def role_set(script: Script, failed: Statement) -> int:
    """Return the line whose SET ROLE, or the like, holds for a statement of a script; 0 where none does."""
    line = 0
    for statement in Splitter(script.blocks(), name=script.name):
        if statement.offset >= failed.offset:
            break
        told = [sets for words, sets in _ROLES.items() if statement.keywords[: len(words)] == words]
        if told:
            line = statement.line if told[-1] else 0
    return line
