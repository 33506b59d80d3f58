"""Moving the blocks of a stream's trees out of some segments: copies at the end of the archive, and above
them copies of everything that leads to them.

A block stands behind all blocks it refers to. So nothing below a block of a segment older than those that are
left lies in one of them, and what is moved is found by walking down from the roots no farther than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crc32c import crc32c

from otrdb.errors import Damaged
from otrdb.storage.blocks import Address
from otrdb.tree import LEAF_TYPE, page_sums, redirected, references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.storage.blocks import Block
    from otrdb.storage.group_writer import Group
    from otrdb.storage.segments import SegmentStore
    from otrdb.tree import Address as TreeAddress


class Relocation:
    """What is moved of one stream. Blocks never change, so what was found of one holds for all versions.

    A block that is not what was written stops it: `Damaged`.
    """

    def __init__(self, segments: SegmentStore, leaving: frozenset[int]) -> None:
        self._segments = segments
        self._leaving = leaving
        self._oldest = min(leaving)
        self._moved: dict[TreeAddress, TreeAddress] = {}
        self._clean: set[tuple[int, int]] = set()
        """Where blocks stand that need not move, nor anything below them."""
        self._walked: set[tuple[int, int]] = set()
        self._replaced: list[Address] = []

    def leaves(self, root: TreeAddress) -> Iterator[list[TreeAddress]]:
        """The plain leaves below ``root`` that must move, but for those met before: a list for each node that
        is read on the way.
        """
        below = [root]
        while below:
            address = below.pop()
            if address[0] < self._oldest or address[:2] in self._walked:
                continue
            self._walked.add(address[:2])
            block = self._segments.read_header(address)
            found = references(block.type, block.head)
            below += reversed([reference.address for reference in found if not reference.is_leaf])
            yield [
                reference.address
                for reference in found
                if reference.is_leaf and reference.address[0] in self._leaving
            ]

    def move(self, group: Group, address: TreeAddress) -> TreeAddress:
        """Copy the block and everything below it as far as that has to move; returns where it is then."""
        if address[0] < self._oldest or address[:2] in self._clean:
            return address
        if address in self._moved:
            return self._moved[address]
        block = self._segments.read_header(address)
        found = references(block.type, block.head)
        targets = [
            (reference, self._below(group, reference.address, reference.is_leaf)) for reference in found
        ]
        changed = [(reference, to) for reference, to in targets if to != reference.address]
        if not changed and address[0] not in self._leaving:
            self._clean.add(address[:2])
            return address
        return self._copied(group, address, block, redirected(block.head, changed))

    def taken_replaced(self) -> list[Address]:
        """The blocks, in segments that stay, that copies were made of since this was asked for last."""
        replaced, self._replaced = self._replaced, []
        return replaced

    def _below(self, group: Group, address: TreeAddress, is_leaf: bool) -> TreeAddress:
        if is_leaf and address[0] not in self._leaving:
            return address
        return self.move(group, address)

    def _copied(self, group: Group, address: TreeAddress, block: Block, head: bytes) -> TreeAddress:
        body = self._segments.read_body(address, 0, block.length - len(block.head))
        if block.type == LEAF_TYPE:
            _prove(address, block.head, body)
        to = group.add(block.type, head, [body])
        self._moved[address] = to
        self._clean.add(to[:2])
        if address[0] not in self._leaving:
            self._replaced.append(Address(*address))
        return to


def _prove(address: TreeAddress, head: bytes, body: bytes) -> None:
    """`Damaged` unless the pages of a leaf are what was written."""
    at = 0
    for size, crc in page_sums(head):
        if crc32c(body[at : at + size]) != crc:
            segment, offset = address[:2]
            text = f"The leaf at byte {offset:,} of segment {segment} is not what was written."
            raise Damaged(text, segment=segment, offset=offset)
        at += size
