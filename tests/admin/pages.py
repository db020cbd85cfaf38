"""Where the history's pages are, and what several of them show of the rows of ``tests.admin.rows``."""

from __future__ import annotations

RECORDS = "/admin/sqlmigrations/migrationrecord/"
EVENTS = "/admin/sqlmigrations/migrationevent/"

APPLIED_BADGE = (
    '<span class="sqlm-badge sqlm-badge--applied"><svg class="sqlm-shape" viewBox="0 0 16 16" width="12" height="12" '
    'aria-hidden="true" focusable="false"><path d="M3 8.5 6.5 12 13 4.5"/></svg>applied</span>'
)
MOMENT = '<time datetime="2026-11-21T13:00:05+01:00">Nov. 21, 2026, 13:00:05 CET</time>'
