"""Asks health checks and writes down their whole answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from sqlmigrations.health.base import Check, Finding, Result
from sqlmigrations.health.examine import examine
from sqlmigrations.health.measures import Past

#: A role of the test's own; roles belong to the whole server, where other test processes are at work.
BARE = f"sqlm_bare_{os.getpid()}"


@dataclass(frozen=True)
class Answered:
    """What a check said, without what differs from run to run."""

    status: str
    examined: int = 0
    findings: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """A database to ask, through one session."""

    connection: psycopg.Connection[Any]

    def run(self, statements: str) -> None:
        """Execute statements."""
        self.connection.execute(statements.encode())

    def ask(self, check: Check, *, role: str = "", past: Past | None = None) -> Result:
        """Ask one check, as the given role, with what was measured before."""
        with self.connection.transaction(force_rollback=True):
            if role:
                self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            (result,) = examine(self.connection, [check], database="default", past=past)
        return result


def said(result: Result) -> Answered:
    """Return the whole answer: each finding as object, severity and what was observed."""
    return Answered(
        str(result.status),
        result.examined,
        tuple((str(found.subject), str(found.severity), found.observed) for found in result.findings),
        result.reason,
        result.remedy,
    )


def fixes(result: Result) -> list[tuple[str, str]]:
    """Return all fixes, as kind and text."""
    return [(str(fix.kind), fix.text) for found in result.findings for fix in found.fixes]


def told(found: Finding | None) -> tuple[str, str, str] | None:
    """Return a finding as object, severity and what was observed."""
    return None if found is None else (str(found.subject), str(found.severity), found.observed)
