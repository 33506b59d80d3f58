"""Every error is an OtrError and the builtin a caller would try, has its own code, and says what to do."""

import inspect
import pickle
import re

import pytest

from otrdb import errors

LEAVES = list(errors.all_errors())


def make(leaf: type[errors.OtrError]) -> errors.OtrError:
    return errors.MissingExtra("pyarrow", "parquet") if leaf is errors.MissingExtra else leaf("It is so.")


def test_all_errors_are_listed() -> None:
    classes = [item for item in vars(errors).values() if inspect.isclass(item)]
    own = {item for item in classes if issubclass(item, errors.OtrError)}
    assert set(LEAVES) == own - {errors.OtrError}


def test_codes_are_unique() -> None:
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_leaf(leaf: type[errors.OtrError]) -> None:
    error = make(leaf)
    builtin = [base for base in leaf.__mro__ if base.__module__ == "builtins"]
    assert re.fullmatch(r"OTR-[45]\d{3}", error.code)
    assert builtin[0] is not Exception
    assert str(error) == f"{error.message} {error.advice}".rstrip()
    assert repr(error).startswith(f"{leaf.__name__}(")


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_an_error_survives_a_process_boundary(leaf: type[errors.OtrError]) -> None:
    error = make(leaf)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.code) == (leaf, str(error), error.code)


@pytest.mark.parametrize(
    ("leaf", "builtin"),
    [
        (errors.NoSuchStream, KeyError),
        (errors.NoSuchPoint, LookupError),
        (errors.NoSuchSnapshot, KeyError),
        (errors.WrongKind, TypeError),
        (errors.VersionNotAvailable, LookupError),
        (errors.ReadOnly, PermissionError),
        (errors.ArchiveLocked, BlockingIOError),
        (errors.ArchiveLocked, RuntimeError),
        (errors.NotAnArchive, FileNotFoundError),
        (errors.NotAnArchive, ValueError),
        (errors.DiskFull, OSError),
        (errors.MissingExtra, ImportError),
    ],
)
def test_callers_catch_the_builtin(leaf: type[errors.OtrError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise make(leaf)


def test_a_key_error_is_not_quoted() -> None:
    assert (
        str(errors.NoSuchStream("No stream 42."))
        == "No stream 42. List what there is with archive.streams()."
    )


def test_the_advice_can_be_the_callers() -> None:
    assert str(errors.InvalidArgument("No.", advice="Yes.")) == "No. Yes."


def test_damage_says_where_and_what() -> None:
    error = errors.Damaged("A leaf is damaged.", segment=3, offset=4096, start=10, end=20)
    assert (error.segment, error.offset, error.stream, error.start, error.end) == (3, 4096, None, 10, 20)


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert "pip install 'otrdb[parquet]'" in str(errors.MissingExtra("pyarrow", "parquet"))
