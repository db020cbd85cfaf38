"""Hooks of MkDocs: pages that stand outside of docs/, and links to what is no page.

On GitHub the pages link to each other, to the README and to source files by their paths. The site has the pages alone;
so pages from elsewhere in the repository are taken in, and all other files are linked to where the repository is.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = "docs"

#: Pages from outside of docs/, by their path in the repository.
TAKEN_IN = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}

_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages that stand elsewhere."""
    for path, page in TAKEN_IN.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let the page's links lead to where their targets are in the site."""
    own = page.file.src_uri
    folder = posixpath.dirname(next((path for path, name in TAKEN_IN.items() if name == own), f"{DOCS}/{own}"))

    def lead(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match[1]))
        target = TAKEN_IN.get(path) or path.removeprefix(f"{DOCS}/")
        if target != path:
            return posixpath.relpath(target, posixpath.dirname(own) or ".")
        if not (ROOT / path).exists():
            return match[0]
        return f"{config.extra['repository']}/blob/main/{path}"

    parts = _FENCE.split(markdown)
    return "".join(part if index % 2 else _LINK.sub(lead, part) for index, part in enumerate(parts))
