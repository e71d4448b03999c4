"""One country's `codes.csv` and layouts → its structure maps, with the structure of each national table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from sdmx.model import common, v21

from pipeline.framework import LANGUAGES, Codelist, Text
from pipeline.labels import fates, folded, parts, pieces
from pipeline.model import CodeRow, Country, Layout, Library
from pipeline.structures.artefacts import CONCEPTS, VERSION, Artefacts
from pipeline.structures.maps import ComponentMap, FixedValue, Maps, RepresentationMap, StructureMap, Value, note, notes

ROW, GENERAL, LAYOUT, TEMPLATE = "CODES_ROW", "CODES_ROW_OF_ALL_COLUMNS", "LAYOUT", "TEMPLATE"
COLUMN, HEADING_ROW, DERIVED = "COLUMN", "HEADING_ROW", "DERIVED"
FIGURE = "OBS_VALUE"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ANY = "(.+)"
_SAID = ("component", "column", "label", "code")  # fields of a row that the map itself says
_MAPPED = ("labels", "headings", "constants", "title")  # fields of a layout that the map itself says


def maps(library: Library, of: Artefacts) -> Maps:
    """The maps of every country of the library; `of` has the dataflows and code lists that they lead to."""
    countries = [_Country(country, library, of) for country in library.countries.values()]
    structure = tuple(each for country in countries for each in country.structure_maps())
    return Maps(
        structure,
        tuple(each for country in countries for each in country.representation.values()),
        {country.agency.id: country.concepts for country in countries},
    )


def _identifier(text: str, taken: Iterable[str] = ()) -> str:
    """An SDMX identifier that keeps the words of a heading (NCNameIDType), and is new."""
    words = re.sub(r"[^A-Z0-9]+", "_", folded(text).upper()).strip("_")[:40] or "COLUMN"
    stem = words if words[0].isalpha() else f"C_{words}"
    number, found = 1, stem
    while found in taken:
        number += 1
        found = f"{stem}_{number}"
    return found


@dataclass
class _Country:
    """The maps of one country as they are made: columns get their concepts when a layout first names them."""

    country: Country
    library: Library
    of: Artefacts
    representation: dict[tuple[str, ...], RepresentationMap] = field(default_factory=dict)
    columns: dict[tuple[str, str], common.Concept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        area = self.country.area
        self.agency = common.Agency(id=f"{self.library.agency}.{area}")
        self.concepts = common.ConceptScheme(
            id=f"CS_NATIONAL_{area}",
            name=self._said("national_columns", area=self.library.area_name(area)),
            **self._own,
        )
        self.figure = self._concept(FIGURE, self.of.concepts[CONCEPTS][FIGURE].name)
        for row in self.country.codes:
            self._represented(row.component, row.column)

    @property
    def _own(self) -> dict[str, Any]:
        return {"maintainer": self.agency, "version": VERSION, "is_final": True, "is_external_reference": False}

    def structure_maps(self) -> Iterator[StructureMap]:
        for series in self.country.series.values():
            for number, layout in enumerate(series.layouts, start=1):
                yield self._structure_map(series.flow, number, layout)

    def _structure_map(self, flow: str, number: int, layout: Layout) -> StructureMap:
        name = f"{self.country.area}_{flow.removeprefix('DF_')}_{number}"
        components = [
            self._component_map(name, component, template, kind)
            for kind, labels in ((COLUMN, layout.labels), (HEADING_ROW, layout.headings))
            for component, template in labels.items()
        ]
        source = self._table(f"TABLE_{name}", layout)
        known = self.library.dataflows[flow].structure.components
        texts = {"SOURCE_OPERATION": layout.source_operation, "STAT_POP": layout.stat_pop}
        derived = {key: text["en"] for key, text in texts.items() if key in known and key not in layout.constants}
        fixed = [
            *(FixedValue(key, value) for key, value in layout.constants.items()),
            *(FixedValue(key, value) for key, value in derived.items()),
        ]
        return StructureMap(
            id=f"SM_{name}",
            name=layout.title,
            # On the whole map, for pysdmx 1.21 reads no fixed value that has annotations.
            annotations=[*notes(LAYOUT, layout, _MAPPED), *(note(DERIVED, key) for key in derived)],
            source=source,
            target=self.of.dataflows[flow],
            components=(*components, ComponentMap((FIGURE,), FIGURE)),
            fixed=tuple(fixed),
            **self._own,
        )

    # ------------------------------------------------------------ the national table

    def _table(self, identifier: str, layout: Layout) -> v21.DataStructureDefinition:
        """The structure of a table, with a dimension for each place of its labels, and a figure."""
        places = [
            (kind, part)
            for kind, labels in ((COLUMN, layout.labels), (HEADING_ROW, layout.headings))
            for template in labels.values()
            for part in parts(template)
        ]
        # A table of constants has one figure; its column tells it, for a structure has a dimension.
        chosen = list(dict.fromkeys(places)) or [(COLUMN, FIGURE)]
        dimensions: list[common.DimensionComponent] = []
        for order, place in enumerate(chosen, start=1):
            concept = self._column(*place)
            dimensions.append(
                common.Dimension(id=concept.id, order=order, concept_identity=concept, local_representation=_text())
            )
        measure = v21.PrimaryMeasure(id=FIGURE, concept_identity=self.figure, local_representation=_text())
        return v21.DataStructureDefinition(
            id=identifier,
            name=layout.title,
            dimensions=common.DimensionDescriptor(id="DimensionDescriptor", components=dimensions),
            attributes=common.AttributeDescriptor(id="AttributeDescriptor", components=[]),
            measures=v21.MeasureDescriptor(id="MeasureDescriptor", components=[measure]),
            **self._own,
        )

    def _column(self, kind: str, text: str) -> common.Concept:
        """The concept of a column or a heading row; the annotation has its heading to the letter."""
        if (kind, text) not in self.columns:
            is_row = kind == HEADING_ROW
            identifier = _identifier(f"row {text}" if is_row else text, [each.id for each in self.concepts])
            row = self._said("heading_row", row=dict.fromkeys(LANGUAGES, text))
            name = row if is_row else {self.country.language: text}
            self.columns[kind, text] = self._concept(identifier, name, note(kind, text))
        return self.columns[kind, text]

    def _concept(self, identifier: str, name: Any, *annotations: common.BaseAnnotation) -> common.Concept:
        """A new concept of the country's tables: text."""
        concept = common.Concept(id=identifier, name=name, annotations=list(annotations))
        concept.core_representation = _text()
        self.concepts.append(concept)
        return concept

    def _component_map(self, table: str, component: str, template: str, kind: str) -> ComponentMap:
        found = parts(template)
        sources = tuple(self._column(kind, part).id for part in found)
        headings = [part if kind == COLUMN else "" for part in found]
        if found == [template]:
            return ComponentMap(sources, component, self._represented(component, headings[0]))
        through = self._joined(table, component, template, headings)
        return ComponentMap(sources, component, through, (note(TEMPLATE, template),))

    # ------------------------------------------------------------ labels

    def _represented(self, component: str, column: str) -> RepresentationMap | None:
        """The map of the labels of a component under one heading; None where every label stands for itself."""
        key = (component, column)
        if key not in self.representation:
            codelist = self.library.list_of(component)
            values = tuple(self._values(component, column, codelist))
            if not values:
                return None
            place = f"_{column}" if column else ""
            self.representation[key] = RepresentationMap(
                id=_identifier(
                    f"RM_{self.country.area}_{component}{place}", [each.id for each in self.representation.values()]
                ),
                name=self._labels_of(component, column),
                description=self.library.phrases["labels_compared"],
                annotations=[note("COMPONENT", component), *([note(COLUMN, column)] if column else [])],
                target=self.of.codelists[codelist.ref] if codelist else None,
                values=values,
                **self._own,
            )
        return self.representation[key]

    def _values(self, component: str, column: str, codelist: Codelist | None) -> Iterator[Value]:
        """Rows of this column, rows of all columns, then official names; where there is no row, codes too."""
        known: set[str] = set()
        for number, row in self._rows(component, column):
            known.add(folded(row.label))
            is_own = row.column == column
            yield _value(row, (note(ROW if is_own else GENERAL, str(number)), *(_row_notes(row) if is_own else ())))
        if codelist is None:
            return
        language = self.country.language
        names = [code.name[language] for code in codelist.codes.values() if language in code.name]
        for name, fate in fates(names, component, column, self.country, codelist).items():
            if folded(name) not in known and fate.code in codelist.codes:
                known.add(folded(name))
                yield Value((name,), fate.code)
        if not any(True for _ in self._rows(component, column)):
            yield Value((f"({'|'.join(map(re.escape, codelist.codes))})",), r"\1", regex=(True,))

    def _rows(self, component: str, column: str) -> Iterator[tuple[int, CodeRow]]:
        """(number in codes.csv, row): those of the column first, then those of all columns that remain."""
        mine = [
            (number, row)
            for number, row in enumerate(self.country.codes, start=1)
            if row.component == component and row.column in ("", column)
        ]
        own = {folded(row.label) for _, row in mine if row.column == column}
        yield from ((number, row) for number, row in mine if row.column == column)
        if column:
            yield from ((number, row) for number, row in mine if not row.column and folded(row.label) not in own)

    def _joined(self, table: str, component: str, template: str, headings: list[str]) -> RepresentationMap:
        """A map with one source for each part of a template; a part that has no row stays as it is."""
        choices: list[list[CodeRow | None]] = [
            [*(row for _, row in self._rows(component, heading)), None] for heading in headings
        ]
        key = (component, "", table)
        self.representation[key] = RepresentationMap(
            id=f"RM_{table}_{component}",
            name=self._labels_of(component, template),
            sources=len(headings),
            values=tuple(_joined(template, chosen) for chosen in product(*choices)),
            **self._own,
        )
        return self.representation[key]

    def _labels_of(self, component: str, column: str) -> Text:
        area, concept = self.library.area_name(self.country.area), self.library.concepts[component].name
        if not column:
            return self._said("national_labels", area=area, component=concept)
        return self._said("column_labels", area=area, component=concept, column=dict.fromkeys(LANGUAGES, column))

    def _said(self, phrase: str, **words: Text) -> dict[str, str]:
        return {
            language: self.library.phrases[phrase][language].format(
                **{key: text.get(language, text["en"]) for key, text in words.items()}
            )
            for language in LANGUAGES
        }


def _text() -> common.Representation:
    return common.Representation(non_enumerated=[common.Facet(value_type=common.FacetValueType.string)])


def _validity(row: CodeRow) -> dict[str, Any]:
    """The days from and to which a row holds, where the row has them as SDMX writes them."""
    found = {name: str(getattr(row, name, "") or "") for name in ("valid_from", "valid_to")}
    return {name: day for name, day in found.items() if _DATE.fullmatch(day)}


def _row_notes(row: CodeRow) -> Iterator[common.BaseAnnotation]:
    return notes(ROW, row, (*_SAID, *_validity(row)))


def _value(row: CodeRow, annotations: tuple[common.BaseAnnotation, ...]) -> Value:
    return Value((row.label,), row.code or None, annotations=annotations, **_validity(row))


def _joined(template: str, chosen: tuple[CodeRow | None, ...]) -> Value:
    """One way to fill a template: a part with a row has its code, any other is the next captured group."""
    target, group = "", 0
    for position, piece in enumerate(pieces(template)):
        row = chosen[position // 2] if position % 2 else None
        group += position % 2 and row is None
        target += piece if not position % 2 else f"\\{group}" if row is None else row.code
    is_ignored = any(row is not None and not row.code for row in chosen)
    validity = [_validity(row) for row in chosen if row is not None]
    return Value(
        tuple(_ANY if row is None else row.label for row in chosen),
        None if is_ignored else target,
        regex=tuple(row is None for row in chosen),
        **{name: day for each in reversed(validity) for name, day in each.items()},
    )
