"""Settings: from a file, the environment and flags, with every mistake told where it is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import InvalidArgument
from otrdb.server.quantities import format_size, format_width, to_size
from otrdb.server.settings import PREFIX, TABLE, Settings, choose
from otrdb.times import to_width

EVERYTHING = """
archive = "plant.otr"
grpc = "none"
grpc_tls = "0.0.0.0:4411"
tls_certificate = "/etc/otrdb/server.pem"
tls_key = "server.key"
durability = "interval=250ms"
memory = "1GiB"
journal = 8388608
new_streams = 100
threads = 4
calls = 64
calls_of_one = 32
request_bytes = "16MB"
housekeeping = false
collect = "host"
collect_every = "500ms"
collection = "lab/pi"
"""
VALUES = {
    "grpc": "none",
    "grpc_tls": "0.0.0.0:4411",
    "tls_certificate": Path("/etc/otrdb/server.pem"),
    "durability": "interval=250ms",
    "memory": 1 << 30,
    "journal": 8 << 20,
    "new_streams": 100,
    "threads": 4,
    "calls": 64,
    "calls_of_one": 32,
    "request_bytes": 16_000_000,
    "housekeeping": False,
    "collect": "host",
    "collect_every": 500 * 10**6,
    "collection": "lab/pi",
}
BAD = {
    "archive = 7": "archive: 7 is not a path",
    "grpc = 4410": "grpc: 4410 is not text",
    "threads = '4'": "threads: '4' is not a whole number from 1",
    "threads = true": "threads: True is not a whole number from 1",
    "threads = 0": "threads: 0 is not a whole number from 1",
    "memory = 'much'": "memory: 'much' is not a size",
    "memory = 1.5": "memory: 1.5 is not a size",
    "housekeeping = 1": "housekeeping: 1 is not true or false",
    "housekeeping = 'no'": "housekeeping: 'no' is not true or false",
    "collect = 'moon'": "collect: 'moon' is not one of none, host",
    "collect = ['host']": "collect: ['host'] is not one of",
    "collect_every = 5": "collect_every: 5 is not a time",
    "collect_every = 'often'": "collect_every: 'often' is not a time",
    "grcp = 'x'": "there is no setting grcp. Perhaps grpc is meant",
    "[grpc]": "grpc: {} is not text",
    "tls_cert = 'x'": "Perhaps tls_certificate is meant",
    "grpc = 127.0.0.1": "is no TOML",
}


def file_of(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "otrdb.toml"
    file.write_text(text)
    return file


def test_nothing_given_is_the_defaults() -> None:
    assert choose({}, {}).settings == Settings()


def test_every_setting_can_be_in_the_file_and_paths_are_from_where_it_is(tmp_path: Path) -> None:
    file = file_of(tmp_path, EVERYTHING)
    chosen = choose({}, {}, file)
    expected = VALUES | {"archive": tmp_path / "plant.otr", "tls_key": tmp_path / "server.key"}
    assert expected.keys() == TABLE.keys()
    assert {name: getattr(chosen.settings, name) for name in TABLE} == expected
    assert set(chosen.origins.values()) == {str(file)}


@pytest.mark.parametrize("source", ["flags", "environment"])
def test_every_setting_can_be_a_flag_and_a_variable(source: str) -> None:
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in
             tomllib.loads(EVERYTHING).items()}  # fmt: skip
    variables = {TABLE[name].variable: text for name, text in texts.items()}
    chosen = choose(texts, {}) if source == "flags" else choose({}, variables)
    expected = VALUES | {"archive": Path("plant.otr"), "tls_key": Path("server.key")}
    assert {name: getattr(chosen.settings, name) for name in TABLE} == expected


def test_flags_go_before_variables_and_these_before_the_file(tmp_path: Path) -> None:
    file = file_of(tmp_path, "threads = 1\nmemory = '11MiB'\njournal = '1MiB'")
    environment = {
        "OTRDB_SERVE_THREADS": "2",
        "OTRDB_SERVE_MEMORY": "22MiB",
        "HOME": "/",
        "OTRDB_CONFIG": "x",
    }
    chosen = choose({"threads": "3"}, environment, file)
    assert (chosen.settings.threads, chosen.settings.memory, chosen.settings.journal) == (
        3,
        22 << 20,
        1 << 20,
    )
    assert chosen.origins == {"threads": "--threads", "memory": "$OTRDB_SERVE_MEMORY", "journal": str(file)}


@pytest.mark.parametrize(("text", "told"), BAD.items())
def test_what_is_wrong_in_the_file_is_told_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    file = file_of(tmp_path, text)
    with pytest.raises(InvalidArgument) as found:
        choose({}, {}, file)
    assert told in str(found.value)
    assert str(file) in str(found.value)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"OTRDB_SERVE_GRCP": "x"}, "no setting OTRDB_SERVE_GRCP. Perhaps OTRDB_SERVE_GRPC is meant"),
        ({"OTRDB_SERVE_THREADS": "many"}, "$OTRDB_SERVE_THREADS: 'many' is not a whole number"),
        ({"OTRDB_SERVE_HOUSEKEEPING": "maybe"}, "$OTRDB_SERVE_HOUSEKEEPING: 'maybe' is not true or false"),
    ],
)
def test_what_is_wrong_in_the_environment_is_told(environment: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidArgument) as found:
        choose({}, environment)
    assert told in str(found.value)


def test_a_flag_that_is_wrong_is_told() -> None:
    with pytest.raises(InvalidArgument, match="--collect-every: 'often' is not a time"):
        choose({"collect_every": "often"}, {})


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"Cannot read .*none.toml: No such file"):
        choose({}, {}, tmp_path / "none.toml")


def test_what_is_in_force_is_shown_as_a_file_that_says_the_same(tmp_path: Path) -> None:
    chosen = choose({"memory": "100MB"}, {f"{PREFIX}COLLECTION": 'a "b"\tü'}, file_of(tmp_path, EVERYTHING))
    again = choose({}, {}, file_of(tmp_path, str(chosen)))
    assert again.settings == chosen.settings
    assert 'memory = "100000000B"  # --memory' in str(chosen)
    assert str(choose({}, {})).count("# default") == sum(each.default is not None for each in TABLE.values())


@given(st.integers(1, 1 << 50))
def test_quantities_are_read_as_they_are_written(number: int) -> None:
    assert to_size(format_size(number)) == number
    assert to_width(format_width(number)) == number


@pytest.mark.parametrize("text", ["", "MB", "1.2.3MB", "-1", "1 XB", "1e3", "0x10"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{re.escape(text)}\Z"):
        to_size(text)


def test_every_setting_has_its_flag_and_its_variable() -> None:
    found: dict[str, Any] = {each.name: (each.flag, each.variable) for each in TABLE.values()}
    assert found["grpc_tls"] == ("--grpc-tls", "OTRDB_SERVE_GRPC_TLS")
    assert found["archive"] == ("--archive", "OTRDB_ARCHIVE")
