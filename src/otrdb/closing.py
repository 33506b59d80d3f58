"""What can be closed is a context manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Closing:
    """Calls `close` at the end of a `with` block, whatever happened in it."""

    __slots__ = ()

    def close(self) -> None:
        """Lets go of what is held. May be called again."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
