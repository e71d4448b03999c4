"""The package as a Croissant 1.0 dataset (MLCommons), for tools of machine learning: what each column holds."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, BinaryIO

from pipeline.formats import Format, table
from pipeline.formats.columns import headings
from pipeline.framework import LANGUAGES, Component
from pipeline.model import Description, Library, Protected

# The context that the specification gives (http://mlcommons.org/croissant/1.0, section "Croissant files").
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"Double": "sc:Float", "Integer": "sc:Integer"}
_FILE, _ROWS = "data.csv", "observations"


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write `croissant.json` beside the table it describes."""
    content = io.BytesIO()
    table.write(protected, description, library, content)
    components = protected.flow.structure.components
    page = description.fields["ONLINE_DB"]["en"]
    told = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": description.title["en"],
        "description": description.fields["DATA_DESCR"]["en"],
        "url": page,
        "version": _version(description),
        "datePublished": description.last_update,
        "license": [each.url for each in description.licences],
        "creator": {"@type": "sc:Organization", "name": description.fields["CONTACT_ORGANISATION"]["en"]},
        "inLanguage": list(LANGUAGES),
        "citeAs": f"{description.title['en']}, {description.vintage}. {page}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": _FILE,
                "name": _FILE,
                "contentUrl": _FILE,
                "encodingFormat": "text/csv",
                "contentSize": f"{len(content.getvalue())} B",
                "sha256": hashlib.sha256(content.getvalue()).hexdigest(),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _ROWS,
                "name": _ROWS,
                "key": [{"@id": f"{_ROWS}/{name}"} for name in protected.flow.structure.key],
                "field": [_field(components[name]) for name in headings(protected)],
            }
        ],
    }
    file.write(json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n")


def _version(description: Description) -> str:
    """The release as the three numbers that Croissant asks for: `2026-11-24.1` → `20261124.1.0`."""
    day, _, number = description.vintage.partition(".")
    return f"{day.replace('-', '')}.{number}.0"


def _field(component: Component) -> dict[str, Any]:
    kind = _TYPES["Double"] if component.role == "measure" else _TYPES.get(component.concept.representation, "sc:Text")
    return {
        "@type": "cr:Field",
        "@id": f"{_ROWS}/{component.id}",
        "name": component.id,
        "description": f"{component.concept.name['en']}. {component.concept.definition['en']}",
        "dataType": kind,
        "source": {"fileObject": {"@id": _FILE}, "extract": {"column": component.id}},
    }


FORMAT = Format(
    id="croissant",
    folder="packages",
    file="croissant.json",
    media_type="application/ld+json",
    label=dict.fromkeys(LANGUAGES, "Croissant"),
    write=write,
)
