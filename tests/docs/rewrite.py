"""Walks through a page and writes into it what the commands say by now: ``python -m tests.docs.rewrite PAGE``."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django


def main(page: Path) -> None:
    """Rewrite what differs by more than times and hashes, and name the commands."""
    from tests.docs.scenes import walk
    from tests.docs.walk import differences, same

    with tempfile.TemporaryDirectory() as folder, walk(page, Path(folder)) as reader:
        said = reader.page(page)
    text = page.read_text(encoding="utf-8")
    for command, now in reversed(said):
        if same(command.said) != same(now):
            text = text[: command.start] + now + text[command.end :]
    page.write_text(text, encoding="utf-8")
    for line, _before, _now in differences(said):
        print(f"rewritten: {line}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(Path(sys.argv[1]).resolve())
