"""Who, when, and which code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import sql

from sqlmigrations.database import fetch_row
from sqlmigrations.history import (
    identify,
    revision,
)
from tests.databases import session
from tests.helpers import Settings, role


def test_the_identity_is_the_connections_and_the_machines(fresh_database: str) -> None:
    with session(application_name="tests of the history") as connection:
        pid, start = fetch_row(
            connection, "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        identity, clock = identify(connection)
        server_time = fetch_row(connection, "SELECT clock_timestamp()")[0]
        assert (identity.backend_pid, identity.backend_start) == (pid, start)
        assert (identity.role, identity.application_name) == (connection.info.user, "tests of the history")
        assert identity.server == connection.info.parameter_status("server_version")
        assert abs(clock.now() - server_time) < timedelta(minutes=1)
        assert clock.now() <= clock.now()


def test_the_role_that_was_assumed_is_the_one_remembered(fresh_database: str) -> None:
    with role() as name, session() as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(name)))
        assert identify(connection)[0].role == name


def test_a_role_that_sessions_begin_with_hides_nothing(fresh_database: str) -> None:
    """As ``ALTER ROLE ... SET role`` has it, and ``-c role=...`` in the alias's OPTIONS."""
    with role() as name, session() as other, session(options=f"-c role={name}") as connection:
        identity, _clock = identify(connection)
        assert identity.role == name
        pid = connection.info.backend_pid
        begun = fetch_row(other, "SELECT backend_start FROM pg_stat_activity WHERE pid = %s", [pid])
        assert begun == (identity.backend_start,)
        assert fetch_row(connection, "SELECT current_user::text") == (name,)


def test_the_revision_is_the_settings_else_the_environments(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION", "HEROKU_SLUG_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    assert revision() == ""
    monkeypatch.setenv("GITHUB_SHA", "fedcba")
    assert revision() == "fedcba"
    settings.SQLMIGRATIONS_REVISION = "1.2.3"
    assert revision() == "1.2.3"
