"""The template of one dataflow for one country: an XLSX with drop-downs, in the national language."""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from pipeline.framework import Codelist, Dataflow
from pipeline.model import Country, Library
from pipeline.template import ONCE_ONLY, TEXTS, VERSION, fingerprint
from pipeline.texts import said, texts
from pipeline.workbook import LISTS, MARK

ROWS = 20_000  # rows of the data sheet that have drop-downs
HEADER = 3
_DERIVED = ("UNIT_MEASURE", "UNIT_MULT", "TIME_PER_COLLECT")
_PROMPT, _PROMPT_TITLE = 255, 32  # the longest that Excel opens without complaint
_INK, _PALE, _ENTRY, _LINE = "1F3A4D", "E4EBF0", "FFFBEF", "C9D3DA"


@dataclass(frozen=True)
class Form:
    """What one template asks: columns of the data sheet and fields of the sheet about the table, in order."""

    country: Country
    flow: Dataflow
    library: Library
    words: Mapping[str, Any]
    columns: Mapping[str, str]  # component → heading
    fields: Mapping[str, str]  # field → label
    prefilled: Mapping[str, str]  # field → text
    lists: Mapping[str, tuple[str, ...]]  # component or field → entries

    @property
    def language(self) -> str:
        return self.country.language


def form(country: Country, flow: Dataflow, library: Library) -> Form:
    """What the template of a dataflow asks of a country, and the lists it offers."""
    words = texts("template", country.language)
    structure, language = flow.structure, country.language
    asked = _asked(flow, library)
    columns = {c: said(structure.components[c].concept.name, language) for c in _columns(flow, asked)}
    is_asked = {*structure.key, "OBS_VALUE", *asked}
    columns = {c: f"{name} *" if c in is_asked else name for c, name in columns.items()}
    once = [c for c in (*ONCE_ONLY, *structure.key, *asked, "OBS_STATUS", "REF_DATE") if c in structure.components]
    fields = {each: words[each] for each in ("provider", "licence", "url")}
    for text in TEXTS:
        fields |= {
            f"{text}.{lang}": words[text].format(language=words[lang]) for lang in dict.fromkeys((language, "en"))
        }
    for component in dict.fromkeys(once):
        name = said(structure.components[component].concept.name, language)
        is_needed = component in structure.key and component in ONCE_ONLY
        fields[component] = f"{name} *" if component in ONCE_ONLY and is_needed else name
        if component not in ONCE_ONLY:
            fields[component] = words["once"].format(name=name)
    lists = {c: tuple(choices(c, country, flow, library).values()) for c in dict.fromkeys((*columns, *once))}
    known = {**country.providers, **library.providers}
    lists["provider"] = tuple(f"{said(each.name, language)} [{each.id}]" for each in known.values())
    lists["licence"] = tuple(f"{each.name} [{each.id}]" for each in library.licences.values())
    prefilled = {f"title.{lang}": said(flow.name, lang) for lang in (language, "en")}
    prefilled |= {c: lists[c][0] for c in once if len(lists[c]) == 1}
    return Form(country, flow, library, words, columns, fields, prefilled, {k: v for k, v in lists.items() if v})


def choices(component: str, country: Country, flow: Dataflow, library: Library) -> dict[str, str]:
    """Code → its entry `Name [CODE]`, for the codes that the dataflow and the country may use.

    Reference areas are the country's own; the country itself stands as the reporting country among
    origins; border posts are its own.
    """
    codelist = flow.structure.components[component].codelist
    if codelist is None:
        return {}
    allowed = set(codelist.codes)
    if all(component in region for region in flow.regions):
        allowed = set().union(*(region[component] for region in flow.regions))
    names = {code.id: said(code.name, country.language) for code in codelist.codes.values()}
    if component == "REF_AREA":
        allowed &= set(codelist.descendants(country.area))
    elif codelist.id == "CL_ORIGIN":
        allowed -= {country.area}
        if component != "COUNTERPART_AREA":
            names["NAT"] = said(library.area_name(country.area), country.language)
    elif component == "BORDER_POST":
        allowed = {code for code in allowed if code.startswith((f"{country.area}_", "_"))}
    ordered = [code for code in _ordered(codelist, names) if code in allowed]
    return {code: f"{names[code]} [{code}]" for code in ordered}


def write(asked: Form) -> bytes:
    """The workbook, ready to be filled."""
    book = Workbook()
    guide, about, data, lists, hidden = (
        book.active,
        book.create_sheet(asked.words["about"]),
        book.create_sheet(asked.words["data"]),
        book.create_sheet(LISTS),
        book.create_sheet(MARK),
    )
    guide.title = asked.words["instructions"]
    names = _write_lists(book, lists, asked)
    _write_guide(guide, asked)
    _write_about(about, asked, names)
    _write_data(data, asked, names)
    lists.sheet_state = "hidden"
    hidden.sheet_state = "veryHidden"
    _write_mark(hidden, asked, fingerprint(_as_read(data), _as_read(about)))
    book.properties.creator = "Trayecto"
    book.properties.title = asked.fields and _title(asked)
    book.properties.created = book.properties.modified = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - naive by the format
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


# ---------------------------------------------------------------- what is asked


def _asked(flow: Dataflow, library: Library) -> tuple[str, ...]:
    """Units, multiplier and time of collection, where they do not follow from every measure (recode derives them)."""
    structure = flow.structure
    measures, units = library.list_of(structure.measure_dimension), library.list_of("UNIT_MEASURE")
    assert measures is not None
    assert units is not None
    codes = set(measures.codes)
    for region in flow.regions[:1]:
        codes = set(region.get(structure.measure_dimension, codes))
    notes = [measures.codes[code].notes for code in codes]
    counts = units.select("count=yes")
    is_open = {
        "UNIT_MEASURE": not all(note.get("unit") for note in notes),
        "UNIT_MULT": not all(note.get("unit") in counts for note in notes),
        "TIME_PER_COLLECT": not all(note.get("collect") for note in notes),
    }
    return tuple(component for component in _DERIVED if is_open[component])


def _columns(flow: Dataflow, asked: tuple[str, ...]) -> Iterator[str]:
    structure = flow.structure
    yield from (c for c in structure.key if c not in ONCE_ONLY)
    yield "OBS_VALUE"
    yield from asked
    yield from structure.attributes("observation")


def _ordered(codelist: Codelist, names: Mapping[str, str]) -> list[str]:
    """Codes as authored, with the countries after the rest by name, as a person looks for them."""

    def place(code: str) -> tuple[bool, str]:
        is_country = codelist.codes[code].notes.get("kind") == "country" and codelist.id == "CL_ORIGIN"
        return is_country, unicodedata.normalize("NFKD", names[code]).casefold() if is_country else ""

    return sorted(codelist.codes, key=place)


def _title(asked: Form) -> str:
    area = said(asked.library.area_name(asked.country.area), asked.language)
    return f"{said(asked.flow.name, asked.language)} · {area}"


# ---------------------------------------------------------------- the sheets


def _write_lists(book: Workbook, sheet: Any, asked: Form) -> dict[str, str]:
    """One column a list, each with a defined name; lists that are the same share one."""
    names: dict[tuple[str, ...], str] = {}
    for key, entries in asked.lists.items():
        if entries in names:
            continue
        column = len(names) + 1
        names[entries] = f"list_{key}"
        sheet.cell(1, column, key).font = Font(bold=True)
        for row, entry in enumerate(entries, start=2):
            sheet.cell(row, column, entry)
        letter = get_column_letter(column)
        place = f"'{LISTS}'!${letter}$2:${letter}${len(entries) + 1}"
        book.defined_names[f"list_{key}"] = DefinedName(f"list_{key}", attr_text=place)
    return {key: names[entries] for key, entries in asked.lists.items()}


def _write_guide(sheet: Any, asked: Form) -> None:
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width = 110
    _head(sheet, _title(asked), said(asked.flow.description, asked.language))
    sheet["A2"].alignment = Alignment(wrap_text=True, vertical="top")
    sheet.row_dimensions[2].height = 62
    for row, line in enumerate(asked.words["lines"], start=4):
        filled = line.format(
            about=asked.words["about"], data=asked.words["data"], area=asked.country.area, flow=asked.flow.id
        )
        sheet.cell(row, 1, filled).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 32


def _write_about(sheet: Any, asked: Form, names: Mapping[str, str]) -> None:
    sheet.sheet_view.showGridLines = False
    for letter, width in (("A", 50), ("B", 70), ("C", 70)):
        sheet.column_dimensions[letter].width = width
    _head(sheet, _title(asked), "")
    row, section = 2, ""
    for key, label in asked.fields.items():
        is_component = key in asked.flow.structure.components
        if (heading := asked.words["section_once" if is_component else "section_source"]) != section:
            section, row = heading, row + 2
            sheet.cell(row - 1, 1, heading).font = Font(bold=True, color=_INK, size=12)
        sheet.cell(row, 1, label).alignment = Alignment(wrap_text=True, vertical="top")
        answer = sheet.cell(row, 2, asked.prefilled.get(key))
        answer.fill, answer.number_format = PatternFill("solid", fgColor=_ENTRY), "@"
        answer.border = Border(bottom=Side("thin", color=_LINE))
        answer.alignment = Alignment(wrap_text=True, vertical="top")
        if is_component and key not in ONCE_ONLY:
            sheet.cell(row, 3, asked.words["once_help"]).font = Font(italic=True, color="6B7780")
        if key in names or is_component:
            checked = _validation(asked, key, names, is_strict=True)
            sheet.add_data_validation(checked)
            checked.add(f"B{row}")
        row += 1
    sheet.freeze_panes = "A2"


def _write_data(sheet: Any, asked: Form, names: Mapping[str, str]) -> None:
    _head(sheet, _title(asked), asked.words["hint"])
    for number, (component, heading) in enumerate(asked.columns.items(), start=1):
        is_needed, letter = heading.endswith("*"), get_column_letter(number)
        cell = sheet.cell(HEADER, number, heading)
        cell.font = Font(bold=True, color="FFFFFF" if is_needed else _INK)
        cell.fill = PatternFill("solid", fgColor=_INK if is_needed else _PALE)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        cell.border = Border(right=Side("thin", color="FFFFFF" if is_needed else _LINE))
        column = sheet.column_dimensions[letter]
        column.width = 16 if component not in names else min(34, 4 + max(map(len, asked.lists[component])))
        kind = asked.flow.structure.components[component].concept.representation
        # Text is said to be text, or a spreadsheet would turn 2024-01 into a date.
        column.number_format = "General" if kind in ("Double", "Integer") else "@"
        checked = _validation(asked, component, names, is_strict=False)
        sheet.add_data_validation(checked)
        checked.add(f"{letter}{HEADER + 1}:{letter}{HEADER + ROWS}")
    sheet.row_dimensions[HEADER].height = 46
    sheet.freeze_panes = f"A{HEADER + 1}"
    sheet.sheet_properties.tabColor = _INK


def _write_mark(sheet: Any, asked: Form, checksum: str) -> None:
    facts = {
        "version": VERSION,
        "area": asked.country.area,
        "flow": asked.flow.id,
        "data": asked.words["data"],
        "about": asked.words["about"],
        "fingerprint": checksum,
    }
    for kind, entries in (("template", facts), ("column", asked.columns), ("field", asked.fields)):
        for name, text in entries.items():
            sheet.append([kind, name, text])


def _validation(asked: Form, key: str, names: Mapping[str, str], *, is_strict: bool) -> DataValidation:
    """The drop-down of a cell and the note that shows beside it."""
    concept = asked.library.concepts.get(key)
    checked = DataValidation(
        type="list" if key in names else None,
        formula1=names.get(key),
        allow_blank=True,
        errorStyle="stop" if is_strict else "warning",  # a code alone is as good as an entry of the list
        error=asked.words["error"],
        errorTitle=asked.words["error_title"],
    )
    checked.showErrorMessage = key in names
    if concept is not None:
        note = asked.words.get(f"blank_{key}", asked.words["period_help"] if key == "TIME_PERIOD" else "")
        checked.promptTitle = said(concept.name, asked.language)[:_PROMPT_TITLE]
        checked.prompt = f"{said(concept.definition, asked.language)} {note}".strip()[:_PROMPT]
        checked.showInputMessage = True
    return checked


def _head(sheet: Any, title: str, line: str) -> None:
    sheet["A1"] = title
    sheet["A1"].font = Font(bold=True, size=14, color=_INK)
    sheet.row_dimensions[1].height = 26
    sheet["A2"] = line or None
    sheet["A2"].font = Font(italic=True, color="6B7780")


def _as_read(sheet: Any) -> pd.DataFrame:
    """The cells of a sheet as `read` will give them."""
    rows = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    return pd.DataFrame(rows, index=range(1, len(rows) + 1), columns=range(1, len(rows[0]) + 1), dtype=object)
