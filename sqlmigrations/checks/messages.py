"""Makes the checks' messages: an id, a hint, and where the documentation tells more."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.checks import CheckMessage, Error, Warning

#: The page with a section for each id.
PAGE = "https://github.com/sqlmigrations/sqlmigrations/blob/main/docs/reference/checks.md"

#: Every id with what it stands for. One that is given up stays here as a comment: ids are never reused.
IDS: Mapping[str, str] = {
    "E001": "Unknown setting",
    "E002": "Wrong value of a setting",
    "E003": "Unknown database in a setting",
    "E004": "Setting of health checks that can't be understood",
    "E011": "SQL files for a database that is not PostgreSQL",
    "E012": "No place for the history",
    "E013": "Hidden command",
    "W014": "Two names of one database",
    "E021": "Folder that can't be used",
    "E022": "File that can't be read",
    "E023": "One name, two files",
    "E024": "Wrong directive",
    "E025": "Unknown requirement",
    "E026": "Files that wait for each other",
    "W031": "Ignored file",
    "W032": "Script without its file",
    "W033": "One number, two files",
    "W034": "Numbers of different width",
    "E034": "Numbers of different width, and nothing applied",
    "W041": "Database that can't be asked",
    "W042": "Something that was not looked at",
    "E043": "File that was not applied",
    "W043": "File that was not applied, not judged yet",
    "E044": "Changed file",
    "W044": "Changed file, not judged yet",
    "E045": "Missing file",
    "W045": "Missing file, not judged yet",
    "E046": "Broken chain",
    "W046": "Broken chain, not judged yet",
    "E047": "Drift",
    "W047": "Drift, not judged yet or judged mildly",
    "W048": "Expired rule of accepted drift",
    "W051": "No backup before a run",
    "W052": "Waiting for locks without end",
    "W053": "No place for scratch databases",
    "W054": "Files without a down script",
    "W055": "A connection for each request",
    "W056": "Statements without end",
}


def error(number: str, message: str, *, hint: str, obj: str) -> CheckMessage:
    """Return an error with the id ``sqlmigrations.E<number>``."""
    return _message(Error, f"E{number}", message, hint, obj)


def warning(number: str, message: str, *, hint: str, obj: str) -> CheckMessage:
    """Return a warning with the id ``sqlmigrations.W<number>``."""
    return _message(Warning, f"W{number}", message, hint, obj)


def _message(level: type[Error | Warning], id: str, message: str, hint: str, obj: str) -> CheckMessage:
    if id not in IDS:
        raise LookupError(f"{id} is not among the ids that the documentation explains")
    return level(message, hint=f"{hint} ({PAGE}#{id.lower()})".lstrip(), obj=obj, id=f"sqlmigrations.{id}")
