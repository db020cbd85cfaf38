"""Apply one large file with psql and with applysql: throughput as a ratio, and the memory of both sides.

Usage: ``python benchmarks/large_files.py [--megabytes N] [--repeat N] [--only COPY]``, with ``DATABASE_URL`` naming a
server on this machine whose processes may be looked at (Linux). Three files are made: INSERTs of 500 rows each, rows
for COPY, and, of a tenth of the size, INSERTs of one row each. The two ways take turns, and the best run of each
counts: other work on the machine only ever takes time.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parent.parent))
# These settings and no others: they take the folder from the environment.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.process_settings"
os.environ.setdefault("SQL_FOLDER", ".")

MEGABYTE = 1024 * 1024
ROW = "({n}, 'row number {n} of a table that is made to be large', '2026-01-01 00:00:00+00', {n}.5)"
LINE = "{n}\trow number {n} of a table that is made to be large\t2026-01-01 00:00:00+00\t{n}.5\n"
TABLE = "CREATE TABLE bench (id bigint, name text, made timestamptz, amount numeric);\n"


@dataclass(frozen=True)
class Run:
    """What one way of running a file took: seconds, and the peak memory of client and backend in megabytes."""

    seconds: float
    client_mb: float
    backend_mb: float


def main() -> None:
    """Make the files, run them both ways in turn, and write a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="size of each file (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the best counts (default: %(default)s)")
    parser.add_argument("--only", default="", help="only the files whose name has this in it")
    options = parser.parse_args()
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        checks = [observe(manage("check"), Path(folder)).client_mb for _ in range(options.repeat)]
        print(f"`manage.py check`: {statistics.median(checks):.0f} MB\n")
        print("| file | way | seconds | of psql's throughput | client MB | backend MB |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        size = options.megabytes * MEGABYTE
        for name, pieces, bytes_ in (
            ("INSERT of 500 rows", inserts(500), size),
            ("COPY", copies(), size),
            ("INSERT of one row", inserts(1), size // 10),
        ):
            if options.only not in name:
                continue
            path = Path(folder, "001_large.sql")
            write(path, pieces, bytes_)
            compare(f"{name}, {bytes_ // MEGABYTE} MB", path, options.repeat)


def compare(name: str, path: Path, repeat: int) -> None:
    """Run the file with psql and with applysql in turn, and write the best of each.

    Raises:
        SystemExit: they didn't load the same rows.
    """
    from benchmarks.__main__ import new_database, psql_command

    runs: dict[str, list[Run]] = {"psql -1 -f": [], "applysql": []}
    for _round in range(repeat):
        with new_database():
            command = [*psql_command(), "--single-transaction", "--file", path]
            runs["psql -1 -f"].append(observe(command, path.parent))
            loaded = rows()
        with new_database():
            runs["applysql"].append(observe(manage("applysql"), path.parent))
            if rows() != loaded:
                raise SystemExit(f"psql loaded {loaded}, applysql {rows()}")
    base = min(run.seconds for run in runs["psql -1 -f"])
    for way, taken in runs.items():
        seconds = min(run.seconds for run in taken)
        client, backend = max(run.client_mb for run in taken), max(run.backend_mb for run in taken)
        print(f"| {name} | {way} | {seconds:.1f} | {base / seconds:.2f} | {client:.0f} | {backend:.0f} |", flush=True)


def write(path: Path, pieces: Iterator[str], size: int) -> None:
    """Write pieces until the file has its size; the last one ends it."""
    with path.open("w", encoding="utf-8") as file:
        file.write(TABLE)
        written = 0
        for piece in pieces:
            written += file.write(piece)
            if written >= size and piece.endswith(";\n"):
                return
            if written >= size and piece.endswith(".5\n"):
                file.write("\\.\n")
                return


def rows() -> tuple[object, ...]:
    """Return how many rows were loaded, and a sum over them; nothing when there is no table."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('bench')")
        if cursor.fetchone() == (None,):
            return ()
        cursor.execute("SELECT count(*), sum(hashtext(bench::text)) FROM bench")
        return tuple(cursor.fetchone())


def inserts(each: int) -> Iterator[str]:
    """Yield INSERT statements of ``each`` rows."""
    start = 0
    while True:
        values = ",\n".join(ROW.format(n=n) for n in range(start, start + each))
        yield f"INSERT INTO bench VALUES\n{values};\n"
        start += each


def copies() -> Iterator[str]:
    """Yield a COPY statement and then blocks of its data."""
    yield "COPY bench FROM stdin;\n"
    start = 0
    while True:
        yield "".join(LINE.format(n=n) for n in range(start, start + 10_000))
        start += 10_000


def manage(command: str) -> list[str | Path]:
    """Return how a management command is called in a process of its own."""
    return [sys.executable, "-m", "django", command, "--verbosity", "0"]


def observe(command: Iterable[str | Path], folder: Path) -> Run:
    """Run a program to its end and watch its memory and that of its backend."""
    from django.db import connection

    from project.postgres import database_url

    environment = {
        **os.environ,
        "SQL_FOLDER": str(folder),
        "DATABASE_URL": database_url(str(connection.settings_dict["NAME"])),
        "PGPASSWORD": connection.settings_dict["PASSWORD"] or "",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    peaks = {"client": 0.0, "backend": 0.0}
    began = time.perf_counter()
    with subprocess.Popen([str(part) for part in command], env=environment) as process:  # noqa: S603 - our own
        over = threading.Event()
        watcher = threading.Thread(target=watch, args=(process.pid, backends, peaks, over))
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        over.set()
        watcher.join()
    if code:
        raise SystemExit(f"{command} ended with {code}")
    return Run(seconds, peaks["client"], peaks["backend"])


def watch(pid: int, find: Callable[[], list[int]], peaks: dict[str, float], over: threading.Event) -> None:
    """Keep the highest memory seen of a process and of the backends of the database."""
    while not over.wait(0.05):
        peaks["client"] = max(peaks["client"], megabytes(pid, "VmHWM"))
        for backend in find():
            peaks["backend"] = max(peaks["backend"], megabytes(backend, "RssAnon"))


def backends() -> list[int]:
    """Return the pids of the database's backends, found by their titles."""
    from django.db import connection

    title = f" {connection.settings_dict['NAME']} ".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if text.startswith(b"postgres: ") and title in text:
            found.append(int(path.parent.name))
    return found


def megabytes(pid: int, field: str) -> float:
    """Return a field of a process's status in megabytes; 0 when it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0


if __name__ == "__main__":
    main()
