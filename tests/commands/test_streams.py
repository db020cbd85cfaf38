"""What a command writes where the terminal or the log can't show every character."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import load_command_class

from tests.helpers import Ran, put, started, states

FILES = {"001.sql": 'SELECT „x“ AS "日本";', "002.sql": "CREATE TABLE t (id int);"}
WORDS = r"""Running SQL files:
  Applying 001.sql... FAILED (<time>, 0 statements)
    001.sql:1: column "„x“" does not exist [42703]
    1 | SELECT „x“ AS "日本";
      |        ^
  Applying 002.sql... OK (<time>, 1 statement)
  1 applied, 1 failed.
Head of the history: <hash>
"""


@pytest.mark.processes
def test_a_run_goes_on_where_its_words_cannot_be_shown(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    with started(folder, PYTHONIOENCODING="ascii") as process:
        ran = process.end()
    assert ran == Ran(WORDS.encode("ascii", errors="backslashreplace").decode(), "", 1)
    assert states() == {"001.sql": "failed", "002.sql": "applied"}


@pytest.mark.processes
def test_a_document_is_utf_8_whatever_the_terminal_is(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    with started(folder, "--format", "json", PYTHONIOENCODING="latin-1") as process:
        ran = process.end()
    assert ran.code == 1
    assert r'"message": "column \"„x“\" does not exist"' in ran.out


@pytest.mark.processes
def test_a_run_is_done_and_recorded_where_its_words_go_nowhere(ready_database: str, folder: Path) -> None:
    """As in ``applysql >&-``."""
    put(folder, FILES)
    with started(folder, through=("sh", "-c", 'exec "$@" >&-', "sh")) as process:
        ran = process.end()
    assert ran == Ran("", "", 1)
    assert states() == {"001.sql": "failed", "002.sql": "applied"}


LOST = "The standard output could not be written: No space left on device. What a run did is on record.\n"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "streams", "said", "code"),
    [
        ([], ">/dev/full", LOST, 1),
        ([], ">/dev/full 2>&1", "", 1),
        (["--format", "json"], ">/dev/full", WORDS + LOST, 2),
    ],
    ids=["words", "words and errors", "a document"],
)
def test_a_run_goes_on_where_the_disk_of_its_log_is_full(
    ready_database: str, folder: Path, arguments: list[str], streams: str, said: str, code: int
) -> None:
    put(folder, FILES)
    with started(folder, *arguments, through=("sh", "-c", f'exec "$@" {streams}', "sh")) as process:
        ran = process.end()
    assert ran == Ran("", said, code)
    assert states() == {"001.sql": "failed", "002.sql": "applied"}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "code"), [(["--list"], 0), (["--check"], 1), (["--list", "--format", "json"], 2)]
)
def test_an_answer_that_cannot_be_written(ready_database: str, folder: Path, arguments: list[str], code: int) -> None:
    put(folder, FILES)
    with started(folder, *arguments, through=("sh", "-c", 'exec "$@" >/dev/full', "sh")) as process:
        assert process.end() == Ran("", LOST, code)


REFUSED = (
    "CommandError: The standard output is closed: nobody would get what is to be written there.\n"
    "  Open it, or leave --format and --export out: the exit code answers.\n"
)


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["applysql", "--plan"], "", 0),
        (["applysql", "--check"], "", 1),
        (["applysql", "--format", "json"], REFUSED, 2),
        (["validateschema"], "", 1),
        (["validateschema", "--export", "-"], REFUSED, 2),
        (["dbhealth", "--only", "fk_without_index"], "", 0),
        (["dbhealth", "--format", "prometheus"], REFUSED, 2),
        (["revertsql", "--last", "1"], "CommandError: --last 1: this database holds 0 versioned files.\n", 2),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_without_a_standard_output_the_exit_code_answers(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str, code: int
) -> None:
    """Python has none where the file descriptor is closed."""
    put(folder, FILES)
    heard = io.StringIO()
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", heard)
    assert (_code(*arguments), heard.getvalue(), states()) == (code, said, {})


def test_without_any_stream_the_exit_code_answers(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a daemon may be left: nobody hears the question, and nobody can be asked."""
    put(folder, {"001.sql": "SELECT 1;", "001.down.sql": "SELECT 1;"})
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}", None)
    assert (_code("applysql"), _code("revertsql", "001")) == (0, 2)
    assert states() == {"001.sql": "applied"}


def _code(name: str, *arguments: str) -> int:
    """Run ``manage.py NAME ARGUMENTS`` with the streams of this process; return its exit code."""
    command = load_command_class("sqlmigrations", name)
    argv = ["manage.py", name, *arguments, "--no-color"]
    try:
        command.run_from_argv(argv)
    except SystemExit as end:
        return int(end.code or 0)
    return 0
