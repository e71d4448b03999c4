"""PC-Axis files (.px) → rows of text, one a figure, with a heading row: the variables, then `DATA`.

The format is Statistics Sweden's (PX file format, version 2013): `KEYWORD("variable")="value","value";`. Variables of
`STUB` change slowest, those of `HEADING` fastest, in the order they are named.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence

from pipeline.errors import InputError

FIGURE = "DATA"  # the heading of the column of figures
_STATEMENT = re.compile(
    r'\s*(?P<keyword>[A-Z][A-Z0-9-]*)(?:\[[^\]]*\])?(?:\((?P<of>"[^"]*")[^)]*\))?\s*=\s*'
    r'(?P<values>(?:"[^"]*"|[^";])*);'
)
_QUOTED = re.compile(r'"([^"]*)"')
_DATUM = re.compile(r'"[^"]*"|[^\s,;"]+')
_ENCODINGS = {"ANSI": "cp1252", "UNICODE": "utf-8"}
_LIMIT = 20_000_000  # figures


def rows(where: str, content: bytes) -> list[list[str]]:
    """The table of a PX file as rows of text: a heading row, then one row a figure in the order of the file.

    Raises:
        InputError: a keyword that the format asks for is absent, or there are more or fewer figures than cells.
    """
    text = content.decode(_encoding(content), "replace")
    said = _statements(text)
    names = [*said.get("STUB", ()), *said.get("HEADING", ())]
    if not names or FIGURE not in text:
        raise InputError(
            "{where}: not a PX file: it has no STUB, HEADING or DATA. Ask for it to be exported again.", where=where
        )
    values = [said.get(f"VALUES {name}", ()) for name in names]
    size = math.prod(map(len, values))
    data = [each.strip('"') for each in _DATUM.findall(text.rpartition(f"{FIGURE}=")[2])]
    if size != len(data) or size > _LIMIT:
        raise InputError(
            "{where}: the variables make {size:,} cells, but DATA has {given:,} figures. Export the file again.",
            where=where,
            size=size,
            given=len(data),
        )
    keys = itertools.product(*values)
    return [[*names, FIGURE], *([*key, datum] for key, datum in zip(keys, data, strict=True))]


def _encoding(content: bytes) -> str:
    """CODEPAGE, or CHARSET, of the head of the file; Windows Latin-1 where neither is said."""
    head = content[:2000].decode("ascii", "ignore")
    page, charset = re.search(r'CODEPAGE="([^"]+)"', head), re.search(r'CHARSET="([^"]+)"', head)
    named = page[1] if page else _ENCODINGS.get(charset[1].upper(), "cp1252") if charset else "cp1252"
    try:
        "".encode(named)
    except LookupError:
        return "cp1252"
    return "utf-8-sig" if named.lower() in ("utf-8", "utf8") else named


def _statements(text: str) -> Mapping[str, Sequence[str]]:
    """Keyword, with its variable where it has one → its quoted values. The first language of a file counts."""
    said: dict[str, Sequence[str]] = {}
    for match in _STATEMENT.finditer(text.partition(f"{FIGURE}=")[0]):
        of = f" {match['of'].strip(chr(34))}" if match["of"] else ""
        said.setdefault(f"{match['keyword']}{of}", _QUOTED.findall(match["values"]))
    return said
