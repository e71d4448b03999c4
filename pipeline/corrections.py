"""Corrections of source cells, as a country writes them down: applied between reading and recoding.

A correction holds as long as the source has the error. Once the cell says anything else it fails
(ING-05), so that a correction cannot outlive the fault it was written for. One whose file or sheet is a
pattern (`*`) must find the error in every table that it fits. One that was applied is
told (ING-06) with its reason. No message has the text of a cell: it may be a figure to be withheld.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from openpyxl.utils.cell import coordinate_to_tuple

from pipeline.framework import Correction
from pipeline.model import Issue, RawTable

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
        wrong = [number for number in places if _text(tables[number], each) != each.expected]
        fits = bool(places) and not wrong
        for number in places if fits else ():
            found[number] = _corrected(found[number], each)
        issues += [
            Issue(
                code="ING-06" if fits else "ING-05",
                severity="I" if fits else "E",
                area=area,
                flow=flow,
                found="",
                expected=each.reason,
                file=file,
                sheet=sheet,
                cells=(each.cell,),
            )
            for file, sheet in [(tables[number].path, tables[number].sheet) for number in (places if fits else wrong)]
            or [(f"{area}/{each.file}", each.sheet)]
        ]
    return found, tuple(issues)


def _is_of(correction: Correction, raw: RawTable, tables: Sequence[RawTable]) -> bool:
    """Whether a table is one that a correction names, or that its patterns fit; a file that is tried alone may
    have any name.
    """
    is_alone = len({each.path for each in tables}) == 1
    return fnmatchcase(raw.sheet, correction.sheet) and (
        is_alone or fnmatchcase(raw.path.partition("/")[2], correction.file)
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
