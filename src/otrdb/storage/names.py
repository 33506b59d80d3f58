"""Names of numbered files: `segment-00000001.otr` and the like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Numbered:
    """Files named by a word, a number of at least eight digits and a suffix.

    Example:
        >>> segments = Numbered("segment", "otr")
        >>> segments.name(7)
        'segment-00000007.otr'
        >>> segments.numbers(["segment-00000012.otr", "segment-00000007.otr", "segment-7.otr"])
        [7, 12]
    """

    def __init__(self, word: str, suffix: str) -> None:
        self._word = word
        self._suffix = suffix
        self._pattern = re.compile(rf"{word}-([0-9]{{8,}})\.{suffix}")

    def name(self, number: int) -> str:
        """The name of file ``number``."""
        return f"{self._word}-{number:08d}.{self._suffix}"

    def numbers(self, names: Iterable[str]) -> list[int]:
        """The numbers of those ``names`` that are of this kind, ascending."""
        matches = map(self._pattern.fullmatch, names)
        return sorted(int(match[1]) for match in matches if match)
