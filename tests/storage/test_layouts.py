"""The tables of docs/format.md are the code's own."""

import re
from pathlib import Path

import pytest

from otrdb.layout import Layout
from otrdb.storage.backup_manifest import BACKUP_HEADER, BACKUP_ROW
from otrdb.storage.blocks import ADDRESS, BLOCK_HEADER
from otrdb.storage.catalog_stamp import CATALOG_STAMP
from otrdb.storage.groups import GROUP_RECORD
from otrdb.storage.headers import FORMAT, JOURNAL_HEADER, SEGMENT_HEADER
from otrdb.storage.journal_records import RECORD_HEADER
from otrdb.storage.records import ENTRIES

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text()
HEAD = "| offset | name | type | meaning |\n|---|---|---|---|\n"

LAYOUTS = {
    "### Segment header": SEGMENT_HEADER,
    "### Block": BLOCK_HEADER,
    "An **address**": ADDRESS,
    "### Group record": GROUP_RECORD,
    "### Journal file header": JOURNAL_HEADER,
    "### Journal record": RECORD_HEADER,
    "### Catalog stamp": CATALOG_STAMP,
    "## Backups": BACKUP_HEADER,
    "\nA row:": BACKUP_ROW,
}


def table_after(text: str) -> list[str]:
    """The rows of the first table of a layout below ``text``."""
    _, found, rest = PAGE.partition(text)
    assert found
    return rest.split(HEAD, 1)[1].split("\n\n", 1)[0].split("\n")


@pytest.mark.parametrize("heading", LAYOUTS)
def test_documented_layouts_are_those_of_the_code(heading: str) -> None:
    assert table_after(heading) == LAYOUTS[heading].rows()


@pytest.mark.parametrize("heading", LAYOUTS)
def test_fields_follow_each_other_without_gaps(heading: str) -> None:
    layout = LAYOUTS[heading]
    offsets = [layout.offset(name) for name, _, _ in layout.fields]
    sizes = [Layout(field).size for field in layout.fields]
    assert [at + size for at, size in zip(offsets, sizes, strict=True)] == [*offsets[1:], layout.size]


def test_documented_entries_are_those_of_the_code() -> None:
    documented = re.findall(r"^\| (\d+) \| ([A-Z]\w+) \| (.+) \|$", PAGE, re.MULTILINE)
    expected = [
        (str(code), entry.__name__, ", ".join(f"{name} {field.name}" for name, field in fields))
        for code, (entry, fields) in ENTRIES.items()
    ]
    assert documented == expected


def test_documented_field_types_cover_the_entries() -> None:
    used = {field.name for _, fields in ENTRIES.values() for _, field in fields}
    rows = PAGE.partition("| field type | bytes |")[2].partition("\n\n")[0]
    documented = {name for row in rows.split("\n")[2:] for name in row.split("|")[1].strip().split(", ")}
    assert used <= documented


def test_the_written_format_is_documented() -> None:
    assert f"It is now **{FORMAT}**" in PAGE


def test_invariants_cited_in_the_code_exist() -> None:
    source = Path(__file__).parents[2] / "src" / "otrdb"
    cited = {
        number for path in source.rglob("*.py") for number in re.findall(r"\bI(\d+)\b", path.read_text())
    }
    listed = re.findall(r"^\* \*\*I(\d+)\*\*", PAGE, re.MULTILINE)
    assert listed == [str(number + 1) for number in range(len(listed))]
    assert cited - {"64"} <= set(listed)
