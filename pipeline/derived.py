"""Columns that a table has not as such: words of its headings, of its file name, of a title, of the rows above.

A layout names them under `columns`, each a table of texts:

    source   a heading, `row 5` (the words above the figures), `cell B2`, `sheet` or `file`
    pattern  a regular expression; its first group is the label, or all that it finds. Without a match: blank
    fill     `down`: a blank takes the label above it
    by       what makes a row the parent of those below it: `indent`, `bold`, `block` (it has no figures) or
             `order` (its label matches `parents`). The label is then the whole path, `Santiago > Moca`
    level    with `by`: only the part of the path at this depth, from 1
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from openpyxl.utils import column_index_from_string

from pipeline.errors import InputError
from pipeline.model import Layout, RawTable

KEYS = ("source", "pattern", "fill", "by", "parents", "level")
WAYS = ("indent", "bold", "block", "order")
_OUTSIDE = ("file", "sheet")
_PATH = " > "
_ROW = re.compile(r"row (\d+)")
_CELL = re.compile(r"cell ([A-Z]{1,3})(\d+)")


@dataclass(frozen=True)
class Derived:
    """Labels: one for each row (`axis` is "column", `place` that column), for each column ("row"), or one for all."""

    axis: str
    place: int
    texts: pd.Series[str] | str


def is_heading(source: str) -> bool:
    """Whether a source is the heading of a column, and none of the other places that a source can name."""
    return source not in _OUTSIDE and not _ROW.fullmatch(source) and not _CELL.fullmatch(source)


def derived(
    spec: Mapping[str, str],
    layout: Layout,
    raw: RawTable,
    body: pd.DataFrame,
    header: pd.DataFrame,
    *,
    column: int,
    values: tuple[int, ...],
) -> Derived:
    """One column of `layout.columns`; `column` is the one that its source heads, or 0.

    Raises:
        InputError: the cell or heading row that it names is not in the table.
    """
    source = spec["source"]
    if row := _ROW.fullmatch(source):
        if int(row[1]) not in header.index:
            raise InputError(
                "{where}: row {row} is none of the heading rows of the layout.", where=raw.path, row=row[1]
            )
        return Derived("row", int(row[1]), _cut(header.T[int(row[1])], spec))
    if not is_heading(source):
        found = _cut(pd.Series([_outside(source, raw)], dtype=object), spec).iloc[0]
        if not found:
            raise InputError(
                '{where}: "{pattern}" finds nothing in {source}. Correct the layout.',
                where=raw.path,
                pattern=spec.get("pattern", ""),
                source=source,
            )
        return Derived("", 0, found)
    texts = body[column]
    if "by" in spec:
        return Derived("column", column, _path(texts, spec, raw, body[list(values)], column=column))
    texts = _cut(texts, spec)
    if spec.get("fill") == "down":
        texts = texts.where(texts != "", None).ffill().fillna("")
    return Derived("column", column, texts)


def _outside(source: str, raw: RawTable) -> str:
    if source in _OUTSIDE:
        return raw.path.rpartition("/")[2] if source == "file" else raw.sheet
    match = _CELL.fullmatch(source)
    assert match is not None
    row, column = int(match[2]), column_index_from_string(match[1])
    return str(raw.cells.loc[row, column]) if row in raw.cells.index and column in raw.cells.columns else ""


def _cut(texts: pd.Series[str], spec: Mapping[str, str]) -> pd.Series[str]:
    """What the pattern finds in each text, or the text itself."""
    texts = texts.str.strip()
    if "pattern" not in spec:
        return texts
    pattern = re.compile(spec["pattern"])
    found = {text: match[(match.lastindex and 1) or 0] for text in texts.unique() if (match := pattern.search(text))}
    return texts.map(found).astype(object).fillna("").str.strip()


def _path(
    texts: pd.Series[str], spec: Mapping[str, str], raw: RawTable, figures: pd.DataFrame, *, column: int
) -> pd.Series[str]:
    """The label of each row with those of its parents before it."""
    labels = _cut(texts, spec)
    depth = _depth(texts, labels, spec, raw, figures, column=column)
    levels = {}
    for level in sorted(depth.unique()):
        within = (depth < level).cumsum()
        levels[level] = labels.where(depth == level).groupby(within).ffill().where(depth >= level)
    parts = pd.DataFrame(levels)
    if "level" in spec:
        wanted = int(spec["level"])
        return parts.iloc[:, wanted - 1].fillna("") if wanted <= parts.shape[1] else pd.Series("", index=texts.index)
    path = pd.Series("", index=texts.index)
    for level in parts:
        part = parts[level].fillna("")
        path = path.where(part == "", (path + _PATH + part).str.removeprefix(_PATH))
    return path


def _depth(
    texts: pd.Series[str],
    labels: pd.Series[str],
    spec: Mapping[str, str],
    raw: RawTable,
    figures: pd.DataFrame,
    *,
    column: int,
) -> pd.Series[float]:
    rows = texts.index
    match spec["by"]:
        case "indent":
            spaces = texts.str.len() - texts.str.lstrip().str.len()
            styled = np.array([raw.styles.get((int(row), column), (0, False))[0] for row in rows])
            return spaces + styled
        case "bold":
            is_parent = np.array([raw.styles.get((int(row), column), (0, False))[1] for row in rows])
        case "block":
            is_parent = (figures == "").all(axis=1).to_numpy()
        case _:
            is_parent = labels.str.fullmatch(spec.get("parents", "")).to_numpy(dtype=bool)
    return pd.Series(np.where(is_parent, 0, 1), index=rows)
