"""Draws the README's picture of a terminal from the tutorial: ``python -m tests.docs.terminal``."""

from __future__ import annotations

import html
import io
import os
import re
import tempfile
from pathlib import Path

import django
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from tests.docs.pages import DOCS

PICTURE = DOCS / "images" / "terminal.svg"
PAGE = DOCS / "tutorial.md"

#: Which commands of the tutorial are drawn, by their order there.
DRAWN = (
    (5, "python manage.py applysql"),
    (9, "python manage.py applysql --plan"),
    (15, "python manage.py validateschema"),
)

#: Heads are long, and say nothing in a picture.
_LEFT_OUT = ("Head of the history:", "Examined ")

_WIDTH = 132
#: The viewer's own fonts: pictures fetch nothing.
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_LINE = re.compile(r'<text class="[\w-]+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')


def shown(said: str) -> str:
    """Return what is drawn of a command's answer."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith(_LEFT_OUT))


def draw() -> str:
    """Return the picture, of commands that were run just now."""
    from tests.docs.scenes import walk
    from tests.docs.walk import Command, steps

    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    number = 0
    with tempfile.TemporaryDirectory() as folder, walk(PAGE, Path(folder)) as reader:
        for step in steps(PAGE.read_text(encoding="utf-8")):
            if not isinstance(step, Command):
                reader.do(step)
                continue
            drawn = (number, step.line) in DRAWN
            said = reader.run(f"{step.line} --force-color" if drawn else step.line)
            if drawn:
                console.print(Text(f"$ {step.line}", style="bold"))
                console.print(Text.from_ansi(shown(said).rstrip("\n")), soft_wrap=True)
                console.print()
            number += 1
    picture = console.export_svg(title="", theme=DIMMED_MONOKAI, unique_id="terminal")
    return _FACES.sub("", picture).replace("Fira Code, monospace", _FONT)


def texts(picture: str) -> list[str]:
    """Return the lines that a picture shows."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in _LINE.findall(picture):
        lines.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\N{NO-BREAK SPACE}", " ")))
    return ["".join(text for _x, text in sorted(parts)).rstrip() for _y, parts in sorted(lines.items())]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PICTURE.write_text(draw(), encoding="utf-8")
