"""Makes a new database like another one: its locale, and the settings of its sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection

#: Settings whose value is a list of names, which must not be quoted as one.
_LISTS = frozenset({"search_path", "session_preload_libraries", "local_preload_libraries", "temp_tablespaces"})

#: One name of such a list: in double quotes, or bare.
_LISTED = re.compile(r'"((?:[^"]|"")*)"|([^,\s]+)')


def set_like(host: Connection, name: str, found: Iterable[tuple[Any, ...]]) -> None:
    """Give the sessions of a database the settings that were found at another one."""
    for setting, value in found:
        with suppress(psycopg.Error):  # one that only a superuser sets changes no schema
            host.execute(_database_setting(sql.Identifier(name), setting, value))


def _database_setting(database: sql.Identifier, name: str, value: str) -> sql.Composed:
    """Return the statement that gives the sessions of a database a setting."""
    shown: sql.Composable = (
        sql.SQL(", ").join(map(sql.Literal, _names(value))) if name in _LISTS else sql.Literal(value)
    )
    return sql.SQL("ALTER DATABASE {} SET {} TO {}").format(database, sql.Identifier(*name.split(".")), shown)


def _names(value: str) -> list[str]:
    """Split a list of names as PostgreSQL keeps it: ``"$user", public``."""
    return [
        (match[1] or "").replace('""', '"') if match[1] is not None else match[2] for match in _LISTED.finditer(value)
    ]


def locale_options(row: Mapping[str, str | None]) -> sql.Composable:
    """Return the options of CREATE DATABASE that give a database the locale of another.

    https://www.postgresql.org/docs/current/sql-createdatabase.html
    """
    options: dict[LiteralString, str | None] = {
        "ENCODING": row["encoding"],
        "LC_COLLATE": row["lc_collate"],
        "LC_CTYPE": row["lc_ctype"],
    }
    if row["provider"] == "icu":
        options |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": row["locale"], "ICU_RULES": row["icu_rules"]}
    elif row["provider"] == "builtin":
        options |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": row["locale"]}
    given = [sql.SQL(name + " = {}").format(sql.Literal(value)) for name, value in options.items() if value is not None]
    return sql.SQL(" ").join(given)
