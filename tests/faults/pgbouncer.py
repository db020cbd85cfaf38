"""PgBouncer before the server under test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.faults.databases import connect
from tests.faults.processes import Place
from tests.helpers import PATIENCE, wait_until


def program() -> str:
    """Return PgBouncer's path; skip the test where it is not installed."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    return found


@contextlib.contextmanager
def pgbouncer(place: Place, mode: str = "transaction", pool_size: int = 60) -> Iterator[Place]:
    """Run PgBouncer for the time of the block; yield the way to ``place`` through it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with connect(place) as session:
        host = session.info.host
        server = f"host={host} port={session.info.port} user={session.info.user}"
    server += f" password={place.password}" if place.password else ""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        configuration = Path(folder, "pgbouncer.ini")
        configuration.write_text(
            f"""
            [databases]
            * = {server}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {mode}
            default_pool_size = {pool_size}
            max_client_conn = 200
            """
        )
        process = subprocess.Popen(
            [program(), configuration], user=_user(host), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            through = replace(place, host="127.0.0.1", port=port)
            wait_until(lambda: _answers(through))
            yield through
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _user(host: str) -> int | None:
    """Return whom it runs as: it refuses root, and the server's socket may lie in a folder of its owner's own."""
    if os.getuid() != 0:
        return None
    return Path(host).stat().st_uid if host.startswith("/") else pwd.getpwnam("nobody").pw_uid


def _answers(place: Place) -> bool:
    with contextlib.suppress(psycopg.OperationalError), connect(place):
        return True
    return False
