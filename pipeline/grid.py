"""The parts of a raw table as its layout names them: heading rows, body rows, columns of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from openpyxl.utils import column_index_from_string, get_column_letter

from pipeline.errors import InputError
from pipeline.model import Layout, RawTable

_FIGURE = r"\s*[-−]?\d[\d.,\s]*"
_LETTERS = re.compile(r"([A-Z]{1,3}):([A-Z]{1,3})")


@dataclass(frozen=True)
class Grid:
    """`header` and `body` are rows of the sheet with their numbers; `values` the columns of figures."""

    where: str
    header: pd.DataFrame
    body: pd.DataFrame
    is_number: pd.DataFrame | None
    values: tuple[int, ...]
    headings: Mapping[int, str]

    def column_of(self, heading: str) -> int:
        """The column under a heading.

        Raises:
            InputError: no column, or more than one, has it.
        """
        return _column_of(self.where, self.header, heading)


def grid(raw: RawTable, layout: Layout) -> Grid:
    """Cut a raw table as `layout` says.

    Raises:
        InputError: the table has not the rows or columns that the layout names.
    """
    where = raw.path + (f', sheet "{raw.sheet}"' if raw.sheet else "")
    last = max(layout.header)
    if last > len(raw.cells):
        raise InputError(f"{where}: the headings should be in row {last}, but the table has {len(raw.cells)} rows.")
    cells = _unmerged(raw, last)
    header = cells.loc[list(layout.header)]
    body = cells.loc[last + 1 :]
    filled = body[(body != "").any(axis=1)]
    first_text = filled.mask(filled == "").bfill(axis=1).iloc[:, 0].fillna("") if len(filled) else pd.Series(dtype=str)
    values = _values(where, header, layout, cells.shape[1])
    if layout.stop:
        ends = first_text.index[first_text.str.strip().str.startswith(layout.stop)]
        if len(ends):
            _refuse_below(where, filled.loc[ends[0] :], values, layout.stop)
            filled = filled.loc[: ends[0] - 1]
    if filled.empty:
        raise InputError(f"{where}: there are no rows below the headings in row {last}.")
    if raw.is_number is None:
        _refuse_beyond(where, header, filled)
    return Grid(
        where,
        header,
        filled,
        raw.is_number.loc[filled.index] if raw.is_number is not None else None,
        values,
        _headings(header),
    )


def _refuse_below(where: str, below: pd.DataFrame, values: tuple[int, ...], stop: str) -> None:
    """Figures below the end of the table may be the table itself: a label can begin as its last line does."""
    has_figures = below[list(values)].apply(lambda column: column.str.fullmatch(_FIGURE)).any(axis=1)
    if has_figures.any():
        row = int(str(has_figures.idxmax()))
        raise InputError(
            f'{where}: figures stand in row {row}, below the row that begins with "{stop}", where the table should '
            "end. Make `stop` longer, or take the figures out."
        )


def _refuse_beyond(where: str, header: pd.DataFrame, body: pd.DataFrame) -> None:
    """A line of a text file with more cells than headings has a separator inside a figure or a label."""
    last = max((column for column, text in _headings(header).items() if text), default=0)
    beyond = (body.loc[:, last + 1 :] != "").any(axis=1)
    if beyond.any():
        row = int(str(beyond.idxmax()))
        raise InputError(f"{where}, line {row}: more cells than there are headings. Is a separator inside a figure?")


def _unmerged(raw: RawTable, last_heading: int) -> pd.DataFrame:
    """The cells with the text of each merged range in all of its cells: a label stands for all it spans.

    A figure does not: below the headings a merged number keeps its one cell.
    """
    if not raw.merged:
        return raw.cells
    cells = raw.cells.copy()
    for first_row, first_column, last_row, last_column in raw.merged:
        if first_row in cells.index and first_column in cells.columns:
            is_number = raw.is_number is not None and bool(raw.is_number.loc[first_row, first_column])
            if is_number and first_row > last_heading:
                continue
            block = slice(first_row - 1, last_row), slice(first_column - 1, last_column)
            cells.iloc[block] = str(cells.loc[first_row, first_column])
    return cells


def _headings(header: pd.DataFrame) -> dict[int, str]:
    """Column → its heading, from the lowest heading row that has one."""
    texts = header.map(str.strip)
    return {int(c): next((t for t in reversed(texts[c].to_list()) if t), "") for c in texts.columns}


def _column_of(where: str, header: pd.DataFrame, heading: str) -> int:
    found = [column for column, text in _headings(header).items() if text == heading]
    if len(found) == 1:
        return found[0]
    if not found:
        shown = ", ".join(f'"{text}"' for text in dict.fromkeys(_headings(header).values()) if text)
        raise InputError(
            f'{where}: no column is headed "{heading}"; headings are {shown}. Has the table changed its form?'
        )
    letters = ", ".join(get_column_letter(column) for column in found)
    raise InputError(f'{where}: columns {letters} are all headed "{heading}".')


def _values(where: str, header: pd.DataFrame, layout: Layout, width: int) -> tuple[int, ...]:
    if not isinstance(layout.values, str):
        return tuple(_column_of(where, header, heading) for heading in layout.values)
    columns: list[int] = []
    for part in layout.values.replace(" ", "").split(","):
        match = _LETTERS.fullmatch(part if ":" in part else f"{part}:{part}")
        if match is None:
            raise InputError(f'{where}: `values` is "{layout.values}"; write column letters such as "B:Y".')
        columns += range(column_index_from_string(match[1]), column_index_from_string(match[2]) + 1)
    if max(columns) > width:
        raise InputError(
            f"{where}: figures should reach column {get_column_letter(max(columns))}, but the table ends at column "
            f"{get_column_letter(width)}. Has the table changed its form?"
        )
    return tuple(columns)
