"""The hub gathers what sites have new, and takes nothing that is not as it must be. Sites are on loopback."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import itertools
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pandas as pd
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nations import Served, change, know, list_files, nation, send, serving, sign
from office import build_office

from pipeline import library as authored
from pipeline.errors import SetupError
from pipeline.hub import gather, many
from pipeline.hub.kept import Kept
from pipeline.hub.region import choose, identity, sources
from pipeline.hub.sites import Hub, Limits, Site, hub
from pipeline.model import Library, Settings
from pipeline.releases import deltas

NOW = datetime(2026, 11, 30, tzinfo=UTC)
QUICK = Limits(interval_seconds=0, connect_seconds=2, read_seconds=1, site_seconds=20, attempts=2, wait_seconds=0.2)
TABLE = "packages/DF_STOCK/YY/data.csv"
RECORD = "packages/DF_STOCK/YY/metadata.json"


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The framework with two more fictional countries."""
    return authored.load(know(build_office(tmp_path_factory.mktemp("region")), "YY", "QQ"))


@pytest.fixture
def yy(published: Path, tmp_path: Path) -> Path:
    return nation(tmp_path / "yy", published / "build/public", "YY", ["DF_STOCK"])


@pytest.fixture
def xx(published: Path, tmp_path: Path) -> Path:
    return nation(tmp_path / "xx", published / "build/public", "XX", ["DF_STOCK"])


class Gathering:
    """Visits of a hub, one after the other, of the same sites."""

    def __init__(self, folder: Path, library: Library) -> None:
        self.folder, self.library, self.common = folder, library, "framework"

    def visit(self, *sites: Served | Site, limits: Limits = QUICK, now: datetime = NOW) -> list[gather.Visit]:
        every = tuple(each if isinstance(each, Site) else Site(each.address) for each in sites)
        for each in sites:
            if isinstance(each, Served):
                each.asked.clear()
        bench = gather.Bench(self.library, self.common, now, "en")
        return many.gather_all(Hub(every, limits=limits), self.folder, bench, contact="https://region.example", said="")


@pytest.fixture
def gathering(tmp_path: Path, region: Library) -> Gathering:
    return Gathering(tmp_path / "sites", region)


def tables(visit: gather.Visit) -> set[str]:
    return {" ".join(key) for key in visit.state.tables}


def told(visit: gather.Visit) -> str:
    """All that is said against a site, in English."""
    return " ".join([visit.fault.get("en", ""), *(why["en"] for why in visit.state.held.values())])


# ---------------------------------------------------------------- what is asked


def test_a_site_that_has_not_changed_is_asked_one_thing(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        first = gathering.visit(site)[0]
        assert tables(first) == {"YY DF_STOCK"}
        assert first.taken == (("YY", "DF_STOCK"),)
        assert site.asked[:3] == ["robots.txt", "manifest.json", "manifest.sig"]
        assert len(site.asked) == 3 + 4
        second = gathering.visit(site)[0]
        assert site.asked == ["manifest.json"]
        assert (second.requests, second.bytes, second.taken) == (1, 0, ())
        assert second.state.tables == first.state.tables


def test_of_a_changed_table_only_its_files_are_fetched(yy: Path, published: Path, gathering: Gathering) -> None:
    nation(yy, published / "build/public", "YY", ["DF_BORDER"])
    with serving(yy) as [site]:
        before = gathering.visit(site)[0].state
        change(yy, RECORD, "estadistica@inf.example", "datos@inf.example")
        after = gathering.visit(site)[0]
        assert site.asked == ["manifest.json", "manifest.sig", RECORD]
        assert after.taken == (("YY", "DF_STOCK"),)
        assert after.state.tables["YY", "DF_BORDER"] == before.tables["YY", "DF_BORDER"]
        assert after.state.tables["YY", "DF_STOCK"].release == "2026-11-25.1"


def test_a_delta_is_fetched_in_place_of_a_table(yy: Path, gathering: Gathering, region: Library) -> None:
    before = pd.read_csv(yy / TABLE, dtype=str, keep_default_na=False)
    with serving(yy) as [site]:
        gathering.visit(site)
        row = int((before["OBS_VALUE"].str.len() > 2).to_numpy().argmax())
        after = before.assign(OBS_VALUE=before["OBS_VALUE"].where(before.index != row, "777"))
        (yy / TABLE).write_text(after.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        snapshots = [each.assign(STRUCTURE="", STRUCTURE_ID="", ACTION="I") for each in (before, after)]
        order = ["STRUCTURE", "STRUCTURE_ID", "ACTION", *before.columns]
        message = deltas.written(deltas.delta(*(each[order] for each in snapshots)))
        place = yy / "releases/2026-11-25.1/delta/DF_STOCK/YY.csv"
        place.parent.mkdir(parents=True)
        place.write_bytes(message)
        list_files(yy, "2026-11-25.1")
        visit = gathering.visit(site)[0]
        assert visit.taken == (("YY", "DF_STOCK"),)
        assert "releases/2026-11-25.1/delta/DF_STOCK/YY.csv" in site.asked
        assert TABLE not in site.asked
        kept = Kept(gathering.folder / Site(site.address).folder)
        assert kept.read(visit.state.tables["YY", "DF_STOCK"].files["table"]) == (yy / TABLE).read_bytes()
        # A delta that does not make the table of the manifest is thrown away, and the table fetched.
        place.write_bytes(message.replace(b"777", b"778"))
        (yy / TABLE).write_text((yy / TABLE).read_text().replace(",777,", ",779,"), encoding="utf-8")
        place.rename(place.parents[2].with_name("x"))
        later = yy / "releases/2026-11-26.1/delta/DF_STOCK/YY.csv"
        later.parent.mkdir(parents=True)
        place.parents[2].with_name("x").rename(later)
        list_files(yy, "2026-11-26.1")
        assert gathering.visit(site)[0].taken == (("YY", "DF_STOCK"),)
        assert TABLE in site.asked


def test_another_framework_checks_again_what_is_kept_and_fetches_nothing_twice(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        gathering.visit(site)
        gathering.common = "another framework"
        visit = gathering.visit(site)[0]
        assert site.asked == ["manifest.json", "manifest.sig"]
        assert visit.state.tables["YY", "DF_STOCK"].common == "another framework"


def test_what_a_site_takes_back_is_gone(yy: Path, published: Path, gathering: Gathering) -> None:
    nation(yy, published / "build/public", "YY", ["DF_BORDER"])
    with serving(yy) as [site]:
        gathering.visit(site)
        shutil.rmtree(yy / "packages/DF_BORDER")
        list_files(yy, "2026-11-25.1")
        visit = gathering.visit(site)[0]
        assert visit.gone == (("YY", "DF_BORDER"),)
        assert tables(visit) == {"YY DF_STOCK"}


def test_countries_and_dataflows_that_the_framework_has_not_are_told(yy: Path, gathering: Gathering) -> None:
    for path in ("packages/DF_STOCK/VV/metadata.json", "packages/DF_FISH/YY/metadata.json"):
        (yy / path).parent.mkdir(parents=True)
        (yy / path).write_text("{}", encoding="utf-8")
    list_files(yy, "2026-11-24.1")
    with serving(yy) as [site]:
        assert gathering.visit(site)[0].state.unknown == ("DF_FISH", "VV")


# ---------------------------------------------------------------- nobody stops another


def damage(path: str) -> Callable[[Path, Served], None]:
    def done(folder: Path, site: Served) -> None:
        (folder / path).write_bytes((folder / path).read_bytes().replace(b"A", b"B", 1))

    return done


def without(path: str) -> Callable[[Path, Served], None]:
    def done(folder: Path, site: Served) -> None:
        (folder / path).unlink()

    return done


def other(path: str, content: bytes, status: int = 200, **headers: str) -> Callable[[Path, Served], None]:
    def done(folder: Path, site: Served) -> None:
        site.odd[path] = lambda handler: send(handler, content, status, **headers)

    return done


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def slow(folder: Path, site: Served) -> None:
    site.odd["manifest.json"] = drip


def silent(folder: Path, site: Served) -> None:
    site.odd["manifest.json"] = lambda _: time.sleep(3)


def cut(folder: Path, site: Served) -> None:
    site.odd[TABLE] = lambda handler: send(handler, b"FREQ", Content_Length="4000")


def deep(folder: Path, site: Served) -> None:
    (folder / "manifest.json").write_text("[" * 100_000, encoding="utf-8")


def hostile_paths(folder: Path, site: Served) -> None:
    """Paths of a manifest are looked up by name alone: none of these is ever asked for."""
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = {"bytes": 1, "sha256": "0" * 64}
    names = ("../../etc/passwd", "/etc/passwd", "a\x00b", "x" * 100_000, "packages/DF_STOCK/../../x/metadata.json")
    manifest["files"] |= dict.fromkeys(names, entry)
    manifest["files"][TABLE] = {"bytes": 1, "sha256": "../../../x"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


FAULTS = {
    "damaged table": (damage(TABLE), "is damaged, or was exchanged"),
    "damaged record": (damage(RECORD), "is damaged, or was exchanged"),
    "absent file": (without(TABLE), "is damaged, or was exchanged"),
    "no manifest": (without("manifest.json"), "manifest.json is not there"),
    "no JSON": (other("manifest.json", b"<html>"), "is not the manifest of a release"),
    "deep JSON": (deep, "is not the manifest of a release"),
    "hostile paths": (hostile_paths, "is not in the manifest"),
    "500": (other("manifest.json", b"", 500), "the site answers 500"),
    "403": (other("manifest.json", b"", 403), "the site answers 403"),
    "429 for ever": (other("manifest.json", b"", 429, Retry_After="100000"), "the site answers 429"),
    "another host": (other("manifest.json", b"", 302, Location="http://127.0.0.2:1/"), "it leads to another host"),
    "a file address": (other("manifest.json", b"", 302, Location="file:///etc/passwd"), "it leads to another host"),
    "a circle": (other("manifest.json", b"", 302, Location="/manifest.json"), "without end"),
    "slow": (slow, "takes longer than 1.5 seconds"),
    "silent": (silent, "does not answer"),
    "cut off": (cut, "breaks off"),
    "a file without end": (other(TABLE, b"x" * 2_000_000), "it is longer than"),
    "a bomb": (other("manifest.json", gzip.compress(bytes(2**23)), Content_Encoding="gzip"), "it is longer than"),
    "no gzip": (other("manifest.json", b"{}", Content_Encoding="gzip"), "breaks off"),
    "robots": (other("robots.txt", b"User-agent: *\nDisallow: /"), "robots.txt of the site does not allow it"),
    "robots 503": (other("robots.txt", b"", 503), "the site answers 503"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_site_is_told_and_stops_nobody(
    name: str, xx: Path, yy: Path, gathering: Gathering, tmp_path: Path
) -> None:
    break_it, expected = FAULTS[name]
    limits = replace(QUICK, site_seconds=1.5, manifest_bytes=2**20) if name in ("slow", "a bomb") else QUICK
    with serving(yy, xx) as [bad, good]:
        break_it(yy, bad)
        first, second = gathering.visit(bad, good, limits=replace(limits, site_seconds=20 if name != "slow" else 1.5))
        assert expected in told(first)
        assert tables(first) == set()
        if name != "slow":
            assert tables(second) == {"XX DF_STOCK"}
            assert not second.fault
        assert not any("etc" in path or ".." in path for path in bad.asked)


@pytest.mark.parametrize("name", ["damaged table", "500", "no JSON", "robots", "another host"])
def test_what_was_gathered_before_stays(name: str, yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        before = gathering.visit(site)[0].state
        change(yy, TABLE, "Residents", "Inhabitants")
        whole = (yy / TABLE).read_bytes()
        FAULTS[name][0](yy, site)
        later = NOW.replace(month=12, day=2)  # robots.txt is read again after a day
        visit = gathering.visit(site, now=later)[0]
        assert FAULTS[name][1] in told(visit)
        assert visit.state.tables == before.tables
        site.odd.clear()
        (yy / TABLE).write_bytes(whole)
        list_files(yy, "2026-11-26.1")
        mended = gathering.visit(site, now=later.replace(day=4))[0]
        assert told(mended).strip() == ""
        assert mended.taken == (("YY", "DF_STOCK"),)


def test_a_busy_site_is_asked_again_when_it_says(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:

        def busy(handler: BaseHTTPRequestHandler) -> None:
            del site.odd["manifest.json"]
            send(handler, b"", 503, Retry_After="1")

        site.odd["manifest.json"] = busy
        begun = time.monotonic()
        visit = gathering.visit(site, limits=replace(QUICK, wait_seconds=2))[0]
        assert tables(visit) == {"YY DF_STOCK"}
        assert site.asked[1:3] == ["manifest.json", "manifest.json"]
        assert time.monotonic() - begun >= 1


def test_a_host_is_asked_one_thing_at_a_time_with_pauses(yy: Path, gathering: Gathering) -> None:
    moments: list[float] = []
    with serving(yy) as [site]:
        ask = site.answer
        site.answer = lambda handler: (moments.append(time.monotonic()), ask(handler))[1]  # type: ignore[method-assign]
        gathering.visit(site, limits=replace(QUICK, interval_seconds=0.1))
    assert len(moments) == 7
    assert all(later - before >= 0.09 for before, later in itertools.pairwise(moments))


def test_robots_may_ask_for_longer_pauses(yy: Path, gathering: Gathering) -> None:
    (yy / "robots.txt").write_text("User-agent: Trayecto\nCrawl-delay: 1\n", encoding="utf-8")
    with serving(yy) as [site]:
        begun = time.monotonic()
        gathering.visit(site, limits=replace(QUICK, wait_seconds=0.15))  # the longest wait that we grant
        assert time.monotonic() - begun >= 5 * 0.15


# ---------------------------------------------------------------- signatures and order


def test_a_signature_is_held_against_the_key_of_the_list(yy: Path, gathering: Gathering) -> None:
    pem = sign(yy).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with serving(yy) as [site]:
        pinned = Site(site.address, key=pem)
        assert gathering.visit(pinned)[0].state.signature == gather.PINNED
        change(yy, TABLE, "Residents", "Inhabitants")  # signed no more
        visit = gathering.visit(pinned)[0]
        assert "the signature does not fit" in told(visit)
        assert not any(path.startswith("packages") for path in site.asked[-2:])
        sign(yy)  # by somebody else
        assert "the signature does not fit" in told(gathering.visit(pinned)[0])
        (yy / "manifest.sig").unlink()
        assert "not signed, and it must be" in told(gathering.visit(pinned)[0])
        assert tables(gathering.visit(pinned)[0]) == {"YY DF_STOCK"}


def test_a_site_that_was_signed_stays_signed_with_its_key(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        assert gathering.visit(site)[0].state.signature == gather.UNSIGNED
        list_files(yy, "2026-11-25.1")
        sign(yy)
        assert gathering.visit(site)[0].state.signature == gather.KNOWN
        list_files(yy, "2026-11-26.1")
        sign(yy)
        assert "another key than before" in told(gathering.visit(site)[0])
        for name in ("manifest.sig", "manifest.pub"):
            (yy / name).unlink()
        assert "not signed, and it must be" in told(gathering.visit(site)[0])


def test_an_older_release_and_one_of_tomorrow_are_refused(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        gathering.visit(site)
        list_files(yy, "2026-11-23.1")
        assert "comes before 2026-11-24.1" in told(gathering.visit(site)[0])
        list_files(yy, "2026-12-24.1")
        assert "dated after today" in told(gathering.visit(site)[0])


# ---------------------------------------------------------------- what came is checked


def rewrite(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def add_column(text: str) -> str:
    head, *lines = text.splitlines()
    return "\n".join([f"{head},PASSPORT", *(f"{line},1" for line in lines)]) + "\n"


def twice(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:-1], lines[-2]]) + "\n"


def withheld_told(text: str) -> str:
    """A figure beside the mark that it is withheld."""
    return re.sub(r",(20\d\d),,Q,A,", r",\1,7,Q,A,", text, count=1)


def elsewhere(text: str) -> str:
    return text.replace(",YY,", ",QQ,", 1)


UNFIT = {
    "unknown code": (TABLE, rewrite(",F,", ",W,"), r"STR-03 .*DF_STOCK/YY/data.csv, cell [A-Z]+\d+.*\"W\""),
    "foreign column": (TABLE, add_column, "its columns are not those of DF_STOCK: PASSPORT"),
    "no number": (TABLE, lambda text: re.sub(r",2020,\d+,", ",2020,many,", text, count=1), '"many" is not a number'),
    "infinite": (TABLE, lambda text: re.sub(r",2020,\d+,", ",2020,1e999,", text, count=1), "is not a number"),
    "same key twice": (TABLE, twice, "STR-05"),
    "no period": (TABLE, rewrite(",2020,", ",MMXX,"), "STR-07"),
    "withheld and told": (TABLE, withheld_told, "DOM-21"),
    "another country": (TABLE, elsewhere, "STR-10"),
    "ragged": (TABLE, lambda text: text + "A,YY\n", "cannot be read as a table"),
    "fewer rows": (TABLE, lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "has not the rows of the table"),
    "empty": (TABLE, lambda text: text.splitlines()[0] + "\n", "there is no row"),
    "control characters": (
        TABLE,
        lambda text: text.replace("Censo", "Cen\x07so").replace("ensus", "en\x07sus"),
        "characters that no text has",
    ),
    "script in a link": (RECORD, rewrite('"url": "https:', '"url": "javascript:'), "is not what this program writes"),
    "record without a publisher": (
        RECORD,
        rewrite('"CONTACT_ORGANISATION": ', '"CONTACT": '),
        "is not what this program writes",
    ),
    "surprise in the record": (RECORD, rewrite('"flow": ', '"evil": 1, "flow": '), "is not what this program writes"),
    "record of another": (RECORD, rewrite('"area": "YY"', '"area": "QQ"'), "it speaks of QQ"),
    "record no JSON": (RECORD, lambda text: text[:-5], "is not JSON"),
    "report of an unknown kind": (
        "reports/YY/DF_STOCK.json",
        lambda text: re.sub(r'"code": "[A-Z]{3}-\d\d"', '"code": "ZZZ-99"', text),
        "is not what this program writes",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_table_that_is_not_fit_is_held_back_with_its_place(
    name: str, yy: Path, published: Path, gathering: Gathering
) -> None:
    path, spoil, expected = UNFIT[name]
    nation(yy, published / "build/public", "YY", ["DF_BORDER"])
    text = (yy / path).read_text(encoding="utf-8")
    assert spoil(text) != text
    (yy / path).write_text(spoil(text), encoding="utf-8")
    list_files(yy, "2026-11-24.1")
    with serving(yy) as [site]:
        visit = gathering.visit(site)[0]
        assert re.search(expected, told(visit)), told(visit)
        assert tables(visit) == {"YY DF_BORDER"}
        assert not visit.fault
        (yy / path).write_text(text, encoding="utf-8")
        list_files(yy, "2026-11-25.1")
        mended = gathering.visit(site)[0]
        assert tables(mended) == {"YY DF_BORDER", "YY DF_STOCK"}
        assert "packages/DF_BORDER/YY/data.csv" not in site.asked


def test_lineage_of_another_shape_is_refused(yy: Path, gathering: Gathering) -> None:
    path = yy / "files/DF_STOCK/YY/lineage.parquet"
    whole = pd.read_parquet(path)
    for frame, expected in (
        (whole.assign(table=99), "comes from no table"),
        (whole.assign(row=-1), "comes from no table"),
        (whole.drop(columns="row"), "cannot be read as a table"),
        (whole[1:], "has not the rows"),
    ):
        frame.to_parquet(path)
        list_files(yy, "2026-11-24.1")
        with serving(yy) as [site]:
            assert expected in told(gathering.visit(site)[0])


# ---------------------------------------------------------------- kills


def test_a_run_that_is_killed_goes_on_where_it_was(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        before = gathering.visit(site)[0].state
        for path, old, new in (
            (TABLE, "Residents", "Inhabitants"),
            (RECORD, "estadistica@", "datos@"),
            ("reports/YY/DF_STOCK.json", '"fit": true', '"fit":  true'),
        ):
            change(yy, path, old, new)
        folder = gathering.folder / Site(site.address).folder

        def kill(handler: BaseHTTPRequestHandler) -> None:
            handler.close_connection = True  # the power goes when the third of the files is asked for

        site.odd["reports/YY/DF_STOCK.json"] = kill
        visit = gathering.visit(site)[0]
        assert visit.fault
        assert Kept(folder).state.tables == before.tables
        assert {TABLE, RECORD} <= set(site.asked)
        half = folder / "files/.half"
        half.write_bytes(b"not the end of a file")
        site.odd.clear()
        mended = gathering.visit(site)[0]
        assert site.asked == ["manifest.json", "manifest.sig", "reports/YY/DF_STOCK.json"]
        assert mended.taken == (("YY", "DF_STOCK"),)
        assert not half.exists()
        named = {each for taken in mended.state.tables.values() for each in taken.files.values()}
        assert {path.name for path in (folder / "files").iterdir()} == named


def test_a_kept_file_that_was_damaged_is_fetched_again(yy: Path, gathering: Gathering) -> None:
    with serving(yy) as [site]:
        visit = gathering.visit(site)[0]
        kept = Kept(gathering.folder / Site(site.address).folder)
        checksum = visit.state.tables["YY", "DF_STOCK"].files["table"]
        kept.path(checksum).write_bytes(b"rot")
        assert kept.read(checksum) == b""
        list_files(yy, "2026-11-25.1")
        gathering.visit(site)
        assert TABLE in site.asked
        assert hashlib.sha256(kept.read(checksum)).hexdigest() == checksum


# ---------------------------------------------------------------- who speaks for whom


def test_a_country_is_taken_from_the_site_that_speaks_for_it(
    yy: Path, published: Path, tmp_path: Path, gathering: Gathering
) -> None:
    copy = nation(tmp_path / "copy", published / "build/public", "YY", ["DF_STOCK"])
    with serving(yy, copy) as [one, two]:
        visits = gathering.visit(one, two)
        chosen, left = choose(visits)
        assert chosen["YY", "DF_STOCK"].visit.site.address == one.address
        assert [at for at, _ in left] == [two.address]
        assert "both publish YY DF_STOCK" in next(iter(left.values()))["en"]
        chosen, _ = choose(gathering.visit(one, Site(two.address, areas=("YY",))))
        assert chosen["YY", "DF_STOCK"].visit.site.address == two.address
        other_visit = gathering.visit(Site(one.address, areas=("QQ",)))[0]
        assert choose([other_visit])[0] == {}


def test_the_order_of_sites_does_not_matter(xx: Path, yy: Path, tmp_path: Path, region: Library) -> None:
    said = Settings((), (), (), "https://region.example", "2026-11-24.1", "en", {})
    found = set()
    with serving(xx, yy) as sites:
        for number, order in enumerate((sites, sites[::-1])):
            visits = Gathering(tmp_path / str(number), region).visit(*order)
            chosen, left = choose(visits)
            found.add((identity(chosen, "framework", said), sources(visits, left)))
    assert len(found) == 1


# ---------------------------------------------------------------- the list of sites


def test_sites_are_named_by_addresses_or_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# national sites\nhttp://one.example\n\nhttps://two.example/data/ # two\n")
    found = hub(tmp_path, "@list.txt, http://one.example/ http://three.example:8080/x")
    assert [each.address for each in found.sites] == [
        "http://one.example/",
        "https://two.example/data/",
        "http://three.example:8080/x/",
    ]
    assert len({each.folder for each in found.sites}) == 3
    (tmp_path / "key.pem").write_bytes(b"pem")
    (tmp_path / "hub.toml").write_text(
        'base_url = "https://region.example/"\n[limits]\nhosts_at_once = 2\n'
        '[[site]]\naddress = "http://one.example"\nagency = "Office"\nkey = "key.pem"\nareas = ["XX"]\n'
    )
    found = hub(tmp_path, "")
    assert found.sites == (Site("http://one.example/", "Office", b"pem", ("XX",)),)
    assert (found.base_url, found.limits.hosts_at_once) == ("https://region.example", 2)


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ("", "say which sites to gather"),
        ("ftp://one.example", "is not the address of a site"),
        ("http://user:word@one.example", "is not the address of a site"),
        ("file:///etc/passwd", "is not the address of a site"),
        ("http://[::1", "is not the address of a site"),
        ("@nowhere.txt", "there is no such file"),
        ("@nowhere.toml", "the file does not exist"),
    ],
)
def test_a_site_that_cannot_be_is_told(tmp_path: Path, urls: str, expected: str) -> None:
    with pytest.raises(SetupError, match=re.escape(expected)):
        hub(tmp_path, urls)


def test_the_address_of_the_region_is_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text('base_url = "region.example"\n[[site]]\naddress = "http://one.example"\n')
    with pytest.raises(SetupError, match="must be a whole address"):
        hub(tmp_path, "")


def test_the_bytes_of_a_bomb_are_not_unpacked(yy: Path, gathering: Gathering) -> None:
    """Many zeros in few bytes: the answer is left when it is longer than it may be."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(16):
            file.write(bytes(2**22))
    with serving(yy) as [site]:
        site.odd["manifest.json"] = lambda handler: send(handler, packed.getvalue(), Content_Encoding="gzip")
        begun = time.process_time()
        assert "it is longer than" in told(gathering.visit(site, limits=replace(QUICK, manifest_bytes=2**20))[0])
        assert time.process_time() - begun < 1


def test_a_disk_that_is_full_is_not_the_fault_of_the_site(
    yy: Path, gathering: Gathering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "build/hub")

    monkeypatch.setattr(Kept, "take", full)
    with serving(yy) as sites:
        (visit,) = gathering.visit(*sites)
    assert "build/hub: No space left on device" in told(visit)
    assert visit.state.tables == {}
