"""The system user whose process the embedded server is.

PostgreSQL refuses to run as root. Started by an ordinary user, the server is that user's own process. Started by root
(in a container, say), it belongs to the system user ``sqlmigrations-example``, which is made for it and can't log in:
not ``nobody``, which other services share, and not ``postgres``, which may own a real server's data.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "sqlmigrations-example"

#: The server's processes see none of our environment: variables like PGDATA or PGPORT change what they do.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


class ServerError(RuntimeError):
    """The embedded server can't do what it was asked to; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A system user, by its numbers."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether this process runs as that user."""
        return self.uid == os.geteuid()

    def run(self, *command: str | Path, folder: Path = Path("/")) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in ``folder``; return its exit code and what it said.

        Raises:
            OSError: the user can't execute the program.
        """
        return subprocess.run(  # noqa: S603 - programs of the package, arguments of ours
            command,
            cwd=folder,
            env=ENVIRONMENT,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=None if self.is_us else self.uid,
            group=None if self.is_us else self.gid,
            extra_groups=None if self.is_us else [],
        )

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this user can reach what is below ``folder``."""
        return self.run("test", "-x", folder).returncode == 0

    def can_execute(self, program: Path) -> bool:
        """Tell whether this user can start ``program``."""
        return self.run("test", "-x", program).returncode == 0

    def take(self, path: Path) -> None:
        """Make ``path``, and what is below it, this user's."""
        if not self.is_us:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


def find_owner() -> Owner:
    """Return the user that the server has to run as; root makes the system user if it is missing.

    Raises:
        ServerError: the system user can't be made.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _add_system_user()
        entry = pwd.getpwnam(NAME)
    return Owner(entry.pw_uid, entry.pw_gid)


def _add_system_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise ServerError(
            f"PostgreSQL doesn't run as root, and there is no useradd to make the system user '{NAME}' for it.\n"
            "Make that user, work as an ordinary user, or set DATABASE_URL."
        )
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    made = subprocess.run(  # noqa: S603 - a fixed command
        [useradd, *options, "--shell", "/usr/sbin/nologin", NAME], capture_output=True, text=True, check=False
    )
    exists_already = 9  # another process was quicker
    if made.returncode not in (0, exists_already):
        raise ServerError(
            f"PostgreSQL doesn't run as root, and the system user '{NAME}' can't be made for it:\n{made.stderr.strip()}"
        )
