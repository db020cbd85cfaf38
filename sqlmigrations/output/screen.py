"""The screen of a run: lines as they come, and a progress bar on a terminal when there is much to do."""

from __future__ import annotations

import os
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self, cast

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from sqlmigrations.output.text import RunText
from sqlmigrations.service.apply import Began, Finished, Report, RunResult

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
        self._task: TaskID | None = None
        self._line = ""

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
        if isinstance(report, Began) and len(report.plan.runnable) >= MANY and self.out.isatty():
            self._start_bar(len(report.plan.runnable))
        for text, ending in self.words.lines(report):
            self._write(text, ending)
        if self._bar is not None and self._task is not None and isinstance(report, Finished):
            self._bar.advance(self._task)

    def close(self, result: RunResult | RevertResult) -> None:
        """Write the end of the run."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        for line in self.words.closing(result):
            self.out.write(line)

    def _start_bar(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=cast("IO[str]", self.out._out), soft_wrap=True)
        columns = (TextColumn("Applying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

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
