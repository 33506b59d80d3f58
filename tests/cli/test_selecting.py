import pytest

from tests.cli.harness import Shell


def uuid_of(shell: Shell, *words: str) -> str:
    return shell.ok("create", *words).strip()


def test_a_stream_is_named_by_uuid_or_path_or_tags(shell: Shell) -> None:
    uuid = uuid_of(shell, "plant/line1", "--name", "speed", "--tag", "axis=x")
    other = uuid_of(shell, "plant/line1", "--name", "speed", "--tag", "axis=y")
    for words in ([uuid], ["plant/line1/speed", "--tag", "axis=x"], ["plant/line1", "--tag", "axis=x"]):
        assert shell.json("info", *words)["uuid"] == uuid
    message = shell.refused("OTR-4180", "info", "plant/line1/speed")
    assert uuid in message
    assert other in message


def test_names_and_collections_may_hold_slashes(shell: Shell) -> None:
    uuid = uuid_of(shell, "disks/dev", "--name", "sda/1")
    alone = uuid_of(shell, "plant")
    assert shell.json("info", "disks/dev/sda/1")["uuid"] == uuid
    assert shell.json("info", "plant")["uuid"] == alone


def test_a_path_that_two_streams_have_is_ambiguous(shell: Shell) -> None:
    uuid_of(shell, "a/b", "--name", "c")
    uuid_of(shell, "a", "--name", "b/c")
    assert "2 streams are called 'a/b/c'" in shell.refused("OTR-4180", "values", "a/b/c")


def test_many_candidates_are_cut_short(shell: Shell) -> None:
    for number in range(9):
        uuid_of(shell, "many", "--name", str(number))
    assert "and 4 more" in shell.refused("OTR-4180", "values", "many")


@pytest.mark.parametrize("name", ["nothing", "plant/line1/nothing", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_stream_says_where_to_look(plant: Shell, name: str) -> None:
    assert plant.refused("OTR-4040", "values", name).endswith("List what there is with: otrdb streams")


def test_a_tag_without_a_value_is_refused(plant: Shell) -> None:
    plant.refused("OTR-4210", "values", "plant/line1", "--tag", "name")


def test_shells_complete_the_names_of_streams(plant: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_OTRDB_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"otrdb -a {plant.archive} values plant/")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert plant.run().stdout.splitlines() == [
        f"plain,plant/line1/a {kind}" for kind in ("bool", "float", "int")
    ]


def test_completion_of_a_bad_archive_is_empty(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_OTRDB_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"otrdb -a {shell.archive} values ")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert shell.run().output.strip() == ""


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: Shell, name: str) -> None:
    assert "_OTRDB_COMPLETE" in shell.ok("completion", name)
