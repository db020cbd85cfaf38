"""The SQL files that are run: the same ones whenever and wherever they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Tables that the files make begin with this.
PREFIX = "bench_"

#: One small file, as a project's migrations mostly are: a table, its index, a comment.
SMALL = """\
CREATE TABLE bench_{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz);
CREATE INDEX bench_{n}_name_idx ON bench_{n} (name);
COMMENT ON TABLE bench_{n} IS 'made by file {n}';
"""

#: A statement of a longer file.
STATEMENT = "CREATE TABLE bench_{n}_{m} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);\n"


@dataclass(frozen=True, slots=True)
class Text:
    """A migration before a tool is given it: ``name`` begins with its number, which has the same width in all."""

    name: str
    sql: str


def small(files: int) -> list[Text]:
    """Return files of three statements each."""
    return [Text(_name(n), SMALL.format(n=n)) for n in range(1, files + 1)]


def long(files: int, statements: int) -> list[Text]:
    """Return files of so many statements each."""
    return [
        Text(_name(n), "".join(STATEMENT.format(n=n, m=m) for m in range(1, statements + 1)))
        for n in range(1, files + 1)
    ]


def _name(n: int) -> str:
    return f"{n:06}_bench"


def write(folder: Path, texts: Sequence[Text], *, head: str = "", foot: str = "") -> None:
    """Write each text into a file of its own, between the lines of ``head`` and those of ``foot``."""
    for text in texts:
        (folder / f"{text.name}.sql").write_text(head + text.sql + foot)
