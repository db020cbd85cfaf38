"""The screen of a run: lines as they come, and a progress bar on a terminal when there is much to do."""

from __future__ import annotations

import os
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self, cast

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from sqlmigrations.output.text import RunText
from sqlmigrations.runner.moved import Moved
from sqlmigrations.service.results import Began, Finished, Report, RunResult, Starting

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sqlmigrations.service.revert import RevertResult

#: Files from which on a bar is of use.
MANY = 30


class Screen:
    """Write a run to ``out`` while it goes on."""

    def __init__(self, out: OutputWrapper, style: Style, *, verbosity: int = 1) -> None:
        self.out = out
        self.words = RunText(style, verbosity)
        self._bar: Progress | None = None
        self._files: TaskID | None = None
        self._rows: TaskID | None = None
        self._line = ""
        self._ahead: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._line and self._bar is None:
            self.out.write("")  # an interrupted run leaves its line open
        self._line = ""

    def report(self, report: Report) -> None:
        """Write one report of the run, which goes on all the same when nobody reads any more (``applysql | head``)."""
        try:
            self._report(report)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())

    def _report(self, report: Report) -> None:
        self._begin_bars(report)
        if self._bar is None or not isinstance(report, Moved):
            for text, ending in self.words.lines(report):
                self._write(text, ending)
        if self._bar is not None:
            self._move_bars(self._bar, report)

    def _begin_bars(self, report: Report) -> None:
        """Show a bar where there are many files, or a file has many batches."""
        if isinstance(report, Began):
            self._ahead = {step.name for step in report.plan.runnable}
        if isinstance(report, Began) and len(report.plan.runnable) >= MANY and self.out.isatty():
            self._files = self._opened_bar().add_task("Applying", total=len(report.plan.runnable))
        elif isinstance(report, Starting) and report.script.directives.batch is not None and self.out.isatty():
            self._rows = self._opened_bar().add_task(report.name, total=None)

    def _move_bars(self, bar: Progress, report: Report) -> None:
        """Move the bars on; that of the batches goes with its file."""
        if isinstance(report, Moved) and self._rows is not None:
            position = report.position
            behind = f", waiting for a replica that is {report.behind_s:.0f} s behind" if report.behind_s else ""
            total = max(position.expected, position.walked) if position.expected else None
            bar.update(self._rows, completed=position.walked, total=total, description=f"{report.name}{behind}")
        elif isinstance(report, Finished):
            if self._files is not None and report.result.name in self._ahead:  # others are left, changed or missing
                bar.advance(self._files)
            if self._rows is not None:
                bar.remove_task(self._rows)
                self._rows = None
            if self._files is None:
                self._end_bar()

    def close(self, result: RunResult | RevertResult) -> None:
        """Write the end of the run."""
        self._end_bar()
        for line in self.words.closing(result):
            self.out.write(line)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _opened_bar(self) -> Progress:
        """Return the bars' place on the screen."""
        if self._bar is not None:
            return self._bar
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=cast("IO[str]", self.out._out), soft_wrap=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._bar.start()
        return self._bar

    def _write(self, text: str, ending: str) -> None:
        """Write a line, or the beginning of one; above the bar only whole lines are shown."""
        if self._bar is None:
            self.out.write(text, ending=ending)
            self.out.flush()
            self._line = "" if ending else text
            return
        self._line += text
        if ending:
            from rich.text import Text

            self._bar.console.print(Text.from_ansi(self._line), soft_wrap=True, highlight=False)
            self._line = ""
