"""A workbook made by `make template`, read back: it carries its own layout, so no layout file is needed.

A hidden sheet says which version made it, for which country and dataflow, and which heading or
label stands for which component. Columns are found by heading, so their order does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pandas as pd
from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

from pipeline.errors import InputError, Told, in_sheet
from pipeline.framework import Dataflow
from pipeline.labels import fates
from pipeline.model import Country, Layout, Library, RawTable, Series
from pipeline.read import read, shown
from pipeline.workbook import MARK

VERSION = "1"
MISSING = ".."
TEXTS = ("title", "source_operation", "stat_pop")
ONCE_ONLY = ("FREQ", "SOURCE_TYPE", "RES_CRITERION", "METHOD")  # asked of the table, not of each row
_HEADER_WITHIN = 20


@dataclass(frozen=True)
class Mark:
    """What the hidden sheet says: names of the sheets, component → heading, field → label."""

    area: str
    flow: str
    data: str
    about: str
    fingerprint: str
    columns: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True)
class _Said:
    """The answer to one field of the sheet about the table, and its cell."""

    text: str
    cell: str


def is_template(path: Path) -> bool:
    """Whether a file is a workbook with the hidden sheet of a template."""
    return MARK in _sheets(path)


def completed(root: Path, series: Series, library: Library) -> Library:
    """The library with the layout of a delivery that came as a template, taken from the workbook itself.

    Raises:
        InputError: the workbook is no template, or something in it was removed or left out.
    """
    country = library.countries[series.area]
    series = country.series[series.flow]  # as the library has it now: completed, it has its layout
    if series.layouts or not series.template:
        return library
    found = layout(
        root / "data" / series.area, series.template, country, library.dataflows[series.flow], library=library
    )
    every = {**country.series, series.flow: replace(series, layouts=(found,))}
    return replace(library, countries={**library.countries, series.area: replace(country, series=every)})


def layout(folder: Path, file: str, country: Country, flow: Dataflow, *, library: Library) -> Layout:
    """The layout of a filled template `file` in `folder`.

    Raises:
        InputError: with file, sheet, cell and remedy.
    """
    where = shown(folder, file)
    marked = mark(folder, file)
    if (marked.area, marked.flow) != (country.area, flow.id):
        raise InputError(
            "{where}: this is the template of {its_flow} for {its_area}, not of {flow} for {area}. Move it to "
            "data/{its_area}/{its_flow}.xlsx.",
            where=where,
            its_flow=marked.flow,
            its_area=marked.area,
            flow=flow.id,
            area=country.area,
        )
    about = _answers(where, _sheet(folder, file, marked.about, marked), marked)
    raw = _sheet(folder, file, marked.data, marked)
    row, columns = _header(where, raw, marked)
    constants = _constants(in_sheet(where, marked.about), about, country, flow)
    body = raw.cells.loc[row + 1 :]
    filled = {c for c, column in columns.items() if (body[column].str.strip() != "").any()}
    _refuse_twice(where, marked, {c: about[c] for c in constants}, filled)
    _refuse_absent(where, marked, flow, constants.keys() | columns.keys())
    labels = {c: marked.columns[c] for c in columns if c != "OBS_VALUE" and c not in constants}
    known = {**library.providers, **country.providers}
    return Layout(
        file=file,
        provider=_chosen(where, marked, about["provider"], known),
        licence=_chosen(where, marked, about["licence"], library.licences),
        values=(marked.columns["OBS_VALUE"],),
        labels=labels,
        constants=constants,
        header=(row,),
        sheet=marked.data,
        decimal="." if country.language == "en" else ",",
        thousands="," if country.language == "en" else ".",
        missing={MISSING: "O"},
        is_template=True,
        url=about["url"].text,
        title=_text(where, marked, about, "title"),
        source_operation=_text(where, marked, about, "source_operation"),
        stat_pop=_text(where, marked, about, "stat_pop"),
    )


def mark(folder: Path, file: str) -> Mark:
    """The hidden sheet of a template.

    Raises:
        InputError: the workbook was not made by `make template`, or by another version of it.
    """
    where, flow = shown(folder, file), Path(file).stem
    path = folder / file
    if path.is_file() and MARK not in _sheets(path):
        read(folder, Layout(file, "", "", "", sheet=next(iter(_sheets(path)), "")))  # a file that is no workbook
        raise InputError(
            "{where}: this workbook is no template. Make one with `make template AREA={area} FLOW={flow}`, or "
            "say where its parts stand in metadata/national/{area}/{flow}.toml.",
            where=where,
            area=folder.name,
            flow=flow,
        )
    cells = read(folder, Layout(file, "", "", "", sheet=MARK)).cells.reindex(columns=[1, 2, 3], fill_value="")
    rows = [[str(cell) for cell in row] for row in cells.itertuples(index=False)]
    facts = {name: text for kind, name, text in rows if kind == "template"}
    if facts.get("version") != VERSION or not {"area", "flow", "data", "about"} <= facts.keys():
        raise InputError(
            '{where}, sheet "{sheet}": not a template that this version can read. Copy the rows into a new one: '
            "`make template AREA={area} FLOW={flow}`.",
            where=where,
            sheet=MARK,
            area=folder.name,
            flow=flow,
        )
    return Mark(
        facts["area"],
        facts["flow"],
        facts["data"],
        facts["about"],
        facts.get("fingerprint", ""),
        {name: text for kind, name, text in rows if kind == "column"},
        {name: text for kind, name, text in rows if kind == "field"},
    )


def fingerprint(data: pd.DataFrame, about: pd.DataFrame) -> str:
    """A checksum of what a person can fill in, to tell an untouched template from a filled one."""
    said = [[str(cell) for row in frame.itertuples() for cell in row if cell] for frame in (data, about)]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def is_untouched(path: Path) -> bool:
    """Whether nothing was written into a template since it was made."""
    if not is_template(path):
        return False
    marked = mark(path.parent, path.name)
    try:
        sheets = [_sheet(path.parent, path.name, sheet, marked).cells for sheet in (marked.data, marked.about)]
    except InputError:
        return False
    return fingerprint(*sheets) == marked.fingerprint


# ---------------------------------------------------------------- the parts


def _sheets(path: Path) -> list[str]:
    try:
        return list(CalamineWorkbook.from_path(path).sheet_names)
    except (CalamineError, OSError, ValueError):
        return []


def _sheet(folder: Path, file: str, sheet: str, marked: Mark) -> RawTable:
    if sheet not in _sheets(folder / file):
        raise InputError(
            '{where}: the sheet "{sheet}" of the template is gone. Give it its name back, or copy the rows '
            "into a new one: `make template AREA={its_area} FLOW={its_flow}`.",
            where=shown(folder, file),
            sheet=sheet,
            its_area=marked.area,
            its_flow=marked.flow,
        )
    return read(folder, Layout(file, "", "", "", sheet=sheet))


def _answers(where: str, raw: RawTable, marked: Mark) -> dict[str, _Said]:
    """Field → what was answered beside its label, wherever the row has moved to."""
    cells = raw.cells.reindex(columns=[1, 2], fill_value="")
    found = {label.strip(): int(str(row)) for row, label in cells[1].items()}
    said = {}
    for key, label in marked.fields.items():
        if label not in found:
            _broken(in_sheet(where, marked.about), Told('no cell of column A says "{label}"', label=label), marked)
        row = found[label]
        said[key] = _Said(str(cells.loc[row, 2]).strip(), f"B{row}")
    return said


def _header(where: str, raw: RawTable, marked: Mark) -> tuple[int, dict[str, int]]:
    """The row of the headings, and component → column."""
    places: dict[int, dict[str, int]] = {}
    by_heading = {heading: component for component, heading in marked.columns.items()}
    here = in_sheet(where, marked.data)
    for row in raw.cells.index[:_HEADER_WITHIN]:
        found = places.setdefault(int(row), {})
        for column, text in raw.cells.loc[row].items():
            component = by_heading.get(str(text).strip(), "")
            if component in found:
                letters = ", ".join(get_column_letter(c) for c in (found[component], int(str(column))))
                twice = Told('columns {letters} are both headed "{text}"', letters=letters, text=text)
                _broken(Told("{here}, row {row}", here=here, row=row), twice, marked)
            if component:
                found[component] = int(str(column))
    row = max(places, key=lambda each: len(places[each]), default=0)
    if "OBS_VALUE" not in places.get(row, {}):
        _broken(here, _unheaded(marked, "OBS_VALUE"), marked)
    return row, places[row]


def _constants(where: Told, about: Mapping[str, _Said], country: Country, flow: Dataflow) -> dict[str, str]:
    """Component → code, for what is said once for the whole table."""
    constants: dict[str, str] = {}
    for component, said in about.items():
        if component not in flow.structure.components or not said.text:
            continue
        codelist = flow.structure.components[component].codelist
        code = fates([said.text], component, "", country, codelist)[said.text].code
        if codelist is not None and code not in codelist.codes:
            raise InputError(
                '{where}, cell {cell}: "{text}" is not a code of {codelist}. Choose it from the list of that cell.',
                where=where,
                cell=said.cell,
                text=said.text,
                codelist=codelist.ref,
            )
        constants[component] = code
    return constants


def _refuse_twice(where: str, marked: Mark, once: Mapping[str, _Said], filled: set[str]) -> None:
    for component, said in once.items():
        if component in filled:
            raise InputError(
                '{where}, sheet "{sheet}", cell {cell}: "{text}" is said for the whole table, but the column '
                '"{column}" of the sheet "{other}" is filled too. Empty that cell, or the column.',
                where=where,
                sheet=marked.about,
                cell=said.cell,
                text=said.text,
                column=marked.columns[component],
                other=marked.data,
            )


def _refuse_absent(where: str, marked: Mark, flow: Dataflow, said: set[str]) -> None:
    for component in flow.structure.key:
        if component in said:
            continue
        if component in marked.columns:
            _broken(in_sheet(where, marked.data), _unheaded(marked, component), marked)
        raise InputError(
            '{where}, sheet "{sheet}": "{field}" is empty. Choose it from the list of that cell.',
            where=where,
            sheet=marked.about,
            field=marked.fields.get(component, component),
        )


def _chosen(where: str, marked: Mark, said: _Said, known: Mapping[str, object]) -> str:
    """The id in `Name [ID]`, or the id itself."""
    identifier = said.text.rpartition("[")[2].removesuffix("]").strip()
    if identifier not in known:
        found = Told('"{text}" is not known', text=said.text) if said.text else Told("nothing is chosen")
        raise InputError(
            '{where}, sheet "{sheet}", cell {cell}: {found}. Choose it from the list of that cell; known are {known}.',
            where=where,
            sheet=marked.about,
            cell=said.cell,
            found=found,
            known=", ".join(known),
        )
    return identifier


def _text(where: str, marked: Mark, about: Mapping[str, _Said], text: str) -> dict[str, str]:
    said = {key.rpartition(".")[2]: each for key, each in about.items() if key.startswith(f"{text}.")}
    for language, each in said.items():
        if not each.text:
            label = marked.fields[f"{text}.{language}"].rstrip(" *")
            raise InputError(
                '{where}, sheet "{sheet}", cell {cell}: "{label}" is empty. Write it there.',
                where=where,
                sheet=marked.about,
                cell=each.cell,
                label=label,
            )
    return {language: each.text for language, each in said.items()}


def _unheaded(marked: Mark, component: str) -> Told:
    return Told('no column is headed "{heading}"', heading=marked.columns[component])


def _broken(here: Told, fault: Told, marked: Mark) -> NoReturn:
    raise InputError(
        "{here}: {fault}. Write it as it was, or copy the rows into a new template: `make template "
        "AREA={its_area} FLOW={its_flow}`.",
        here=here,
        fault=fault,
        its_area=marked.area,
        its_flow=marked.flow,
    )
