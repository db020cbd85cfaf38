"""Findings of the linter as lines of text, as annotations of GitHub, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.color import Style

from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.messages import counted
from sqlmigrations.output.annotations import LEVELS, annotation, relative
from sqlmigrations.severity import Severity

_WORDS = {
    Certainty.GUESS: "a guess from the text alone",
    Certainty.CONFIRMED: "sure",
    Certainty.WORSE: "and worse than it looks",
}


def finding_lines(found: Iterable[Finding], style: Style, indent: str = "    ") -> Iterator[str]:
    """Yield each finding: its place, what it is, how sure that is, and what to write instead."""
    for one in found:
        paint: Callable[[str], str] = {
            Severity.ERROR: style.ERROR,
            Severity.WARNING: style.WARNING,
            Severity.INFO: style.NOTICE,
        }[one.severity]
        yield f"{indent}{one.where}: {paint(str(one.severity))}: {one.message} [{one.rule.id}]"
        yield f"{indent}  {certainty(one)}"
        if one.rewrite:
            yield f"{indent}  Write instead:"
            yield from (f"{indent}    {line}" for line in one.rewrite.splitlines())


def certainty(one: Finding) -> str:
    """Say how sure a finding is, and why."""
    if one.certainty is Certainty.GUESS and one.because:
        return f"A guess: {one.because}."
    words = _WORDS.get(one.certainty, str(one.certainty))
    return f"{words[0].upper()}{words[1:]}{f': {one.because}' if one.because else ''}."


def summary_line(found: Iterable[Finding], files: int) -> str:
    """Return how many findings there are of each severity."""
    found = tuple(found)
    looked = counted(files, "pending file")
    if not found:
        return f"Nothing found in {looked}."
    counts = [(severity, sum(one.severity is severity for one in found)) for severity in Severity]
    named = ", ".join(f"{count} {_plural(severity, count)}" for severity, count in counts if count)
    return f"Found in {looked}: {named}."


def _plural(severity: Severity, count: int) -> str:
    return str(severity) if count == 1 or severity is Severity.INFO else f"{severity}s"


def annotation_lines(found: Iterable[Finding], paths: dict[str, Path]) -> Iterator[str]:
    """Yield an annotation of the file's line for each finding; ``paths`` are the files on disk by name."""
    for one in found:
        path = relative(paths.get(one.file, Path(one.file)))
        text = f"{one.message}\n{certainty(one)}"
        text += f"\nWrite instead:\n{one.rewrite}" if one.rewrite else ""
        yield annotation(LEVELS[one.severity], text, title=one.rule.id, file=path, line=max(one.line, 1))


def document(one: Finding) -> dict[str, Any]:
    """Return a finding as a part of a JSON document."""
    return {
        "rule": one.rule.id,
        "line": one.line or None,
        "statement": one.statement or None,
        "object": one.object,
        "severity": str(one.severity),
        "certainty": str(one.certainty),
        "because": one.because,
        "message": one.message,
        "rewrite": one.rewrite,
        "source": one.source,
        "docs": one.rule.docs if one.source == "sqlmigrations" else "",
    }
