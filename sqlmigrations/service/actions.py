"""What somebody may ask for in the admin: what it would do, that it is asked for once, that it came to its end.

An action is a command with its arguments, and a person who confirmed it. The work itself is done by that command in a
process of its own; all its events carry the run's id, which is the token of the confirmation, and the person's name.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.database import connected, fetch_row, own_connection, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.scripts import Script
from sqlmigrations.history import Event, locate
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import EventType, MigrationEvent
from sqlmigrations.runner.lock import key_of
from sqlmigrations.runner.task import read_whole
from sqlmigrations.service.apply import ApplyOptions, plan_run
from sqlmigrations.service.databases import option
from sqlmigrations.service.drift import compare_snapshot
from sqlmigrations.service.revert import RevertOptions, plan_revert, refuse_faked
from sqlmigrations.service.run import Run, acting_for, open_run

#: Seconds for which a click waits for a run in progress before it says so.
LOCK_WAIT = 1.0

#: Characters of what a command wrote that are kept with the event of its end: its last words say what came of it.
OUTPUT = 20_000


class Action(StrEnum):
    """What may be asked for."""

    APPLY = "apply"
    RETRY = "retry"
    REVERT = "revert"
    FAKE = "fake"
    VALIDATE = "validate"
    EXAMINE = "examine"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, where, of which files, by whom, and why."""

    action: Action
    database: str = DEFAULT_DB_ALIAS
    names: tuple[str, ...] = ()
    reason: str = ""
    user: str = ""
    #: What the person saw; the work is refused where it would do something else by now.
    fingerprint: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The command that does it, with its arguments."""
        on = () if self.database == DEFAULT_DB_ALIAS else ("--database", self.database)
        match self.action:
            case Action.APPLY:
                return ("applysql", *on)
            case Action.RETRY:
                return ("applysql", *on, *self.names)
            case Action.FAKE:
                return ("applysql", *on, "--fake", *self.names)
            case Action.REVERT:
                return ("revertsql", *on, "--noinput", *self.names)
            case Action.VALIDATE:
                return ("validateschema", *on, "--keep")
            case Action.EXAMINE:
                return ("dbhealth", *on, "--keep")
            case Action.ACCEPT:
                return ("validateschema", *on, "--accept", f"--reason={self.reason}")


@dataclass(frozen=True, slots=True)
class Part:
    """One script that would run, or be recorded, or one difference that would be accepted."""

    name: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an action would do, in order; its fingerprint changes with any of it."""

    asked: Asked
    parts: tuple[Part, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A digest of what would be done."""
        asked = replace(self.asked, user="", reason="", fingerprint="")
        text = json.dumps([asdict(asked), [asdict(part) for part in self.parts]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def foresee(asked: Asked) -> Foreseen:
    """Return what an action would do. Nothing is locked, made or changed.

    Raises:
        SQLMigrationsError: it can't be done, or there is nothing to do.
    """
    match asked.action:
        case Action.APPLY | Action.RETRY | Action.FAKE:
            parts = tuple(_of_run(asked))
        case Action.REVERT:
            parts = tuple(_of_revert(asked))
        case Action.ACCEPT:
            parts = tuple(_of_drift(asked))
        case Action.VALIDATE | Action.EXAMINE:
            return Foreseen(asked)
    if not parts:
        hint = f"See with: manage.py applysql{option(asked.database)} --list"
        raise ConfigurationError("There is nothing to do.", hint=hint)
    return Foreseen(asked, parts)


def _of_run(asked: Asked) -> Iterator[Part]:
    options = ApplyOptions(asked.database, names=asked.names, fake=asked.action is Action.FAKE)
    for step in plan_run(options).plan.runnable:
        yield _part(step.file, step.reason)
        if step.file.verify is not None and asked.action is not Action.FAKE:
            yield _part(step.file.verify)


def _of_revert(asked: Asked) -> Iterator[Part]:
    plan = plan_revert(RevertOptions(asked.database, asked.names))
    command = f"manage.py revertsql{option(asked.database)} {' '.join(asked.names)}"
    refuse_faked(plan, hint=f"Revert it where it can be confirmed: {command}")
    for reversal in plan.reversals:
        yield _part(reversal.script, reversal.reason)


def _of_drift(asked: Asked) -> Iterator[Part]:
    with connected(asked.database) as wrapper:
        connection = raw(wrapper)
        for difference in compare_snapshot(connection, locate(connection).tables).differences:
            text = _(
                "{attribute}: {expected} → {found}",
                attribute=difference.attribute,
                expected=difference.expected,
                found=difference.found,
            )
            yield Part(f"{difference.kind} {difference.object}", text)


def _part(script: Script, note: str = "") -> Part:
    """Return a script as it may be shown: passwords masked, data of large files left out."""
    return Part(script.name, read_whole(script).stored, note)


# Asked for, once


def submit(asked: Asked, token: uuid.UUID) -> bool:
    """Note that an action is asked for; tell whether it is the first time that this is done with ``token``.

    Raises:
        RunLockHeld: a run is in progress.
        DatabaseUnavailable: the database can't be reached.
    """
    with _noting(asked.database, asked.user, token) as run:
        if _is_known(asked.database, token):
            return False
        details = {"action": str(asked.action), "names": list(asked.names), "fingerprint": asked.fingerprint}
        if asked.reason:
            details["reason"] = asked.reason
        run.journal.append(Event(EventType.REQUESTED, "", details=details))
        return True


def asked_for(token: uuid.UUID, database: str) -> Asked | None:
    """Return what was asked for with a token."""
    events = MigrationEvent.objects.using(database).filter(run=token, type=EventType.REQUESTED)
    details: Mapping[str, Any] | None = events.values_list("details", flat=True).first()
    if details is None:
        return None
    return Asked(
        Action(details["action"]),
        database,
        tuple(details["names"]),
        details.get("reason", ""),
        details.get("user", ""),
        details["fingerprint"],
    )


def end(asked: Asked, token: uuid.UUID, code: int, output: str) -> None:
    """Note that the work came to its end, unless that is known: with its exit code and its last words.

    Raises:
        RunLockHeld: another run goes on for too long.
        DatabaseUnavailable: the database can't be reached.
    """
    with _noting(asked.database, asked.user, token, lock_wait=600.0) as run:
        if not has_ended(asked.database, token):
            run.journal.append(Event(EventType.ENDED, "", details={"code": code, "output": output[-OUTPUT:]}))


@contextmanager
def claimed(asked: Asked, token: uuid.UUID) -> Iterator[bool]:
    """Tell whether the work is ours in the block: nobody else is at it, and it has not been done.

    The claim is a session's advisory lock, which goes with its process, however that ends.
    """
    with connected(asked.database) as wrapper:
        own = own_connection(wrapper)
        own.connect()
        try:
            own.set_autocommit(True)
            keys = [key_of("actions of the admin"), key_of(str(token))]
            (taken,) = fetch_row(raw(own), "SELECT pg_try_advisory_lock(%s, %s)", keys)
            yield bool(taken) and not has_ended(asked.database, token)
        finally:
            own.close()


def has_ended(database: str, token: uuid.UUID) -> bool:
    """Tell whether what was asked for has come to its end."""
    return bool(MigrationEvent.objects.using(database).filter(run=token, type=EventType.ENDED).exists())


def _is_known(database: str, token: uuid.UUID) -> bool:
    return bool(MigrationEvent.objects.using(database).filter(run=token).exists())


@contextmanager
def _noting(database: str, user: str, token: uuid.UUID, *, lock_wait: float = LOCK_WAIT) -> Iterator[Run]:
    with (
        connected(database) as wrapper,
        acting_for(user, token),
        open_run(wrapper, lock_wait=lock_wait, tell=lambda told: None) as run,
    ):
        yield run
