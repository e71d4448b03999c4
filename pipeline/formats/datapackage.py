"""The descriptor of a Frictionless data package: schema from the structure, never inferred."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, BinaryIO

from pipeline.formats import Format, table
from pipeline.formats.columns import headings, used
from pipeline.framework import LANGUAGES, Component
from pipeline.model import Description, Library, Protected

_TYPES = {"Double": "number", "Integer": "integer"}
_PATTERNS = {
    "GregorianTimePeriod": r"\d{4}(-\d{2}(-\d{2})?)?",
    "ObservationalTimePeriod": r"\d{4}(-(Q[1-4]|\d{2}))?",
}


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write `datapackage.json` beside the table it describes."""
    file.write(json.dumps(_package(protected, description, library), ensure_ascii=False, indent=2).encode() + b"\n")


def _package(protected: Protected, description: Description, library: Library) -> dict[str, Any]:
    from frictionless import (
        Package,
        Resource,
        Schema,
        fields,
    )  # half a second of import, only when packages are made

    name = f"{description.flow}-{description.area}".lower().replace("_", "-")
    content = io.BytesIO()
    table.write(protected, description, library, content)
    schema = Schema(fields=[_field(fields, protected, c) for c in headings(protected)], missing_values=[""])
    schema.primary_key = list(protected.flow.structure.key)
    resource = Resource(
        name="data", path="data.csv", format="csv", mediatype="text/csv", encoding="utf-8", schema=schema
    )
    resource.title = description.title["en"]
    package = Package(
        name=name,
        title=description.title["en"],
        description=description.fields["DATA_DESCR"]["en"],
        homepage=description.fields["ONLINE_DB"]["en"],
        version=description.vintage,
        created=f"{description.last_update}T00:00:00Z",
        licenses=[{"name": each.id, "title": each.name, "path": each.url} for each in description.licences],
        sources=[{"title": source["title"], "path": source["path"]} for source in description.sources],
        contributors=[{"title": description.fields["CONTACT_ORGANISATION"]["en"], "role": "publisher"}],
        resources=[resource],
    )
    found: dict[str, Any] = package.to_descriptor()
    found["resources"][0] |= {
        "hash": "sha256:" + hashlib.sha256(content.getvalue()).hexdigest(),
        "bytes": len(content.getvalue()),
        "profile": "tabular-data-resource",
    }
    # Data Package has no way to say a text in several languages: ours stand beside the English one.
    return found | {"titles": {lang: description.title[lang] for lang in LANGUAGES}}


def _field(kinds: Any, protected: Protected, identifier: str) -> Any:
    """One column: type, allowed codes and what must be filled, as the structure has them."""
    component = protected.flow.structure.components[identifier]
    kind = _TYPES.get(component.concept.representation, "string")
    field = (kinds.NumberField if kind == "number" else kinds.IntegerField if kind == "integer" else kinds.StringField)(
        name=identifier,
        title=component.concept.name["en"],
        description=component.concept.definition["en"],
    )
    field.constraints = _constraints(component, protected)
    return field


def _constraints(component: Component, protected: Protected) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if component.role in ("dimension", "time") or (component.role == "attribute" and component.is_mandatory):
        constraints["required"] = True
    if component.codelist is not None:
        constraints["enum"] = used(protected, component.id)
    elif component.concept.representation in _PATTERNS:
        constraints["pattern"] = _PATTERNS[component.concept.representation]
    return constraints


FORMAT = Format(
    id="datapackage",
    folder="packages",
    file="datapackage.json",
    media_type="application/json",
    label={"en": "Data package", "es": "Paquete de datos", "pt": "Pacote de dados"},
    write=write,
)
