"""A data structure → the XML schema of its structure-specific data, grouped by series or one by one.

The message schema of the standard looks at nothing inside a data set; this schema does (SDMX 2.1
section 3A part 4 §4.3, SDMX 3.0 section 3): codes, mandatory attributes at their level, periods and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from pipeline.framework import Codelist, Component, Structure


@dataclass(frozen=True)
class Version:
    """A version of SDMX-ML by its number in the names of its schemas."""

    number: str

    @property
    def schemas(self) -> str:
        """What the namespaces of the version begin with."""
        return f"http://www.sdmx.org/resources/sdmxml/schemas/{self.number}"

    @property
    def official(self) -> str:
        """Where the schemas of the standard stand."""
        return f"https://registry.sdmx.org/schemas/{self.number}"


V21, V30 = Version("v2_1"), Version("v3_0")
_TYPES = {
    "Double": "xs:double",
    "GregorianDay": "xs:date",
    "GregorianTimePeriod": "common:GregorianTimePeriodType",
    "Integer": "xs:integer",
    "ObservationalTimePeriod": "common:ObservationalTimePeriodType",
    "String": "xs:string",
}
# The types of 2.1 offer it; those of 3.0 do not know it.
_PROHIBITED = '<xs:attribute name="REPORTING_YEAR_START_DAY" use="prohibited"/>'


def namespace(structure: str, agency: str, *, is_flat: bool = False) -> str:
    """The target namespace, which data messages name in their header (SDMX 2.1 section 3A part 4 §4.2)."""
    urn = f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={agency}:{structure}(1.0.0)"
    return f"{urn}:ObsLevelDim:{observed(is_flat=is_flat)}"


def observed(*, is_flat: bool) -> str:
    """The dimension at the observation: the period in series, all of them where observations stand one by one."""
    return "AllDimensions" if is_flat else "TIME_PERIOD"


def schema(
    structure: Structure,
    agency: str,
    *,
    group: str,
    version: Version = V21,
    is_flat: bool = False,
    base: str | None = None,
) -> bytes:
    """The schema of one data structure.

    Args:
        structure: the authored structure.
        agency: its maintainer.
        group: id of the group that holds the attributes attached to one.
        version: of the messages.
        is_flat: each observation with its whole key, one by one.
        base: where the schemas of the standard stand, a folder or an address.
    """
    target = namespace(structure.id, agency, is_flat=is_flat)
    base = base or version.official
    components = structure.components.values()
    lists = {each.codelist.ref: each.codelist for each in components if each.codelist is not None}
    opening = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns={quoteattr(target)} '
        f'xmlns:ss="{version.schemas}/data/structurespecific" xmlns:common="{version.schemas}/common" '
        f'targetNamespace={quoteattr(target)} elementFormDefault="qualified">\n'
        f'<xs:import namespace="{version.schemas}/data/structurespecific" '
        f'schemaLocation="{base}/SDMXDataStructureSpecific.xsd"/>\n'
        f'<xs:import namespace="{version.schemas}/common" schemaLocation="{base}/SDMXCommon.xsd"/>\n'
    )
    parts = [
        opening,
        *map(_enumeration, lists.values()),
        _data_set(structure, version, is_flat=is_flat),
        *(_groups(structure, group) if structure.group else ()),
        *(() if is_flat else (_series(structure),)),
        _observation(structure, is_flat=is_flat),
        "</xs:schema>\n",
    ]
    text = "".join(parts)
    return (text.replace(_PROHIBITED, "") if version is V30 else text).encode()


def _enumeration(codelist: Codelist) -> str:
    codes = "".join(f"<xs:enumeration value={quoteattr(code)}/>" for code in codelist.codes)
    restriction = f'<xs:restriction base="xs:string">{codes}</xs:restriction>'
    return f'<xs:simpleType name="{_list_type(codelist)}">{restriction}</xs:simpleType>\n'


def _list_type(codelist: Codelist) -> str:
    return f"{codelist.agency}.{codelist.id}"


def _type(name: str, base: str, content: str, attributes: Iterable[str], *, open_: bool = False) -> str:
    """A type of the data set; an open one is abstract and leaves the attributes to the types below it."""
    opening, wildcard = (' abstract="true"', '<xs:anyAttribute namespace="##local"/>') if open_ else ("", "")
    return (
        f'<xs:complexType name="{name}"{opening}><xs:complexContent><xs:restriction base="{base}"><xs:sequence>'
        f'<xs:element ref="common:Annotations" minOccurs="0"/>{content}</xs:sequence>'
        f"{''.join(attributes)}{_PROHIBITED}{wildcard}"
        "</xs:restriction></xs:complexContent></xs:complexType>\n"
    )


def _child(name: str, kind: str, *, least: int = 0, most: str = "unbounded") -> str:
    return f'<xs:element name="{name}" type="{kind}" form="unqualified" minOccurs="{least}" maxOccurs="{most}"/>'


def _attribute(component: Component, *, is_required: bool) -> str:
    if component.codelist is not None:
        kind = _list_type(component.codelist)
    else:
        kind = _TYPES[component.concept.representation]
    use = "required" if is_required else "optional"
    return f'<xs:attribute name="{component.id}" type="{kind}" use="{use}"/>'


def _attributes(structure: Structure, attachment: str) -> list[str]:
    components = (structure.components[id_] for id_ in structure.attributes(attachment))
    return [_attribute(each, is_required=each.is_mandatory) for each in components]


def _data_set(structure: Structure, version: Version, *, is_flat: bool) -> str:
    """Groups, then series or observations; a version of one choice for all of them has them in any order."""
    provider = _child("DataProvider", "common:DataProviderReferenceType", most="1")
    kind = ("Obs", "ObsType") if is_flat else ("Series", "SeriesType")
    if version is V30:
        each = [_child(*one, least=1, most="1") for one in (("Group", "GroupType"), kind)[not structure.group :]]
        content = f'<xs:choice minOccurs="0" maxOccurs="unbounded">{"".join(each)}</xs:choice>'
    else:
        groups = _child("Group", "GroupType") if structure.group else ""
        content = f'{groups}<xs:choice minOccurs="0">{_child(*kind, least=1)}</xs:choice>'
    return _type("DataSetType", "ss:DataSetType", provider + content, _attributes(structure, "dataset"))


def _groups(structure: Structure, group: str) -> Iterable[str]:
    """The abstract group of the structure, and the one that messages name by `xsi:type`."""
    yield _type("GroupType", "ss:GroupType", "", (), open_=True)
    keys = [_attribute(structure.components[id_], is_required=True) for id_ in structure.group]
    fixed = f'<xs:attribute name="type" type="common:IDType" fixed="{group}"/>'
    yield _type(group, "GroupType", "", [*keys, *_attributes(structure, "group"), fixed])


def _series(structure: Structure) -> str:
    keys = [_attribute(structure.components[id_], is_required=True) for id_ in structure.dimensions]
    time = '<xs:attribute name="TIME_PERIOD" use="prohibited"/>'
    return _type(
        "SeriesType", "ss:SeriesType", _child("Obs", "ObsType"), [*keys, *_attributes(structure, "measure"), time]
    )


def _observation(structure: Structure, *, is_flat: bool) -> str:
    keys = [_attribute(structure.components[id_], is_required=True) for id_ in structure.dimensions if is_flat]
    time = [_attribute(each, is_required=True) for each in structure.of_role("time")]
    value = [_attribute(each, is_required=False) for each in structure.of_role("measure")]
    kind = '<xs:attribute name="type" use="prohibited"/>'
    said = [each for place in ("measure", "observation")[not is_flat :] for each in _attributes(structure, place)]
    return _type("ObsType", "ss:ObsType", "", [*keys, *time, *value, *said, kind])
