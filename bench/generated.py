"""An office with as many observations as are asked for: one country, four tables, each a wide workbook.

Every table crosses sex with its total, five-year ages, countries and what else the dataflow has; the figures are counts
whose sizes are spread as those of migrants by country are, so that about one in two thousand is confidential.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from office import AREA, build_office  # noqa: E402

from pipeline import library as library_  # noqa: E402
from pipeline.model import Library  # noqa: E402

LANGUAGE = "es"
SPREAD = (7.5, 1.8)  # mean and deviation of the logarithm of a count of one sex
_SEXES = ("M", "F", "_T")  # the total last: every three rows add up
_AGES = tuple(f"Y{low}T{low + 4}" for low in range(0, 85, 5))


@dataclass(frozen=True)
class Table:
    """One delivery: the codes of its columns of labels, slowest first, the periods across, and the rest."""

    flow: str
    columns: Mapping[str, tuple[str, ...]]  # no codes: every country
    periods: tuple[str, ...]
    constants: Mapping[str, str]

    @property
    def file(self) -> str:
        """The name of the workbook."""
        return f"{self.flow.lower()}.xlsx"


_YEARS = tuple(str(year) for year in range(2005, 2025))
_MONTHS = tuple(f"{year}-{month:02}" for year in (2022, 2023) for month in range(1, 11))  # a workbook as wide
_BY_AGE = {"AGE": _AGES, "SEX": _SEXES}
_SAME = {
    "REF_AREA": AREA,
    "FREQ": "A",
    "DURATION": "_T",
    "REASON": "_T",
    "COUNTERPART_AREA": "_Z",
    "RES_CRITERION": "M12",
}
TABLES = (
    Table(
        "DF_STOCK",
        {"DURATION": ("Y1T4", "Y5T9", "Y_GE10"), "CITIZENSHIP": (), "COUNTRY_BIRTH": (), **_BY_AGE},
        _YEARS,
        {**_SAME, "SOURCE_TYPE": "CEN", "MIG_MEASURE": "STK_POP"},
    ),
    Table(
        "DF_FLOW",
        {"REASON": ("WORK", "FAM", "EDU"), "CITIZENSHIP": (), "COUNTERPART_AREA": (), **_BY_AGE},
        _YEARS,
        {**_SAME, "SOURCE_TYPE": "ADM_REG", "MIG_MEASURE": "FLW_IN", "COUNTRY_BIRTH": "_T"},
    ),
    Table(
        "DF_PERMIT",
        {
            "LEGAL_STATUS": ("PERM", "TEMP_WORK", "TEMP_EDU", "TEMP_FAM", "TEMP_MERC", "TEMP_HUM", "SHORT"),
            "REASON": ("WORK_OFFER", "WORK_SEEK", "WORK_SELF", "FAM_REUN", "FAM_FORM", "EDU"),
            "CITIZENSHIP": (),
            **_BY_AGE,
        },
        _YEARS,
        {**_SAME, "SOURCE_TYPE": "ADM_PRM", "MIG_MEASURE": "FLW_PRM", "COUNTRY_BIRTH": "_T", "ADM_EVENT": "ISS_FIRST"},
    ),
    Table(
        "DF_BORDER",
        {"TRANSPORT_MODE": ("AIR", "ROA", "SEA"), "CITIZENSHIP": (), "COUNTERPART_AREA": (), **_BY_AGE},
        _MONTHS,
        {
            **_SAME,
            "FREQ": "M",
            "SOURCE_TYPE": "ADM_BRD",
            "MIG_MEASURE": "CRS_IN",
            "COUNTRY_BIRTH": "_T",
            **dict.fromkeys(("BORDER_POST", "TRAVELLER_TYPE"), "_T"),
        },
    ),
)
_LAYOUT = """[[table]]
file = "{file}"
sheet = "Datos"
provider = "INF"
licence = "CC-BY-4.0"
header = [1]
labels = {{ {labels} }}
headings = {{ TIME_PERIOD = 1{more} }}
values = "{first}:{last}"
title = {{ en = "{flow}", es = "{flow}", pt = "{flow}" }}
source_operation = {{ en = "Operation", es = "Operación", pt = "Operação" }}
stat_pop = {{ en = "Population", es = "Población", pt = "População" }}

[table.constants]
{constants}
"""
_BOOK = {
    "[Content_Types].xml": """<?xml version="1.0"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>""",
    "_rels/.rels": """<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="xl/workbook.xml"/></Relationships>""",
    "xl/_rels/workbook.xml.rels": """<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
 Target="worksheets/sheet1.xml"/></Relationships>""",
    "xl/workbook.xml": """<?xml version="1.0"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Datos" sheetId="1" r:id="rId1"/></sheets></workbook>""",
}
_SHEET = """<?xml version="1.0"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"""


def office(folder: Path, observations: int) -> Path:
    """Make the office in a new folder."""
    build_office(folder)
    library = library_.load(folder)
    national = folder / "metadata/national" / AREA
    for path in (*(folder / "data" / AREA).iterdir(), *national.glob("DF_*.toml")):
        path.unlink()
    country = national / "country.toml"
    flows = ", ".join(f'"{table.flow}"' for table in TABLES)
    country.write_text(country.read_text(encoding="utf-8").replace('"DF_STOCK", "DF_BORDER"', flows), encoding="utf-8")
    (national / "codes.csv").write_text("component,column,label,code,note\n", encoding="utf-8")
    chance = np.random.default_rng(42)
    for table in TABLES:
        count = observations // len(TABLES) // len(table.periods)
        (national / f"{table.flow}.toml").write_text(_layout(table), encoding="utf-8")
        _write(folder / "data" / AREA / table.file, table, count, library, chance)
    return folder


def labels(table: Table, library: Library) -> dict[str, dict[str, str]]:
    """The code of each label of each column."""
    structure, found = library.dataflows[table.flow].structure, {}
    for column, chosen in table.columns.items():
        listed = structure.components[column].codelist
        assert listed is not None
        countries = [code.id for code in listed.codes.values() if code.notes.get("kind") == "country"]
        found[column] = {listed.codes[code].name[LANGUAGE]: code for code in chosen or countries if code != AREA}
    return found


def _layout(table: Table) -> str:
    first = len(table.columns)
    return _LAYOUT.format(
        file=table.file,
        flow=table.flow,
        labels=", ".join(f'{column} = "{column}"' for column in table.columns),
        more=', REF_DATE = "{1}-07-01"' if table.flow == "DF_STOCK" else "",
        first=chr(ord("A") + first),
        last=chr(ord("A") + first + len(table.periods) - 1),
        constants="\n".join(
            f'{name} = "{code}"' for name, code in table.constants.items() if name not in table.columns
        ),
    )


def _write(path: Path, table: Table, count: int, library: Library, chance: np.random.Generator) -> None:
    """The workbook, a row at a time."""
    every = [
        [f'<c t="inlineStr"><is><t>{escape(each)}</t></is></c>' for each in column]
        for column in labels(table, library).values()
    ]
    heads = "".join(f'<c t="inlineStr"><is><t>{each}</t></is></c>' for each in (*table.columns, *table.periods))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, content in _BOOK.items():
            book.writestr(name, content)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"{_SHEET}<row>{heads}</row>".encode())
            rows = islice(product(*every), count)
            for counts in islice(_counts(count, len(table.periods), chance), count):
                cells = "</v></c><c><v>".join(map(str, counts))
                sheet.write(f"<row>{''.join(next(rows))}<c><v>{cells}</v></c></row>".encode())
            sheet.write(b"</sheetData></worksheet>")


def _counts(count: int, width: int, chance: np.random.Generator) -> Iterator[list[int]]:
    """Rows of figures, three at a time: men, women and both."""
    for _ in range(-(-count // 3)):
        ones = np.exp(chance.normal(*SPREAD, (2, width))).astype(int)
        yield from np.vstack([ones, ones.sum(axis=0)]).tolist()


if __name__ == "__main__":
    office(Path(sys.argv[1]), int(sys.argv[2]))
