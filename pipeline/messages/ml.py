"""Structure messages in SDMX-ML: what versions 2.1 and 3.0 share, and where they differ.

Each artefact becomes a fragment of text once; a message is fragments put together. The two versions
differ in how they refer (elements or URNs), in a few names and in the order of the containers
(SDMXStructure.xsd of either).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sdmx.model import common, v21

from pipeline.messages.cube import difference, union
from pipeline.messages.names import CLASSES, path_of, urn

Kind = str  # the container element, such as `Codelists`


@dataclass(frozen=True)
class Dialect:
    """One version of SDMX-ML: its name, namespaces, and the containers in order, by class of sdmx1."""

    version: str
    schemas: str
    containers: Mapping[type[Any], str]

    @property
    def is_21(self) -> bool:
        return self.version == "2.1"


def element(tag: str, *content: str, **attributes: str | None) -> str:
    """An element as text; attributes without a value are left out."""
    given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items() if value is not None)
    inner = "".join(content)
    return f"<{tag}{given}>{inner}</{tag}>" if inner else f"<{tag}{given}/>"


def message(
    dialect: Dialect, fragments: Iterable[tuple[type[Any], str]], *, message_id: str, prepared: str, sender: str
) -> bytes:
    """A whole structure message of fragments made by `fragment`."""
    by_class: dict[type[Any], list[str]] = {}
    for kind, text in fragments:
        by_class.setdefault(kind, []).append(text)
    containers: dict[str, list[str]] = {}
    for kind, name in dialect.containers.items():
        containers.setdefault(name, []).extend(by_class.get(kind, []))
    body = "".join(element(f"str:{name}", *texts) for name, texts in containers.items() if texts)
    header = element(
        "mes:Header",
        element("mes:ID", message_id),
        element("mes:Test", "false"),
        element("mes:Prepared", prepared),
        element("mes:Sender", id=sender),
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<mes:Structure xmlns:mes="{dialect.schemas}/message" xmlns:str="{dialect.schemas}/structure" '
        f'xmlns:com="{dialect.schemas}/common">{header}{element("mes:Structures", body)}</mes:Structure>\n'
    ).encode()


def fragment(dialect: Dialect, artefact: Any) -> str:
    """One artefact as text."""
    return _Writer(dialect).write(artefact)


class _Writer:
    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def write(self, artefact: Any) -> str:
        methods: dict[type[Any], Callable[[Any], str]] = {
            common.AgencyScheme: self._agencies,
            common.DataProviderScheme: self._providers,
            common.Codelist: self._codelist,
            v21.HierarchicalCodelist: self._hierarchy,
            common.ConceptScheme: self._concepts,
            v21.DataStructureDefinition: self._structure,
            v21.DataflowDefinition: self._dataflow,
            v21.ContentConstraint: self._constraint,
            common.CategoryScheme: self._categories,
            common.Categorisation: self._categorisation,
            common.ProvisionAgreement: self._agreement,
        }
        return methods[type(artefact)](artefact)

    # ------------------------------------------------------------ references and shared parts

    def _urn(self, artefact: Any, item: str = "") -> str:
        return urn(artefact, item, version=self.dialect.version)

    def _ref(self, artefact: Any, item: str = "") -> str:
        """A reference to an artefact or item: an element in 2.1, a URN in 3.0."""
        if not self.dialect.is_21:
            return self._urn(artefact, item)
        package, name = CLASSES[type(artefact)]
        parent = {"maintainableParentID": artefact.id, "maintainableParentVersion": artefact.version}
        if not item:
            own = {"id": artefact.id, "version": artefact.version}
            return element("Ref", agencyID=artefact.maintainer.id, **own, **{"class": name}, package=package)
        kind = urn(artefact, item).partition("=")[0].rpartition(".")[2]
        return element("Ref", id=item, agencyID=artefact.maintainer.id, **parent, **{"class": kind}, package=package)

    def _local(self, identifier: str) -> str:
        """A reference within the same artefact."""
        return element("Ref", id=identifier) if self.dialect.is_21 else identifier

    def _texts(self, item: Any) -> str:
        names = [element("com:Name", escape(text), **{"xml:lang": lang}) for lang, text in _all(item.name)]
        texts = [
            element("com:Description", escape(text), **{"xml:lang": lang}) for lang, text in _all(item.description)
        ]
        return "".join(names + texts)

    def _annotations(self, item: Any) -> str:
        said = [(each.id, str(each.title)) for each in item.annotations]
        if self._is_note(item):
            said.append(("PARENT", item.parent.id))
        notes = [
            element(
                "com:Annotation",
                element("com:AnnotationTitle", escape(title)),
                element("com:AnnotationType", name),
                id=name,
            )
            for name, title in said
        ]
        return element("com:Annotations", *notes) if notes else ""

    def _maintainable(self, tag: str, artefact: Any, *content: str, **attributes: str) -> str:
        # Organisation schemes are never final in 2.1 and have no version in 3.0: they always change.
        is_organisation = isinstance(artefact, common.AgencyScheme | common.DataProviderScheme)
        final = {"isFinal": str(not is_organisation).lower(), "isExternalReference": "false"}
        return (
            element(
                f"str:{tag}",
                self._annotations(artefact),
                self._texts(artefact),
                *content,
                id=artefact.id,
                agencyID=artefact.maintainer.id,
                version=None if is_organisation and not self.dialect.is_21 else artefact.version,
                urn=self._urn(artefact),
                **(final if self.dialect.is_21 else {}),
                **attributes,
            )
            + "\n"
        )

    def _item(self, tag: str, scheme: Any, item: Any, *content: str, path: str = "") -> str:
        return element(
            f"str:{tag}",
            self._annotations(item),
            self._texts(item),
            *content,
            id=item.id,
            urn=self._urn(scheme, path or item.id),
        )

    # ------------------------------------------------------------ item schemes

    def _agencies(self, scheme: Any) -> str:
        return self._maintainable("AgencyScheme", scheme, *(self._item("Agency", scheme, each) for each in scheme))

    def _providers(self, scheme: Any) -> str:
        items = (self._item("DataProvider", scheme, each) for each in scheme)
        return self._maintainable("DataProviderScheme", scheme, *items)

    def _codelist(self, codelist: Any) -> str:
        codes = (self._item("Code", codelist, code, self._code_parent(code)) for code in codelist)
        return self._maintainable("Codelist", codelist, *codes)

    def _code_parent(self, code: Any) -> str:
        """The parent's id. The 3.0 schema wants it to begin with a letter, so `_T` stands in an annotation."""
        if not _parent(code) or self._is_note(code):
            return ""
        return element("str:Parent", self._local(code.parent.id))

    def _is_note(self, code: Any) -> bool:
        is_code = isinstance(code, common.Code) and _parent(code)
        return not self.dialect.is_21 and is_code and not code.parent.id[0].isalpha()

    def _concepts(self, scheme: Any) -> str:
        items = (
            self._item("Concept", scheme, each, self._representation("CoreRepresentation", each.core_representation))
            for each in scheme
        )
        return self._maintainable("ConceptScheme", scheme, *items)

    def _categories(self, scheme: Any) -> str:
        def nested(category: Any) -> str:
            return self._item("Category", scheme, category, *map(nested, category.child), path=path_of(category))

        return self._maintainable("CategoryScheme", scheme, *(nested(each) for each in scheme if not _parent(each)))

    def _hierarchy(self, hierarchical: Any) -> str:
        (tree,) = hierarchical.hierarchy
        codes = [self._hierarchical_code(code) for code in tree.codes.values()]
        if not self.dialect.is_21:
            return self._maintainable("Hierarchy", hierarchical, *codes, hasFormalLevels="false")
        inner = element("str:Hierarchy", self._texts(tree), *codes, id=tree.id, leveled="false")
        return self._maintainable("HierarchicalCodelist", hierarchical, inner)

    def _hierarchical_code(self, code: Any) -> str:
        codelist = code.code.get_scheme() if hasattr(code.code, "get_scheme") else code.code.parent
        inner = [element("str:Code", self._ref(codelist, code.code.id)), *map(self._hierarchical_code, code.child)]
        return element("str:HierarchicalCode", *inner, id=code.id)

    # ------------------------------------------------------------ structures

    def _representation(self, tag: str, representation: Any) -> str:
        if representation is None:
            return ""
        if representation.enumerated is not None:
            inner = element("str:Enumeration", self._ref(representation.enumerated))
        else:
            inner = element("str:TextFormat", textType=_text_type(representation))
        return element(f"str:{tag}", inner)

    def _component(self, tag: str, part: Any, *content: str, **attributes: str) -> str:
        return element(
            f"str:{tag}",
            element("str:ConceptIdentity", self._ref(_scheme_of(part.concept_identity), part.concept_identity.id)),
            self._representation("LocalRepresentation", part.local_representation),
            *content,
            id=part.id,
            **attributes,
        )

    def _structure(self, dsd: Any) -> str:
        dimensions = [
            self._component("TimeDimension", each, **({"position": str(each.order)} if self.dialect.is_21 else {}))
            if isinstance(each, common.TimeDimension)
            else self._component("Dimension", each, position=str(each.order))
            for each in dsd.dimensions
        ]
        groups = [
            element(
                "str:Group",
                *(
                    element("str:GroupDimension", element("str:DimensionReference", self._local(each.id)))
                    for each in group.components
                ),
                id=group.id,
            )
            for group in dsd.group_dimensions.values()
        ]
        measure = "PrimaryMeasure" if self.dialect.is_21 else "Measure"
        components = element(
            "str:DataStructureComponents",
            element("str:DimensionList", *dimensions, id="DimensionDescriptor"),
            *groups,
            element("str:AttributeList", *map(self._attribute, dsd.attributes), id="AttributeDescriptor"),
            element("str:MeasureList", *(self._component(measure, m) for m in dsd.measures), id="MeasureDescriptor"),
        )
        return self._maintainable("DataStructure", dsd, components)

    def _attribute(self, attribute: Any) -> str:
        is_mandatory = attribute.usage_status is common.UsageStatus.mandatory
        match attribute.related_to:
            case v21.PrimaryMeasureRelationship():
                to = (
                    element("str:PrimaryMeasure", self._local("OBS_VALUE"))
                    if self.dialect.is_21
                    else element("str:Observation")
                )
            case v21.DimensionRelationship():
                to = "".join(element("str:Dimension", self._local(d.id)) for d in attribute.related_to.dimensions)
            case v21.GroupRelationship():
                to = element("str:Group", self._local(attribute.related_to.group_key.id))
            case _:
                to = element("str:None" if self.dialect.is_21 else "str:Dataflow")
        status = (
            {"assignmentStatus": "Mandatory" if is_mandatory else "Conditional"}
            if self.dialect.is_21
            else {"usage": "mandatory" if is_mandatory else "optional"}
        )
        return self._component("Attribute", attribute, element("str:AttributeRelationship", to), **status)

    def _dataflow(self, flow: Any) -> str:
        return self._maintainable("Dataflow", flow, element("str:Structure", self._ref(flow.structure)))

    def _constraint(self, constraint: Any) -> str:
        (flow,) = constraint.content
        attachment = element("str:ConstraintAttachment", element("str:Dataflow", self._ref(flow)))
        prefix = "com" if self.dialect.is_21 else "str"
        regions = [
            element(
                "str:CubeRegion",
                *(
                    element(
                        f"{prefix}:KeyValue",
                        *(element(f"{prefix}:Value", escape(value)) for value in selection.values),
                        id=selection.component,
                        include=None if selection.is_included else "false",
                    )
                    for selection in region.selections
                ),
                include=str(region.is_included).lower(),
            )
            for region in (union if self.dialect.is_21 else difference)(constraint)
        ]
        role = "Allowed" if constraint.role.role is common.ConstraintRoleType.allowable else "Actual"
        if self.dialect.is_21:
            return self._maintainable("ContentConstraint", constraint, attachment, *regions, type=role)
        return self._maintainable("DataConstraint", constraint, attachment, *regions, role=role)

    def _categorisation(self, each: Any) -> str:
        scheme = _scheme_of(each.category)
        source = element("str:Source", self._ref(each.artefact))
        target = element("str:Target", self._ref(scheme, path_of(each.category)))
        return self._maintainable("Categorisation", each, source, target)

    def _agreement(self, each: Any) -> str:
        usage = "StructureUsage" if self.dialect.is_21 else "Dataflow"
        provider = self._ref(_scheme_of(each.data_provider), each.data_provider.id)
        return self._maintainable(
            "ProvisionAgreement",
            each,
            element(f"str:{usage}", self._ref(each.structure_usage)),
            element("str:DataProvider", provider),
        )


def _all(text: common.InternationalString) -> list[tuple[str, str]]:
    return sorted(text.localizations.items())


def _parent(item: Any) -> bool:
    return isinstance(item.parent, common.Item)


def _scheme_of(item: Any) -> Any:
    """The scheme that an item stands in."""
    return item.get_scheme()


def _text_type(representation: Any) -> str:
    """The name of a text type as the schemas spell it: `ObservationalTimePeriod`."""
    name: str = representation.non_enumerated[0].value_type.name
    return name[0].upper() + name[1:]
