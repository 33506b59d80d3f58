"""docs/serving.md: its commands run, its settings are those there are, with their defaults."""

import re
import tomllib
from pathlib import Path

from otrdb.server.settings import TABLE, choose
from tests.docs.pages import Run, blocks

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text()
ROW = re.compile(r"^\| (`[^|]*) \| (?:`([^`|]*)`)? *\| [^|]+ \|$", re.MULTILINE)


def test_the_commands_run(tmp_path: Path) -> None:
    run = Run("docs/serving.md", tmp_path)
    run.page(TEXT)
    assert run.executed == 2


def test_the_table_is_that_of_the_settings() -> None:
    section = TEXT[TEXT.index("## Settings") : TEXT.index("## Stopping")]
    shown = {
        name: default or None
        for names, default in ROW.findall(section)
        for name in re.findall(r"`(\w+)`", names)
    }
    text = {name: str(each.default) if each.default is not None else None for name, each in TABLE.items()}
    written = {
        name: each.form.write(each.default).strip('"')
        for name, each in TABLE.items()
        if each.default is not None
    }
    assert shown == text | written


def test_the_file_is_one_of_settings(tmp_path: Path) -> None:
    (example,) = (block.text for block in blocks(TEXT) if block.kind == "toml")
    file = tmp_path / "otrdb.toml"
    file.write_text(example)
    assert choose({}, {}, file).origins == dict.fromkeys(tomllib.loads(example), str(file))
