"""What this room's tests share: files from texts, and the schema that the rules' examples are about."""

from __future__ import annotations

from pathlib import Path

from sqlmigrations.files.directives import parse
from sqlmigrations.files.splitter import Splitter
from sqlmigrations.lint.base import Finding
from sqlmigrations.lint.linter import Source, lint, tell

#: The tables that the examples of the rules are about.
SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")


def source(text: str, name: str = "001.sql") -> Source:
    """Read a text as a SQL file."""
    splitter = Splitter([text.encode()], name=name)
    splitter.skip_gap()
    directives = parse(splitter.directives, name=name)
    return Source(name, directives, tuple(splitter))


def look(*texts: str, style: bool = False) -> list[Finding]:
    """Return all that is found in these files, as one run."""
    return lint([source(text, f"{number:03}.sql") for number, text in enumerate(texts, 1)], style=style)


def told(*texts: str, style: bool = False) -> list[str]:
    """Return what is told of these files without a database, as ``file:line rule``."""
    return [f"{found.where} {found.rule.id}" for found in tell(look(*texts, style=style))]
