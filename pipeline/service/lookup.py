"""Structure queries: which artefacts an address names, and what `references` adds to them (SDMX REST)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sdmx.model import common, v21

from pipeline.service import stubs
from pipeline.service.ask import Pairs, given
from pipeline.service.faults import NO_RESULTS, NOT_IMPLEMENTED, SYNTAX, RequestError
from pipeline.service.standing import Standing
from pipeline.structures import walk
from pipeline.structures.metadata import Metadataflow, MetadataStructure
from pipeline.structures.resources import Answer, lists_of

Artefact = common.MaintainableArtefact

KINDS: Mapping[str, type[Artefact]] = {
    "agencyscheme": common.AgencyScheme,
    "dataproviderscheme": common.DataProviderScheme,
    "codelist": common.Codelist,
    "hierarchy": v21.HierarchicalCodelist,
    "hierarchicalcodelist": v21.HierarchicalCodelist,
    "conceptscheme": common.ConceptScheme,
    "datastructure": v21.DataStructureDefinition,
    "dataflow": v21.DataflowDefinition,
    "categoryscheme": common.CategoryScheme,
    "categorisation": common.Categorisation,
    "dataconstraint": v21.ContentConstraint,
    "contentconstraint": v21.ContentConstraint,
    "provisionagreement": common.ProvisionAgreement,
    "metadatastructure": MetadataStructure,
    "metadataflow": Metadataflow,
}
PARTS = ("kind", "agency", "id", "version", "item")  # of an address
EVERY = ("structure", "*")  # in place of a kind, as 1.5 and 2.x say it
_AROUND = ("none", "parents", "parentsandsiblings", "ancestors", "children", "descendants", "all")
CHOICES: Mapping[str, Sequence[str]] = {"references": (*_AROUND, *KINDS), "detail": stubs.DETAILS}
_ALL = ("all", "ALL", "*", "")
_NEWEST = ("latest", "+", "~", "")


def found(parts: Sequence[str], query: Pairs, at: Standing) -> tuple[Answer, Answer]:
    """What `kind/agency/id/version` names, each of which may be several or all; and that with its references.

    Raises:
        RequestError: there is no such artefact.
    """
    kind, agency, identifier, version, item, *more = [*parts, *[""] * len(PARTS)]
    if item not in _ALL or any(more):
        raise RequestError(
            NOT_IMPLEMENTED, "Items are served with what they are in: leave out what follows the version."
        )
    if kind not in (*EVERY, *KINDS):
        raise RequestError(NO_RESULTS, f'There are no structures of the kind "{kind}". There are {", ".join(KINDS)}.')
    said = given(query)
    for name, allowed in CHOICES.items():
        if said.get(name, allowed[0]) not in allowed:
            raise RequestError(SYNTAX, f"{name} is one of {', '.join(allowed)}.")
    everything = at.built.all
    mine = [each for each in everything if kind in EVERY or isinstance(each, KINDS[kind])]
    mine = [each for each in mine if _is_named(walk.agency(each), agency) and _is_named(each.id, identifier)]
    chosen = tuple(_of_version(mine, version))
    if not chosen:
        raise RequestError(NO_RESULTS, f"There is no {kind} {agency or 'all'}:{identifier or 'all'}({version or '*'}).")
    return chosen, _distinct((*chosen, *_references(chosen, said.get("references", "none"), everything, at)))


def _distinct(artefacts: Iterable[Artefact]) -> Answer:
    """Each once; sdmx1 takes artefacts of one id for equal, of whatever class they are."""
    return tuple({id(each): each for each in artefacts}.values())


def _is_named(name: str, asked: str) -> bool:
    return asked in _ALL or name in asked.replace("+", ",").split(",")


def _of_version(artefacts: Sequence[Artefact], asked: str) -> Iterator[Artefact]:
    if asked in _NEWEST:
        newest: dict[tuple[str, str, str], Artefact] = {}
        for each in sorted(artefacts, key=lambda each: [int(part) for part in str(each.version).split(".")]):
            newest[type(each).__name__, walk.agency(each), each.id] = each
        kept = set(map(id, newest.values()))
        return (each for each in artefacts if id(each) in kept)
    wanted = {*asked.replace("+", ",").split(",")}
    wanted |= {f"{each}.0" for each in wanted if each.count(".") == 1}
    return (each for each in artefacts if asked in _ALL or str(each.version) in wanted)


# ---------------------------------------------------------------- references


def _references(chosen: Answer, asked: str, everything: Answer, at: Standing) -> Iterable[Artefact]:
    if asked == "none":
        return ()
    if asked in KINDS:
        around = (*_above(chosen, everything, at), *_below(chosen, at))
        return (each for each in around if isinstance(each, KINDS[asked]))
    if asked in ("children", "descendants"):
        return _below(chosen, at, is_deep=asked == "descendants")
    if asked == "ancestors":
        return _above(chosen, everything, at, is_deep=True)
    parents = _above(chosen, everything, at)
    if asked == "parents":
        return parents
    siblings = (*parents, *_below(parents, at))
    return siblings if asked == "parentsandsiblings" else (*siblings, *_below((*chosen, *siblings), at, is_deep=True))


def _below(of: Answer, at: Standing, *, is_deep: bool = False) -> Answer:
    """What artefacts name; with all that this names in turn where it is deep."""
    found = _distinct(child for each in of for child in _named_by(each, at))
    while is_deep:
        more = _distinct((*found, *(child for each in found for child in _named_by(each, at))))
        if len(more) == len(found):
            break
        found = more
    return found


def _above(of: Answer, everything: Answer, at: Standing, *, is_deep: bool = False) -> Answer:
    """What names artefacts; with all that names this in turn where it is deep."""
    inside = set(map(id, of))
    found = tuple(each for each in everything if any(id(child) in inside for child in _named_by(each, at)))
    while is_deep:
        more = _distinct((*found, *_above(found, everything, at)))
        if len(more) == len(found):
            break
        found = more
    return found


def _named_by(each: Artefact, at: Standing) -> Iterator[Artefact]:
    """What one artefact names: one step down."""
    match each:
        case v21.DataflowDefinition():
            yield each.structure
        case v21.DataStructureDefinition():
            yield from _concepts(each)
            yield from lists_of(at.built, each)
        case common.ConceptScheme() | v21.HierarchicalCodelist():
            yield from lists_of(at.built, each)
        case v21.ContentConstraint():
            yield walk.flow_of(each)
        case common.Categorisation():
            assert each.category is not None
            yield from (each.artefact, walk.scheme(each.category))  # type: ignore[misc]  # sdmx1 types any artefact
        case common.ProvisionAgreement():
            assert each.data_provider is not None
            yield from (each.structure_usage, walk.scheme(each.data_provider))  # type: ignore[misc]  # the same
        case Metadataflow():
            assert each.structure is not None
            yield each.structure
        case MetadataStructure():
            yield at.built.reference.concepts


def _concepts(dsd: v21.DataStructureDefinition) -> Iterator[Artefact]:
    components = (*dsd.dimensions.components, *dsd.attributes.components)
    yield from _distinct(walk.scheme(each.concept_identity) for each in components if each.concept_identity)
