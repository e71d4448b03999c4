"""Artefacts → an SDMX-ML 2.1 structure message (SDMX 2.1 section 3A, SDMXStructure.xsd), in all languages.

A new class of artefact is one row of `SECTIONS`, at the place that the schema gives it.
"""

from __future__ import annotations

from functools import partial

from sdmx.model import common, v21

from pipeline.structures import ml, walk
from pipeline.structures.metadata import REPORT, TARGETS, Metadataflow, MetadataStructure
from pipeline.structures.walk import Section


def reference(kind: str, of: common.MaintainableArtefact, *path: str) -> str:
    package, _, klass = kind.partition(".")
    ends = f'package="{package}" class="{klass}"/>'
    if not path:
        return f'<Ref id="{of.id}" version="{of.version}" agencyID="{walk.agency(of)}" {ends}'
    return (
        f'<Ref id="{".".join(path)}" maintainableParentID="{of.id}" maintainableParentVersion="{of.version}" '
        f'agencyID="{walk.agency(of)}" {ends}'
    )


def _local(klass: str, identifier: str) -> str:
    return f'<Ref id="{identifier}" class="{klass}"/>'


def _version(artefact: common.MaintainableArtefact) -> str:
    return f' version="{artefact.version}" isFinal="{str(bool(artefact.is_final)).lower()}"'


def _usage(attribute: common.DataAttribute) -> str:
    assert attribute.usage_status is not None
    return f' assignmentStatus="{attribute.usage_status.name.title()}"'


_DIALECT = ml.Dialect(
    schemas="http://www.sdmx.org/resources/sdmxml/schemas/v2_1",
    version=_version,
    has_multilingual=False,
    ref=reference,
    local=_local,
    usage=_usage,
    relations=("<str:None/>", '<str:PrimaryMeasure><Ref id="OBS_VALUE" class="PrimaryMeasure"/></str:PrimaryMeasure>'),
    measure="PrimaryMeasure",
)


def _codelist(scheme: common.Codelist) -> str:
    def write(code: common.Code) -> str:
        parent = walk.parent(code)
        above = f"<str:Parent>{_local('Code', parent)}</str:Parent>" if parent else ""
        return ml.item("codelist.Code", scheme, code, above)

    return ml.item_scheme(_DIALECT, "codelist.Codelist", scheme, write)


def _hierarchy(each: v21.HierarchicalCodelist) -> str:
    """The code lists that its codes come from, then its hierarchies."""
    found = [top.code for hierarchy in each.hierarchy for top in hierarchy.codes.values()]
    used = {codes.id: codes for codes in (walk.scheme(code) for code in found if code is not None)}
    body = [
        f'<str:IncludedCodelist alias="{alias}">{reference("codelist.Codelist", codes)}</str:IncludedCodelist>'
        for alias, codes in used.items()
    ]
    for hierarchy in each.hierarchy:
        kind_of = partial(walk.urn, "codelist.HierarchicalCode", each, hierarchy.id)
        codes = (ml.hierarchical_code(_DIALECT, kind_of, top, ()) for top in hierarchy.codes.values())
        address = walk.urn("codelist.Hierarchy", each, hierarchy.id)
        body.append(
            f'<str:Hierarchy id="{hierarchy.id}" urn="{address}" leveled="false">'
            f"{ml.nameable(hierarchy)}{''.join(codes)}</str:Hierarchy>"
        )
    return ml.maintainable(_DIALECT, "codelist.HierarchicalCodelist", each, body)


def _metadata_structure(each: MetadataStructure) -> str:
    """One report, which may be about a dataflow or about who provides it."""
    text = '<str:LocalRepresentation><str:TextFormat textType="IdentifiableReference"/></str:LocalRepresentation>'
    targets = (
        f'<str:MetadataTarget id="{identifier}"><str:IdentifiableObjectTarget id="{identifier}" objectType="{kind}">'
        f"{text}</str:IdentifiableObjectTarget></str:MetadataTarget>"
        for identifier, kind in TARGETS.items()
    )
    attributes = (ml.metadata_attribute(_DIALECT, each, attribute, REPORT) for attribute in each.attributes)
    about = (f'<str:MetadataTarget><Ref id="{identifier}"/></str:MetadataTarget>' for identifier in TARGETS)
    report = f'<str:ReportStructure id="{REPORT}">{"".join((*attributes, *about))}</str:ReportStructure>'
    body = ("<str:MetadataStructureComponents>", *targets, report, "</str:MetadataStructureComponents>")
    return ml.maintainable(_DIALECT, "metadatastructure.MetadataStructure", each, body)


def _metadataflow(each: Metadataflow) -> str:
    assert each.structure is not None
    body = f"<str:Structure>{reference('metadatastructure.MetadataStructure', each.structure)}</str:Structure>"
    return ml.maintainable(_DIALECT, "metadatastructure.Metadataflow", each, [body])


SECTIONS = (
    Section(common.AgencyScheme, "OrganisationSchemes", partial(ml.organisations, _DIALECT, "Agency")),
    Section(common.DataProviderScheme, "OrganisationSchemes", partial(ml.organisations, _DIALECT, "DataProvider")),
    Section(v21.DataflowDefinition, "Dataflows", partial(ml.dataflow, _DIALECT)),
    Section(Metadataflow, "Metadataflows", _metadataflow),
    Section(common.CategoryScheme, "CategorySchemes", partial(ml.category_scheme, _DIALECT)),
    Section(common.Categorisation, "Categorisations", partial(ml.categorisation, _DIALECT)),
    Section(common.Codelist, "Codelists", _codelist),
    Section(v21.HierarchicalCodelist, "HierarchicalCodelists", _hierarchy),
    Section(common.ConceptScheme, "Concepts", partial(ml.concept_scheme, _DIALECT)),
    Section(MetadataStructure, "MetadataStructures", _metadata_structure),
    Section(v21.DataStructureDefinition, "DataStructures", partial(ml.data_structure, _DIALECT)),
    Section(
        v21.ContentConstraint,
        "Constraints",
        partial(ml.constraint, _DIALECT, "ContentConstraint", role="type", attribute="com:Attribute"),
    ),
    Section(common.ProvisionAgreement, "ProvisionAgreements", partial(ml.agreement, _DIALECT, usage="StructureUsage")),
)

write = partial(ml.write, _DIALECT, SECTIONS)
