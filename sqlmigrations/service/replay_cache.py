"""Keeps what replays made, in files: CI can make them, and production only read them."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings as django_settings
from django.db.migrations.loader import MigrationLoader

from sqlmigrations import __version__
from sqlmigrations.conf import settings
from sqlmigrations.database import Connection
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay made, and the commands that it left out."""

    catalog: Catalog
    left_out: tuple[str, ...] = ()


def place_of(connection: Connection, migrations: Collection[tuple[str, str]], files: Sequence[SQLFile]) -> Path | None:
    """Return the file in which the replay of just these migrations and files is kept, or nothing without a cache.

    Its name is a digest of all that the result depends on.
    """
    if settings.REPLAY_CACHE is None:
        return None
    what = {
        "versions": [__version__, django.__version__, connection.info.server_version // 10_000],
        "settings": [django_settings.DEFAULT_AUTO_FIELD, [str(router) for router in django_settings.DATABASE_ROUTERS]],
        "migrations": sorted((label, name, _source_of(label, name)) for label, name in migrations),
        "files": [(file.name, file.kind, file.checksum) for file in files],
    }
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()
    return Path(settings.REPLAY_CACHE) / f"replay-{digest[:32]}.json.gz"


def _source_of(label: str, name: str) -> str:
    """Return a digest of a migration's source; nothing for one that is gone."""
    with suppress(ImportError, LookupError, OSError, TypeError):
        module = importlib.import_module(f"{MigrationLoader.migrations_module(label)[0]}.{name}")
        return hashlib.sha256(Path(module.__file__ or "").read_bytes()).hexdigest()
    return ""


def keep_replay(place: Path | None, replay: Replay) -> None:
    """Write a replay down, where there is a cache; whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    if place is None:
        return
    document = {
        "objects": [
            [identity.kind, identity.name, attributes] for identity, attributes in replay.catalog.objects.items()
        ],
        "not_covered": replay.catalog.not_covered,
        "left_out": replay.left_out,
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(gzip.compress(json.dumps(document).encode(), mtime=0))
    unfinished.replace(place)


def read_replay(place: Path | None) -> Replay | None:
    """Read a replay that was kept; nothing where there is none, or none that can be read."""
    if place is None or not place.exists():
        return None
    try:
        document = json.loads(gzip.decompress(place.read_bytes()))
        objects: dict[Identity, Attributes] = {
            Identity(kind, name): {
                key: tuple(value) if isinstance(value, list) else value for key, value in attributes.items()
            }
            for kind, name, attributes in document["objects"]
        }
        return Replay(Catalog(objects, document["not_covered"]), tuple(document["left_out"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
