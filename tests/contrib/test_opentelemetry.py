"""Spans of OpenTelemetry around runs, files and statements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections, migrations
from django.db.migrations.state import ProjectState
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from project.env import BASE_DIR
from sqlmigrations import __version__, api
from sqlmigrations.operations import ApplySQL
from tests.helpers import put


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Collect the spans of this test in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def told(span: ReadableSpan, *names: str) -> tuple[object, ...]:
    """Return some attributes of a span."""
    return tuple((span.attributes or {}).get(name) for name in names)


def test_spans_of_a_run(fresh_database: str, folder: Path, spans: InMemorySpanExporter) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE one (id int);\nINSERT INTO one SELECT pg_backend_pid();",
            "002.sql": "CREATE TABLE two (id int);\nSELECT 'a secret' FROM nowhere;",
        },
    )
    outer = trace.get_tracer("test")
    with outer.start_as_current_span("deploy"):
        result = api.apply()
    finished = spans.get_finished_spans()
    assert [span.name for span in finished] == [
        *["sqlmigrations.statement"] * 2,
        "sqlmigrations.file",
        "sqlmigrations.statement",
        "sqlmigrations.file",
        "sqlmigrations.run",
        "deploy",
    ]
    first, second, good, _third, bad, run, deploy = finished
    scope = run.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("sqlmigrations", __version__)
    assert run.parent == deploy.context
    assert told(run, "db.system.name", "db.namespace", "sqlmigrations.database", "sqlmigrations.files") == (
        "postgresql",
        fresh_database,
        "default",
        2,
    )
    assert told(run, "sqlmigrations.run") == told(good, "sqlmigrations.run") == (str(result.run),)
    assert good.parent == bad.parent == run.context
    assert first.parent == second.parent == good.context
    assert [told(span, "sqlmigrations.number", "code.line.number") for span in (first, second)] == [(1, 1), (2, 2)]
    assert told(good, "code.file.path", "sqlmigrations.state", "sqlmigrations.statements") == ("001.sql", "applied", 2)
    assert told(bad, "sqlmigrations.state", "code.line.number", "db.response.status_code") == ("failed", 2, "42P01")
    assert (bad.status.status_code, bad.status.description) == (
        trace.StatusCode.ERROR,
        'relation "nowhere" does not exist',
    )
    assert run.status.description == '002.sql:2: relation "nowhere" does not exist'
    assert not any("secret" in span.to_json() for span in finished)


def test_spans_lie_within_each_other(fresh_database: str, folder: Path, spans: InMemorySpanExporter) -> None:
    put(folder, {"001.sql": "SELECT 1;\nSELECT pg_sleep(0.02);\nSELECT 3;"})
    api.apply()
    *statements, file, run = spans.get_finished_spans()
    for outer, inner in [(run, file), *((file, statement) for statement in statements)]:
        assert (outer.start_time or 0) <= (inner.start_time or 0) <= (inner.end_time or 0) <= (outer.end_time or 0)
    ends = [(span.start_time, span.end_time) for span in statements]
    assert ends == sorted(ends)
    assert len(statements) == 3


def test_a_file_of_a_migration(fresh_database: str, folder: Path, spans: InMemorySpanExporter) -> None:
    """It belongs to no run of files: its span stands below the one that surrounds the migration."""
    put(folder, {"001.sql": "CREATE TABLE one (id int);"})
    migration = type("Migration", (migrations.Migration,), {"operations": [ApplySQL("001.sql")]})("0001", "shop")
    outside = trace.get_tracer("test").start_as_current_span("migrate")
    with outside, connections["default"].schema_editor() as editor:
        migration.apply(ProjectState(), editor)
        assert spans.get_finished_spans() == ()
    statement, file, outer = spans.get_finished_spans()
    assert (statement.parent, file.parent) == (file.context, outer.context)


@pytest.mark.processes
def test_without_the_package_nothing_is_loaded() -> None:
    script = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "import django; django.setup()\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'sqlmigrations.contrib.spans'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
