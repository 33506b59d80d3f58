"""No statement stops the server, changes anything, or ends without a row or a coded error."""

import json
import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otrdb.errors import BadQuery
from otrdb.server.rpc import Door
from otrdb.server.sql import bounds, query
from otrdb.server.sql.patterns import like
from otrdb.server.sql.statement import translated
from otrdb.server.sql_query import sql_query
from otrdb.testing import FaultyMedium, opened
from otrdb.wire import btrdb as wire


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with opened(FaultyMedium()) as db:
        for number in range(300):
            tags = {"name": f"n{number % 50}", "unit": "CVA"[number % 3], "ingress": str(number)}
            db.create(f"plant/{number % 7}", tags=tags, annotations={f"k{number % 5}": "x" * (number % 200)})
        yield Door(db)


def asked(door: Door, statement: str, *parameters: str) -> list[dict[str, Any]]:
    request = wire.SQLQueryParams(query=statement, params=parameters)
    return [json.loads(row) for message in sql_query(door, request) for row in message.SQLQueryRow]


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*) from streams a, streams b, streams c, streams d, streams e",
        "select count(*) from streams a, streams b, streams c, streams d where a.name like '%' || b.name",
        "select count(*) from streams a, streams b, streams c where not a.annotations->'x' = c.name",
        "select sum(length(upper(a.name || b.name || c.name))) from streams a, streams b, streams c",
    ],
)
def test_what_takes_too_long_is_ended(door: Door, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECONDS", 0.1)
    with pytest.raises(BadQuery, match=r"more than 0.1 s"):
        asked(door, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "select a.uuid || b.uuid || c.uuid as x from streams a, streams b, streams c order by x",
        "select distinct a.uuid, b.uuid, c.uuid from streams a, streams b, streams c limit 1 offset 30000000",
        "select a.uuid, b.uuid, c.uuid, count(*) from streams a, streams b, streams c group by 1, 2, 3",
    ],
)
def test_what_takes_too_much_memory_is_ended(
    door: Door, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "SECONDS", 60.0)
    monkeypatch.setattr(bounds, "MEMORY", 4 << 20)
    with pytest.raises(BadQuery, match=r"more than 4 MiB"):
        asked(door, statement)


def test_too_many_rows_are_refused(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MOST_ROWS", 1_000)
    assert len(asked(door, "select 1 from streams a, streams b limit 1000")) == 1_000
    with pytest.raises(BadQuery, match="more than 1000 rows"):
        asked(door, "select 1 from streams a, streams b")


def test_texts_are_bounded(door: Door) -> None:
    with pytest.raises(BadQuery, match="too big"):
        asked(door, "select group_concat(a.annotations || b.annotations) from streams a, streams b")


def test_a_client_that_listens_slowly_is_not_ended(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the time that SQLite takes counts."""
    now = [0.0]
    monkeypatch.setattr(bounds, "time", SimpleNamespace(monotonic=lambda: now[0]))
    answer = sql_query(door, wire.SQLQueryParams(query="select a.uuid from streams a, streams b limit 5000"))
    found = 0
    for message in answer:
        found += len(message.SQLQueryRow)
        now[0] += 3_600
    assert found == 5_000


def test_the_copy_is_made_anew_only_after_a_change(door: Door) -> None:
    table = door.catalog.streams(door.archive)
    assert door.catalog.streams(door.archive) is table
    stream = door.archive.create("more")
    assert door.catalog.streams(door.archive) is not table
    stream.insert(1, 0.5)
    assert (table := door.catalog.streams(door.archive)) is door.catalog.streams(door.archive)
    stream.obliterate()
    assert door.catalog.streams(door.archive) is not table


SOUP = """
    select from where streams uuid collection name unit annotations skeys ( ) ( ) , . * = < > <> || - + / %
    -> ->> $1 $2 :: ::text ::varchar(3) 'a' '' '%' "name" "x" 1 0 -1 2.5 1e999 null true and or not in is like
    ilike match escape order by group having limit offset distinct count max sum group_concat length upper
    substr coalesce cast as blob integer union all except intersect join left on using over partition
    row_number case when then else end exists between with recursive values insert into delete update set drop
    table pragma attach explain begin json_each sqlite_master randomblob load_extension ; -- /* */ ? :p1 @x [
    ` ' " ø
"""
WORDS = [*SOUP.split(), "\0", "\n"]
STATEMENTS = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=30).map(lambda words: "select " + " ".join(words)),
    st.lists(st.sampled_from(WORDS), max_size=12).map(
        lambda words: f"select * from streams where {' '.join(words)}"
    ),
    st.lists(st.sampled_from(WORDS), max_size=12).map(
        lambda words: f"select {' '.join(words)} from streams a, streams b limit 3"
    ),
    st.text(max_size=60),
)


@given(STATEMENTS, st.lists(st.text(max_size=5), max_size=3))
@example('select cast(\'{"a": "\\ud800"}\' as blob)', [])
@example("select cast('" + "[" * 5_000 + "' as blob)", [])
@example(
    "select cast(cast('ÿ' as blob) as text), substr(cast('ÿ' as blob), 2), substr(annotations, 3)->'x'", []
)
def test_any_statement_is_answered_or_refused(door: Door, statement: str, parameters: list[str]) -> None:
    before = door.archive.metadata()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "SECONDS", 0.1)
        try:
            rows = asked(door, statement, *parameters)
        except BadQuery:
            rows = []
    assert all(isinstance(row, dict) for row in rows)
    assert door.archive.metadata() is before
    assert asked(door, "select count(*) as n, count(distinct uuid) as u from streams") == [
        {"n": 300, "u": 300}
    ]


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.integers(0, 3))
def test_a_statement_is_translated_to_one_select(text: str, parameters: int) -> None:
    try:
        found = translated(text, parameters)
    except BadQuery:
        return
    assert found.lower().startswith("select")
    assert sqlite3.complete_statement(f"{found};")


KEYS = (
    "select distinct ( skeys . key ) as a from streams "
    "join json_each ( cast ( streams . annotations as text ) ) as skeys"
)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("select a::text,b::character varying ( 3 ),c :: double precision", "select a , b , c"),
        ("select '::text ''$1' , \"::x\"", "select '::text ''$1' , \"::x\""),
        ("select x from streams where y ilike $1", "select x from streams where y match :p1"),
        ("select distinct(skeys(annotations)) as a from streams where b", f"{KEYS} where b"),
    ],
)
def test_translations(statement: str, found: str) -> None:
    assert translated(statement, 1 if "ilike" in statement else 0) == found


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("%", "", True),
        ("_", "", False),
        ("a%", "abc", True),
        ("a%", "bac", False),
        ("%b%", "abc", True),
        ("%ab%ab%", "abab", True),
        ("%ab%ab%", "ab", False),
        ("a%a", "a", False),
        ("a%a", "aba", True),
        ("a_c", "a\nc", True),
        ("a.c", "abc", False),
        ("100\\%", "100%", True),
        ("100\\%", "1000", False),
        ("\\", "\\", True),
        ("%%_%%", "x", True),
    ],
)
def test_like(pattern: str, text: str, fits: bool) -> None:
    assert like(pattern, text) is fits


def slowly(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(slowly(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and slowly(pattern[1:], text[1:])


@given(st.text("ab%_", max_size=7), st.text("ab", max_size=9))
def test_like_is_what_it_says(pattern: str, text: str) -> None:
    assert like(pattern, text) is slowly(pattern, text)


def test_like_takes_no_more_than_length_times_length() -> None:
    assert like("%" + "a%" * 200 + "b", "a" * 20_000) is False
