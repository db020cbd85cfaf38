"""Apply files over a slow link, with psql and with applysql: seconds, and their ratio.

Usage: ``python -m benchmarks.slow_link [--files 40] [--statements 40] [--delay 20] [--repeat 3]``, with
``DATABASE_URL`` naming a server that listens on a port. A relay of our own stands between, which holds back every byte
for ``--delay`` milliseconds each way. The ways take turns, and the median of the ratios within a round counts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django

#: These settings and no others: they take the folder from the environment.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.process_settings"
os.environ.setdefault("SQL_FOLDER", ".")

PSQL = "psql -1 -f, each file"
STATEMENT = (
    "CREATE TABLE bench_{file}_{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);\n"
)


class Relay:
    """Carry bytes between a port of this machine and a server, each way ``delay`` seconds late."""

    def __init__(self, host: str, port: int, delay: float) -> None:
        self.host, self.to_port, self.delay = host, port, delay
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> Relay:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._hang_up(server))
        self._loop.close()

    async def _hang_up(self, server: asyncio.Server) -> None:
        """End the connections that are still open."""
        server.close()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(self.host, self.to_port)
        with suppress(asyncio.CancelledError, ConnectionError):
            await asyncio.gather(self._carry(reader, to_writer), self._carry(to_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(1 << 16):
            self._loop.call_later(self.delay, writer.write, block)
        self._loop.call_later(self.delay, writer.close)


def main() -> None:
    """Make the files, run them both ways in turn, and write a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=40, help="how many files (default: %(default)s)")
    parser.add_argument("--statements", type=int, default=40, help="in each file (default: %(default)s)")
    parser.add_argument("--delay", type=float, default=20.0, help="milliseconds each way (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default: %(default)s)")
    options = parser.parse_args()
    django.setup()
    with tempfile.TemporaryDirectory() as folder, relayed(options.delay / 1000):
        files = [Path(folder, f"{number:04}_bench.sql") for number in range(options.files)]
        for file, path in enumerate(files):
            path.write_text("".join(STATEMENT.format(file=file, number=n) for n in range(options.statements)))
        rounds = [measure(files) for _ in range(options.repeat)]
    ways = {name: [each[name] for each in rounds] for name in rounds[0]}
    print("| way | seconds | of psql's |\n| --- | ---: | ---: |")
    for name, taken in ways.items():
        ratio = statistics.median(each[name] / each[PSQL] for each in rounds)
        print(f"| {name} | {statistics.median(taken):.1f} | {ratio:.2f} |")


@contextmanager
def relayed(delay: float) -> Iterator[None]:
    """Start a relay before the server, and point the alias ``default`` at it."""
    from django.db import connection

    settings = connection.settings_dict
    with Relay(settings["HOST"] or "127.0.0.1", int(settings["PORT"] or 5432), delay) as relay:
        settings["HOST"], settings["PORT"] = "127.0.0.1", str(relay.port)
        yield


def measure(files: list[Path]) -> dict[str, float]:
    """Return the seconds that each way takes."""
    from benchmarks.inside import new_database, psql_command

    taken: dict[str, float] = {}
    with new_database():
        psql = [*psql_command(), "--single-transaction", "--file"]
        taken[PSQL] = clock([[*psql, file] for file in files], files[0].parent)
    with new_database():
        taken["applysql"] = clock([[sys.executable, "-m", "django", "applysql", "--verbosity", "0"]], files[0].parent)
    return taken


def clock(commands: list[list[str | Path]], folder: Path) -> float:
    """Return the seconds that programs take one after the other."""
    from django.db import connection

    from project.postgres import database_url

    settings = connection.settings_dict
    environment = {
        **os.environ,
        "PGPASSWORD": settings["PASSWORD"] or "",
        "SQL_FOLDER": str(folder),
        "DATABASE_URL": database_url(str(settings["NAME"])),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    began = time.perf_counter()
    for command in commands:
        subprocess.run([str(part) for part in command], env=environment, check=True)  # noqa: S603 - our own
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
