"""The loader refuses any inconsistency of what we author, and says in which file and row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from babel import Locale

from pipeline import library as library_
from pipeline.describe import DERIVATIONS
from pipeline.errors import SetupError
from pipeline.formats import formats
from pipeline.framework import LANGUAGES
from pipeline.model import Library
from pipeline.settings import settings

LISTS = "codelists/MIGLAC"
XX = "metadata/national/XX"
LAW = '{ en = "Act 1", es = "Ley 1", pt = "Lei 1" }'


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


DAMAGES = {
    "a code stands twice": (
        append(f"{LISTS}/CL_DURATION-1.0.0.csv", "_T,,Total,Total,Total\n"),
        r'CL_DURATION-1.0.0.csv, row \d+: "_T" stands twice',
    ),
    "a parent is no code": (
        append(f"{LISTS}/CL_DURATION-1.0.0.csv", "Y99,NOPE,a,b,c\n"),
        r'row \d+: parent "NOPE" of "Y99" is not a code of this list',
    ),
    "a code is its own ancestor": (
        edit(f"{LISTS}/CL_DURATION-1.0.0.csv", "M3T11,_T,", "M3T11,M3T5,"),
        r"is its own ancestor",
    ),
    "an id that SDMX forbids": (
        append(f"{LISTS}/CL_DURATION-1.0.0.csv", "A B,,a,b,c\n"),
        r'"A B" is not a valid SDMX identifier',
    ),
    "a ragged row": (append(f"{LISTS}/CL_DURATION-1.0.0.csv", "X,,a\n"), r"row \d+: 3 cells where the header has 5"),
    "no English name": (append(f"{LISTS}/CL_DURATION-1.0.0.csv", "X,,,b,c\n"), r"row \d+: name_en is empty"),
    "an unnamed list": (
        edit(f"{LISTS}/CL_DURATION-1.0.0.csv", ",,Duration of stay or residence", "ZZ,,Duration"),
        r"names the list itself, is missing",
    ),
    "an official list changed": (
        append("codelists/SDMX/CL_SEX-2.1.csv", "X,,Other,Otro,Outro\n"),
        r"SDMX:CL_SEX\(2.1\) differ from the official list",
    ),
    "a foreign list without a lock": (
        lambda root: (root / "codelists/SDMX/CL_NEW-1.0.csv").write_text(
            "code,parent,name_en,name_es,name_pt\n,,a,b,c\nA,,a,b,c\n"
        ),
        "not locked here",
    ),
    "a hierarchy of unknown codes": (
        append(f"{LISTS}/HCL_AGE5-1.0.0.csv", "Y7T9,_T,,,,\n"),
        r'HCL_AGE5-1.0.0.csv, row \d+: "Y7T9" is not a code',
    ),
    "a concept of nowhere": (
        edit("dsd/concepts.csv", "SDMX:CL_FREQ(2.1)", "SDMX:CL_FREQ(9.9)"),
        r'concepts.csv, row 2: "SDMX:CL_FREQ\(9.9\)" is neither a code list nor',
    ),
    "a dimension that is no concept": (
        edit("dsd/structures.toml", '"DURATION", "REASON"', '"DURATION", "MOTIVE"'),
        "MOTIVE",
    ),
    "an attribute that is no concept": (
        append("dsd/attributes.csv", "MOOD,observation,conditional,\n"),
        r'attributes.csv, row \d+: "MOOD" is not a concept',
    ),
    "a dataflow over no structure": (
        edit("dsd/DF_STOCK/structure.toml", "DSD_MIG_POP", "DSD_NOPE"),
        'DF_STOCK/structure.toml: structure "DSD_NOPE" does not exist',
    ),
    "content of no code": (
        edit("dsd/DF_STOCK/structure.toml", '["A"]', '["AA"]'),
        r'"AA" matches no code of SDMX:CL_FREQ',
    ),
    "a category of nowhere": (
        edit("dsd/DF_STOCK/structure.toml", '"POPULATION"', '"NOPE"'),
        'category "NOPE" is not in dsd/categories.csv',
    ),
    "a misspelt key": (
        edit("dsd/DF_STOCK/structure.toml", "[counterpart]", "[counterparts]"),
        '"counterparts" is not a known key',
    ),
    "not TOML": (append("dsd/DF_STOCK/structure.toml", "= ="), "structure.toml: not a TOML file"),
    "a country that protects less": (
        append(f"{XX}/DF_BORDER.toml", f"\n[protection]\nlaw = {LAW}\n[[protection.threshold]]\npersons = 2\n"),
        r"DF_BORDER.toml: protection: a country may ask for more than dsd/ does, never for less",
    ),
    "a country that protects more without a law": (
        append(f"{XX}/DF_BORDER.toml", "\n[protection]\nminimum_cases = 50\n"),
        r'DF_BORDER.toml: .*"law"',
    ),
    "a law that is not named in every language": (
        append(f"{XX}/DF_BORDER.toml", '\n[protection]\nminimum_cases = 50\nlaw = { en = "Act 1" }\n'),
        r"DF_BORDER.toml: protection: law must name what asks for it, in",
    ),
    "a field that nobody asks for is not known": (
        edit(f"{XX}/country.toml", '"REV_POLICY"', '"CONTACT_NAME"'),
        r'country.toml: not_known: "CONTACT_NAME" is not a mandatory field',
    ),
    "a text that is not known": (
        edit(f"{XX}/country.toml", '"REV_POLICY"', '"CONTACT_EMAIL"'),
        r'country.toml: "CONTACT_EMAIL" has a text and is not_known',
    ),
    "a full cell of no dimension": (
        append("dsd/DF_STOCK/protect.toml", '\n[[full_cell]]\nof = "OBS_STATUS"\ntotal = "A"\n'),
        r'full_cell: "A" is not a code of a dimension "OBS_STATUS"',
    ),
    "a protection without its last threshold": (
        edit("dsd/DF_STOCK/protect.toml", "[[threshold]]\npersons = 3\n", ""),
        "the last threshold must apply to every row",
    ),
    "a rule that names no check": (
        append("dsd/rules.csv", "STR-01,E,received,magic,,,,\n"),
        r'rules.csv, row \d+: "magic" is not a check',
    ),
    "a rule between tables that would hold back": (
        append("dsd/rules.csv", "XDF-02,E,across,spread,over=SOURCE_TYPE,,,DF_STOCK\n"),
        r"rules.csv, row \d+: what is found between published tables is W or I",
    ),
    "a rule between tables with an argument of nowhere": (
        append("dsd/rules.csv", "XDF-02,W,across,spread,over=SOURCE_TYPE; loud=1,,,DF_STOCK\n"),
        r'rules.csv, row \d+: the argument "loud=1" is not understood',
    ),
    "a rule between tables that are none": (
        append("dsd/rules.csv", "XDF-02,W,across,spread,over=SOURCE_TYPE,,,DF_NOPE\n"),
        r'dataflow "DF_NOPE" does not exist',
    ),
    "a rule between tables that names none": (
        append("dsd/rules.csv", "XDF-02,W,across,spread,over=SOURCE_TYPE,,,\n"),
        "dataflows must name whose figures are compared",
    ),
    "a check of a table between tables": (
        append("dsd/rules.csv", "XDF-02,W,across,codes,,,,DF_STOCK\n"),
        r'"codes" is not a check; known are balance, distinct, mirror, ratio, same, spread',
    ),
    "a rule without words": (
        append("dsd/rules.csv", "NEW-01,E,received,codes,,,,\n"),
        r'"NEW-01" has no row in metadata/issues.csv',
    ),
    "a condition that is not understood": (
        append("dsd/rules.csv", "STR-01,E,received,condition,,OBS_VALUE resembles 3,,\n"),
        r'rules.csv, row \d+: the condition "OBS_VALUE resembles 3" is not understood',
    ),
    "a condition on no component": (
        append("dsd/rules.csv", "STR-01,E,received,condition,,COLOUR in RED,,\n"),
        r'"COLOUR" is not a component',
    ),
    "a condition on no code": (
        append("dsd/rules.csv", "STR-01,E,received,condition,,SEX in X,,\n"),
        r'rules.csv, row \d+: "X" matches no code of SDMX:CL_SEX',
    ),
    "a country that is none": (
        lambda root: (root / XX).rename(root / "metadata/national/QQ"),
        'QQ/country.toml: "QQ" is not a country of CL_AREA',
    ),
    "no country at all": (remove(f"{XX}/country.toml"), "no country has a country.toml"),
    "a national code of nowhere": (
        append(f"{XX}/codes.csv", "SEX,,Otro,X,\n"),
        r'XX/codes.csv, row \d+: "X" is not a code of SDMX:CL_SEX',
    ),
    "cells ignored without a reason": (
        append(f"{XX}/codes.csv", "SEX,,Otro,,\n"),
        r'codes.csv, row \d+: "Otro" is ignored without a reason',
    ),
    "a label twice": (append(f"{XX}/codes.csv", "SEX,,Hombres,M,\n"), r'codes.csv, row \d+: "Hombres" stands twice'),
    "a layout for no dataflow": (
        lambda root: (root / XX / "DF_STOCK.toml").rename(root / XX / "DF_STOK.toml"),
        'DF_STOK.toml: "DF_STOK" is not a dataflow',
    ),
    "a dimension in no place": (
        edit(f"{XX}/DF_STOCK.toml", 'DURATION = "_T"\n', ""),
        "cuadro_1.xlsx: DURATION is in none of labels, headings and constants",
    ),
    "a component in two places": (
        edit(f"{XX}/DF_STOCK.toml", 'FREQ = "A"', 'FREQ = "A"\nSEX = "_T"'),
        "SEX stands in headings and in constants",
    ),
    "a constant of no code": (
        edit(f"{XX}/DF_STOCK.toml", 'FREQ = "A"', 'FREQ = "Z"'),
        r'FREQ "Z" is not a code of SDMX:CL_FREQ',
    ),
    "a mark of no status": (edit(f"{XX}/DF_STOCK.toml", '".." = "O"', '".." = "ZZ"'), 'mark ".." means "ZZ"'),
    "a provider of nowhere": (
        edit(f"{XX}/DF_STOCK.toml", 'provider = "INF"', 'provider = "XYZ"'),
        'DF_STOCK.toml: provider "XYZ" does not exist',
    ),
    "a licence of nowhere": (
        edit(f"{XX}/DF_STOCK.toml", '"CC-BY-4.0"', '"WTF"'),
        'licence "WTF" is not in metadata/licences.csv',
    ),
    "a metadata field of nowhere": (
        edit(f"{XX}/DF_STOCK.toml", "STAT_CONC_DEF", "STAT_CONC"),
        '"STAT_CONC" is not a field',
    ),
    "a text without English": (
        edit(f"{XX}/country.toml", "[metadata.CONTACT_EMAIL]\nen", "[metadata.CONTACT_EMAIL]\nes"),
        "CONTACT_EMAIL must be a table of en, es and pt",
    ),
    "an agreement for nothing": (
        edit(f"{XX}/country.toml", '"DF_BORDER"]', '"DF_BORDR"]'),
        'agreement of "INF" for "DF_BORDR"',
    ),
    "a layout key misspelt": (edit(f"{XX}/DF_STOCK.toml", "stop =", "stops ="), '"stops" is not a known key'),
    "a reason for leaving cells out without a language": (
        append("metadata/reasons.csv", "a,,c\n"),
        r"reasons.csv, row \d+: a language is empty",
    ),
    "a reason for leaving cells out twice": (
        append("metadata/reasons.csv", "a,b,c\nd,b,e\n"),
        r'reasons.csv, row \d+: "b" stands twice',
    ),
    "a phrase without a language": (
        append("metadata/phrases.csv", "new,a,,c\n"),
        r"phrases.csv, row \d+: a language is empty",
    ),
    "an agency without its country's row": (
        edit("metadata/agencies.csv", "MIGLAC.XX", "MIGLAC.XY"),
        '"MIGLAC.XX" has no row in metadata/agencies.csv',
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_inconsistency_is_refused_by_file_and_row(office: Path, damage: str) -> None:
    library_.load(office)
    change, says = DAMAGES[damage]
    change(office)
    with pytest.raises(SetupError, match=says):
        library_.load(office)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('areas = ["XX"]', 'areas = ["XX", "ZZ"]', 'publish.toml: areas: "ZZ" does not exist'),
        ('"csv"', '"pdf"', 'formats: "pdf" does not exist'),
        ("2026-11-24.1", "24-11-2026", 'release "24-11-2026" must be a day and a number'),
        ('language = "en"', 'language = "fr"', "language must be one of"),
        ("base_url", "base_uri", '"base_uri" is not a known key'),
        ("https://", "", "must be a whole address"),
        ("https://", "http://[", "must be a whole address"),
    ],
)
def test_a_wrong_publish_toml_is_refused(office: Path, old: str, new: str, says: str) -> None:
    edit("publish.toml", old, new)(office)
    with pytest.raises(SetupError, match=says):
        settings(office / "publish.toml", library_.load(office), formats=formats())


def test_every_name_is_in_three_languages(library: Library) -> None:
    assert library.untranslated == ()


@pytest.mark.parametrize("component", ["REF_AREA", "CITIZENSHIP"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_country_names_are_those_of_cldr(library: Library, component: str, language: str) -> None:
    codelist = library.list_of(component)
    assert codelist is not None
    territories = Locale(language).territories
    countries = codelist.select("kind=country")
    assert len(countries) > 240
    assert {c: codelist.codes[c].name[language] for c in countries} == {c: territories[c] for c in countries}


def test_what_fields_say_is_derived_can_be(library: Library) -> None:
    assert {field.derived for field in library.fields.values() if field.derived} == DERIVATIONS


def test_the_framework_has_what_it_promises(library: Library) -> None:
    assert len(library.dataflows) >= 14
    assert len(library.structures) >= 8
    assert len(library.countries) >= 10
    assert sum(1 for code in library.codelists["MIGLAC:CL_CAP_ITEM(1.0.0)"].codes) == 63
