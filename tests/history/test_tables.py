"""Where the history is, and how its tables are made."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.history import (
    GENESIS,
    Tables,
    ensure_tables,
    locate,
    read_head,
    read_records,
    verify_chain,
)
from sqlmigrations.models import MigrationEvent, MigrationRecord
from tests.helpers import rows, run_sql, value


def test_a_database_without_our_tables_has_an_empty_history(fresh_database: str) -> None:
    connection = raw(connections["default"])
    location = locate(connection)

    assert (location.tables, location.schema, location.has_django_migrations) == (None, "public", False)
    assert read_records(connection, None) == {}
    assert read_head(connection, None) == GENESIS
    assert verify_chain(connection, None).is_intact


def test_the_tables_are_made_once_and_without_any_signal(fresh_database: str) -> None:
    sent: list[str] = []

    def receive_pre(**kwargs: Any) -> None:
        sent.append("pre_migrate")

    def receive_post(**kwargs: Any) -> None:
        sent.append("post_migrate")

    pre_migrate.connect(receive_pre)
    post_migrate.connect(receive_post)
    try:
        made = [ensure_tables(connections["default"]) for _ in range(2)]
    finally:
        pre_migrate.disconnect(receive_pre)
        post_migrate.disconnect(receive_post)

    assert made == [Tables("public")] * 2
    assert sent == []
    assert rows("SELECT app, name FROM django_migrations ORDER BY name") == [
        ("sqlmigrations", "0001_initial"),
        ("sqlmigrations", "0002_schemachange"),
        ("sqlmigrations", "0003_schemasnapshot"),
        ("sqlmigrations", "0004_export_permission"),
        ("sqlmigrations", "0005_healthrun"),
        ("sqlmigrations", "0006_schemaexpectation"),
        ("sqlmigrations", "0007_admin"),
        ("sqlmigrations", "0008_kept_rehearsal"),
    ]
    assert [name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")] == [
        "django_migrations",
        "sqlmigrations_healthrun",
        "sqlmigrations_migrationevent",
        "sqlmigrations_migrationrecord",
        "sqlmigrations_report",
        "sqlmigrations_schemachange",
        "sqlmigrations_schemaexpectation",
        "sqlmigrations_schemasnapshot",
        "sqlmigrations_schematext",
    ]


def test_the_tables_go_to_the_schema_that_the_search_path_names(fresh_database: str) -> None:
    run_sql("CREATE SCHEMA app; CREATE SCHEMA later")
    connection = raw(connections["default"])
    connection.execute("SET search_path = app, public")
    assert ensure_tables(connections["default"]) == Tables("app")

    connection.execute("SET search_path = later, app")
    assert locate(connection).schema == "app"


def test_tables_that_djangos_history_promises_and_that_are_gone_are_told(fresh_database: str) -> None:
    ensure_tables(connections["default"])
    run_sql("DROP TABLE sqlmigrations_migrationevent, sqlmigrations_migrationrecord")

    with pytest.raises(ConfigurationError) as caught:
        ensure_tables(connections["default"])
    assert str(caught.value) == (
        "The tables of the history are missing from schema public, though Django's history says that they were made.\n"
        "  Find them in another schema, or run `manage.py migrate sqlmigrations zero --fake` and this again."
    )


def test_the_migration_is_reversible(fresh_database: str) -> None:
    objects = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sqlmigrations%'"
    functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'sqlmigrations%'"
    call_command("migrate", "sqlmigrations", verbosity=0)
    made = value(objects)
    assert made > 0
    assert value(functions) == 1

    call_command("migrate", "sqlmigrations", "zero", verbosity=0)
    assert value(objects) == 0
    assert value(functions) == 0

    call_command("migrate", "sqlmigrations", verbosity=0)
    assert value(objects) == made


def test_the_models_name_exactly_the_tables_columns(connection: Connection) -> None:
    for model in (MigrationRecord, MigrationEvent):
        in_database = rows(
            "SELECT column_name, is_nullable = 'YES' FROM information_schema.columns WHERE table_name = %s",
            model._meta.db_table,
        )
        in_model = [(field.column, field.null) for field in model._meta.concrete_fields]
        assert sorted(in_model) == sorted(in_database)
