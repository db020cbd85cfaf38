"""``sqlmigrations-lint FILE ...``: lint SQL files without a database and without a Django project.

For pre-commit hooks and editors. The files that are named together are taken as one run, in their order.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.core.management.color import color_style, no_style

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.scripts import Script
from sqlmigrations.lint.base import Finding
from sqlmigrations.lint.linter import Source, lint, tell
from sqlmigrations.management.streams import NOBODY_READS, leave_unread, not_written, take_any_text
from sqlmigrations.output.lint import annotation_lines, document, finding_lines
from sqlmigrations.severity import Severity


def main(arguments: Sequence[str] | None = None) -> int:
    """Lint the files; return 0 when nothing serious was found, 1 when something was, 2 when that can't be told."""
    options = make_parser().parse_args(arguments)
    is_document = options.format != "text"
    if sys.stdout is None and is_document:
        print(NOBODY_READS, file=sys.stderr)
        return 2
    take_any_text(sys.stdout, is_document=is_document)
    scripts = [Script(name, Path(name)) for name in options.files]
    try:
        found = tell(lint([_source(script) for script in scripts], style=options.style))
    except InvalidFile as error:
        print(error, file=sys.stderr)
        return 2
    if sys.stdout is not None and not _write(_lines(found, options.format)) and is_document:
        return 2
    return 1 if any(one.severity is not Severity.INFO for one in found) else 0


def _write(lines: Iterable[str]) -> bool:
    """Write lines to the standard output, as far as somebody reads them; tell whether they could be written."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        leave_unread(sys.stdout)
    except OSError as error:
        leave_unread(sys.stdout)
        print(not_written(error), file=sys.stderr)
        return False
    return True


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the arguments."""
    parser = argparse.ArgumentParser(
        prog="sqlmigrations-lint",
        description="Finds statements in SQL files that stop others, fail or lose something, without a database and "
        "without settings. Files named together are one run: name the new ones only.",
        epilog="Exit codes: 0: nothing was found; 1: an error or a warning; 2: a file can't be read.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="SQL files, in the order in which they run.")
    parser.add_argument(
        "--format",
        default="text",
        choices=("text", "json", "github"),
        help="text: words for people; json: one document; github: annotations for a GitHub workflow.",
    )
    parser.add_argument("--style", action="store_true", help="Also look for matters of style, which never fail.")
    return parser


def _source(script: Script) -> Source:
    """Read a file; what must not be in one is a finding of a rule here."""
    return Source(script.name, *script.statements())


def _lines(found: list[Finding], format: str) -> list[str]:
    if format == "json":
        return [json.dumps([{"file": one.file, **document(one)} for one in found], indent=2, ensure_ascii=False)]
    if format == "github":
        return list(annotation_lines(found, {}))
    return list(finding_lines(found, color_style() if sys.stdout.isatty() else no_style(), indent=""))
