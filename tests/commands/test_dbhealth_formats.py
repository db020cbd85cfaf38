"""What ``dbhealth --format`` writes for programs: JSON, annotations of GitHub, metrics of Prometheus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.commands.health import ILL, dbhealth, document
from tests.helpers import Ran, run_sql

pytestmark = pytest.mark.usefixtures("fresh_database")


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
    assert (statuses["no_primary_key"], statuses["autovacuum_off"], statuses["matview_unpopulated"]) == (1, 0, 4)
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    assert labels == {"database", "check", "evidence", "severity"}
    assert (target.stat().st_ino != inode, target.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (
        True,
        0o644,
        [target],
    )
    assert dbhealth("--format", "prometheus", "--output", str(tmp_path / "nowhere" / "x")).code == 2


def test_prometheus_tells_what_could_not_be_looked_at_from_what_is_not_there() -> None:
    """One is for somebody to mend, the other for nobody."""

    def status(check: str) -> str:
        lines = dbhealth("--only", check, "--format", "prometheus").out.splitlines()
        (found,) = [line for line in lines if line.startswith("sqlmigrations_health_check_status{")]
        return found.rpartition(" ")[2]

    assert (status("backup_age"), status("matview_unpopulated")) == ("3", "4")
