"""Sessions and databases of a test's own: made for the time of a block, with an alias that leads there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql


def session(alias: str = "default", **options: Any) -> psycopg.Connection[Any]:
    """Open a session of one's own with the alias's database, in autocommit."""
    given = connections[alias].settings_dict
    return psycopg.connect(
        dbname=options.pop("dbname", given["NAME"]),
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        autocommit=True,
        **options,
    )


def wait_for_others(connection: psycopg.Connection[Any]) -> None:
    """Wait until all transactions on the server that are open now have ended: no new one takes them for open."""
    begun = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    [(last,)] = connection.execute(begun).fetchall()
    while connection.execute(oldest).fetchall() < [(last,)]:
        time.sleep(0.05)


@contextlib.contextmanager
def new_database(name: str, *, template: str = "template0") -> Iterator[str]:
    """Make a database on the tests' server for the time of the block."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with session(dbname="postgres") as server:
        server.execute(drop)  # a test run that was killed has left it
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        try:
            yield name
        finally:
            server.execute(drop)


@contextlib.contextmanager
def leading_to(name: str, alias: str = "default") -> Iterator[str]:
    """Let an alias lead to another database for the time of the block."""
    wrapper = connections[alias]
    kept = wrapper.settings_dict["NAME"]
    wrapper.close()
    wrapper.settings_dict["NAME"] = name
    try:
        yield name
    finally:
        wrapper.close()
        wrapper.settings_dict["NAME"] = kept


@contextlib.contextmanager
def with_options(alias: str = "default", **options: Any) -> Iterator[None]:
    """Give an alias further OPTIONS for the time of the block."""
    wrapper = connections[alias]
    kept = wrapper.settings_dict["OPTIONS"]
    wrapper.close()
    wrapper.settings_dict["OPTIONS"] = {**kept, **options}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict["OPTIONS"] = kept


@contextlib.contextmanager
def assuming(role: str, alias: str = "default") -> Iterator[str]:
    """Let an alias work as another role for the time of the block."""
    with with_options(alias, assume_role=role):
        yield role


@contextlib.contextmanager
def pooled(*, max_size: int, timeout: float = 1.0) -> Iterator[None]:
    """Let ``default`` take its connections from a pool of its own for the time of the block."""
    wrapper = connections["default"]
    assert isinstance(wrapper, DatabaseWrapper)
    with with_options(pool={"min_size": max_size, "max_size": max_size, "timeout": timeout}):
        try:
            yield
        finally:
            wrapper.close()
            wrapper.close_pool()


@contextlib.contextmanager
def all_of_pool() -> Iterator[list[psycopg.Connection[Any]]]:
    """Take every connection of the pool that ``default`` has for the time of the block."""
    wrapper = connections["default"]
    assert isinstance(wrapper, DatabaseWrapper)
    wrapper.close()
    pool: Any = wrapper.pool
    pool.open()
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(pool.connection()) for _each in range(pool.max_size)]
