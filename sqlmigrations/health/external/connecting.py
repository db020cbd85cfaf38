"""The check of Django's settings: how connections are made and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections

from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Subject,
    answer,
)
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class DjangoConnections(Check):
    """Django opens a connection for each request unless it is told otherwise, and PostgreSQL starts a process for each.

    ``CONN_MAX_AGE`` keeps them, a pool (``OPTIONS["pool"]``) shares them. One that is kept may have been closed by the
    server or a pooler meanwhile; without ``CONN_HEALTH_CHECKS`` a request finds out by failing.
    """

    id = "django_connections"
    title = _("Connections are kept, and looked after")
    evidence = Evidence.EXTERNAL
    examines = "aliases"
    tags = frozenset({"settings", "sessions"})

    def run(self, probe: Probe) -> Answer:
        """Look at the alias in DATABASES."""
        return answer([self.judge(probe.database, connections[probe.database].settings_dict)])

    def judge(self, alias: str, settings: Mapping[str, Any]) -> Finding | None:
        """Judge the settings of one alias."""
        has_pool = bool((settings.get("OPTIONS") or {}).get("pool"))
        max_age = settings.get("CONN_MAX_AGE", 0)
        if not has_pool and max_age == 0:
            return _found(
                alias,
                Severity.INFO,
                _("each request opens a connection of its own (CONN_MAX_AGE is 0, and there is no pool)"),
                f'DATABASES["{alias}"]["CONN_MAX_AGE"] = 60',
                _('or "OPTIONS": {"pool": True}, which async views need; leave it where a pooler is near'),
            )
        if not settings.get("CONN_HEALTH_CHECKS"):
            return _found(
                alias,
                Severity.WARNING,
                _(
                    "connections come from a pool, but nobody looks whether they still live: a request finds out by "
                    "failing"
                )
                if has_pool
                else _(
                    "connections are kept, but nobody looks whether they still live: a request finds out by failing"
                ),
                f'DATABASES["{alias}"]["CONN_HEALTH_CHECKS"] = True',
                _("one short question to the server at the beginning of a request"),
            )
        return None


def _found(alias: str, severity: Severity, observed: str, setting: str, note: str) -> Finding:
    return Finding(
        subject=Subject("alias", name=alias),
        severity=severity,
        observed=observed,
        threshold=_("kept, with CONN_HEALTH_CHECKS"),
        fixes=(Fix(FixKind.SETTING, setting, note),),
    )


CHECKS: tuple[type[Check], ...] = (DjangoConnections,)
