"""Health and reflection: services that gRPC's own tools look for. They need no key.

Health tells nothing but that the server is there; reflection what the source of OtrDB tells everybody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from google.protobuf.descriptor import FileDescriptor

    _Context = grpc.aio.ServicerContext[Any, Any]

NAME: Final = "grpc.health.v1.Health"

_Request = health_pb2.HealthCheckRequest
_Response = health_pb2.HealthCheckResponse


class Health:
    """The health of some services, and of the server as a whole, which has no name: good until it stops."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset({"", *services})
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """From now on nothing is served; whoever watches is told, and watches no more."""
        self._stopping.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler of the service."""
        coders: dict[str, Any] = {
            "request_deserializer": _Request.FromString,
            "response_serializer": _Response.SerializeToString,
        }
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, **coders),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, **coders),
        }
        return grpc.method_handlers_generic_handler(NAME, handlers)

    async def _check(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"There is no service {request.service!r}.")
        return self._status(request.service)

    async def _watch(self, request: health_pb2.HealthCheckRequest, _: _Context) -> AsyncIterator[Any]:
        if not self._stopping.is_set():
            yield self._status(request.service)
            await self._stopping.wait()
        yield self._status(request.service)

    def _status(self, service: str) -> health_pb2.HealthCheckResponse:
        if service not in self._services:
            return _Response(status=_Response.SERVICE_UNKNOWN)
        return _Response(status=_Response.NOT_SERVING if self._stopping.is_set() else _Response.SERVING)


def add_reflection(server: grpc.aio.Server, services: Sequence[str], files: Iterable[FileDescriptor]) -> None:
    """Let clients ask for the interface: of `services`, described by `files`."""
    pool = DescriptorPool()
    for file in files:
        _add(pool, file)
    reflection.enable_server_reflection([*services, reflection.SERVICE_NAME], server, pool)


def _add(pool: DescriptorPool, file: FileDescriptor) -> None:
    for dependency in file.dependencies:
        _add(pool, dependency)
    pool.AddSerializedFile(file.serialized_pb)
