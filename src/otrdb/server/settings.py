"""The settings of a server: one table, from which the file's keys, the flags and the variables are made.

Setting `grpc_tls` is `grpc_tls = ...` in the TOML file, `$OTRDB_SERVE_GRPC_TLS` in the environment and
`--grpc-tls` on the command line; the last of these that is there holds.
"""

from __future__ import annotations

import difflib
import inspect
import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.server.limits import Limits
from otrdb.server.quantities import format_size, format_width, to_size
from otrdb.times import to_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from otrdb.export import Foreign

PREFIX: Final = "OTRDB_SERVE_"
ARCHIVE_VARIABLE: Final = "OTRDB_ARCHIVE"
"""All commands know it; so it is that of the archive here, too."""
COLLECTORS: Final = ("none", "host")

_DEFAULTS: Final = {name: each.default for name, each in inspect.signature(otrdb.open).parameters.items()}
_LIMITS: Final = Limits()
_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Form(NamedTuple):
    """What values of a setting look like."""

    says: str
    types: tuple[type, ...]
    """Of values in a TOML file; text is taken everywhere else."""
    read: Callable[[Any], Any]
    """From one of the types, or text. Raises ValueError."""
    metavar: str = "TEXT"
    write: Callable[[Any], str] = json.dumps
    """The value as TOML has it."""


def _count(value: str | int) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _truth(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    if value.lower() not in _TRUTHS:
        raise ValueError
    return _TRUTHS[value.lower()]


def _collector(value: str) -> str:
    if value not in COLLECTORS:
        raise ValueError
    return value


def _in_toml(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: json.dumps(write(value), ensure_ascii=False)


WORDS: Final = Form("text", (str,), str, write=_in_toml(str))
FILE: Final = Form("a path", (str,), Path, "FILE", _in_toml(str))
COUNT: Final = Form("a whole number from 1", (int,), _count, "N", str)
SIZE: Final = Form("a size such as '256MiB'", (str, int), to_size, "SIZE", _in_toml(format_size))
WIDTH: Final = Form("a time such as '1s'", (str,), to_width, "WIDTH", _in_toml(format_width))
TRUTH: Final = Form("true or false", (bool,), _truth)
COLLECTOR: Final = Form("one of " + ", ".join(COLLECTORS), (str,), _collector, "NAME", _in_toml(str))


def _as(form: Form, explained: str) -> dict[str, Any]:
    return {"form": form, "help": explained}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is to do."""

    archive: Path = field(default=Path("archive.otr"), metadata=_as(FILE, "Directory of the archive."))
    grpc: str = field(
        default="127.0.0.1:4410", metadata=_as(WORDS, "Where to listen in plain text: HOST:PORT, or none.")
    )
    grpc_tls: str | None = field(
        default=None, metadata=_as(WORDS, "Where to listen with TLS: HOST:PORT, usually port 4411.")
    )
    tls_certificate: Path | None = field(
        default=None, metadata=_as(FILE, "The server's certificate and its chain, PEM.")
    )
    tls_key: Path | None = field(default=None, metadata=_as(FILE, "The key of the certificate, PEM."))
    durability: str = field(
        default=_DEFAULTS["durability"], metadata=_as(WORDS, "sync, interval=250ms or off.")
    )
    memory: int = field(
        default=_DEFAULTS["memory"], metadata=_as(SIZE, "For caches and points that are pending.")
    )
    journal: int = field(default=_DEFAULTS["journal"], metadata=_as(SIZE, "How long the journal may become."))
    new_streams: int | None = field(
        default=None, metadata=_as(COUNT, "Most streams that may be made in a minute.")
    )
    threads: int = field(default=16, metadata=_as(COUNT, "Answers that are made at a time."))
    calls: int = field(
        default=_LIMITS.calls, metadata=_as(COUNT, "Calls that may be in flight; more are refused.")
    )
    calls_of_one: int = field(
        default=_LIMITS.calls_of_one, metadata=_as(COUNT, "Calls that may be in flight from one connection.")
    )
    request_bytes: int = field(
        default=_LIMITS.request_bytes, metadata=_as(SIZE, "For all requests that are in flight.")
    )
    housekeeping: bool = field(
        default=True, metadata=_as(TRUTH, "Once an hour, drop what is too old and give space back.")
    )
    collect: str = field(default="none", metadata=_as(COLLECTOR, "Archive measurements too: host, or none."))
    collect_every: int = field(default=10**9, metadata=_as(WIDTH, "Time between rounds of the collector."))
    collection: str | None = field(default=None, metadata=_as(WORDS, "Where the collector's streams are."))


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table."""

    name: str
    default: Any
    form: Form
    help: str

    @property
    def flag(self) -> str:
        """The flag of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The variable of the environment."""
        return ARCHIVE_VARIABLE if self.name == "archive" else PREFIX + self.name.upper()

    def read(self, value: Foreign, place: str) -> Foreign:
        """The value, given as text or as TOML has it in `place`."""
        try:
            return self.form.read(value)
        except ValueError as error:  # of ours, too, those of values are ValueErrors
            raise self.refusal(value, place) from error

    def refusal(self, value: object, place: str) -> InvalidArgument:
        """The error that says that this is no value, in `place`."""
        return InvalidArgument(f"{place}: {value!r} is not {self.form.says}.", advice=self.help)


TABLE: Final = {
    each.name: Setting(each.name, each.default, each.metadata["form"], each.metadata["help"])
    for each in fields(Settings)
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings in force, and where those that are not defaults are from."""

    settings: Settings
    origins: Mapping[str, str]

    def __str__(self) -> str:
        """A file of settings that says the same, with the origins as comments."""
        return "\n".join(self._line(setting) for setting in TABLE.values())

    def _line(self, setting: Setting) -> str:
        value = getattr(self.settings, setting.name)
        origin = self.origins.get(setting.name, "default")
        if value is None:
            return f"# {setting.name} is not set"
        return f"{setting.name} = {setting.form.write(value)}  # {origin}"


def choose(flags: Mapping[str, str], environment: Mapping[str, str], file: Path | None = None) -> Chosen:
    """The settings: `flags` (by name, as text) go before the `environment`, and that before the `file`.

    `InvalidArgument` names the place of what is unknown or of a wrong type.

    Example:
        >>> chosen = choose({"memory": "128MiB"}, {"OTRDB_SERVE_MEMORY": "64MiB", "OTRDB_SERVE_THREADS": "4"})
        >>> chosen.settings.memory >> 20, chosen.settings.threads, chosen.origins["threads"]
        (128, 4, '$OTRDB_SERVE_THREADS')
    """
    found = {} if file is None else _from_file(file)
    found |= _from_environment(environment)
    for name, text in flags.items():
        found[name] = (TABLE[name].read(text, TABLE[name].flag), TABLE[name].flag)
    settings = Settings(**{name: value for name, (value, _) in found.items()})
    return Chosen(settings, {name: origin for name, (_, origin) in found.items()})


def _from_file(file: Path) -> dict[str, tuple[Any, str]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidArgument(f"Cannot read {file}: {error.strerror}.", advice="Check --config.") from error
    except ValueError as error:
        raise InvalidArgument(
            f"{file} is no TOML: {error}.", advice="Texts need quotes, for example."
        ) from error
    return {name: (_of_file(file, name, value), str(file)) for name, value in content.items()}


def _of_file(file: Path, name: str, value: Foreign) -> Foreign:
    _check_name(name, TABLE, str(file))
    setting = TABLE[name]
    if type(value) not in setting.form.types:
        raise setting.refusal(value, f"{file}: {name}")
    read = setting.read(value, f"{file}: {name}")
    # A path is meant from where the file is: a service has no directory of its own to start from.
    return file.parent / read if isinstance(read, Path) else read


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    settings = {setting.variable: setting for setting in TABLE.values()}
    for variable in environment:
        if variable.startswith(PREFIX):
            _check_name(variable, settings, "environment")
    for variable in settings.keys() & environment.keys():
        setting = settings[variable]
        found[setting.name] = (setting.read(environment[variable], f"${variable}"), f"${variable}")
    return found


def _check_name(name: str, names: Iterable[str], place: str) -> None:
    if name not in names:
        (near,) = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
        raise InvalidArgument(f"{place}: there is no setting {name}.", advice=f"Perhaps {near} is meant.")
