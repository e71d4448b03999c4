"""The structure of reference metadata: every field of `metadata/fields.csv` as a concept and an attribute (§5).

A field that is mandatory must be there once in a report, any other may be. Every field holds text in several languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sdmx.model import common, v21

from pipeline.framework import Field, Text

METADATA_CONCEPTS, STRUCTURE, FLOW = "CS_MIG_METADATA", "MSD_MIG", "MDF_MIG"
REPORT = "REPORT"  # SDMX 2.1 names the one form of a report, and what it may be about, with its class
TARGETS = {"DATAFLOW": "Dataflow", "AGREEMENT": "ProvisionAgreement"}
# The same in SDMX 3.0: any dataflow, and any agreement of who provides it.
ANY_TARGET = tuple(
    f"urn:sdmx:org.sdmx.infomodel.{kind}=*:*(*)" for kind in ("datastructure.Dataflow", "registry.ProvisionAgreement")
)


@dataclass(frozen=True)
class MetadataAttribute:
    """One field of a report."""

    concept: common.Concept
    is_mandatory: bool


@dataclass(eq=False)
class MetadataStructure(common.MaintainableArtefact):
    """What a report may say; each version of the standard writes it in its own way."""

    attributes: tuple[MetadataAttribute, ...] = ()


@dataclass(eq=False)
class Metadataflow(common.MaintainableArtefact):
    """The reports of one structure."""

    structure: MetadataStructure | None = None


@dataclass(frozen=True)
class Reference:
    """The concepts, the structure and the flow of reference metadata."""

    concepts: common.ConceptScheme
    structure: MetadataStructure
    flow: Metadataflow


def reference(fields: Iterable[Field], phrases: Mapping[str, Text], own: Mapping[str, Any]) -> Reference:
    """Build the three from the fields; a concept tells the code of its field in SIMS in an annotation."""
    every = list(fields)
    concepts = common.ConceptScheme(id=METADATA_CONCEPTS, name=phrases["cs_mig_metadata"], **own)
    for field in every:
        notes: list[common.BaseAnnotation] = [v21.Annotation(type="SIMS", title=field.sims)] if field.sims else []
        concepts.append(common.Concept(id=field.id, name=field.name, annotations=notes))
    structure = MetadataStructure(
        id=STRUCTURE,
        name=phrases["msd_mig"],
        attributes=tuple(MetadataAttribute(concepts[field.id], field.obligation == "M") for field in every),
        **own,
    )
    return Reference(concepts, structure, Metadataflow(id=FLOW, name=phrases["mdf_mig"], structure=structure, **own))
