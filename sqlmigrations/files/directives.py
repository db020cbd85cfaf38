"""Directives: ``-- sqlmigrations: KEY VALUE`` in comment lines before a file's first statement."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.messages import gettext as _

KEYS = (
    "requires",
    "transaction",
    "isolation",
    "lock_timeout",
    "statement_timeout",
    "retries",
    "batch",
    "pause",
    "max_lag",
    "allow",
    "tags",
    "sensitive",
)
ISOLATION_LEVELS = ("serializable", "repeatable read", "read committed")
MAX_RETRIES = 1000
MAX_BATCH = 1_000_000
#: Milliseconds in each of PostgreSQL's units of time.
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_LONGEST = 2**31 - 1
_duration = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?P<unit>[A-Za-z]*)")
_rule = re.compile(r"(?P<rule>[A-Za-z][\w-]*)\s*:\s*(?P<reason>\S.*)")


@dataclass(frozen=True, slots=True)
class Batch:
    """How a file's statement is run in batches: how many keys each has, and the key; none means the primary key."""

    size: int
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directives:
    """What a file says about itself. ``None`` leaves the choice to the settings."""

    requires: tuple[str, ...] = ()
    transaction: bool = True
    isolation: str | None = None
    lock_timeout: str | None = None
    statement_timeout: str | None = None
    retries: int | None = None
    #: Its one statement runs in batches, each in a transaction of its own; ``transaction`` is off then.
    batch: Batch | None = None
    #: How long to pause between batches, and how far behind a replica may be.
    pause: str | None = None
    max_lag: str | None = None
    allow_late: bool = False
    #: Lint rules that are silenced, each with its reason.
    allow_rules: tuple[tuple[str, str], ...] = ()
    #: The line of each of them.
    allow_lines: tuple[int, ...] = field(default=(), compare=False)
    tags: tuple[str, ...] = ()
    sensitive: bool = False


#: What most files say of themselves.
NONE = Directives()


def is_duration(text: str) -> bool:
    """Say whether PostgreSQL reads the text as a time of at most 2147483647 ms: ``3s``, ``10min``, ``500ms``, ``0``."""
    found = milliseconds(text)
    return found is not None and found <= _LONGEST


def milliseconds(text: str) -> float | None:
    """Return a time as PostgreSQL reads it, in milliseconds; ``None`` for what is none."""
    match = _duration.fullmatch(text)
    factor = _UNITS.get(match["unit"] or "ms") if match else None
    return None if match is None or factor is None else float(match["number"]) * factor


def parse(comments: Iterable[tuple[int, str, bool]], *, name: str = "") -> Directives:
    """Read a file's directives from its ``-- sqlmigrations:`` comments, given as the splitter collects them.

    Raises ``InvalidFile`` for the first that is wrong; ``problems`` lists all.
    """
    directives, found = read(comments, name=name)
    if found:
        raise InvalidFile(found[0])
    return directives


def read(comments: Iterable[tuple[int, str, bool]], *, name: str = "") -> tuple[Directives, list[Problem]]:
    """Read a file's directives; return them together with a problem for each that is wrong."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    for line, comment, before_first in comments:
        try:
            if (tool := _whose_way_back(comment)) is not None:
                raise _Wrong(
                    _("{tool} keeps the way back below this line, and it would be run as well", tool=tool),
                    _("Move what is below into NAME.down.sql, and remove the line."),
                )
            if not before_first:
                raise _Wrong(
                    _("a directive below the first statement has no effect"),
                    _("Move it to the top of the file, or reword the comment."),
                )
            for field, value in _read_one(comment).items():
                key = f"allow {value[0][0]}" if field == "allow_rules" else field
                if key in lines:
                    shown = "allow late" if key == "allow_late" else key
                    raise _Wrong(
                        _("directive {shown} is given twice", shown=repr(shown)),
                        _("The first is on line {line}; keep one.", line=lines[key]),
                    )
                lines[key] = line
                if field == "allow_rules":
                    values["allow_lines"] = (*values.get("allow_lines", ()), line)
                values[field] = values.get(field, ()) + value if field == "allow_rules" else value
        except _Wrong as wrong:
            problems.append(Problem(wrong.message, name, line, wrong.hint))
    if not values:
        return NONE, problems
    if "batch" in values and values.setdefault("transaction", False):
        hint = _("Each batch has a transaction of its own: remove one of the two.")
        problems.append(Problem(_("'batch' and 'transaction on' contradict each other"), name, lines["batch"], hint))
    directives = Directives(**values)
    problems += [Problem(told, name, lines[key], hint) for key, told, hint in _without_effect(directives)]
    return directives, problems


def _whose_way_back(comment: str) -> str | None:
    """Return the tool behind whose mark in a comment stands what undoes a file; ``None`` for a directive."""
    words = comment.removeprefix("--").lower().split()
    return {"migrate:down": "dbmate", "+goose": "goose"}.get(words[0])


def _without_effect(directives: Directives) -> Iterator[tuple[str, str, str]]:
    """Yield the directives that say nothing beside, or without, another one: key, message, hint."""
    if directives.isolation and not directives.transaction:
        other = "transaction off" if directives.batch is None else "batch"
        told = _("'isolation' has no effect together with '{other}'", other=other)
        yield "isolation", told, _("Remove one of the two.")
    for key, given in (("pause", directives.pause), ("max_lag", directives.max_lag)):
        if given is not None and directives.batch is None:
            told = _("'{key}' has no effect without 'batch'", key=key)
            yield key, told, _("Add for example: batch 5000, or remove it.")


class _Wrong(Exception):
    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint


def _read_one(comment: str) -> dict[str, Any]:
    """Return the one field that a directive sets."""
    content = comment.partition(":")[2].strip()
    key, _space, value = content.partition(" ")
    value = value.strip()
    match key:
        case "requires" | "tags":
            return {key: _names(key, value)}
        case "transaction":
            return {key: _transaction(value)}
        case "isolation":
            return {key: _isolation(value)}
        case "lock_timeout" | "statement_timeout" | "pause" | "max_lag":
            return {key: _timeout(key, value)}
        case "retries":
            return {key: _retries(value)}
        case "batch":
            return {key: _batch(value)}
        case "allow":
            return {"allow_late": True} if value == "late" else {"allow_rules": (_allowed_rule(value),)}
        case "sensitive":
            if value:
                raise _Wrong(
                    _("directive 'sensitive' takes no value, not {value}", value=repr(value)), _("Write: sensitive")
                )
            return {key: True}
    raise _Wrong(_("unknown directive {key}", key=repr(key)), _("Known are: {keys}.", keys=", ".join(KEYS)))


def _names(key: str, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(","))
    example = "001_users.sql, django:blog.0002_post" if key == "requires" else "billing, slow"
    if not all(names):
        raise _Wrong(
            _("directive {key} names nothing", key=repr(key)),
            _("Write for example: {key} {example}", key=key, example=example),
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _Wrong(
            _("directive {key} names {name} twice", key=repr(key), name=repr(twice[0])), _("Remove one of them.")
        )
    return names


def _transaction(value: str) -> bool:
    if value not in ("on", "off"):
        raise _Wrong(_("directive 'transaction' can't be {value}", value=repr(value)), _("Write: transaction off"))
    return value == "on"


def _isolation(value: str) -> str:
    level = " ".join(value.lower().split())
    if level not in ISOLATION_LEVELS:
        raise _Wrong(
            _("directive 'isolation' can't be {value}", value=repr(value)),
            _("Write one of: {levels}.", levels=", ".join(ISOLATION_LEVELS)),
        )
    return level


def _timeout(key: str, value: str) -> str:
    if not is_duration(value):
        raise _Wrong(
            _("directive {key} can't be {value}", key=repr(key), value=repr(value)),
            _("Write a time as PostgreSQL does: 3s, 500ms, 10min, or 0 for no limit."),
        )
    return value


def _retries(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) <= MAX_RETRIES):
        raise _Wrong(
            _("directive 'retries' can't be {value}", value=repr(value)),
            _("Write a number from 0 to {most}.", most=MAX_RETRIES),
        )
    return int(value)


def _batch(value: str) -> Batch:
    size, by, columns = (*value.split(None, 2), "", "", "")[:3]
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= MAX_BATCH):
        raise _Wrong(
            _("directive 'batch' can't be {value}", value=repr(value)),
            _(
                "Write how many keys a batch has, from 1 to {most}, and perhaps the key: batch 5000 by id",
                most=MAX_BATCH,
            ),
        )
    if not by:
        return Batch(int(size))
    key = tuple(_column(column) for column in columns.split(","))
    if by.lower() != "by" or not all(key) or len(set(key)) < len(key):
        raise _Wrong(
            _("directive 'batch' can't be {value}", value=repr(value)),
            _("Write the columns of its key, each once: batch 5000 by id, or: batch 5000 by tenant, id"),
        )
    return Batch(int(size), key)


def _column(written: str) -> str:
    """Return the name of a column as the server stores it; empty for what is none."""
    from sqlmigrations.files.tokens import code  # few files name one

    found = list(code(written.strip().encode()))
    return found[0].identifier if len(found) == 1 else ""


def _allowed_rule(value: str) -> tuple[str, str]:
    match = _rule.fullmatch(value)
    if not match:
        raise _Wrong(
            _("directive 'allow' can't be {value}", value=repr(value)),
            _("Write: allow late, or: allow RULE: the reason why it is fine here"),
        )
    return match["rule"], match["reason"]
