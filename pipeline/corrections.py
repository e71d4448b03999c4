"""Corrections of source cells, as a country writes them down: applied between reading and recoding.

A correction holds as long as the source has the error. Once the cell says anything else it fails
(ING-05), so that a correction cannot outlive the fault it was written for. One that was applied is
told (ING-06) with its reason. No message has the text of a cell: it may be a figure to be withheld.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from openpyxl.utils.cell import coordinate_to_tuple

from pipeline.model import Correction, Issue, RawTable

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def correct(
    tables: Sequence[RawTable], corrections: Iterable[Correction], *, area: str, flow: str
) -> tuple[list[RawTable], tuple[Issue, ...]]:
    """The tables of one delivery with the corrections of its dataflow, and an issue for each of these."""
    found, issues = list(tables), []
    for each in corrections:
        if each.flow != flow:
            continue
        places = [number for number, raw in enumerate(tables) if _is_of(each, raw, tables)]
        fits = bool(places) and all(_text(tables[number], each) == each.expected for number in places)
        for number in places if fits else ():
            found[number] = _corrected(found[number], each)
        issues.append(
            Issue(
                code="ING-06" if fits else "ING-05",
                severity="I" if fits else "E",
                area=area,
                flow=flow,
                found="",
                expected=each.reason,
                file=tables[places[0]].path if places else f"{area}/{each.file}",
                sheet=each.sheet,
                cells=(each.cell,),
            )
        )
    return found, tuple(issues)


def _is_of(correction: Correction, raw: RawTable, tables: Sequence[RawTable]) -> bool:
    """Whether a table is the one that a correction names; a file that is tried alone may have any name."""
    names = {PurePath(each.path).name for each in tables}
    return raw.sheet == correction.sheet and (
        len(names) == 1 or PurePath(correction.file).name == PurePath(raw.path).name
    )


def _text(raw: RawTable, correction: Correction) -> str | None:
    """What the cell says, without blanks around it; None where the table has no such cell."""
    row, column = coordinate_to_tuple(correction.cell)
    is_inside = row in raw.cells.index and column in raw.cells.columns
    return str(raw.cells.loc[row, column]).strip() if is_inside else None


def _corrected(raw: RawTable, correction: Correction) -> RawTable:
    """The table with the new text. A number stays one if it is written as one, with a decimal point;
    a text stays text, written as the layout says.
    """
    row, column = coordinate_to_tuple(correction.cell)
    cells = raw.cells.copy()
    cells.loc[row, column] = correction.value
    if raw.is_number is None:
        return replace(raw, cells=cells)
    is_number = raw.is_number.copy()
    was_number = bool(is_number.loc[row, column])
    is_number.loc[row, column] = was_number and _NUMBER.fullmatch(correction.value) is not None
    return replace(raw, cells=cells, is_number=is_number)
