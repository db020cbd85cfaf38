"""The order between files: by name within a folder, and as their ``requires`` say."""

from __future__ import annotations

import difflib
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import dropwhile

from sqlmigrations.exceptions import InvalidFiles, Problem
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.messages import gettext as _

DJANGO = "django:"

Edges = Mapping[str, frozenset[str]]


def arrange(
    files: Sequence[SQLFile], *, django_migrations: Callable[[str, str], bool] | None = None
) -> tuple[SQLFile, ...]:
    """Return the files in an order that keeps each after what it requires, otherwise as they came.

    ``django_migrations(app_label, name)`` says whether a Django migration exists on disk; without it nobody asks.
    Raises ``InvalidFiles`` for names that no file has and for circles, each with its whole path.
    """
    requires = any(file.directives.requires for file in files)
    if requires and (problems := unknown(files, django_migrations)):
        raise InvalidFiles(problems)
    if not requires and _are_in_order(file.kind for file in files):
        return tuple(files)  # as most projects' files, of which there may be thousands
    edges = order(files)
    arranged = _sorted(files, edges)
    if len(arranged) < len(files):  # what waits for itself never gets its turn
        raise InvalidFiles([_circle_problem(files, edges)])
    return arranged


def _are_in_order(kinds: Iterable[Kind]) -> bool:
    """Say whether no repeatable precedes a versioned file."""
    from_repeatable = dropwhile(lambda kind: kind is not Kind.REPEATABLE, kinds)
    return Kind.VERSIONED not in from_repeatable


def required(file: SQLFile) -> tuple[str, ...]:
    """Return the names of the files that a file requires itself."""
    return tuple(name for name in file.directives.requires if not name.startswith(DJANGO))


def required_migrations(file: SQLFile) -> tuple[tuple[str, str], ...]:
    """Return the Django migrations that a file requires itself, as (app label, name)."""
    if not file.directives.requires:  # as most files, of which there may be thousands
        return ()
    names = (name.removeprefix(DJANGO) for name in file.directives.requires if name.startswith(DJANGO))
    return tuple((label, migration) for label, _, migration in (name.partition(".") for name in names))


def requirements(files: Iterable[SQLFile]) -> dict[str, frozenset[str]]:
    """Return for each file's name the names of the files that it requires itself."""
    return {file.name: frozenset(required(file)) for file in files}


def order(files: Sequence[SQLFile]) -> dict[str, frozenset[str]]:
    """Return for each file's name what must run before it.

    That is what it requires, for a versioned file also the one before it in its folder, and for a repeatable or
    seed all versioned files (through the last one of each folder).
    """
    edges = {name: set(names) for name, names in requirements(files).items()}
    last: dict[str, str] = {}
    for file in files:
        if file.kind is Kind.VERSIONED:
            if file.folder in last:
                edges[file.name].add(last[file.folder])
            last[file.folder] = file.name
    for file in files:
        if file.kind is Kind.REPEATABLE:
            edges[file.name].update(last.values())
    return {name: frozenset(names) for name, names in edges.items()}


def unknown(files: Sequence[SQLFile], django_migrations: Callable[[str, str], bool] | None = None) -> list[Problem]:
    """Return a problem for each required name that does not exist."""
    names = {file.name for file in files}
    problems = []
    for file in files:
        if not file.directives.requires:
            continue
        for name in required(file):
            if name not in names:
                problems.append(_missing(file, name, names))
        for label, migration in required_migrations(file):
            if not (label and migration):
                hint = _("Write django:, the app's label, a dot and the migration's name: django:blog.0003_author")
                problems.append(
                    Problem(
                        _("requires {prefix}{label}, which names no migration", prefix=DJANGO, label=label),
                        file.name,
                        hint=hint,
                    )
                )
            elif django_migrations is not None and not django_migrations(label, migration):
                problems.append(
                    Problem(
                        _(
                            "requires the Django migration {label}.{migration}, which does not exist",
                            label=label,
                            migration=migration,
                        ),
                        file.name,
                        hint=_("Look at: manage.py showmigrations {label}", label=label),
                    )
                )
    return problems


def _missing(file: SQLFile, name: str, names: Iterable[str]) -> Problem:
    close = difflib.get_close_matches(name, names, n=1)
    hint = (
        _("Did you mean {name}?", name=close[0])
        if close
        else _("Names are paths below the folder, with .sql at the end.")
    )
    return Problem(_("requires {name}, which no SQL file is called", name=name), file.name, hint=hint)


def _circle_problem(files: Sequence[SQLFile], edges: Edges) -> Problem:
    """Return the problem for the first circle, in the order of the files."""
    path = next(path for file in files if (path := _circle(file.name, edges)))
    return Problem(
        _("these files wait for each other: {path}", path=" -> ".join(path)),
        path[0],
        hint=_("Each runs after the one behind its arrow: remove a 'requires', or rename a file."),
    )


def _circle(start: str, edges: Edges) -> list[str] | None:
    """Return the shortest way from a name back to itself."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for other in sorted(edges.get(name, ())):
            if other == start:
                path = [name]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return [*reversed(path), start]
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    return None


def _sorted(files: Sequence[SQLFile], edges: Edges) -> tuple[SQLFile, ...]:
    """Sort so that each file comes after its edges, and otherwise as early as it came."""
    position = {file.name: index for index, file in enumerate(files)}
    waits_for = {name: len(names) for name, names in edges.items()}
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for later, earlier in edges.items():
        for other in earlier:
            followers[other].append(later)
    ready = [position[name] for name, count in waits_for.items() if not count]
    heapq.heapify(ready)
    arranged: list[SQLFile] = []
    while ready:
        file = files[heapq.heappop(ready)]
        arranged.append(file)
        for later in followers[file.name]:
            waits_for[later] -= 1
            if not waits_for[later]:
                heapq.heappush(ready, position[later])
    return tuple(arranged)
