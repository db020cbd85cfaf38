"""A rehearsal as lines of text, as annotations of GitHub's, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.color import Style

from sqlmigrations.messages import counted
from sqlmigrations.output.annotations import annotation, relative
from sqlmigrations.output.text import failure_lines
from sqlmigrations.service.rehearse import FileRehearsal, RehearsalReport, Size, Where

if TYPE_CHECKING:
    from sqlmigrations.runner.measurements import Block, MeasuredStatement, Rehearsed

_HEADINGS = {
    Where.SCHEMA: "Rehearsal in a copy of the schema:",
    Where.DATA: "Rehearsal in a copy of the database:",
    Where.IN_PLACE: "Rehearsal in place, rolled back:",
}


def rehearsal_lines(report: RehearsalReport, style: Style, *, verbosity: int = 1) -> Iterator[str]:
    """Yield what was measured: of each file what it blocks, what it does, and what went wrong."""
    yield style.MIGRATE_HEADING(_HEADINGS[report.where])
    if not report.files:
        yield "  Nothing is pending."
        return
    locked: dict[str, None] = {}
    for result in report.files:
        yield from _file_lines(result, report, style, verbosity, tuple(locked))
        if report.where is Where.IN_PLACE and result.run is not None:
            locked |= dict.fromkeys(block.lock.relation for block in result.run.blocks)
    yield from (f"  Note: {note}" for note in report.notes)
    counts = [
        (state, sum(each.state == state for each in report.files)) for state in ("failed", "over", "held", "skipped")
    ]
    named = "".join(f", {count} {_words(state)}" for state, count in counts if count)
    ran = sum(each.run is not None for each in report.files)
    yield f"  {ran} rehearsed{named}. Nothing of it is left."


def _words(state: str) -> str:
    return "over the budget" if state == "over" else state


def _file_lines(
    result: FileRehearsal, report: RehearsalReport, style: Style, verbosity: int, locked: Sequence[str]
) -> Iterator[str]:
    """Yield what one file does; ``locked`` are the relations that earlier ones have locked, and still do."""
    run = result.run
    if run is None:
        yield f"  {style.WARNING(f'{result.name} {result.state}')}: {result.reason}"
        return
    paint: Callable[[str], str] = style.SUCCESS if result.state == "ok" else style.ERROR
    yield f"  {result.name}... {paint(_words(result.state).upper())} ({_ms(run.duration_ms)})"
    if run.error:
        yield from failure_lines(run.error, style)
    for left_out in run.left_out:
        yield f"    Left out, since it reaches beyond the database: {left_out}"
    for block in run.blocks:
        yield f"    {_block(block, report)}"
    if not run.blocks and not run.error:
        known = f", beyond what earlier files have locked: {', '.join(locked)}" if locked else ""
        yield f"    Nobody has to wait for it{known}."
    for statement in run.statements:
        if statement.work or statement.batches or (statement.locks and verbosity > 1):
            yield from _statement_lines(statement, verbosity)
    for prediction in result.predictions:
        paint = str if prediction.agrees else style.WARNING
        yield f"    {paint(f'Lint and measure: {prediction}')}"
    for lock in result.locks:
        if not lock.agrees:
            yield f"    {style.WARNING(f'Lint and measure: {lock}')}"
    for over in result.over:
        yield f"    {style.ERROR('Over the budget:')} {over.message}"
    yield from _after(result, style)


def _after(result: FileRehearsal, style: Style) -> Iterator[str]:
    """Yield how the file's down script went, and the file a second time."""
    for words, tried in (("Its down script", result.down), ("Run again after that, it", result.again)):
        if tried is None:
            continue
        if tried.error is None:
            yield f"    {words} ran."
        else:
            yield f"    {style.ERROR(f'{words} failed:')}"
            yield from failure_lines(tried.error, style, indent="      ")


def _block(block: Block, report: RehearsalReport) -> str:
    """Say who waits for how long."""
    relation, mode = block.lock.relation, block.lock.mode
    if block.readers_ms and block.readers_ms < block.writers_ms:
        waits = f"writers wait {_ms(block.writers_ms)}, readers {_ms(block.readers_ms)}"
    else:
        waits = f"{block.whom} wait {_ms(block.writers_ms)}"
    text = f"{relation}: {waits} ({mode})"
    if estimated := report.estimate_ms(block):
        size = report.sizes[relation]
        text += f", and about {_ms(estimated)} more with its {counted(size.rows, 'row')} ({_megabytes(size)})"
    return text


def _statement_lines(statement: MeasuredStatement, verbosity: int) -> Iterator[str]:
    longest = f"{counted(statement.batches, 'batch', 'batches')}, the longest " if statement.batches else ""
    yield f"    line {statement.line}: {statement.text or 'a statement'} ({longest}{_ms(statement.duration_ms)})"
    for work in statement.work:
        yield f"      {work.message}"
    if verbosity > 1:
        for lock in statement.locks:
            yield f"      {lock.mode} on {lock.relation}"
        yield f"      {statement.wal_bytes:,} bytes of WAL"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.1f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"


def _megabytes(size: Size) -> str:
    return f"{size.bytes / 1e6:,.1f} MB"


# Annotations


def rehearsal_annotations(report: RehearsalReport) -> Iterator[str]:
    """Yield an annotation for each thing that keeps a rehearsal from being fine, and where lint and measure differ."""
    for result in report.files:
        for level, text, file, line in _annotated(result):
            path = relative(report.paths.get(file, Path(file)))
            yield annotation(level, text, title="rehearsal", file=path, line=max(line, 1))


def _annotated(result: FileRehearsal) -> Iterator[tuple[str, str, str, int]]:
    """Yield level, text, file and line."""
    for words, tried in (("", result.run), ("Down script: ", result.down), ("Run again: ", result.again)):
        if tried is not None and (failure := tried.error) is not None:
            said = (f"{words}{failure.text}", failure.advice)
            yield "error", "\n".join(part for part in said if part), failure.file, failure.line or 0
    for over in result.over:
        yield "error", f"Over the budget: {over.message}", result.name, over.line
    if result.run is None:
        yield "warning", f"Not rehearsed: {result.reason}", result.name, 0
    for prediction in result.predictions:
        if not prediction.agrees:
            yield "notice", f"Lint and measure: {prediction}", result.name, prediction.line
    for lock in result.locks:
        if not lock.agrees:
            yield "notice", f"Lint and measure: {lock}", result.name, 0


# JSON


def of_file(result: FileRehearsal, report: RehearsalReport) -> dict[str, Any]:
    """Return one file's part of the document, but for what failed."""
    run = result.run
    return {
        "name": result.name,
        "kind": str(result.kind),
        "state": result.state,
        "reason": result.reason,
        "duration_ms": run.duration_ms if run else None,
        "blocks": [_block_document(block, report) for block in run.blocks] if run else [],
        "statements": [_statement_document(statement) for statement in run.statements] if run else [],
        "left_out": list(run.left_out) if run else [],
        "over": [
            {"relation": over.relation, "message": over.message, "line": over.line or None} for over in result.over
        ],
        "predictions": [
            {
                "statement": each.statement,
                "line": each.line,
                "rules": list(each.rules),
                "measured": each.is_measured,
                "agrees": each.agrees,
                "cleared": each.cleared,
            }
            for each in result.predictions
        ],
        "locks": [
            {
                "relation": each.relation,
                "predicted": str(each.predicted) if each.predicted else None,
                "measured": str(each.measured) if each.measured else None,
                "rules": list(each.rules),
                "agrees": each.agrees,
            }
            for each in result.locks
        ],
        "down": _tried(result.down),
        "again": _tried(result.again),
    }


def _tried(tried: Rehearsed | None) -> str | None:
    if tried is None:
        return None
    return "failed" if tried.error else "ok"


def _block_document(block: Block, report: RehearsalReport) -> dict[str, Any]:
    size = report.sizes.get(block.lock.relation)
    return {
        **block.lock.as_json(),
        "writers_ms": block.writers_ms,
        "readers_ms": block.readers_ms,
        "estimated_ms": report.estimate_ms(block),
        "rows": size.rows if size else None,
        "bytes": size.bytes if size else None,
    }


def _statement_document(statement: MeasuredStatement) -> dict[str, Any]:
    return {
        "number": statement.number,
        "line": statement.line,
        "statement": statement.text,
        "duration_ms": statement.duration_ms,
        "wal_bytes": statement.wal_bytes,
        "watched": statement.is_watched,
        "batches": statement.batches,
        "locks": [lock.as_json() for lock in statement.locks],
        "work": [
            {"kind": str(work.kind), "relation": work.relation, "message": work.message} for work in statement.work
        ],
    }
