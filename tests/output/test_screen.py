"""The screen of a run: plain lines, and a progress bar on a terminal when there is much to do."""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style, no_style
from rich.progress import Progress, TaskID

from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.output.screen import MANY, Screen
from sqlmigrations.plan import Plan, Status, Step
from sqlmigrations.runner.batch_position import Batches, Position
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.lock import Holder
from sqlmigrations.runner.moved import Moved
from sqlmigrations.runner.watcher import Blocker
from sqlmigrations.service.results import Began, FileResult, Finished, RunResult, Starting
from sqlmigrations.service.told import Blocked, Waiting

NAMES = ["[bold]001[/bold].sql", "002_'quoted'.sql", "003_größe_名前_😀.sql"]
HOLDER = Holder(7, "alice", "10.0.0.1", "deploy", None, "idle", "")
BLOCKER = Blocker(8, "bob", "local", "report", "idle in transaction", 61.2, "SELECT\n  1")


class Terminal(io.StringIO):
    """Text that says of itself to be a terminal."""

    def isatty(self) -> bool:
        return True


def steps(tmp_path: Path, count: int = 3) -> list[Step]:
    names = [*NAMES, *(f"{n:03}.sql" for n in range(4, count + 1))]
    made = []
    for name in names:
        path = tmp_path / name.replace("/", "_")
        path.write_text("SELECT 1;\n")
        made.append(Step(SQLFile(name, path), Status.PENDING, runs=True))
    return made


def play(screen: Screen, planned: list[Step]) -> None:
    """Report a run in which the second file fails and the third waited for somebody."""
    results = []
    with screen:
        screen.report(Waiting(HOLDER))
        screen.report(Began(Plan(tuple(planned))))
        for index, step in enumerate(planned):
            screen.report(Starting(step.name, step.file))
            result = FileResult(step.name, Kind.VERSIONED, Status.APPLIED, duration_ms=1.5, statements=1)
            if index == 1:
                error = Failure("no [/bold] such thing", step.name, 3, 4, "a [b] c", "a [b] c", "42703")
                result = FileResult(step.name, Kind.VERSIONED, Status.FAILED, duration_ms=1.5, error=error)
            if index == 2:
                screen.report(Waiting(HOLDER))
                screen.report(Blocked((BLOCKER,)))
            results.append(result)
            screen.report(Finished(result))
        screen.close(RunResult("default", uuid.uuid4(), tuple(results), len(planned), "abc"))


EXPECTED = """\
Waiting for pid 7 (role alice, host 10.0.0.1, application deploy)
Running SQL files:
  Applying [bold]001[/bold].sql... OK (0.002s, 1 statement)
  Applying 002_'quoted'.sql... FAILED (0.002s, 0 statements)
    002_'quoted'.sql:3: no [/bold] such thing [42703]
    3 | a [b] c
      |    ^
  Applying 003_größe_名前_😀.sql...
    Waiting for pid 7 (role alice, host 10.0.0.1, application deploy)
    Waiting for pid 8 (role bob, host local, application report, idle in transaction, in its transaction for 61 s): \
SELECT 1 OK (0.002s, 1 statement)
"""


def batched(tmp_path: Path) -> Step:
    path = tmp_path / "001.sql"
    path.write_text("-- sqlmigrations: batch 50\nUPDATE t SET n = 1;\n")
    return Step(SQLFile("001.sql", path), Status.PENDING, runs=True)


def play_batches(screen: Screen, step: Step) -> None:
    """Report a file that runs in two batches, between which it waits for a replica."""
    first = Position("", ("id",), ("50",), ("100",), batches=1, rows=30, walked=50, expected=90)
    seen = Batches(50, 2, 80)
    with screen:
        screen.report(Began(Plan((step,))))
        screen.report(Starting(step.name, step.file))
        screen.report(Moved(step.name, first))
        screen.report(Moved(step.name, first, behind_s=11.5))
        screen.report(Moved(step.name, replace(first, after=("100",), batches=2, rows=80, walked=100)))
        result = FileResult(step.name, Kind.VERSIONED, Status.APPLIED, duration_ms=1.5, statements=1, batches=seen)
        screen.report(Finished(result))
        screen.close(RunResult("default", uuid.uuid4(), (result,), 1, "abc"))


BATCHED = """\
Running SQL files:
  Applying 001.sql... OK (0.002s, 2 batches, 80 rows)
  1 applied.
Head of the history: abc
"""


def test_batches_as_plain_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line now and then for whoever reads the log of a pipeline."""
    out = io.StringIO()
    play_batches(Screen(OutputWrapper(out), no_style()), batched(tmp_path))
    assert out.getvalue() == BATCHED
    monkeypatch.setattr("sqlmigrations.output.text.TOLD_EVERY", 0.0)
    out = io.StringIO()
    play_batches(Screen(OutputWrapper(out), no_style()), batched(tmp_path))
    assert out.getvalue().splitlines()[1:5] == [
        "  Applying 001.sql...",
        "    50 of about 90 rows walked, 30 changed",
        "    50 of about 90 rows walked, 30 changed, waiting for a replica that is 12 s behind",
        "    100 of about 90 rows walked, 80 changed OK (0.002s, 2 batches, 80 rows)",
    ]


def test_batches_have_a_bar_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    moves: list[tuple[float, float | None, str]] = []
    update = Progress.update

    def note(bar: Progress, task: TaskID, **changes: Any) -> None:
        update(bar, task, **changes)
        moves.append((changes["completed"], changes["total"], changes["description"]))

    monkeypatch.setattr(Progress, "update", note)
    out = Terminal()
    play_batches(Screen(OutputWrapper(out), no_style()), batched(tmp_path))
    assert moves == [
        (50, 90, "001.sql"),
        (50, 90, "001.sql, waiting for a replica that is 12 s behind"),
        (100, 100, "001.sql"),
    ]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).replace("\r", "")
    assert "  Applying 001.sql... OK (0.002s, 2 batches, 80 rows)\n" in shown


def test_plain_lines(tmp_path: Path) -> None:
    out = io.StringIO()
    play(Screen(OutputWrapper(out), no_style()), steps(tmp_path))
    assert out.getvalue() == EXPECTED + "  2 applied, 1 failed.\nHead of the history: abc\n"


def test_no_bar_for_few_files_and_none_without_a_terminal(tmp_path: Path) -> None:
    few, piped = Terminal(), io.StringIO()
    play(Screen(OutputWrapper(few), no_style()), steps(tmp_path, MANY - 1))
    play(Screen(OutputWrapper(piped), no_style()), steps(tmp_path, MANY + 1))
    for out in (few, piped):
        assert "\x1b" not in out.getvalue()
        assert out.getvalue().startswith(EXPECTED)


def test_a_bar_on_a_terminal_when_there_is_much_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    play(Screen(OutputWrapper(out), no_style()), steps(tmp_path, MANY))
    text = out.getvalue()
    assert "Applying" in text
    assert f"0/{MANY}" in text
    for line in EXPECTED.splitlines():
        assert line in text
    assert text.endswith(f"  {MANY - 1} applied, 1 failed.\nHead of the history: abc\n")
    assert text.rstrip().count("\x1b[?25h") == 1  # the cursor is shown again


def test_the_bar_counts_what_the_run_takes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is changed or missing is told as well, and is none of those that the bar is about."""
    advanced: list[object] = []
    monkeypatch.setattr(Progress, "advance", lambda self, task, advance=1: advanced.append(advance))
    planned = steps(tmp_path, MANY)
    screen = Screen(OutputWrapper(Terminal()), no_style())
    with screen:
        screen.report(Began(Plan(tuple(planned))))
        screen.report(Finished(FileResult("000_old.sql", Kind.VERSIONED, Status.CHANGED, "its text changed")))
        screen.report(Starting(planned[0].name, planned[0].file))
        screen.report(Finished(FileResult(planned[0].name, Kind.VERSIONED, Status.APPLIED, statements=1)))
        screen.report(Finished(FileResult(planned[1].name, Kind.VERSIONED, Status.HELD, "touches t")))
        screen.report(Finished(FileResult("gone.sql", Kind.VERSIONED, Status.MISSING, "its file is gone")))
    assert len(advanced) == 2


def test_an_interrupted_run_ends_its_line(tmp_path: Path) -> None:
    out = io.StringIO()
    screen = Screen(OutputWrapper(out), no_style())
    (step, *_) = steps(tmp_path)

    def interrupted() -> None:
        with screen:
            screen.report(Starting(step.name, step.file))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.getvalue() == "  Applying [bold]001[/bold].sql...\n"


def test_an_interrupted_run_takes_its_bar_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    screen = Screen(OutputWrapper(out), no_style())
    planned = steps(tmp_path, MANY)

    def interrupted() -> None:
        with screen:
            screen.report(Began(Plan(tuple(planned))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.getvalue().rstrip().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # the cursor shown, the bar's line erased


def test_a_file_of_batches_among_many_has_a_bar_below_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    out = Terminal()
    planned = [batched(tmp_path), *steps(tmp_path, MANY)]
    screen = Screen(OutputWrapper(out), no_style())
    shown: list[list[str]] = []
    with screen:
        screen.report(Began(Plan(tuple(planned))))
        for step in planned[:2]:
            screen.report(Starting(step.name, step.file))
            assert screen._bar is not None
            shown.append([task.description for task in screen._bar.tasks])
            screen.report(Finished(FileResult(step.name, Kind.VERSIONED, Status.APPLIED)))
    assert shown == [["Applying", "001.sql"], ["Applying"]]


def test_colours_are_djangos(tmp_path: Path) -> None:
    out = Terminal()
    style = color_style(force_color=True)
    play(Screen(OutputWrapper(out), style), steps(tmp_path))
    assert f"  Applying [bold]001[/bold].sql... {style.SUCCESS('OK')} (0.002s, 1 statement)\n" in out.getvalue()
    assert style.MIGRATE_HEADING("Running SQL files:") in out.getvalue()


@pytest.mark.parametrize(
    ("source", "column", "shown", "caret"),
    [
        ("SELECT x", 8, "SELECT x", 7),
        ("\tSELECT x", 9, " SELECT x", 8),
        ("'é€' x", 6, "'é€' x", 5),
        ("'😀名' x", 6, "'😀名' x", 7),
        ("a" * 200 + "X" + "b" * 200, 201, "a" * 80 + "X" + "b" * 19, 80),
        ("a" * 79 + "X" + "b" * 50, 80, "a" * 79 + "X" + "b" * 20, 79),
    ],
)
def test_the_caret_stands_below_its_column(source: str, column: int, shown: str, caret: int) -> None:
    from sqlmigrations.output.text import failure_lines

    failure = Failure("no", "001.sql", 12, column, source)
    assert list(failure_lines(failure, no_style(), indent="")) == [
        "001.sql:12: no",
        f"12 | {shown}",
        f"   | {' ' * caret}^",
    ]


def test_all_that_can_be_said_of_a_failure() -> None:
    from sqlmigrations.output.text import failure_lines

    failure = Failure(
        "no", "001.sql", 3, None, "SELECT", "", "55P03", "the detail", "the hint", "", "the advice", (BLOCKER,)
    )
    assert list(failure_lines(failure, no_style())) == [
        "    001.sql:3: no [55P03]",
        "    3 | SELECT",
        "    DETAIL: the detail",
        "    HINT: the hint",
        f"    Blocked by {BLOCKER}",
        "    What to do: the advice",
    ]
