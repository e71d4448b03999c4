"""What can be asked for, and what an answer holds: an artefact with what a reader needs beside it.

A static host does not see `references=…`, so the address of a structure answers with all that it
stands on. A list holds its own class only: some clients take the class of a message from its first part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sdmx.model import common, v21

from pipeline.structures import walk
from pipeline.structures.artefacts import CONCEPTS, Artefacts
from pipeline.structures.maps import Maps

Answer = tuple[common.MaintainableArtefact, ...]


@dataclass(frozen=True)
class Resource:
    """A kind of structure in the addresses of SDMX REST.

    `beside` gives what stands with one artefact at its own address; `beside_list` what stands with a
    list of them.
    """

    artefacts: Answer
    name: str  # SDMX REST 2
    name_v1: str = ""
    beside: Callable[[common.MaintainableArtefact], Answer] = lambda _: ()
    beside_list: Callable[[Answer], Answer] = lambda _: ()


def resources(of: Artefacts) -> tuple[Resource, ...]:
    """Every kind of structure that the release has."""
    return (
        Resource((of.agencies,), "agencyscheme"),
        Resource(
            tuple(of.providers.values()),
            "dataproviderscheme",
            beside=lambda scheme: agreements(of, [scheme]),
            beside_list=lambda schemes: agreements(of, schemes),
        ),
        Resource(tuple(of.codelists.values()), "codelist"),
        Resource(
            tuple(of.hierarchies.values()), "hierarchy", "hierarchicalcodelist", beside=lambda each: lists_of(of, each)
        ),
        Resource(tuple(of.concepts.values()), "conceptscheme", beside=lambda each: lists_of(of, each)),
        Resource(tuple(of.structures.values()), "datastructure", beside=lambda dsd: structure_with(of, dsd)),
        Resource(tuple(of.dataflows.values()), "dataflow", beside=lambda flow: dataflow_with(of, flow)),
        Resource(
            (of.categories,),
            "categoryscheme",
            beside=lambda _: (*of.categorisations.values(), *of.dataflows.values()),
        ),
        Resource(tuple(of.categorisations.values()), "categorisation"),
        Resource(tuple(of.constraints.values()), "dataconstraint", "contentconstraint"),
        Resource(of.agreements, "provisionagreement"),
        Resource((of.reference.structure,), "metadatastructure", beside=lambda _: (of.reference.concepts,)),
        Resource(
            (of.reference.flow,), "metadataflow", beside=lambda _: (of.reference.structure, of.reference.concepts)
        ),
    )


def resources_of_maps(of: Maps) -> tuple[Resource, ...]:
    """How national tables lead to the dataflows. SDMX 3.0 alone has these kinds."""
    return (
        Resource(of.structure, "structuremap", beside=of.with_map),
        Resource(of.representation, "representationmap"),
    )


def lists_of(of: Artefacts, artefact: common.MaintainableArtefact) -> Answer:
    """The code lists that a concept scheme, a hierarchy or a data structure names."""
    used: set[int] = set()
    match artefact:
        case common.ConceptScheme():
            used = {id(c.core_representation.enumerated) for c in artefact if c.core_representation}
        case v21.HierarchicalCodelist():
            tops = (top.code for each in artefact.hierarchy for top in each.codes.values())
            used = {id(walk.scheme(code)) for code in tops if code is not None}
        case v21.DataStructureDefinition():
            components = (*artefact.dimensions.components, *artefact.attributes.components)
            used = {id(c.local_representation.enumerated) for c in components if c.local_representation}
    return tuple(each for each in of.codelists.values() if id(each) in used)


def structure_with(of: Artefacts, dsd: common.MaintainableArtefact) -> Answer:
    """All that a data structure stands on and the dataflows that use it; no constraint, for it is not theirs."""
    flows = (flow for flow in of.dataflows.values() if flow.structure is dsd)
    return (of.agencies, of.concepts[CONCEPTS], *lists_of(of, dsd), *flows)


def described(of: Artefacts, flow: common.BaseDataflow) -> Answer:
    """The structure of a dataflow and all that it stands on."""
    return (flow.structure, of.concepts[CONCEPTS], *lists_of(of, flow.structure))


def dataflow_with(of: Artefacts, flow: common.MaintainableArtefact) -> Answer:
    """All about a dataflow: structure, allowed content, place in the categories, and who provides it."""
    assert isinstance(flow, common.BaseDataflow)
    provided = [each for each in of.agreements if each.structure_usage is flow]
    return (
        of.agencies,
        *described(of, flow),
        of.constraints[flow.id],
        of.categories,
        of.categorisations[flow.id],
        *_providers(of, provided),
        *provided,
    )


def agreements(of: Artefacts, schemes: Iterable[common.MaintainableArtefact]) -> Answer:
    """The provision agreements of the providers of some schemes."""
    wanted = {id(scheme) for scheme in schemes}
    return tuple(each for each in of.agreements if each.data_provider and id(walk.scheme(each.data_provider)) in wanted)


def _providers(of: Artefacts, provided: Iterable[common.ProvisionAgreement]) -> Iterable[common.DataProviderScheme]:
    """The schemes of those who provide, with no one else in them: they are partial."""
    names = {id(each.data_provider) for each in provided}
    for scheme in of.providers.values():
        chosen: Mapping[str, common.DataProvider] = {each.id: each for each in scheme if id(each) in names}
        if chosen:
            yield common.DataProviderScheme(
                id=scheme.id,
                name=scheme.name,
                version=scheme.version,
                maintainer=scheme.maintainer,
                is_final=scheme.is_final,
                is_external_reference=False,
                is_partial=len(chosen) < len(scheme),
                items=dict(chosen),
            )
