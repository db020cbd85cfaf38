"""What models expect is found out once, and read from the database from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from sqlmigrations.database import raw
from sqlmigrations.history import ensure_tables
from sqlmigrations.schema import expected, live
from sqlmigrations.schema.catalog import Catalog
from sqlmigrations.schema.difference import Source
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.service.validate import ValidateOptions, validate
from tests.helpers import Settings, rows, run_sql

DRIFT = ("column", "public.auth_permission.name", "type")


@pytest.fixture
def migrated(fresh_database: str, django_db_blocker: DjangoDbBlocker, settings: Settings) -> Iterator[None]:
    """Migrate two apps of Django, and validate their models once."""
    from django.core.management import call_command

    settings.INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "sqlmigrations"]
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
        ensure_tables(connections["default"])
        assert found() == []
        expected._known.clear()  # as in the next process
        yield
        expected._known.clear()


def found() -> list[tuple[str, str, str]]:
    """Return what differs from the models."""
    report = validate(ValidateOptions())
    assert [each.what for each in report.skipped] == ["the snapshot"]
    assert report.examined["model table"] == 7
    return [(each.kind, each.object, each.attribute) for each in report.differences if each.source is Source.MODELS]


def refuse(*arguments: object) -> Catalog:
    raise AssertionError("this was to be found in the database")


def test_nothing_is_read_again_while_nothing_has_moved(migrated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "_found_out", refuse)
    monkeypatch.setattr(live, "read_catalog", refuse)
    assert found() == []


def test_a_drift_is_found_once_and_told_as_long_as_it_is_there(migrated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sql("ALTER TABLE auth_permission ALTER name TYPE varchar(300)")
    monkeypatch.setattr(expected, "_found_out", refuse)
    assert found() == [DRIFT]
    with monkeypatch.context() as patch:
        patch.setattr(live, "read_catalog", refuse)
        assert found() == [DRIFT]
    run_sql("ALTER TABLE auth_permission ALTER name TYPE varchar(255)")
    assert found() == []


def test_severities_of_the_project_are_judged_anew(migrated: None, settings: Settings) -> None:
    run_sql("ALTER TABLE auth_permission ALTER name TYPE varchar(300)")
    assert found() == [DRIFT]
    settings.SQLMIGRATIONS_DRIFT_SEVERITY = {"column.type": "info"}
    (difference,) = validate(ValidateOptions()).differences
    assert str(difference.severity) == "info"


def test_where_the_schema_can_not_be_made_the_answer_of_another_process_serves(
    migrated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_scratch(*arguments: object) -> Catalog:
        raise NoScratch("the server is a standby, which is read only", "")

    run_sql("ALTER TABLE auth_permission ALTER name TYPE varchar(300)")
    monkeypatch.setattr(expected, "materialise", no_scratch)
    assert found() == [DRIFT]


def test_an_edited_migration_is_found_out_again(
    migrated: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrapper = connections["default"]
    module = tmp_path / "fields.py"
    module.write_text("LENGTH = 100\n")
    monkeypatch.setattr(expected, "_modules", lambda: [str(module)])
    first = expected.expectation_key(wrapper)
    assert expected.expectation_key(wrapper) == first
    module.write_text("LENGTH = 200\n")
    assert expected.expectation_key(wrapper) != first


def test_names_that_a_session_quotes_needlessly_are_the_same(migrated: None) -> None:
    """As a role or database may have it: what models expect is found out anew, and compared with the live tables."""
    run_sql("DELETE FROM sqlmigrations_schemaexpectation")
    raw(connections["default"]).execute("SET quote_all_identifiers = on")
    assert found() == []


def test_a_session_that_may_not_write_is_answered_all_the_same(migrated: None) -> None:
    run_sql("ALTER TABLE auth_permission ALTER name TYPE varchar(300)")
    connections["default"].ensure_connection()
    raw(connections["default"]).execute("SET default_transaction_read_only = on")
    assert found() == [DRIFT]
    assert rows("SELECT verdict -> 'differences' FROM sqlmigrations_schemaexpectation") == [([],)]


def test_without_the_table_all_is_found_out_each_time(migrated: None) -> None:
    run_sql("DROP TABLE sqlmigrations_schemaexpectation")
    assert found() == []


def test_each_drift_from_the_models_has_a_proven_fix_that_undoes_it(migrated: None, settings: Settings) -> None:
    settings.SQLMIGRATIONS_REQUIRED_TABLES = {"auth_user": ["email"], "public.auth_group": [], "elsewhere": []}
    run_sql("""
        ALTER TABLE auth_permission ALTER name TYPE varchar(200);
        ALTER TABLE auth_user DROP COLUMN email, ALTER last_name DROP NOT NULL;
        ALTER TABLE auth_user_groups DROP CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq;
        DROP INDEX auth_permission_content_type_id_2f476e4b;
        DROP TABLE auth_group CASCADE;
        ALTER TABLE django_content_type ADD note text;
    """)
    report = validate(ValidateOptions(fix=True))
    serious = [each for each in report.differences if each.source in (Source.MODELS, Source.REQUIRED)]
    fixes = {(each.source.value, each.kind, each.object, each.attribute): each.fix for each in serious}
    cascaded = {
        ("models", "constraint", f"public.{name}", "presence")
        for name in (
            "auth_group_permissions.auth_group_permissions_group_id_b120cbf9_fk_auth_group_id",
            "auth_user_groups.auth_user_groups_group_id_97559544_fk_auth_group_id",
        )
    }
    assert fixes.keys() == {
        ("models", "column", "public.auth_permission.name", "type"),
        ("models", "column", "public.auth_user.email", "presence"),
        ("models", "column", "public.auth_user.last_name", "not_null"),
        (
            "models",
            "constraint",
            "public.auth_user_groups.auth_user_groups_user_id_group_id_94350c0c_uniq",
            "presence",
        ),
        ("models", "index", "public.auth_permission_content_type_id_2f476e4b", "presence"),
        ("models", "table", "public.auth_group", "presence"),
        *cascaded,
        ("models", "column", "public.django_content_type.note", "presence"),
        ("required", "column", "auth_user.email", "presence"),
        ("required", "table", "public.auth_group", "presence"),
        ("required", "table", "elsewhere", "presence"),
    }
    assert fixes.pop(("models", "column", "public.django_content_type.note", "presence")) == ""
    assert fixes.pop(("required", "table", "elsewhere", "presence")) == (
        "-- No run, model or replay that was asked knows how it was made."
    )
    for source, required in (("column", "auth_user.email"), ("table", "public.auth_group")):
        of_model = "public.auth_user.email" if source == "column" else required
        assert fixes.pop(("required", source, required, "presence")) == fixes["models", source, of_model, "presence"]
    assert [fix for fix in fixes.values() if "unproven" in fix] == []
    tables = [fix for key, fix in fixes.items() if key[1] == "table"]
    others = [fix for key, fix in fixes.items() if key[1] != "table"]
    for fix in tables + others:
        for statement in fix.replace("-- ", "").split(";"):
            run_sql(statement)
    assert found() == [("column", "public.django_content_type.note", "presence")]
