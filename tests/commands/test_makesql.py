"""``makesql`` makes the next file of a folder, fills it from the drift when asked to, and overwrites nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers import Ran, Settings, applysql, manage, put, run_sql, states, value

UP = "-- What the file changes. It runs in one transaction.\n"
DOWN = "-- What undoes it, newest first.\n"


def files(folder: Path) -> dict[str, str]:
    """Return the texts below a folder by name."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.sql"))}


def test_the_first_file_of_a_folder(folder: Path) -> None:
    assert manage("makesql", "Add customers") == Ran(
        f"Made {folder}/001_add_customers.sql\nMade {folder}/001_add_customers.down.sql\n"
        "Fill it, then: manage.py applysql\n",
        "",
        0,
    )
    assert files(folder) == {"001_add_customers.sql": UP, "001_add_customers.down.sql": DOWN}


@pytest.mark.parametrize(
    ("present", "made"),
    [
        (["001_a.sql", "002_b.sql"], "003_new.sql"),
        (["0007_a.sql"], "0008_new.sql"),
        (["009.sql", "009.down.sql"], "010_new.sql"),
        (["20260101_a.sql"], "20260102_new.sql"),
        (["repeatable/099_view.sql"], "001_new.sql"),
        (["plain.sql"], "001_new.sql"),
    ],
)
def test_the_next_number(folder: Path, present: list[str], made: str) -> None:
    put(folder, dict.fromkeys(present, "SELECT 1;"))
    assert manage("makesql", "new").code == 0
    assert sorted(files(folder).keys() - {*present}) == [made.replace(".sql", ".down.sql"), made]


def test_numbers_that_are_used_up(folder: Path, settings: Settings) -> None:
    put(folder, {"9_a.sql": "SELECT 1;"})
    assert manage("makesql", "new") == Ran(
        "",
        "CommandError: The numbers of 1 digit are used up: 10 would sort before 9.\n"
        '  Set SQLMIGRATIONS_ORDER = "number".\n',
        2,
    )
    settings.SQLMIGRATIONS_ORDER = "number"
    assert manage("makesql", "new").code == 0
    assert "10_new.sql" in files(folder)


def test_repeatables_and_seeds_have_no_number(folder: Path) -> None:
    assert manage("makesql", "repeatable/Totals").code == 0
    assert manage("makesql", "seed/demo.sql", "-v", "0").out == f"Made {folder}/seed/demo.sql\n"
    assert files(folder) == {"repeatable/totals.sql": UP, "seed/demo.sql": UP}


def test_nothing_is_overwritten(folder: Path) -> None:
    put(folder, {"repeatable/totals.sql": "SELECT 1;", "001_a.sql": "SELECT 1;", "002_new.down.sql": "SELECT 2;"})
    before = files(folder)
    for name in ("repeatable/totals", "new"):
        answer = manage("makesql", name)
        assert (answer.out, answer.code) == ("", 2)
        assert re.fullmatch(r"CommandError: \S+ is there already\.\n  Choose another name\.\n", answer.err)
    assert files(folder) == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["!"], "'!' is no name for a file.\n  Say what it changes: add_customers_index\n"),
        (["views/a"], "There is no folder views/ for SQL files.\n  Name a file, or one in repeatable/ or seed/.\n"),
        (["a", "--app", "nothing"], "There is no app 'nothing'.\n  Name one of INSTALLED_APPS by its label.\n"),
    ],
)
def test_what_can_not_be_made(folder: Path, arguments: list[str], error: str) -> None:
    assert manage("makesql", *arguments) == Ran("", f"CommandError: {error}", 2)
    assert files(folder) == {}


def test_a_project_without_a_folder(settings: Settings) -> None:
    settings.SQLMIGRATIONS_DIRS = []
    assert manage("makesql", "a") == Ran(
        "",
        "CommandError: Database 'default' has no folder of SQL files.\n"
        "  Name one in SQLMIGRATIONS_DIRS, or an app: manage.py makesql NAME --app LABEL\n",
        2,
    )


def test_the_document(folder: Path) -> None:
    assert json.loads(manage("makesql", "a", "--format", "json").out) == {
        "schema_version": 1,
        "command": "makesql",
        "database": "default",
        "name": "001_a.sql",
        "path": f"{folder}/001_a.sql",
        "down": f"{folder}/001_a.down.sql",
        "left_out": [],
    }


# From the drift

BASE = """
CREATE TABLE customers (id integer PRIMARY KEY, email text, city text);
CREATE VIEW cities AS SELECT DISTINCT city FROM customers;
"""


def test_drift_becomes_a_file_that_makes_it_elsewhere(fresh_database: str, folder: Path) -> None:
    put(folder, {"001_customers.sql": BASE})
    assert applysql().code == 0
    run_sql("CREATE INDEX customers_email_idx ON customers (email)")
    run_sql("ALTER TABLE customers ADD phone text")
    made = manage("makesql", "phones", "--from-drift")
    assert made == Ran(
        f"Made {folder}/002_phones.sql\nMade {folder}/002_phones.down.sql\n"
        "Read it. This database has the change already, so record the file here without running it, and accept the "
        "schema:\n  manage.py applysql --fake 002_phones.sql\n  manage.py validateschema --accept --reason TEXT\n",
        "",
        0,
    )
    assert files(folder)["002_phones.sql"] == (
        "-- sqlmigrations: transaction off\n\n"
        "-- column public.customers.phone: presence\n"
        "ALTER TABLE public.customers ADD COLUMN phone text;\n\n"
        "-- index public.customers_email_idx: presence\n"
        "CREATE INDEX CONCURRENTLY customers_email_idx ON public.customers USING btree (email);\n"
    )
    assert files(folder)["002_phones.down.sql"] == (
        "-- sqlmigrations: transaction off\n\n"
        "-- index public.customers_email_idx: presence\n"
        "DROP INDEX CONCURRENTLY public.customers_email_idx;\n\n"
        "-- column public.customers.phone: presence\n"
        "-- ALTER TABLE public.customers DROP COLUMN phone;\n"
    )
    assert applysql("--fake", "002_phones.sql").code == 0
    assert manage("validateschema", "--accept", "--reason", "for the call centre").code == 0
    assert manage("validateschema").code == 0
    # And on a database where nobody changed anything:
    run_sql("DROP INDEX customers_email_idx; ALTER TABLE customers DROP phone")
    run_sql("DELETE FROM sqlmigrations_migrationrecord WHERE filename = '002_phones.sql'")
    assert applysql().code == 0
    assert states()["002_phones.sql"] == "applied"
    assert value("SELECT count(*) FROM pg_indexes WHERE indexname = 'customers_email_idx'") == 1


def test_a_schema_without_drift_makes_no_file(fresh_database: str, folder: Path) -> None:
    put(folder, {"001_customers.sql": BASE})
    assert manage("makesql", "a", "--from-drift").err == (
        "CommandError: There is nothing to compare the schema with: no run has left one.\n"
        "  The next run that applies a file leaves one, or: manage.py validateschema --accept --reason TEXT\n"
    )
    assert applysql().code == 0
    assert manage("makesql", "a", "--from-drift") == Ran(
        "",
        "CommandError: Nothing was changed by hand since the last run.\n"
        "  Make an empty file: leave out --from-drift.\n",
        2,
    )
    assert sorted(files(folder)) == ["001_customers.sql"]


# Fixes in a validation


def test_a_fix_is_printed_with_its_author_once_it_was_tried(fresh_database: str, folder: Path) -> None:
    put(folder, {"001_customers.sql": BASE})
    assert applysql().code == 0
    assert manage("validateschema", "--ddl-log", "install").code == 0
    for statement in ("CREATE INDEX by_hand ON customers (email)", "ALTER TABLE customers ADD phone text"):
        run_sql(statement)
    run_sql("DROP VIEW cities")
    answer = manage("validateschema", "--fix")
    assert answer.code == 1
    told = re.sub(r"changed <when> by (\w+) \([^)]*\)", r"changed <when> by \1", answer.out)
    assert told.splitlines()[:-2] == [
        "What the last run left:",
        "  error view public.cities: presence should be present, found absent",
        f"    made in {folder}/001_customers.sql:3",
        "    changed <when> by postgres: DROP VIEW cities",
        "    Fix: CREATE VIEW public.cities AS",
        "          SELECT DISTINCT city",
        "            FROM public.customers;",
        '         ALTER VIEW public.cities OWNER TO "postgres";',
        "  warning column public.customers.phone: presence should be absent, found present",
        f"    its table is made in {folder}/001_customers.sql:2",
        "    changed <when> by postgres: ALTER TABLE customers ADD phone text",
        "    Fix: -- ALTER TABLE public.customers DROP COLUMN phone;",
        "  warning index public.by_hand: presence should be absent, found present",
        "    changed <when> by postgres: CREATE INDEX by_hand ON customers (email)",
        "    Fix: DROP INDEX CONCURRENTLY public.by_hand;",
    ]


def test_a_fix_that_can_not_be_tried_says_so(fresh_database: str, folder: Path, settings: Settings) -> None:
    put(folder, {"001_customers.sql": BASE})
    assert applysql().code == 0
    run_sql("DROP VIEW cities")
    settings.SQLMIGRATIONS_PRODUCTION = True
    ((fix,),) = [
        [each["fix"] for each in json.loads(manage("validateschema", "--fix", "--format", "json").out)["drift"]]
    ]
    assert fix.splitlines()[0] == "-- unproven: no scratch database to try it in: SQLMIGRATIONS_PRODUCTION is set"


def test_a_place_where_nothing_can_be_written(fresh_database: str, folder: Path, settings: Settings) -> None:
    put(folder, {"file": ""})
    settings.SQLMIGRATIONS_DIRS = [folder / "file" / "below"]
    assert manage("makesql", "users") == Ran(
        "", f"CommandError: {folder}/file/below can't be written: Not a directory.\n", 2
    )
