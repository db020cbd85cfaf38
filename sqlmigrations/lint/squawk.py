"""Another linter as a second source of findings, where it is installed: squawk (https://squawkhq.com).

It knows no database and is told to leave out what the runner sees to: timeouts, and statements that can be repeated.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlmigrations.lint.base import Certainty, Finding, Rule
from sqlmigrations.lint.rewriting import words
from sqlmigrations.severity import Severity

#: How long it may take, in seconds.
PATIENCE = 60
#: What the runner sees to: timeouts, transactions, resuming; and what our own rules find with the catalog's help.
LEFT_OUT = words(
    "adding-field-with-default adding-foreign-key-constraint adding-not-nullable-field adding-required-field "
    "ban-concurrent-index-creation-in-transaction ban-drop-column ban-drop-table changing-column-type "
    "constraint-missing-not-valid disallowed-unique-constraint prefer-robust-stmts renaming-column renaming-table "
    "require-concurrent-index-creation require-concurrent-index-deletion require-lock-timeout "
    "require-statement-timeout require-timeout-settings syntax-error transaction-nesting"
)


def program() -> str | None:
    """Return the path of squawk; None when it is not installed."""
    beside = Path(sys.executable).parent / "squawk"
    return str(beside) if beside.exists() else shutil.which("squawk")


def findings(files: Sequence[tuple[str, Path]], version: int | None) -> list[Finding]:
    """Return what squawk finds in these files; nothing when it is not installed or can't answer.

    ``version`` is the server's, as 180003.
    """
    path = program()
    if path is None or not files:
        return []
    command = [path, "--reporter", "json"]
    if version is not None:
        command += ["--pg-version", f"{version // 10000}.0"]
    try:
        answer = subprocess.run(  # noqa: S603 - squawk itself; its arguments are files and a version of our own
            [*command, *(str(file) for _, file in files)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        found = json.loads(answer.stdout) if answer.returncode in (0, 1) else []
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    names = {str(file): name for name, file in files}
    return [_finding(one, names[one["file"]]) for one in found if one["rule_name"] not in LEFT_OUT]


def _finding(one: dict[str, Any], name: str) -> Finding:
    rule = Rule(f"squawk-{one['rule_name']}", one["rule_name"], one["message"], Severity.INFO, "", "", "squawk")
    # Its lines count from 0.
    return Finding(
        rule,
        name,
        one["line"] + 1,
        0,
        "",
        one["message"],
        Severity.INFO,
        one.get("help") or "",
        Certainty.GUESS,
        source="squawk",
    )
