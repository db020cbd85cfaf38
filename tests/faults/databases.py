"""Databases and servers for tests that break them."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.db import connections
from psycopg import sql

from project.postgres import server as embedded
from project.postgres.server import PORT, USER
from sqlmigrations import programs
from tests.faults.processes import Place
from tests.faults.proxy import Address

_numbers = itertools.count(1)

Session = psycopg.Connection[Any]


def server_under_test() -> Place:
    """Return where the test suite's server is."""
    given = connections["default"].settings_dict
    return Place("postgres", given["HOST"], given["PORT"], given["USER"], given["PASSWORD"])


def address(place: Place) -> Address:
    """Return where a proxy finds the server of ``place``."""
    with connect(place) as session:
        host, port = session.info.host, session.info.port
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def connect(place: Place, **options: Any) -> Session:
    """Open a session with the database of ``place``, in autocommit."""
    options.setdefault("autocommit", True)
    return psycopg.connect(
        dbname=place.dbname,
        host=place.host or None,
        port=place.port or None,
        user=place.user or None,
        password=place.password or None,
        **options,
    )


def ask(place: Place, statement: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
    """Ask the database of ``place`` and return all rows."""
    with connect(place) as session:
        return session.execute(statement, parameters or None).fetchall()


@contextlib.contextmanager
def database(server: Place, template: str = "template0") -> Iterator[Place]:
    """Make a database on ``server`` for the time of the block."""
    name = f"sqlm_faults_{os.getpid()}_{next(_numbers)}"
    with connect(server) as session:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        session.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield Place(name, server.host, server.port, server.user, server.password, server.settings)
    finally:
        with connect(server) as session:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def binaries_of(place: Place) -> Path | None:
    """Return the folder of the server's programs in the very version of the server of ``place``, if it is here."""
    with connect(place) as session:
        major = session.info.server_version // 10000
    for folder in programs.folders():
        if (folder / "initdb").exists() and programs.major_version(folder / "postgres") == major:
            return (folder / "postgres").resolve().parent
    return None


class ThrowAway(embedded.ThrowAway):
    """A server of a test's own, which may be stopped at any time."""

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place("postgres", str(self.socket_folder), PORT, USER)

    def crash(self) -> None:
        """Stop it as if it had crashed: it recovers when it starts again."""
        self._stop("immediate")
