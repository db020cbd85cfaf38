"""Commands in processes of their own, forked from one that has loaded Django already: quick to start, real to kill."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.helpers import PATIENCE, Ran

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.child"])


@dataclass(frozen=True)
class Place:
    """Where a command finds its database; ``settings`` are those of Django that the command sees."""

    dbname: str
    host: str = ""
    port: int | str = ""
    user: str = ""
    password: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def with_settings(self, **settings: Any) -> Place:
        """Return the same place, where a command sees further settings."""
        return replace(self, settings={**self.settings, **settings})

    @property
    def django(self) -> dict[str, Any]:
        """As the alias's entry of ``DATABASES`` has it."""
        return {
            "NAME": self.dbname,
            "HOST": self.host,
            "PORT": str(self.port),
            "USER": self.user,
            "PASSWORD": self.password,
        }


@dataclass
class Job:
    """A command at work."""

    process: ForkServerProcess
    out: Path
    err: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None
        return self.process.pid

    def kill(self) -> None:
        """End it as ``kill -9`` does, and wait until it is gone."""
        self.process.kill()
        self.process.join(PATIENCE)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self, patience: float = PATIENCE) -> Ran:
        """Wait for its end and return its whole answer."""
        self.process.join(patience)
        assert self.process.exitcode is not None, f"it still runs\n{self.words()}"
        return Ran(self.out.read_text(), self.err.read_text(), self.process.exitcode)

    def words(self) -> str:
        """Return what it has said so far."""
        return self.out.read_text() + self.err.read_text()


@contextlib.contextmanager
def command(place: Place, name: str, *arguments: str) -> Iterator[Job]:
    """Run ``manage.py NAME ARGUMENTS`` on the database of ``place`` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch()
        err.touch()
        process = _context.Process(target=_child, args=(name, arguments, place.django, dict(place.settings), out, err))
        process.start()
        try:
            yield Job(process, out, err)
        finally:
            if process.is_alive():
                process.kill()
            process.join(PATIENCE)
            process.close()


def run(place: Place, name: str, *arguments: str) -> Ran:
    """Run a command to its end."""
    with command(place, name, *arguments) as job:
        return job.end()


def _child(*arguments: Any) -> None:
    from tests.faults.child import main

    main(*arguments)
