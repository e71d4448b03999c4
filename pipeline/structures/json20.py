"""Artefacts → an SDMX-JSON 2.0 structure message, in all languages.

Media type `application/vnd.sdmx.structure+json;version=2.0.0`. A new class of artefact is one row of
`SECTIONS`. Each name stands in English and, under the plural, in every language, as the schema asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sdmx.model import common, v21

from pipeline.framework import LANGUAGES
from pipeline.structures import walk
from pipeline.structures.metadata import ANY_TARGET, MetadataAttribute, Metadataflow, MetadataStructure
from pipeline.structures.walk import Section

SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json"
)

Json = dict[str, Any]


def _nameable(artefact: common.NameableArtefact) -> Json:
    found: Json = {"id": artefact.id}
    for key, text in (("name", artefact.name), ("description", artefact.description)):
        if text:
            found[key] = text.localized_default("en")
            found[f"{key}s"] = dict(text.localizations)
    if artefact.annotations:
        found["annotations"] = [
            {key: value for key in ("id", "title", "type") if (value := getattr(note, key))}
            for note in artefact.annotations
        ]
    return found


def _maintainable(kind: str, artefact: common.MaintainableArtefact) -> Json:
    found = {
        **_nameable(artefact),
        "agencyID": walk.agency(artefact),
        "version": str(artefact.version),
        "isExternalReference": False,
        "links": [{"rel": "self", "urn": walk.urn(kind, artefact), "type": kind.partition(".")[2].lower()}],
    }
    if isinstance(artefact, common.ItemScheme):
        found["isPartial"] = bool(artefact.is_partial)
    return found


# ---------------------------------------------------------------- schemes


def _agencies(scheme: common.AgencyScheme) -> Json:
    return {**_maintainable("base.AgencyScheme", scheme), "agencies": list(map(_nameable, scheme))}


def _providers(scheme: common.DataProviderScheme) -> Json:
    def write(provider: common.DataProvider) -> Json:
        contacts = [{"uris": list(contact.uri)} for contact in provider.contact]
        return {**_nameable(provider), **({"contacts": contacts} if contacts else {})}

    found = _maintainable("base.DataProviderScheme", scheme)
    return {**found, "dataProviders": list(map(write, scheme))}


def _codelist(scheme: common.Codelist) -> Json:
    def write(code: common.Code) -> Json:
        parent = walk.parent(code)
        return {**_nameable(code), **({"parent": parent} if parent else {})}

    return {**_maintainable("codelist.Codelist", scheme), "codes": list(map(write, scheme))}


def _concepts(scheme: common.ConceptScheme) -> Json:
    def write(concept: common.Concept) -> Json:
        core = concept.core_representation
        return {**_nameable(concept), **({"coreRepresentation": _representation(core)} if core else {})}

    found = _maintainable("conceptscheme.ConceptScheme", scheme)
    return {**found, "concepts": list(map(write, scheme))}


def _categories(scheme: common.CategoryScheme) -> Json:
    def write(category: common.Category) -> Json:
        below = list(map(write, category.child))
        return {**_nameable(category), **({"categories": below} if below else {})}

    top = [write(category) for category in scheme if not walk.parent(category)]
    return {**_maintainable("categoryscheme.CategoryScheme", scheme), "categories": top}


def _categorisation(each: common.Categorisation) -> Json:
    assert each.category is not None
    path = each.category.hierarchical_id.split(".")
    return {
        **_maintainable("categoryscheme.Categorisation", each),
        "source": walk.urn("datastructure.Dataflow", each.artefact),  # type: ignore[arg-type]  # always a dataflow
        "target": walk.urn("categoryscheme.Category", walk.scheme(each.category), *path),
    }


def _hierarchy(each: v21.HierarchicalCodelist) -> Json:
    def write(node: common.HierarchicalCode) -> Json:
        assert node.code is not None
        below = list(map(write, node.child))
        return {
            "id": node.id,
            "code": walk.urn("codelist.Code", walk.scheme(node.code), node.code.id),
            **({"hierarchicalCodes": below} if below else {}),
        }

    codes = [write(top) for hierarchy in each.hierarchy for top in hierarchy.codes.values()]
    return {**_maintainable("codelist.Hierarchy", each), "hasFormalLevels": False, "hierarchicalCodes": codes}


# ---------------------------------------------------------------- structures


def _dataflow(flow: v21.DataflowDefinition) -> Json:
    structure = walk.urn("datastructure.DataStructure", flow.structure)
    return {**_maintainable("datastructure.Dataflow", flow), "structure": structure}


def _data_structure(dsd: v21.DataStructureDefinition) -> Json:
    *dimensions, time = dsd.dimensions.components
    components: Json = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [{**_component(each), "position": each.order} for each in dimensions],
            "timeDimension": _component(time),
        },
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": list(map(_attribute, dsd.attributes.components)),
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [{**_component(each), "usage": "optional"} for each in dsd.measures.components],
        },
    }
    groups = dsd.group_dimensions.values()
    if groups:  # the schema refuses an empty list
        components["groups"] = [
            {"id": group.id, "groupDimensions": [each.id for each in group.components]} for group in groups
        ]
    return {**_maintainable("datastructure.DataStructure", dsd), "dataStructureComponents": components}


def _component(component: common.Component) -> Json:
    concept, representation = component.concept_identity, component.local_representation
    assert concept is not None
    assert representation is not None
    return {
        "id": component.id,
        "conceptIdentity": walk.urn("conceptscheme.Concept", walk.scheme(concept), concept.id),
        "localRepresentation": _representation(representation),
    }


def _attribute(attribute: common.DataAttribute) -> Json:
    is_mandatory = attribute.usage_status is common.UsageStatus.mandatory
    return {
        **_component(attribute),
        "usage": "mandatory" if is_mandatory else "optional",
        "attributeRelationship": _relationship(attribute.related_to),
    }


def _relationship(relation: object) -> Json:
    match relation:
        case common.DimensionRelationship():
            return {"dimensions": [each.id for each in relation.dimensions]}
        case common.GroupRelationship():
            assert relation.group_key is not None
            return {"group": relation.group_key.id}
        case v21.PrimaryMeasureRelationship():
            return {"observation": {}}
        case _:
            return {"dataflow": {}}


def _representation(representation: common.Representation) -> Json:
    if representation.enumerated is not None:
        return {"enumeration": walk.urn("codelist.Codelist", representation.enumerated)}
    return {"format": {"dataType": walk.text_type(representation)}}


# ---------------------------------------------------------------- constraints and agreements


def _constraint(each: v21.ContentConstraint) -> Json:
    assert each.role is not None
    is_allowed = each.role.role is common.ConstraintRoleType.allowable
    found = {
        **_maintainable("registry.DataConstraint", each),
        "role": "Allowed" if is_allowed else "Actual",
        "constraintAttachment": {"dataflows": [walk.urn("datastructure.Dataflow", walk.flow_of(each))]},
    }
    regions = [_region(region) for region in each.data_content_region]
    return {**found, **({"cubeRegions": regions} if regions else {})}


def _region(region: common.CubeRegion) -> Json:
    found: Json = {"include": region.included}
    for member in region.member.values():
        key = "components" if walk.is_attribute(member.values_for) else "keyValues"
        found.setdefault(key, []).append({"id": member.values_for.id, **_values(member.values)})
    return found


def _values(values: Sequence[Any]) -> Json:
    if values and isinstance(values[0], v21.RangePeriod):
        span = values[0]
        ends = {"startPeriod": span.start, "endPeriod": span.end}
        return {"timeRange": {key: {"period": end.period, "isInclusive": True} for key, end in ends.items()}}
    return {"values": [{"value": each.value} for each in values]}


def _agreement(each: common.ProvisionAgreement) -> Json:
    assert each.data_provider is not None
    assert each.structure_usage is not None
    provider = walk.urn("base.DataProvider", walk.scheme(each.data_provider), each.data_provider.id)
    return {
        **_maintainable("registry.ProvisionAgreement", each),
        "dataflow": walk.urn("datastructure.Dataflow", each.structure_usage),
        "dataProvider": provider,
    }


def _metadata_structure(each: MetadataStructure) -> Json:
    def write(attribute: MetadataAttribute) -> Json:
        concept = attribute.concept
        return {
            "id": concept.id,
            "conceptIdentity": walk.urn("conceptscheme.Concept", walk.scheme(concept), concept.id),
            "minOccurs": int(attribute.is_mandatory),
            "maxOccurs": 1,
            "isPresentational": False,
            "localRepresentation": {"format": {"dataType": "String", "isMultilingual": True}},
        }

    attributes = {"id": "MetadataAttributeDescriptor", "metadataAttributes": list(map(write, each.attributes))}
    found = _maintainable("metadatastructure.MetadataStructure", each)
    return {**found, "metadataStructureComponents": {"metadataAttributeList": attributes}}


def _metadataflow(each: Metadataflow) -> Json:
    assert each.structure is not None
    return {
        **_maintainable("metadatastructure.Metadataflow", each),
        "structure": walk.urn("metadatastructure.MetadataStructure", each.structure),
        "targets": list(ANY_TARGET),
    }


SECTIONS = (
    Section(common.AgencyScheme, "agencySchemes", _agencies),
    Section(common.DataProviderScheme, "dataProviderSchemes", _providers),
    Section(common.Codelist, "codelists", _codelist),
    Section(v21.HierarchicalCodelist, "hierarchies", _hierarchy),
    Section(common.ConceptScheme, "conceptSchemes", _concepts),
    Section(v21.DataStructureDefinition, "dataStructures", _data_structure),
    Section(v21.DataflowDefinition, "dataflows", _dataflow),
    Section(common.CategoryScheme, "categorySchemes", _categories),
    Section(common.Categorisation, "categorisations", _categorisation),
    Section(v21.ContentConstraint, "dataConstraints", _constraint),
    Section(common.ProvisionAgreement, "provisionAgreements", _agreement),
    Section(MetadataStructure, "metadataStructures", _metadata_structure),
    Section(Metadataflow, "metadataflows", _metadataflow),
)


def write(
    artefacts: Iterable[common.MaintainableArtefact],
    *,
    message_id: str,
    prepared: datetime,
    sender: str,
    links: Sequence[str] = (),
) -> bytes:
    """One message with the artefacts, each once. `links`: URNs of what the answer to a schema query is made from."""
    data = dict(walk.sections(artefacts, SECTIONS))
    return document(SCHEMA, data, message_id=message_id, prepared=prepared, sender=sender, links=links)


def document(
    schema: str,
    data: Json,
    *,
    message_id: str,
    prepared: datetime,
    sender: str,
    links: Sequence[str] = (),
) -> bytes:
    """A message of any kind: what it says of itself, then its data."""
    meta: Json = {
        "schema": schema,
        "id": message_id,
        "test": False,
        "prepared": prepared.isoformat(),
        "contentLanguages": list(LANGUAGES),
        "sender": {"id": sender},
    }
    if links:
        meta["links"] = [{"rel": "related", "urn": each} for each in links]
    message = {"meta": meta, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
