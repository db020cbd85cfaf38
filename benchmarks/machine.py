"""Where something was measured: without that, no figure means anything."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.servers import Server


def describe(load_before: float, server: Server | None = None) -> str:
    """Describe in a sentence where we are, and how busy it was; ``load_before`` is the load when measuring began."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{os.cpu_count()} cores of {_processor()}",
        f"{memory:.0f} GB",
        f"{platform.system()} {platform.release()}",
        *_of_server(server),
        f"Python {platform.python_version()}",
        *(f"{name} {metadata.version(name)}" for name in ("Django", "psycopg")),
        f"load average {load_before:.1f} at the beginning and {load():.1f} at the end",
    )
    return f"Measured: {'; '.join(parts)}."


def _of_server(server: Server | None) -> Iterator[str]:
    if server is not None:
        way = "a unix socket" if server.place.socket else "TCP"
        yield f"PostgreSQL {server.setting('server_version')} over {way}, fsync {server.setting('fsync')}"


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    """Return the name of the processor, as Linux or Python tell it."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
