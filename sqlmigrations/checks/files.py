"""Checks of the SQL files on disk. No database is asked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.db import connections

from sqlmigrations.checks.messages import error, warning
from sqlmigrations.checks.settings import is_valid
from sqlmigrations.exceptions import InvalidFiles, Problem
from sqlmigrations.files.discovery import DOWN, SUFFIX, VERIFY, Found, discover, folders
from sqlmigrations.files.graph import arrange, required_migrations, unknown
from sqlmigrations.service.databases import django_migrations, has_files


def check() -> Iterator[CheckMessage]:
    """Yield what is wrong with the files of all databases; databases often share an app's, so each is told once."""
    told: list[CheckMessage] = []
    for alias in connections:
        if is_valid("DIRS") and has_files(alias):
            new = [message for message in _of_database(alias) if message not in told]
            told += new
            yield from new


def _of_database(alias: str) -> Iterator[CheckMessage]:
    found = discover(folders(alias))
    names = Counter(file.name for file in found.files)
    for problem in found.errors:
        yield _error(_number_of_error(problem, names), problem)
    for problem in found.warnings:
        yield _warning(_number_of_warning(problem), problem)
    if found.mixed_width is not None:
        yield _warning("034", found.mixed_width)
    if not found.errors:
        yield from _of_order(found)


def _of_order(found: Found) -> Iterator[CheckMessage]:
    """Yield what is wrong with ``requires``; circles are looked for once all names are known."""
    on_disk = django_migrations() if any(map(required_migrations, found.files)) else frozenset()
    if problems := unknown(found.files, lambda label, name: (label, name) in on_disk):
        for problem in problems:
            yield _error("025", problem)
        return
    try:
        arrange(found.files)
    except InvalidFiles as circle:
        for problem in circle.problems:
            yield _error("026", problem)


def _number_of_error(problem: Problem, names: Counter[str]) -> str:
    """Return the number of the id for something that keeps files from being run."""
    if problem.line:
        return "024"  # in the text: a directive, or an open quote before the first statement
    if names[problem.file] > 1:
        return "023"
    if os.path.isdir(problem.file) or not problem.file.endswith(SUFFIX):
        return "021"
    return "022"


def _number_of_warning(problem: Problem) -> str:
    """Return the number of the id for something that a person should look at."""
    if not problem.file.endswith(SUFFIX):
        return "031"
    return "032" if problem.file.endswith((DOWN, VERIFY)) else "033"


def _error(number: str, problem: Problem) -> CheckMessage:
    return error(number, _sentence(problem.message), hint=problem.hint, obj=problem.where)


def _warning(number: str, problem: Problem) -> CheckMessage:
    return warning(number, _sentence(problem.message), hint=problem.hint, obj=problem.where)


def _sentence(text: str) -> str:
    """Return a problem's words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
