"""SQLQuery: what BTrDB's client and its pages ask, and ordinary SELECTs."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from btrdb import exceptions

import otrdb
from tests.server.asking import make, refused


@pytest.fixture
def plant(client: Any) -> Any:
    """The client of a server with four streams in three collections."""
    make(client, "plant/line1", name="heat", unit="C", annotations={"site": "north", "a.b": "1", "9": "nine"})
    make(client, "plant/line1", name="flow", unit="l/s", ingress="modbus", annotations={"site": "south"})
    make(client, "plant/line2", name="heat", unit="C")
    make(client, "Plant", name="it's", distiller="sum", annotations={"note": "a\"b'c", "quote'": "ø"})
    return client


def test_unique_names_units_and_annotations(plant: Any) -> None:
    assert sorted(plant.list_unique_names()) == ["flow", "heat", "it's"]
    assert sorted(plant.list_unique_names("plant/line1")) == ["flow", "heat"]
    assert sorted(plant.list_unique_units()) == ["", "C", "l/s"]
    assert sorted(plant.list_unique_units("plant/")) == ["C", "l/s"]
    assert sorted(plant.list_unique_annotations()) == ["9", "a.b", "note", "quote'", "site"]
    assert sorted(plant.list_unique_annotations("plant/line1")) == ["9", "a.b", "site"]
    assert plant.list_unique_annotations("plant/line2") == plant.list_unique_annotations("nosuch") == []


def test_names_of_a_collection(plant: Any) -> None:
    query = "select name from streams where collection = $1 order by name;"
    assert plant.query(query, ["plant/line1"]) == [{"name": "flow"}, {"name": "heat"}]


def test_counts(plant: Any) -> None:
    assert plant.query("SELECT COUNT(uuid) FROM streams") == [{"count": 4}]
    assert plant.query("SELECT COUNT(uuid) FROM streams WHERE collection=$1::text", ["Plant"]) == [
        {"count": 1}
    ]
    noted = "SELECT COUNT(uuid) FROM streams WHERE annotations->$1::text IS NOT NULL"
    for key, count in (("site", 2), ("a.b", 1), ("9", 1), ("quote'", 1), ("nosuch", 0), ("$.site", 0)):
        assert plant.query(noted, [key]) == [{"count": count}]


def test_uuids_of_one_name_or_another(plant: Any) -> None:
    found = plant.query("SELECT uuid FROM streams WHERE name = $1 OR name = $2", ["flow", "it's"])
    asked = [
        *plant.streams_in_collection(tags={"name": "it's"}),
        *plant.streams_in_collection(tags={"name": "flow"}),
    ]
    assert {row["uuid"] for row in found} == {str(stream.uuid) for stream in asked}


def test_every_column(plant: Any) -> None:
    (stream,) = plant.streams_in_collection("Plant")
    stream.update(annotations={"more": 1})
    assert plant.query("select * from streams where collection = 'Plant'") == [
        {
            "uuid": str(stream.uuid),
            "collection": "Plant",
            "name": "it's",
            "unit": "",
            "ingress": "",
            "distiller": "sum",
            "property_version": 2,
            "annotations": {"more": "1", "note": "a\"b'c", "quote'": "ø"},
        }
    ]
    assert plant.query("select annotations from streams where collection = 'plant/line2'") == [
        {"annotations": None}
    ]


SELECTS: list[tuple[str, list[str], list[dict[str, Any]]]] = [
    ("select name from streams where annotations->'site' = 'north'", [], [{"name": "heat"}]),
    ("select annotations -> 'a.b' as b from streams where annotations->'9' is not null", [], [{"b": "1"}]),
    ("select name from streams where name like 'H%'", [], []),
    ("select distinct name from streams where name ilike 'H%'", [], [{"name": "heat"}]),
    ("select name from streams where not name ilike '%E%' and name not ilike 'i%'", [], [{"name": "flow"}]),
    ("select name from streams where name like 'f\\low'", [], [{"name": "flow"}]),
    ("select unit from streams where unit like 'l!/_' escape '!'", [], [{"unit": "l/s"}]),
    ("select name from streams where collection like $1", ["Pl%"], [{"name": "it's"}]),
    ("select count(*) from streams where name = ($1)::character varying(256)", ["heat"], [{"count": 2}]),
    ("select max(property_version), min(name) from streams", [], [{"max": 1, "min": "flow"}]),
    (
        "select '$1::text; --' as text, \"name\" from streams limit $1::int",
        ["1"],
        [{"text": "$1::text; --", "name": "it's"}],
    ),
    (
        "select name -- comment; drop\nfrom streams /* $9 ; */ where unit = 'l/s' ; ;",
        [],
        [{"name": "flow"}],
    ),
    (
        "select unit, count(*) n from streams group by unit having count(*) > 1",
        [],
        [{"unit": "C", "n": 2}],
    ),
    (
        "select name from streams where uuid in (select uuid from streams where name = 'heat') limit 1",
        [],
        [{"name": "heat"}],
    ),
    (
        "select a.name from streams a join streams b on a.name = b.name and a.uuid <> b.uuid",
        [],
        [{"name": "heat"}, {"name": "heat"}],
    ),
    (
        "select unit from streams where unit = 'C' union select 'x' order by 1",
        [],
        [{"unit": "C"}, {"unit": "x"}],
    ),
    ("select skeys(s.annotations) as k from streams as s where s.name = 'flow'", [], [{"k": "site"}]),
    (
        "select name, skeys(annotations) from streams where name = 'it''s' order by 2",
        [],
        [{"name": "it's", "key": "note"}, {"name": "it's", "key": "quote'"}],
    ),
    ("select count(distinct skeys(annotations)) from streams", [], [{"count": 5}]),
    (
        "select skeys(annotations) k, (select count(*) from streams) n from streams t where unit = 'l/s'",
        [],
        [{"k": "site", "n": 4}],
    ),
    (
        "select 9e999 as big, -9e999 as small, null as missing, 0.5 as half",
        [],
        [{"big": "Infinity", "small": "-Infinity", "missing": None, "half": 0.5}],
    ),
    (
        "select cast('x' as blob) as bytes, cast('{\"a\": [1]}' as blob) as object",
        [],
        [{"bytes": "\\x78", "object": "\\x7b2261223a205b315d7d"}],
    ),
]


def test_selects(plant: Any) -> None:
    for query, params, rows in SELECTS:
        assert plant.query(query, params) == rows, query


REFUSED: list[tuple[str, list[str]]] = [
    ("", []),
    (";", []),
    ("select", []),
    ("select nosuch from streams", []),
    ("select * from nosuch", []),
    ("select 1; select 2", []),
    ("select 'open", []),
    ("select /* open", []),
    ('select "open', []),
    ("select `name` from streams", []),
    ("select [name] from streams", []),
    ("select ?1", ["x"]),
    ("select :p1, $1", ["x"]),
    ("select @a", []),
    ("select 1::", []),
    ("select 'a\0b'", []),
    ("select $1", []),
    ("select $0", []),
    ("select $2", ["x"]),
    ("select $99999999999", ["x"]),
    ("select 1", ["x"]),
    ("select $1", ["x", "y"]),
    ("insert into streams values (1)", []),
    ("update streams set name = 'x'", []),
    ("delete from streams", []),
    ("drop table streams", []),
    ("create table more (a)", []),
    ("attach 'file' as other", []),
    ("pragma table_info(streams)", []),
    ("vacuum into 'file'", []),
    ("explain select 1", []),
    ("begin", []),
    ("values (1)", []),
    ("with a as (select 1) select * from a", []),
    ("with recursive a(n) as (select 1 union all select n + 1 from a) select * from a", []),
    ("select * from (with recursive a(n) as (select 1 union select n + 1 from a) select 1)", []),
    ("with a as (select 1) delete from streams", []),
    ("select * from sqlite_master", []),
    ("select * from sqlite_schema", []),
    ("select * from pragma_table_info('streams')", []),
    ("select load_extension('x')", []),
    ("select randomblob(10)", []),
    ("select zeroblob(1000000000)", []),
    ("select printf('%1000000000d', 1)", []),
    ("select readfile('/etc/passwd')", []),
    ("select instr(name, 'x') from streams", []),
    ("select name from streams where name glob '*'", []),
    ("select name from streams where name regexp '.*'", []),
    ("select skeys(name) from streams", []),
    ("select skeys(annotations)", []),
    ("select name from streams where skeys(annotations) = 'x'", []),
    ("select skeys(annotations) from (select * from streams)", []),
    ("select " + "(" * 300 + "1" + ")" * 300, []),
    ("select 1" + " + 1" * 3_000, []),
    ("select 1" + " union select 1" * 100, []),
    ("select " + ", ".join("1" * 200), []),
    ("select '" + "x" * 20_000 + "'", []),
]


def test_what_is_refused(client: Any) -> None:
    for query, params in REFUSED:
        assert refused(client.query, query, params) is exceptions.BadSQLValue, query


def test_no_rows_are_one_empty_message(client: Any) -> None:
    assert [list(page) for page in client.ep.sql_query("select * from streams", [])] == [[]]


def test_changes_are_seen_at_once(client: Any) -> None:
    names = "select name, property_version as v, collection as c from streams order by name"
    assert client.query(names) == []
    stream = make(client, "a", name="x")
    assert client.query(names) == [{"name": "x", "v": 1, "c": "a"}]
    stream.update(tags={"name": "y"}, collection="b")
    assert client.query(names) == [{"name": "y", "v": 2, "c": "b"}]
    stream.obliterate()
    assert client.query(names) == []


def test_many_rows_come_in_messages_that_every_client_takes(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otrdb.server.batches.MOST_ITEMS", 100)
    monkeypatch.setattr("otrdb.server.batches.MOST_BYTES", 100_000)
    text = "ø" * 255
    for number in range(120):
        archive.create("c", tags={"name": f"{number:03}"}, annotations={f"{n}": text for n in range(5)})
    pages = list(client.ep.sql_query("select * from streams", []))
    assert [json.loads(row)["name"] for page in pages for row in page] == [f"{n:03}" for n in range(120)]
    assert max(sum(map(len, page)) for page in pages) <= 100_000
    assert len(pages) >= 4


def test_queries_run_side_by_side(plant: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        query = (
            "select count(*) from streams a, streams b where a.name like '%' and b.annotations->$1 is null"
        )
        found = list(pool.map(lambda key: plant.query(query, [key]), ["site", "note"] * 16))
    assert found == [[{"count": 8}], [{"count": 12}]] * 16


def test_a_stream_with_long_annotations_is_found(client: Any, archive: otrdb.Archive) -> None:
    archive.create("c", tags={"name": "long"}, annotations={f"{n}": "x" * 255 for n in range(1_000)})
    (row,) = client.query("select name, annotations from streams where annotations->'7' is not null")
    assert (row["name"], len(row["annotations"])) == ("long", 1_000)


def test_a_row_larger_than_a_message_is_refused(client: Any, archive: otrdb.Archive) -> None:
    archive.create("c", annotations={f"{n}": "x" * 255 for n in range(1_000)})
    query = "select " + ", ".join(f"annotations as a{n}" for n in range(8)) + " from streams"
    assert refused(client.query, query) is exceptions.BadSQLValue
