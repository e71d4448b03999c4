"""Artefacts → an SDMX-ML 3.0 structure message (SDMX 3.0 section 3A, SDMXStructure.xsd), in all languages.

A new class of artefact is one row of `SECTIONS`. Attributes have no MeasureRelationship: there is one
measure, and some readers refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from sdmx.model import common, v21

from pipeline.structures import ml, walk
from pipeline.structures.maps import ComponentMap, FixedValue, RepresentationMap, StructureMap, Value
from pipeline.structures.metadata import ANY_TARGET, Metadataflow, MetadataStructure
from pipeline.structures.walk import Section

# The type of a code's Parent in the 3.0 schema. That it refuses `_T` and `1`, which are code ids, is a known
# error of the schema (sdmx-twg/sdmx-ml issue 30; 3.1 has it right).
_PARENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

_REGEX = ' isRegEx="true"'


def _local(klass: str, identifier: str) -> str:  # one contract with SDMX-ML 2.1
    return identifier


def _version(artefact: common.MaintainableArtefact) -> str:
    """Organisation schemes have none in 3.0; there is no isFinal, for every x.y.z version is final."""
    return "" if isinstance(artefact, common.OrganisationScheme) else f' version="{artefact.version}"'


def _usage(attribute: common.DataAttribute) -> str:
    is_mandatory = attribute.usage_status is common.UsageStatus.mandatory
    return f' usage="{"mandatory" if is_mandatory else "optional"}"'


_DIALECT = ml.Dialect(
    schemas="http://www.sdmx.org/resources/sdmxml/schemas/v3_0",
    version=_version,
    has_multilingual=True,
    ref=walk.urn,
    local=_local,
    usage=_usage,
    relations=("<str:Dataflow/>", "<str:Observation/>"),
    measure="Measure",
)


def _codelist(scheme: common.Codelist) -> str:
    """A code list. A parent that the schema refuses to name stands in an annotation of type PARENT."""

    def write(code: common.Code) -> str:
        parent = walk.parent(code)
        if not parent or _PARENT.fullmatch(parent):
            return ml.item("codelist.Code", scheme, code, parent and f"<str:Parent>{parent}</str:Parent>")
        note = v21.Annotation(type="PARENT", title=parent)
        noted = common.Code(id=code.id, name=code.name, annotations=[*code.annotations, note])
        return ml.item("codelist.Code", scheme, noted)

    return ml.item_scheme(_DIALECT, "codelist.Codelist", scheme, write)


def _hierarchy(each: v21.HierarchicalCodelist) -> str:
    kind_of = partial(walk.urn, "codelist.HierarchicalCode", each)
    codes = (
        ml.hierarchical_code(_DIALECT, kind_of, top, ())
        for hierarchy in each.hierarchy
        for top in hierarchy.codes.values()
    )
    return ml.maintainable(_DIALECT, "codelist.Hierarchy", each, codes, attributes=' hasFormalLevels="false"')


def _structure_map(each: StructureMap) -> str:
    """A structure map: components first, then fixed values (StructureMapType)."""

    def component(part: ComponentMap) -> str:
        ends = _each("Source", part.sources) + _each("Target", [part.target])
        through = _reference("RepresentationMap", "structuremapping.RepresentationMap", part.through)
        return f"<str:ComponentMap>{ml.annotated(part.annotations)}{ends}{through}</str:ComponentMap>"

    is_structure = isinstance(each.target, v21.DataStructureDefinition)
    body = (
        _reference("Source", "datastructure.DataStructure", each.source),
        _reference("Target", f"datastructure.{'DataStructure' if is_structure else 'Dataflow'}", each.target),
        *map(component, each.components),
        *map(_fixed, each.fixed),
    )
    return ml.maintainable(_DIALECT, "structuremapping.StructureMap", each, body)


def _fixed(part: FixedValue) -> str:
    parts = _each("Target", [part.target]) + _each("Value", [part.value])
    return f"<str:FixedValueMap>{parts}</str:FixedValueMap>"


def _representation_map(each: RepresentationMap) -> str:
    """A representation map from text to a code list or to text."""
    target = _reference("TargetCodelist", "codelist.Codelist", each.target) or _each("TargetDataType", ["String"])
    body = (_each("SourceDataType", ["String"] * each.sources), target, *map(_mapping, each.values))
    return ml.maintainable(_DIALECT, "structuremapping.RepresentationMap", each, body)


def _mapping(value: Value) -> str:
    days = (("validFrom", value.valid_from), ("validTo", value.valid_to))
    validity = "".join(f' {name}="{day}"' for name, day in days if day)
    sources = "".join(
        f"<str:SourceValue{_REGEX if is_regex else ''}>{ml.escaped(text)}</str:SourceValue>"
        for text, is_regex in zip(value.sources, value.regex, strict=True)
    )
    target = _each("TargetValue", [] if value.target is None else [value.target])
    return (
        f"<str:RepresentationMapping{validity}>{ml.annotated(value.annotations)}{sources}{target}"
        "</str:RepresentationMapping>"
    )


def _each(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<str:{tag}>{ml.escaped(text)}</str:{tag}>" for text in texts)


def _reference(tag: str, kind: str, of: common.MaintainableArtefact | None) -> str:
    return f"<str:{tag}>{walk.urn(kind, of)}</str:{tag}>" if of is not None else ""


def _metadata_structure(each: MetadataStructure) -> str:
    name = "MetadataAttributeDescriptor"
    attributes = "".join(ml.metadata_attribute(_DIALECT, each, attribute) for attribute in each.attributes)
    listed = f'<str:MetadataAttributeList id="{name}">{attributes}</str:MetadataAttributeList>'
    body = f"<str:MetadataStructureComponents>{listed}</str:MetadataStructureComponents>"
    return ml.maintainable(_DIALECT, "metadatastructure.MetadataStructure", each, [body])


def _metadataflow(each: Metadataflow) -> str:
    body = (
        _reference("Structure", "metadatastructure.MetadataStructure", each.structure),
        _each("Target", ANY_TARGET),
    )
    return ml.maintainable(_DIALECT, "metadatastructure.Metadataflow", each, body)


SECTIONS = (
    Section(common.AgencyScheme, "AgencySchemes", partial(ml.organisations, _DIALECT, "Agency")),
    Section(common.DataProviderScheme, "DataProviderSchemes", partial(ml.organisations, _DIALECT, "DataProvider")),
    Section(common.Codelist, "Codelists", _codelist),
    Section(v21.HierarchicalCodelist, "Hierarchies", _hierarchy),
    Section(common.ConceptScheme, "ConceptSchemes", partial(ml.concept_scheme, _DIALECT)),
    Section(v21.DataStructureDefinition, "DataStructures", partial(ml.data_structure, _DIALECT)),
    Section(v21.DataflowDefinition, "Dataflows", partial(ml.dataflow, _DIALECT)),
    Section(MetadataStructure, "MetadataStructures", _metadata_structure),
    Section(Metadataflow, "Metadataflows", _metadataflow),
    Section(common.CategoryScheme, "CategorySchemes", partial(ml.category_scheme, _DIALECT)),
    Section(common.Categorisation, "Categorisations", partial(ml.categorisation, _DIALECT)),
    Section(
        v21.ContentConstraint,
        "DataConstraints",
        partial(ml.constraint, _DIALECT, "DataConstraint", role="role", attribute="str:Component"),
    ),
    Section(common.ProvisionAgreement, "ProvisionAgreements", partial(ml.agreement, _DIALECT, usage="Dataflow")),
    Section(RepresentationMap, "RepresentationMaps", _representation_map),
    Section(StructureMap, "StructureMaps", _structure_map),
)

write = partial(ml.write, _DIALECT, SECTIONS)
