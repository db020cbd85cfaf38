"""Annotations of GitHub Actions: one line each, which GitHub shows beside the file and line that it names.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from pathlib import Path


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
