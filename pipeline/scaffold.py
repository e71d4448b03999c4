"""`make new-country`, `make new-dataflow`: a folder to begin with, and a layout drafted from a sample."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.languages import get_official_languages

from pipeline import draft as draft_
from pipeline.errors import SetupError, Told, must_be_known
from pipeline.framework import LANGUAGES, Dataflow
from pipeline.model import Country, Library
from pipeline.texts import said

_TODO = "TODO"
_DATAFLOW = re.compile(r"DF_[A-Z]{2,20}")
_AGENCY = {
    "en": "{name}: national migration statistics",
    "es": "{name}: estadísticas nacionales de migración",
    "pt": "{name}: estatísticas nacionais de migração",
}


def language_of(area: str) -> str:
    """The language of national tables, guessed from the country."""
    spoken = get_official_languages(area, de_facto=True)
    return next((language for language in spoken if language in LANGUAGES), "en")


def new_country(root: Path, area: str, library: Library, *, sample: Path | None, flow: str) -> list[str]:
    """Make what is not there yet of a country's folder; nothing that exists is written over.

    Returns what was made and what is left to decide, a line each.

    Raises:
        SetupError: the country or dataflow is not known, or a sample would take the place of another file.
        InputError: the sample cannot be opened, or holds no figures.
    """
    areas = library.list_of("REF_AREA")
    if areas is None or area not in areas.select("kind=country"):
        raise SetupError(
            '"{area}" is not a country of CL_AREA. Give its ISO 3166-1 alpha-2 code, such as UY.', area=area
        )
    if sample is not None:
        must_be_known([flow], library.dataflows, Told("dataflow"))
    folder, data = root / "metadata/national" / area, root / "data" / area
    draft = _drafted(root, area, library, sample, flow) if sample is not None else ""
    said = list(_placed(root, area, library, folder))
    data.mkdir(parents=True, exist_ok=True)
    if sample is not None:
        if sample.resolve() != (data / sample.name).resolve():
            shutil.copyfile(sample, data / sample.name)
            said.append(f"made  data/{area}/{sample.name}, a copy of the sample")
        path = folder / f"{flow}.toml.draft"
        said += _write(root, path, draft)
        count = draft.count(_TODO)
        said.append(
            f"left  {path.relative_to(root)}: check what was guessed, decide the {count} places marked {_TODO}, "
            f"and save it as {flow}.toml. It is not read before that."
        )
    said += [
        f"left  metadata/national/{area}/country.toml: the producers, their agreements, and the places marked {_TODO}",
        f"left  metadata/national/{area}/codes.csv: a row for each label that is neither a code nor an official name",
        f'left  publish.toml: add "{area}" to `areas` when its tables are fit',
        f"next  make validate AREA={area} FLOW={flow or '…'}, or make template AREA={area} FLOW={flow or '…'}",
    ]
    return said


def new_dataflow(root: Path, identifier: str, library: Library, *, like: str) -> list[str]:
    """Make the folder of a dataflow after the example of another; nothing that exists is written over.

    Returns what was made and what is left to decide, a line each.

    Raises:
        SetupError: the identifier is not one of a dataflow, or the example is not known.
    """
    if not _DATAFLOW.fullmatch(identifier):
        raise SetupError(
            '"{identifier}" cannot name a dataflow: write DF_ and capital letters, such as DF_HOUSING',
            identifier=identifier,
        )
    must_be_known([like], library.dataflows, Told("dataflow"))
    folder, example = root / "dsd" / identifier, root / "dsd" / like
    structure = "".join(_emptied((example / "structure.toml").read_text(encoding="utf-8").splitlines(keepends=True)))
    path = folder / "structure.toml.draft"
    return [
        *_write(root, path, structure),
        *_write(root, folder / "protect.toml", (example / "protect.toml").read_text(encoding="utf-8")),
        f"left  {path.relative_to(root)}: structure and contents are those of {like}; correct them,",
        f"      write the {structure.count(_TODO)} texts marked {_TODO}, and save it as structure.toml",
        f"left  {folder.relative_to(root)}/protect.toml: the thresholds are those of {like}; are they right here?",
        f"next  a row of tests/tables.py, `make docs`, and make template AREA=… FLOW={identifier}",
    ]


def _emptied(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a structure.toml with its names and descriptions left open."""
    section = ""
    for line in lines:
        if line.startswith("["):
            section = line.strip()
        is_text = section in ("[name]", "[description]", "[counterpart]") and "=" in line
        yield f'{line.partition("=")[0]}= "{_TODO}"\n' if is_text else line


def _placed(root: Path, area: str, library: Library, folder: Path) -> Iterator[str]:
    agencies, name = root / "metadata/agencies.csv", library.area_name(area)
    if f"{library.agency}.{area}" not in library.agencies:
        names = [_AGENCY[lang].format(name=said(name, lang)) for lang in LANGUAGES]
        text = agencies.read_text(encoding="utf-8")
        cells = ",".join(f'"{each}"' if "," in each or '"' in each else each for each in names)
        row = f"{library.agency}.{area},agency,{cells},\n"
        agencies.write_text(text + ("" if text.endswith("\n") else "\n") + row, encoding="utf-8")
        yield f"made  a row of metadata/agencies.csv: {library.agency}.{area}"
    yield from _write(root, folder / "country.toml", _country(area, library))
    yield from _write(root, folder / "codes.csv", "component,column,label,code,note\n")


def _write(root: Path, path: Path, text: str) -> Iterator[str]:
    if path.exists():
        yield f"kept  {path.relative_to(root)}, which was there"
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    yield f"made  {path.relative_to(root)}"


def _country(area: str, library: Library) -> str:
    name = library.area_name(area)
    office = json.dumps(f"{_TODO}: name of the statistical office of {name['en']}", ensure_ascii=False)
    return "\n".join(
        [
            f"# {name['en']}",
            "",
            f'language = "{language_of(area)}"  # of the labels of its tables; guessed from the country',
            f'focal = "NSO_{area}"  # {_TODO}: the institution that answers for deliveries; rename it everywhere',
            "# Readers are told that nobody could say these. Take one out when its text stands in [metadata.…] below.",
            f"not_known = [{', '.join(_unsaid(library))}]",
            "",
            f"[providers.NSO_{area}]",
            f"name = {{ en = {office} }}",
            "",
            "# One block for each provider, with the dataflows that it has agreed to deliver.",
            "[[agreement]]",
            f'provider = "NSO_{area}"',
            f'flows = []  # {_TODO}: such as ["DF_STOCK"]',
            "",
        ]
    )


def _unsaid(library: Library) -> Iterator[str]:
    """The mandatory fields that nothing but an author can say."""
    return (json.dumps(each.id) for each in library.fields.values() if each.obligation == "M" and not each.derived)


# ---------------------------------------------------------------- the draft of a layout


def _drafted(root: Path, area: str, library: Library, sample: Path, flow: str) -> str:
    if not sample.is_file():
        raise SetupError("{sample}: there is no such file. Give the path of a table of the country.", sample=sample)
    target = root / "data" / area / sample.name
    if target.exists() and target.read_bytes() != sample.read_bytes():
        raise SetupError(
            "data/{area}/{name}: another file of this name is there. Rename the sample.", area=area, name=sample.name
        )
    country = library.countries.get(area) or Country(area, language_of(area), "", {}, frozenset(), (), {}, {})
    dataflow = library.dataflows[flow]
    found = draft_.draft(sample, country, dataflow, draft_.words(root / "metadata/headings.csv"))
    return layout(found, dataflow, area)


def layout(found: draft_.Draft, flow: Dataflow, area: str) -> str:
    """A layout in TOML: what was guessed, and TODO where a person must decide."""
    return "\n".join([*_places(found), *_constants(found, flow, area), *_texts(), ""])


def _places(found: draft_.Draft) -> Iterator[str]:
    yield "# A draft made from one sample: check what is marked as guessed, and decide the places that are left open."
    yield ""
    yield "[[table]]"
    yield f"file = {_quoted(found.file)}"
    if found.sheet:
        yield f"sheet = {_quoted(found.sheet)}  # guessed: the sheet with the most figures"
    yield f'provider = "{_TODO}"  # an institution of country.toml, or UNDESA, UNHCR, KNOMAD'
    yield f'licence = "{_TODO}"  # an id of metadata/licences.csv'
    yield f'url = ""  # {_TODO}: where the source is published; may stay empty'
    if not found.sheet:
        yield f'encoding = "{found.encoding}"  # guessed'
        yield f"delimiter = {_quoted(found.delimiter)}  # guessed"
    yield f"decimal = {_quoted(found.decimal)}  # guessed"
    yield f"thousands = {_quoted(found.thousands)}  # guessed"
    if found.header:
        yield f"header = {list(found.header)}  # guessed: the rows above the first row with figures"
    else:
        yield f"header = [1]  # {_TODO}: no row of headings was found; a table needs one"
    if found.stop:
        yield f"stop = {_quoted(found.stop)}  # guessed: the first line below the table"
    if found.marks:
        marks = ", ".join(f'{_quoted(mark)} = "O"' for mark in found.marks)
        yield f"missing = {{ {marks} }}  # {_TODO}: O is missing; is that what each mark means?"
    labels = ", ".join(f"{component} = {_quoted(heading)}" for component, heading in found.labels.items())
    yield f"labels = {{ {labels} }}  # guessed, by headings and labels"
    if found.headings:
        rows = ", ".join(f"{component} = {row}" for component, row in found.headings.items())
        yield f"headings = {{ {rows} }}  # guessed, by the labels in these rows"
    are_named = len(set(found.value_headings)) == len(found.value_headings) and all(found.value_headings)
    by_letter = found.sheet or not are_named
    columns = (
        _quoted(draft_.letters(found.values))
        if by_letter
        else json.dumps(list(found.value_headings), ensure_ascii=False)
    )
    yield f"values = {columns}  # guessed: the columns that hold figures"


def _constants(found: draft_.Draft, flow: Dataflow, area: str) -> Iterator[str]:
    yield ""
    yield "[table.constants]"
    for component in flow.structure.key:
        if component in found.labels or component in found.headings:
            continue
        codelist = flow.structure.components[component].codelist
        regions = [region.get(component) for region in flow.regions]
        only = {code for codes in regions for code in codes or ()} if all(regions) else set()
        if len(only) == 1:
            yield f'{component} = "{next(iter(only))}"  # the only code that {flow.id} allows'
        elif component == "FREQ":
            yield f'FREQ = "{found.frequency}"  # guessed from the periods'
        elif component == "REF_AREA":
            yield f'REF_AREA = "{area}"  # guessed: no column names areas of the country'
        elif codelist is not None and "_T" in codelist.codes and component != "SOURCE_TYPE":
            yield f'{component} = "_T"  # guessed: no column says it; _Z where it does not apply'
        else:
            allowed = " ".join(sorted(only))
            yield f'{component} = "{_TODO}"  # {f"one of {allowed}" if allowed else "a code or a period"}'


def _texts() -> Iterator[str]:
    for text, what in (
        ("title", "what the table is called"),
        ("source_operation", "the census, survey or register"),
        ("stat_pop", "who is covered"),
    ):
        yield ""
        yield f"[table.{text}]  # {what}; es and pt as well where you can"
        yield f'en = "{_TODO}"'


def _quoted(text: str) -> str:
    """A basic string of TOML; the escapes of JSON are among its own."""
    return json.dumps(text, ensure_ascii=False)
