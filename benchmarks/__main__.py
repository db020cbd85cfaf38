"""Make all measurements, or those that are named: ``make bench``, or ``python -m benchmarks [NAME ...] [--keep]``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import page
from benchmarks.measurement import add_shared_options
from benchmarks.results import Section, markdown
from benchmarks.rounds import say
from benchmarks.servers import serving
from project.env import BASE_DIR

#: All measurements: modules of this package, in the order of the report.
NAMES = (
    "run_files",
    "nothing_to_do",
    "slow_link",
    "large_files",
    "validate_speed",
    "many_tables",
    "health_speed",
    "admin_speed",
    "lint_speed",
    "split_speed",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the report to stdout, section by section."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure. Parameters of one measurement can follow its name: run_files --files 300 --rounds 3.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)} (default: all)")
    add_shared_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found into this file as well")
    parser.add_argument(
        "--keep",
        action="store_true",
        help=f"keep it in {page.KEPT.relative_to(BASE_DIR)}, and write {page.PAGE.relative_to(BASE_DIR)} anew",
    )
    parser.add_argument("--write", action="store_true", help="measure nothing; write that page from what is kept")
    options, parameters = parser.parse_known_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    if options.write:
        page.write()
        return
    sections = []
    with serving(options.server) as server:
        for name in options.names or NAMES:
            say(name)
            quick = ["--quick"] if options.quick else []
            sections.append(measure(name, "--server", server.place.url, *quick, *parameters))
            sys.stdout.write(markdown(sections[-1:]))
            sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps([section.as_json() for section in sections], indent=1))
    if options.keep:
        page.keep(sections, NAMES)
        page.write()


def measure(name: str, *arguments: str) -> Section:
    """Make one measurement in a process of its own, so that none finds what another has left in memory.

    Raises:
        SystemExit: it failed; it has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "section.json")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(found), *arguments]
        code = subprocess.run(command, check=False, cwd=BASE_DIR).returncode  # noqa: S603 - our own modules
        if code:
            raise SystemExit(code)
        return Section.from_json(json.loads(found.read_text()))


if __name__ == "__main__":
    main()
