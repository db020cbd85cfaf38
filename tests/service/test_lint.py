"""Findings of pending files with the database's help: shown by --plan, judged by --check --lint, refused by --lint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management.color import color_style

from sqlmigrations.output.text import check_lines
from sqlmigrations.service.apply import ApplyOptions, plan_run
from tests.helpers import applysql, put, run_sql, states, tables, value

OFF = "-- sqlmigrations: transaction off\n"
ORPHANS = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int);
CREATE INDEX children_parent_idx ON children (parent);
INSERT INTO parents SELECT n FROM generate_series(1, 2000) AS n;
INSERT INTO children SELECT n, n FROM generate_series(1, 2012) AS n;
ANALYZE;
"""
FOREIGN_KEY = "ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents (id);\n"


@pytest.fixture
def orphans(fresh_database: str, folder: Path) -> Path:
    """Plan a foreign key over twelve rows that point nowhere."""
    run_sql(f'ALTER DATABASE "{fresh_database}" SET track_counts = off')  # the rows are no traffic
    run_sql(ORPHANS)
    put(folder, {"001.sql": FOREIGN_KEY})
    return folder


def test_a_plan_shows_findings_below_their_file(orphans: Path) -> None:
    put(orphans, {"002.sql": "CREATE TABLE a (id int);\nCREATE INDEX ON a (id);\n"})
    assert applysql("--plan").out == (
        "Planned SQL files:\n"
        "  Apply 001.sql\n"
        "    001.sql:1: warning: children and parents are read, and nobody can write to either meanwhile. "
        "[add-foreign-key]\n"
        "      Sure: public.children has about 2,012 rows.\n"
        "      Write instead:\n"
        "        ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents (id)"
        " NOT VALID;\n"
        "        -- In the next file:\n"
        "        ALTER TABLE children VALIDATE CONSTRAINT children_parent_fkey;\n"
        "  Apply 002.sql\n"
    )


ROWS = (
    "12 rows of public.children point to no row of public.parents, such as id = 2001, parent = 2001; "
    "id = 2002, parent = 2002; id = 2003, parent = 2003."
)


def test_orphans_are_told_before_with_their_count_and_three_of_them(orphans: Path) -> None:
    ran = applysql("--plan", "--lint")
    assert ran.code == 0
    assert f"    001.sql:1: error: {ROWS} [rows-in-the-way]\n      Sure: counted.\n" in ran.out


def test_rows_that_the_file_may_change_before_are_told_and_stop_nothing(orphans: Path) -> None:
    mends = "DELETE FROM children WHERE parent > 2000;"
    allowed = "-- sqlmigrations: allow add-foreign-key: two thousand rows"
    put(orphans, {"001.sql": f"{allowed}\n{mends}\n{FOREIGN_KEY}"})
    said = (
        f"    001.sql:3: info: {ROWS} [rows-in-the-way]\n      A guess: 001.sql:2 changes rows before, perhaps these.\n"
    )
    assert said in applysql("--plan", "--lint").out
    assert applysql("--lint").code == 0
    assert states() == {"001.sql": "applied"}


def test_lint_refuses_a_run_before_anything_runs(orphans: Path) -> None:
    put(orphans, {"000.sql": "CREATE TABLE first (id int);"})
    ran = applysql("--lint")
    assert (ran.code, ran.out) == (1, "")
    assert f"001.sql:1: {ROWS} (counted) [rows-in-the-way]\n  Write instead:\n    -- Find them all:\n" in ran.err
    assert tables() == ["children", "parents"]


def test_what_is_allowed_runs(orphans: Path) -> None:
    run_sql("DELETE FROM children WHERE id > 2000")
    put(orphans, {"001.sql": f"-- sqlmigrations: allow add-foreign-key: two thousand rows\n{FOREIGN_KEY}"})
    assert applysql("--lint").code == 0
    assert states() == {"001.sql": "applied"}


def test_check_judges_the_pending_files(orphans: Path) -> None:
    ran = applysql("--check", "--lint")
    assert ran.code == 1
    assert "Found in 1 pending file: 1 error, 1 warning.\n" in ran.out
    put(orphans, {"001.sql": "CREATE TABLE a (id int);"})
    ran = applysql("--check", "--lint")
    assert (ran.code, ran.out) == (0, "Nothing found in 1 pending file.\nNot applied: 001.sql\n")
    assert applysql("--check").code == 1


def test_check_shows_in_red_only_what_its_exit_code_is_about(fresh_database: str, folder: Path) -> None:
    """Pending files are a failure where they are counted, not where they are judged; one that stopped always is."""
    colours = color_style(force_color=True)

    def shown(*, lint: bool) -> str:
        return "\n".join(check_lines(plan_run(ApplyOptions(lint=lint)), colours))

    put(folder, {"001.sql": "CREATE TABLE a (id int);"})
    assert shown(lint=False) == colours.ERROR("Not applied: 001.sql")
    assert shown(lint=True) == f"{colours.SUCCESS('Nothing found in 1 pending file.')}\nNot applied: 001.sql"
    put(folder, {"001.sql": f"{OFF}CREATE TABLE a (id int);\nSELECT 1/0;"})
    assert (applysql().code, applysql("--check", "--lint").code) == (5, 5)
    assert shown(lint=True).splitlines()[-1] == colours.ERROR("Not applied: 001.sql")


def test_the_document_of_a_plan_holds_the_findings(orphans: Path) -> None:
    (file,) = json.loads(applysql("--plan", "--format", "json").out)["files"]
    assert file["findings"] == [
        {
            "rule": "add-foreign-key",
            "line": 1,
            "statement": 1,
            "object": "children",
            "severity": "warning",
            "certainty": "confirmed",
            "because": "public.children has about 2,012 rows",
            "message": "children and parents are read, and nobody can write to either meanwhile.",
            "rewrite": "ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES "
            "parents (id) NOT VALID;\n-- In the next file:\nALTER TABLE children VALIDATE CONSTRAINT "
            "children_parent_fkey;",
            "source": "sqlmigrations",
            "docs": "docs/reference/lint.md#add-foreign-key",
        }
    ]


def test_github_annotates_the_lines(orphans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(orphans.parent)
    put(orphans, {"001.sql": "\nDROP TABLE children;"})
    ran = applysql("--check", "--lint", "--format", "github")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == (
        "::warning file=migrations_sql/001.sql,line=2,title=drop-table::"
        "What children holds is lost, and every query fails that still names it.%0A"
        "Sure: public.children has about 2,012 rows.%0AWrite instead:%0A"
        "-- sqlmigrations: allow drop-table: no running code names it, and its data is kept elsewhere%0A"
        "DROP TABLE children;"
    )


# Refused, asked or not


def test_an_index_that_backs_a_constraint_is_refused_before_anything_runs(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (id int, username text CONSTRAINT users_username_key UNIQUE)")
    put(folder, {"001.sql": "CREATE TABLE first (id int);", "002.sql": "SELECT 1;\nDROP INDEX users_username_key;"})
    ran = applysql()
    assert ran.code == 1
    assert ran.err == (
        "CommandError: 002.sql:2: PostgreSQL refuses to drop users_username_key: it backs the unique constraint "
        "users_username_key of public.users. (pg_constraint.conindid of users_username_key) "
        "[drop-index-of-constraint]\n"
        "  Write instead:\n"
        "    ALTER TABLE public.users DROP CONSTRAINT users_username_key;\n"
        "  Nothing was run. What is fine here is told so in the file: -- sqlmigrations: allow RULE: the reason.\n"
    )
    assert tables() == ["users"]
    put(folder, {"002.sql": "ALTER TABLE public.users DROP CONSTRAINT users_username_key;"})
    assert applysql().code == 0


def test_an_index_that_a_foreign_key_needs_is_refused(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE a (id int); CREATE UNIQUE INDEX a_id ON a (id); CREATE TABLE b (a int REFERENCES a (id))")
    put(folder, {"001.sql": f"{OFF}DROP INDEX CONCURRENTLY a_id;"})
    ran = applysql()
    assert ran.code == 1
    assert "PostgreSQL refuses to drop a_id: the foreign key b_a_fkey of public.b needs it." in ran.err
    assert "    ALTER TABLE public.b DROP CONSTRAINT b_a_fkey;\n    DROP INDEX a_id;\n" in ran.err


def test_an_index_that_the_run_itself_makes_is_not_asked_about(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE a (id int);\nCREATE INDEX i ON a (id);\nDROP INDEX i;"})
    assert applysql().code == 0


# The incident of the year


def test_a_build_that_steps_over_an_invalid_index_is_linted_and_survived(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE orders (id int, code text); CREATE INDEX orders_code_idx ON orders (code)")
    run_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_code_idx'::regclass")
    build = "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_code_idx ON orders (code);\n"
    put(folder, {"001.sql": f"{OFF}-- sqlmigrations: lock_timeout 100ms\n{build}"})
    ran = applysql("--plan")
    assert [line.strip() for line in ran.out.splitlines() if line.startswith("    001.sql")] == [
        "001.sql:3: warning: lock_timeout is 100ms here: when it ends the wait for older transactions, an INVALID "
        "index "
        "stays. [concurrently-under-lock-timeout]",
        "001.sql:3: error: orders_code_idx is there and INVALID, left from a build that failed: this skips it, and no "
        "query ever uses it. [concurrently-if-not-exists]",
    ]
    assert applysql().code == 5  # it succeeded, as PostgreSQL sees it; an INVALID index is no success
    assert applysql().code == 0
    assert value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_code_idx'::regclass") is True
