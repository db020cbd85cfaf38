"""Many runs at a time on one calm screen: a line for each that goes on, above them the words of those that are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self, cast

from django.core.management.base import OutputWrapper

from sqlmigrations.service.results import Began, Finished, Report, Starting
from sqlmigrations.service.told import Waiting

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Board:
    """A line for each database in work, where ``out`` is a terminal.

    What a run reports may come from any thread.
    """

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out
        self._lines: Progress | None = None
        self._of: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self.out.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            console = Console(file=cast("IO[str]", self.out._out), soft_wrap=True)
            name, at = (TextColumn(f"{{task.{field}}}", markup=False) for field in ("description", "fields[at]"))
            self._lines = Progress(name, BarColumn(), MofNCompleteColumn(), at, console=console, transient=True)
            self._lines.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.stop()

    def begin(self, alias: str) -> None:
        """Show that the work on a database begins."""
        if self._lines is not None:
            self._of[alias] = self._lines.add_task(alias, total=None, at="")

    def report(self, alias: str, report: Report) -> None:
        """Show how far a run has come."""
        if self._lines is None:
            return
        line = self._of[alias]
        match report:
            case Began():
                self._lines.update(line, total=len(report.plan.runnable))
            case Starting():
                self._lines.update(line, at=report.name)
            case Waiting():
                self._lines.update(line, at=f"waiting for pid {report.holder.pid}")
            case Finished(result) if result.duration_ms:
                self._lines.advance(line)

    def end(self, alias: str) -> None:
        """Take the line of a database away."""
        if self._lines is not None:
            self._lines.remove_task(self._of.pop(alias))

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Clear the lines away while the block writes words of its own."""
        if self._lines is None:
            yield
            return
        self._lines.stop()
        try:
            yield
        finally:
            self._lines.start()
