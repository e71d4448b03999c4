"""`Library` → the artefacts of sdmx1's information model, every name in every language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdmx.model import common, v21
from sdmx.model.common import FacetValueType

from pipeline.framework import Code, Codelist, Component, Concept, Dataflow, Hierarchy, Provider, Structure
from pipeline.model import Library

VERSION = "1.0.0"
SCHEMES, TERMS = "CS_MIG", "CS_MIG_TERM"
GROUP = "SOURCE"  # the group that attributes of a source hang on
_ORGANISATIONS = "1.0"  # organisation schemes have one fixed version (SDMX 2.1 section 3, 3.0 section 2)

_FACETS = {
    "Double": FacetValueType.double,
    "GregorianDay": FacetValueType.gregorianDay,
    "GregorianTimePeriod": FacetValueType.gregorianTimePeriod,
    "Integer": FacetValueType.integer,
    "ObservationalTimePeriod": FacetValueType.observationalTimePeriod,
    "String": FacetValueType.string,
}


class Framework:
    """Every artefact of the framework, each made once, so that references are to the same objects.

    `by_kind` holds them under the names that SDMX REST has for their classes.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.agency = common.Agency(id=library.agency)
        self.codelists = {ref: self._codelist(each) for ref, each in library.codelists.items()}
        self.schemes = {
            SCHEMES: self._scheme(SCHEMES, library.concepts),
            TERMS: self._scheme(TERMS, library.terms),
        }
        self.structures = {each.id: self._structure(each) for each in library.structures.values()}
        self.flows = {each.id: self._dataflow(each) for each in library.dataflows.values()}
        self.categories = self._categories(library.categories)
        self.providers: dict[tuple[str, str], common.DataProvider] = {}
        self.by_kind: dict[str, Sequence[Any]] = {
            "agencyscheme": [self._agency_scheme()],
            "dataproviderscheme": self._provider_schemes(),
            "codelist": list(self.codelists.values()),
            "hierarchicalcodelist": [self._hierarchy(each) for each in library.hierarchies.values()],
            "conceptscheme": list(self.schemes.values()),
            "datastructure": list(self.structures.values()),
            "dataflow": list(self.flows.values()),
            "contentconstraint": [self._allowed(each) for each in library.dataflows.values()],
            "categoryscheme": [self.categories],
            "categorisation": [self._categorisation(each) for each in library.dataflows.values()],
            "provisionagreement": self._agreements(),
        }

    def _own(self, kind: type[Any], identifier: str, name: Mapping[str, str], **more: Any) -> Any:
        return kind(
            **{
                "id": identifier,
                "version": VERSION,
                "maintainer": self.agency,
                "name": dict(name),
                "is_final": True,
                "is_external_reference": False,
            }
            | more
        )

    def _codelist(self, listed: Codelist) -> common.Codelist:
        """A code list with parents; the list's own columns become annotations of its codes."""
        made = self._own(
            common.Codelist, listed.id, listed.name, version=listed.version, maintainer=common.Agency(id=listed.agency)
        )
        for code in listed.codes.values():
            made.append(common.Code(id=code.id, name=dict(code.name), annotations=_notes(code)))
        for code in listed.codes.values():
            if code.parent:
                made[code.parent].append_child(made[code.id])
        return made  # type: ignore[no-any-return]

    def _scheme(self, identifier: str, concepts: Mapping[str, Concept]) -> common.ConceptScheme:
        made = self._own(common.ConceptScheme, identifier, self.library.phrases[identifier.lower()])
        for concept in concepts.values():
            annotations = []
            if concept.cross_domain_urn:
                annotations = [common.Annotation(id="GLOBAL_URN", type="GLOBAL_URN", title=concept.cross_domain_urn)]
            item = common.Concept(
                id=concept.id, name=dict(concept.name), description=dict(concept.definition), annotations=annotations
            )
            item.core_representation = self._representation(concept)
            made.append(item)
        return made  # type: ignore[no-any-return]

    def _representation(self, concept: Concept) -> common.Representation | None:
        if concept.representation in self.codelists:
            return common.Representation(enumerated=self.codelists[concept.representation])
        if concept.representation:
            facet = common.Facet(value_type=_FACETS[concept.representation])
            return common.Representation(non_enumerated=[facet])
        return None

    def _structure(self, structure: Structure) -> v21.DataStructureDefinition:
        """A data structure definition; attributes hang where `dsd/attributes.csv` says."""
        made = self._own(v21.DataStructureDefinition, structure.id, structure.name)
        for position, component in enumerate(structure.of_role("dimension"), 1):
            made.dimensions.append(common.Dimension(id=component.id, order=position, **self._component(component)))
        time = structure.components["TIME_PERIOD"]
        made.dimensions.append(
            common.TimeDimension(id=time.id, order=len(structure.dimensions) + 1, **self._component(time))
        )
        made.measures.append(v21.PrimaryMeasure(id="OBS_VALUE", **self._component(structure.components["OBS_VALUE"])))
        group = None
        if structure.group:
            group = v21.GroupDimensionDescriptor(id=GROUP, components=[made.dimensions.get(d) for d in structure.group])
            made.group_dimensions[GROUP] = group
        relations = {
            "observation": v21.PrimaryMeasureRelationship(),
            "measure": v21.DimensionRelationship(dimensions=[made.dimensions.get(structure.measure_dimension)]),
            "group": v21.GroupRelationship(group_key=group),
            "dataset": v21.NoSpecifiedRelationship(),
        }
        for component in structure.of_role("attribute"):
            made.attributes.append(
                common.DataAttribute(
                    id=component.id,
                    related_to=relations[component.attachment],
                    usage_status=common.UsageStatus["mandatory" if component.is_mandatory else "conditional"],
                    **self._component(component),
                )
            )
        return made  # type: ignore[no-any-return]

    def _component(self, component: Component) -> dict[str, Any]:
        return {
            "concept_identity": self.schemes[SCHEMES][component.id],
            "local_representation": self._representation(component.concept),
        }

    def _dataflow(self, flow: Dataflow) -> v21.DataflowDefinition:
        made = self._own(v21.DataflowDefinition, flow.id, flow.name, structure=self.structures[flow.structure.id])
        made.description = dict(flow.description)
        return made  # type: ignore[no-any-return]

    def _allowed(self, flow: Dataflow) -> v21.ContentConstraint:
        """What the dataflow allows; a component that a region leaves out is free."""
        name = {lang: f"{self.library.phrases['allowed'][lang]}: {text}" for lang, text in flow.name.items()}
        return self._constraint(f"CR_{flow.id}", name, flow, "Allowable", flow.regions)

    def available(self, flow: Dataflow, used: Mapping[str, Iterable[str]]) -> v21.ContentConstraint:
        """What the published data have."""
        name = {lang: f"{self.library.phrases['available'][lang]}: {text}" for lang, text in flow.name.items()}
        return self._constraint(f"CR_A_{flow.id}", name, flow, "Actual", [used])

    def _constraint(
        self, identifier: str, name: Mapping[str, str], flow: Dataflow, role: str, regions: Iterable[Mapping[str, Any]]
    ) -> v21.ContentConstraint:
        dimensions = self.structures[flow.structure.id].dimensions
        made = self._own(v21.ContentConstraint, identifier, name)
        made.role = common.ConstraintRole(role=common.ConstraintRoleType[role.lower()])
        made.content = {self.flows[flow.id]}
        for region in regions:
            cube = v21.CubeRegion(included=True)
            for component, codes in region.items():
                selection = v21.MemberSelection(values_for=dimensions.get(component), included=True)
                selection.values = [v21.MemberValue(value=code) for code in self._in_order(flow, component, codes)]
                cube.member[selection.values_for] = selection
            made.data_content_region.append(cube)
        return made  # type: ignore[no-any-return]

    def _in_order(self, flow: Dataflow, component: str, codes: Iterable[str]) -> list[str]:
        wanted, codelist = set(codes), flow.structure.components[component].codelist
        return [code for code in (codelist.codes if codelist else sorted(wanted)) if code in wanted]

    def _hierarchy(self, hierarchy: Hierarchy) -> v21.HierarchicalCodelist:
        """A named way to add a list's codes up, as a hierarchical code list with one hierarchy."""
        codes = self.codelists[hierarchy.codelist]

        def below(code: str) -> v21.HierarchicalCode:
            made = v21.HierarchicalCode(id=code, code=codes[code])
            made.child = [below(part) for part in hierarchy.parts.get(code, ())]
            return made

        roots = hierarchy.parts.keys() - {part for parts in hierarchy.parts.values() for part in parts}
        tree = v21.Hierarchy(id=hierarchy.id, name=dict(hierarchy.name), codes={r: below(r) for r in sorted(roots)})
        return self._own(v21.HierarchicalCodelist, hierarchy.id, hierarchy.name, hierarchy=[tree])  # type: ignore[no-any-return]

    def _categories(self, listed: Codelist) -> common.CategoryScheme:
        made = self._own(common.CategoryScheme, listed.id, listed.name)
        known: dict[str, common.Category] = {}
        for code in listed.codes.values():
            known[code.id] = common.Category(id=code.id, name=dict(code.name))
            if code.parent:
                known[code.parent].append_child(known[code.id])
            made.append(known[code.id])
        return made  # type: ignore[no-any-return]

    def _categorisation(self, flow: Dataflow) -> common.Categorisation:
        category = self.categories[flow.category]
        made = self._own(common.Categorisation, f"CAT_{flow.id}", flow.name, artefact=self.flows[flow.id])
        made.category = category
        return made  # type: ignore[no-any-return]

    def _agency_scheme(self) -> common.AgencyScheme:
        """The sub-agencies of ours: `MIGLAC.CL` is the item `CL` of MIGLAC's scheme."""
        made = self._own(
            common.AgencyScheme, "AGENCIES", self.library.agencies[self.library.agency], version=_ORGANISATIONS
        )
        for identifier, name in self.library.agencies.items():
            if "." in identifier:
                made.append(common.Agency(id=identifier.rpartition(".")[2], name=dict(name)))
        return made  # type: ignore[no-any-return]

    def _provider_schemes(self) -> list[Any]:
        """One scheme of producers for each agency that has some."""
        schemes = [self._providers(self.library.agency, self.library.providers.values())]
        for area, country in self.library.countries.items():
            schemes.append(self._providers(f"{self.library.agency}.{area}", country.providers.values()))
        return schemes

    def _providers(self, agency: str, providers: Iterable[Provider]) -> common.DataProviderScheme:
        made = self._own(
            common.DataProviderScheme,
            "DATA_PROVIDERS",
            self.library.agencies[agency],
            version=_ORGANISATIONS,
            maintainer=common.Agency(id=agency),
        )
        for provider in providers:
            item = common.DataProvider(id=provider.id, name=dict(provider.name))
            self.providers[provider.area, provider.id] = item
            made.append(item)
        return made  # type: ignore[no-any-return]

    def _agreements(self) -> list[Any]:
        """Who delivers what: one agreement a country, provider and dataflow."""
        made = []
        for area, country in self.library.countries.items():
            for provider, flow in sorted(country.agreements):
                owner = area if provider in country.providers else ""
                name = {
                    lang: f"{self.library.area_name(area)[lang]}: {text}"
                    for lang, text in self.library.dataflows[flow].name.items()
                }
                made.append(
                    self._own(
                        common.ProvisionAgreement,
                        f"PA_{flow}_{area}_{provider}",
                        name,
                        structure_usage=self.flows[flow],
                        data_provider=self.providers[owner, provider],
                    )
                )
        return made


def _notes(code: Code) -> list[common.Annotation]:
    return [common.Annotation(id=name, type=name, title=text) for name, text in code.notes.items() if text]
