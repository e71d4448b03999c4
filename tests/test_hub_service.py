"""The hub gathers from plain SDMX services: ours by both REST versions, those of others by what is said of them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from nations import Served, send, serving
from office import build_office

from pipeline import library as authored
from pipeline.errors import SetupError
from pipeline.hub import gather, many
from pipeline.hub.harvest import harvest
from pipeline.hub.kept import Kept
from pipeline.hub.sites import Hub, Limits, Site, hub
from pipeline.model import Library
from pipeline.serve import QuietHandler, server

QUICK = Limits(interval_seconds=0, connect_seconds=2, read_seconds=5, site_seconds=60, attempts=1, wait_seconds=0.2)
DAY = datetime(2026, 11, 30, tzinfo=UTC)
PATH = "data/dataflow/MIGLAC/DF_STOCK/1.0.0/*"
FLOWS = ("DF_BORDER", "DF_STOCK")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return authored.load(build_office(tmp_path_factory.mktemp("region")))


@pytest.fixture(scope="module")
def service(published: Path) -> Iterator[str]:
    """The address of `make serve` over the release of XX."""
    with server(published / "build/public", port=0, handler=QuietHandler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/sdmx/"
        running.shutdown()


def visit(folder: Path, library: Library, site: Site, day: datetime = DAY) -> gather.Visit:
    bench = gather.Bench(library, "framework", day, "en")
    return many.gather_all(Hub((site,), limits=QUICK), folder, bench, contact="https://region.example", said="")[0]


def plain(address: str, api: str = "2", **said: object) -> Site:
    return replace(Site(address, "Office", b"", ("XX",), api, "CC-BY-4.0", dict.fromkeys(())), **said)  # type: ignore[arg-type]


def kept(folder: Path, found: gather.Visit, flow: str, name: str = "table") -> bytes:
    return Kept(folder / found.site.folder).read(found.state.tables["XX", flow].files[name])


def figures(content: bytes) -> list[list[str]]:
    """The rows of a table, whatever the order of its columns and rows."""
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    of_release = {"VINTAGE", "LAST_UPDATE", "LICENCE"}  # which SDMX says of every observation
    frame = frame[[name for name in sorted(frame) if (frame[name] != "").any() and name not in of_release]]
    return sorted(frame.to_numpy().tolist())


@pytest.mark.parametrize("api", ["1", "2"])
def test_what_a_service_has_is_what_the_release_has(
    api: str, service: str, published: Path, tmp_path: Path, region: Library
) -> None:
    of = {flow: f"MIGLAC,{flow},1.0.0" for flow in FLOWS}
    found = visit(tmp_path, region, plain(f"{service}v{api}/", api, flows=of))
    assert not found.fault
    assert not found.state.held
    assert {flow for _, flow in found.state.tables} == set(FLOWS)
    for flow in FLOWS:
        ours = (published / f"build/public/packages/{flow}/XX/data.csv").read_bytes()
        assert figures(kept(tmp_path, found, flow)) == figures(ours)


def test_messages_in_xml_are_read_too(published: Path, tmp_path: Path, region: Library) -> None:
    """A static tree answers with one format, whatever is asked for."""
    with serving(published / "build/public/sdmx/v1") as [site]:
        file = (site.folder / "data/MIGLAC,DF_STOCK,1.0.0/all/index.xml").read_bytes()
        site.odd["data/MIGLAC,DF_STOCK,1.0.0/all"] = lambda handler: send(handler, file)
        found = visit(tmp_path, region, plain(site.address, "1", flows={"DF_STOCK": "MIGLAC,DF_STOCK,1.0.0"}))
        assert not found.state.held
        ours = (published / "build/public/packages/DF_STOCK/XX/data.csv").read_bytes()
        assert figures(kept(tmp_path, found, "DF_STOCK")) == figures(ours)


@pytest.fixture
def csv(published: Path) -> str:
    return (published / "build/public/sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/index.csv").read_text(
        encoding="utf-8"
    )


def answering(site: Served, content: str | bytes, tag: str = "") -> None:
    text = content.encode() if isinstance(content, str) else content
    site.odd[PATH] = lambda handler: (
        (
            (handler.send_response(304), handler.end_headers())
            if tag and handler.headers.get("If-None-Match") == tag
            else send(handler, text, **({"ETag": tag} if tag else {}))
        )
        and None
    )


OF_STOCK = {"DF_STOCK": "MIGLAC,DF_STOCK,1.0.0"}


def test_only_what_is_new_is_taken(csv: str, tmp_path: Path, region: Library) -> None:
    with serving(tmp_path / "empty") as [site]:
        answering(site, csv, '"one"')
        asked = plain(site.address, flows=OF_STOCK)
        first = visit(tmp_path, region, asked)
        assert first.taken == (("XX", "DF_STOCK"),)
        later = datetime(2026, 12, 5, tzinfo=UTC)
        second = visit(tmp_path, region, asked, later)
        assert (second.taken, second.bytes, second.state.tables) == ((), 0, first.state.tables)
        answering(site, csv)  # without anything to ask by, the same figures
        third = visit(tmp_path, region, asked, later)
        assert (third.taken, third.state.release, third.state.moment) == ((), "2026-11-30.1", first.state.moment)
        answering(site, csv.replace(",33,", ",34,"))
        fourth = visit(tmp_path, region, asked, later)
        assert fourth.taken == (("XX", "DF_STOCK"),)
        assert fourth.state.tables["XX", "DF_STOCK"].release == "2026-12-05.1"
        del site.odd[PATH]  # nothing at all: an address that is not one, rather than a service that is empty
        none = visit(tmp_path, region, asked, later)
        assert "none of the dataflows" in none.fault["en"]
        assert none.state.tables == fourth.state.tables
        site.odd[PATH.replace("STOCK", "BORDER")] = lambda handler: send(handler, csv.partition("\n")[0].encode())
        both = replace(asked, flows={**OF_STOCK, "DF_BORDER": "MIGLAC,DF_BORDER,1.0.0"})
        assert visit(tmp_path, region, both, later).gone == (("XX", "DF_STOCK"),)


def test_what_is_not_said_says_so(csv: str, tmp_path: Path, region: Library) -> None:
    with serving(tmp_path / "empty") as [site]:
        answering(site, csv)
        found = visit(tmp_path, region, plain(site.address, flows=OF_STOCK))
        record = json.loads(kept(tmp_path, found, "DF_STOCK", "record"))
    assert record["description"]["missing"] == record["description"]["not_known"]
    assert len(record["description"]["missing"]) > 5
    assert record["description"]["fields"]["CONTACT_ORGANISATION"]["es"] == "Office"
    assert record["origins"][0]["file"] == site.address
    assert found.state.signature == "unsigned"


def test_names_and_values_of_others(csv: str, tmp_path: Path, region: Library) -> None:
    """A service that names columns in its own way, adds some, leaves out what is always so, and begins with a mark."""
    theirs = pd.read_csv(io.StringIO(csv), dtype=str, keep_default_na=False)
    assert set(theirs["UNIT_MULT"]) == {"0"}
    theirs = theirs.drop(columns=["UNIT_MULT", "CONF_STATUS"])[theirs["CONF_STATUS"] == "F"]
    theirs = theirs.rename(columns={"SEX": "SEXO"}).assign(NOTA="0")
    content = "\ufeff" + theirs.to_csv(index=False, lineterminator="\r\n")
    said = {"columns": {"SEXO": "SEX", "NOTA": ""}, "values": {"UNIT_MULT": "0"}}
    with serving(tmp_path / "empty") as [site]:
        answering(site, content)
        held = visit(tmp_path / "a", region, plain(site.address, flows=OF_STOCK)).state.held
        assert "its columns are not those of DF_STOCK: SEXO, NOTA" in held["XX", "DF_STOCK"]["en"]
        found = visit(tmp_path / "b", region, plain(site.address, flows=OF_STOCK, **said))
        assert not found.state.held
        ours = pd.read_csv(io.StringIO(csv), dtype=str, keep_default_na=False)
        ours = ours[ours["CONF_STATUS"] == "F"].drop(columns=["STRUCTURE", "STRUCTURE_ID", "ACTION"])
        assert figures(kept(tmp_path / "b", found, "DF_STOCK")) == figures(ours.to_csv(index=False).encode())


BOMB = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><m>&b;</m>'


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(",F,", ",Q,").replace(",M,", ",Q,"), "DF_STOCK"),
        (lambda text: text.replace(",A,", ",XYZ,"), "XYZ"),
        (lambda text: text.replace(",33,", ",thirty,"), '"thirty" is not a number'),
        (lambda text: text.replace(",I,", ",D,"), "takes observations back"),
        (lambda text: text.partition("\n")[0] + "\n", ""),
        (lambda _: "DATAFLOW,OBS_VALUE\nx,1\n", "it has no column REF_AREA"),
        (lambda _: "no table at all", "cannot be read as a table"),
        (lambda text: text + "a,b\n", "cannot be read as a table"),
        (lambda text: text.replace(",33,", ",3\x003,"), "DF_STOCK"),
        (lambda _: BOMB, "may have no DOCTYPE"),
        (lambda _: b"<html><body>Sign in</body></html>", "no message of data that can be read"),
        (lambda _: BOMB.decode().encode("utf-16"), "DF_STOCK"),
    ],
)
def test_what_is_not_fit_is_held_back_and_what_stood_stays(
    change: object, told: str, csv: str, tmp_path: Path, region: Library
) -> None:
    with serving(tmp_path / "empty") as [site]:
        asked = plain(site.address, flows=OF_STOCK)
        answering(site, csv)
        before = visit(tmp_path, region, asked)
        answering(site, change(csv))  # type: ignore[operator]
        after = visit(tmp_path, region, asked)
    assert not after.fault
    if told:
        assert told in after.state.held["XX", "DF_STOCK"]["en"]
        assert after.state.tables == before.state.tables
    else:
        assert after.gone == (("XX", "DF_STOCK"),)


def test_a_service_that_does_not_answer_costs_the_others_nothing(csv: str, tmp_path: Path, region: Library) -> None:
    with serving(tmp_path / "a", tmp_path / "b") as [one, two]:
        one.odd[PATH] = lambda handler: send(handler, b"", 500)
        answering(two, csv)
        sites = (plain(one.address, flows=OF_STOCK), plain(two.address, flows=OF_STOCK))
        bench = gather.Bench(region, "framework", DAY, "en")
        bad, good = many.gather_all(Hub(sites, limits=QUICK), tmp_path, bench, contact="https://r.example", said="")
    assert "answers 500" in bad.fault["en"]
    assert good.taken == (("XX", "DF_STOCK"),)


SERVICE = '[[site]]\naddress = "http://one.example/rest"\napi = "2"\nareas = ["XX"]\nlicence = "CC-BY-4.0"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SERVICE.replace('"2"', '"3"'), "`api` must be one of 1, 2"),
        (SERVICE.replace('areas = ["XX"]\n', ""), "needs `areas` and `licence`"),
        (SERVICE.replace('licence = "CC-BY-4.0"\n', ""), "needs `areas` and `licence`"),
        (SERVICE.replace('api = "2"\n', ""), "are of SDMX services"),
        (SERVICE + '[site.flows]\nDF_STOCK = "a/b"\n', "must be written agency,id,version"),
    ],
)
def test_what_is_said_of_a_service_must_be_whole(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=told):
        hub(tmp_path, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SERVICE.replace("CC-BY-4.0", "MINE"), '"MINE" is not a licence'),
        (SERVICE + '[site.flows]\nDF_MINE = "a,b,1.0"\n', "DF_MINE are not dataflows of ours"),
    ],
)
def test_licences_and_dataflows_of_a_service_are_known(text: str, told: str, tmp_path: Path) -> None:
    office = build_office(tmp_path)
    (office / "hub.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=told):
        harvest(office, urls="")


@pytest.mark.thorough  # a whole release
def test_a_release_of_a_service(service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796000000")
    office = build_office(tmp_path / "hub")
    flows = "".join(f'{flow} = "MIGLAC,{flow},1.0.0"\n' for flow in FLOWS)
    text = SERVICE.replace("http://one.example/rest", f"{service}v2") + f"[site.flows]\n{flows}"
    (office / "hub.toml").write_text(text, encoding="utf-8")
    assert harvest(office, urls="") == 0
    public = office / "build/hub/public"
    page = (public / "en/data/DF_STOCK/XX/index.html").read_text(encoding="utf-8")
    assert f'Gathered from <a href="{service}v2/">' in page
    listed = json.loads((public / "sources.json").read_text(encoding="utf-8"))["sites"]
    assert listed[0]["endpoints"] == {"sdmx_v2": f"{service}v2/"}
    assert (public / "packages/DF_BORDER/XX/data.csv").is_file()
