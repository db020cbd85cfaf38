"""Paths as people read them."""

from __future__ import annotations

from pathlib import Path


def short(path: str | Path) -> str:
    """Return a path as seen from the working directory if it lies below it, else as it is."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
