"""Data structure definitions and dataflows as objects of the information model (SDMX 2.1 section 2, §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdmx.model import common, v21

from pipeline.framework import GROUP, Component, Dataflow, Structure

METHOD = "METHOD_OF_PROTECTION"  # the type of the annotation of a dataflow whose counts are changed


def representation(of: str, codelists: Mapping[str, common.Codelist]) -> common.Representation | None:
    """A code list by its ref, or a text type such as `ObservationalTimePeriod`; None for a term without any."""
    if of in codelists:
        return common.Representation(enumerated=codelists[of])
    if not of:
        return None
    kind = common.FacetValueType[of[0].lower() + of[1:]]
    return common.Representation(non_enumerated=[common.Facet(value_type=kind)])


def structure(
    authored: Structure,
    concepts: common.ConceptScheme,
    codelists: Mapping[str, common.Codelist],
    own: Mapping[str, Any],
) -> v21.DataStructureDefinition:
    """One data structure. Ids of components are those of their concepts; positions count from 1."""

    def basis(component: Component) -> dict[str, Any]:
        return {
            "id": component.id,
            "concept_identity": concepts[component.id],
            "local_representation": representation(component.concept.representation, codelists),
        }

    keys: dict[str, common.DimensionComponent] = {}
    for order, component in enumerate(authored.of_role("dimension", "time"), start=1):
        kind = common.TimeDimension if component.role == "time" else common.Dimension
        keys[component.id] = kind(order=order, **basis(component))
    group = common.GroupDimensionDescriptor(id=GROUP, components=[keys[each] for each in authored.group])
    attachments: Mapping[str, common.AttributeRelationship] = {
        "observation": v21.PrimaryMeasureRelationship(),
        "measure": common.DimensionRelationship(dimensions=[keys[authored.measure_dimension]]),
        "group": common.GroupRelationship(group_key=group),
        "dataset": v21.NoSpecifiedRelationship(),
    }
    attributes = [
        common.DataAttribute(
            related_to=attachments[each.attachment],
            usage_status=common.UsageStatus["mandatory" if each.is_mandatory else "conditional"],
            **basis(each),
        )
        for each in authored.of_role("attribute")
    ]
    measures = [v21.PrimaryMeasure(**basis(each)) for each in authored.of_role("measure")]
    return v21.DataStructureDefinition(
        id=authored.id,
        name=authored.name,
        dimensions=common.DimensionDescriptor(id="DimensionDescriptor", components=list(keys.values())),
        attributes=common.AttributeDescriptor(id="AttributeDescriptor", components=attributes),
        measures=v21.MeasureDescriptor(id="MeasureDescriptor", components=measures),
        group_dimensions={GROUP: group} if authored.group else {},
        **own,
    )


def dataflow(authored: Dataflow, of: v21.DataStructureDefinition, own: Mapping[str, Any]) -> v21.DataflowDefinition:
    """A dataflow over its structure. That its counts are changed at random is said by an annotation, which every format
    has: no code of OBS_STATUS or CONF_STATUS means it, and each figure is published and free.
    """
    method = authored.protection.method
    changed: list[common.BaseAnnotation] = []
    if authored.protection.is_by_chance:
        changed.append(v21.Annotation(type=METHOD, title=method))
    return v21.DataflowDefinition(
        id=authored.id,
        name=authored.name,
        description=authored.description,
        structure=of,
        annotations=changed,
        **own,
    )
