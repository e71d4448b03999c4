"""The table as a workbook for people: codes with their names, a frozen heading, and a sheet that explains.

What is the same in all rows stands once, on the sheet of notes. Cells are written as text or number and
never as formula, whatever sign they begin with.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from pipeline.formats import Format
from pipeline.formats.columns import headings
from pipeline.framework import LANGUAGES, Component
from pipeline.model import Description, Library, Protected
from pipeline.texts import said, texts

_ROWS = 2**20 - 1  # of a sheet, beside its heading
_NUMBERS = ("Double", "Integer")
_WIDEST = 48


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations in the language of the country's tables; a withheld one has its status and no value.

    A table with more rows than a sheet can hold goes on on the next sheet.
    """
    country = library.countries.get(protected.area)
    language = country.language if country is not None else "en"
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"constant_memory": True, "in_memory": True, "strings_to_formulas": False})
    # Not the clock of the machine: equal figures, equal bytes.
    book.set_properties({"title": said(description.title, language), "created": _moment(description)})
    head = book.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#0A5A6B", "color": "#FFFFFF"}
    )
    quiet = book.add_format({"text_wrap": True, "valign": "top"})
    strong = book.add_format({"bold": True, "valign": "top"})
    shown, constant = _parts(protected)
    words = texts("workbook", language)
    for start in range(0, max(1, len(protected.frame)), _ROWS):
        name = words["data"] if start == 0 else f"{words['data']} {start // _ROWS + 1}"
        sheet = book.add_worksheet(name)
        columns = list(_columns(protected, shown, language, start))
        for place, (title, values) in enumerate(columns):
            sheet.set_column(place, place, min(_WIDEST, 4 + max(map(len, map(str, (title, *values[:200]))))))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(columns[0][1])), len(columns) - 1)
        _rows(sheet, columns, head)
    sheet = book.add_worksheet(words["notes"])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    for row, (label, text) in enumerate(_notes(protected, description, constant, library, language)):
        sheet.write_string(row, 0, label, strong)
        sheet.write_string(row, 1, text, quiet)
    book.close()
    file.write(content.getvalue())


def _moment(description: Description) -> dt.datetime:
    return dt.datetime.fromisoformat(description.last_update)


def _parts(protected: Protected) -> tuple[list[str], dict[str, str]]:
    """Columns that differ from row to row, and the one text of each of the others."""
    shown, constant = [], {}
    for name in headings(protected):
        distinct = protected.frame[name].unique()
        if name in ("TIME_PERIOD", "OBS_VALUE", "OBS_STATUS") or len(distinct) > 1:
            shown.append(name)
        elif len(distinct) and str(distinct[0]):
            constant[name] = str(distinct[0])
    return shown, constant


def _columns(
    protected: Protected, shown: Sequence[str], language: str, start: int
) -> Iterator[tuple[str, Sequence[str | float]]]:
    """(Heading, cells) of each column; a coded one is followed by its names."""
    frame = protected.frame.iloc[start : start + _ROWS]
    for name in shown:
        component = protected.flow.structure.components[name]
        if name == "OBS_VALUE" or component.concept.representation in _NUMBERS:
            numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
            yield name, ["" if np.isnan(value) else value for value in numbers.tolist()]
            continue
        codes = frame[name].astype(str).tolist()
        yield name, codes
        if component.codelist is not None:
            names = {code: _name(component, code, language) for code in set(codes)}
            yield said(component.concept.name, language), [names[code] for code in codes]


def _name(component: Component, code: str, language: str) -> str:
    return said(component.codelist.codes[code].name, language) if component.codelist is not None and code else ""


def _rows(sheet: Worksheet, columns: Sequence[tuple[str, Sequence[str | float]]], head: object) -> None:
    for place, (title, _) in enumerate(columns):
        sheet.write_string(0, place, title, head)
    for row, values in enumerate(zip(*(values for _, values in columns), strict=True), 1):
        for place, value in enumerate(values):
            if isinstance(value, str):
                if value:
                    sheet.write_string(row, place, value)
            else:
                sheet.write_number(row, place, value)


def _notes(
    protected: Protected, description: Description, constant: dict[str, str], library: Library, language: str
) -> Iterator[tuple[str, str]]:
    """What stands beside the figures: title, what all rows share, what each status means, source and licence."""
    words = texts("workbook", language)
    for other in (language, *(each for each in LANGUAGES if each != language)):
        yield texts("workbook", other)["title"], said(description.title, other)
    yield words["release"], description.vintage
    yield words["licence"], "; ".join(f"{each.name} ({each.url})" for each in description.licences)
    for source in description.sources:
        yield words["source"], " · ".join(filter(None, (source["title"], source["path"])))
    yield "", ""
    yield words["same"], ""
    for name, text in constant.items():
        component = protected.flow.structure.components[name]
        full = f"{_name(component, text, language)} ({text})" if component.codelist is not None else text
        yield said(component.concept.name, language), full
    yield "", ""
    yield words["status"], ""
    status = protected.flow.structure.components["OBS_STATUS"]
    for code in sorted(set(protected.frame["OBS_STATUS"].astype(str)) - {""}):
        yield code, _name(status, code, language)
    yield "", ""
    yield words["withheld"], said(protected.flow.protection.reason, language)


FORMAT = Format(
    id="xlsx",
    folder="files",
    file="data.xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    label={"en": "Workbook (XLSX)", "es": "Libro de cálculo (XLSX)", "pt": "Pasta de trabalho (XLSX)"},
    write=write,
)
