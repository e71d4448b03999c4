"""What the columns of the package's table mean, for readers of CSV on the Web (W3C Recommendation, 2015)."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from pipeline.formats import Format
from pipeline.formats.columns import headings
from pipeline.framework import LANGUAGES, Component, Text
from pipeline.model import Description, Library, Protected

_TYPES = {"Double": "number", "Integer": "integer"}
_MEASURE = "http://purl.org/linked-data/sdmx/2009/measure#obsValue"


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write `csv-metadata.json`, the name under which a reader looks for it beside `data.csv`."""
    structure = protected.flow.structure
    content = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": "data.csv",
        "dc:title": _texts(description.title),
        "dc:description": _texts(description.fields["DATA_DESCR"]),
        "dc:license": {"@id": description.licences[0].url} if description.licences else None,
        "dc:modified": {"@value": description.last_update, "@type": "xsd:date"},
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "doubleQuote": True},
        "tableSchema": {
            "columns": [_column(structure.components[name]) for name in headings(protected)],
            "primaryKey": list(structure.key),
        },
    }
    said = {key: value for key, value in content.items() if value}
    file.write(json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n")


def _column(component: Component) -> dict[str, Any]:
    # The name is a variable of URI templates (RFC 6570): letters, digits and underscores.
    is_key = component.role in ("dimension", "time")
    found = {
        "name": component.id,
        "titles": [component.id],
        "dc:title": _texts(component.concept.name),
        "dc:description": _texts(component.concept.definition),
        "datatype": _TYPES.get(component.concept.representation, "string"),
        "required": is_key,
    }
    if component.role == "measure":
        found["propertyUrl"] = _MEASURE
    return found


def _texts(text: Text) -> list[dict[str, str]]:
    return [{"@value": text[lang], "@language": lang} for lang in LANGUAGES if text.get(lang)]


FORMAT = Format(
    id="csvw",
    folder="packages",
    file="csv-metadata.json",
    media_type="application/csvm+json",
    label={"en": "CSV on the Web", "es": "CSV en la web (CSVW)", "pt": "CSV na web (CSVW)"},
    write=write,
)
