"""The documentation's pages, read as what they are: headings, tables, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from project.env import BASE_DIR

DOCS = BASE_DIR / "docs"
#: Every page, those at the top level that the documentation links to included.
PAGES = (*sorted(BASE_DIR.glob("*.md")), *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading."""

    title: str
    level: int
    text: str

    def named(self) -> list[str]:
        """Return the code spans in the first column of the section's tables, in order."""
        cells = [line.split(" | ")[0] for line in self.text.splitlines() if line.startswith("| `")]
        return [span for cell in cells for span in _SPAN.findall(cell)]

    def rows(self) -> list[list[str]]:
        """Return the cells of the section's tables, headings and rulers aside."""
        lines = [line for line in self.text.splitlines() if line.startswith("| ")]
        return [line.strip("| ").split(" | ") for index, line in enumerate(lines) if index and "| ---" not in line]


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def sections(name: str) -> dict[str, Section]:
    """Return the sections of ``docs/reference/<name>.md`` by title, the marks of code taken off."""
    return sections_of(DOCS / "reference" / f"{name}.md")


def sections_of(page: Path) -> dict[str, Section]:
    """Return the sections of a page by title, the marks of code taken off."""
    text = prose(page)
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    made = [
        Section(match[2].replace("`", ""), len(match[1]), text[match.end() : end])
        for match, end in zip(found, ends, strict=True)
    ]
    return {section.title: section for section in made}


def links(page: Path) -> Iterator[str]:
    """Yield the page's links to other pages and places, those into the web aside."""
    for link in _LINK.findall(prose(page)):
        if not link.startswith(("http://", "https://", "mailto:")):
            yield link


def anchors(page: Path) -> set[str]:
    """Return the names that the page's headings can be linked by, as GitHub makes them."""
    found: set[str] = set()
    for _marks, title in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)).lower().replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found
