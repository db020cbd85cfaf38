"""Runs a program and takes its measure: seconds by the clock, processor time, memory."""

from __future__ import annotations

import compileall
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from project.env import BASE_DIR

#: Seconds between two looks at the memory of a program.
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Command:
    """A program with its arguments, what it finds in its environment, and the exit codes that it may end with."""

    arguments: tuple[str | Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = BASE_DIR
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Used:
    """What a program took, those that it started included.

    ``wall`` and ``cpu`` are in seconds, ``cpu`` being user and system time; ``memory`` is the highest in megabytes,
    None where the system doesn't tell.
    """

    wall: float
    cpu: float
    memory: float | None


def compile_package() -> None:
    """Compile our modules, as pip does with what it installs: Python would do so in every process otherwise."""
    for folder in ("sqlmigrations", "benchmarks"):
        compileall.compile_dir(BASE_DIR / folder, quiet=2)


def run(command: Command) -> Used:
    """Run a program to its end.

    Raises:
        SystemExit: it ended with another code than expected; its last words are shown.
    """
    environment = {**os.environ, "PYTHONPATH": str(BASE_DIR), **command.environment}
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the contestants' programs
            [str(part) for part in command.arguments],
            env=environment,
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
        )
        with MemoryWatch(partial(descendants, process.pid), "VmHWM") as watch:
            # Unlike Popen.wait, this tells what the process used, and what those used that it waited for.
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in command.codes:
            words.seek(0)
            last = words.read().decode(errors="replace").strip()[-2_000:]
            raise SystemExit(f"{' '.join(process.args)} ended with {process.returncode}:\n{last}")  # type: ignore[arg-type] # as given above
    return Used(wall, used.ru_utime + used.ru_stime, watch.peak)


class MemoryWatch:
    """Keep the highest memory of processes while the block runs, on Linux.

    ``find`` returns their ids whenever it is asked, ``field`` is what counts of the process's status.
    """

    def __init__(self, find: Callable[[], Iterable[int]], field: str) -> None:
        self.find = find
        self.field = field
        self._highest: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak(self) -> float | None:
        """Megabytes: the highest of each process, added up; None where nobody told."""
        return sum(self._highest.values()) or None

    def _look_on(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            for pid in self.find():
                self._highest[pid] = max(self._highest.get(pid, 0.0), megabytes(pid, self.field))


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that it started, as far as Linux tells."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from descendants(int(child))


def megabytes(pid: int, field: str) -> float:
    """Return a field of a process's status in megabytes; 0 when it has gone or the system doesn't tell.

    ``VmHWM`` is the most that it has had in memory so far, ``RssAnon`` what it has now for itself alone:
    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0


def cpu_seconds(pid: int, *, with_ended: bool = False) -> float | None:
    """Return the processor time of a process, None when Linux doesn't tell.

    ``with_ended`` adds that of its children that have ended: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = sum(int(each) for each in fields[11 : 15 if with_ended else 13])
    return ticks / os.sysconf("SC_CLK_TCK")
