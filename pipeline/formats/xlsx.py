"""The table as a workbook for people: codes with their names, a frozen heading, and a sheet that explains.

What is the same in all rows stands once, on the sheet of notes. Cells are written as text or number and
never as formula, whatever sign they begin with. XlsxWriter makes the workbook with the headings; the rows below them
are joined by whole columns, for it writes cell by cell, which takes longer than all other formats together.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import xlsxwriter

from pipeline.formats import Format
from pipeline.formats.columns import Column, chunks, headings, rendered, repeated, said_once
from pipeline.formats.ml import escaped
from pipeline.framework import LANGUAGES, Component
from pipeline.model import Description, Library, Protected
from pipeline.texts import said, texts

_ROWS = 2**20 - 1  # of a sheet, beside its heading
_WIDEST = 48
_MEASURED = 200  # rows whose texts say how wide a column is
_LONGEST = 32_767  # characters of a cell
_EMPTY = "<c/>"
_EXTENT = re.compile(rb'(?<=<dimension ref=")(A1:[A-Z]+)1(?=")')
_SHEET, _END = "xl/worksheets/sheet{}.xml", b"</sheetData>"


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
    columns = {name: _columns(protected.flow.structure.components[name], language) for name in shown}
    words = texts("workbook", language)
    frames = [protected.frame.iloc[start : start + _ROWS] for start in range(0, max(1, len(protected.frame)), _ROWS)]
    for number, frame in enumerate(frames, 1):
        sheet = book.add_worksheet(words["data"] if number == 1 else f"{words['data']} {number}")
        heads = [(title, frame[name], say) for name, own in columns.items() for title, say in own]
        for place, (title, values, say) in enumerate(heads):
            longest = max(len(title), *(len(say(str(value))) for value in values.head(_MEASURED).unique()), 0)
            sheet.set_column(place, place, min(_WIDEST, 4 + longest))
            sheet.write_string(0, place, title, head)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(frame)), len(heads) - 1)
    sheet = book.add_worksheet(words["notes"])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    for row, (label, text) in enumerate(_notes(protected, description, constant, library, language)):
        sheet.write_string(row, 0, label, strong)
        sheet.write_string(row, 1, text, quiet)
    book.close()
    below = {
        _SHEET.format(number): (len(each), _cells(protected, each, columns)) for number, each in enumerate(frames, 1)
    }
    with tempfile.TemporaryFile() as filled:
        _fill(content, below, filled)
        filled.seek(0)
        shutil.copyfileobj(filled, file)


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


def _columns(component: Component, language: str) -> list[tuple[str, Callable[[str], str]]]:
    """(Heading, what it shows of a code) of the columns of a component; a coded one is followed by its names."""
    own: list[tuple[str, Callable[[str], str]]] = [(component.id, str)]
    if component.codelist is None:
        return own
    return [*own, (said(component.concept.name, language), partial(_name, component, language=language))]


def _name(component: Component, code: str, language: str) -> str:
    return said(component.codelist.codes[code].name, language) if component.codelist is not None and code else ""


def _cells(
    protected: Protected, frame: pd.DataFrame, columns: Mapping[str, list[tuple[str, Callable[[str], str]]]]
) -> Iterator[pa.Buffer]:
    """The rows of a sheet as SpreadsheetML, some at a time. Cells stand one after another and need no address."""
    found: list[Column] = [repeated("<row>", len(frame))]
    for name, own in columns.items():
        if protected.flow.structure.components[name].is_number:
            numbers = pd.to_numeric(frame[name], errors="coerce").astype(float)
            found.append(rendered(numbers, lambda text: f"<c><v>{text}</v></c>" if text else _EMPTY))
        else:
            shows = [show for _, show in own]
            found.append(said_once(frame[name], partial(_coded, shows=shows)))
    return chunks(found, "", "</row>")


def _coded(code: str, shows: Sequence[Callable[[str], str]]) -> str:
    return "".join(_cell(show(code)) for show in shows)


def _cell(text: str) -> str:
    if not text:
        return _EMPTY
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f'<c t="inlineStr"><is><t{space}>{escaped(text[:_LONGEST])}</t></is></c>'


def _fill(book: BinaryIO, below: Mapping[str, tuple[int, Iterator[pa.Buffer]]], file: BinaryIO) -> None:
    """Copy the workbook to a file, with so many rows below the headings of sheets by their names in the archive."""
    with zipfile.ZipFile(book) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as filled:
        for entry in made.infolist():
            content = made.read(entry)
            with filled.open(entry, "w", force_zip64=entry.filename in below) as member:
                if entry.filename in below:
                    count, rows = below[entry.filename]
                    before, end, after = content.partition(_END)
                    member.write(_EXTENT.sub(rb"\g<1>%d" % (1 + count), before))
                    for some in rows:
                        member.write(some)
                    content = end + after
                member.write(content)


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
    for code in sorted(set(protected.frame["OBS_STATUS"].unique()) - {""}):
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
