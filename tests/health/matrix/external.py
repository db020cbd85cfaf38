"""Checks of what the server doesn't know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections

from sqlmigrations.health.external.backups import BackupAge
from sqlmigrations.health.external.connecting import DjangoConnections
from sqlmigrations.health.external.pooler import PgBouncerPools
from tests.faults.databases import connect
from tests.faults.pgbouncer import pgbouncer
from tests.health.asking import Patient
from tests.health.matrix.case import Case
from tests.health.matrix.world import State, World

#: What the hook tells.
backups: dict[str, datetime] = {}


def last_backup(alias: str) -> datetime | None:
    """Tell of a backup, as a project's own hook does."""
    return backups.get(alias)


def backed_up(hours: float) -> State:
    """Return a state in which the last backup was taken some hours ago."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with pytest.MonkeyPatch.context() as patch, world.patient() as patient:
            patch.setitem(backups, "default", datetime.now(UTC) - timedelta(hours=hours))
            yield patient

    return made


def configured(**settings: Any) -> State:
    """Return a state in which the alias has some settings."""

    @contextlib.contextmanager
    def made(world: World) -> Iterator[Patient]:
        with pytest.MonkeyPatch.context() as patch, world.patient() as patient:
            for name, value in settings.items():
                patch.setitem(connections["default"].settings_dict, name, value)
            yield patient

    return made


@contextlib.contextmanager
def through_pgbouncer(world: World, *, pool_size: int, clients: int) -> Iterator[Patient]:
    """Let clients come through PgBouncer at once, each with a transaction of its own."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(pgbouncer(world.primary.place, pool_size=pool_size))
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("PGPORT", str(place.port))
        for _ in range(clients):
            client = stack.enter_context(contextlib.closing(connect(place, connect_timeout=5)))
            client.pgconn.send_query(b"BEGIN; SELECT 1")
        patient = stack.enter_context(world.patient())
        yield patient


CASES = (
    Case(
        check=BackupAge(hook=f"{__name__}.last_backup"),
        no="""
            skipped, external: nobody tells when the last backup was taken
              Install django-dbbackup, or name a function as 'hook' of backup_age in SQLMIGRATIONS_HEALTH.
        """,
        well=backed_up(hours=1),
        ok="ok, external: 1 databases",
        ill=backed_up(hours=30),
        bad="""
            warning, external: 1 databases
            warning default: the last backup was taken 30.0 h ago; should be: 26.0 h
              shell: manage.py dbbackup --database default
        """,
        mends=(),
    ),
    Case(
        check=DjangoConnections(),
        nothing=configured(CONN_MAX_AGE=0, OPTIONS={}),
        no="""
            ok, external: 1 aliases
            info default: each request opens a connection of its own (CONN_MAX_AGE is 0, and there is no pool);
                should be: kept, with CONN_HEALTH_CHECKS
              setting: DATABASES["default"]["CONN_MAX_AGE"] = 60
        """,
        well=configured(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True, OPTIONS={}),
        ok="ok, external: 1 aliases",
        ill=configured(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=False, OPTIONS={}),
        bad="""
            warning, external: 1 aliases
            warning default: connections are kept, but nobody looks whether they still live: a request finds out
                by failing; should be: kept, with CONN_HEALTH_CHECKS
              setting: DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
        """,
        mends=(),
    ),
    Case(
        check=PgBouncerPools(admin="host=127.0.0.1 user=postgres dbname=pgbouncer", warning_seconds=0),
        no="skipped, external: there are no pools to examine",
        well=partial(through_pgbouncer, pool_size=9, clients=1),
        ok="ok, external: 1 pools",
        ill=partial(through_pgbouncer, pool_size=1, clients=2),
        bad="""
            warning, external: 1 pools
            warning postgres/postgres: 1 client waiting, the longest for <time>; 1 server connection at work, 0
                idle; should be: <time>
              shell: manage.py dbhealth --only blocked --only idle_in_transaction --only long_running
        """,
        mends=(),
    ),
)
