"""A proxy before a server that sees every message and lets a test act at each of them.

It listens on this machine and speaks just enough of PostgreSQL's protocol to tell where one message ends and what it
says: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

#: Where a server listens: host and port, or the path of its unix socket.
Address = tuple[str, int] | str

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102

#: Frontend messages after which the server is expected to act: Query, Sync, Flush, CopyDone, CopyData.
_ENDS_A_STEP = b"QSHcd"


class Moment(Enum):
    """When a test may act."""

    BEFORE = "before it is sent"
    SENT = "when it was sent"
    ANSWERED = "when the server has answered, before the client hears of it"


@dataclass(frozen=True)
class Step:
    """One thing that a client asks the server for; ``number`` counts those of its connection from 1."""

    link: Link
    number: int
    text: str

    def __str__(self) -> str:
        words = " ".join(self.text.split())
        return f"step {self.number} of the {self.link.role} connection ({words[:70]})"


#: What a test does at a moment; it runs in the proxy's thread, which holds the message meanwhile.
Hook = Callable[[Moment, Step], None]


def nothing(moment: Moment, step: Step) -> None:
    """Let everything pass."""


@dataclass
class Link:
    """One client's connection through the proxy."""

    client: socket.socket
    server: socket.socket
    options: dict[str, str] = field(default_factory=dict)
    pid: int = 0
    steps: int = 0
    #: How often the server said that it is ready: so often the client had to wait for it.
    waits: int = 0
    current: Step | None = None
    is_cut: bool = False

    @property
    def role(self) -> str:
        """Whose connection it is: that of the run lock names itself, the working one does not."""
        return "lock" if self.options.get("application_name") == "sqlmigrations" else "working"

    def cut(self) -> None:
        """Break the connection on both sides."""
        self.is_cut = True
        for end in (self.client, self.server):
            hang_up(end)


def hang_up(end: socket.socket) -> None:
    """End a connection whose other thread may be waiting in it."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listen on a free port while the block runs; ``hook`` may be changed at any time."""

    def __init__(self, address: Address, hook: Hook = nothing) -> None:
        self.address = address
        self.hook = hook
        self.links: list[Link] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        hang_up(self._listener)
        self._listener.close()
        for link in self.links:
            link.cut()
        for thread in list(self._threads):
            thread.join()
        for link in self.links:
            link.client.close()
            link.server.close()

    def of(self, role: str) -> Link:
        """Return the newest connection of a role."""
        return [link for link in self.links if link.role == role][-1]

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Begin one connection, and carry what the client says."""
        try:
            startup = _startup(client)
            server = connect(self.address)
        except OSError:
            client.close()
            return
        try:
            server.sendall(startup)
        except OSError:  # it was stopped after it had let us in; the client is not to wait for it
            client.close()
            server.close()
            return
        if struct.unpack("!i", startup[4:8])[0] == _CANCEL_REQUEST:
            with contextlib.suppress(OSError):
                server.recv(1)  # the server closes it when it has done so
            client.close()
            server.close()
            return
        link = Link(client, server, _options(startup))
        self.links.append(link)
        self._start(self._carry_answers, link)
        with contextlib.suppress(OSError):
            self._carry_questions(link)
        hang_up(server)

    def _carry_questions(self, link: Link) -> None:
        held, text = b"", ""
        prepared: dict[str, str] = {}
        for kind, message in _messages(link.client):
            held += message
            if kind in b"QPB":
                text = "; ".join(filter(None, [text, _text(kind, message, prepared)]))
            if kind not in _ENDS_A_STEP or (kind in b"SH" and not text):
                if kind not in b"PBDE":
                    link.server.sendall(held)
                    held = b""
                continue
            link.steps += 1
            said = {b"c": "end of the data", b"d": "data"}.get(kind, text)
            step = Step(link, link.steps, said)
            self.hook(Moment.BEFORE, step)
            if link.is_cut:
                return
            link.current = None if kind in b"dH" else step  # the answers to what goes ahead are not held
            link.server.sendall(held)
            held, text = b"", ""
            self.hook(Moment.SENT, step)

    def _carry_answers(self, link: Link) -> None:
        held = b""
        try:
            for kind, message in _messages(link.server):
                if kind == b"K":
                    link.pid = struct.unpack("!i", message[5:9])[0]
                link.waits += kind == b"Z"
                held += message
                step = link.current
                if step is not None and kind in b"ZG":
                    link.current = None
                    self.hook(Moment.ANSWERED, step)
                if step is None or kind in b"ZG":
                    link.client.sendall(held)
                    held = b""
            link.client.sendall(held)  # the server's last words
        except OSError:
            pass
        hang_up(link.client)


def connect(address: Address) -> socket.socket:
    """Connect to a server."""
    if isinstance(address, str):
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(address)
        except OSError:
            end.close()
            raise
        return end
    return socket.create_connection(address)


def _startup(client: socket.socket) -> bytes:
    """Read the first message of a client; no encryption here."""
    while True:
        head = _exactly(client, 8)
        length, code = struct.unpack("!ii", head)
        if code not in (_SSL_REQUEST, _GSS_REQUEST):
            return head + _exactly(client, length - 8)
        client.sendall(b"N")


def _options(startup: bytes) -> dict[str, str]:
    """Return what the client said about itself."""
    words = startup[8:].split(b"\0")
    return {words[at].decode(): words[at + 1].decode() for at in range(0, len(words) - 1, 2) if words[at]}


def _messages(end: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Yield each message with its kind until the connection ends."""
    with contextlib.suppress(OSError):
        while True:
            head = _exactly(end, 5)
            (length,) = struct.unpack("!i", head[1:])
            yield head[:1], head + _exactly(end, length - 4)


def _exactly(end: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        block = end.recv(count - len(found))
        if not block:
            raise ConnectionError("the connection has ended")
        found += block
    return found


def _text(kind: bytes, message: bytes, prepared: dict[str, str]) -> str:
    """Return the SQL that a Query, Parse or Bind message adds; what is ``prepared`` under a name is kept for later."""
    first, second = (part.decode(errors="replace") for part in message[5:].split(b"\0", 2)[:2])
    if kind == b"Q":
        return first
    if kind == b"B":  # the portal's name, the statement's
        return prepared.get(second, "")
    if first:
        prepared[first] = second
        return ""
    return second
