"""Finds the statement that brought an object in: in the SQL files that were applied, or in Django's migrations."""

from __future__ import annotations

import inspect
import os
import re
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from psycopg import sql

from sqlmigrations.database import fetch_all, raw
from sqlmigrations.files.splitter import split
from sqlmigrations.health.base import Origin, Subject
from sqlmigrations.health.fixes import fields_of, model_of
from sqlmigrations.history import HELD_STATES, Tables, locate, read_all_texts
from sqlmigrations.history.health_runs import is_readable
from sqlmigrations.history.places import read_places

#: Subjects whose own name is that of something that a statement makes.
_NAMED = ("index", "sequence", "view", "materialized view", "function")


@dataclass(frozen=True)
class _Statement:
    """A statement of an applied file that makes or changes a table."""

    file: str
    line: int
    words: frozenset[str]


@dataclass
class Origins:
    """Answers for one database, reading what it needs when it is first asked."""

    wrapper: BaseDatabaseWrapper

    def of(self, subject: Subject) -> Origin | None:
        """Return where an object came from, if that can be told."""
        return self._of_files(subject) or self._of_migrations(subject)

    # SQL files

    @cached_property
    def _tables(self) -> Tables | None:
        """The history's tables, where there are any that the role may read: one that only watches need not."""
        connection = raw(self.wrapper)
        tables = locate(connection).tables
        return tables if tables is not None and is_readable(connection, tables.record) else None

    @cached_property
    def _made(self) -> dict[tuple[str, str], Origin]:
        """What the records say was made, by kind and name, as written and without its schema."""
        connection, tables = raw(self.wrapper), self._tables
        if tables is None:
            return {}
        rows = fetch_all(connection, _objects_made(tables.record), [sorted(map(str, HELD_STATES))])
        if is_readable(connection, tables.event):
            places = read_places(connection, tables)
            rows.sort(key=lambda row: places.of(row[0], row[1]))
        found: dict[tuple[str, str], Origin] = {}
        for filename, _executed_at, objects in rows:
            for made in objects:
                found[made["kind"], made["name"].rpartition(".")[2].strip('"')] = Origin(filename, made["line"])
        return found

    @cached_property
    def _statements(self) -> tuple[_Statement, ...]:
        """All statements of applied files that make or change tables, in the files' order."""
        connection, tables = raw(self.wrapper), self._tables
        texts = read_all_texts(connection, tables) if tables is not None else {}
        return tuple(statement for name in sorted(texts) for statement in _of_text(name, texts[name].applied or ""))

    def _of_files(self, subject: Subject) -> Origin | None:
        made = self._made.get((subject.kind, subject.name or subject.table))
        if made or subject.kind in _NAMED:
            return made
        parts = {subject.table, *subject.columns, *([subject.name] if subject.kind == "constraint" else [])}
        for wanted in (parts, {subject.table, *subject.columns}):
            found = [statement for statement in self._statements if wanted <= statement.words]
            if found and subject.table:
                # Before anything speaks of a table, it is made; a column or a constraint comes with the last statement
                # that speaks of it.
                chosen = found[-1] if len(wanted) > 1 else found[0]
                return Origin(chosen.file, chosen.line)
        return None

    # Django

    @cached_property
    def _migrations(self) -> Sequence[Migration]:
        from django.db.migrations.loader import MigrationLoader  # imports every migration of the project

        loader = MigrationLoader(None, ignore_no_migrations=True)
        keys = [key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)]
        return [loader.graph.nodes[key] for key in dict.fromkeys(keys)]

    def _of_migrations(self, subject: Subject) -> Origin | None:
        model = model_of(subject) if subject.table else None
        if model is None:
            return None
        names = {field.name for field in fields_of(model, subject.columns)} | {subject.name}
        label, model_name = model._meta.app_label, model._meta.model_name or ""
        last = None
        for migration in self._migrations:
            if migration.app_label == label and any(
                _brings(operation, model_name, names) for operation in migration.operations
            ):
                last = migration
        return Origin(_place(type(last))) if last is not None else None


#: Where packages are installed: often below the project's own folder.
_INSTALLED = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))


def _place(migration: type[Migration]) -> str:
    """Return the file of a migration: the project's own from the current folder on, else as its module is called."""
    file = inspect.getfile(migration)
    path = os.path.relpath(file)
    is_own = not path.startswith(os.pardir) and not file.startswith(_INSTALLED)
    return path if is_own else f"{migration.__module__.replace('.', '/')}.py"


def _objects_made(table: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "SELECT filename, executed_at, objects_made FROM {} WHERE state = ANY (%s) ORDER BY executed_at, filename"
    ).format(table)


def _of_text(name: str, text: str) -> Iterator[_Statement]:
    for statement in split([text.encode()]):
        if statement.keywords[:2] in (("CREATE", "TABLE"), ("ALTER", "TABLE")) or (
            statement.keywords[:1] == ("CREATE",) and "TABLE" in statement.keywords[:4]
        ):
            yield _Statement(name, statement.line, frozenset(_words(statement.text)))


#: Identifiers: quoted ones as they are, others in lower case.
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')


def _words(text: str) -> Iterator[str]:
    for quoted, plain in _IDENTIFIER.findall(text):
        yield quoted.replace('""', '"') if quoted else plain.lower()


def _brings(operation: Any, model: str, names: set[str]) -> bool:
    """Say whether an operation brings in the model, or one of these fields, indexes or constraints of it."""
    if getattr(operation, "name_lower", "") == model and hasattr(operation, "fields"):
        return True
    if getattr(operation, "model_name_lower", "") != model:
        return False
    made = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    return getattr(made, "name", getattr(operation, "name", None)) in names
