"""Runs ``manage.py`` of the project in the current folder, over and over: a copy of this process for each command.

Python, Django and the app are loaded once; what a page tells to type then takes a fraction of the time. Each line of
the standard input is one command, a JSON object with ``arguments`` and ``output``, the file that takes what it writes.
The answer is a line with its exit code. Started by ``walk.py``, by path: it works with an installed package as well.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Answer until the standard input ends."""
    sys.path.insert(0, os.getcwd())
    (settings,) = re.findall(r"DJANGO_SETTINGS_MODULE\W+([\w.]+)", Path("manage.py").read_text(encoding="utf-8"))
    os.environ["DJANGO_SETTINGS_MODULE"] = settings

    import django

    django.setup()
    # What every command would load for itself.
    for module in ("applysql", "makesql", "revertsql", "validateschema"):
        importlib.import_module(f"sqlmigrations.management.commands.{module}")
    for line in sys.stdin:
        given = json.loads(line)
        child = os.fork()
        if not child:
            run(given["arguments"], given["output"])
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def run(arguments: list[str], output: str) -> None:
    """Be ``python manage.py``, and end."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)
    # Both in one file, in the order of their lines.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # they are files
    sys.argv = ["manage.py", *arguments]
    code: object = 0
    try:
        runpy.run_path("manage.py", run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
