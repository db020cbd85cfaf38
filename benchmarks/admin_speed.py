"""Measure what each page of the admin costs with a long history.

``python -m benchmarks.admin_speed [--records N] [--events N] [--files N] [--repeat N]``
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection
from django.test.utils import override_settings

from benchmarks.inside import new_database, processor_time, set_up_django
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.results import Section, Table
from benchmarks.servers import Server
from benchmarks.texts import SMALL

if TYPE_CHECKING:
    from django.test import Client

#: Files on disk that are pending.
PENDING = 5

#: Events at the end of the chain whose hashes are true: the pages verify the last thousand.
TRUE_HASHES = 1_100

RECORDS = "/admin/sqlmigrations/migrationrecord/"
EVENTS = "/admin/sqlmigrations/migrationevent/"

#: Old files: 1 in 100 failed and was given up, the others were retired when their files went.
OLD_RECORDS = """
INSERT INTO sqlmigrations_migrationrecord (filename, kind, state, success, executed_at, attempted_at,
       execution_time_ms, error_message, checksum, applied_sql, statements_done, statements_total, applied_by)
SELECT 'old/' || lpad(n::text, 6, '0') || '_change.sql', 'versioned',
       CASE WHEN mod(n, 100) = 0 THEN 'failed' ELSE 'retired' END, CASE WHEN mod(n, 100) = 0 THEN false END,
       CASE WHEN mod(n, 100) <> 0 THEN now() - n * interval '5 minutes' END, now() - n * interval '5 minutes',
       mod(n, 977), CASE WHEN mod(n, 100) = 0 THEN 'relation "x" does not exist' ELSE '' END,
       CASE WHEN mod(n, 100) <> 0 THEN 'v1:' || encode(sha256(n::text::bytea), 'hex') ELSE '' END,
       repeat('CREATE TABLE t' || n || ' (id bigint PRIMARY KEY);' || chr(10), 20), 20, 20, 'deploy'
  FROM generate_series(1, %s) AS n
"""

OLD_EVENTS = """
INSERT INTO sqlmigrations_migrationevent (run, type, filename, at, duration_ms, role, os_user, host, backend_pid,
       backend_start, tool, server, checksum, timings, details, previous_hash, hash)
SELECT md5((n / 10)::text)::uuid, CASE mod(n, 2) WHEN 0 THEN 'applied' ELSE 'started' END,
       'old/' || lpad((n / 10)::text, 6, '0') || '_change.sql', now() - (%s - n) * interval '30 seconds', mod(n, 977),
       'deploy', 'ci', 'build-7', 4711, now(), '0.1.0', '18.6', '', '[{"line": 1, "number": 1, "duration_ms": 1.5}]',
       '{"statements": 20, "attempts": 1}', 'h' || n - 1, 'h' || n
  FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True, kw_only=True)
class AdminSpeed(OnServer):
    """Open each page of the admin behind a long history."""

    title = "The admin"
    about = (
        "What each page costs with a long history: the statements that it sends (those that begin and end transactions "
        "aside), and the median of the milliseconds from request to rendered answer. The files stand on disk, the last "
        "five of them pending; all other records are of files that are gone, as after a clean-up."
    )

    records: int = parameter(100_000, "how many records", quick=5_000)
    events: int = parameter(1_000_000, "how many events", quick=20_000)
    files: int = parameter(300, "how many files on disk", quick=50)
    repeat: int = parameter(5, "how often; the median counts", quick=2)

    def measure(self, server: Server) -> Section:
        """Make the history, and open the pages."""
        set_up_django(server)
        with tempfile.TemporaryDirectory() as folder:
            overrides = {"SQLMIGRATIONS_DIRS": [folder], "SQLMIGRATIONS_APP_DIRS": False}
            with (
                override_settings(**overrides, DEBUG=False, ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False),
                new_database(),
            ):
                fill(Path(folder), self)
                client = signed_in()
                rows = tuple((name, *measure(client, address, self.repeat)) for name, address in pages().items())
        return self.section(tables=(Table(("page", "statements", "wall, ms", "CPU of client and server, ms"), rows),))


# The history


def fill(folder: Path, options: AdminSpeed) -> None:
    """Apply the files on disk behind a history of old ones."""
    # Needs Django to be set up.
    from django.core.management import call_command

    from sqlmigrations.service.apply import ApplyOptions, apply

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(OLD_RECORDS, [options.records - options.files])
        cursor.execute(OLD_EVENTS, [options.events, options.events - TRUE_HASHES])
    write_true_events(TRUE_HASHES)
    for n in range(options.files - PENDING):
        Path(folder, f"{n:04}_bench.sql").write_text(SMALL.format(n=n))
    apply(ApplyOptions())
    for n in range(options.files - PENDING, options.files):
        Path(folder, f"{n:04}_bench.sql").write_text(SMALL.format(n=n))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def write_true_events(count: int) -> None:
    """Write events as a run does, each with the hash of the one before."""
    # Needs Django to be set up.
    from sqlmigrations.history import Event
    from sqlmigrations.models import EventType
    from sqlmigrations.service.run import open_run

    with open_run(connection, lock_wait=0, tell=lambda told: None) as run:
        for number in range(count):
            run.journal.append(Event(EventType.APPLIED, f"old/{number:06}_change.sql", duration_ms=number % 977))


# The pages


def pages() -> dict[str, str]:
    """Return the addresses of the pages by name."""
    # Needs Django to be set up.
    from sqlmigrations.models import MigrationEvent, MigrationRecord

    record = MigrationRecord.objects.filter(state="applied").values_list("pk", flat=True)[0]
    failed = MigrationRecord.objects.filter(state="failed").values_list("pk", flat=True)[0]
    event = MigrationEvent.objects.order_by("-id").values_list("pk", flat=True)[500]
    return {
        "overview": f"{RECORDS}overview/",
        "drift": f"{RECORDS}drift/",
        "health": f"{RECORDS}health/",
        "versions of the schema": f"{RECORDS}versions/",
        "records": RECORDS,
        "records, last page": f"{RECORDS}?p=100",
        "records, failed": f"{RECORDS}?state__exact=failed",
        "records, searched": f"{RECORDS}?q=change",
        "records, one day": f"{RECORDS}?attempted_at__year=2026",
        "record, applied": f"{RECORDS}{record}/change/",
        "record, failed": f"{RECORDS}{failed}/change/",
        "events": EVENTS,
        "events of a type": f"{EVENTS}?type__exact=applied",
        "events of a file": f"{EVENTS}?filename=old/000500_change.sql",
        "events, searched": f"{EVENTS}?q=000500",
        "event": f"{EVENTS}{event}/change/",
        "index of the app": "/admin/sqlmigrations/",
    }


def signed_in() -> Client:
    """Return the client of a superuser."""
    # Needs Django to be set up.
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return client


def measure(client: Client, address: str, repeat: int) -> tuple[int, float, float]:
    """Return how many statements a page sends, and the medians of its milliseconds: by the clock, of the processors."""
    taken: list[tuple[float, float]] = []
    statements = 0
    client.get(address, secure=True)  # templates are compiled, the server's caches filled
    for _ in range(repeat):
        with counted() as count:
            began, spent = time.perf_counter(), processor_time()
            response = client.get(address, secure=True)
            taken.append((time.perf_counter() - began, processor_time() - spent))
        statements = len(count)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}")
    clock, processors = (statistics.median(column) * 1_000 for column in zip(*taken, strict=True))
    return statements, clock, processors


@contextmanager
def counted() -> Iterator[list[Any]]:
    """Count the statements that any cursor of psycopg sends in the block, those below Django's included."""
    sent: list[Any] = []
    execute = psycopg.Cursor.execute

    def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        if query not in (b"BEGIN", "ROLLBACK") and not str(query).startswith("BEGIN"):
            sent.append(query)
        return execute(self, query, *args, **kwargs)

    psycopg.Cursor.execute = counting  # type: ignore[method-assign] # put back below
    try:
        yield sent
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign] # as it was


if __name__ == "__main__":
    main(AdminSpeed)
