"""What SDMX-ML 2.1 and 3.0 structure messages write alike. They differ in references, flags and a few bodies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sdmx.model import common, v21

from pipeline.structures import walk
from pipeline.structures.metadata import MetadataAttribute, MetadataStructure

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})

Parts = Iterable[str]


def escaped(text: str) -> str:
    """Text as XML content or as an attribute value; a line break is kept in content."""
    return text.translate(_ESCAPES)


@dataclass(frozen=True)
class Dialect:
    """What sets a version of SDMX-ML apart."""

    schemas: str  # namespaces without their last part
    version: Callable[[Any], str]  # the attributes that say an artefact's version and whether it is final
    has_multilingual: bool  # TextFormat of a component may say isMultiLingual
    ref: Callable[..., str]  # (package.Class, artefact, *path) → reference
    local: Callable[[str, str], str]  # (class, id) → reference inside the same artefact
    usage: Callable[[common.DataAttribute], str]  # whether an attribute is mandatory
    relations: tuple[str, str]  # elements for "no component" and "the observation"
    measure: str  # element and class of the measure


def message(
    dialect: Dialect, structures: Iterable[tuple[str, list[str]]], *, message_id: str, prepared: datetime, sender: str
) -> bytes:
    """A whole structure message."""
    body = "".join(f"<str:{name}>{''.join(each)}</str:{name}>\n" for name, each in structures)
    spaces = {"mes": "message", "str": "structure", "com": "common"}
    whole = f"<mes:Structures>\n{body}</mes:Structures>\n"
    return document(
        "Structure", dialect.schemas, spaces, whole, message_id=message_id, prepared=prepared, sender=sender
    )


def document(
    root: str,
    schemas: str,
    spaces: Mapping[str, str],
    body: str,
    *,
    message_id: str,
    prepared: datetime,
    sender: str,
    header: str = "",
) -> bytes:
    """A message of any kind: its namespaces by prefix, its header with what is added to it, and its body."""
    namespaces = "".join(f' xmlns:{prefix}="{schemas}/{name}"' for prefix, name in spaces.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<mes:{root}{namespaces}>\n'
        f"<mes:Header><mes:ID>{escaped(message_id)}</mes:ID><mes:Test>false</mes:Test>"
        f'<mes:Prepared>{prepared.isoformat()}</mes:Prepared><mes:Sender id="{escaped(sender)}"/>{header}'
        f"</mes:Header>\n{body}</mes:{root}>\n"
    ).encode()


def write(
    dialect: Dialect,
    sections: Sequence[walk.Section[str]],
    artefacts: Iterable[common.MaintainableArtefact],
    *,
    message_id: str,
    prepared: datetime,
    sender: str,
) -> bytes:
    """One message with the artefacts, each once."""
    written = walk.sections(artefacts, sections)
    return message(dialect, written, message_id=message_id, prepared=prepared, sender=sender)


def maintainable(dialect: Dialect, kind: str, artefact: Any, body: Parts, *, attributes: str = "") -> str:
    """A maintainable artefact: identification, annotations, names, then `body`. Its class is its element."""
    tag = kind.partition(".")[2]
    return (
        f'<str:{tag} id="{artefact.id}" urn="{walk.urn(kind, artefact)}" agencyID="{walk.agency(artefact)}"'
        f'{dialect.version(artefact)} isExternalReference="false"{attributes}>'
        f"{nameable(artefact)}{''.join(body)}</str:{tag}>\n"
    )


def nameable(artefact: common.NameableArtefact) -> str:
    """Annotations, names and descriptions in every language."""
    return notes(artefact) + localised("Name", artefact.name) + localised("Description", artefact.description)


def localised(tag: str, text: common.InternationalString) -> str:
    return in_languages(tag, text.localizations)


def in_languages(tag: str, text: Mapping[str, str]) -> str:
    """A text as one element in each of its languages."""
    return "".join(f'<com:{tag} xml:lang="{lang}">{escaped(words)}</com:{tag}>' for lang, words in text.items())


def notes(artefact: common.AnnotableArtefact) -> str:
    """The annotations of an artefact."""
    return annotated(artefact.annotations)


def annotated(annotations: Collection[common.BaseAnnotation]) -> str:
    if not annotations:
        return ""
    return f"<com:Annotations>{''.join(map(_annotation, annotations))}</com:Annotations>"


def _annotation(annotation: common.BaseAnnotation) -> str:
    identifier = f' id="{escaped(annotation.id)}"' if annotation.id else ""
    return (
        f"<com:Annotation{identifier}><com:AnnotationTitle>{escaped(annotation.title or '')}</com:AnnotationTitle>"
        f"<com:AnnotationType>{escaped(annotation.type or '')}</com:AnnotationType></com:Annotation>"
    )


def item(kind: str, scheme: Any, each: Any, body: str = "", *, path: Parts = ()) -> str:
    """An item of a scheme; `path` leads to it when items are nested."""
    tag = kind.partition(".")[2]
    address = walk.urn(kind, scheme, *path, each.id)
    return f'<str:{tag} id="{each.id}" urn="{address}">{nameable(each)}{body}</str:{tag}>'


# ---------------------------------------------------------------- schemes


def item_scheme(dialect: Dialect, kind: str, scheme: common.ItemScheme[Any], write: Callable[[Any], str]) -> str:
    return maintainable(dialect, kind, scheme, map(write, scheme), attributes=_partial(scheme))


def _partial(scheme: common.ItemScheme[Any]) -> str:
    return f' isPartial="{str(bool(scheme.is_partial)).lower()}"'


def organisations(dialect: Dialect, tag: str, scheme: common.ItemScheme[Any]) -> str:
    """An agency scheme or a data provider scheme; `tag` is the element of an item."""

    def write(each: Any) -> str:
        addresses = "".join(f"<str:URI>{escaped(uri)}</str:URI>" for contact in each.contact for uri in contact.uri)
        return item(f"base.{tag}", scheme, each, addresses and f"<str:Contact>{addresses}</str:Contact>")

    return item_scheme(dialect, f"base.{tag}Scheme", scheme, write)


def concept_scheme(dialect: Dialect, scheme: common.ConceptScheme) -> str:
    def write(concept: common.Concept) -> str:
        core = concept.core_representation
        body = _representation(dialect, "CoreRepresentation", core, is_multilingual=False) if core else ""
        return item("conceptscheme.Concept", scheme, concept, body)

    return item_scheme(dialect, "conceptscheme.ConceptScheme", scheme, write)


def category_scheme(dialect: Dialect, scheme: common.CategoryScheme) -> str:
    def write(category: common.Category, path: tuple[str, ...] = ()) -> str:
        below = "".join(write(child, (*path, category.id)) for child in category.child)
        return item("categoryscheme.Category", scheme, category, below, path=path)

    top = (category for category in scheme if not walk.parent(category))
    kind = "categoryscheme.CategoryScheme"
    return maintainable(dialect, kind, scheme, map(write, top), attributes=_partial(scheme))


def categorisation(dialect: Dialect, each: common.Categorisation) -> str:
    category = each.category
    assert category is not None
    path = category.hierarchical_id.split(".")
    body = (
        f"<str:Source>{dialect.ref('datastructure.Dataflow', each.artefact)}</str:Source>",
        f"<str:Target>{dialect.ref('categoryscheme.Category', walk.scheme(category), *path)}</str:Target>",
    )
    return maintainable(dialect, "categoryscheme.Categorisation", each, body)


# ---------------------------------------------------------------- structures


def dataflow(dialect: Dialect, flow: v21.DataflowDefinition) -> str:
    body = f"<str:Structure>{dialect.ref('datastructure.DataStructure', flow.structure)}</str:Structure>"
    return maintainable(dialect, "datastructure.Dataflow", flow, [body])


def data_structure(dialect: Dialect, dsd: v21.DataStructureDefinition) -> str:
    """A data structure; every list of components has its id, for readers need it."""

    def listed(tag: str, identifier: str, kind: str, body: Parts) -> str:
        address = walk.urn(f"datastructure.{kind}", dsd, identifier)
        return f'<str:{tag} id="{identifier}" urn="{address}">{"".join(body)}</str:{tag}>'

    def groups() -> Iterator[str]:
        for group in dsd.group_dimensions.values():
            keys = (
                f"<str:GroupDimension><str:DimensionReference>{dialect.local('Dimension', each.id)}"
                "</str:DimensionReference></str:GroupDimension>"
                for each in group.components
            )
            yield listed("Group", group.id, "GroupDimensionDescriptor", keys)

    parts = (
        "<str:DataStructureComponents>",
        listed(
            "DimensionList",
            "DimensionDescriptor",
            "DimensionDescriptor",
            (_dimension(dialect, dsd, each) for each in dsd.dimensions.components),
        ),
        *groups(),
        listed(
            "AttributeList",
            "AttributeDescriptor",
            "AttributeDescriptor",
            (_attribute(dialect, dsd, each) for each in dsd.attributes.components),
        )
        if dsd.attributes.components
        else "",
        listed(
            "MeasureList",
            "MeasureDescriptor",
            "MeasureDescriptor",
            (_component(dialect, dialect.measure, dsd, each) for each in dsd.measures.components),
        ),
        "</str:DataStructureComponents>",
    )
    return maintainable(dialect, "datastructure.DataStructure", dsd, parts)


def _dimension(dialect: Dialect, dsd: v21.DataStructureDefinition, dimension: common.DimensionComponent) -> str:
    if isinstance(dimension, common.TimeDimension):
        return _component(dialect, "TimeDimension", dsd, dimension)
    return _component(dialect, "Dimension", dsd, dimension, attributes=f' position="{dimension.order}"')


def _attribute(dialect: Dialect, dsd: v21.DataStructureDefinition, attribute: common.DataAttribute) -> str:
    body = f"<str:AttributeRelationship>{_relationship(dialect, attribute.related_to)}</str:AttributeRelationship>"
    return _component(dialect, "DataAttribute", dsd, attribute, attributes=dialect.usage(attribute), body=body)


def _relationship(dialect: Dialect, relation: object) -> str:
    none, observation = dialect.relations
    match relation:
        case common.DimensionRelationship():
            return "".join(
                f"<str:Dimension>{dialect.local('Dimension', each.id)}</str:Dimension>" for each in relation.dimensions
            )
        case common.GroupRelationship():
            assert relation.group_key is not None
            return f"<str:Group>{dialect.local('GroupDimensionDescriptor', relation.group_key.id)}</str:Group>"
        case v21.PrimaryMeasureRelationship():
            return observation
        case _:
            return none


def _component(
    dialect: Dialect,
    kind: str,
    dsd: v21.DataStructureDefinition,
    component: Any,
    *,
    attributes: str = "",
    body: str = "",
) -> str:
    tag = "Attribute" if kind == "DataAttribute" else kind
    concept = component.concept_identity
    address = walk.urn(f"datastructure.{kind}", dsd, component.id)
    # Dimensions hold codes and periods, which have no language (SimpleComponentTextFormatType).
    is_simple = isinstance(component, common.DimensionComponent) or not dialect.has_multilingual
    representation = _representation(
        dialect, "LocalRepresentation", component.local_representation, is_multilingual=None if is_simple else False
    )
    return (
        f'<str:{tag} id="{component.id}" urn="{address}"{attributes}><str:ConceptIdentity>'
        f"{dialect.ref('conceptscheme.Concept', walk.scheme(concept), concept.id)}</str:ConceptIdentity>"
        f"{representation}{body}</str:{tag}>"
    )


def _representation(
    dialect: Dialect, tag: str, representation: common.Representation, *, is_multilingual: bool | None
) -> str:
    """A code list or a text type; `is_multilingual` is None where the format may not say it."""
    if representation.enumerated is not None:
        reference = dialect.ref("codelist.Codelist", representation.enumerated)
        return f"<str:{tag}><str:Enumeration>{reference}</str:Enumeration></str:{tag}>"
    languages = "" if is_multilingual is None else f' isMultiLingual="{str(is_multilingual).lower()}"'
    return f'<str:{tag}><str:TextFormat textType="{walk.text_type(representation)}"{languages}/></str:{tag}>'


def metadata_attribute(dialect: Dialect, structure: MetadataStructure, attribute: MetadataAttribute, *path: str) -> str:
    """A field of reports; `path` is what its URN has before it."""
    concept = attribute.concept
    address = walk.urn("metadatastructure.MetadataAttribute", structure, *path, concept.id)
    return (
        f'<str:MetadataAttribute id="{concept.id}" urn="{address}" minOccurs="{int(attribute.is_mandatory)}" '
        f'maxOccurs="1"><str:ConceptIdentity>'
        f"{dialect.ref('conceptscheme.Concept', walk.scheme(concept), concept.id)}</str:ConceptIdentity>"
        '<str:LocalRepresentation><str:TextFormat textType="String" isMultiLingual="true"/></str:LocalRepresentation>'
        "</str:MetadataAttribute>"
    )


# ---------------------------------------------------------------- constraints and agreements


def constraint(dialect: Dialect, tag: str, each: v21.ContentConstraint, *, role: str, attribute: str) -> str:
    """A constraint on a dataflow. `role` is the XML attribute that says its role, `attribute` the element
    that holds the values of an attribute of the data.
    """
    assert each.role is not None
    name = "Allowed" if each.role.role is common.ConstraintRoleType.allowable else "Actual"
    flow = dialect.ref("datastructure.Dataflow", walk.flow_of(each))
    body = [f"<str:ConstraintAttachment><str:Dataflow>{flow}</str:Dataflow></str:ConstraintAttachment>"]
    prefix = attribute.partition(":")[0]
    for region in each.data_content_region:
        members = sorted(region.member.values(), key=lambda member: walk.is_attribute(member.values_for))
        values = (
            _member(member, attribute if walk.is_attribute(member.values_for) else f"{prefix}:KeyValue")
            for member in members
        )
        included = str(region.included).lower()
        body.append(f'<str:CubeRegion include="{included}">{"".join(values)}</str:CubeRegion>')
    return maintainable(dialect, f"registry.{tag}", each, body, attributes=f' {role}="{name}"')


def _member(member: common.BaseMemberSelection[Any], tag: str) -> str:
    prefix = tag.partition(":")[0]
    return f'<{tag} id="{member.values_for.id}">{"".join(_value(each, prefix) for each in member.values)}</{tag}>'


def _value(value: object, prefix: str) -> str:
    if isinstance(value, v21.RangePeriod):
        ends = "".join(
            f'<{prefix}:{tag} isInclusive="true">{end.period}</{prefix}:{tag}>'
            for tag, end in (("StartPeriod", value.start), ("EndPeriod", value.end))
        )
        return f"<{prefix}:TimeRange>{ends}</{prefix}:TimeRange>"
    assert isinstance(value, v21.MemberValue)
    return f"<{prefix}:Value>{escaped(value.value)}</{prefix}:Value>"


def agreement(dialect: Dialect, each: common.ProvisionAgreement, *, usage: str) -> str:
    """A provision agreement; `usage` is the element that names the dataflow."""
    provider = each.data_provider
    assert provider is not None
    body = (
        f"<str:{usage}>{dialect.ref('datastructure.Dataflow', each.structure_usage)}</str:{usage}>",
        f"<str:DataProvider>{dialect.ref('base.DataProvider', walk.scheme(provider), provider.id)}</str:DataProvider>",
    )
    return maintainable(dialect, "registry.ProvisionAgreement", each, body)


def hierarchical_code(dialect: Dialect, kind_of: Callable[..., str], each: common.HierarchicalCode, path: Parts) -> str:
    """A code of a hierarchy with all below it; `kind_of` makes its URN from the path."""
    assert each.code is not None
    here = (*path, each.id)
    below = "".join(hierarchical_code(dialect, kind_of, child, here) for child in each.child)
    code = dialect.ref("codelist.Code", walk.scheme(each.code), each.code.id)
    return (
        f'<str:HierarchicalCode id="{each.id}" urn="{kind_of(*here)}"><str:Code>{code}</str:Code>'
        f"{below}</str:HierarchicalCode>"
    )
