"""Why a file outside a transaction can't begin or go on, and what a person does then."""

from __future__ import annotations

from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.runner.concurrent import InvalidIndex
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.task import Task


class CannotResume(Exception):
    """The part of the file that has run is not what it was, or can't be stood on."""

    def __init__(self, failure: Failure, state: State = State.PARTIAL) -> None:
        self.failure = failure
        self.state = state
        super().__init__(failure.message)


def inside_transaction(script: Script) -> Failure:
    """Say that a transaction is open, which the file can't be part of."""
    return Failure(
        _("A file with {directive} can't run inside a transaction.", directive=_directive(script)), script.name
    )


def behind_pooler(script: Script) -> Failure:
    """Say that the connection has another backend in each transaction."""
    return Failure(
        _(
            "A file with {directive} needs a backend of its own, and this alias goes through a "
            "pooler in transaction mode.",
            directive=_directive(script),
        ),
        script.name,
        advice=_("Add an alias to DATABASES that connects to the server directly, and name it with --database."),
    )


def _directive(script: Script) -> str:
    """Return the directive by which a script runs outside a transaction."""
    return "`transaction off`" if script.directives.batch is None else "`batch`"


def temporary_table_gone(task: Task, statement: Statement) -> CannotResume:
    """Say that the rest builds on a temporary table, which nobody has any more."""
    return CannotResume(
        Failure(
            _("The part that has run made a temporary table, which has gone with its session."),
            task.script.name,
            line=statement.line,
            advice=_(
                'Undo what has run and begin again: applysql {name} --restart --reason "..."',
                name=task.name,
            ),
        )
    )


def edited(task: Task, stopped_after: int, what: str) -> CannotResume:
    """Say that the part of the file that has run is not what it was."""
    return CannotResume(
        Failure(
            _(
                "The file stopped after statement {number} and was changed since: {what}.",
                number=stopped_after,
                what=what,
            ),
            task.name,
            advice=_(
                'Restore that part, or say where to go on: applysql {name} --resume-at N (or --restart) --reason "..."',
                name=task.name,
            ),
        )
    )


def batches_edited(task: Task, statement: Statement) -> CannotResume:
    """Say that the statement is not the one of which some batches have run."""
    return CannotResume(
        Failure(
            _("The statement was edited after some of its batches had run, or has another key, or no `batch`."),
            task.script.name,
            statement.line,
            advice=_(
                "Restore it, or go on with it behind the last batch: applysql {name} --resume-at 1 "
                '(or from its beginning: --restart) --reason "..."',
                name=task.name,
            ),
        )
    )


def in_doubt(task: Task, statement: Statement) -> CannotResume:
    """Say that nobody knows whether a statement has happened."""
    return CannotResume(
        Failure(
            _(
                "Statement {number} was begun and nobody saw its end; the catalog can't tell either.",
                number=statement.number,
            ),
            task.name,
            line=statement.line,
            source=statement.text.partition("\n")[0],
            statement=statement.text,
            advice=_(
                "Look whether it happened. If so: applysql {name} --resume-at {next}, else with "
                '{number}, each time with --reason "...".',
                name=task.name,
                next=statement.number + 1,
                number=statement.number,
            ),
        ),
        State.IN_DOUBT,
    )


def invalid_index(task: Task, statement: Statement, invalid: InvalidIndex) -> CannotResume:
    """Say that a statement came to its end and left an INVALID index."""
    return CannotResume(
        Failure(
            str(invalid),
            task.script.name,
            line=statement.line,
            source=statement.text.partition("\n")[0],
            statement=statement.text,
            advice=invalid.advice,
        )
    )
