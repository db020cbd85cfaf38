"""Annotations of GitHub Actions: one line each, which GitHub shows beside the file and line that it names.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: The level of an annotation by the severity of what was found.
LEVELS: Mapping[str, str] = {"critical": "error", "error": "error", "warning": "warning", "info": "notice"}


def annotation(level: str, message: str, *, title: str = "", file: str = "", line: int | None = None) -> str:
    """Return one workflow command; what would end it or a property is escaped."""
    given = {"file": file, "line": line if file else None, "title": title}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value)
    return f"::{level}{' ' if properties else ''}{properties}::{_data(message)}"


def relative(path: Path) -> str:
    """Return a file's path as GitHub knows it: seen from the working directory."""
    return Path(os.path.relpath(path)).as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
