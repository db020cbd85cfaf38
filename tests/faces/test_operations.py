"""SQL files that Django migrations apply: forwards, backwards, in one transaction or in none."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter

from sqlmigrations import api, signals
from sqlmigrations.database import raw
from sqlmigrations.exceptions import InvalidFiles, SQLMigrationsError
from sqlmigrations.history import Tables, ensure_tables, verify_chain
from sqlmigrations.operations import ApplySQL
from sqlmigrations.service.apply import ApplyOptions, apply
from tests.databases import session
from tests.helpers import Ran, Settings, applysql, events, put, rows, run_sql, states, tables, value

FILES = {"001.sql": "CREATE TABLE one (id int);", "001.down.sql": "DROP TABLE one;"}


@pytest.fixture
def database(fresh_database: str) -> str:
    """Return a new database that has the tables of the history."""
    ensure_tables(connections["default"])
    return fresh_database


def migrate(*operations: Any, backwards: bool = False, atomic: bool = True) -> None:
    """Apply a migration of the app ``shop`` with these operations, as Django's executor does; or unapply it."""
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), "atomic": atomic})
    migration = made("0003_sql", "shop")
    with connections["default"].schema_editor(atomic=atomic) as editor:
        (migration.unapply if backwards else migration.apply)(ProjectState(), editor)


def checked() -> None:
    """Check that the history's chain is intact."""
    assert verify_chain(raw(connections["default"]), Tables("public")).is_intact


# Forwards and backwards


def test_forwards_and_backwards(database: str, folder: Path) -> None:
    put(folder, FILES)
    migrate(ApplySQL("001.sql"))
    assert (tables(), states()) == (["one"], {"001.sql": "applied"})
    migrate(ApplySQL("001.sql"), backwards=True)
    assert (tables(), states()) == ([], {"001.sql": "reverted"})
    migrate(ApplySQL("001.sql"))
    assert (tables(), states()) == (["one"], {"001.sql": "applied"})
    assert events() == [
        (type, "001.sql") for type in ("started", "applied", "started", "reverted", "started", "applied")
    ]
    assert applysql("--check") == Ran("Every SQL file is applied.\n", "", 0)
    checked()


def test_several_files_and_statements_of_one_migration_are_one_transaction(database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);", "002.sql": "CREATE TABLE two (id int);"})
    fails = migrations.RunSQL("SELECT 1/0")
    for last in (fails, migrations.RunSQL("SELECT 1")):
        operations = [ApplySQL("001.sql"), migrations.RunSQL("ALTER TABLE one ADD a int"), ApplySQL("002.sql"), last]
        if last is fails:
            with pytest.raises(Exception, match="division by zero"):
                migrate(*operations)
            assert (tables(), states(), events()) == ([], {}, [])
        else:
            migrate(*operations)
    assert (tables(), states()) == (["one", "two"], {"001.sql": "applied", "002.sql": "applied"})
    checked()


def test_a_file_that_fails_fails_the_migration(database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);\nSELECT nothing;"})
    with pytest.raises(SQLMigrationsError) as caught:
        migrate(ApplySQL("001.sql"))
    assert str(caught.value).startswith('001.sql:2: column "nothing" does not exist')
    assert (tables(), states()) == ([], {})


def test_a_verify_script_is_run(database: str, folder: Path) -> None:
    put(folder, {**FILES, "001.verify.sql": "SELECT false AS nothing_is_right;"})
    with pytest.raises(SQLMigrationsError, match="nothing_is_right"):
        migrate(ApplySQL("001.sql"))
    assert (tables(), states()) == ([], {})


# Once, whoever comes first


def test_what_applysql_has_applied_is_not_run_again(database: str, folder: Path) -> None:
    put(folder, FILES)
    apply(ApplyOptions())
    before = events()
    migrate(ApplySQL("001.sql"))
    assert events() == before
    migrate(ApplySQL("001.sql"), backwards=True)
    assert (tables(), states()) == ([], {"001.sql": "reverted"})


def test_what_a_migration_has_applied_is_not_run_again(database: str, folder: Path) -> None:
    put(folder, FILES)
    migrate(ApplySQL("001.sql"))
    before = events()
    assert [file.name for file in apply(ApplyOptions()).files] == []
    assert events() == before
    call_command("revertsql", "001", interactive=False, stdout=io.StringIO())
    migrate(ApplySQL("001.sql"), backwards=True)
    assert events()[len(before) :] == [("started", "001.sql"), ("reverted", "001.sql")]


def test_a_file_that_was_edited_afterwards_is_left_alone_too(database: str, folder: Path) -> None:
    put(folder, FILES)
    apply(ApplyOptions())
    put(folder, {"001.sql": "CREATE TABLE other (id int);"})
    migrate(ApplySQL("001.sql"))
    assert tables() == ["one"]


def test_backwards_where_nothing_was_applied(database: str, folder: Path) -> None:
    put(folder, FILES)
    migrate(ApplySQL("001.sql"), backwards=True)
    assert (states(), events()) == ({}, [])


def test_the_down_script_is_the_one_that_was_kept(database: str, folder: Path) -> None:
    put(folder, FILES)
    migrate(ApplySQL("001.sql"))
    for name in FILES:
        (folder / name).unlink()
    migrate(ApplySQL("001.sql"), backwards=True)
    assert tables() == []


@pytest.mark.processes
def test_another_run_is_waited_for_and_named(
    database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sqlmigrations.runner.lock import RUN_CLASS, key_of
    from sqlmigrations.service import within_migration

    monkeypatch.setattr(within_migration, "LOCK_WAIT", 0.0)
    put(folder, FILES)
    with session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        with pytest.raises(SQLMigrationsError, match=rf"^Another run holds the lock: pid {other.info.backend_pid} "):
            migrate(ApplySQL("001.sql"))
        other.execute("SELECT pg_advisory_unlock_all()")  # a session that was closed holds it for a moment longer
    assert "Waiting for another run: pid" in caplog.text
    with transaction.atomic():
        migrate(ApplySQL("001.sql"))
        # Until the transaction ends, no other run begins.
        key = key_of("public")
        assert value("SELECT pg_try_advisory_lock(%s, %s)", RUN_CLASS, key) is False
    assert value("SELECT pg_try_advisory_lock(%s, %s)", RUN_CLASS, key) is True


# What is refused


#: Files, the name that the operation gives, and what is said.
REFUSED: list[tuple[dict[str, str], str, str]] = [
    (
        {},
        "001.sql",
        "Database 'default' has no SQL file 001.sql, neither of the app 'shop' nor by its whole name.\n"
        "  See the names with: manage.py applysql --list. If it belongs to another database, let a router keep the "
        "migration from this one.",
    ),
    (
        {"seed/some.sql": "SELECT 1;"},
        "seed/some.sql",
        "seed/some.sql is a seed file; a migration applies versioned ones, which run once.\n"
        "  Repeatable files run by themselves when their text changes, seeds with: applysql --seed NAME",
    ),
    (
        {"001.sql": "-- sqlmigrations: transaction off\nSELECT 1;"},
        "001.sql",
        "001.sql: It has `transaction off`, and the migration that runs it has a transaction.\n"
        "  Write into the migration: atomic = False",
    ),
    (
        {"001.sql": "-- sqlmigrations: isolation serializable\nSELECT 1;"},
        "001.sql",
        "001.sql: It has `isolation serializable`, which only the first statement of a transaction can set.\n"
        "  Take the directive out, or write into the migration: atomic = False",
    ),
    (
        {"001.sql": "SELECT 1;", "002.sql": "-- sqlmigrations: requires 001.sql\nSELECT 1;"},
        "002.sql",
        "002.sql: It requires 001.sql, which is not applied.\n"
        "  Apply it first: by an ApplySQL before this one, or with: manage.py applysql 001.sql",
    ),
]


def test_what_a_migration_does_not_apply(database: str, folder: Path) -> None:
    """The database stays as it is, so that one is enough for all."""
    for files, name, message in REFUSED:
        for path in (path for path in folder.rglob("*") if path.is_file()):
            path.unlink()
        put(folder, files)
        with pytest.raises(SQLMigrationsError) as caught:
            migrate(ApplySQL(name))
        assert str(caught.value) == message
    put(folder, {"002.sql": "SELECT 1;\nCOMMIT;"})
    with pytest.raises(InvalidFiles, match=r"^002\.sql:2: "):
        migrate(ApplySQL("002.sql"))
    assert (states(), events()) == ({}, [])


def test_a_file_without_a_down_script_is_not_reverted(database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);"})
    migrate(ApplySQL("001.sql"))
    with pytest.raises(SQLMigrationsError, match=r"^001.sql has no down script that can be run: it had none"):
        migrate(ApplySQL("001.sql"), backwards=True)
    assert (tables(), states()) == (["one"], {"001.sql": "applied"})


def test_what_others_build_on_is_not_reverted(database: str, folder: Path) -> None:
    put(folder, {**FILES, "002.sql": "CREATE VIEW two AS TABLE one;"})
    migrate(ApplySQL("001.sql"))
    apply(ApplyOptions())
    with pytest.raises(SQLMigrationsError) as caught:
        migrate(ApplySQL("001.sql"), backwards=True)
    assert str(caught.value) == (
        "002.sql was applied later and touches one, as does 001.sql.\n"
        "  Revert both before: manage.py revertsql 001.sql --cascade"
    )
    assert states() == {"001.sql": "applied", "002.sql": "applied"}


# A migration without a transaction


def test_a_file_outside_a_transaction(database: str, folder: Path) -> None:
    put(folder, {**FILES, "002.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON one (id);"})
    migrate(ApplySQL("001.sql"), ApplySQL("002.sql"), atomic=False)
    assert states() == {"001.sql": "applied", "002.sql": "applied"}
    assert value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") is True
    checked()


def test_a_failure_outside_a_transaction_is_on_record(database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1/0;"})
    with pytest.raises(SQLMigrationsError, match="division by zero"):
        migrate(ApplySQL("001.sql"), atomic=False)
    assert (states(), events()) == ({"001.sql": "failed"}, [("started", "001.sql"), ("failed", "001.sql")])


# The transaction is others' as well


def test_what_the_migration_set_and_made_stays(database: str, folder: Path) -> None:
    run_sql("CREATE TABLE parent (id int PRIMARY KEY)")
    run_sql("CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    put(folder, {"001.sql": "SET search_path = nowhere; SET ROLE pg_monitor; SET work_mem = '1MB';"})
    names = ("search_path", "role", "work_mem", "app.mine", "lock_timeout", "TimeZone", "synchronous_commit")
    ask = "SELECT " + ", ".join(f"current_setting('{name}')" for name in (*names, "idle_session_timeout"))

    def look(apps: Any, editor: Any) -> None:
        with editor.connection.cursor() as cursor:
            cursor.execute(ask)
            seen.append(cursor.fetchone())

    seen: list[Any] = []
    migrate(
        migrations.RunSQL("SET work_mem = '7MB'; SET LOCAL app.mine = 'kept'; CREATE TEMP TABLE kept (id int)"),
        migrations.RunSQL("INSERT INTO child VALUES (1)"),  # its parent comes below
        migrations.RunPython(look),
        ApplySQL("001.sql"),
        migrations.RunPython(look),
        migrations.RunSQL("INSERT INTO kept VALUES (1); INSERT INTO parent VALUES (1)"),
    )
    before, after = seen
    assert before[2:4] == ("7MB", "kept")
    assert after == before
    assert rows("TABLE child") == [(1,)]


# Signals


def test_signals_tell_what_was_committed(database: str, folder: Path) -> None:
    put(folder, {**FILES, "002.sql": "SELECT 1/0;"})
    heard: list[tuple[str, str]] = []

    def hear(signal: Any, name: str, **given: Any) -> None:
        heard.append((next(key for key, value in vars(signals).items() if value is signal), name))

    of_files = (
        signals.migration_started,
        signals.migration_applied,
        signals.migration_reverted,
        signals.migration_failed,
    )
    for signal in of_files:
        signal.connect(hear)
    try:
        with transaction.atomic():
            migrate(ApplySQL("001.sql"))
            assert heard == [("migration_started", "001.sql")]
        migrate(ApplySQL("001.sql"), backwards=True)
        with pytest.raises(SQLMigrationsError):
            migrate(ApplySQL("002.sql"))
    finally:
        for signal in of_files:
            signal.disconnect(hear)
    assert heard == [
        ("migration_started", "001.sql"),
        ("migration_applied", "001.sql"),
        ("migration_started", "001.sql"),
        ("migration_reverted", "001.sql"),
        ("migration_started", "002.sql"),
        ("migration_failed", "002.sql"),
    ]


# In a project


APP = {
    "models.py": (
        "from django.db import models\n\n"
        "class Book(models.Model):\n"
        "    title = models.TextField()\n"
        "    search = models.TextField(null=True)\n"
    ),
    "migrations/0001_initial.py": (
        "from django.db import migrations, models\n\n"
        "class Migration(migrations.Migration):\n"
        "    initial = True\n"
        "    operations = [migrations.CreateModel('Book', [('id', models.BigAutoField(primary_key=True, "
        "auto_created=True, serialize=False, verbose_name='ID')), ('title', models.TextField())])]\n"
    ),
    "migrations/0002_search.py": (
        "from django.db import migrations, models\n"
        "from sqlmigrations.operations import ApplySQL\n\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shelf', '0001_initial')]\n"
        "    operations = [ApplySQL('001_search.sql', state_operations=[migrations.AddField('book', 'search', "
        "models.TextField(null=True))])]\n"
    ),
    "migrations_sql/001_search.sql": (
        "-- sqlmigrations: requires django:shelf.0001_initial\nALTER TABLE shelf_book ADD search text;\n"
    ),
    "migrations_sql/001_search.down.sql": "ALTER TABLE shelf_book DROP search;\n",
}


@pytest.fixture
def shelf(fresh_database: str, install: Callable[..., Path]) -> Path:
    """Install an app whose second migration applies a file; its label comes before ours in Django's order."""
    return install("shelf", APP)


def manage(*arguments: str) -> str:
    """Run a command of Django's and return its words."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, no_color=True)
    return out.getvalue()


def columns() -> list[str]:
    """Return the columns of the app's table."""
    found = rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'shelf_book' ORDER BY 1")
    return [name for (name,) in found]


def test_a_project_from_nothing_and_back(shelf: Path) -> None:
    """Its migration comes before ours, so that it makes the history's tables; ours find them there."""
    told = manage("migrate")
    order = re.findall(r"Applying (\S+)\.\.\. OK", told)
    assert order.index("shelf.0002_search") < order.index("sqlmigrations.0001_initial")
    assert (columns(), states()) == (["id", "search", "title"], {"shelf/001_search.sql": "applied"})
    assert applysql("--check") == Ran("Every SQL file is applied.\n", "", 0)
    assert manage("makemigrations", "--check", "--dry-run") == "No changes detected\n"
    assert manage("migrate").endswith("  No migrations to apply.\n")
    recorded = [name for (name,) in rows("SELECT name FROM django_migrations WHERE app = 'sqlmigrations'")]
    assert set(recorded) == {name for app, name in MigrationLoader(None).disk_migrations if app == "sqlmigrations"}
    assert applysql().code == 0  # keeps the first version of the schema
    manage("migrate", "shelf", "0001")
    assert (columns(), states()) == (["id", "title"], {"shelf/001_search.sql": "reverted"})
    assert "Apply the SQL file 001_search.sql" in manage("migrate", "--plan")
    manage("migrate", "shelf")
    assert columns() == ["id", "search", "title"]
    assert api.validate().differences == ()
    checked()


def test_applysql_before_the_migration(shelf: Path) -> None:
    """The file waits for the migration that it requires, and the one that applies it finds it done."""
    assert "requires the Django migration shelf.0001_initial" in applysql("--plan").out
    manage("migrate", "shelf", "0001")
    assert applysql().code == 0
    manage("migrate")
    assert states() == {"shelf/001_search.sql": "applied"}
    assert [type for type, name in events()] == ["started", "applied"]


def test_sqlmigrate_shows_the_files(shelf: Path) -> None:
    assert manage("sqlmigrate", "shelf", "0002") == (
        "BEGIN;\n--\n-- Apply the SQL file 001_search.sql\n--\n-- shelf/001_search.sql\n"
        + APP["migrations_sql/001_search.sql"]
        + "COMMIT;\n"
    )
    assert manage("sqlmigrate", "shelf", "0002", "--backwards") == (
        "BEGIN;\n--\n-- Apply the SQL file 001_search.sql\n--\n-- shelf/001_search.down.sql\n"
        + APP["migrations_sql/001_search.down.sql"]
        + "COMMIT;\n"
    )
    (shelf / "migrations_sql/001_search.down.sql").unlink()
    assert "-- 001_search.sql has no down script on disk." in manage("sqlmigrate", "shelf", "0002", "--backwards")


@pytest.mark.nightly
def test_a_replay_and_a_round_trip(shelf: Path) -> None:
    """Migrations that apply files are replayed with them."""
    manage("migrate")
    told = manage("validateschema", "--replay", "--roundtrip", "-v0")
    assert told == (
        "Skipped the snapshot: no run has left one. The next run that applies a file leaves one, or: "
        "manage.py validateschema --accept --reason TEXT\n"
        "Skipped the round trip of shelf/001_search.sql: a Django migration applies it. Migrate its app backwards and "
        "forwards in a database for tests.\n"
    )


# The operation itself


def test_a_squashed_migration_has_it() -> None:
    added = migrations.AddField("book", "search", models.TextField(null=True))
    text, imports = OperationWriter(ApplySQL("001.sql", state_operations=[added], hints={"a": 1}), 0).serialize()
    assert "import sqlmigrations.operations" in imports
    assert text.startswith("sqlmigrations.operations.ApplySQL(\n    name='001.sql',\n    state_operations=[")
    assert OperationWriter(ApplySQL("001.sql"), 0).serialize()[0] == (
        "sqlmigrations.operations.ApplySQL(\n    name='001.sql',\n),"
    )
    assert ApplySQL("shop/001_Search.sql").migration_name_fragment == "001_search"


def test_routers_decide(database: str, folder: Path, settings: Settings) -> None:
    class Never:
        def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
            return not hints.get("sql")

    settings.DATABASE_ROUTERS = [Never()]
    put(folder, FILES)
    migrate(ApplySQL("001.sql", hints={"sql": True}))
    assert states() == {}
