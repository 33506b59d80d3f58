"""Every archiver that must keep the promises, by name. A factory opens its archive or creates it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import otrdb
from otrdb.baseline import open_chunked, open_flat
from otrdb.interface import ArchiveLike

Factory: TypeAlias = Callable[[Path], ArchiveLike]

IMPLEMENTATIONS: dict[str, Factory] = {
    "tree": otrdb.open,
    "flat": open_flat,
    "chunked": open_chunked,
}
