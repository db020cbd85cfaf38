"""Tests of ``manage.py dbhealth`` from the command line to its answer, read by whoever it is for."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.db import connections
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from project.env import BASE_DIR
from sqlmigrations.management.commands.dbhealth import Command
from tests.databases import session
from tests.helpers import Ran, applysql, put, role, rows, run_sql, states, value

pytestmark = pytest.mark.usefixtures("fresh_database")

ILL = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p_id int REFERENCES parent);
CREATE TABLE log (at timestamptz);
"""


def dbhealth(*arguments: str) -> Ran:
    """Run ``manage.py dbhealth`` and return its whole answer."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    command = Command(stdout=out, stderr=err, no_color=True)
    try:
        command.run_from_argv(["manage.py", "dbhealth", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    return Ran(out.getvalue(), err.getvalue(), code)


@contextlib.contextmanager
def assumed(name: str) -> Iterator[None]:
    """Let Django work as another role."""
    wrapper = connections["default"]
    kept = dict(wrapper.settings_dict["OPTIONS"])
    wrapper.settings_dict["OPTIONS"] = kept | {"assume_role": name}
    wrapper.close()
    try:
        yield
    finally:
        wrapper.settings_dict["OPTIONS"] = kept
        wrapper.close()


TWO = ("--only", "fk_without_index", "--only", "no_primary_key")


def test_text() -> None:
    run_sql(ILL)
    assert dbhealth(*TWO, "--only", "matview_unpopulated", "--only", "not_valid_constraints") == Ran(
        """\
Health of database default:
  [! ] Every table has a primary key (no_primary_key): 1 warning among 3 tables
  [! ] Every foreign key has an index on its columns (fk_without_index): 1 warning among 1 foreign keys
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
    with role() as bare, assumed(bare):
        answer = dbhealth("--only", "sequence_exhaustion")
        whole = dbhealth("--gate", "after", "--fail-on", "critical")
    assert (answer.code, whole.code) == (2, 0)
    assert answer.out == (
        "Health of database default:\n"
        "  [--] Sequences have room (sequence_exhaustion): skipped, 1 of 1 sequence can't be read. "
        f'GRANT "pg_read_all_data" TO "{bare}";\n\n'
        "1 check: 1 skipped.\n"
    )


# Documents


def document(*arguments: str) -> dict[str, Any]:
    """Return the JSON document of an answer, which keeps its schema."""
    found: dict[str, Any] = json.loads(dbhealth("--format", "json", *arguments).out)
    path = BASE_DIR / "docs" / "reference" / "dbhealth.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    return found


def test_json() -> None:
    run_sql(ILL)
    found = document("--gate", "after")
    assert found["summary"]["warning"] == 2
    (check,) = [check for check in found["checks"] if check["id"] == "fk_without_index"]
    assert check["findings"] == [
        {
            "object": "public.child.p_id",
            "kind": "column",
            "severity": "warning",
            "observed": "no index for the key to public.parent",
            "threshold": "an index that its columns lead",
            "value": None,
            "details": [],
            "fix": [
                {
                    "kind": "sql",
                    "text": 'CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");',
                    "note": "takes ShareUpdateExclusive, reads and writes go on; can't run in a transaction "
                    "(in a SQL file: -- sqlmigrations: transaction off)",
                }
            ],
            "origin": None,
            "fingerprint": check["findings"][0]["fingerprint"],
            "known": False,
        }
    ]


def test_github_annotations() -> None:
    """As on https://docs.github.com/actions/reference/workflow-commands-for-github-actions: `,` and `:` escaped."""
    run_sql('CREATE TABLE "a,b:c%" (x int)')
    assert dbhealth("--only", "no_primary_key", "--format", "github") == Ran(
        "::warning title=no_primary_key::public.a,b:c%25: no primary key%0AALTER TABLE "
        '"public"."a,b:c%25" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;\n',
        "",
        1,
    )


#: A workflow command: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")

LEVELS = {"critical": "error", "warning": "warning", "info": "notice"}


def unescaped(text: str) -> str:
    """Return a text as GitHub's runner reads it."""
    for escaped, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, character)
    return text


def test_github_reads_what_the_document_says() -> None:
    """Each finding is one line, of a level that GitHub has; what could not look is a notice."""
    run_sql(f"{ILL} CREATE SEQUENCE s MAXVALUE 10; SELECT setval('s', 9); CREATE INDEX a ON log (at); ")
    run_sql('CREATE TABLE "100%, a:b" (id int REFERENCES parent, at date); CREATE INDEX b ON log (at, (1))')
    read = []
    for line in dbhealth("--format", "github").out.splitlines():
        command = COMMAND.fullmatch(line)
        assert command is not None, line
        level, properties, message = command.groups()
        given = dict(part.split("=", 1) for part in properties.split(","))
        read.append((level, unescaped(given["title"]), unescaped(message)))
    told = []
    for check in document()["checks"]:
        for finding in check["findings"]:
            words = [f"{finding['object']}: {finding['observed']}", *(fix["text"] for fix in finding["fix"])]
            told.append((LEVELS[finding["severity"]], check["id"], "\n".join(words)))
        if check["status"] == "skipped" and not check["reason"].startswith("there are no "):
            told.append(("notice", check["id"], f"Skipped: {check['reason']}. {check['remedy']}".rstrip()))
    assert [re.sub(r"\d+", "0", str(each)) for each in read] == [re.sub(r"\d+", "0", str(each)) for each in told]
    assert {level for level, *_ in read} == {"error", "warning", "notice"}


def test_prometheus(tmp_path: Path) -> None:
    run_sql(ILL)
    target = tmp_path / "sqlmigrations.prom"
    target.write_text("old")
    inode = target.stat().st_ino
    assert dbhealth("--format", "prometheus", "--output", str(target)) == Ran("", "", 1)
    families = {family.name: family for family in text_string_to_metric_families(target.read_text(encoding="utf-8"))}
    assert sorted(families) == [
        "sqlmigrations_health_check_duration_seconds",
        "sqlmigrations_health_check_status",
        "sqlmigrations_health_examined",
        "sqlmigrations_health_findings",
        "sqlmigrations_health_last_run_timestamp_seconds",
    ]
    statuses = {
        sample.labels["check"]: sample.value for sample in families["sqlmigrations_health_check_status"].samples
    }
    assert (statuses["no_primary_key"], statuses["autovacuum_off"], statuses["matview_unpopulated"]) == (1, 0, 3)
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    assert labels == {"database", "check", "evidence", "severity"}
    assert (target.stat().st_ino != inode, target.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (
        True,
        0o644,
        [target],
    )
    assert dbhealth("--format", "prometheus", "--output", str(tmp_path / "nowhere" / "x")).code == 2


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


# Descriptions


def test_list() -> None:
    lines = dbhealth("--list").out.splitlines()
    assert lines[0] == (
        "fk_violations             Every row of a foreign key has its parent "
        "(structural, data, integrity, only when asked for)"
    )


def test_explain() -> None:
    assert dbhealth("--explain", "int4_pk").out == (
        "int4_pk: Integer primary keys have room\n"
        "\n"
        "An integer primary key ends at 2,147,483,647; "
        "changing it late rewrites a large table and all that point at it.\n"
        "\n"
        "Half of the way is the time to plan it. "
        "Where earlier numbers are kept (``dbhealth --keep``), how long a key lasts\n"
        "is told by the growth of its table; of one that a sequence fills, ``sequence_exhaustion`` tells it.\n"
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


def test_sql_can_be_pasted() -> None:
    out = dbhealth("--explain", "sequence_exhaustion", "--sql").out
    with session() as connection:
        connection.execute(out.encode())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--explain", "x"), "There is no health check 'x'.\n  manage.py dbhealth --list shows all."),
        (("--only", "x"), "There is no health check 'x'.\n  manage.py dbhealth --list shows all."),
        (("--sql",), "--sql goes with --explain."),
        (("--output", "x"), "--output goes with --format prometheus."),
        (("--tag", "data"), "No health check is both asked for and enabled."),
    ],
)
def test_questions_that_cant_be_asked(arguments: tuple[str, ...], error: str) -> None:
    assert dbhealth(*arguments) == Ran("", f"CommandError: {error}\n", 2)


# Over time


def test_numbers_are_kept_only_when_that_is_asked_for(folder: Path) -> None:
    assert dbhealth("--keep").code == 2
    assert dbhealth("--keep").err == (
        "CommandError: The numbers can't be kept: their table is missing, or may not be read.\n"
        "  Make it: manage.py migrate sqlmigrations\n"
    )
    put(folder, {"001.sql": "CREATE TABLE t (id int PRIMARY KEY)", "002.sql": "CREATE TABLE u (id int PRIMARY KEY)"})
    kept = "SELECT reason, role = current_user, summary ? 'ok' FROM sqlmigrations_healthrun ORDER BY id"
    applysql("001.sql")
    dbhealth()
    assert rows(kept) == []
    assert "The numbers of this run are kept.\n" in dbhealth("--keep").out
    applysql("--gate")
    assert rows(kept) == [("asked", True, True), ("gate", True, True)]


def test_numbers_are_kept_for_some_time(folder: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_HEALTH_DAYS = 7
    put(folder, {"001.sql": "SELECT 1"})
    applysql()
    dbhealth("--keep")
    run_sql("UPDATE sqlmigrations_healthrun SET at = at - interval '8 days'")
    dbhealth("--keep")
    assert rows("SELECT now() - at < interval '1 hour' FROM sqlmigrations_healthrun") == [(True,)]
    with role() as bare:
        run_sql(f"GRANT USAGE ON SCHEMA public TO {bare}; GRANT SELECT ON sqlmigrations_healthrun TO {bare}")
        with assumed(bare):
            refused = dbhealth("--keep", "--only", "no_primary_key")
    assert (refused.code, refused.err) == (
        2,
        "CommandError: The numbers can't be kept: permission denied for table sqlmigrations_healthrun.\n"
        f'  As its owner: GRANT SELECT, INSERT, DELETE ON "public"."sqlmigrations_healthrun" TO "{bare}";\n',
    )


def test_where_the_database_is_going(folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY)"})
    applysql()
    run_sql("SELECT setval('t_id_seq', 1000)")
    dbhealth("--keep")
    run_sql(
        "UPDATE sqlmigrations_healthrun SET at = at - interval '10 days';"
        "SELECT setval('t_id_seq', 1000000000);"
        "INSERT INTO t SELECT generate_series(1, 1000);"
        "CREATE TABLE later (id int PRIMARY KEY)"
    )
    text = dbhealth()
    assert "lasts 11 days" in text.out
    assert text.code == 1
    lines = re.search(r"\nOver time\n(.*?)\n\n", text.out, re.DOTALL)
    assert lines is not None
    assert re.sub(
        r"[+-]?[\d.,]+ (bytes|kB|MB)|(?<=: )[\d,]+(?= a day)|\d+(?= days to)", "<n>", lines[1]
    ).splitlines() == [
        "  in the last 10 days; 1 earlier run kept",
        "  database: <n>, <n> a day",
        "  transaction ids: <n> a day, <n> days to a standstill if none is frozen",
        "  multixacts: <n> a day",
        "  sequence public.t_id_seq: <n> a day, lasts 11 days",
    ]
    trends = document()["trends"]
    assert trends["sequences"][0] == {
        "object": "public.t_id_seq", "last": 10**9, "per_day": pytest.approx(99_999_900, rel=0.01),
        "days_left": pytest.approx(11.5, abs=0.1),
    }  # fmt: skip
    assert document("--only", "no_primary_key")["trends"]["since"] is None
    families = {each.name: each for each in text_string_to_metric_families(dbhealth("--format", "prometheus").out)}
    assert [
        (sample.labels["kind"], round(sample.value, -1))
        for sample in families["sqlmigrations_health_days_left"].samples
        if sample.labels["kind"] == "sequences"
    ] == [("sequences", 10)]
    assert families["sqlmigrations_health_database_bytes"].samples[0].value > 1_000_000


def test_files_that_take_longer_than_before(folder: Path) -> None:
    put(folder, {"repeatable/report.sql": "SELECT 1;\nSELECT pg_sleep(0.01)", "001.sql": "CREATE TABLE t (id int)"})
    applysql()
    assert "Over time" not in dbhealth("--fail-on", "never").out
    assert re.search(r"Over time\n  file \S+: \d+ ms \(1 time\); line \d", dbhealth("-v", "2").out)
    put(folder, {"repeatable/report.sql": "SELECT 1;\n\nSELECT pg_sleep(1.1)"})
    applysql()
    (line,) = re.findall(r"Over time\n  (.*)\n", dbhealth().out)
    assert re.sub(r"[\d,]+ ms", "<ms>", line) == (
        "file repeatable/report.sql: <ms>, <ms> before (2 times); line 3: <ms>"
    )
    slow = document()["trends"]["files"][0]
    assert (slow["file"], slow["times"], slow["slower"], slow["slowest"]["line"]) == (
        "repeatable/report.sql",
        2,
        True,
        3,
    )


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
        r"\n\nFiles that took longer on one [^\n]+\n  001.sql: default 1,2\d\d ms, other \d+ ms\n\n", whole.out
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
