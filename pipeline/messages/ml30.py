"""Structure messages in SDMX-ML 3.0."""

from __future__ import annotations

from sdmx.model import common, v21

from pipeline.messages.ml import Dialect

DIALECT = Dialect(
    version="3.0",
    schemas="http://www.sdmx.org/resources/sdmxml/schemas/v3_0",
    containers={
        common.AgencyScheme: "AgencySchemes",
        common.Categorisation: "Categorisations",
        common.CategoryScheme: "CategorySchemes",
        common.Codelist: "Codelists",
        common.ConceptScheme: "ConceptSchemes",
        v21.ContentConstraint: "DataConstraints",
        v21.DataflowDefinition: "Dataflows",
        common.DataProviderScheme: "DataProviderSchemes",
        v21.DataStructureDefinition: "DataStructures",
        v21.HierarchicalCodelist: "Hierarchies",
        common.ProvisionAgreement: "ProvisionAgreements",
    },
)
