"""Results as lines of text that look like those of ``migrate``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.management.color import Style

from sqlmigrations.messages import counted
from sqlmigrations.plan import DISAGREEING, Missing, Plan, Status, Step
from sqlmigrations.runner.moved import Moved
from sqlmigrations.service.results import (
    Began,
    FileResult,
    Finished,
    PlanReport,
    Report,
    RunResult,
    Starting,
    is_told,
    summary,
)
from sqlmigrations.service.told import Blocked, Waiting

if TYPE_CHECKING:
    from sqlmigrations.exceptions import Problem
    from sqlmigrations.files.scripts import Script
    from sqlmigrations.runner.failure import Failure
    from sqlmigrations.service.lint import LintReport
    from sqlmigrations.service.revert import RevertPlan, RevertResult

Paint = Callable[[str], str]

#: Seconds between two lines about a file that runs in batches.
TOLD_EVERY = 30.0

#: Columns of a source line that are shown around the error.
WIDTH = 100

_DISAGREEMENT = "Put the files back as they were, or see what could be accepted: applysql --repair --plan"

#: A reason longer than this, in characters, is told once where it holds several files one behind the other.
LONG_REASON = 100

_WORDS = {
    Status.APPLIED: "OK",
    Status.BASELINED: "RECORDED",
    Status.REVERTED: "REVERTED",
    Status.FAILED: "FAILED",
    Status.PARTIAL: "STOPPED HALF-WAY",
    Status.IN_DOUBT: "IN DOUBT",
}


@dataclass
class RunText:
    """Word a run while it goes on: feed it the reports, and write what it yields."""

    style: Style
    verbosity: int = 1
    _is_mid_line: bool = False
    _told_at: float = 0.0
    _reason: str = ""

    def lines(self, report: Report) -> Iterator[tuple[str, str]]:
        """Yield ``(text, ending)``; the ending is empty where the line goes on."""
        match report:
            case Waiting(holder) if self._is_mid_line:
                yield self.style.WARNING(f"\n    Waiting for {holder}"), ""
            case Waiting(holder):
                yield self.style.WARNING(f"Waiting for {holder}"), "\n"
            case Blocked(blockers):
                for blocker in blockers:
                    yield self.style.WARNING(f"\n    Waiting for {blocker}"), ""
            case Moved() if self.verbosity:
                yield from self._moved(report)
            case Began(plan, warnings) if self.verbosity:
                yield from self._began(plan, warnings)
            case Starting() if self.verbosity:
                yield from self._starting(report)
            case Finished(result):
                yield from self._finished(result)

    def _began(self, plan: Plan, warnings: Iterable[Problem]) -> Iterator[tuple[str, str]]:
        for warning in warnings:
            yield self.style.WARNING(f"Warning: {warning.where}: {warning.message}. {warning.hint}".rstrip()), "\n"
        reverted = [step.name for step in plan.asked.with_status(Status.REVERTED) if not step.runs]
        if reverted:
            yield f"Reverted before, and left alone: {', '.join(reverted)}", "\n"
        if plan.runnable:
            yield self.style.MIGRATE_HEADING("Running SQL files:"), "\n"

    def _starting(self, starting: Starting) -> Iterator[tuple[str, str]]:
        if self.verbosity >= 3:
            yield self.style.SQL_FIELD(_text_of(starting.script)), "\n"
        self._is_mid_line = True
        self._told_at = time.monotonic()
        yield f"  {starting.verb} {starting.name}...", ""

    def _moved(self, moved: Moved) -> Iterator[tuple[str, str]]:
        """Say now and then how far a file has come that runs in batches, and what it waits for."""
        if time.monotonic() - self._told_at < TOLD_EVERY:
            return
        self._told_at = time.monotonic()
        position = moved.position
        of = f" of about {position.expected:,}" if position.expected else ""
        behind = f", waiting for a replica that is {moved.behind_s:.0f} s behind" if moved.behind_s else ""
        yield f"\n    {position.walked:,}{of} rows walked, {position.rows:,} changed{behind}", ""

    def _finished(self, result: FileResult) -> Iterator[tuple[str, str]]:
        if not result.asked and self.verbosity < 2:
            return
        was_begun, self._is_mid_line = self._is_mid_line, False
        if result.status in _WORDS and (result.error or not result.reason):
            if self.verbosity:
                paint: Paint = self.style.ERROR if result.error else self.style.SUCCESS
                yield f" {paint(_WORDS[result.status])}{self._figures(result)}", "\n"
            elif result.error:
                yield f"{result.name}: {self.style.ERROR(_WORDS[result.status])}", "\n"
        elif result.status is Status.APPLIED and was_begun and self.verbosity:
            yield f" {self.style.SUCCESS('OK')} ({result.reason})", "\n"
        elif self.verbosity:
            is_told = result.reason == self._reason and len(result.reason) > LONG_REASON
            reason = "for the same reason" if is_told else result.reason
            yield f"  {self.style.WARNING(_label(result.status))} {result.name}: {reason}", "\n"
        self._reason = result.reason
        if result.error:
            for line in failure_lines(result.error, self.style):
                yield line, "\n"
        if self.verbosity >= 2 or not result.statements:
            for note in result.notes if self.verbosity else ():
                yield f"    Note: {note}", "\n"

    def _figures(self, result: FileResult) -> str:
        if result.status is Status.BASELINED:
            return ""
        done: str = counted(result.statements, "statement")
        if result.batches is not None:
            done = f"{counted(result.batches.count, 'batch', 'batches')}, {counted(result.batches.rows, 'row')}"
        return f" ({seconds(result.duration_ms)}, {done})"

    def closing(self, result: RunResult | RevertResult) -> Iterator[str]:
        """Yield the lines at the end of a run."""
        if not self.verbosity:
            return
        asked = [file for file in result.files if file.asked]
        others = [file for file in result.files if not file.asked]
        yield f"  {by_state(asked)}." if asked else f"  {_nothing(result, is_whole=not others)}"
        if others:
            yield f"  Not asked for: {by_state(others)}."
        if any(file.status in DISAGREEING for file in asked):
            yield f"  {self.style.NOTICE('What to do:')} {_advice(result)}"
        if isinstance(result, RunResult) and result.gate is not None:
            from sqlmigrations.output.health import gate_lines

            yield from gate_lines(result.gate, self.style)
        yield f"Head of the history: {result.head}"


def _advice(result: RunResult | RevertResult) -> str:
    """Say what to do where files and history disagree: that no file is there at all is hardly meant."""
    if all(file.status is Status.MISSING for file in result.files):
        return f"None of them is in a folder of '{result.database}': does SQLMIGRATIONS_DIRS name the right folders?"
    return _DISAGREEMENT


def _nothing(result: RunResult | RevertResult, *, is_whole: bool) -> str:
    if isinstance(result, RunResult):
        return f"No SQL files to apply: {_what(is_whole)} is up to date."
    return "Nothing to revert."


def _what(is_whole: bool) -> str:
    return "everything" if is_whole else "what was asked for"


def seconds(milliseconds: float) -> str:
    """Return a duration as ``migrate`` prints it."""
    return f"{milliseconds / 1000:.3f}s"


def _label(status: Status) -> str:
    return {
        Status.HELD: "Held",
        Status.PENDING: "Left",
        Status.APPLIED: "Left",
        Status.LATE: "Late",
        Status.CHANGED: "Changed",
        Status.MISSING: "Missing",
        Status.IN_DOUBT: "In doubt",
        Status.REVERTED: "Reverted",
        Status.FAILED: "Left",
        Status.PARTIAL: "Left",
    }.get(status, status.capitalize())


def by_state(files: Iterable[FileResult | Step | Missing]) -> str:
    """Say how many files are in which state; nothing where there are none."""
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary(files).items() if count)


def _text_of(script: Script) -> str:
    return b"".join(script.blocks()).decode(errors="replace").rstrip("\n")


def failure_lines(failure: Failure, style: Style, indent: str = "    ") -> Iterator[str]:
    """Yield a failure: the place, the message, the line with a caret, PostgreSQL's words, then ours."""
    sqlstate = f" [{failure.sqlstate}]" if failure.sqlstate else ""
    yield f"{indent}{style.ERROR(f'{failure.where}: {failure.message}')}{sqlstate}"
    if failure.source:
        yield from _source(failure, indent)
    for word, text in (("DETAIL", failure.detail), ("HINT", failure.hint)):
        if text:
            yield f"{indent}{word}: {text}"
    for blocker in failure.blockers:
        yield f"{indent}Blocked by {blocker}"
    if failure.advice:
        yield f"{indent}{style.NOTICE('What to do:')} {failure.advice}"


def _source(failure: Failure, indent: str) -> Iterator[str]:
    """Yield the file's line, cut around the column, and a caret below it; an emoji is two columns wide."""
    from rich.cells import cell_len  # takes its time to load: only where there is an error to point at

    margin = f"{failure.line} | " if failure.line else "| "
    column = (failure.column or 1) - 1
    start = max(0, column - WIDTH + 20) if column > WIDTH - 20 else 0
    shown = failure.source[start : start + WIDTH].expandtabs(1)
    yield f"{indent}{margin}{shown}"
    if failure.column:
        yield f"{indent}{' ' * (len(margin) - 2)}| {' ' * cell_len(shown[: column - start])}^"


def plan_lines(report: PlanReport, style: Style) -> Iterator[str]:
    """Yield what a run would do."""
    plan, others = report.plan.asked, _others(report.plan)
    yield style.MIGRATE_HEADING("Planned SQL files:")
    if not plan.unfinished and not plan.missing and not plan.with_status(Status.CHANGED):
        yield f"  None: {_what(not others)} is up to date."
    for step in plan:
        if step.runs or step.status in (Status.HELD, Status.LATE, Status.CHANGED, Status.IN_DOUBT):
            reason = f"  ({step.reason})" if step.reason else ""
            paint: Paint = str if step.runs else style.WARNING
            yield f"  {paint(_verb(step, report))} {step.name}{reason}"
            if report.lint is not None:
                from sqlmigrations.output.lint import finding_lines

                yield from finding_lines(report.lint.of(step.name), style)
    yield from _missing_lines(plan.missing, style)
    if others:
        yield f"  Not asked for: {others}."
    if report.holder is not None:
        yield style.WARNING(f"A run is in progress: {report.holder}")


def _others(plan: Plan) -> str:
    """Say how many files that were not asked for are not as they should be, by state; nothing where there are none."""
    told: tuple[Step | Missing, ...] = (*(step for step in plan if is_told(step)), *plan.missing)
    return by_state(each for each in told if not each.asked)


def _verb(step: Step, report: PlanReport) -> str:
    if not step.runs:
        return _label(step.status)
    if report.records_only:
        return "Record"
    return "Resume" if step.status is Status.PARTIAL else "Apply"


def _missing_lines(missing: Iterable[Missing], style: Style) -> Iterator[str]:
    for gone in missing:
        yield f"  {style.WARNING('Missing')} {gone.name}  ({gone.reason})"


_MARKS = {Status.APPLIED: "[X]", Status.BASELINED: "[X]", Status.FAILED: "[!]", Status.PARTIAL: "[/]"}


def list_lines(report: PlanReport, style: Style) -> Iterator[str]:
    """Yield all files that were asked for with their states, as ``showmigrations`` does."""
    label: str | None = None
    for step in report.plan.asked:
        folder = step.file.folder or "project"
        if folder != label:
            label = folder
            yield style.MIGRATE_LABEL(label)
        mark = _MARKS.get(step.status, "[ ]")
        figures = _when(step)
        reason = f": {step.reason}" if step.reason else ""
        state = "" if mark == "[X]" and not reason else f" {step.status.replace('_', ' ')}{reason}"
        yield f" {mark} {step.name}{figures}{state}"
    yield from _missing_lines(report.plan.asked.missing, style)


def _when(step: Step) -> str:
    record = step.record
    if record is None or record.executed_at is None:
        return ""
    took = f", {seconds(record.execution_time_ms)}" if record.execution_time_ms is not None else ""
    return f" ({record.executed_at:%Y-%m-%d %H:%M}{took})"


def check_lines(report: PlanReport, style: Style) -> Iterator[str]:
    """Yield the verdict of ``--check``."""
    if report.lint is not None:
        yield from _lint_lines(report, report.lint, style)
    plan, others = report.plan.asked, _others(report.plan)
    disagreeing = len(plan.with_status(Status.CHANGED)) + len(plan.missing)
    if not plan.unfinished and not disagreeing:
        reverted = [step.name for step in plan.with_status(Status.REVERTED)]
        but = f", but for what was reverted: {', '.join(reverted)}" if reverted else ""
        every = "Every SQL file" if len(plan.steps) == len(report.plan.steps) else "Every SQL file that was asked for"
        yield style.SUCCESS(f"{every} is applied{but}.")
    if plan.unfinished:
        names = ", ".join(step.name for step in plan.unfinished)
        # Where the linter judges them, files that are pending are no failure of theirs.
        is_failure = report.lint is None or plan.with_status(Status.PARTIAL, Status.IN_DOUBT)
        paint = style.ERROR if is_failure else str
        yield paint(f"Not applied: {names}")
    for step in plan.with_status(Status.CHANGED):
        yield style.ERROR(f"Changed: {step.name}: {step.reason}")
    yield from _missing_lines(plan.missing, style)
    if others:
        yield f"Not asked for: {others}."


def _lint_lines(report: PlanReport, lint: LintReport, style: Style) -> Iterator[str]:
    """Yield what the linter found, and in how many files it looked."""
    from sqlmigrations.output.lint import finding_lines, summary_line

    yield from finding_lines(lint.findings, style, indent="")
    yield from (style.WARNING(f"Not looked at: {skipped}") for skipped in lint.skipped)
    paint = style.ERROR if lint.serious else style.SUCCESS
    yield paint(summary_line(lint.findings, len(report.plan.runnable)))


def revert_plan_lines(plan: RevertPlan, style: Style) -> Iterator[str]:
    """Yield what would be reverted, and what a person should know before."""
    yield style.MIGRATE_HEADING("SQL files to revert, in this order:")
    if not plan.reversals:
        yield "  None."
    for reversal in plan.reversals:
        yield f"  {reversal.name}  (down script {reversal.reason})"
        if reversal.was_faked:
            yield f"    {style.WARNING('It was recorded without being run: its down script may not fit.')}"
        if reversal.diff:
            yield f"    {style.WARNING('The down script on disk differs; --from-disk takes that one:')}"
            yield from (f"      {line}" for line in reversal.diff.splitlines())
