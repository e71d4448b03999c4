"""URNs, and which artefacts one stands on (SDMX 2.1 section 5; 3.0 section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdmx.model import common, v21

# sdmx1's own URNs say DataStructureDefinition and DataflowDefinition; the registry specification,
# section 6.2, has DataStructure and Dataflow.
CLASSES: dict[type[Any], tuple[str, str]] = {
    common.AgencyScheme: ("base", "AgencyScheme"),
    common.DataProviderScheme: ("base", "DataProviderScheme"),
    common.Codelist: ("codelist", "Codelist"),
    v21.HierarchicalCodelist: ("codelist", "HierarchicalCodelist"),
    common.ConceptScheme: ("conceptscheme", "ConceptScheme"),
    v21.DataStructureDefinition: ("datastructure", "DataStructure"),
    v21.DataflowDefinition: ("datastructure", "Dataflow"),
    v21.ContentConstraint: ("registry", "ContentConstraint"),
    common.CategoryScheme: ("categoryscheme", "CategoryScheme"),
    common.Categorisation: ("categoryscheme", "Categorisation"),
    common.ProvisionAgreement: ("registry", "ProvisionAgreement"),
}
_ITEMS = {
    "AgencyScheme": "Agency",
    "DataProviderScheme": "DataProvider",
    "Codelist": "Code",
    "ConceptScheme": "Concept",
    "CategoryScheme": "Category",
}
_IN_30 = {"HierarchicalCodelist": "Hierarchy", "ContentConstraint": "DataConstraint"}


def urn(artefact: Any, item: str = "", *, version: str = "2.1") -> str:
    """The URN of an artefact or of one of its items; version 3.0 names two classes otherwise."""
    package, name = CLASSES[type(artefact)]
    if version != "2.1":
        name = _IN_30.get(name, name)
    kind = _ITEMS[name] if item else name
    path = f".{item}" if item else ""
    return (
        f"urn:sdmx:org.sdmx.infomodel.{package}.{kind}={artefact.maintainer.id}:{artefact.id}({artefact.version}){path}"
    )


def path_of(category: common.Category) -> str:
    """A category by the ids from the top of its scheme: `TOPICS.MONEY`."""
    return f"{path_of(category.parent)}.{category.id}" if isinstance(category.parent, common.Category) else category.id


def below(artefact: Any) -> Iterator[Any]:
    """The artefacts that one refers to, directly."""
    match artefact:
        case v21.DataflowDefinition():
            yield artefact.structure
        case v21.DataStructureDefinition():
            for component in (*artefact.dimensions, *artefact.attributes, *artefact.measures):
                yield component.concept_identity.parent or component.concept_identity.get_scheme()
                if component.local_representation is not None and component.local_representation.enumerated:
                    yield component.local_representation.enumerated
        case common.ConceptScheme():
            for concept in artefact:
                if concept.core_representation is not None and concept.core_representation.enumerated:
                    yield concept.core_representation.enumerated
