"""Test of what the README tells to type in a clone."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from project.env import BASE_DIR
from tests.helpers import PATIENCE

pytestmark = [pytest.mark.nightly, pytest.mark.processes]


def variables() -> dict[str, str]:
    """Return the environment of somebody who has just cloned the repository."""
    own = ("PYTEST_", "DJANGO_", "PYTHONPATH", "DATABASE_URL", "VENV", "VIRTUAL_ENV", "MAKE", "DEBUG", "SECRET_KEY")
    return {name: text for name, text in os.environ.items() if not name.startswith(own)}


def make(clone: Path, *targets: str) -> str:
    """Run ``make`` in the clone, which has to succeed, and return what it says."""
    done = subprocess.run(["make", *targets], cwd=clone, env=variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answer(port: int, path: str) -> str:
    """Wait until the page is there and return it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except ConnectionError:
            assert time.monotonic() < deadline, "the site never came"
            time.sleep(0.2)
        finally:
            connection.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_clone_can_be_seen_running(tmp_path: Path) -> None:
    clone, port = tmp_path / "clone", free_port()
    subprocess.run(["git", "clone", "--quiet", BASE_DIR, clone], check=True)
    try:
        said = make(clone, "demo")
        assert "  Applying 001_initial_schema.sql... OK" in said
        serving = subprocess.Popen(
            ["make", "serve", f"PORT={port}"], cwd=clone, env=variables(), start_new_session=True
        )
        try:
            assert re.search("<title>.*Log in", answer(port, "/admin/login/"), re.DOTALL)
        finally:
            os.killpg(serving.pid, signal.SIGTERM)
            serving.communicate(timeout=PATIENCE)
        make(clone, "stop")
    finally:
        make(clone, "clean")
