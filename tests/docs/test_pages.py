"""The harness that runs the pages misses nothing: whatever is not run, or not as shown, is an error."""

from pathlib import Path

import pytest

from tests.docs.pages import Run, blocks

PYTHON = "```python\nprint(1)\n```\n"
SHELL = "```sh\necho one\n```\n"

BAD = {
    "another output": PYTHON + "\n```text\n2\n```\n",
    "an output that is not shown": PYTHON,
    "an output shown elsewhere": PYTHON + "\nSo it prints:\n\n```text\n1\n```\n",
    "an output of nothing": "```text\n1\n```\n",
    "two outputs": PYTHON + "```text\n1\n```\n```text\n1\n```\n",
    "an output that is missing": "```python\npass\n```\n\n```text\n1\n```\n",
    "code that fails": "```python\n1 / 0\n```\n",
    "code that is none": "```python\n)\n```\n",
    "no kind": "```\nprint(1)\n```\n",
    "an unknown kind": "```json\n{}\n```\n",
    "indented code": "So:\n\n    print(1)\n",
    "a fence that stays open": "```python\npass\n",
    "no reason": "<!-- not run: -->\n" + PYTHON,
    "a thin reason": "<!-- not run: too slow -->\n" + PYTHON,
    "a reason that is not next to the block": "<!-- not run: it needs a real machine -->\nText.\n\n" + PYTHON,
    "a command that fails": "```sh\nfalse\necho one\n```\n",
    "another output of a command": SHELL + "\n```text\ntwo\n```\n",
}

GOOD = {
    "as shown": PYTHON + "\n```text\n1\n```\n",
    "one namespace": "```python\na = 1\n```\n" + "```python\nprint(a)\n```\n\n```text\n1\n```\n",
    "shown by a command": SHELL + "```text\none\n```\n",
    "not shown by a command": SHELL,
    "in a list": "* so\n\n  ```python\n  print(1)\n  ```\n\n  ```text\n  1\n  ```\n",
    "a blank line": "```python\nprint('a ')\nprint()\nprint('b')\n```\n\n```text\na\n\nb\n```\n",
}


def run(page: str, directory: Path) -> int:
    harness = Run("page.md", directory)
    harness.page(page)
    return harness.executed


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_page_fails(name: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, IndexError, SyntaxError)):
        run(BAD[name], tmp_path)


@pytest.mark.parametrize("name", list(GOOD))
def test_a_good_page_is_run(name: str, tmp_path: Path) -> None:
    assert run(GOOD[name], tmp_path) >= 1


def test_a_block_with_a_reason_is_left_alone(tmp_path: Path) -> None:
    assert run("<!-- not run: it needs a real machine -->\n```python\n1 / 0\n```\n", tmp_path) == 0


@pytest.mark.parametrize(("lacking", "executed"), [(set(), 1), ({"../data"}, 0), ({"../other"}, 1)])
def test_a_block_is_left_alone_if_what_it_needs_is_lacking(
    lacking: set[str], executed: int, tmp_path: Path
) -> None:
    harness = Run("page.md", tmp_path, lacking)
    harness.page("<!-- needs: ../data -->\n" + SHELL)
    assert harness.executed == executed


def test_commands_run_in_the_directory(tmp_path: Path) -> None:
    run("```sh\necho one > made\n```\n", tmp_path)
    assert (tmp_path / "made").read_text() == "one\n"


def test_errors_name_the_line() -> None:
    (first, second) = blocks("Text.\n\n```python\na\n```\n\n```text\nb\nc\n```\n")
    assert (first.line, second.line, second.follows, second.text) == (4, 8, True, "b\nc")
