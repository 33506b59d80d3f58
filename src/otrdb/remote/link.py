"""The connection to a server: calls by their names, and what is raised when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import grpc

from otrdb.errors import AccessDenied, ClosedArchive, InsertTooBig, Overloaded, TookTooLong, Unreachable
from otrdb.wire import PROTOCOL
from otrdb.wire import otrdb as wire
from otrdb.wire.failures import raised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb.errors import OtrError
    from otrdb.remote.connecting import Address

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["OtrDB"]
_CHANGES: Final = frozenset(
    {
        "Create",
        "Update",
        "Obliterate",
        "Insert",
        "InsertParts",
        "Delete",
        "Flush",
        "FlushAll",
        "KeepSnapshot",
        "DropSnapshot",
        "SetRule",
        "Expire",
        "Compact",
    }
)
"""The calls that change something."""

_INSERTS: Final = frozenset({"Insert", "InsertParts"})

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", -1),
    # A server that was started again is found at once, not after a pause that has doubled for minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A connection whose other end is gone without a word is noticed while a call waits for it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
_NEVER_LEFT: Final = "failed to connect to all addresses"
"""How gRPC says that it had no connection to send a call by."""

_LOOK_FIRST: Final = "Look what the archive holds before you repeat the call."


def channel(address: Address, roots: bytes | None) -> grpc.Channel:
    """A channel to a server. It connects when it is first used."""
    if not address.secure:
        return grpc.insecure_channel(address.target, _OPTIONS)
    return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(roots), _OPTIONS)


class Link:
    """A connection that asks. Safe to use from several threads."""

    def __init__(self, where: str, channel: grpc.Channel, api_key: str | None, timeout: float | None) -> None:
        self.where = where
        self.archive = UUID(int=0)
        """The archive behind it, once it was introduced."""
        self.most_inserted = 0
        """Bytes of points that an insert may have."""
        self._channel = channel
        self._metadata = () if api_key is None else (("authorization", f"Bearer {api_key}"),)
        self._timeout = timeout
        self._methods: dict[str, Any] = {}
        self._closed = False

    def introduce(self, timeout: float) -> None:
        """Ask the server what it is, within so many seconds; raises if it is not what is wanted."""
        about = self.ask("About", wire.AboutParams(), timeout)
        if about.protocol != PROTOCOL:
            raise Unreachable(
                f"{self.where} speaks version {about.protocol} of the protocol, not {PROTOCOL}.",
                advice=f"Use the release of OtrDB that it has, {about.version}.",
            )
        self.archive = UUID(bytes=about.archive)
        self.most_inserted = about.most_inserted

    def check_open(self) -> None:
        """Raise `ClosedArchive` once the connection was closed."""
        if self._closed:
            raise ClosedArchive("The connection has been closed.", advice="Connect again.")

    def ask(self, name: str, params: Any, timeout: float | None = None) -> Any:  # noqa: ANN401
        """The answer to a call."""
        method = self._method(name)
        try:
            answer = method(params, timeout=timeout or self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failed(name, error) from error
        return _checked(answer)

    def send(self, name: str, params: Iterable[Any]) -> Any:  # noqa: ANN401
        """The answer to a call with many requests."""
        return self.ask(name, iter(params))

    def each(self, name: str, params: Any) -> Iterator[Any]:  # noqa: ANN401
        """The answers to a call that has several."""
        answers = self._method(name)(params, timeout=self._timeout, metadata=self._metadata)
        try:
            for answer in answers:
                yield _checked(answer)
        except grpc.RpcError as error:
            raise self._failed(name, error) from error
        finally:
            answers.cancel()

    def close(self) -> None:
        """Let go of the connection. May be called again."""
        self._closed = True
        self._channel.close()

    def _method(self, name: str) -> Any:  # noqa: ANN401
        self.check_open()
        method = self._methods.get(name)
        if method is None:
            method = self._methods[name] = self._made(name)
        return method

    def _made(self, name: str) -> Any:  # noqa: ANN401
        described = _SERVICE.methods_by_name[name]
        ways = {
            (False, False): self._channel.unary_unary,
            (False, True): self._channel.unary_stream,
            (True, False): self._channel.stream_unary,
        }
        answer: Any = getattr(wire, described.output_type.name)
        make: Any = ways[described.client_streaming, described.server_streaming]
        return make(
            f"/{_SERVICE.full_name}/{name}",
            request_serializer=_bytes,
            response_deserializer=answer.FromString,
        )

    def _failed(self, name: str, error: Any) -> OtrError:  # noqa: ANN401
        """What to raise for a call that gRPC gave up."""
        code, details = error.code(), (error.details() or "").rstrip(".")
        if self._closed:
            return ClosedArchive("The connection was closed meanwhile.", advice="Connect again.")
        if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return AccessDenied(f"{self.where}: {details}.")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:  # a message is too long
            return (InsertTooBig if name in _INSERTS else Overloaded)(f"{self.where}: {details}.")
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return Unreachable(f"{self.where} is no OtrDB server, or an older one: {details}.")
        unknown = name in _CHANGES and not details.startswith(_NEVER_LEFT)
        fate = " Whether it was done is not known." if unknown else ""
        advice = _LOOK_FIRST if unknown else None
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return TookTooLong(f"{self.where} took too long.{fate}", advice=advice, fate_unknown=unknown)
        return Unreachable(
            f"{self.where} cannot be reached: {details}.{fate}", advice=advice, fate_unknown=unknown
        )


def _bytes(message: Any) -> bytes:  # noqa: ANN401
    serialized: bytes = message.SerializeToString()
    return serialized


def _checked(answer: Any) -> Any:  # noqa: ANN401
    """The answer, unless it tells of a failure."""
    if answer.HasField("stat"):
        raise raised(answer.stat)
    return answer
