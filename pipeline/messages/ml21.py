"""Structure messages in SDMX-ML 2.1."""

from __future__ import annotations

from sdmx.model import common, v21

from pipeline.messages.ml import Dialect

DIALECT = Dialect(
    version="2.1",
    schemas="http://www.sdmx.org/resources/sdmxml/schemas/v2_1",
    containers={
        common.AgencyScheme: "OrganisationSchemes",
        common.DataProviderScheme: "OrganisationSchemes",
        v21.DataflowDefinition: "Dataflows",
        common.CategoryScheme: "CategorySchemes",
        common.Categorisation: "Categorisations",
        common.Codelist: "Codelists",
        v21.HierarchicalCodelist: "HierarchicalCodelists",
        common.ConceptScheme: "Concepts",
        v21.DataStructureDefinition: "DataStructures",
        v21.ContentConstraint: "Constraints",
        common.ProvisionAgreement: "ProvisionAgreements",
    },
)
