"""The buckets of a version's hashes: what they hold is the same however it came in, and a small change touches few."""

from __future__ import annotations

import json
import zlib

import pytest

from sqlmigrations.schema.buckets import SHARING, Buckets, ByRelation, as_bytes, from_bytes


def table(name: str, column: str = "c0") -> ByRelation:
    """Return the hashes of a table whose one column has this hash, and of its index."""
    return {name: {"table": {name: f"t-{name}"}, "column": {f"{name}.id": column}, "index": {f"i-{name}": f"i-{name}"}}}


def schema(tables: int) -> ByRelation:
    """Return the hashes of so many tables, all with the same column, and of a function."""
    hashes: ByRelation = {"": {"function": {"public.f()": "f0"}}}
    for number in range(tables):
        hashes |= table(f"public.t{number}")
    return hashes


@pytest.mark.parametrize("tables", [0, 1, SHARING, 10 * SHARING])
def test_what_was_put_in_is_read_again(tables: int) -> None:
    buckets = Buckets.of(schema(tables))
    assert buckets.read() == schema(tables)
    document = as_bytes(buckets, {"reader": 1, "since": []})
    assert from_bytes(document) == (buckets, json.loads(document.partition(b"\n")[0]))


@pytest.mark.parametrize(("tables", "buckets"), [(0, 1), (SHARING - 2, 1), (SHARING, 2), (10 * SHARING, 16)])
def test_about_so_many_relations_share_a_bucket(tables: int, buckets: int) -> None:
    assert len(Buckets.of(schema(tables)).pieces) == buckets


MANY = schema(20 * SHARING)

#: What becomes of some relations: the names that are gone, and what is found instead.
CHANGES: dict[str, tuple[list[str], ByRelation]] = {
    "made": ([], table("public.new")),
    "altered": (["public.t7"], table("public.t7", "c1")),
    "renamed": (["public.t7"], table("public.renamed")),
    "dropped": (["public.t7"], {}),
    "a function": ([""], {"": {"function": {"public.f()": "f1", "public.g()": "g0"}}}),
    "none is left": ([""], {}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_change_touches_few_buckets_and_leaves_what_all_put_in_anew_would(change: str) -> None:
    gone, found = CHANGES[change]
    before = Buckets.of(MANY)
    after = before.patched(gone, found)
    whole = {name: hashes for name, hashes in MANY.items() if name not in gone} | found
    assert after.read() == whole
    assert after == Buckets.of(whole)
    assert len(set(after.pieces) - set(before.pieces)) <= 2
    assert after.say_the_same_as(before) is (change == "nothing")
    assert after.counts(before, {"function": 1, "table": 1280, "column": 1280, "index": 1280}) == {
        kind: count
        for kind in ("column", "function", "index", "table")
        if (count := sum(len(below.get(kind, {})) for below in whole.values()))
    }


def test_the_same_objects_in_other_buckets_are_the_same() -> None:
    few = Buckets.of({}).patched([], MANY)
    assert len(few.pieces) < len(Buckets.of(MANY).pieces)
    assert few.say_the_same_as(Buckets.of(MANY))
    assert Buckets.of(MANY).gone_and_new(few) == (set(), set())


def test_a_hash_is_gone_only_when_no_bucket_has_it() -> None:
    before = Buckets.of(MANY)
    without = before.patched(["public.t7"], {})
    gone, new = without.gone_and_new(before)
    assert (gone, new) == ({"t-public.t7", "i-public.t7"}, set())
    gone, new = before.gone_and_new(without)
    assert gone == set()
    assert {"t-public.t7", "i-public.t7"} <= new


def test_to_a_first_version_all_is_new() -> None:
    gone, new = Buckets.of(schema(1)).gone_and_new(Buckets(()))
    assert (gone, new) == (set(), {"f0", "t-public.t0", "c0", "i-public.t0"})


@pytest.mark.parametrize("said", [{}, {"reader": 1, "since": [["column", "compression", 1]]}])
def test_a_version_from_before_there_were_buckets_is_read(said: dict[str, object]) -> None:
    objects = {"table": {"public.users": "a"}, "index": {"public.users_email": "b"}}
    old = {**said, "objects": objects} if said else objects
    buckets, found = from_bytes(zlib.compress(json.dumps(old).encode()))
    assert (buckets.read(), buckets.is_by_relation, found) == ({"": objects}, False, said)
    now = Buckets.of({"public.users": {kind: dict(of_kind) for kind, of_kind in objects.items()}})
    assert now.say_the_same_as(buckets)
