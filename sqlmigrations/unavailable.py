"""Why the server did not do what was asked of it, where no statement is to blame; in its own words."""

from __future__ import annotations

import psycopg
from psycopg import sql

from sqlmigrations.exceptions import DatabaseUnavailable

#: What ends that which takes longer than a setting of the session allows, by SQLSTATE:
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_LIMITS = {
    "57014": "statement_timeout",
    "55P03": "lock_timeout",
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57P05": "idle_session_timeout",
}


def lacks_rights(alias: str, role: str, error: psycopg.Error) -> DatabaseUnavailable:
    """Say which right the role lacks, and which ones it takes."""
    name = sql.Identifier(role).as_string(None)
    why = str(error).partition("\n")[0].strip()
    return DatabaseUnavailable(
        f"Role {name} lacks a right in database '{alias}': {why}.",
        hint="To read the history it takes GRANT SELECT on the tables that begin with sqlmigrations_ and on "
        f"django_migrations TO {name}; to apply files, INSERT, UPDATE and DELETE there too, USAGE on their sequences, "
        "and the rights of a role that owns what the files change.",
    )


def lost(alias: str, error: psycopg.Error, *, is_open: bool) -> DatabaseUnavailable:
    """Say why a connection was lost. Where the alias's own ``is_open``, it may be a further one that was never had."""
    why = str(error).strip()
    if is_open and why.startswith("connection failed: "):  # psycopg has no SQLSTATE for that
        return DatabaseUnavailable(
            f"A further connection to '{alias}' could not be opened: {why}",
            hint="A run takes two, three behind a pooler in transaction mode. Run it again when there is room.",
        )
    return DatabaseUnavailable(
        f"The connection to '{alias}' was lost: {why}",
        hint=_more_time(error) or "Run it again: what was committed is on record.",
    )


def unanswered(alias: str, error: psycopg.OperationalError) -> DatabaseUnavailable:
    """Say why the server refused a statement that another time it would have executed."""
    passing = f"Run it again when that has passed. {error.diag.message_hint or ''}".strip()
    return DatabaseUnavailable(
        f"Database '{alias}' did not answer: {error.diag.message_primary} (SQLSTATE {error.sqlstate}).",
        hint=_more_time(error) or passing,
    )


def _more_time(error: psycopg.Error) -> str:
    """Say which setting has ended it, and how to be given more time; nothing where it was none."""
    limit = _LIMITS.get(error.sqlstate or "")
    if limit is None:
        return ""
    unless = ", unless somebody cancelled it" if isinstance(error, psycopg.errors.QueryCanceled) else ""
    return (
        f"That is the role's {limit}{unless}. For more time put "
        f"PGOPTIONS='-c {limit}=10min' before the command, or set it in the alias's OPTIONS."
    )
