"""A few rows of a table, to be looked at: of its latest period, with some that have no figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.catalogue import periods
from pipeline.catalogue.figures import Point, point
from pipeline.model import LINEAGE, Protected

_ROWS = 30
_ROWS_WITHOUT_FIGURE = 4
_SILENT = ("_Z", "")


@dataclass(frozen=True)
class Row:
    """The codes of the columns that vary, the figure, and the cell it came from: table and address."""

    codes: tuple[str, ...]
    point: Point
    place: str


@dataclass(frozen=True)
class Sample:
    """`constant` holds the dimensions with one code in all rows."""

    columns: tuple[str, ...]
    constant: Mapping[str, str]
    rows: tuple[Row, ...]


def sample(data: Protected) -> Sample:
    """Rows in the order of the table."""
    dimensions = data.flow.structure.dimensions
    wanted = [*dimensions, "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", *LINEAGE]
    latest = periods.latest(str(each) for each in data.frame["TIME_PERIOD"].unique())
    frame = data.frame.loc[(data.frame["TIME_PERIOD"] == latest).to_numpy(), wanted]
    without = frame.index[frame["OBS_VALUE"].isna()][:_ROWS_WITHOUT_FIGURE]
    frame = frame.loc[frame.index[: _ROWS - len(without)].union(without)]
    columns = tuple(each for each in dimensions if frame[each].nunique() > 1)
    rows = [
        Row(
            codes=tuple(str(row[each]) for each in columns),
            point=point(str(row["TIME_PERIOD"]), row["OBS_VALUE"], str(row["OBS_STATUS"])),
            place=f"{int(row['table']) + 1} · {column_letters(int(row['column']))}{int(row['row'])}",
        )
        for row in frame.to_dict("records")
    ]
    constant = {each: str(frame[each].iloc[0]) for each in dimensions if each not in columns and len(frame)}
    return Sample(columns, {each: code for each, code in constant.items() if code not in _SILENT}, tuple(rows))


def column_letters(number: int) -> str:
    """1 → A, 27 → AA, as a spreadsheet names its columns."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
