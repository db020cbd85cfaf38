"""Measure files of many statements over a slow link: ``python -m benchmarks.slow_link [--files N] [--delay MS]``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import texts
from benchmarks.contestants import (
    Alembic,
    ApplySQL,
    Contestant,
    Dbmate,
    Django,
    PsqlEach,
    Psycopg,
    Yoyo,
    check_tables,
    laid_out,
    legend,
    missing,
    named,
    template,
)
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.results import Claim, Section, Table
from benchmarks.rounds import Rounds, Sample, play, take
from benchmarks.servers import Database, Server

TOOLS: tuple[Contestant, ...] = (ApplySQL(), PsqlEach(), Psycopg(), Dbmate(), Django(), Alembic(), Yoyo())


class Relay:
    """Carry bytes between a port of this machine and a server, each way ``delay`` seconds late."""

    def __init__(self, host: str, port: int, delay: float) -> None:
        self.host, self.to_port, self.delay = host, port, delay
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> Relay:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._hang_up(server))
        self._loop.close()

    async def _hang_up(self, server: asyncio.Server) -> None:
        """End the connections that are still open."""
        server.close()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await self._connect()
        with suppress(asyncio.CancelledError, ConnectionError):
            await asyncio.gather(self._carry(reader, to_writer), self._carry(to_reader, writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.to_port}")
        return await asyncio.open_connection(self.host, self.to_port)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(1 << 16):
            self._loop.call_later(self.delay, writer.write, block)
        self._loop.call_later(self.delay, writer.close)


@dataclass(frozen=True, kw_only=True)
class SlowLink(OnServer):
    """Run files with every tool in turn through a relay that holds back every byte."""

    title = "Over a slow link"
    about = (
        "A relay of our own between client and server holds back every byte, each way. Waiting for the network is "
        "nearly all of it: whoever waits for the answer to each statement waits long."
    )

    files: int = parameter(20, "how many files", quick=4)
    statements: int = parameter(40, "how many statements in each", quick=40)
    delay: float = parameter(20.0, "milliseconds each way", quick=10.0)
    rounds: int = parameter(3, "how many rounds", quick=1)
    contestants: tuple[str, ...] = parameter((), "only these contestants", quick=())

    def measure(self, server: Server) -> Section:
        """Let all that are installed run the files, round by round."""
        asked = named(self.contestants, TOOLS)
        tools = [tool for tool in asked if tool.is_installed]
        files = texts.long(self.files, self.statements)
        place = server.place
        with (
            TemporaryDirectory() as folder,
            template(server, tools) as made,
            Relay(place.socket or place.host or "localhost", int(place.port or 5432), self.delay / 1000) as relay,
        ):
            turns = {
                tool.name: partial(self._turn, server, made, relay, tool, laid_out(tool, folder, files))
                for tool in tools
            }
            rounds = play(turns, self.rounds)
        return self.section(
            tables=(self._table(rounds), legend(tools)),
            claims=tuple(self._claims(rounds)),
            notes=tuple(filter(None, [missing(asked)])),
            raw=rounds.as_json(),
        )

    def _turn(self, server: Server, made: Database, relay: Relay, tool: Contestant, folder: Path) -> Sample:
        """Let one run the files, and see that it did."""
        with server.database(template=made.name, stays=True) as database:
            behind = replace(database, host="127.0.0.1", port=str(relay.port))
            sample = take(server, database, tool.command(folder, behind))
            check_tables(server, database, tool, self.files * self.statements)
        return sample

    def _table(self, rounds: Rounds) -> Table:
        rows = tuple(
            (
                name,
                rounds.median(name, lambda sample: sample.wall),
                rounds.ratio(name, PsqlEach.name, lambda sample: sample.wall),
                rounds.median(name, lambda sample: sample.client_cpu),
            )
            for name in rounds.samples
        )
        return Table(("way", "wall, s", "of psql's", "client CPU, s"), rows)

    def _claims(self, rounds: Rounds) -> Iterator[Claim]:
        """Yield what we want over a slow link."""
        ours = ApplySQL.name
        yield Claim("wall, of psql's", 0.15, rounds.ratio(ours, PsqlEach.name, lambda sample: sample.wall))
        for peer in (Dbmate.name, Django.name, Alembic.name, Yoyo.name):
            if peer in rounds.samples:
                yield Claim(f"wall, of {peer}'s", 1.0, rounds.ratio(ours, peer, lambda sample: sample.wall))


if __name__ == "__main__":
    main(SlowLink)
