"""`Library` → objects of the SDMX information model, the one source of every structure message.

Own artefacts have version 1.0.0 in all formats: SDMX-ML 2.1 allows it (VersionType) and SDMX 3.0 asks
for it. Agency and data provider schemes are not versioned: their version is 1.0 and they are never
final (SDMX 2.1 AgencySchemeType and DataProviderSchemeType). Lists of other agencies keep their version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sdmx.model import common, v21

from pipeline import provision
from pipeline.framework import Codelist, Concept, Hierarchy, Provider, Text
from pipeline.model import Library
from pipeline.modules import Question
from pipeline.structures.constraints import allowed
from pipeline.structures.datastructures import dataflow, representation, structure
from pipeline.structures.metadata import METADATA_CONCEPTS, Reference, reference

VERSION = "1.0.0"
CONCEPTS, TERMS, QUESTIONS = "CS_MIG", "CS_MIG_TERM", "CS_MIG_QUESTION"
_Scheme = TypeVar("_Scheme", bound=common.ItemScheme[Any])


@dataclass(frozen=True)
class Artefacts:
    """Every maintainable artefact, by the id that the library uses for it."""

    agencies: common.AgencyScheme
    providers: Mapping[str, common.DataProviderScheme]  # by agency
    concepts: Mapping[str, common.ConceptScheme]
    codelists: Mapping[str, common.Codelist]  # by ref
    hierarchies: Mapping[str, v21.HierarchicalCodelist]
    structures: Mapping[str, v21.DataStructureDefinition]
    dataflows: Mapping[str, v21.DataflowDefinition]
    constraints: Mapping[str, v21.ContentConstraint]  # by dataflow
    categories: common.CategoryScheme
    categorisations: Mapping[str, common.Categorisation]  # by dataflow
    agreements: tuple[common.ProvisionAgreement, ...]
    reference: Reference

    @property
    def all_but_metadata(self) -> tuple[common.MaintainableArtefact, ...]:
        """Those of the one file of SDMX-ML 2.1: pysdmx 1.21 reads no message of 2.1 that has a metadata structure."""
        return tuple(each for each in self.all if each not in (self.reference.structure, self.reference.flow))

    @property
    def all(self) -> tuple[common.MaintainableArtefact, ...]:
        return (
            self.agencies,
            *self.providers.values(),
            *self.dataflows.values(),
            self.categories,
            *self.categorisations.values(),
            *self.codelists.values(),
            *self.hierarchies.values(),
            *self.concepts.values(),
            *self.structures.values(),
            *self.constraints.values(),
            *self.agreements,
            self.reference.structure,
            self.reference.flow,
        )


def artefacts(library: Library) -> Artefacts:
    """Build every artefact of the framework, with names in every language that is authored."""
    agencies = {identifier: common.Agency(id=identifier) for identifier in library.agencies}
    own: dict[str, Any] = {
        "maintainer": agencies[library.agency],
        "version": VERSION,
        "is_final": True,
        "is_external_reference": False,
    }
    codelists = {ref: _codelist(each) for ref, each in library.codelists.items()}
    phrases = library.phrases
    concepts = _concepts(CONCEPTS, phrases["cs_mig"], library.concepts.values(), codelists, own)
    terms = _concepts(TERMS, phrases["cs_mig_term"], library.terms.values(), codelists, own)
    asked = _concepts(
        QUESTIONS, phrases["cs_mig_question"], [*map(_question, library.modules.questions.values())], codelists, own
    )
    structures = {key: structure(each, concepts, codelists, own) for key, each in library.structures.items()}
    metadata = reference(library.fields.values(), phrases, own)
    flows = {key: dataflow(each, structures[each.structure.id], own) for key, each in library.dataflows.items()}
    categories, places = _categories(library.categories, own)
    providers = {agency: _provider_scheme(library, agencies[agency]) for agency in library.agencies}
    return Artefacts(
        agencies=_agency_scheme(library, agencies),
        providers={agency: scheme for agency, scheme in providers.items() if len(scheme)},
        concepts={CONCEPTS: concepts, TERMS: terms, QUESTIONS: asked, METADATA_CONCEPTS: metadata.concepts},
        codelists=codelists,
        hierarchies={key: _hierarchy(each, codelists, own) for key, each in library.hierarchies.items()},
        structures=structures,
        dataflows=flows,
        constraints={key: allowed(library.dataflows[key], flow, own) for key, flow in flows.items()},
        categories=categories,
        categorisations={
            key: common.Categorisation(
                id=f"CAT_{key}", name=each.name, artefact=flows[key], category=places[each.category], **own
            )
            for key, each in library.dataflows.items()
        },
        agreements=tuple(_agreements(library, providers, flows, own)),
        reference=metadata,
    )


def _filled(scheme: _Scheme, items: Iterable[common.Item[Any]]) -> _Scheme:
    for item in items:
        scheme.append(item)
    return scheme


def _notes(notes: Mapping[str, str]) -> list[common.BaseAnnotation]:
    """Annotations that every version of the standard can hold: type and title (2.1 has no value)."""
    return [v21.Annotation(type=kind, title=note) for kind, note in notes.items() if note]


def _codelist(codelist: Codelist) -> common.Codelist:
    scheme = common.Codelist(
        id=codelist.id,
        name=codelist.name,
        version=codelist.version,
        maintainer=common.Agency(id=codelist.agency),
        is_final=True,
        is_external_reference=False,
    )
    for code in codelist.codes.values():
        scheme.append(common.Code(id=code.id, name=code.name, annotations=_notes(code.notes)))
    for code in codelist.codes.values():
        if code.parent:
            scheme[code.parent].append_child(scheme[code.id])
    return scheme


def _concepts(
    identifier: str,
    name: Text,
    concepts: Collection[Concept],
    codelists: Mapping[str, common.Codelist],
    own: Mapping[str, Any],
) -> common.ConceptScheme:
    items = [
        common.Concept(
            id=concept.id,
            name=concept.name,
            description=concept.definition,
            annotations=_notes({"GLOBAL_URN": concept.cross_domain_urn, "BASIS": concept.basis, **concept.notes}),
        )
        for concept in concepts
    ]
    for item, concept in zip(items, concepts, strict=True):
        item.core_representation = representation(concept.representation, codelists)
    return _filled(common.ConceptScheme(id=identifier, name=name, **own), items)


def _question(question: Question) -> Concept:
    """A standard question as a concept: its wording is the description, its first code list the representation."""
    first = question.parts[0].response
    notes = {
        "UNIVERSE": f"{question.universe.group} {question.universe.ages}".rstrip(),
        "CONCEPTS": " ".join(question.concepts),
        "IPUMS": question.ipums,
        **{f"TIER_{kind.upper()}": tier for kind, tier in question.tiers.items()},
        **{f"ANSWER_{part.id}": part.response for part in question.parts},
        **{f"CAVEAT_{language.upper()}": text for language, text in question.caveat.items()},
    }
    return Concept(question.id, question.title, question.wording, first if ":" in first else "String", notes=notes)


def _hierarchy(
    hierarchy: Hierarchy, codelists: Mapping[str, common.Codelist], own: Mapping[str, Any]
) -> v21.HierarchicalCodelist:
    """A hierarchy; in SDMX 2.1 a hierarchical code list with one hierarchy of the same id."""
    codes = codelists[hierarchy.codelist]
    below = {part for parts in hierarchy.parts.values() for part in parts}

    def node(code: str) -> common.HierarchicalCode:
        children = [node(part) for part in hierarchy.parts.get(code, ())]
        return common.HierarchicalCode(id=code, code=codes[code], child=children)

    roots = {code: node(code) for code in hierarchy.parts if code not in below}
    tree = v21.Hierarchy(id=hierarchy.id, name=hierarchy.name, codes=roots)
    return v21.HierarchicalCodelist(id=hierarchy.id, name=hierarchy.name, hierarchy=[tree], **own)


def _categories(
    codelist: Codelist, own: Mapping[str, Any]
) -> tuple[common.CategoryScheme, Mapping[str, common.Category]]:
    """The nested category scheme, and each category by its own id."""
    found = {code.id: common.Category(id=code.id, name=code.name) for code in codelist.codes.values()}
    for code in codelist.codes.values():
        if code.parent:
            found[code.parent].append_child(found[code.id])
    scheme = common.CategoryScheme(id=codelist.id, name=codelist.name, **own)
    return _filled(scheme, (found[code.id] for code in codelist.codes.values() if not code.parent)), found


def _agency_scheme(library: Library, agencies: Mapping[str, common.Agency]) -> common.AgencyScheme:
    """The sub-agencies. `MIGLAC.CL` is the agency CL in the scheme that MIGLAC maintains (SDMX 2.1 section 5)."""
    scheme = common.AgencyScheme(
        id="AGENCIES", name=library.agencies[library.agency], **_unversioned(agencies[library.agency])
    )
    prefix = f"{library.agency}."
    return _filled(
        scheme,
        (
            common.Agency(id=identifier.removeprefix(prefix), name=name)
            for identifier, name in library.agencies.items()
            if identifier.startswith(prefix)
        ),
    )


def _provider_scheme(library: Library, agency: common.Agency) -> common.DataProviderScheme:
    """The producers of one country or, for the top agency, the international ones."""
    national = (provider for country in library.countries.values() for provider in country.providers.values())
    scheme = common.DataProviderScheme(id="DATA_PROVIDERS", name=library.agencies[agency.id], **_unversioned(agency))
    chosen = [each for each in (*library.providers.values(), *national) if each.agency == agency.id]
    return _filled(scheme, map(_provider, chosen))


def _provider(provider: Provider) -> common.DataProvider:
    contact = [common.Contact(uri=[provider.url])] if provider.url else []
    return common.DataProvider(id=provider.id, name=provider.name, contact=contact)


def _unversioned(agency: common.Agency) -> dict[str, Any]:
    return {"maintainer": agency, "version": "1.0", "is_final": False, "is_external_reference": False}


def _agreements(
    library: Library,
    schemes: Mapping[str, common.DataProviderScheme],
    flows: Mapping[str, v21.DataflowDefinition],
    own: Mapping[str, Any],
) -> Iterable[common.ProvisionAgreement]:
    for area, country in library.countries.items():
        known = {**library.providers, **country.providers}
        for provider, flow in sorted(country.agreements):
            names = known[provider].name, library.dataflows[flow].name
            yield common.ProvisionAgreement(
                id=provision.identifier(flow, area, provider),
                name={lang: ": ".join(each[lang] for each in names) for lang in names[0] if lang in names[1]},
                structure_usage=flows[flow],
                data_provider=schemes[known[provider].agency][provider],
                **own,
            )
