"""Starts what was asked for in the admin, outside the request: in a process of its own, or by the project's task queue.

The process has the interpreter, the settings, the environment and the folder of the server. It is the leader of a
session of its own, so that a signal to the server, or its reload, does not reach it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from typing import IO

from django.conf import settings as django_settings
from django.db import connections
from django.utils.module_loading import import_string

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.service.actions import Asked, end

logger = logging.getLogger("sqlmigrations")

#: Exit code of a process that ended before it could say what came of it; that of usage errors.
UNSAID = 2


def launch(asked: Asked, token: uuid.UUID) -> None:
    """Start the work and return; whatever keeps it from beginning is noted as its end."""
    try:
        if settings.ADMIN_RUNNER is not None:
            start: Callable[[str, str], object] = import_string(settings.ADMIN_RUNNER)
            start(str(token), asked.database)
        else:
            _start_process(asked, token)
    except Exception as error:  # a task queue may raise whatever it likes
        logger.exception("What was asked for in the admin could not be started.")
        end(asked, token, UNSAID, f"It could not be started: {error}")


def _start_process(asked: Asked, token: uuid.UUID) -> None:
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - the thread that waits closes it
    process = subprocess.Popen(  # noqa: S603 - the interpreter itself, with a UUID and the name of a database
        [sys.executable, "-m", "django", "performaction", str(token), "--database", asked.database],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE") or django_settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
    )
    waiting = threading.Thread(
        target=_wait, args=(process, errors, asked, token), name=f"performaction {token}", daemon=True
    )
    waiting.start()


def _wait(process: subprocess.Popen[bytes], errors: IO[bytes], asked: Asked, token: uuid.UUID) -> None:
    """Wait for the process, so that it leaves no zombie; where it could not say what came of it, say what it wrote."""
    with errors:
        code = process.wait()
        if code == 0:
            return
        errors.seek(0)
        words = errors.read().decode(errors="replace")
    try:
        end(asked, token, code, words)
    except SQLMigrationsError as error:
        logger.warning("The end of %s could not be noted: %s", token, error)
    finally:
        connections.close_all()
