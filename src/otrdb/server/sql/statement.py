"""From the SQL of BTrDB's clients, which is PostgreSQL's, to that of SQLite.

Only words are replaced; what SQLite then makes of them, and what may be asked, is decided elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.errors import BadQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 16_384
"""Characters of a statement."""

# Nothing in it can match in two ways, so it takes time in proportion to the text.
_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<text>'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")+")
  | (?P<unended>/\*|'|")
  | (?P<parameter>\$\d{1,9})
  | (?P<cast>::)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d]\w*)
  | (?P<mark>->>|->|<=|>=|<>|!=|\|\||[-+*/%<>=(),.;])
    """,
    re.VERBOSE | re.DOTALL,
)

_SECOND_WORDS: Final = frozenset({"varying", "precision"})
"""Of types that have two."""

_AFTER_A_TABLE: Final = """
    where group having window order limit offset union except intersect
    join inner left right full outer cross natural on using
"""
_NO_ALIAS: Final = frozenset(_AFTER_A_TABLE.split())
"""Words that may follow a table and are no other name for it."""


class Token(NamedTuple):
    """A piece of a statement, neither space nor comment."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """In small letters, if it is a word; else empty."""
        return self.text.lower() if self.kind == "word" else ""


def translated(query: str, parameters: int) -> str:
    """``query`` for SQLite, with its ``parameters`` named p1, p2 and so on.

    `BadQuery` unless it is one SELECT and has that many parameters. Casts are left out, ILIKE becomes the
    operator MATCH, and `skeys(annotations)` a column of a join.

    Example:
        >>> translated("SELECT name FROM streams WHERE collection = $1::text;", 1)
        'SELECT name FROM streams WHERE collection = :p1'
    """
    tokens = _one_select(list(_tokens(query)))
    tokens = _with_keys(_without_casts(tokens))
    _check_parameters(tokens, parameters)
    return " ".join(map(_spelled, tokens))


def _tokens(query: str) -> Iterator[Token]:
    if len(query) > LONGEST or "\0" in query:
        raise BadQuery(f"A statement has at most {LONGEST} characters, and none of them is NUL.")
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None or found.lastgroup == "unended":
            raise BadQuery(f"{query[at : at + 10]!r} cannot be read.")
        at = found.end()
        if found.lastgroup and found.lastgroup != "space":
            yield Token(found.lastgroup, found.group())


def _one_select(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens or tokens[0].word != "select" or any(token.text == ";" for token in tokens):
        raise BadQuery("That is not one SELECT.")
    # Names for queries multiply: twenty that each stand twice in the next make a million.
    if any(token.word == "with" for token in tokens):
        raise BadQuery("WITH is not answered.")
    return tokens


def _without_casts(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        if tokens[at].kind == "cast":
            at = _after_type(tokens, at + 1)
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _after_type(tokens: list[Token], at: int) -> int:
    if _kind(tokens, at) not in ("word", "name"):
        raise BadQuery("No type follows '::'.")
    at += 1
    if _word(tokens, at) in _SECOND_WORDS:
        at += 1
    if _text(tokens, at) == "(" and _kind(tokens, at + 1) == "number":
        while at < len(tokens) and tokens[at].text != ")":
            at += 1
        at += 1
    return at


def _with_keys(tokens: list[Token]) -> list[Token]:
    """The keys of annotations, one row each, are a column of a join with the table named after FROM."""
    joined: set[int] = set()
    done = list(tokens)
    for at in reversed(range(len(tokens))):
        if tokens[at].word == "skeys" and _text(tokens, at + 1) == "(":
            end = _argument_end(tokens, at + 2)
            joined.add(_from(tokens, end))
            done[at:end] = [*_words("skeys . key"), *[Token("gone", "")] * (end - at - 3)]
    for at in sorted(joined, reverse=True):
        place, table = _table(tokens, at + 1)
        done[place:place] = _words(f"join json_each ( cast ( {table} . annotations as text ) ) as skeys")
    return [token for token in done if token.kind != "gone"]


def _argument_end(tokens: list[Token], at: int) -> int:
    """The place after `annotations )`, with or without a table before."""
    if _text(tokens, at + 1) == ".":
        at += 2
    if _word(tokens, at) != "annotations" or _text(tokens, at + 1) != ")":
        raise BadQuery("skeys is only answered of annotations.")
    return at + 2


def _from(tokens: list[Token], at: int) -> int:
    """Where the FROM is that belongs to what stands before ``at``."""
    depth = lowest = 0
    for place in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        lowest = min(lowest, depth)
        if tokens[place].word == "from" and depth == lowest:
            return place
    raise BadQuery("skeys is only answered in what is selected.")


def _table(tokens: list[Token], at: int) -> tuple[int, str]:
    """The place after the table that begins ``at``, and what it is called."""
    if _word(tokens, at) != "streams":
        raise BadQuery("skeys is only answered of the table streams.")
    if _word(tokens, at + 1) == "as":
        return at + 3, _text(tokens, at + 2)
    if _kind(tokens, at + 1) in ("word", "name") and _word(tokens, at + 1) not in _NO_ALIAS:
        return at + 2, _text(tokens, at + 1)
    return at + 1, "streams"


def _check_parameters(tokens: list[Token], parameters: int) -> None:
    numbers = {int(token.text[1:]) for token in tokens if token.kind == "parameter"}
    if 0 in numbers or max(numbers, default=0) != parameters:
        raise BadQuery(f"The statement does not have {parameters} parameters, which were given.")


def _spelled(token: Token) -> str:
    if token.kind == "parameter":
        return f":p{int(token.text[1:])}"
    return "match" if token.word == "ilike" else token.text


def _words(text: str) -> list[Token]:
    return [Token("word", word) for word in text.split()]


def _at(tokens: list[Token], at: int) -> Token:
    return tokens[at] if at < len(tokens) else Token("end", "")


def _kind(tokens: list[Token], at: int) -> str:
    return _at(tokens, at).kind


def _text(tokens: list[Token], at: int) -> str:
    return _at(tokens, at).text


def _word(tokens: list[Token], at: int) -> str:
    return _at(tokens, at).word
