"""Tests of what models expect: nothing is found where nothing is wrong, and each thing that is wrong is found."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps as real_apps
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.db.transaction import atomic

from sqlmigrations.database import raw
from sqlmigrations.schema import expected as module
from sqlmigrations.schema import materialise
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.expected import compare_models, expected_of, models_catalog
from sqlmigrations.schema.scratch import NoScratch
from tests.helpers import Settings, catalog, role, rows, run_sql


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Keep nothing from test to test."""
    module._known.clear()


def found(live: BaseDatabaseWrapper) -> list[tuple[str, str, str, str, str, str]]:
    """Return the differences between models and database, in short."""
    differences = compare_models(raw(live), models_catalog(live), read_catalog(raw(live)))
    return [(d.severity, d.kind, d.object, d.attribute, d.expected, d.found) for d in differences]


def serious(live: BaseDatabaseWrapper) -> list[tuple[str, ...]]:
    """Return the differences that are more than information."""
    return [row[1:] for row in found(live) if row[0] != "info"]


# Nothing is wrong

CONTRIB = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # one that leaves the admin site as it is
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.flatpages",
    "django.contrib.redirects",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "sqlmigrations",
]


@pytest.mark.parametrize("auto_field", ["AutoField", "BigAutoField", "SmallAutoField"])
def test_nothing_in_the_apps_of_django(live: BaseDatabaseWrapper, settings: Settings, auto_field: str) -> None:
    settings.INSTALLED_APPS = CONTRIB
    settings.DEFAULT_AUTO_FIELD = f"django.db.models.{auto_field}"
    call_command("migrate", verbosity=0)
    expected = models_catalog(live)
    assert expected.skipped == ()
    assert {table.partition("_")[0] for kind, table in expected.catalog.objects if kind == "table"} == {
        "public.auth",
        "public.django",
    }
    assert found(live) == []


def test_nothing_after_renames(library: BaseDatabaseWrapper) -> None:
    expected = models_catalog(library)
    assert expected.skipped == ()
    assert expected.links == {
        '"Back Office"."invoice copies"',
        "public.auth_group_permissions",
        "public.auth_user_groups",
        "public.auth_user_user_permissions",
        "public.library_book_topics",
    }
    assert found(library) == []


def test_tables_of_other_databases_proxies_and_unmanaged_models_are_not_expected(library: BaseDatabaseWrapper) -> None:
    tables = {name for kind, name in models_catalog(library).catalog.objects if kind == "table"}
    assert {name for name in tables if "library" in name or "Office" in name or "Pay" in name} == {
        '"Back Office"."Invoice"',
        '"Back Office"."invoice copies"',
        'public."Payments of users"',
        "public.library_book",
        "public.library_book_topics",
        "public.library_journal",
        "public.library_loan",
        "public.library_subject",
        "public.library_writer",
    }


def test_pending_migrations_are_no_difference(library_settings: None, live: BaseDatabaseWrapper) -> None:
    call_command("migrate", "library", "0001", verbosity=0)
    assert found(live) == []
    assert not any(name.startswith("public.auth") for _kind, name in models_catalog(live).catalog.objects)


def test_nothing_without_migrations(live: BaseDatabaseWrapper) -> None:
    assert models_catalog(live).catalog.objects == {}


def test_names_are_looked_at_without_leaving_a_setting_in_an_open_transaction(live: BaseDatabaseWrapper) -> None:
    raw(live).execute("SET quote_all_identifiers = on")
    with atomic():
        assert materialise.materialise(live, (), ProjectState().apps) == materialise.Materialised(Catalog({}))
        assert raw(live).execute("SHOW quote_all_identifiers").fetchone() == ("on",)


def test_portions_lead_to_the_same(library: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = models_catalog(library)
    module._known.clear()
    monkeypatch.setattr(materialise, "MOST_TABLES", 2)
    assert models_catalog(library) == whole


def test_a_model_that_can_not_be_made_is_named(library: BaseDatabaseWrapper) -> None:
    run_sql("ALTER FUNCTION next_number() RENAME TO other_number")
    expected = models_catalog(library)
    assert [(skipped.what, skipped.reason) for skipped in expected.skipped] == [
        ("model library.Loan", "function next_number() does not exist")
    ]
    assert serious(library) == []


# Nothing is touched


def test_nothing_is_left_and_nothing_is_changed(library: BaseDatabaseWrapper) -> None:
    before = catalog()
    models_catalog(library)
    assert catalog() == before


def test_no_lock_on_relations_of_the_user(library: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks stay until the end of the transaction, so all that were taken are seen where the catalog is read."""
    statement = """
        SELECT DISTINCT n.nspname::text, c.relname::text, l.mode
          FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE l.pid = pg_backend_pid()
    """
    seen: list[tuple[str, str, str]] = []

    def looking(connection: Any, **options: Any) -> Any:
        seen.extend(connection.execute(statement).fetchall())
        return read_catalog(connection, **options)

    monkeypatch.setattr(materialise, "read_catalog", looking)
    models_catalog(library)
    made = {(name, mode) for schema, name, mode in seen if schema.startswith("sqlm_")}
    assert ("library_loan", "AccessExclusiveLock") in made, "the test sees locks"
    assert ("publishers", "ShareRowExclusiveLock") in made, "the stand-in of an unmanaged model's table"
    others = {(schema, name, mode) for schema, name, mode in seen if not schema.startswith("sqlm_")}
    assert {row for row in others if row[0] not in ("pg_catalog", "pg_toast")} == set()


def test_an_open_transaction_stays_as_it_is(library: BaseDatabaseWrapper) -> None:
    connection = raw(library)
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE mine ()")
        models_catalog(library)
        assert connection.execute("SELECT to_regclass('mine')::text").fetchone() == ("mine",)
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_an_event_trigger_of_the_user_sees_nothing(library: BaseDatabaseWrapper) -> None:
    run_sql("""
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;
        CREATE EVENT TRIGGER refusing ON ddl_command_start EXECUTE FUNCTION refuse();
    """)
    assert serious(library) == []
    assert models_catalog(library).skipped == ()


def test_without_the_right_to_make_schemas(library: BaseDatabaseWrapper) -> None:
    with role("LOGIN") as name:
        own = library.copy()
        own.settings_dict["USER"] = name
        run_sql(f"GRANT SELECT ON django_migrations TO {name}")
        try:
            with pytest.raises(NoScratch) as refused:
                models_catalog(own)
        finally:
            own.close()
    database = library.settings_dict["NAME"]
    assert refused.value.reason == f"role {name} may not make schemas in database {database}"
    assert refused.value.remedy == f"GRANT CREATE ON DATABASE {database} TO {name};"


# Something is wrong

DRIFTS: list[tuple[str, list[tuple[str, ...]]]] = [
    (
        "DROP TABLE library_journal",
        [("error", "table", "public.library_journal", "presence", "present", "absent")],
    ),
    (
        "ALTER TABLE library_loan DROP COLUMN ratio",
        [("error", "column", "public.library_loan.ratio", "presence", "present", "absent")],
    ),
    (
        "ALTER TABLE library_writer ALTER COLUMN name TYPE varchar(120)",
        [("error", "column", "public.library_writer.name", "type", "character varying(100)", "character varying(120)")],
    ),
    (
        "ALTER TABLE library_writer ALTER COLUMN name DROP NOT NULL",
        [("error", "column", "public.library_writer.name", "not_null", "yes", "no")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN pages SET NOT NULL",
        [("error", "column", "public.library_loan.pages", "not_null", "no", "yes")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN made_at DROP DEFAULT",
        [("error", "column", "public.library_loan.made_at", "default", "statement_timestamp()", "none")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN pages SET DEFAULT 5",
        [("info", "column", "public.library_loan.pages", "default", "none", "5")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN id DROP IDENTITY",
        [("error", "column", "public.library_loan.id", "identity", "BY DEFAULT", "none")],
    ),
    (
        'ALTER TABLE library_loan ALTER COLUMN reader TYPE text COLLATE "default"',
        [("error", "column", "public.library_loan.reader", "collation", "public.loose", "none")],
    ),
    (
        "COMMENT ON TABLE library_loan IS 'other'",
        [("info", "table", "public.library_loan", "comment", "Books that are out", "other")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN tax DROP EXPRESSION",
        [("error", "column", "public.library_loan.tax", "generated", "(fee * 0.19) STORED", "none")],
    ),
    ("ALTER TABLE library_loan ALTER COLUMN state TYPE varchar(10) COLLATE \"C\" USING state || ''", []),
    (
        "ALTER TABLE library_loan DROP CONSTRAINT loan_overlap",
        [("error", "constraint", "public.library_loan.loan_overlap", "presence", "present", "absent")],
    ),
    (
        "ALTER TABLE library_book DROP CONSTRAINT library_book_publisher_id_40a14e76_fk_publishers_code",
        [
            (
                "error",
                "constraint",
                "public.library_book.library_book_publisher_id_40a14e76_fk_publishers_code",
                "presence",
                "present",
                "absent",
            )
        ],
    ),
    (
        "DROP INDEX loan_late; CREATE INDEX loan_late ON library_loan (book_id) INCLUDE (state) WHERE NOT is_late",
        [("error", "index", "public.loan_late", "predicate", "is_late", "(NOT is_late)")],
    ),
    (
        "DROP INDEX loan_like",
        [("error", "index", "public.loan_like", "presence", "present", "absent")],
    ),
    (
        "ALTER INDEX loan_like RENAME TO loan_other",
        [("info", "index", "public.loan_like", "name", "loan_like", "loan_other")],
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'loan_like'::regclass",
        [("error", "index", "public.loan_like", "valid", "yes", "no")],
    ),
    (
        'ALTER TABLE "Back Office"."Invoice" ADD COLUMN extra text',
        [("info", "column", '"Back Office"."Invoice".extra', "presence", "absent", "present")],
    ),
    (
        "ALTER TABLE library_writer ADD COLUMN extra text NOT NULL",
        [("warning", "column", "public.library_writer.extra", "presence", "absent", "present")],
    ),
    (
        "CREATE INDEX mine ON library_writer (number)",
        [("info", "index", "public.mine", "presence", "absent", "present")],
    ),
    (
        "ALTER TABLE library_book_topics ALTER COLUMN id TYPE integer",
        [("info", "column", "public.library_book_topics.id", "type", "bigint", "integer")],
    ),
    (
        "ALTER TABLE library_loan ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE s OWNED BY library_loan.id;"
        "ALTER TABLE library_loan ALTER COLUMN id SET DEFAULT nextval('s')",
        [
            ("info", "column", "public.library_loan.id", "default", "none", "nextval('public.s'::regclass)"),
            ("info", "column", "public.library_loan.id", "identity", "BY DEFAULT", "none"),
        ],
    ),
    ("CREATE TABLE mine (id int)", []),
    ("GRANT SELECT ON library_loan TO PUBLIC", []),
    ("ALTER TABLE publishers ADD COLUMN extra text", []),
]


def test_each_difference_is_found(library: BaseDatabaseWrapper) -> None:
    """One database for all: each is rolled back."""
    connection = raw(library)
    expected = models_catalog(library)
    wrong = []
    for statement, differences in DRIFTS:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
            answer = compare_models(connection, expected, read_catalog(connection))
        short = [(d.severity, d.kind, d.object, d.attribute, d.expected, d.found) for d in answer]
        if short != differences:
            wrong.append((statement, short))
    assert wrong == []


def test_nothing_by_the_models_of_the_code_either(live: BaseDatabaseWrapper) -> None:
    call_command("migrate", verbosity=0)
    apps = ProjectState.from_apps(real_apps).apps
    labels = {config.label for config in real_apps.get_app_configs()}
    assert compare_models(raw(live), expected_of(live, apps, labels), read_catalog(raw(live))) == ()


def test_what_was_found_out_is_kept_while_nothing_changes(
    library: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = models_catalog(library)
    assert models_catalog(library) is first
    run_sql("DROP EXTENSION btree_gin")
    assert models_catalog(library) is not first
    assert rows("SELECT FROM pg_namespace WHERE nspname LIKE 'sqlm\\_%'") == []
