"""Runs the code blocks of a documentation page.

Every fenced block must say what it is, and every kind is dealt with:

* ``python``: executed, all of a page in one namespace, in order. If a ``text`` block follows directly, it is
  what the code prints, to the letter; code with no such block prints nothing.
* ``sh``: run by bash in the same directory; what it prints is not compared. If a ``text`` block follows, it
  must be what was printed.
* a block of any kind after ``<!-- not run: REASON -->``: left alone. The reason has at least four words.
* a block after ``<!-- needs: PATH -->``: left alone if whoever runs the page says that the path is lacking.

Anything else (a block without a kind or of another kind, code indented instead of fenced, text that belongs
to no code) is an error, so that nothing is skipped in silence.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_FENCE: Final = re.compile(r"^( *)(`{3,}|~{3,})[ \t]*([^\n`]*)$")
_COMMENT: Final = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
_NOT_RUN: Final = "not run:"
_NEEDS: Final = "needs:"
_LEAST_WORDS: Final = 4


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, its text, the line its text begins on, and the comment right above it."""

    kind: str
    text: str
    line: int
    comment: str
    follows: bool
    """Whether only blank lines are between this block and the one before."""

    @property
    def reason(self) -> str | None:
        """Why the block is not run; None if it is."""
        return self._said(_NOT_RUN)

    @property
    def needs(self) -> str | None:
        """The path without which the block cannot be run; None if it can be run anywhere."""
        return self._said(_NEEDS)

    def _said(self, what: str) -> str | None:
        return self.comment.removeprefix(what).strip() if self.comment.startswith(what) else None


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page. Raises AssertionError if it has code that is not fenced."""
    lines = page.splitlines()
    between: list[str] = []
    index, first = 0, True
    while index < len(lines):
        opening = _FENCE.match(lines[index])
        if opening is None:
            assert not _is_indented_code(lines, index), f"line {index + 1}: indented code; fence it"
            between.append(lines[index])
            index += 1
            continue
        indent, fence, kind = opening.groups()
        closing = index + 1
        while lines[closing].strip() != fence:
            closing += 1
        text = "\n".join(line.removeprefix(indent) for line in lines[index + 1 : closing])
        yield Block(kind.strip(), text, index + 2, _comment(between), not first and _blank(between))
        between, first, index = [], False, closing + 1


def _is_indented_code(lines: list[str], index: int) -> bool:
    """Whether a line is code by its indent: after a blank line, and not inside a list or a comment."""
    before = lines[index - 1] if index else ""
    return lines[index].startswith("    ") and not before.strip()


def _blank(lines: list[str]) -> bool:
    return not "".join(lines).strip()


def _comment(lines: list[str]) -> str:
    """The HTML comment that ends the text between two blocks, or nothing."""
    found = re.search(_COMMENT.pattern + r"\s*\Z", "\n".join(lines), re.DOTALL)
    return " ".join(found.group(1).split()) if found else ""


class Run:
    """Runs the blocks of one page in a directory, but for those that need what is ``lacking``."""

    def __init__(self, name: str, directory: Path, lacking: Collection[str] = ()) -> None:
        self.name = name
        self.directory = directory
        self.lacking = lacking
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.executed = 0

    def page(self, text: str) -> None:
        """Run all blocks of a page."""
        found = list(blocks(text))
        position = 0
        while position < len(found):
            block = found[position]
            shown = found[position + 1] if position + 1 < len(found) else None
            answer = shown if shown is not None and shown.kind == "text" and shown.follows else None
            self.block(block, answer)
            position += 1 if answer is None else 2

    def block(self, block: Block, shown: Block | None) -> None:
        """Run one block and compare what it prints, or check why it is not run."""
        where = f"{self.name}:{block.line}"
        if block.reason is not None:
            assert len(block.reason.split()) >= _LEAST_WORDS, f"{where}: say why this block is not run"
            return
        if block.needs in self.lacking:
            return
        assert block.kind in ("python", "sh"), f"{where}: nobody checks a block of kind {block.kind!r}"
        printed = self._python(block, where) if block.kind == "python" else self._shell(block, where)
        self.executed += 1
        if shown is not None:
            assert printed.rstrip() == shown.text.rstrip(), f"{where} prints:\n{printed}"
        elif block.kind == "python":
            assert not printed, f"{where} prints what is not shown:\n{printed}"

    def _python(self, block: Block, where: str) -> str:
        # Blank lines in front give tracebacks the line of the page.
        code = compile("\n" * (block.line - 1) + block.text, self.name, "exec")
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                exec(code, self.namespace)
        except Exception as error:
            raise AssertionError(f"{where} fails: {type(error).__name__}: {error}") from error
        return _trimmed(printed.getvalue())

    def _shell(self, block: Block, where: str) -> str:
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=self.directory,
            env={**os.environ, "PATH": path, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{where} exits with {done.returncode}:\n{done.stdout}{done.stderr}"
        return _trimmed(done.stdout)


def _trimmed(text: str) -> str:
    """The text without blanks at the ends of lines, which a page would not show."""
    return "\n".join(line.rstrip() for line in text.splitlines())
