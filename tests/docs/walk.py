"""Does what a page tells its reader to do, from the first block to the last, in a folder of its own.

``console``
    Each line that begins with ``$`` is a command; what stands below it is what it says. ``$ echo $?`` tells the exit
    code of the one before.
any language with ``title="path"``
    A file: written there; settings that are there already are added to.

``<!-- run: command -->``, ``<!-- file: path`` and its text, up to ``-->``
    The same where the reader is not told: what brings an example about.
``<!-- meanwhile: program in database: SQL -->``, ``<!-- meanwhile: over -->``
    Somebody else's session, whose transaction stays open until it is over.
``<!-- stop: SIGNAL while SQL -->``
    The next command gets the signal while the server is at work on a statement that begins so. ``while it waits``: for
    a lock.

Everything else is for reading only; ``make``, which needs a clone, is left to ``tests/house``, and so is ``pip`` where
the package is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql

from project.env import BASE_DIR, env
from project.postgres import database_url
from sqlmigrations.programs import find
from tests.helpers import PATIENCE, hear_interrupts, plain, wait_until

SERVER = Path(__file__).with_name("manage_server.py")

_BLOCK = re.compile(
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$'
    r"|^<!-- (?P<hidden>run|file|meanwhile|stop): (?P<what>[^\n]+?)(?: -->$|\n(?P<content>.*?)^-->$)",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
#: What only a shell understands.
_SHELL = re.compile(r"[|<>&;$*`]")
#: Whether a backend of one of these databases is at work on a statement, or waits for a lock.
_AT_WORK = """
SELECT FROM pg_stat_activity
 WHERE datname = ANY (%(databases)s) AND state = 'active'
   AND CASE %(statement)s WHEN 'it waits' THEN wait_event_type = 'Lock' ELSE starts_with(query, %(statement)s) END
"""


@dataclass(frozen=True)
class File:
    """A file that the page shows."""

    path: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that the page shows, and what it says there, at these places of the page; hidden, it says nothing."""

    line: str
    said: str
    start: int
    end: int
    hidden: bool = False
    #: Which signal ends it, and when: ``SIGNAL while SQL``.
    stop: str = ""


@dataclass(frozen=True)
class Meanwhile:
    """A session of somebody else: a program, a database, SQL; or ``over``, which ends all of them."""

    what: str


Step = File | Command | Meanwhile


def steps(text: str) -> Iterator[Step]:
    """Yield what a page tells to do, in order."""
    stop = ""
    for block in _BLOCK.finditer(text):
        if block["hidden"] == "run":
            yield Command(block["what"], "", block.end(), block.end(), hidden=True)
        elif block["hidden"] == "meanwhile":
            yield Meanwhile(block["what"])
        elif block["hidden"] == "stop":
            stop = block["what"]
        elif block["hidden"] == "file":
            yield File(block["what"], block["content"])
        elif block["title"]:
            yield File(block["title"], block["text"])
        elif block["language"] == "console":
            for found in _COMMAND.finditer(block["text"]):
                start, end = (block.start("text") + place for place in found.span(2))
                yield Command(found[1], found[2], start, end, stop=stop)
                stop = ""


def commands(text: str) -> list[Command]:
    """Return the commands of a page."""
    return [step for step in steps(text) if isinstance(step, Command) and not step.hidden]


def server_variables() -> dict[str, str]:
    """Return what leads the programs of PostgreSQL, and projects without a HOST, to the server of the tests."""
    given = env.db_url_config(database_url())
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    return {variable: str(given[key]) for variable, key in named.items() if given.get(key)}


@contextlib.contextmanager
def on_server(database: str = "postgres") -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Connect to a database of the tests' server, in autocommit."""
    given = env.db_url_config(database_url())
    with psycopg.connect(
        dbname=database,
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        autocommit=True,
    ) as connection:
        yield connection


@dataclass
class Walk:
    """A reader at work in ``folder`` with the Python of this process, or another one.

    ``words`` stand for others while the page is walked through: names that the server has once only. Databases that
    ``there`` names are made and filled at the beginning, ``files`` are written; all of ``databases`` are dropped at the
    end.
    """

    folder: Path
    words: Mapping[str, str] = field(default_factory=dict)
    databases: tuple[str, ...] = ()
    there: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    python: Path = Path(sys.executable)
    #: What is installed instead of the published package; without it, the checkout is there already.
    wheel: Path | None = None

    def __enter__(self) -> Walk:
        self._server: subprocess.Popen[str] | None = None
        self._code = 0
        self._sessions: list[psycopg.Connection[tuple[object, ...]]] = []
        self._home = self.folder / "home"
        self._home.mkdir(parents=True)
        (self.folder / "tmp").mkdir()
        for database, script in self.there.items():
            name = self.words[database]
            with on_server() as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            with on_server(name) as connection:
                connection.execute(script.encode())
        for file in self.files:
            self.write(file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()
        self._over()
        with on_server() as connection:
            for name in self.databases:
                real = sql.Identifier(self.words.get(name, name))
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(real))

    def page(self, page: Path) -> list[tuple[Command, str]]:
        """Walk through a page; return each command with what it really said."""
        said = []
        for step in steps(page.read_text(encoding="utf-8")):
            now = self.do(step)
            if isinstance(step, Command) and not step.hidden:
                said.append((step, now))
        return said

    def do(self, step: Step) -> str:
        """Do one step of a page; return what a command said."""
        match step:
            case File():
                self.write(step)
            case Meanwhile():
                self.meanwhile(step.what)
            case Command():
                return self.run(step.line, step.stop)
        return ""

    def write(self, file: File) -> None:
        """Write a file, or add to settings that are there."""
        path = self._home / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.name == "settings.py" and path.exists() else ""
        path.write_text(f"{before}{self._meant(file.text)}", encoding="utf-8")
        if path.suffix == ".py":
            self._stop()

    def meanwhile(self, what: str) -> None:
        """Let somebody else do something in a transaction that stays open, or end what they do."""
        if what == "over":
            self._over()
            return
        who, _, statement = self._meant(what).partition(": ")
        program, _, database = who.partition(" in ")
        with on_server(database) as connection:
            given = connection.info
            session = psycopg.connect(given.dsn, password=given.password, application_name=program)
        session.execute(statement.encode())
        self._sessions.append(session)

    def _over(self) -> None:
        while self._sessions:
            self._sessions.pop().close()

    def run(self, line: str, stop: str = "") -> str:
        """Run a command as it stands on the page and return what it says, as it would stand there."""
        if line.startswith("make ") or (line.startswith("pip ") and not self.wheel):
            return ""
        if line == "echo $?":
            return f"{self._code}\n"
        output = self.folder / "tmp" / "output"
        meant = self._meant(line)
        if stop:
            self._code = self._stopped(meant, output, self._meant(stop))
        elif _SHELL.search(line) or not line.startswith("python manage.py "):
            self._code = self._in_shell(meant, output)
        else:
            self._code = self._manage(shlex.split(meant)[2:], output)
        said = output.read_text(encoding="utf-8").replace(str(self._home), "/home/you/shop")
        for word, real in self.words.items():
            said = said.replace(real, word)
        return "".join(f"{row.rstrip()}\n" for row in said.rstrip().splitlines())

    def _meant(self, text: str) -> str:
        if self.wheel:
            text = text.replace("pip install sqlmigrations", f"pip install --quiet {self.wheel}")
        for word, real in self.words.items():
            text = re.sub(rf"\b{re.escape(word)}\b", real.replace("\\", r"\\"), text)
        return text

    def _variables(self) -> dict[str, str]:
        variables = {
            name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_", "DATABASE_"))
        }
        with on_server() as connection:
            programs = find("psql", connection.info.server_version).parent
        variables |= server_variables() | {
            "PATH": os.pathsep.join([str(self.python.parent), str(programs), *self._elsewhere()]),
            "PYTHONPATH": "" if self.wheel else str(BASE_DIR),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_MESSAGES": "C",
        }
        return variables

    def _elsewhere(self) -> list[str]:
        """Return the folders of programs but those of the tests' own environment."""
        own = str(Path(sys.executable).parent)
        return [folder for folder in os.environ["PATH"].split(os.pathsep) if folder != own]

    def _in_shell(self, line: str, output: Path) -> int:
        with output.open("w") as file:
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=self._home,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=5 * PATIENCE,
                check=False,
            )
        return done.returncode

    def _stopped(self, line: str, output: Path, stop: str) -> int:
        """Run a command as at a terminal, where every word is seen at once, until it gets its signal."""
        name, _, statement = stop.partition(" while ")
        databases = [self.words.get(database, database) for database in self.databases]
        with output.open("w") as file:
            process = subprocess.Popen(
                shlex.split(line),
                cwd=self._home,
                env=self._variables() | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                preexec_fn=hear_interrupts,
            )
            with on_server() as connection:
                asked = {"databases": databases, "statement": statement}
                wait_until(lambda: connection.execute(_AT_WORK, asked).fetchone() is not None)
            process.send_signal(signal.Signals[name])
            code = process.wait(PATIENCE)
        # A shell's code of a process that a signal ended.
        return code if code >= 0 else 128 - code

    def _manage(self, arguments: list[str], output: Path) -> int:
        if self._server is None:
            self._server = subprocess.Popen(
                [self.python, "-P", SERVER],
                cwd=self._home,
                env=self._variables(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({"arguments": arguments, "output": str(output)}) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def _stop(self) -> None:
        if self._server is not None:
            self._server.communicate(timeout=PATIENCE)
            self._server = None


#: Versions of the server count otherwise (18 has a constraint for each NOT NULL), and dump otherwise; dbmate has a
#: watch of its own; servers are reached in several ways.
_MASKED = (
    (re.compile(r"(?<=<when>):\d\d\b"), ""),
    (re.compile(r"^Examined .*$", re.MULTILINE), "Examined ..."),
    (re.compile(r"^ +\d+(?=  \w+$)|\b\d+(?= objects\)$)", re.MULTILINE), "<count>"),
    (re.compile(r"(?<=_initial_schema\.sql:)\d+$", re.MULTILINE), "<line>"),
    (re.compile(r"^(Applied: .* in ).*$", re.MULTILINE), r"\1<time>"),
    (re.compile(r" by \S+ \(psql.*?\)"), " by <somebody>"),
    (re.compile(r"(?<=<when>)\.\d+\+00 *"), ""),
    (re.compile(r"\bdefault-\S+-\d{4}-\d\d-\d\d-\d{6}\b"), "<backup>"),
    (re.compile(r"\b\d+\.\d(?= ms\b| MB\)| s more )"), "<measured>"),
    (re.compile(r"\b(?<= in )\d+\.\d\ds\b"), "<time>"),
    (re.compile(r"(?<=, host )[^,]+"), "<host>"),
    (re.compile(r"^<when> \S+ \(psql.*?\): ", re.MULTILINE), "<when> <somebody>: "),
    (re.compile(r"\b(?<=in its transaction for )\d+ s\b"), "<seconds>"),
    (re.compile(r'("(?:host|os_user|server|tool|run|at|backend_start)": )"[^"]*"'), r'\1"<text>"'),
    (re.compile(r'("backend_pid": )\d+'), r"\1<pid>"),
)


def same(said: str) -> str:
    """Return what a command said without what differs each time: times, durations, hashes, counted objects."""
    said = plain(said)
    for pattern, placeholder in _MASKED:
        said = pattern.sub(placeholder, said)
    return said


def differences(said: list[tuple[Command, str]]) -> list[tuple[str, str, str]]:
    """Return each command that says something else than on the page: the command, what the page says, what it said."""
    return [(command.line, same(command.said), same(now)) for command, now in said if same(command.said) != same(now)]
