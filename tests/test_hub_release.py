"""Two national sites become one regional release, and only what is new makes another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from nations import change, emigrants, know, list_files, nation, serving, sign
from office import build_office

from pipeline import releases, signature
from pipeline.errors import PublishError
from pipeline.hub.harvest import harvest
from pipeline.hub.region import next_release

ROOT = Path(__file__).parents[1]
SITES = 'title = {{ en = "Region", es = "Región", pt = "Região" }}\n[limits]\ninterval_seconds = 0\nattempts = 1\n'
SITE = '[[site]]\naddress = "{address}"\nagency = "{agency}"\nareas = ["{area}"]\nkey = "{key}"\n'


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """The office of the hub, which knows two countries."""
    office = know(build_office(tmp_path / "hub"), "YY")
    path = office / "publish.toml"
    formats = re.sub(r"formats = .*", 'formats = ["csv", "table", "datapackage"]', path.read_text(encoding="utf-8"))
    path.write_text(formats, encoding="utf-8")
    return office


@pytest.mark.thorough  # whole releases
def test_a_region_is_made_of_its_sites(
    region: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796000000")
    national = published / "build/public"
    xx, yy = nation(tmp_path / "xx", national, "XX"), nation(tmp_path / "yy", national, "YY", ["DF_STOCK"])
    emigrants(yy, "YY", "XX", 30)
    list_files(yy, "2026-11-24.1")
    sign(yy)
    change(xx, "packages/DF_STOCK/XX/data.csv", ",_T,_T,NO,", ",_T,_T,YY,", release="2026-11-24.1")
    (region / "yy.pem").write_bytes((yy / signature.PUBLIC_KEY).read_bytes())
    public = region / "build/hub/public"
    with serving(xx, yy) as [one, two]:
        signed = SITE.format(address=two.address, agency="Office of YY", area="YY", key="yy.pem")
        plain = SITE.format(address=one.address, agency="", area="XX", key="")
        (region / "hub.toml").write_text(SITES.replace("{{", "{").replace("}}", "}") + signed + plain, encoding="utf-8")
        assert harvest(region, urls="") == 0
        told = capsys.readouterr().out
        assert "Regional release 2026-11-30.1" in told
        assert "YY DF_STOCK" in told

        # The figures are those of the countries, and the release is whole.
        assert list(signature.faults(public)) == []
        path = "packages/DF_BORDER/XX/data.csv"
        assert (public / path).read_bytes() == (national / path).read_bytes()
        assert (public / "packages/DF_STOCK/YY/data.csv").read_bytes() == (
            yy / "packages/DF_STOCK/YY/data.csv"
        ).read_bytes()
        assert (public / "reports/YY/DF_STOCK.json").read_bytes() == (yy / "reports/YY/DF_STOCK.json").read_bytes()
        every = (public / "sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/index.csv").read_text(encoding="utf-8")
        assert {",XX,", ",YY,"} <= set(re.findall(r",(?:XX|YY),", every))
        # Those born in YY who live in XX, as both tell.
        pairs = pd.read_csv(public / "reports/mirror/stocks.csv", dtype=str, keep_default_na=False)
        told_twice = pairs[(pairs["sex"] == "_T") & (pairs["origin_figure"] == "30")]
        assert told_twice[["origin", "destination", "destination_figure"]].to_numpy().tolist() == [["YY", "XX", "33"]]
        assert (public / "files/DF_INDIC/YY/data.csv").is_file() or (public / "files/DF_CAPACITY/YY/data.csv").is_file()

        # Each table says where it comes from, for machines and on its page, in three languages.
        record = json.loads((public / "packages/DF_STOCK/YY/metadata.json").read_text(encoding="utf-8"))
        assert record["description"]["gathered"] == [
            {
                "address": two.address,
                "agency": "Office of YY",
                "release": "2026-11-24.1",
                "signature": "pinned",
                "moment": "2026-11-30T00:53:20Z",
            }
        ]
        for language, words in (("en", "Gathered from"), ("es", "Recogido de"), ("pt", "Recolhido de")):
            page = (public / language / "data/DF_STOCK/YY/index.html").read_text(encoding="utf-8")
            assert f'{words} <a href="{two.address}">Office of YY</a>' in page

        # The list of lists, for machines and for agencies.
        listed = json.loads((public / "sources.json").read_text(encoding="utf-8"))["sites"]
        assert [each["address"] for each in listed] == sorted([one.address, two.address])
        of_yy = next(each for each in listed if each["address"] == two.address)
        assert (of_yy["state"], of_yy["areas"], of_yy["signature"]) == ("gathered", ["YY"], "pinned")
        assert [each["dataflow"] for each in of_yy["tables"]] == ["DF_EMIG", "DF_STOCK"]
        assert of_yy["endpoints"] == {"sdmx_v1": f"{two.address}sdmx/v1/"}
        assert two.address in (public / "es/agencies/index.html").read_text(encoding="utf-8")

        # Nothing new: one request a site and no new release.
        before = (public / "manifest.json").read_bytes()
        one.asked.clear(), two.asked.clear()
        assert harvest(region, urls="") == 0
        assert (one.asked, two.asked) == (["manifest.json"], ["manifest.json"])
        assert "Nothing has changed" in capsys.readouterr().out

        # A site that fails: the others and what was gathered of it stay, and the code says so.
        change(yy, "packages/DF_STOCK/YY/data.csv", "Residents", "Inhabitants")
        assert harvest(region, urls="") == 1
        assert "the signature does not fit" in capsys.readouterr().out
        assert (public / "manifest.json").read_bytes() == before
        state = json.loads((region / "build/hub/sources.json").read_text(encoding="utf-8"))["sites"]
        assert {each["address"]: each["state"] for each in state} == {one.address: "gathered", two.address: "unreached"}


def test_nothing_to_gather_makes_no_release(region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    with serving(tmp_path / "empty") as [site]:
        assert harvest(region, urls=site.address) == 1
    assert "There is no table to publish" in capsys.readouterr().err
    assert not (region / "build/hub/public").exists()


@pytest.mark.thorough  # whole releases, killed
def test_runs_that_are_killed_leave_a_whole_release_and_fetch_nothing_twice(
    region: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five kills without warning, spread over a run; then one run to its end, and what it made is what is due."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796000000")
    national, public = published / "build/public", region / "build/hub/public"
    xx, yy = nation(tmp_path / "xx", national, "XX"), nation(tmp_path / "yy", national, "YY", ["DF_STOCK"])

    def begin() -> subprocess.Popen[bytes]:
        task = f"from pathlib import Path; from pipeline.hub.harvest import harvest; exit(harvest(Path({str(region)!r}), urls=''))"
        return subprocess.Popen([sys.executable, "-c", task], stdout=subprocess.DEVNULL, cwd=ROOT)

    with serving(xx, yy) as [one, two]:
        sites = "".join(
            SITE.format(address=each.address, agency="", area=area, key="").replace('key = ""\n', "")
            for each, area in ((one, "XX"), (two, "YY"))
        )
        (region / "hub.toml").write_text(SITES.replace("{{", "{").replace("}}", "}") + sites, encoding="utf-8")
        started = time.monotonic()
        assert begin().wait() == 0
        took = time.monotonic() - started
        for path in (one, two):
            path.asked.clear()
        change(xx, "packages/DF_STOCK/XX/data.csv", "Residents", "Inhabitants")
        change(yy, "packages/DF_STOCK/YY/data.csv", "Residents", "Inhabitants")
        before = (public / "manifest.json").read_bytes()
        for place in range(5):
            running = begin()
            time.sleep(took * (place + 0.5) / 5)
            running.kill()
            running.wait()
            assert list(signature.faults(public)) == [], "what stands is whole at every moment"
        assert begin().wait() == 0
        for site, area in ((one, "XX"), (two, "YY")):
            assert site.asked.count(f"packages/DF_STOCK/{area}/data.csv") == 1, "what was verified is kept"
    assert list(signature.faults(public)) == []
    assert (public / "manifest.json").read_bytes() != before
    assert "Inhabitants" in (public / "packages/DF_STOCK/YY/data.csv").read_text(encoding="utf-8")
    left = {path.name for path in (region / "build/hub").iterdir()}
    assert not {name for name in left if name.startswith((".next", ".old"))}, left


def test_a_clock_that_went_back_makes_no_release(tmp_path: Path) -> None:
    past = releases.Past(tmp_path, {"2026-12-01.1": (), "2026-12-01.2": ()})
    assert next_release(past, "2026-12-01") == "2026-12-01.3"
    assert next_release(past, "2026-12-02") == "2026-12-02.1"
    with pytest.raises(PublishError, match=r"2026-12-01\.2 is out, and 2026-11-30\.1 would come before it"):
        next_release(past, "2026-11-30")
