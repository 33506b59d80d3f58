"""What `otrdb doctor` looks at.

mounts     the file system and how it is mounted
disk       room, and whether a sync waits for the disk
clock      whether the time can be believed
machine    word and page size, limits, heat
packages   versions, and whether compiled code runs here
contents   whether the archive opens, who writes it, its newest point
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "failure"]


class Sign(NamedTuple):
    """One thing that was looked at: what was found there, and what to do about it.

    A warning means that something may be lost or slow; a failure that it will be, or does not work at all.
    """

    check: str
    status: Status
    found: str
    advice: str = ""
