"""metadata/national/<AREA>/corrections.csv → the corrections of a country; most have none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from openpyxl.utils import column_index_from_string

from pipeline.framework import Correction
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.model import Series

_COLUMNS = ("flow", "file", "sheet", "cell", "expected", "value", "reason")
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_WIDEST, _LONGEST = column_index_from_string("XFD"), 2**20


def corrections(path: Path, series: Mapping[str, Series]) -> tuple[Correction, ...]:
    """Load the corrections, if there are any.

    Raises:
        SetupError: a row names no table of the country or no cell, has no reason, or changes nothing.
    """
    found: dict[tuple[str, str, str, str], Correction] = {}
    for row, cells in authored.rows(path, _COLUMNS) if path.exists() else ():
        each = Correction(**cells)
        _check_table(path, row, each, series)
        match = _CELL.fullmatch(each.cell)
        if match is None or column_index_from_string(match[1]) > _WIDEST or int(match[2]) > _LONGEST:
            refuse(path, row, f'"{each.cell}" is not a cell; write it as in a spreadsheet, such as C12')
        if not each.reason:
            refuse(path, row, f"{each.cell} is corrected without a reason: fill it")
        if each.expected == each.value:
            refuse(path, row, f"{each.cell} would stay as it is: expected and value are the same")
        # Reasons are published; a cell may hold a figure that is to be withheld.
        if any(text in re.findall(r"\d+(?:[.,]\d+)*", each.reason) for text in (each.expected, each.value)):
            refuse(path, row, f"the reason for {each.cell} is published: say it without the figure")
        key = (each.flow, each.file, each.sheet, each.cell)
        if key in found:
            refuse(path, row, f"{each.cell} is corrected twice")
        found[key] = each
    return tuple(found.values())


def _check_table(path: Path, row: int, each: Correction, series: Mapping[str, Series]) -> None:
    if each.flow not in series:
        refuse(path, row, f'"{each.flow}" is not a dataflow of this country; those are {", ".join(series)}')
    of_file = [layout for layout in series[each.flow].layouts if _meet(each.file, layout.file)]
    if not of_file:
        refuse(path, row, f'"{each.file}" is not a file of {each.flow}')
    if not any(_meet(each.sheet, layout.sheet) for layout in of_file):
        refuse(path, row, f'"{each.sheet}" is not a sheet of {each.file} that {each.flow} reads')


def _meet(one: str, other: str) -> bool:
    """Whether a name fits a pattern; either may be the pattern."""
    return fnmatchcase(one, other) or fnmatchcase(other, one)
