"""A national questionnaire, described as a table, held against the standard question modules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError, SetupError
from pipeline.framework import LANGUAGES
from pipeline.library.modules import COLUMNS
from pipeline.methods.questions.coverage import Coverage, covered
from pipeline.methods.questions.written import coverage_record, matrix, readable
from pipeline.model import Issue, Layout, Library
from pipeline.modules import Instrument, Questionnaire
from pipeline.plain import as_json
from pipeline.read import read_all

_TEXTS = (".csv", ".txt")
_NEEDED = ("item", "question", "universe", "code")


@dataclass(frozen=True)
class Made:
    """What was found, and the files that were written."""

    coverage: Coverage
    files: tuple[Path, ...]

    @property
    def issues(self) -> tuple[Issue, ...]:
        return self.coverage.issues

    @property
    def is_fit(self) -> bool:
        return self.coverage.is_fit


def questions(file: Path, library: Library, *, kind: Instrument, year: int, area: str, out: Path) -> Made:
    """Write the coverage of a questionnaire to `out`: a report in each language, the matrix, and a record.

    Raises:
        SetupError: the country is none.
        InputError: the file cannot be read or lacks a column.
    """
    areas = library.list_of("REF_AREA")
    if area and (areas is None or area not in areas.codes):
        raise SetupError('"{each}" is not a country of the code list.', each=area)
    found = covered(opened(file, kind=kind, year=year, area=area), library.modules)
    out.mkdir(parents=True, exist_ok=True)
    content = {f"coverage.{lang}.md": readable(found, library, lang).encode() for lang in LANGUAGES}
    content |= {"matrix.csv": matrix(found), "coverage.json": as_json(coverage_record(found, library.modules))}
    for name, text in content.items():
        (out / name).write_bytes(text)
    return Made(found, tuple(out / name for name in content))


def opened(file: Path, *, kind: Instrument, year: int, area: str = "") -> Questionnaire:
    """Read the description of a questionnaire: CSV or a workbook, one row for each category of an answer.

    Raises:
        InputError: the file cannot be read or lacks a column.
    """
    if not file.is_file():
        raise SetupError("{file}: there is no such file.", file=file)
    sheet = "" if file.suffix.lower() in _TEXTS else "*"  # of a workbook, the first
    cells = (
        read_all(file.resolve().parent, [Layout(file.name, "", "", "", sheet=sheet)])[0].cells.fillna("").astype(str)
    )
    headings = [text.strip() for text in cells.iloc[0]] if len(cells) else []
    lacking = [each for each in _NEEDED if each not in headings]
    if not any(each.startswith("category_") for each in headings):
        lacking.append("category_es")
    if lacking:
        raise InputError(
            "{file}: these columns are missing: {columns}. A questionnaire has the columns {known}.",
            file=file.name,
            columns=", ".join(lacking),
            known=", ".join(COLUMNS),
        )
    places = {name: headings.index(name) for name in COLUMNS if name in headings}
    rows = tuple(
        (number, {name: row[places[name]].strip() if name in places else "" for name in COLUMNS})
        for number, row in zip(cells.index[1:].tolist(), cells.iloc[1:].values.tolist(), strict=True)
        if any(row)
    )
    name = dict.fromkeys(LANGUAGES, file.stem)
    return Questionnaire(file.stem, area, kind, year, name, rows, tuple(headings), file=file.name)


__all__ = ["Coverage", "Made", "covered", "opened", "questions"]
