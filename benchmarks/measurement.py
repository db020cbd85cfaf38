"""What a measurement is: parameters that can be given on the command line, and a section of the report."""

from __future__ import annotations

import argparse
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from benchmarks import machine
from benchmarks.processes import compile_package
from benchmarks.results import Section, markdown
from benchmarks.servers import Server, serving

Value = TypeVar("Value", int, float, tuple[str, ...])


def parameter(default: Value, help: str, *, quick: Value) -> Value:
    """Return a dataclass's field: what a person can give, and what it is in a quick run."""
    found: Value = field(default=default, metadata={"help": help, "quick": quick})
    return found


@dataclass(frozen=True, kw_only=True)
class Measurement(ABC):
    """Something that can be measured on its own. Its fields are its parameters."""

    title: ClassVar[str]
    #: What is measured, for those who read the report.
    about: ClassVar[str]

    @abstractmethod
    def find_out(self, url: str) -> Section:
        """Measure it, on the server at ``url`` or on one of our own, and return the section of the report."""

    @classmethod
    def name(cls) -> str:
        """Return the name on the command line: that of the module."""
        return Path(sys.modules[cls.__module__].__file__ or "").stem

    def section(self, **found: Any) -> Section:
        """Return the section of the report with what was found."""
        return Section(self.name(), self.title, self.about, asdict(self), **found)


@dataclass(frozen=True, kw_only=True)
class OnServer(Measurement):
    """A measurement on a server."""

    @abstractmethod
    def measure(self, server: Server) -> Section:
        """Measure it on a server."""

    def find_out(self, url: str) -> Section:
        """Measure it on the server at ``url``, or on one of our own; say which that was."""
        load = machine.load()
        with serving(url) as server:
            return replace(self.measure(server), machine=machine.describe(load, server))


@dataclass(frozen=True, kw_only=True)
class Alone(Measurement):
    """A measurement that needs no server."""

    @abstractmethod
    def measure(self) -> Section:
        """Measure it."""

    def find_out(self, url: str) -> Section:
        """Measure it; the server doesn't matter."""
        load = machine.load()
        return replace(self.measure(), machine=machine.describe(load))


def main(kind: type[Measurement], arguments: Sequence[str] | None = None) -> None:
    """Make one measurement as the command line says; write its section in Markdown, or as JSON into a file."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{kind.name()}", description=kind.__doc__)
    add_shared_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the section as JSON into this file instead")
    for each in fields(kind):
        kind_of = {"nargs": "+", "metavar": "NAME"} if each.default == () else {"type": type(each.default)}
        parser.add_argument(f"--{each.name.replace('_', '-')}", help=_help(each), **kind_of)
    options = parser.parse_args(arguments)
    compile_package()
    section = kind(**{each.name: _value(each, options) for each in fields(kind)}).find_out(options.server)
    if options.json:
        options.json.write_text(json.dumps(section.as_json(), indent=1))
    else:
        sys.stdout.write(markdown([section]))


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Add what every measurement can be told."""
    parser.add_argument("--server", metavar="URL", default="", help="measure this server instead of one of our own")
    parser.add_argument("--quick", action="store_true", help="measure less, in two minutes for all")


def _help(each: Any) -> str:
    help, quick = each.metadata["help"], each.metadata["quick"]
    return f"{help} (default: {each.default}, quick: {quick})" if each.default != () else help


def _value(each: Any, options: argparse.Namespace) -> Any:
    given = getattr(options, each.name)
    if given is not None:
        return given
    return each.metadata["quick"] if options.quick else each.default
