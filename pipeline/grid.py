"""The parts of a raw table as its layout names them: heading rows, body rows, columns of figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pandas as pd
from openpyxl.utils import column_index_from_string, get_column_letter

from pipeline import persons
from pipeline.derived import Derived, derived, is_heading
from pipeline.errors import InputError, Told, in_sheet
from pipeline.labels import parts
from pipeline.model import Layout, RawTable

_FIGURE = r"\s*[-−]?\d[\d.,\s]*"
_LETTERS = re.compile(r"([A-Z]{1,3}):([A-Z]{1,3})")
_YEAR = re.compile(r"(?:1[89]|2[01])\d\d")


@dataclass(frozen=True)
class Grid:
    """`header` and `body` are rows of the sheet with their numbers; `values` the columns of figures.

    `derived` are the columns that the layout makes of others. `ignored` counts the figures in columns that
    are left out, by reason; `unknown` those in columns that the layout does not speak of, by heading.
    """

    where: Told
    header: pd.DataFrame
    body: pd.DataFrame
    is_number: pd.DataFrame | None
    values: tuple[int, ...]
    headings: Mapping[int, str]
    footnote: str = ""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)

    def labels(self, part: str, frame: pd.DataFrame, *, is_row: bool) -> pd.Series[str]:
        """The label of each figure of `frame` under a heading, in a heading row, or in a derived column."""
        made = self.derived.get(part)
        if made is not None and isinstance(made.texts, str):
            return pd.Series(made.texts, index=frame.index)
        if made is not None:
            texts = cast("pd.Series[str]", made.texts)
            by = "row" if made.axis == "column" else "column"
            return frame[by].map(_bare(texts, self.footnote)).fillna("")
        if is_row:
            return frame["column"].map(_bare(self.header.T[int(part)], self.footnote)).fillna("")
        return frame["row"].map(_bare(self.body[self.column_of(part)], self.footnote)).fillna("")

    def place(self, part: str, *, is_row: bool) -> tuple[str, int] | None:
        """("column", n) or ("row", n) of the labels; None when they stand outside the table."""
        if part in self.derived:
            made = self.derived[part]
            return (made.axis, made.place) if made.axis else None
        return ("row", int(part)) if is_row else ("column", self.column_of(part))

    def column_of(self, heading: str) -> int:
        """The column under a heading.

        Raises:
            InputError: no column, or more than one, has it.
        """
        return _column_of(self.where, self.headings, heading)


def grid(raw: RawTable, layout: Layout) -> Grid:
    """Cut a raw table as `layout` says.

    Raises:
        InputError: the table has not the rows or columns that the layout names.
    """
    where = in_sheet(raw.path, raw.sheet)
    last = max(layout.header)
    if last > len(raw.cells):
        raise InputError(
            "{where}: the headings should be in row {last}, but the table has {rows} rows.",
            where=where,
            last=last,
            rows=len(raw.cells),
        )
    cells = _unmerged(raw, last)
    header = cells.loc[list(layout.header)]
    body = cells.loc[last + 1 :]
    filled = body[(body != "").any(axis=1) & ~_is_heading_again(body, header)]
    first_text = filled.mask(filled == "").bfill(axis=1).iloc[:, 0].fillna("") if len(filled) else pd.Series(dtype=str)
    headings = _headings(header, layout.footnote)
    values = _values(where, headings, layout, cells.shape[1])
    if layout.stop:
        ends = first_text.index[first_text.str.strip().str.startswith(layout.stop)]
        if len(ends):
            _refuse_below(where, filled.loc[ends[0] :], values, layout.stop)
            filled = filled.loc[: ends[0] - 1]
    if filled.empty:
        raise InputError("{where}: there are no rows below the headings in row {last}.", where=where, last=last)
    persons.refuse(where, headings, filled)
    if raw.is_number is None:
        _refuse_ragged(where, headings, filled, raw.widths)
    is_number = raw.is_number.loc[filled.index] if raw.is_number is not None else None
    made = {
        name: derived(
            spec, layout, raw, filled, header, column=_column_or_none(where, headings, spec["source"]), values=values
        )
        for name, spec in layout.columns.items()
    }
    cut = Grid(where, header, filled, is_number, values, headings, layout.footnote, made)
    beside = dict(_beside(cut, layout))
    reasons: dict[str, int] = {}
    for heading, count in beside.items():
        if heading in layout.ignore:
            reasons[layout.ignore[heading]] = reasons.get(layout.ignore[heading], 0) + count
    unknown = {heading: count for heading, count in beside.items() if heading not in layout.ignore}
    return replace(cut, ignored=reasons, unknown=unknown)


def _beside(cut: Grid, layout: Layout) -> Iterator[tuple[str, int]]:
    """(heading or letter, figures) of each column that holds figures and is neither of the figures nor of labels."""
    used = set(cut.values)
    for component, template in (*layout.labels.items(), *layout.headings.items()):
        for part in parts(template):
            place = cut.place(part, is_row=component in layout.headings)
            used |= {place[1]} if place is not None and place[0] == "column" else set()
    used |= {cut.column_of(heading) for heading in layout.contributors.values()}
    used |= {made.place for made in cut.derived.values() if made.axis == "column"}
    for column in map(int, cut.body.columns):
        if column not in used:
            texts = cut.body[column]
            is_figure = cut.is_number[column] if cut.is_number is not None else texts.str.fullmatch(_FIGURE)
            if is_figure.any():
                yield cut.headings.get(column) or get_column_letter(column), int(is_figure.sum())


def _is_heading_again(body: pd.DataFrame, header: pd.DataFrame) -> pd.Series[bool]:
    """Rows that repeat a heading row, as stacked blocks and pages of a table do."""
    again = pd.Series(False, index=body.index)  # noqa: FBT003  # the value of a column, not a flag
    for _, heading in header.iterrows():
        said = heading[heading != ""]
        if len(said) > 1:
            again |= (body[said.index] == said).all(axis=1)
    return again


def _bare(texts: pd.Series[str], footnote: str) -> pd.Series[str]:
    """Labels without spaces around them and without the marks of footnotes."""
    texts = texts.str.strip()
    return texts.str.replace(footnote, "", regex=True).str.strip() if footnote else texts


def _column_or_none(where: Told, headings: Mapping[int, str], source: str) -> int:
    """The column that a source heads; 0 for a source that is no heading."""
    return _column_of(where, headings, source) if is_heading(source) else 0


def _refuse_below(where: Told, below: pd.DataFrame, values: tuple[int, ...], stop: str) -> None:
    """Figures below the end of the table may be the table itself: a label can begin as its last line does."""
    has_figures = below[list(values)].apply(lambda column: column.str.fullmatch(_FIGURE)).any(axis=1)
    if has_figures.any():
        row = int(str(has_figures.idxmax()))
        raise InputError(
            '{where}: figures stand in row {row}, below the row that begins with "{stop}", where the table '
            "should end. Make `stop` longer, or take the figures out.",
            where=where,
            row=row,
            stop=stop,
        )


def _refuse_ragged(where: Told, headings: Mapping[int, str], body: pd.DataFrame, widths: Sequence[int]) -> None:
    """A line with more or fewer cells than headings has a separator too many or too few: its figures have moved."""
    last = max((column for column, text in headings.items() if text), default=0)
    beyond = (body.loc[:, last + 1 :] != "").any(axis=1)
    if beyond.any():
        row = int(str(beyond.idxmax()))
        raise InputError(
            "{where}, line {row}: more cells than there are headings. Is a separator inside a figure?",
            where=where,
            row=row,
        )
    for row in map(int, body.index):
        if row <= len(widths) and 1 < widths[row - 1] < last:
            raise InputError(
                "{where}, line {row}: fewer cells than there are headings. Is a separator missing?",
                where=where,
                row=row,
            )


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


def _headings(header: pd.DataFrame, footnote: str) -> dict[int, str]:
    """Column → its heading, from the lowest heading row that has one."""
    texts = header.apply(_bare, axis=1, args=(footnote,))
    return {int(c): next((t for t in reversed(texts[c].to_list()) if t), "") for c in texts.columns}


def _column_of(where: Told, headings: Mapping[int, str], heading: str) -> int:
    found = [column for column, text in headings.items() if text == heading]
    if len(found) == 1:
        return found[0]
    if not found:
        shown = ", ".join(f'"{_without_figure(text)}"' for text in dict.fromkeys(headings.values()) if text)
        raise InputError(
            '{where}: no column is headed "{heading}"; headings are {shown}. Has the table changed its form?',
            where=where,
            heading=heading,
            shown=shown,
        )
    letters = ", ".join(get_column_letter(column) for column in found)
    raise InputError(
        '{where}: columns {letters} are all headed "{heading}".', where=where, letters=letters, heading=heading
    )


def _without_figure(heading: str) -> str:
    """A heading as a message may show it: a number that is no year may be a figure, where headings are missing."""
    is_figure = re.fullmatch(_FIGURE, heading) and not _YEAR.fullmatch(heading.strip())
    return re.sub(r"\d", "#", heading) if is_figure else heading


def _values(where: Told, headings: Mapping[int, str], layout: Layout, width: int) -> tuple[int, ...]:
    if not isinstance(layout.values, str):
        return tuple(_column_of(where, headings, heading) for heading in layout.values)
    columns: list[int] = []
    for part in layout.values.replace(" ", "").split(","):
        match = _LETTERS.fullmatch(part if ":" in part else f"{part}:{part}")
        if match is None:
            raise InputError(
                '{where}: `values` is "{values}"; write column letters such as "B:Y".',
                where=where,
                values=layout.values,
            )
        columns += range(column_index_from_string(match[1]), column_index_from_string(match[2]) + 1)
    if max(columns) > width:
        raise InputError(
            "{where}: figures should reach column {column}, but the table ends at column {end}. Has the table "
            "changed its form?",
            where=where,
            column=get_column_letter(max(columns)),
            end=get_column_letter(width),
        )
    return tuple(columns)
