"""Lets a scratch database stand in for the live one: Django's routers, migrations and ``atomic()`` then work there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.dummy.base import DatabaseWrapper as DummyWrapper

from sqlmigrations.database import own_connection
from sqlmigrations.exceptions import SQLMigrationsError


class OutsideScratch(SQLMigrationsError):
    """Something that runs in a scratch database wanted to use another one."""


@contextmanager
def standing_in(live: BaseDatabaseWrapper, scratch: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """Let the live database's aliases mean ``scratch`` in the block, and close all others; in this thread alone.

    Routers, migrations and ``atomic()`` then work as they would on the live database, and nothing that a migration
    does through Django reaches any other. Threads that are started in the block see the databases as ever.
    """
    present = {wrapper.alias: wrapper for wrapper in connections.all(initialized_only=True)}
    replaced = {alias: _instead_of(alias, live, scratch) for alias in connections}
    for alias, wrapper in replaced.items():
        connections[alias] = wrapper
    try:
        yield scratch
    finally:
        for alias in replaced:
            if replaced[alias] is not scratch:
                replaced[alias].close()
            if alias in present:
                connections[alias] = present[alias]
            else:
                del connections[alias]


def _instead_of(alias: str, live: BaseDatabaseWrapper, scratch: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return what an alias means in the scratch database: the database itself, or a closed door."""
    if alias == live.alias:
        return scratch
    given = connections[alias]
    if _address(given) == _address(live):
        return pointed_at(given, scratch.settings_dict["NAME"])
    return _ClosedDatabase(given.settings_dict, alias)


def _address(wrapper: BaseDatabaseWrapper) -> tuple[Any, ...]:
    given = wrapper.settings_dict
    return wrapper.vendor, given["HOST"], str(given["PORT"]), given["NAME"], given["OPTIONS"].get("service")


class _ClosedDatabase(DummyWrapper):
    """The connection of an alias that must not be used while a scratch database stands in."""

    def ensure_connection(self) -> NoReturn:
        """Refuse to connect."""
        raise OutsideScratch(
            f"A scratch database stands in for the live one, and something wanted to use database '{self.alias}'.",
            hint="A migration that works on several databases at once can't be replayed.",
        )

    def cursor(self) -> NoReturn:
        """Refuse a cursor."""
        self.ensure_connection()


def scratch_connection(wrapper: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return a connection like ``wrapper`` that nobody else uses, and that says what it is for."""
    own = own_connection(wrapper)
    own.settings_dict["OPTIONS"]["application_name"] = "sqlmigrations scratch"
    return own


def pointed_at(wrapper: BaseDatabaseWrapper, name: str) -> BaseDatabaseWrapper:
    """Return a connection like ``wrapper`` to the database ``name``."""
    own = scratch_connection(wrapper)
    own.settings_dict["NAME"] = name
    return own
