"""Entries come back as they went in, and what cannot be read is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import Damaged, UnsupportedFormat
from otrdb.model import Kind
from otrdb.storage.blocks import Address
from otrdb.storage.records import (
    Committed,
    Entry,
    Obliterated,
    PropertiesSet,
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
    VersionsPruned,
    decode,
    encode,
)

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]))
pairs = st.dictionaries(text, text, max_size=3)
addresses = st.builds(Address, u32, u32, u32, u32)

entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(StreamCreated, u32, st.uuids(), st.sampled_from(Kind), text, pairs, pairs),
    st.builds(PropertiesSet, u32, u64, text, pairs, pairs),
    st.builds(Committed, u32, u64, addresses, u64, u64, i64, st.lists(addresses, max_size=3).map(tuple)),
    st.builds(Obliterated, u32, st.uuids()),
    st.builds(SnapshotNamed, text, st.dictionaries(u32, u64, max_size=3), i64),
    st.builds(SnapshotDropped, text),
    st.builds(VersionsPruned, u32, st.lists(u64, max_size=3).map(tuple)),
    st.builds(SettingSet, text, text, text),
)


@given(st.lists(entries, max_size=4))
def test_entries_round_trip(given_entries: list[Entry]) -> None:
    assert decode(encode(given_entries)) == given_entries


@given(entries, st.data())
def test_a_cut_payload_is_damage(entry: Entry, data: st.DataObject) -> None:
    payload = encode([entry])
    cut = data.draw(st.integers(1, len(payload) - 1))
    with pytest.raises(Damaged):
        decode(payload[:cut])


def test_maps_are_stored_in_one_order() -> None:
    forwards, backwards = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert encode([PropertiesSet(1, 2, "c", forwards, {})]) == encode(
        [PropertiesSet(1, 2, "c", backwards, {})]
    )


def test_an_unknown_entry_is_refused() -> None:
    payload = encode([SnapshotDropped("x")])
    with pytest.raises(UnsupportedFormat, match="type 99"):
        decode(bytes([99]) + payload[1:])


def test_an_entry_longer_than_its_fields_is_damage() -> None:
    payload = bytearray(encode([SnapshotDropped("x")])) + b"\0"
    payload[1] += 1
    with pytest.raises(Damaged):
        decode(bytes(payload))
