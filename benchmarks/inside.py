"""Measures our own functions in this process: Django set up on a database made for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.db import connection

from benchmarks.processes import cpu_seconds
from benchmarks.servers import Server


def set_up_django(server: Server, settings: str = "project.settings") -> None:
    """Set Django up with the example's settings on a server."""
    os.environ["DATABASE_URL"] = server.place.url
    os.environ.setdefault("SECRET_KEY", "only for measurements")
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    django.setup()


@contextmanager
def new_database(name: str = f"bench_{os.getpid()}") -> Iterator[None]:
    """Point the alias ``default`` at an empty database for the block."""
    kept = connection.settings_dict["NAME"]
    quoted = connection.ops.quote_name(name)
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")


def processor_time() -> float:
    """Return the seconds of processor time that this process and its backend, if it is on this machine, have had."""
    connection.ensure_connection()
    return time.process_time() + (cpu_seconds(connection.connection.info.backend_pid) or 0.0)
