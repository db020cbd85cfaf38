"""Keeps the reports of validations and looks at the health, so that pages show the last one without asking again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import psycopg

from sqlmigrations.database import connected, raw
from sqlmigrations.history import locate
from sqlmigrations.history.reports import KeptReport, keep_report, read_reports
from sqlmigrations.models import ReportKind

logger = logging.getLogger("sqlmigrations")


def keep(kind: ReportKind, document: Mapping[str, Any], *, database: str) -> bool:
    """Keep a report; tell whether it could be kept.

    A role that may only read, a standby, or a history without the newest migration keeps nothing, and says so in the
    log alone: the report itself is none the worse for it.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        try:
            with connection.transaction():
                return keep_report(connection, locate(connection), kind, document)
        except psycopg.Error as error:
            logger.warning("The report was not kept: %s", str(error).strip())
            return False


def last_report(kind: ReportKind, *, database: str) -> KeptReport | None:
    """Return the newest report of a kind that was kept.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        return read_reports(connection, locate(connection), kind).get(kind)
