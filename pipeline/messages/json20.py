"""Structure messages in SDMX-JSON 2.0 (sdmx-json-structure-schema.json)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from sdmx.model import common, v21

from pipeline.messages.cube import difference
from pipeline.messages.names import path_of, urn

_SCHEMA = "https://json.sdmx.org/2.0.0/sdmx-json-structure-schema.json"
_COLLECTIONS = {
    common.AgencyScheme: "agencySchemes",
    common.DataProviderScheme: "dataProviderSchemes",
    common.Codelist: "codelists",
    v21.HierarchicalCodelist: "hierarchies",
    common.ConceptScheme: "conceptSchemes",
    v21.DataStructureDefinition: "dataStructures",
    v21.DataflowDefinition: "dataflows",
    v21.ContentConstraint: "dataConstraints",
    common.CategoryScheme: "categorySchemes",
    common.Categorisation: "categorisations",
    common.ProvisionAgreement: "provisionAgreements",
}

Json = dict[str, Any]


def message(
    fragments: Iterable[tuple[type[Any], str]], *, message_id: str, prepared: str, sender: str, languages: list[str]
) -> bytes:
    """A whole structure message of fragments made by `fragment`."""
    collections: dict[str, list[str]] = {}
    for kind, text in fragments:
        collections.setdefault(_COLLECTIONS[kind], []).append(text)
    meta = {
        "schema": _SCHEMA,
        "id": message_id,
        "test": False,
        "prepared": prepared,
        "contentLanguages": languages,
        "sender": {"id": sender},
    }
    data = ",\n".join(f'"{name}":[{",".join(texts)}]' for name, texts in sorted(collections.items()))
    return f'{{"meta":{json.dumps(meta)},\n"data":{{{data}}}}}\n'.encode()


def fragment(artefact: Any) -> str:
    """One artefact as JSON text."""
    writers: dict[type[Any], Callable[[Any], Json]] = {
        common.AgencyScheme: lambda a: {"agencies": [_item(each) for each in a]},
        common.DataProviderScheme: lambda a: {"dataProviders": [_item(each) for each in a]},
        common.Codelist: lambda a: {"isPartial": False, "codes": [_code(each) for each in a]},
        v21.HierarchicalCodelist: _hierarchy,
        common.ConceptScheme: lambda a: {"isPartial": False, "concepts": [_concept(each) for each in a]},
        v21.DataStructureDefinition: _structure,
        v21.DataflowDefinition: lambda a: {"structure": _urn(a.structure)},
        v21.ContentConstraint: _constraint,
        common.CategoryScheme: _categories,
        common.Categorisation: _categorisation,
        common.ProvisionAgreement: _agreement,
    }
    made = _maintainable(artefact) | writers[type(artefact)](artefact)
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _urn(artefact: Any, item: str = "") -> str:
    return urn(artefact, item, version="3.0")


def _maintainable(artefact: Any) -> Json:
    found = {"id": artefact.id, "agencyID": artefact.maintainer.id, "version": artefact.version}
    links = [{"rel": "self", "urn": _urn(artefact)}]
    return found | {"isExternalReference": False, "links": links} | _texts(artefact)


def _texts(item: Any) -> Json:
    """One best text and all of them, as the format has it; English is the one."""
    found: Json = {}
    for one, every, text in (("name", "names", item.name), ("description", "descriptions", item.description)):
        said = dict(sorted(text.localizations.items()))
        if said:
            found |= {one: said.get("en") or next(iter(said.values())), every: said}
    return found


def _item(item: Any) -> Json:
    found = {"id": item.id} | _texts(item)
    notes = [{"id": each.id, "type": str(each.type), "title": str(each.title)} for each in item.annotations]
    return found | ({"annotations": notes} if notes else {})


def _code(code: Any) -> Json:
    return _item(code) | ({"parent": code.parent.id} if isinstance(code.parent, common.Code) else {})


def _concept(concept: Any) -> Json:
    representation = _representation(concept.core_representation)
    return _item(concept) | ({"coreRepresentation": representation} if representation else {})


def _representation(representation: Any) -> Json:
    if representation is None:
        return {}
    if representation.enumerated is not None:
        return {"enumeration": _urn(representation.enumerated)}
    name = representation.non_enumerated[0].value_type.name
    return {"format": {"dataType": name[0].upper() + name[1:]}}


def _component(part: Any) -> Json:
    found = {"id": part.id, "conceptIdentity": _urn(part.concept_identity.get_scheme(), part.concept_identity.id)}
    representation = _representation(part.local_representation)
    return found | ({"localRepresentation": representation} if representation else {})


def _structure(dsd: Any) -> Json:
    dimensions = [d for d in dsd.dimensions if not isinstance(d, common.TimeDimension)]
    (time,) = (d for d in dsd.dimensions if isinstance(d, common.TimeDimension))
    components: Json = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [_component(d) | {"position": d.order} for d in dimensions],
            "timeDimension": _component(time),
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": [_attribute(a) for a in dsd.attributes]},
        "measureList": {"id": "MeasureDescriptor", "measures": [_component(m) for m in dsd.measures]},
    }
    groups = [
        {"id": group.id, "groupDimensions": [d.id for d in group.components]} for group in dsd.group_dimensions.values()
    ]
    if groups:
        components["groups"] = groups
    return {"dataStructureComponents": components}


def _attribute(attribute: Any) -> Json:
    match attribute.related_to:
        case v21.PrimaryMeasureRelationship():
            to: Json = {"observation": {}}
        case v21.DimensionRelationship():
            to = {"dimensions": [d.id for d in attribute.related_to.dimensions]}
        case v21.GroupRelationship():
            to = {"group": attribute.related_to.group_key.id}
        case _:
            to = {"dataflow": {}}
    usage = "mandatory" if attribute.usage_status is common.UsageStatus.mandatory else "optional"
    return _component(attribute) | {"usage": usage, "attributeRelationship": to}


def _constraint(constraint: Any) -> Json:
    (flow,) = constraint.content
    is_allowed = constraint.role.role is common.ConstraintRoleType.allowable
    regions = [
        {
            "include": region.is_included,
            "keyValues": [
                {
                    "id": each.component,
                    "include": each.is_included,
                    "values": [{"value": value} for value in each.values],
                }
                for each in region.selections
            ],
        }
        for region in difference(constraint)
    ]
    return {
        "role": "Allowed" if is_allowed else "Actual",
        "constraintAttachment": {"dataflows": [_urn(flow)]},
        "cubeRegions": regions,
    }


def _categories(scheme: Any) -> Json:
    def nested(category: Any) -> Json:
        below = [nested(each) for each in category.child]
        return _item(category) | ({"categories": below} if below else {})

    return {"categories": [nested(each) for each in scheme if not isinstance(each.parent, common.Category)]}


def _categorisation(each: Any) -> Json:
    return {"source": _urn(each.artefact), "target": _urn(each.category.get_scheme(), path_of(each.category))}


def _agreement(each: Any) -> Json:
    provider = _urn(each.data_provider.get_scheme(), each.data_provider.id)
    return {"dataflow": _urn(each.structure_usage), "dataProvider": provider}


def _hierarchy(hierarchical: Any) -> Json:
    def code(each: Any) -> Json:
        found: Json = {"id": each.id, "code": _urn(each.code.get_scheme(), each.code.id)}
        below = [code(child) for child in each.child]
        return found | ({"hierarchicalCodes": below} if below else {})

    (tree,) = hierarchical.hierarchy
    return {"hasFormalLevels": False, "hierarchicalCodes": [code(each) for each in tree.codes.values()]}
