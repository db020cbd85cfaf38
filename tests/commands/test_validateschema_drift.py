"""``manage.py validateschema``: its whole answers about the schema."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from sqlmigrations.service.apply import ApplyOptions, apply
from tests.databases import leading_to, new_database, session, with_options
from tests.helpers import Ran, database_name, manage, put, role, run_sql, value


@pytest.fixture
def users(folder: Path, fresh_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """Apply a file that makes a table of users."""
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));\n"})
    with django_db_blocker.unblock():
        apply(ApplyOptions())
        yield folder


def validateschema(*arguments: str) -> Ran:
    return manage("validateschema", *arguments)


EXAMINED = "Examined 1 file, 2 events, 6 columns, 2 constraints, 1 extension, 1 schema, 2 tables.\n"


def test_nothing_found(users: Path) -> None:
    assert validateschema() == Ran(f"{EXAMINED}The database is what it should be.\n", "", 0)


def test_what_was_changed_by_hand_is_told_with_its_origin(users: Path) -> None:
    run_sql("ALTER TABLE users ALTER name TYPE varchar(60); CREATE INDEX by_hand ON users (name)")
    run_sql("COMMENT ON TABLE users IS 'people'")
    answer = (
        "What the last run left:\n"
        "  error column public.users.name: type\n"
        "    expected  character varying([-50-])\n"
        "    found     character varying({+60+})\n"
        f"    made in {users}/001_users.sql:1\n"
        "  warning index public.by_hand: presence should be absent, found present\n"
        "  info table public.users: comment\n"
        "    expected  none\n"
        "    found     people\n"
        f"    made in {users}/001_users.sql:1\n"
        f"{EXAMINED.replace('1 extension', '1 extension, 1 index')}"
        "Found 1 error, 1 warning, 1 info.\n"
    )
    assert validateschema() == Ran(answer, "", 1)


def test_information_alone_is_no_finding(users: Path) -> None:
    run_sql("COMMENT ON TABLE users IS 'people'")
    assert validateschema("-v0").code == 0


def test_annotations_for_github(users: Path) -> None:
    run_sql("ALTER TABLE users ALTER name SET NOT NULL")
    assert validateschema("--format", "github") == Ran(
        f"::error file={users}/001_users.sql,line=1,title=column public.users.name%3A not_null"
        "::expected: no%0Afound: yes\n",
        "",
        1,
    )


def test_json(users: Path) -> None:
    run_sql("DROP TABLE users")
    ran = validateschema("--format", "json")
    document = json.loads(ran.out)
    assert document["drift"] == [
        {
            "source": "snapshot",
            "kind": "table",
            "object": "public.users",
            "attribute": "presence",
            "expected": "present",
            "found": "absent",
            "found_object": "public.users",
            "severity": "error",
            "fix": "",
            "origin": {"file": f"{users}/001_users.sql", "line": 1},
            "changed": None,
        }
    ]
    assert document["summary"] == {"error": 1, "warning": 0, "info": 0}


def test_a_rule_hides_until_its_last_day(users: Path, settings: Settings) -> None:
    run_sql("CREATE INDEX tmp_name ON users (name)")
    rule = {"kind": "index", "object": "public.tmp_*", "reason": "being tried"}
    settings.SQLMIGRATIONS_DRIFT_IGNORE = [{**rule, "until": "2999-12-31"}]
    assert validateschema().out.endswith(
        "Ignored by SQLMIGRATIONS_DRIFT_IGNORE: 1.\nThe database is what it should be.\n"
    )
    settings.SQLMIGRATIONS_DRIFT_IGNORE = [{**rule, "until": "2020-12-31"}]
    ran = validateschema("-v0")
    assert ran.code == 1
    assert (
        "A rule of SQLMIGRATIONS_DRIFT_IGNORE expired on <when>: kind index, object public.tmp_* (being tried)."
        in ran.out.replace("2020-12-31", "<when>")
    )


def test_severities_are_the_projects(users: Path, settings: Settings) -> None:
    run_sql("COMMENT ON TABLE users IS 'people'")
    settings.SQLMIGRATIONS_DRIFT_SEVERITY = {"table.comment": "error"}
    assert validateschema("-v0").code == 1


def test_versions_and_what_lies_between(users: Path) -> None:
    put(users, {"002_mail.sql": "ALTER TABLE users ADD mail text;\n"})
    apply(ApplyOptions())
    told = re.sub(r"<when>(:\d\d)?", "<when>", validateschema("--versions").out)
    assert told.replace(value("SELECT current_user"), "<role>") == (
        "  2  <when>  <role>  a run of SQL files: 002_mail.sql  (13 objects)\n"
        "  1  <when>  <role>  a run of SQL files: 001_users.sql  (12 objects)\n"
    )
    assert validateschema("--between", "1", "2") == Ran(
        "What the last run left:\n"
        "  warning column public.users.mail: presence should be absent, found present\n"
        "Found 1 warning.\n",
        "",
        1,
    )
    assert validateschema("--between", "1", "9") == Ran(
        "",
        "CommandError: There is no version 9 of the schema.\n  List them with: manage.py validateschema --versions\n",
        2,
    )


def test_accepting_needs_a_reason(users: Path) -> None:
    assert validateschema("--accept") == Ran(
        "", "CommandError: Say why the schema is accepted as it is: --reason TEXT.\n", 2
    )


def test_accepting(users: Path) -> None:
    run_sql("CREATE INDEX by_hand ON users (name)")
    assert validateschema("--accept", "--reason", "for support") == Ran(
        "  index public.by_hand: presence is present\nThe schema is accepted as it is: version 2.\nHead: <hash>\n",
        "",
        0,
    )
    assert validateschema("-v0") == Ran("", "", 0)


def test_coverage(users: Path) -> None:
    run_sql("CREATE COLLATION plain (locale = 'C')")
    assert validateschema("--coverage") == Ran(
        "Read and compared:\n"
        "        6  column\n        2  constraint\n        1  extension\n        1  schema\n        2  table\n"
        "Not read:\n"
        "        1  collation\n",
        "",
        0,
    )


def test_what_is_not_compared_is_counted_though_nothing_has_moved(users: Path) -> None:
    """A collation is written to a catalog that no fingerprint covers."""
    assert validateschema() == Ran(f"{EXAMINED}The database is what it should be.\n", "", 0)
    run_sql("CREATE COLLATION plain (locale = 'C')")
    answer = f"{EXAMINED}Not compared: 1 collation.\nWhat was compared is what it should be.\n"
    assert validateschema() == Ran(answer, "", 0)
    assert json.loads(validateschema("--format", "json").out)["not_compared"] == {"collation": 1}


def test_everything_that_is_not_compared_has_its_name_and_number(users: Path) -> None:
    run_sql(
        "CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql AS 'SELECT $1 = $2';"
        "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);"
        "CREATE OPERATOR FAMILY one USING btree; CREATE OPERATOR FAMILY two USING btree;"
        "CREATE TEXT SEARCH CONFIGURATION plain (COPY = english);"
        "CREATE TEXT SEARCH DICTIONARY one (TEMPLATE = simple); CREATE TEXT SEARCH DICTIONARY two (TEMPLATE = simple);"
        "CREATE TYPE box_of_tea AS (bags int);"
        "CREATE FUNCTION bags(box_of_tea) RETURNS int LANGUAGE sql AS 'SELECT ($1).bags';"
        "CREATE CAST (box_of_tea AS int) WITH FUNCTION bags(box_of_tea);"
        "CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;"
        "CREATE FUNCTION handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';"
        "CREATE LANGUAGE tongue HANDLER handler;"
        "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;"
        "CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere;"
        "CREATE CONVERSION turned FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1"
    )
    assert manage("validateschema", "--accept", "--reason", "so be it").code == 0
    assert validateschema().out.splitlines()[-2:] == [
        "Not compared: 1 access method, 1 cast, 1 conversion, 1 language, 1 operator, 2 operator families, "
        "1 text search configuration, 2 text search dictionaries, 1 user mapping.",
        "What was compared is what it should be.",
    ]


def test_a_database_is_not_compared_with_itself(users: Path) -> None:
    """Whatever its alias is called."""
    answer = Ran(
        "",
        "CommandError: --against {} is the same database: it would be compared with itself.\n"
        "  Name the alias of another one.\n",
        2,
    )
    assert validateschema("--against", "default") == replace(answer, err=answer.err.format("default"))
    with leading_to(database_name(), "other"):
        assert validateschema("--against", "other") == replace(answer, err=answer.err.format("other"))


def test_another_database_is_what_it_should_be_like(users: Path) -> None:
    with new_database(f"sqlm_against_{os.getpid()}") as name, leading_to(name, "other"):
        run_sql(
            "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(70)); CREATE TABLE more (id int)", alias="other"
        )
        assert validateschema("--against", "other") == Ran(
            "The other database:\n"
            "  error column public.users.name: type\n"
            "    expected  character varying([-70-])\n"
            "    found     character varying({+50+})\n"
            f"    made in {users}/001_users.sql:1\n"
            "  error table public.more: presence should be present, found absent\n"
            "  warning table public.django_migrations: presence should be absent, found present\n"
            f"{EXAMINED}Found 2 errors, 1 warning.\n",
            "",
            1,
        )


def test_a_head_that_was_kept_outside(users: Path) -> None:
    (last, first) = (
        value(f"SELECT hash FROM sqlmigrations_migrationevent ORDER BY id {way} LIMIT 1") for way in ("DESC", "ASC")
    )
    for known in (last, first, "0" * 64):  # the newest, an older one, the beginning
        assert validateschema("--expect-head", known) == Ran(f"{EXAMINED}The database is what it should be.\n", "", 0)
    assert validateschema("--expect-head", "f" * 64) == Ran(
        "History of the SQL files:\n"
        "  error event head: chain should be or have been <hash>, found 2 events up to <hash>, none of which is that\n"
        "    Fix: the history was cut, rewritten or restored since that head was printed: find out by whom\n"
        f"{EXAMINED}Found 1 error.\n",
        "",
        4,
    )


def document(*arguments: str) -> dict[str, Any]:
    """Return the document that the command writes, without its head."""
    ran = validateschema("--format", "json", *arguments)
    assert (ran.err, ran.code) == ("", 0)
    written: dict[str, Any] = json.loads(ran.out)
    assert [written.pop(key) for key in ("schema_version", "command", "database")] == [1, "validateschema", "default"]
    return written


def test_versions_coverage_and_what_is_accepted_as_documents(users: Path) -> None:
    examined = {"column": 6, "constraint": 2, "extension": 1, "schema": 1, "table": 2}
    assert document("--coverage") == {"examined": examined, "not_compared": {}}
    run_sql("CREATE INDEX by_hand ON users (name)")
    assert document("--accept", "--reason", "for support") == {
        "accepted": [{"kind": "index", "object": "public.by_hand", "attribute": "presence"}],
        "version": 2,
        "head": "<hash>",
    }
    versions = document("--versions")["versions"]
    assert [one.pop("at")[:2] for one in versions] == ["20", "20"]
    role = value("SELECT current_user")
    assert versions == [
        {"id": 2, "reason": "accepted", "files": [], "role": role, "objects": {**examined, "index": 1}},
        {"id": 1, "reason": "run", "files": ["001_users.sql"], "role": role, "objects": examined},
    ]


def test_fixes_and_expired_rules_in_annotations(users: Path, settings: Settings) -> None:
    run_sql("ALTER TABLE users ALTER name TYPE varchar(60)")
    settings.SQLMIGRATIONS_DRIFT_IGNORE = [
        {"kind": "index", "object": "public.tmp_*", "reason": "being tried", "until": "2020-12-31"}
    ]
    place = f"file={users}/001_users.sql,line=1,title=column public.users.name%3A type"
    fix = "ALTER TABLE public.users ALTER COLUMN name TYPE character varying(50);"
    expired = "A rule of SQLMIGRATIONS_DRIFT_IGNORE expired on 2020-12-31: kind index, object public.tmp_*"
    told = f"::error {place}::expected: character varying(50)%0Afound: character varying(60)%0Afix: {fix}"
    assert validateschema("--format", "github", "--fix") == Ran(f"{told}\n::warning::{expired}\n", "", 1)


def test_an_empty_database(folder: Path, fresh_database: str, django_db_blocker: DjangoDbBlocker) -> None:
    """Nothing was left by a run, and there is nothing that would not be compared."""
    remedy = "The next run that applies a file leaves one, or: manage.py validateschema --accept --reason TEXT"
    with django_db_blocker.unblock():
        assert validateschema("--versions") == Ran("No run has left a version of the schema yet.\n", "", 0)
        assert validateschema("--between", "1", "2") == Ran(
            "", f"CommandError: No run has left a version of the schema yet.\n  {remedy}\n", 2
        )
        assert validateschema("--coverage") == Ran(
            "Read and compared:\n        1  extension\n        1  schema\n"
            "Not read:\n  nothing: the database has no objects of other kinds\n",
            "",
            0,
        )
        assert validateschema("--format", "github") == Ran(
            f"::warning::Skipped the snapshot: no run has left one. {remedy}\n", "", 0
        )


def test_a_database_with_none_of_our_tables(
    folder: Path, fresh_database: str, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        assert validateschema() == Ran(
            "Skipped the snapshot: no run has left one. The next run that applies a file leaves one, or: "
            "manage.py validateschema --accept --reason TEXT\n"
            "What was compared is what it should be.\n",
            "",
            0,
        )


def test_a_role_that_may_not_read_the_history_is_told_what_it_lacks(users: Path) -> None:
    wrapper = connections["default"]
    kept = wrapper.settings_dict["USER"]
    with role("LOGIN") as name:
        wrapper.close()
        wrapper.settings_dict["USER"] = name
        try:
            ran = validateschema()
        finally:
            wrapper.close()
            wrapper.settings_dict["USER"] = kept
    assert (ran.err.splitlines(), ran.code) == (
        [
            f"CommandError: Role \"{name}\" lacks a right in database 'default': permission denied for table "
            "sqlmigrations_migrationevent.",
            "  To read the history it takes GRANT SELECT on the tables that begin with sqlmigrations_ and on "
            f'django_migrations TO "{name}"; to apply files, INSERT, UPDATE and DELETE there too, USAGE on their '
            "sequences, and the rights of a role that owns what the files change.",
        ],
        2,
    )


@pytest.mark.parametrize(
    ("limit", "why", "unless"),
    [
        (
            "statement_timeout",
            "canceling statement due to statement timeout (SQLSTATE 57014)",
            ", unless somebody cancelled it",
        ),
        ("lock_timeout", "canceling statement due to lock timeout (SQLSTATE 55P03)", ""),
    ],
)
@pytest.mark.parametrize("command", ["validateschema", "applysql", "dbhealth"])
def test_a_limit_of_the_role_is_told_in_the_servers_words(
    users: Path, command: str, limit: str, why: str, unless: str
) -> None:
    with session() as other, with_options(options=f"-c {limit}=200ms"):
        other.execute("BEGIN; LOCK sqlmigrations_migrationrecord, sqlmigrations_migrationevent")
        ran = manage(command)
    assert (ran.err.splitlines(), ran.code) == (
        [
            f"CommandError: Database 'default' did not answer: {why}.",
            f"  That is the role's {limit}{unless}. For more time put "
            f"PGOPTIONS='-c {limit}=10min' before the command, or set it in the alias's OPTIONS.",
        ],
        2,
    )
