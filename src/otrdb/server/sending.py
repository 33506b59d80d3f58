"""Sending an answer to a client that may have gone away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


async def send(context: Context, answer: bytes) -> None:
    """Return when it is sent. A call whose client went away meanwhile ends as one that was cancelled."""
    try:
        await context.write(answer)
    except grpc.aio.InternalError as error:
        raise asyncio.CancelledError from error
