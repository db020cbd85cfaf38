"""Tests of ``manage.py dbhealth`` from the command line to its answer, read by whoever it is for."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from django.db import connections
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from sqlmigrations.health.base import Result, Status
from sqlmigrations.output.health import ONE, examined
from sqlmigrations.service.health import known_for
from tests.commands.health import ILL, TWO, dbhealth, document
from tests.databases import assuming, session
from tests.helpers import Ran, applysql, put, role, rows, run_sql, states, value

pytestmark = pytest.mark.usefixtures("fresh_database")


def test_text() -> None:
    run_sql(ILL)
    assert dbhealth(*TWO, "--only", "matview_unpopulated", "--only", "not_valid_constraints") == Ran(
        """\
Health of database default:
  [! ] Every table has a primary key (no_primary_key): 1 warning among 3 tables
  [! ] Every foreign key has an index on its columns (fk_without_index): 1 warning among 1 foreign key
  [ok] 1 check found nothing (-v 2 names them)
  [--] 1 check had nothing to examine (-v 2 names them)

no_primary_key
  warning public.log: no primary key; should be: a primary key
    SQL: ALTER TABLE "public"."log" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
      rewrites the table under AccessExclusive; on a large one add the column, fill it in batches, \
index it CONCURRENTLY, then ADD PRIMARY KEY USING INDEX

fk_without_index
  warning public.child.p_id: no index for the key to public.parent; should be: an index that its columns lead
    SQL: CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");
      takes ShareUpdateExclusive, reads and writes go on; can't run in a transaction \
(in a SQL file: -- sqlmigrations: transaction off)

4 checks: 1 ok, 2 warning, 1 skipped.
""",
        "",
        1,
    )


def test_many_findings_of_one_kind_are_counted() -> None:
    run_sql("".join(f"CREATE TABLE t{number:02} (x int);" for number in range(42)))
    out = dbhealth("--only", "no_primary_key").out
    assert out.count("warning public.t") == 5
    assert "\n  +37 more of this kind (-v 2 shows them)\n" in out
    assert dbhealth("--only", "no_primary_key", "-v", "2").out.count("warning public.t") == 42


def test_details_stand_below_their_finding(settings: Settings) -> None:
    settings.SQLMIGRATIONS_HEALTH = {"thresholds": {"idle_in_transaction": {"warning_seconds": 0}}}
    with session() as idle, idle.transaction():
        idle.execute("SELECT 'host=db password=secret',\n 1")
        out = dbhealth("--only", "idle_in_transaction").out
        (check,) = document("--only", "idle_in_transaction")["checks"]
    statement = "last statement: SELECT 'host=db password=********', 1"
    assert f"\n    {statement}\n    SQL: SELECT pg_terminate_backend(" in out.replace("pg_catalog.", "")
    assert check["findings"][0]["details"] == [statement]


def test_verbosity() -> None:
    run_sql(ILL)
    quiet = dbhealth("--only", "no_primary_key", "--only", "not_valid_constraints", "-v", "0").out
    loud = dbhealth("--only", "no_primary_key", "--only", "not_valid_constraints", "-v", "2").out
    assert "not_valid_constraints" not in quiet
    assert re.search(r"  \[ok\] Every .* \(not_valid_constraints\): nothing among \d constraints in \d+ ms\n", loud)


def test_a_database_that_is_well() -> None:
    run_sql("CREATE TABLE t (id bigint PRIMARY KEY)")
    answer = dbhealth("--gate", "after")
    assert (answer.err, answer.code) == ("", 0)
    assert "warning" not in answer.out
    assert "critical" not in answer.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (TWO, 1),
        ((*TWO, "--fail-on", "warning"), 1),
        ((*TWO, "--fail-on", "critical"), 0),
        ((*TWO, "--fail-on", "never"), 0),
        (("--only", "not_valid_constraints"), 0),
        (("--only", "matview_unpopulated"), 0),
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int) -> None:
    run_sql(ILL)
    assert dbhealth(*arguments).code == code


def test_a_named_check_that_cant_look_is_no_answer() -> None:
    run_sql(ILL + "CREATE SEQUENCE s; SELECT nextval('s')")
    with role() as bare, assuming(bare):
        answer = dbhealth("--only", "sequence_exhaustion")
        whole = dbhealth("--gate", "after", "--fail-on", "critical")
    assert (answer.code, whole.code) == (2, 0)
    assert answer.out == (
        "Health of database default:\n"
        "  [--] Sequences have room (sequence_exhaustion): skipped, 1 of 1 sequence can't be read. "
        f'GRANT "pg_read_all_data" TO "{bare}";\n\n'
        "1 check: 1 skipped.\n"
    )


# Known findings, settings


def test_only_what_is_new_fails(tmp_path: Path) -> None:
    run_sql(ILL)
    known = tmp_path / "known.json"
    known.write_text(dbhealth(*TWO, "--format", "json").out)
    answer = dbhealth(*TWO, "--known", str(known))
    assert (answer.code, answer.out.count("(known)")) == (0, 2)
    assert answer.out.endswith("Compared with the known ones: 2 known, 0 gone.\n")
    run_sql("DROP TABLE log; CREATE TABLE another (x int)")
    assert dbhealth(*TWO, "--known", str(known)).code == 1
    found = document(*TWO, "--known", str(known))
    assert found["gone"] == [{"check": "no_primary_key", "object": "public.log", "severity": "warning"}]


def test_what_is_known_and_worse_fails(tmp_path: Path, settings: Settings) -> None:
    run_sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 1600000000)")
    only = ("--only", "sequence_exhaustion")
    known = tmp_path / "known.json"
    known.write_text(dbhealth(*only, "--format", "json").out)
    assert dbhealth(*only, "--known", str(known)).code == 0
    run_sql("SELECT setval('t_id_seq', 2100000000)")
    assert dbhealth(*only, "--known", str(known)).code == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"checks": [{}]}'])
def test_a_file_that_is_no_document(tmp_path: Path, text: str) -> None:
    known = tmp_path / "known.json"
    known.write_text(text)
    assert dbhealth("--known", str(known)) == Ran(
        "",
        f"CommandError: {known} is no document of dbhealth.\n  Make one: manage.py dbhealth --format json > {known}\n",
        2,
    )


def test_ignored_findings(settings: Settings) -> None:
    run_sql(ILL)
    rule = {"check": "no_primary_key", "object": "public.log", "reason": "append-only", "until": "2999-01-01"}
    settings.SQLMIGRATIONS_HEALTH = {"ignore": [rule], "disabled": ["fk_without_index"]}
    assert dbhealth("--gate", "after").code == 0
    (check,) = document("--only", "no_primary_key")["checks"]
    assert (check["status"], check["ignored"], check["findings"]) == ("ok", 1, [])
    settings.SQLMIGRATIONS_HEALTH = {"ignore": [rule | {"until": "2020-01-01"}]}
    assert dbhealth("--only", "no_primary_key").code == 1


# Origins and fixes


def test_a_finding_names_the_line_that_brought_it_in(folder: Path) -> None:
    put(
        folder,
        {
            "001_tables.sql": "CREATE TABLE parent (id int PRIMARY KEY);\n\nCREATE TABLE log (at timestamptz);\n",
            "002_child.sql": "CREATE TABLE child (\n    id int PRIMARY KEY\n);\n"
            "ALTER TABLE child ADD COLUMN p_id int REFERENCES parent;\nCREATE INDEX one ON child (id);\n",
            "003_again.sql": "\n\nCREATE INDEX two ON child (id);",
        },
    )
    assert applysql().code == 0
    found = document("--gate", "after")
    origins = {
        finding["object"]: (finding["origin"]["file"], finding["origin"]["line"])
        for check in found["checks"]
        for finding in check["findings"]
        if finding["origin"] and "sqlmigrations_" not in finding["object"]
    }
    assert origins == {
        "public.log": ("001_tables.sql", 3),
        "public.child.p_id": ("002_child.sql", 4),
        "public.one": ("002_child.sql", 5),
        "public.two": ("003_again.sql", 3),
    }
    annotations = dbhealth("--only", "fk_without_index", "--format", "github").out
    path = os.path.relpath(folder / "002_child.sql")
    assert annotations.startswith(f"::warning file={path},line=4,title=fk_without_index::public.child.p_id: ")
    run_sql("CREATE INDEX ON child (p_id)")
    assert document("--only", "fk_without_index")["checks"][0]["findings"] == []


def test_our_own_tables_are_well(folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1"})
    assert applysql().code == 0
    found = document()
    objects = [finding["object"] for check in found["checks"] for finding in check["findings"]]
    assert [name for name in objects if "sqlmigrations" in name] == []


# Around a run

PARENT = "CREATE TABLE parent (id int PRIMARY KEY);\nCREATE TABLE child (id int PRIMARY KEY, p_id int);\n"


def test_a_run_says_what_is_new(folder: Path) -> None:
    put(folder, {"001.sql": f"{PARENT}CREATE TABLE log (at timestamptz);\n"})
    assert applysql("--gate").code == 1
    put(folder, {"002_fk.sql": "DROP TABLE log;\n\nALTER TABLE child ADD FOREIGN KEY (p_id) REFERENCES parent;\n"})
    answer = applysql("--gate")
    assert (answer.err, answer.code) == ("", 1)
    assert answer.out == (
        "Running SQL files:\n"
        "  Applying 002_fk.sql... OK (<time>, 2 statements)\n"
        "  1 applied.\n"
        "Health: 1 new finding, 1 gone.\n"
        "  warning public.child.p_id: no index for the key to public.parent; "
        "should be: an index that its columns lead (fk_without_index)\n"
        "    from 002_fk.sql:3\n"
        '    SQL: CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");\n'
        "      takes ShareUpdateExclusive, reads and writes go on; can't run in a transaction "
        "(in a SQL file: -- sqlmigrations: transaction off)\n"
        "Head of the history: <hash>\n"
    )
    ((details,),) = rows(
        "SELECT details FROM sqlmigrations_migrationevent WHERE type = 'examined' ORDER BY id DESC LIMIT 1"
    )
    assert details == {
        "new": [
            {
                "check": "fk_without_index",
                "object": "public.child.p_id",
                "severity": "warning",
                "observed": "no index for the key to public.parent",
                "file": "002_fk.sql",
                "line": 3,
            }
        ],
        "gone": [{"check": "no_primary_key", "object": "public.log", "severity": "warning"}],
    }
    put(folder, {"003_index.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY ON child (p_id);\n"})
    answer = applysql("--gate")
    assert (answer.code, answer.out.splitlines()[-2]) == (0, "Health: nothing new, 1 gone.")


def test_nothing_is_run_while_it_is_no_good_time(folder: Path) -> None:
    put(folder, {"001.sql": f"{PARENT}ALTER TABLE child ADD CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES parent;\n"})
    assert applysql().code == 0
    run_sql("ALTER TABLE child DISABLE TRIGGER ALL")
    put(folder, {"002.sql": "SELECT 1"})
    assert applysql("--gate") == Ran(
        "",
        "CommandError: Now is no good time, so nothing was run:\n"
        "    public.child.fk: its trigger is disabled (fk_enforcement_off)\n"
        "  manage.py dbhealth --gate before tells what would help.\n",
        2,
    )
    assert states() == {"001.sql": "applied"}
    run_sql("ALTER TABLE child ENABLE TRIGGER ALL")
    assert applysql("--gate").code == 0


def test_the_gate_in_the_document(folder: Path) -> None:
    put(folder, {"001.sql": PARENT, "002.sql": "CREATE TABLE log (at timestamptz)"})
    found = json.loads(applysql("--gate", "--format", "json", "001").out.replace("<ms>", "0"))
    assert found["gate"] == {"new": [], "gone": []}
    found = json.loads(applysql("--gate", "--format", "json").out.replace("<ms>", "0"))
    assert [(new["check"], new["object"]) for new in found["gate"]["new"]] == [("no_primary_key", "public.log")]


def test_a_role_that_may_not_read_the_history_is_told_all_but_where_it_came_from(folder: Path) -> None:
    """Who only watches needs no right on our tables."""
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    assert applysql().code == 0
    assert "from 001.sql:1" in dbhealth("--only", "no_primary_key").out
    with role() as name, assuming(name):
        ran = dbhealth("--only", "no_primary_key")
    assert ("warning public.t: no primary key" in ran.out, "001.sql" in ran.out, ran.err, ran.code) == (
        True,
        False,
        "",
        1,
    )


# Descriptions


def test_list() -> None:
    lines = dbhealth("--list").out.splitlines()
    assert lines[0] == (
        "fk_violations             Every row of a foreign key has its parent "
        "(structural, data, integrity, only when asked for)"
    )


def test_list_of_a_tag() -> None:
    titles = [line.split()[0] for line in dbhealth("--list", "--tag", "data").out.splitlines()]
    document = json.loads(dbhealth("--list", "--tag", "data", "--format", "json").out)
    assert titles == [check["id"] for check in document["known_checks"]]
    assert {"data"} <= set.intersection(*(set(check["tags"]) for check in document["known_checks"]))


def test_explain_as_a_document() -> None:
    (check,) = json.loads(dbhealth("--explain", "int4_pk", "--format", "json").out)["known_checks"]
    assert (check["id"], check["thresholds"]["warning_percent"], list(check["sql"])) == ("int4_pk", 50, ["int4_pk"])


def test_no_explanation_has_marks_of_another_markup() -> None:
    ids = [line.split()[0] for line in dbhealth("--list").out.splitlines()]
    assert [id for id in ids if "``" in dbhealth("--explain", id).out] == []


def test_one_thing_is_no_plural() -> None:
    """Every check's own word is known; that of a stranger stays as it is."""
    for check in known_for("default").values():
        many = examined(Result(check=check, status=Status.OK, examined=2))
        one = examined(Result(check=check, status=Status.OK, examined=1))
        assert (many, one) == (f"2 {check.examines}", f"1 {ONE[check.examines]}")


def test_explain() -> None:
    assert dbhealth("--explain", "int4_pk").out == (
        "int4_pk: Integer primary keys have room\n"
        "\n"
        "An integer primary key ends at 2,147,483,647; "
        "changing it late rewrites a large table and all that point at it.\n"
        "\n"
        "Half of the way is the time to plan it. "
        "Where earlier numbers are kept (`dbhealth --keep`), how long a key lasts\n"
        "is told by the growth of its table; of one that a sequence fills, `sequence_exhaustion` tells it.\n"
        "\n"
        "Evidence: structural. Examines primary keys narrower than bigint.\n"
        "Tags: capacity, keys.\n"
        "Needs: pg_read_all_data, where the objects are not the role's own.\n"
        "Threshold warning_percent: 50\n"
        "Threshold critical_percent: 85\n"
        "Threshold warning_left_seconds: 7,776,000\n"
        "Threshold critical_left_seconds: 1,209,600\n"
        "Threshold min_window_seconds: 86,400\n"
        "SQL: int4_pk.sql (--sql shows it)\n"
    )


def test_explain_shows_no_password(settings: Settings) -> None:
    """A connection string may hold one."""
    ending = (
        "Evidence: external. Examines pools.\n"
        "Tags: before, capacity, sessions.\n"
        "Threshold warning_seconds: 1\n"
        "Threshold critical_seconds: 10\n"
        "Option admin: {}\n"
    )
    assert dbhealth("--explain", "pgbouncer").out.endswith(ending.format("not set"))
    settings.SQLMIGRATIONS_HEALTH = {"thresholds": {"pgbouncer": {"admin": "host=pool password=secret"}}}
    assert dbhealth("--explain", "pgbouncer").out.endswith(ending.format("set"))


def test_explain_says_how_to_ask_for_what_runs_only_then() -> None:
    asked = "Runs only when asked for: --only corruption, or SQLMIGRATIONS_HEALTH = {'enabled': ['corruption']}."
    assert asked in dbhealth("--explain", "corruption").out.splitlines()


def test_sql_can_be_pasted() -> None:
    out = dbhealth("--explain", "sequence_exhaustion", "--sql").out
    with session() as connection:
        connection.execute(out.encode())
    assert dbhealth("--explain", "backup_age", "--sql").out == "-- It has no SQL of its own.\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--explain", "x"), "There is no health check 'x'.\n  manage.py dbhealth --list shows all."),
        (("--only", "x"), "There is no health check 'x'.\n  manage.py dbhealth --list shows all."),
        (
            ("--tag", "x"),
            "No health check has the tag 'x'.\n  Known are: backup, before, capacity, data, indexes, integrity, keys, "
            "locks, naming, performance, replication, security, sessions, settings, upgrade, vacuum.",
        ),
        (("--known", "/nowhere.json"), "/nowhere.json can't be read: No such file or directory."),
        (("--sql",), "--sql goes with --explain."),
        (("--output", "x"), "--output goes with --format prometheus."),
        (("--tag", "data"), "No health check is both asked for and enabled."),
    ],
)
def test_questions_that_cant_be_asked(arguments: tuple[str, ...], error: str) -> None:
    assert dbhealth(*arguments) == Ran("", f"CommandError: {error}\n", 2)


# Several databases


def test_one_database_after_the_other(both: tuple[Path, Path], tmp_path: Path) -> None:
    put(both[0], {"001.sql": "SELECT pg_sleep(1.2)", "002.sql": "CREATE TABLE log (at timestamptz)"})
    put(both[1], {"001.sql": "SELECT 1"})
    applysql("--all-databases")
    only = ("--all-databases", "--only", "no_primary_key")
    assert dbhealth(*only) == Ran(
        """\
Health of database default:
  [! ] Every table has a primary key (no_primary_key): 1 warning among <n> tables

no_primary_key
  warning public.log: no primary key; should be: a primary key
    from 002.sql:1
    SQL: ALTER TABLE "public"."log" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
      rewrites the table under AccessExclusive; on a large one add the column, fill it in batches, \
index it CONCURRENTLY, then ADD PRIMARY KEY USING INDEX

1 check: 1 warning.

Health of database other:
  [ok] 1 check found nothing (-v 2 names them)

1 check: 1 ok.

default: something was found, failed or is left to do
other: all is well
""".replace(
            "<n>",
            str(value("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")),
        ),
        "",
        1,
    )
    whole = dbhealth("--all-databases", "--fail-on", "never")
    assert re.search(
        r"\n\nFiles that took longer on one [^\n]+\n  001.sql: default [\d,]+ ms, other [\d,]+ ms\n\n", whole.out
    )

    known = tmp_path / "known.json"
    known.write_text(dbhealth(*only, "--format", "json").out, encoding="utf-8")
    assert [each["database"] for each in json.loads(known.read_text())["databases"]] == ["default", "other"]
    assert dbhealth(*only, "--known", str(known)).code == 0

    target = tmp_path / "all.prom"
    dbhealth("--all-databases", "--format", "prometheus", "--output", str(target))
    families = list(text_string_to_metric_families(target.read_text(encoding="utf-8")))
    assert len({family.name for family in families}) == len(families)
    assert {sample.labels["database"] for family in families for sample in family.samples} == {"default", "other"}


def test_a_database_that_is_away_does_not_stop_the_others(both: tuple[Path, Path]) -> None:
    wrapper = connections["other"]
    kept = wrapper.settings_dict["NAME"]
    wrapper.settings_dict["NAME"] = "sqlm_nowhere"
    try:
        ran = dbhealth("--all-databases", "--only", "no_primary_key", "--format", "json")
    finally:
        wrapper.settings_dict["NAME"] = kept
    found = json.loads(ran.out)["databases"]
    assert [(each["database"], "checks" in each, "error" in each) for each in found] == [
        ("default", True, False),
        ("other", False, True),
    ]
    assert ran.code == 2
    assert ran.err.startswith("other: Database 'other' can't be reached: ")
    assert ran.err.endswith("default: all is well\nother: could not be asked\n")
