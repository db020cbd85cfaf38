"""axe-core, which finds what keeps people from using a page: https://github.com/dequelabs/axe-core

It comes from npm once and is kept below ``build/``.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from project.env import BASE_DIR

VERSION = "4.14.1"

#: Returns what axe finds wrong, one line for each: the rule, the element, what is missing.
RUN = """
const [rules, done] = arguments;
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const runOnly = rules.length ? {type: "rule", values: rules} : {type: "tag", values: tags};
// Header, navigation and the search box are Django's.
axe.run({include: [["main"]], exclude: [["#searchbar"]]}, {runOnly, resultTypes: ["violations"]}).then(
    found => done(found.violations.flatMap(
        violation => violation.nodes.map(node => `${violation.id}: ${node.html} ${node.failureSummary}`)
    )),
    error => done([String(error)]),
);
"""


def script() -> str:
    """Return axe-core; skip the test where it can't be had."""
    kept = BASE_DIR / "build" / f"axe-core-{VERSION}.js"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        _fetch(kept)
    return kept.read_text(encoding="utf-8")


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: axe-core comes from there")
    command = [npm, "pack", "--silent", f"axe-core@{VERSION}", "--pack-destination", str(kept.parent)]
    packed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if packed.returncode:
        pytest.skip(f"npm could not fetch axe-core: {packed.stderr.strip()}")
    archive = kept.parent / f"axe-core-{VERSION}.tgz"
    with tarfile.open(archive) as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        partial = kept.with_suffix(".part")
        partial.write_bytes(member.read())
    partial.replace(kept)
    archive.unlink()


def violations(browser: webdriver.Chrome, *rules: str) -> list[Any]:
    """Return what axe finds wrong with the page that is open, by all rules or by some."""
    if not browser.execute_script("return Boolean(window.axe)"):
        browser.execute_script(script())
    found: list[Any] = browser.execute_async_script(RUN, rules)
    return found
