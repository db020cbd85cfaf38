"""Keeps the hashes of a version's objects in buckets: a small change reads and writes few of them.

All that belongs to a relation stands together, below the relation's name, in one bucket; what belongs to none stands
below the empty name. A bucket is compressed by itself, and the same one is always the same bytes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: Hashes of objects by kind and name.
Hashes = dict[str, dict[str, str]]

#: Hashes by the relation that the objects belong to.
ByRelation = dict[str, Hashes]

#: About so many relations share a bucket: with more of them a small change would read much, with fewer there would be
#: little to compress.
SHARING = 64

#: Hashes hardly compress: the best level takes three times as long and saves a seventh.
FAST = 1


@dataclass(frozen=True, slots=True)
class Buckets:
    """The hashes of all objects, compressed.

    ``is_by_relation`` is false for a version from before there were buckets: it doesn't tell an index's table.
    """

    pieces: tuple[bytes, ...]
    is_by_relation: bool = True

    @classmethod
    def of(cls, hashes: Mapping[str, Hashes]) -> Buckets:
        """Return the buckets of so many relations; their number stays as it is while relations come and go."""
        return cls((_compressed({}),) * (1 << (len(hashes) // SHARING).bit_length())).patched((), hashes)

    def read(self) -> ByRelation:
        """Return all hashes."""
        return _read(self.pieces)

    def patched(self, gone: Iterable[str], found: Mapping[str, Hashes]) -> Buckets:
        """Return the buckets without some relations, and with others as they were found."""
        touched: defaultdict[int, set[str]] = defaultdict(set)
        for relation in {*gone, *found}:
            touched[self._number(relation)].add(relation)
        pieces = list(self.pieces)
        for number, relations in touched.items():
            held = {name: hashes for name, hashes in _decompressed(pieces[number]).items() if name not in relations}
            held |= {relation: found[relation] for relation in relations if relation in found}
            pieces[number] = _compressed(held)
        return Buckets(tuple(pieces))

    def counts(self, before: Buckets, counts: Mapping[str, int]) -> dict[str, int]:
        """Return how many objects there are of each kind, sorted, where there were ``counts`` of them ``before``."""
        own, others = self._unlike(before)
        found = Counter(counts) + _counted(own)
        found.subtract(_counted(others))
        return {kind: count for kind, count in sorted(found.items()) if count}

    def say_the_same_as(self, other: Buckets) -> bool:
        """Tell whether the objects are the same, whatever stands in one bucket."""
        own, others = self._unlike(other)
        return _by_kind(own) == _by_kind(others)

    def gone_and_new(self, before: Buckets) -> tuple[set[str], set[str]]:
        """Return the hashes that only ``before`` has, and at least those that it has not.

        Buckets that are alike are only read where something is gone, which they may have as well.
        """
        own, others = map(all_of, self._unlike(before))
        gone = others - own
        if gone:
            gone -= all_of(_read(set(self.pieces).intersection(before.pieces)))
        return gone, own - others

    def _number(self, relation: str) -> int:
        return zlib.crc32(relation.encode()) % len(self.pieces)

    def _unlike(self, other: Buckets) -> tuple[ByRelation, ByRelation]:
        """Return the hashes of the buckets that only one of the two has: its own, and the other's."""
        own, others = set(self.pieces), set(other.pieces)
        return _read(own - others), _read(others - own)


def all_of(hashes: ByRelation) -> set[str]:
    """Return the hashes alone."""
    return {hash for below in hashes.values() for of_kind in below.values() for hash in of_kind.values()}


def _read(pieces: Collection[bytes]) -> ByRelation:
    hashes: ByRelation = {}
    for piece in pieces:
        hashes |= _decompressed(piece)
    return hashes


def _compressed(hashes: ByRelation) -> bytes:
    return zlib.compress(json.dumps(hashes, sort_keys=True, separators=(",", ":")).encode(), FAST)


def _decompressed(piece: bytes) -> ByRelation:
    hashes: ByRelation = json.loads(zlib.decompress(piece))
    return hashes


def _counted(hashes: ByRelation) -> Counter[str]:
    counts: Counter[str] = Counter()
    for below in hashes.values():
        counts.update({kind: len(of_kind) for kind, of_kind in below.items()})
    return counts


def _by_kind(hashes: ByRelation) -> Hashes:
    found: Hashes = {}
    for below in hashes.values():
        for kind, of_kind in below.items():
            found.setdefault(kind, {}).update(of_kind)
    return found


# A version's document: in one line who read the objects and how long each bucket is, and behind it the buckets.


def as_bytes(buckets: Buckets, reader: Mapping[str, Any]) -> bytes:
    """Return the document of buckets, with what there is to say about their reader."""
    head = {**reader, "lengths": [len(piece) for piece in buckets.pieces]}
    return b"\n".join([json.dumps(head, separators=(",", ":")).encode(), b"".join(buckets.pieces)])


def from_bytes(document: bytes) -> tuple[Buckets, Mapping[str, Any]]:
    """Return the buckets of a document, and what it says about their reader."""
    if not document.startswith(b"{"):  # before there were buckets
        old = json.loads(zlib.decompress(document))
        head = {key: old[key] for key in ("reader", "since") if key in old}
        return Buckets((_compressed({"": old.get("objects", old)}),), is_by_relation=False), head
    line, _end, rest = document.partition(b"\n")
    head = json.loads(line)
    pieces, start = [], 0
    for length in head["lengths"]:
        pieces.append(rest[start : start + length])
        start += length
    return Buckets(tuple(pieces)), head
