"""Every archiver that must keep the promises, by name. A factory opens its archive or creates it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import otrdb
from otrdb.baseline import open_chunked, open_flat
from otrdb.interface import ArchiveLike
from otrdb.remote.archive import Archive
from otrdb.server.running import Server

Factory: TypeAlias = Callable[[Path], ArchiveLike]


class Served(Archive):
    """An archive by way of a server of this process, which ends with it."""

    def __init__(self, path: Path) -> None:
        self._local = otrdb.open(path)
        self._server = Server(self._local, ["127.0.0.1:0"])
        super().__init__(otrdb.connect(f"grpc://127.0.0.1:{self._server.ports[0]}").link)

    def close(self) -> None:
        super().close()
        self._server.close()
        self._local.close()


IMPLEMENTATIONS: dict[str, Factory] = {
    "tree": otrdb.open,
    "flat": open_flat,
    "chunked": open_chunked,
    "remote": Served,
}
