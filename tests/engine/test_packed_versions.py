"""Packed versions are the versions that were put in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otrdb.engine.versions import Committed, Versions
from otrdb.model import FIRST_VERSION

words = st.integers(0, (1 << 32) - 1)
roots = st.none() | st.tuples(st.integers(1, (1 << 32) - 1), words, words, words)
applied = st.integers(0, (1 << 64) - 1)
times = st.integers(-(1 << 63), (1 << 63) - 1)
steps = st.integers(1, 1 << 32)
appends = st.tuples(st.just("append"), steps, roots, applied, times)
discards = st.tuples(st.just("discard"), st.lists(st.integers(0, 40)))


@given(st.lists(appends | discards, max_size=40), st.booleans())
def test_they_are_a_list_of_versions(actions: list[tuple[object, ...]], whole: bool) -> None:
    """``whole``: made anew from what it holds after every step, as from a catalog."""
    model: list[Committed] = []
    versions = Versions()
    newest = FIRST_VERSION
    for action in actions:
        if action[0] == "append":
            newest += action[1]  # type: ignore[operator]
            model.append(Committed(newest, *action[2:]))  # type: ignore[arg-type]
            versions.append(model[-1])
        else:
            gone = {model[at].version for at in action[1] if at < len(model)}  # type: ignore[attr-defined]
            model = [kept for kept in model if kept.version not in gone]
            versions.discard(gone)
            assert all(versions.find(version) is None for version in gone)
        if whole:
            versions = Versions(versions)
        assert list(versions) == model
        assert len(versions) == len(model)
    for committed in model:
        assert versions.find(committed.version) == committed
    present = {committed.version for committed in model}
    for version in {near + by for near in present | {newest} for by in (-1, 1)} - present:
        assert versions.find(version) is None
