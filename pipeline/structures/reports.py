"""Reference metadata as SDMX: the report of each package in the three formats, under the addresses that clients ask.

A report is about its dataflow and the provision agreements of those whose figures the package has. In SDMX 3.0 it is a
metadata set of its own, `<area>_<dataflow>`; SDMX 2.1 has one set with a report for each agreement, or for the dataflow
where nobody agreed to anything. Texts keep every language. SDMX 3.0 section 2 §7, SDMX 2.1 section 3A, REST 2.x
`/metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sdmx.model import common

from pipeline import provision
from pipeline.framework import Text
from pipeline.model import Description, Library, Package, Settings
from pipeline.structures import json20 as structures
from pipeline.structures import ml, walk
from pipeline.structures.artefacts import VERSION, Artefacts, artefacts
from pipeline.structures.metadata import REPORT, TARGETS, Metadataflow, MetadataStructure
from pipeline.structures.ml21 import reference

SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "metadata-message/tools/schemas/2.0.0/sdmx-json-metadata-schema.json"
)
_V21 = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
_V30 = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
_FLOW, _AGREEMENT = "datastructure.Dataflow", "registry.ProvisionAgreement"


@dataclass(frozen=True)
class MetadataReport:
    """What is said of one package: fields in the order of the structure, and what they are about."""

    id: str
    name: Text
    fields: Mapping[str, Text]
    flow: common.BaseDataflow
    agreements: tuple[common.ProvisionAgreement, ...]

    @property
    def targets(self) -> list[str]:
        """URNs of the dataflow and of the provision agreements."""
        return [walk.urn(_FLOW, self.flow), *(walk.urn(_AGREEMENT, each) for each in self.agreements)]


@dataclass(frozen=True)
class Header:
    """What each message says of itself."""

    prepared: datetime
    sender: str
    metadataflow: Metadataflow

    @property
    def structure(self) -> MetadataStructure:
        assert self.metadataflow.structure is not None
        return self.metadataflow.structure


def documents(packages: Sequence[Package], library: Library, settings: Settings) -> Iterator[tuple[list[str], bytes]]:
    """Yield (addresses, message) of every report alone, of those of each dataflow, and of all."""
    built = artefacts(library)
    day = datetime.fromisoformat(settings.release_day).replace(tzinfo=UTC)
    header = Header(day, library.agency, built.reference.flow)
    every = [_report(package, library, built) for package in packages]
    for found, names_v1, names_v2 in _answers(every, built, library):
        number = re.sub(r"[/.]", "_", names_v2[0])
        for folder, index, names, write in (
            ("v1", "index.xml", names_v1, ml21),
            ("v2", "index.json", names_v2, json20),
            ("v2xml", "index.xml", names_v2, ml30),
        ):
            if names:
                paths = [f"sdmx/{folder}/metadata/{name}/{index}" for name in names]
                yield paths, write(found, header, f"METADATA_{number}")


def _report(package: Package, library: Library, built: Artefacts) -> MetadataReport:
    said: Description = package.description
    ids = set(provision.of(package, library))
    return MetadataReport(
        f"{said.area}_{said.flow}",
        said.title,
        {field: said.fields[field] for field in library.fields if field in said.fields},
        built.dataflows[said.flow],
        tuple(each for each in built.agreements if each.id in ids),
    )


def _answers(
    every: Sequence[MetadataReport], built: Artefacts, library: Library
) -> Iterator[tuple[list[MetadataReport], list[str], list[str]]]:
    """Yield (reports, addresses of REST 1.5, addresses of REST 2) below `metadata/`."""
    agency, flow = library.agency, built.reference.flow.id
    versions = (VERSION, "+", "~", "")
    names = [flow, *(f"{agency},{flow}{version}" for version in ("", ",latest", ",1.0", f",{VERSION}"))]
    whole = [f"metadataflow/{agency}/{flow}/{version}" for version in versions]
    yield list(every), [path for name in names for path in (name, f"{name}/all", f"{name}/all/all")], _plain(whole)
    for dataflow in built.dataflows.values():
        if found := [each for each in every if each.flow is dataflow]:
            yield found, [], _plain(f"structure/dataflow/{agency}/{dataflow.id}/{version}" for version in versions)
    for report in every:
        yield [report], [], _plain(f"metadataset/{agency}/{report.id}/{version}" for version in versions)


def _plain(paths: Iterable[str]) -> list[str]:
    return [path.rstrip("/") for path in paths]


# ---------------------------------------------------------------- SDMX-JSON 2.0


def json20(reports: Sequence[MetadataReport], header: Header, message_id: str) -> bytes:
    """SDMX-JSON 2.0 metadata message (application/vnd.sdmx.metadata+json;version=2.0.0)."""

    def one(report: MetadataReport) -> dict[str, Any]:
        return {
            "id": report.id,
            "agencyID": header.sender,
            "version": VERSION,
            "isExternalReference": False,
            "name": report.name["en"],
            "names": dict(report.name),
            "metadataflow": walk.urn("metadatastructure.Metadataflow", header.metadataflow),
            "targets": report.targets,
            "attributes": [{"id": field, "value": dict(text)} for field, text in report.fields.items()],
        }

    data = {"metadataSets": list(map(one, reports))}
    return structures.document(SCHEMA, data, message_id=message_id, prepared=header.prepared, sender=header.sender)


# ---------------------------------------------------------------- SDMX-ML 3.0


def ml30(reports: Sequence[MetadataReport], header: Header, message_id: str) -> bytes:
    """SDMX-ML 3.0 metadata message: each report is a metadata set."""
    flow = walk.urn("metadatastructure.Metadataflow", header.metadataflow)
    urn = f"urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataSet={header.sender}:"

    def one(report: MetadataReport) -> str:
        about = "".join(f"<gen:Target>{target}</gen:Target>" for target in report.targets)
        said = (
            f'<gen:Attribute id="{field}">{ml.in_languages("Text", text)}</gen:Attribute>'
            for field, text in report.fields.items()
        )
        return (
            f'<mes:MetadataSet id="{report.id}" urn="{urn}{report.id}({VERSION})" agencyID="{header.sender}" '
            f'version="{VERSION}" isExternalReference="false">{ml.in_languages("Name", report.name)}'
            f"<gen:Metadataflow>{flow}</gen:Metadataflow>{about}{''.join(said)}</mes:MetadataSet>\n"
        )

    of = walk.urn("metadatastructure.MetadataStructure", header.structure)
    return _message(_V30, map(one, reports), header, message_id, of)


# ---------------------------------------------------------------- SDMX-ML 2.1


def ml21(reports: Sequence[MetadataReport], header: Header, message_id: str) -> bytes:
    """SDMX-ML 2.1 generic metadata message: one set of reports."""
    dataflow, agreement = TARGETS

    def one(report: MetadataReport) -> Iterator[str]:
        agreed = [(agreement, reference(_AGREEMENT, each)) for each in report.agreements]
        for target, said in agreed or [(dataflow, reference(_FLOW, report.flow))]:
            fields = (
                f'<gen:ReportedAttribute id="{field}">{ml.in_languages("Text", text)}</gen:ReportedAttribute>'
                for field, text in report.fields.items()
            )
            yield (
                f'<gen:Report id="{REPORT}"><gen:Target id="{target}"><gen:ReferenceValue id="{target}">'
                f"<gen:ObjectReference>{said}</gen:ObjectReference></gen:ReferenceValue></gen:Target>"
                f"<gen:AttributeSet>{''.join(fields)}</gen:AttributeSet></gen:Report>\n"
            )

    body = (part for report in reports for part in one(report))
    parts = (f'<mes:MetadataSet structureRef="{header.structure.id}">', *body, "</mes:MetadataSet>\n")
    of = reference("metadatastructure.MetadataStructure", header.structure)
    return _message(_V21, parts, header, message_id, of)


# ---------------------------------------------------------------- what both write alike


def _message(schemas: str, body: Iterable[str], header: Header, message_id: str, structure: str) -> bytes:
    """A whole message; `structure` refers to that of the reports."""
    said = (
        f'<mes:Structure structureID="{header.structure.id}"><com:Structure>{structure}</com:Structure></mes:Structure>'
    )
    spaces = {"mes": "message", "gen": "metadata/generic", "com": "common"}
    return ml.document(
        "GenericMetadata",
        schemas,
        spaces,
        "".join(body),
        message_id=message_id,
        prepared=header.prepared,
        sender=header.sender,
        header=said,
    )
