"""Runs our system checks and words what they say, one text for each message, sorted."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from unittest import mock

from django.core.checks import CheckMessage, run_checks

from sqlmigrations.checks import TAG
from sqlmigrations.checks.messages import PAGE


def check(*databases: str, command: str = "check") -> list[str]:
    """Return the messages of all our checks as ``ID object: words | hint``, as if run by ``manage.py COMMAND``."""
    with mock.patch.object(sys, "argv", ["manage.py", command]):
        return _worded(run_checks(tags=[TAG], databases=databases))


def check_deployment(*databases: str) -> list[str]:
    """Return the messages of the checks that only ``check --deploy`` runs."""
    return [message for message in _worded(run_deployment(databases)) if message.startswith("W05")]


def run_deployment(databases: Sequence[str]) -> list[CheckMessage]:
    """Run all our checks, those of a deployment included."""
    return run_checks(tags=[TAG], databases=databases, include_deployment_checks=True)


def _worded(messages: Iterable[CheckMessage]) -> list[str]:
    words = []
    for message in messages:
        assert message.id is not None
        assert message.hint is not None
        number = message.id.removeprefix("sqlmigrations.")
        link = f"({PAGE}#{number.lower()})"
        assert message.hint.endswith(link)
        words.append(f"{number} {message.obj}: {message.msg} | {message.hint.removesuffix(link).strip()}")
    return sorted(words)  # the registry is a set: checks run in any order
