"""The catalogue site: every page, in every language, says what the figures say and nothing else."""

from __future__ import annotations

import gzip
import json
import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html
from pypdf import PdfReader
from tables import DAY, FLOWS, protected, wholes, with_chile

from pipeline import across, catalogue
from pipeline.across import mirror as mirror_rules
from pipeline.catalogue import atlas, charts, figures, machine, periods, sample, view, wording
from pipeline.formats import formats
from pipeline.framework import LANGUAGES, Code, Codelist
from pipeline.model import (
    Country,
    Description,
    Issue,
    Ledger,
    Library,
    Origin,
    Package,
    Protected,
    Release,
    Report,
    Settings,
    Written,
)
from pipeline.texts import texts

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
HOSTILE = "<script>alert(1)</script>\"'&</title></svg>"
SHA = "ab" * 32
Tree = Mapping[str, bytes]

_ORG = {"SOURCE_TYPE": "ORG", "METHOD": "", "RES_CRITERION": ""}
STOCK: tuple[dict[str, Any], ...] = (
    *(
        {**_ORG, "COUNTRY_BIRTH": "FOR", "TIME_PERIOD": year, "OBS_VALUE": value}
        for year, value in (("1990", 107501), ("2020", 1476240), ("2024", 1538324))
    ),
    *(
        {**_ORG, "COUNTRY_BIRTH": code, "TIME_PERIOD": "2024", "OBS_VALUE": value}
        for code, value in (("VE", 427821), ("PE", 261522), ("NA", 0))
    ),
    {**_ORG, "COUNTRY_BIRTH": "GR", "TIME_PERIOD": "2024", "OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A"},
    {**_ORG, "COUNTRY_BIRTH": "NO", "TIME_PERIOD": "2024", "OBS_VALUE": "", "OBS_STATUS": "L"},
    *(
        {**_ORG, "COUNTRY_BIRTH": "FOR", "SEX": sex, "TIME_PERIOD": "2024", "OBS_VALUE": value}
        for sex, value in (("F", 755035), ("M", 783289))
    ),
    {"CITIZENSHIP": "FOR", "TIME_PERIOD": "2017", "OBS_VALUE": 746465},
    {"CITIZENSHIP": "FOR", "AGE": "Y0T14", "TIME_PERIOD": "2017", "OBS_VALUE": 91234},
    {
        "CITIZENSHIP": "FOR",
        "AGE": "Y15T24",
        "TIME_PERIOD": "2017",
        "OBS_VALUE": "",
        "OBS_STATUS": "Q",
        "CONF_STATUS": "D",
    },
    {"CITIZENSHIP": "_T", "TIME_PERIOD": "2017", "OBS_VALUE": 17574003},
)
MIRROR: tuple[dict[str, Any], ...] = (
    *(
        {"DATAFLOW": "DF_EMIG", **_ORG, "COUNTRY_BIRTH": "NAT", "COUNTERPART_AREA": other, "OBS_VALUE": value}
        for other, value in (("AR", 141348), ("PE", 13000), ("UY", 1234))
    ),
    {"REF_AREA": "AR", "CITIZENSHIP": "CL", "SOURCE_TYPE": "ADM_REG", "TIME_PERIOD": "2018", "OBS_VALUE": 309934},
    {"REF_AREA": "PE", "COUNTRY_BIRTH": "CL", **_ORG, "OBS_VALUE": 13000},
    {"REF_AREA": "UY", "COUNTRY_BIRTH": "CL", "OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A"},
)
REMIT = tuple(
    {"SOURCE_TYPE": "ADM_BOP", "FREQ": "Q", "TIME_PERIOD": f"2023-Q{q}", "OBS_VALUE": 10.5 + q, "UNIT_MULT": "6"}
    for q in (1, 2, 3, 4)
)


def described(library: Library, data: Protected) -> Description:
    """What a description of the table would say, with one mandatory field missing."""
    text = {lang: f"{data.flow.name[lang]}: {library.area_name(data.area)[lang]}" for lang in LANGUAGES}
    fields = {"DATA_DESCR": data.flow.description, "CONTACT_ORGANISATION": {"es": "Instituto Nacional"}}
    source = {"title": "t", "path": "https://producer.example/table", "provider": "CL_INE", "licence": "CC-BY-4.0"}
    licences = (library.licences["CC-BY-4.0"],)
    return Description(data.area, data.flow.id, text, fields, ("CONTACT_EMAIL",), licences, (source,), f"{DAY}.1", DAY)


def packaged(library: Library, area: str, flow: str, rows: tuple[dict[str, Any], ...]) -> Package:
    data = protected([{**row, "REF_AREA": area} for row in rows], library.dataflows[flow])
    origin = Origin("data/CL/stock.xlsx", "Cuadro 1", SHA, "CL_INE", "CC-BY-4.0", {}, {})
    suppressed = {
        "A": int((data.frame["CONF_STATUS"] == "A").sum()),
        "D": int((data.frame["CONF_STATUS"] == "D").sum()),
    }
    data = replace(data, area=area, sources=(origin,), suppressed=suppressed)
    return Package(data, described(library, data), {})


def settings() -> Settings:
    title = {"en": "Statistics of ten", "es": "Estadísticas de diez", "pt": "Estatísticas de dez"}
    return Settings(("AR", "CL", "CU"), (), ("csv",), "https://stat.example", f"{DAY}.1", "es", title)


def released(library: Library) -> Release:
    packages = (
        packaged(library, "CL", "DF_STOCK", STOCK),
        packaged(library, "AR", "DF_STOCK", STOCK[:3]),
        packaged(library, "CL", "DF_REMIT", REMIT),
    )
    issue = Issue("ACC-01", "W", "CL", "DF_STOCK", "746465", "1", count=3)
    reports = {("CL", "DF_STOCK"): Report("CL", "DF_STOCK", (issue,), {"ACC-01": 12, "STR-03": 13})}
    held_back = {("CU", "DF_STOCK"): {"en": "STR-03 <b>held</b>"}}
    return Release(packages, reports, held_back, compared=across.compare(wholes(MIRROR, library), library))


WRITTEN = {
    "reports/mirror/stocks.csv": Written(5, SHA),
    "files/DF_STOCK/CL/data.csv": Written(1234567, SHA),
    "packages/DF_STOCK/CL.zip": Written(999, SHA),
    "files/structures/structures-2.1.xml": Written(5, SHA),
    "sdmx/v1/codelist/SDMX/CL_SEX/2.1/index.xml": Written(5, SHA),
    "catalog.ttl": Written(5, SHA),
}


def built(library: Library) -> Tree:
    return dict(catalogue.pages(released(library), library, settings(), site=SITE, written=WRITTEN))


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    found = with_chile(library)
    producer = replace(library.providers["UNDESA"], id="CL_INE", area="CL", name={"en": "Institute of Statistics"})
    country = found.countries["CL"]
    assert isinstance(country, Country)
    return replace(found, countries={"CL": replace(country, providers={"CL_INE": producer})})


@pytest.fixture(scope="module")
def tree(chile: Library) -> Tree:
    return built(chile)


@pytest.fixture(scope="module")
def documents(tree: Tree) -> Mapping[str, html.HtmlElement]:
    return {
        path: html.document_fromstring(content.decode()) for path, content in tree.items() if path.endswith(".html")
    }


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


# ---------------------------------------------------------------- the pages


def test_every_page_stands_in_every_language(tree: Tree) -> None:
    pages = {lang: {p.removeprefix(f"{lang}/") for p in tree if p.startswith(f"{lang}/")} for lang in LANGUAGES}
    assert pages["en"] == pages["es"] == pages["pt"]
    wanted = ("index.html", "about/index.html", "quality/index.html", "code/index.html", "code/CL_SEX/index.html")
    assert {*wanted, "data/DF_STOCK/index.html", "data/DF_STOCK/CL/index.html", "country/CU/index.html"} <= pages["en"]
    assert {"index.html", "assets/site.css", "assets/theme.css", "assets/icon.svg"} <= tree.keys()


def targets(document: html.HtmlElement) -> Iterator[tuple[html.HtmlElement, str]]:
    for element in document.iter():
        for attribute in ("href", "src"):
            if isinstance(element.tag, str) and element.get(attribute):
                yield element, element.get(attribute)


def test_every_link_and_asset_is_there(tree: Tree, documents: Mapping[str, html.HtmlElement]) -> None:
    ids = {path: set(document.xpath("//@id")) for path, document in documents.items()}
    for path, document in documents.items():
        for element, target in targets(document):
            parts = urlsplit(target)
            if parts.scheme:
                continue
            if element.get("type") == "application/json":
                assert posixpath.join(posixpath.dirname(path), target) in tree
            folder = "/" if parts.path.startswith("/") else posixpath.dirname(path)
            there = posixpath.normpath(posixpath.join(folder, unquote(parts.path))).lstrip("/") if parts.path else path
            assert there in tree or there in WRITTEN, f"{path}: {target}"
            assert not parts.fragment or unquote(parts.fragment) in ids[there], f"{path}: {target}"


def test_nothing_is_asked_of_another_host_and_nothing_runs(documents: Mapping[str, html.HtmlElement]) -> None:
    for path, document in documents.items():
        for element, target in targets(document):
            is_told = element.get("rel") in ("canonical", "alternate")  # for search engines; no browser asks for it
            assert element.tag == "a" or is_told or not urlsplit(target).scheme, f"{path}: {target}"
        for script in document.xpath("//script"):
            assert script.get("type") == "application/ld+json" or script.get("src").endswith("assets/site.js"), path
        assert not document.xpath("//@style | //@*[starts-with(name(), 'on')] | //iframe | //style"), path
        policy = document.xpath("string(//meta[@http-equiv]/@content)")
        assert "default-src 'none'" in policy, path
        assert "unsafe-inline" not in policy, path
        assert "'unsafe-eval'" not in policy, path
    for asset in ("site.css", "theme.css", "site.js"):
        assert b"//" not in (SITE / f"assets/{asset}").read_bytes(), asset


def test_an_address_without_a_page_leads_back_from_wherever_it_stands(chile: Library) -> None:
    below = replace(settings(), base_url="https://stat.example/migration")
    made = dict(catalogue.pages(Release((), {}, {}), chile, below, site=SITE, written={}))
    page = read(made, "404.html")
    local = [target for _, target in targets(page)] + page.xpath("//form/@action")
    assert {target.removeprefix("/migration/") for target in local} <= made.keys()
    assert {each.get("lang") for each in page.xpath("//section[.//a and .//form]")} == set(LANGUAGES)


def test_a_page_says_its_language_and_leads_to_itself_in_the_others(documents: Mapping[str, html.HtmlElement]) -> None:
    for path, document in documents.items():
        if path in ("index.html", "404.html"):
            continue
        lang, _, rest = path.partition("/")
        assert document.get("lang") == lang
        assert len(document.xpath("//h1")) == 1
        for other in LANGUAGES:
            for link in document.xpath(f"//link[@hreflang='{other}'] | //nav//a[@hreflang='{other}']"):
                place = link.get("href").replace(
                    "https://stat.example", posixpath.relpath(".", posixpath.dirname(path))
                )
                place += "index.html" if place.endswith("/") else ""
                assert posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) == f"{other}/{rest}"
        assert document.xpath("//a[@href='#main']")
        assert document.xpath("//main[@id='main']")


def test_every_chart_has_a_name_and_its_numbers_in_a_table(documents: Mapping[str, html.HtmlElement]) -> None:
    for path, document in documents.items():
        ids = document.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        for drawing in document.xpath("//svg[@role='img']"):
            named = drawing.get("aria-labelledby", "").split()
            assert all(part in ids for part in named)
            assert text(drawing.xpath(".//title")[0])
        for figure in document.xpath("//figure[contains(@class, 'chart')]"):
            assert figure.xpath(".//desc")
            assert figure.xpath(".//table//td")


def test_small_lines_are_drawn_whole(documents: Mapping[str, html.HtmlElement], corridors: Tree) -> None:
    """A line that ran out of its space would end in an early year and tell a false trend."""
    pages = (*documents.values(), read(corridors, "es/corridors/index.html"))
    drawn = [svg for page in pages for svg in page.xpath("//svg[@class = 'spark' or @class = 'multiple']")]
    assert len(drawn) > 10
    for svg in drawn:
        _, _, width, height = map(float, svg.get("viewbox").split())
        points = [
            tuple(map(float, point.split(","))) for line in svg.iter("polyline") for point in line.get("points").split()
        ]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
        if points:
            assert max(x for x, _ in points) > 0.9 * width, "the last figure stands at the right"


def test_pages_are_small(tree: Tree) -> None:
    assert max(len(gzip.compress(content)) for path, content in tree.items() if path.endswith(".html")) <= 60_000


def test_equal_input_gives_equal_bytes(tree: Tree, chile: Library) -> None:
    assert built(chile) == tree


def test_every_dataflow_has_its_pages(chile: Library) -> None:
    packages = tuple(packaged(chile, "CL", flow, ({}, {"TIME_PERIOD": "2018", "OBS_VALUE": 1100})) for flow in FLOWS)
    made = dict(catalogue.pages(Release(packages, {}, {}), chile, settings(), site=SITE, written={}))
    for flow in FLOWS:
        page = html.document_fromstring(made[f"pt/data/{flow}/CL/index.html"].decode())
        assert [text(each) for each in page.xpath("//ul[@class='figures']//p[@class='value']")] == ["1.100"], flow


def test_a_release_without_figures_is_a_site_too(chile: Library) -> None:
    made = dict(catalogue.pages(Release((), {}, {}), chile, settings(), site=SITE, written={}))
    assert {"index.html", "es/index.html", "es/country/CL/index.html", "es/about/index.html"} <= made.keys()


@pytest.mark.release
@pytest.mark.skipif(not (ROOT / "build/public/es").is_dir(), reason="no release was built")
def test_every_link_of_the_release_is_there() -> None:
    public = ROOT / "build/public"
    for page in [*public.glob("*.html"), *(each for lang in LANGUAGES for each in (public / lang).rglob("*.html"))]:
        for _, target in targets(html.document_fromstring(page.read_text(encoding="utf-8"))):
            parts = urlsplit(target)
            # A path from the root is of the page that stands for every address that is not there.
            start = public if parts.path.startswith("/") else page.parent
            there = (start / unquote(parts.path).lstrip("/")).is_file()
            assert parts.scheme or not parts.path or there, f"{page}: {target}"


# ---------------------------------------------------------------- figures


def shown(document: html.HtmlElement) -> set[str]:
    """Everything that is shown as a figure on the page of a dataset."""
    found = document.xpath(
        "//ul[@class='figures']//p[@class='value'] | //*[local-name()='text'][contains(@class, 'bar-value')]"
    )
    found += document.xpath(
        "//figure//td[contains(@class, 'number')] | //table[@class='rows']//td[contains(@class, 'number')]"
    )
    return {text(each) for each in found}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_figures_are_those_of_the_table(lang: str, documents: Mapping[str, html.HtmlElement]) -> None:
    words = wording.languages(SITE / "text")[lang]
    figures_there = {words.number(float(row["OBS_VALUE"])) for row in STOCK if row["OBS_VALUE"] != ""}
    marks = {words.texts["figure"]["suppressed"], words.texts["figure"]["missing"], "–"}
    on_page = shown(documents[f"{lang}/data/DF_STOCK/CL/index.html"])
    assert on_page <= figures_there | marks
    assert {words.number(1538324), words.number(746465), words.number(755035), *marks} <= on_page
    assert words.number(0) in on_page


def test_numbers_are_written_as_in_the_language(documents: Mapping[str, html.HtmlElement]) -> None:
    values = {lang: shown(documents[f"{lang}/data/DF_STOCK/CL/index.html"]) for lang in LANGUAGES}
    assert "1,538,324" in values["en"]
    assert "1.538.324" in values["es"] & values["pt"]
    assert "11.5" in shown(documents["en/data/DF_REMIT/CL/index.html"])
    assert "11,5" in shown(documents["pt/data/DF_REMIT/CL/index.html"])


def test_a_figure_without_value_shows_no_number(documents: Mapping[str, html.HtmlElement]) -> None:
    page = documents["en/data/DF_STOCK/CL/index.html"]
    for name, status in (("Greece", "withheld"), ("Norway", "no figure")):
        row = next(r for r in page.xpath("//table[@class='rows']/tbody/tr") if name in text(r))
        assert [text(cell) for cell in row.xpath("./td[contains(@class, 'number')]")] == [status]
    ages = next(figure for figure in page.xpath("//figure") if "By age" in text(figure))
    assert "15 to 24 years" in text(ages)
    assert [text(cell) for cell in ages.xpath(".//td")] == ["91,234", "withheld"]
    assert [each.get("width") for each in ages.xpath(".//*[local-name()='rect'][@class='fill']")] == ["380.0", "0"]
    assert "2 figures are withheld: 1 for being small, 1 so that" in text(page)


def test_sources_stand_side_by_side(documents: Mapping[str, html.HtmlElement]) -> None:
    page = documents["en/data/DF_STOCK/CL/index.html"]
    latest = [text(each) for each in page.xpath("//ul[@class='figures']//p[@class='value']")]
    assert latest == ["746,465", "1,538,324"]  # the national source first; the whole population is no key figure
    assert "Several kinds of source measure this" in text(page)
    told = [text(each) for each in page.xpath("//ul[@class='figures']//p[@class='what']")]
    assert told == ["Country of citizenship: Foreign country (any)", "Country of birth: Foreign country (any)"]
    curves = page.xpath("(//figure)[1]//*[local-name()='text'][contains(@class, 'end-label')]")
    assert len(curves) == 2


def test_the_home_page_adds_up_what_countries_share_and_says_so(documents: Mapping[str, html.HtmlElement]) -> None:
    card = documents["en/index.html"].xpath("//ul[@class='figures']/li")[0]
    assert "3,076,648" in text(card)  # 2024, the same series of AR and CL
    assert "2024, sum of 2 countries" in text(card)
    matrix = text(documents["en/index.html"].xpath("//table[@class='matrix']")[0])
    assert "1990–2024" in matrix
    assert "held back" in matrix


def test_reports_show_no_figure(documents: Mapping[str, html.HtmlElement]) -> None:
    page = text(documents["en/quality/index.html"])
    assert "Sexes do not add up" in page
    assert "746465" not in page
    assert "STR-03 <b>held</b>" in page
    assert "E-mail (functional mailbox)" in page


# ---------------------------------------------------------------- corridors, briefs, search


EMIG: tuple[dict[str, Any], ...] = (
    {**_ORG, "COUNTRY_BIRTH": "NAT", "COUNTERPART_AREA": "_T", "OBS_VALUE": 444451},
    *(
        {**_ORG, "COUNTRY_BIRTH": "NAT", "COUNTERPART_AREA": other, "OBS_VALUE": value}
        for other, value in (("AR", 141348), ("ES", 73732))
    ),
    {
        **_ORG,
        "COUNTRY_BIRTH": "NAT",
        "COUNTERPART_AREA": "UY",
        "OBS_VALUE": "",
        "OBS_STATUS": "Q",
        "CONF_STATUS": "A",
    },
)
EARLIER: tuple[dict[str, Any], ...] = (
    {**_ORG, "COUNTRY_BIRTH": "VE", "TIME_PERIOD": "2020", "OBS_VALUE": 410000},
    {**_ORG, "COUNTRY_BIRTH": "PE", "TIME_PERIOD": "2020", "OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A"},
)


def with_corridors(library: Library) -> Release:
    """The release with emigrants, and with origins at two points of time."""
    release = released(library)
    stock, emigrants = packaged(library, "CL", "DF_STOCK", STOCK + EARLIER), packaged(library, "CL", "DF_EMIG", EMIG)
    return replace(release, packages=(stock, *release.packages[1:], emigrants))


@pytest.fixture(scope="module")
def corridors(chile: Library) -> Tree:
    return dict(catalogue.pages(with_corridors(chile), chile, settings(), site=SITE, written=WRITTEN))


def read(tree: Tree, path: str) -> html.HtmlElement:
    return html.document_fromstring(tree[path].decode())


def test_a_corridor_shows_what_each_side_tells(corridors: Tree) -> None:
    page = read(corridors, "en/corridor/VE/CL/index.html")
    assert text(page.xpath("//h1")[0]) == "Venezuela → Chile"
    assert [text(each) for each in page.xpath("//p[@class='value']")] == ["427,821"]
    assert "Told by Chile" in text(page.xpath("//ul[@class='figures']")[0])
    assert "Only one side tells" in text(page)
    both = read(corridors, "en/corridor/CL/AR/index.html")
    (row,) = both.xpath("//section[@aria-labelledby='asymmetry']//tbody/tr")
    assert [each.text for each in row[:4]] == ["141,348", "309,934", "2.19", "0.75"]
    record = json.loads(corridors["en/corridor/VE/CL/index.json"])
    assert record["series"][0]["figures"][-1] == {"at": "2024", "value": 427821.0, "status": "A"}


def test_a_corridor_never_tells_a_withheld_figure(corridors: Tree) -> None:
    page = read(corridors, "en/corridor/PE/CL/index.html")
    assert [text(each) for each in page.xpath("//table//td[contains(@class, 'suppressed')]")] == ["withheld"]
    points = json.loads(corridors["en/corridor/PE/CL/index.json"])["series"][0]["figures"]
    assert [point["value"] for point in points] == [None, 261522.0]
    assert "en/corridor/GR/CL/index.html" not in corridors  # its only figure is withheld
    assert "en/corridor/CL/UY/index.html" not in corridors


def test_the_corridors_are_drawn_and_listed(corridors: Tree) -> None:
    page = read(corridors, "es/corridors/index.html")
    listed = [text(each) for each in page.xpath("//tbody/tr/th")]
    assert listed == ["Venezuela → Chile", "Perú → Chile", "Chile → Argentina", "Chile → España", "Namibia → Chile"]
    assert len(page.xpath("//g[@class='arcs']/path")) == 5
    drawn = page.xpath("//path[contains(@class, 'ribbon')]")
    widths = {text(each): float(each.get("stroke-width")) for each in drawn}
    assert widths["Venezuela → Chile: 427.821"] / widths["Perú → Chile: 261.522"] == pytest.approx(
        427821 / 261522, 0.01
    )
    assert not [each for each in widths if "Grecia" in each or "Uruguay" in each]
    assert "Malvinas" in text(page)


def test_a_map_has_every_country_of_the_run(chile: Library) -> None:
    found = atlas.world(SITE)
    assert {"AR", "BB", "CL", "CU", "FJ", "GD", "RU", "US", "VE"} <= found.places.keys()
    assert all(0 <= x <= found.width and 0 <= y <= found.height for x, y in found.places.values())
    for outline in found.outlines:  # an outline that crosses the edge would smear over the map
        steps = [int(step) for step in re.findall(r"-?\d+", outline.path.partition("l")[2].partition("z")[0])]
        assert max(map(abs, steps), default=0) < found.width / 2, outline.code


def test_the_place_of_a_country_lies_in_it_or_at_its_coast() -> None:
    """An arc to Australia must not end at a reef of its in another sea: two degrees are the room for coarse outlines."""
    features = json.loads((SITE / "map/countries.geojson").read_text(encoding="utf-8"))["features"]
    placed = [each for each in features if each["geometry"] and each["properties"].get("point")]
    assert len(placed) > 150
    for each in placed:
        x, y = each["properties"]["point"]
        rings = [polygon[0] for polygon in atlas._polygons(each["geometry"])]
        inside = any(
            sum(
                (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)
                for (x1, y1), (x2, y2) in pairwise(ring)
            )
            % 2
            for ring in rings
        )
        nearest = min(max(abs(x - x1), abs(y - y1)) for ring in rings for x1, y1 in ring)
        assert inside or nearest < 2, each["id"]


def test_a_brief_is_as_sure_as_its_figures(chile: Library) -> None:
    estimated = tuple({**row, "OBS_STATUS": "E"} if row.get("OBS_STATUS") is None else row for row in STOCK)
    broken = (*estimated, {**_ORG, "COUNTRY_BIRTH": "FOR", "TIME_PERIOD": "2010", "OBS_VALUE": 5, "OBS_STATUS": "B"})
    said = {}
    for name, rows in (("sure", STOCK), ("estimated", estimated), ("broken", broken)):
        release = Release((packaged(chile, "CL", "DF_STOCK", rows),), {}, {})
        made = dict(catalogue.pages(release, chile, settings(), site=SITE, written={}))
        for lang in LANGUAGES:
            said[name, lang] = json.loads(made[f"{lang}/country/CL/brief/index.json"])["sentences"]
    assert said["sure", "en"][1].startswith("In 2024, 1,538,324 people born in another country lived in Chile (Intern")
    assert "1,331 % more than in 1990 (107,501)" in said["sure", "en"][1]
    assert "lived in Chile, as an estimate (" in said["estimated", "en"][1]
    assert "nacidas en otro país, según una estimación (" in said["estimated", "es"][1]
    assert "nascidas em outro país, segundo uma estimativa (" in said["estimated", "pt"][1]
    assert "more than" not in said["broken", "en"][1]


@pytest.mark.parametrize(
    ("name", "shown"), [("Chile", "Chile"), ("#panic() *x* <b> $", "#panic() *x* <b> $"), ("中", "")]
)
def test_a_brief_is_a_document_too(name: str, shown: str, chile: Library) -> None:
    lists = {
        ref: replace(each, codes={**each.codes, "CL": replace(each.codes["CL"], name=dict.fromkeys(LANGUAGES, name))})
        if each.id == "CL_AREA"
        else each
        for ref, each in chile.codelists.items()
    }
    made = built(replace(chile, codelists=lists))
    for lang in LANGUAGES:
        document = PdfReader(BytesIO(made[f"{lang}/country/CL/brief/brief.pdf"]))
        assert len(document.pages) <= 2
        assert document.root_object["/Lang"] == lang
        assert document.root_object["/MarkInfo"]["/Marked"]
        assert document.metadata is not None
        assert name in str(document.metadata.title)
        set_ = " ".join(" ".join(page.extract_text() for page in document.pages).split())
        said = json.loads(made[f"{lang}/country/CL/brief/index.json"])["sentences"]
        assert all(each.replace(name, shown) in set_ for each in said if name != "中"), set_
        (link,) = read(made, f"{lang}/country/CL/brief/index.html").xpath("//a[@type='application/pdf']/@href")
        assert link == "brief.pdf"


@pytest.mark.parametrize("kind", ["corridor", "brief", "compare", "agencies", "protection", "survey"])
def test_words_of_the_other_pages_are_the_same_in_every_language(kind: str) -> None:
    said = [texts(kind, lang) for lang in LANGUAGES]
    assert list(keys(said[0])) == list(keys(said[1])) == list(keys(said[2]))
    places = [{key: sorted(re.findall(r"{\w+}", str(value))) for key, value in each.items()} for each in said]
    assert places[0] == places[1] == places[2]
    sources = [
        SITE / f"templates/{kind}.html",
        SITE / f"templates/{kind}s.html",
        *(ROOT / "pipeline/catalogue").glob(f"{kind}*.py"),
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.is_file())
    for key in said[0]:
        assert re.search(rf"\b[cbkaps]\.{key}\b|\[\"{key}\"\]|\"{key}\"|c\[row", code), key


def test_the_page_on_surveys_works_the_published_example(documents: Mapping[str, html.HtmlElement]) -> None:
    """Ratios of framework §10.2, and the limits of the standards as the file that decides has them."""
    published = {"1.177", "0.883", "1.983", "1.487", "1.45", "1.087"}
    for lang in LANGUAGES:
        page = documents[f"{lang}/survey/index.html"]
        ratios = {cell.text_content().replace(",", ".") for cell in page.xpath("//table[1]//td[@class='number']")}
        assert published <= ratios
        told = page.text_content()
        assert "ECLAC_2023" in told
        assert "INE_CL_2020" in told
        assert len(page.xpath("//svg//*[local-name()='rect']")) == 12


def test_the_rules_of_protection_are_told(documents: Mapping[str, html.HtmlElement]) -> None:
    for lang, said in (
        ("en", "Counts from 1 to below 5"),
        ("es", "recuentos de 1 a menos de 5"),
        ("pt", "de 1 a menos de 5"),
    ):
        page = documents[f"{lang}/protection/index.html"]
        assert said in text(page.xpath("//section[@aria-labelledby='rules']")[0])
        (link,) = documents[f"{lang}/about/index.html"].xpath("//a[contains(@href, 'protection')]")
        assert text(link)


def test_sources_are_compared_and_the_difference_explained(documents: Mapping[str, html.HtmlElement]) -> None:
    page = documents["en/compare/index.html"]
    (section,) = page.xpath("//section[@aria-labelledby='df-stock-cl']")
    assert [
        [text(cell) for cell in row.xpath("./td[contains(@class, 'number')]")]
        for row in section.xpath("./div[1]//tbody/tr")
    ] == [
        ["–", "746,4652017"],
        ["1,538,324", "1,538,3242024"],
    ]
    differs = [text(each) for each in section.xpath(".//dl//dt")]
    assert {"Kind of source", "Birth or citizenship"} <= set(differs)


def test_agencies_find_every_address(corridors: Tree) -> None:
    page = read(corridors, "es/agencies/index.html")
    assert [text(each) for each in page.xpath("//tbody/tr/td[1]")]
    assert "https://stat.example/" in text(page)
    assert page.xpath("//a[contains(@href, 'catalog.ttl')]")


def test_what_has_no_figure_says_why_and_looks_so(chile: Library) -> None:
    rows = tuple(
        {**_ORG, "COUNTRY_BIRTH": "FOR", "TIME_PERIOD": year, "OBS_VALUE": value, "OBS_STATUS": status}
        for year, value, status in (
            ("2019", "", "M"),
            ("2020", "", "O"),
            ("2021", "", "Q"),
            ("2022", 0, "A"),
            ("2023", 7000, "A"),
        )
    )
    made = dict(
        catalogue.pages(
            Release((packaged(chile, "CL", "DF_STOCK", rows),), {}, {}), chile, settings(), site=SITE, written={}
        )
    )
    cells = read(made, "en/data/DF_STOCK/CL/index.html").xpath("//figure//tbody//td")
    looks = [(text(each), each.get("class")) for each in cells]
    assert looks == [
        ("not applicable", "number not_applicable"),
        ("no figure", "number missing"),
        ("withheld", "number suppressed"),
        ("0", "number"),
        ("7,000", "number"),
    ]


def test_concepts_have_their_meaning_and_their_urn(documents: Mapping[str, html.HtmlElement]) -> None:
    (row,) = documents["pt/concepts/index.html"].xpath("//tr[@id='concept-CITIZENSHIP']")
    assert "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=MIGLAC:CS_MIG(1.0.0).CITIZENSHIP" in text(row)
    assert "Estoque de migrantes" in text(row)


def test_cells_of_the_whole_release_are_accounted_for(chile: Library) -> None:
    of = Ledger(100, 80, {"blank": 5, "added": 3, "A sum": 10}, {"x": 2}, suppressed=6)
    release = released(chile)
    reports = {("CL", "DF_STOCK"): replace(release.reports["CL", "DF_STOCK"], ledger=of)}
    made = dict(catalogue.pages(replace(release, reports=reports), chile, settings(), site=SITE, written={}))
    rows = read(made, "en/quality/index.html").xpath("//section[@aria-labelledby='ledger']//tr/td")
    counts = [int(text(each)) for each in rows]
    assert counts == [100, 74, 6, 5, 3, 10, 2]
    assert counts[0] == sum(counts[1:])


def test_search_lists_every_page_with_what_else_it_is_called(
    tree: Tree, documents: Mapping[str, html.HtmlElement]
) -> None:
    page = documents["es/find/index.html"]
    led = {posixpath.normpath(posixpath.join("es/find", each.get("href"))) for each in page.xpath("//li/a")}
    assert {path for path in tree if path.startswith("es/") and path.endswith(".html")} - {"es/find/index.html"} <= led
    (chile,) = [each for each in page.xpath("//section[@aria-labelledby='all-countries']//li") if text(each) == "Chile"]
    assert "chileno" in chile.get("data-words").split()


def test_every_page_is_in_the_sitemap_and_has_a_record(tree: Tree) -> None:
    pages = {path for path in tree if path.endswith("/index.html")}
    places = {f"https://stat.example/{path.removesuffix('index.html')}" for path in pages}
    assert set(re.findall(r"<loc>([^<]+)</loc>", tree["sitemap.xml"].decode())) == places
    for path in pages:
        record = json.loads(tree[path.replace(".html", ".json")])
        document = read(tree, path)
        assert record["url"] == document.xpath("string(//link[@rel='canonical']/@href)")
        assert record["language"] == document.get("lang")
        assert document.xpath("string(//meta[@property='og:url']/@content)") == record["url"]


def test_a_notice_stands_on_every_page(chile: Library) -> None:
    noticed = replace(settings(), notice={lang: f"Only an <example> {lang}" for lang in LANGUAGES})
    made = dict(catalogue.pages(released(chile), chile, noticed, site=SITE, written={}))
    for path in made:
        if path.endswith("/index.html"):
            assert f"Only an <example> {path[:2]}" in text(read(made, path)), path


def test_a_table_without_any_figure_says_what_its_status_says(chile: Library) -> None:
    rows = tuple(
        {"SOURCE_TYPE": "ORG", "TIME_PERIOD": str(year), "OBS_VALUE": "", "OBS_STATUS": "O"} for year in (2020, 2021)
    )
    made = dict(
        catalogue.pages(
            Release((packaged(chile, "CL", "DF_REMIT", rows),), {}, {}), chile, settings(), site=SITE, written={}
        )
    )
    page = text(read(made, "en/data/DF_REMIT/CL/index.html"))
    assert "states no figure for any period of this table" in page
    assert "gives no totals" not in page


# ---------------------------------------------------------------- what machines get


def test_the_mirror_page_shows_corridors_with_what_defines_them(documents: Mapping[str, html.HtmlElement]) -> None:
    page = documents["es/mirror/index.html"]
    assert [text(each) for each in page.xpath("//ul[@class='figures']//p[@class='value']")] == ["1", "1", "1", "1"]
    (row,) = page.xpath("//section[@aria-labelledby='stocks']//tbody/tr")
    cells = [text(each) for each in row]
    assert cells[0].startswith("Chile → Argentina")
    assert cells[1].startswith("141.348")
    assert cells[2].startswith("309.934")
    assert cells[3:5] == ["2,19", "0,75"]
    assert cells[5] == "Período; Clase de fuente; Nacimiento o ciudadanía"
    assert "1.234" not in text(page)  # the other side of that corridor is withheld
    for other in ("es/quality/index.html", "es/country/CL/index.html"):
        assert [each for each in documents[other].xpath("//main//a/@href") if each.endswith("mirror/index.html")]


def test_words_of_the_mirror_page_are_the_same_in_every_language(chile: Library) -> None:
    said = [texts("mirror", lang) for lang in LANGUAGES]
    assert said[0].keys() == said[1].keys() == said[2].keys()
    for part in ("kinds", "reasons"):
        assert said[0][part].keys() == said[1][part].keys() == said[2][part].keys()
    places = [{key: re.findall(r"{\w+}", str(value)) for key, value in each.items()} for each in said]
    assert places[0] == places[1] == places[2]
    template = (SITE / "templates/mirror.html").read_text(encoding="utf-8")
    module = (ROOT / "pipeline/catalogue/mirror.py").read_text(encoding="utf-8")
    named = set(re.findall(r"m\.(\w+)", template)) | set(re.findall(r'said\["(\w+)"\]', module))
    assert said[0].keys() - {"link"} == named
    reasons = {each.lower() for each in said[0]["reasons"]}
    assert reasons == {each.lower() for each in mirror_rules._DIFFERS}


def test_downloads_are_those_in_the_release(documents: Mapping[str, html.HtmlElement]) -> None:
    rows = documents["en/data/DF_STOCK/CL/index.html"].xpath("//section[@aria-labelledby='downloads']//tbody/tr")
    assert [row.xpath(".//a/@href")[0].rpartition("../")[2] for row in rows] == [
        "files/DF_STOCK/CL/data.csv",
        "packages/DF_STOCK/CL.zip",
    ]
    assert "1.2 MB" in text(rows[0])
    assert SHA in text(rows[0])
    assert not documents["en/data/DF_STOCK/AR/index.html"].xpath("//section[@aria-labelledby='downloads']//table")


@pytest.mark.parametrize("services", [{}, {"sdmx/v1": "data/DF_STOCK/", "sdmx/v2": "data/dataflow/MIGLAC/DF_STOCK/+/"}])
def test_code_on_the_pages_asks_for_what_is_there(chile: Library, services: Mapping[str, str]) -> None:
    held = [
        "files/DF_STOCK/CL/data.csv",
        "files/DF_STOCK/CL/data.xml",
        "files/DF_STOCK/CL/data.parquet",
        "files/structures/structures-2.1.xml",
        *(f"{service}/{path}index.xml" for service, path in services.items()),
    ]
    written = dict.fromkeys(held, Written(1, SHA))
    seen = view.catalogue(released(chile), chile, settings(), formats=formats(), written=written, site=SITE)
    found = machine.snippets(seen, "DF_STOCK", "CL")
    python = ("pandas", "sdmx1", "pysdmx")
    assert list(found) == ["curl", *python, "R: rsdmx", "DuckDB", "Excel: Power Query"]
    for name, code in found.items():
        if name in python:
            compile(code, name, "exec")
        for path in re.findall(r"(?:files|sdmx)/[\w./-]+", code):
            assert path in written or any(each.startswith(f"{path}/") for each in written), code
    assert machine.addresses(seen, "DF_STOCK") == [
        (service, f"https://stat.example/{service}/{path}") for service, path in services.items()
    ]


def test_search_engines_get_the_dataset(documents: Mapping[str, html.HtmlElement]) -> None:
    for lang in LANGUAGES:
        (script,) = documents[f"{lang}/data/DF_STOCK/CL/index.html"].xpath("//script[not(@src)]")
        found = json.loads(script.text)
        assert found["@type"] == "Dataset"
        assert found["name"].endswith("Chile")
        assert found["temporalCoverage"] == "1990/2024"
        assert found["distribution"][0]["contentUrl"] == "https://stat.example/files/DF_STOCK/CL/data.csv"


def test_a_code_list_gives_names_in_every_language(documents: Mapping[str, html.HtmlElement]) -> None:
    page = documents["pt/code/CL_SEX/index.html"]
    (row,) = page.xpath("//tr[@id='code-F']")
    assert [cell.get("lang") for cell in row.xpath("./td[@lang]")] == list(LANGUAGES)
    assert "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_SEX(2.1)" in text(page)
    assert page.xpath("//a[contains(@href, 'sdmx/v1/codelist/SDMX/CL_SEX/2.1/index.xml')]")


# ---------------------------------------------------------------- hostile words


def renamed(codelist: Codelist, codes: set[str]) -> Codelist:
    name = dict.fromkeys(LANGUAGES, HOSTILE)
    found = {k: Code(c.id, c.parent, name, c.notes) if k in codes else c for k, c in codelist.codes.items()}
    return replace(codelist, codes=found)


def test_hostile_names_stay_text(chile: Library) -> None:
    lists = dict(chile.codelists)
    for ref, codelist in lists.items():
        if codelist.id in ("CL_AREA", "CL_ORIGIN", "CL_SOURCE_TYPE"):
            lists[ref] = renamed(codelist, {"CL", "VE", "ORG", "CEN"})
    seen = 0
    for path, content in built(replace(chile, codelists=lists)).items():
        if not path.endswith(".html"):
            continue
        document = html.document_fromstring(content.decode())
        assert b"<script>" not in content, path
        scripts = document.xpath("//script")
        scripts = [script for script in scripts if not script.get("src")]
        assert all(script.get("type") == "application/ld+json" for script in scripts), path
        assert all(json.loads(script.text) for script in scripts), path
        seen += text(document).count("<script>alert(1)</script>")
        if "/data/DF_STOCK/CL/" in path:
            assert HOSTILE in json.loads(scripts[0].text)["name"]
            assert any(HOSTILE in text(each) for each in document.xpath("//*[local-name()='text']"))
            assert any(HOSTILE in text(each) for each in document.xpath("//*[local-name()='desc']"))
    assert seen > 20


# ---------------------------------------------------------------- words


def keys(table: Mapping[str, Any], ahead: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and value.keys() != {"one", "other"}:
            yield from keys(value, f"{ahead}{key}.")
        else:
            yield ahead + key


def interface(lang: str) -> dict[str, Any]:
    return tomllib.loads((SITE / f"text/{lang}.toml").read_text(encoding="utf-8"))


def test_languages_have_the_same_keys_and_places_to_fill() -> None:
    english = interface("en")
    for lang in LANGUAGES:
        assert list(keys(interface(lang))) == list(keys(english))
        for key in keys(english):
            group, _, name = key.partition(".")
            places = [
                sorted(set(re.findall(r"\{\w+\}", str(texts[group][name])))) for texts in (english, interface(lang))
            ]
            assert places[0] == places[1], f"{lang}: {key}"


def test_every_word_of_the_interface_is_used() -> None:
    sources = [*(SITE / "templates").iterdir(), *(ROOT / "pipeline/catalogue").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"(?:\bt|texts)\.(\w+\.\w+)", code)) | {
        f"{g}.{n}" for g, n in re.findall(r"texts\[\"(\w+)\"\]\[\"(\w+)\"", code)
    }
    whole = set(re.findall(r"\bt\.(\w+)\[", code))  # t.severity[row.severity]
    whole |= set(re.findall(r"texts\[\"(\w+)\"\]\[(?!\")", code))
    assert [key for key in keys(interface("en")) if key not in used and key.partition(".")[0] not in whole] == []


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("period", "years"),
    [("2024", 2024), ("2024-Q3", 2024.5), ("2024-07", 2024.5), ("2024-07-01", 2024.5), ("nonsense", 0)],
)
def test_periods_have_a_place_in_time(period: str, years: float) -> None:
    assert periods.moment(period) == pytest.approx(years)


def test_the_latest_period_is_the_one_that_ends_last() -> None:
    assert periods.latest(["2024-Q3", "2024", "2024-06"]) == "2024"
    assert periods.latest(["2024-Q3", "2024-06", "2023"]) == "2024-Q3"
    assert periods.latest(["2024-Q4", "2024-11", "2023"]) == "2024-Q4"
    assert periods.latest([]) == ""
    assert sorted(["2024-Q1", "2024-02", "2023"], key=periods.order) == ["2023", "2024-02", "2024-Q1"]


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 0.04), (0, 7), (0, 1538324), (-250, 1000), (0, 9e9)])
def test_axes_have_few_round_ticks_that_hold_the_data(low: float, high: float) -> None:
    found = charts.ticks(low, high)
    assert found[0] == low
    assert found[-1] >= high - 1e-9
    assert 2 <= len(found) <= 6


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (703, "AAA")])
def test_columns_are_named_as_in_a_spreadsheet(number: int, letters: str) -> None:
    assert sample.column_letters(number) == letters


def test_a_line_is_broken_where_there_is_no_figure() -> None:
    points = tuple(figures.Point(str(2000 + n), None if n == 2 else float(n), "Q" if n == 2 else "A") for n in range(5))
    line = figures.Line({}, (0,), "PERS", "0", points)
    curve = charts.spark(line, wording.languages(SITE / "text")["en"])
    assert len(curve.strokes) == 2
    assert len(curve.dots) == 4


@pytest.mark.parametrize(
    ("periods", "strokes"),
    [
        (("1990", "1995", "2000", "2005", "2009"), 1),
        (("2018", "2019", "2023", "2024", "2025"), 2),
        (("2019-11", "2019-12", "2023-01", "2023-02", "2023-03"), 2),
        (("2024",), 0),
    ],
)
def test_a_line_is_broken_where_periods_are_left_out(periods: tuple[str, ...], strokes: int) -> None:
    line = figures.Line({}, (0,), "PERS", "0", tuple(figures.Point(period, 5.0, "A") for period in periods))
    curve = charts.spark(line, wording.languages(SITE / "text")["en"])
    assert len(curve.strokes) == strokes
    assert len(curve.dots) == len(periods)


def test_labels_at_the_ends_of_lines_keep_apart() -> None:
    words = wording.languages(SITE / "text")["en"]
    lines = [
        (
            str(n),
            figures.Line(
                {}, (0,), "PERS", "0", (figures.Point("2000", 1.0, "A"), figures.Point("2001", 1.0 + n / 100, "A"))
            ),
        )
        for n in range(8)
    ]
    chart = charts.line_chart(lines, words)
    places = sorted(curve.end.y for curve in chart.curves if curve.end is not None)
    assert min(b - a for a, b in pairwise(places)) >= 13.9
    assert places[-1] <= chart.height


def test_a_text_in_another_language_says_which() -> None:
    words = wording.languages(SITE / "text")["pt"]
    assert str(words.say({"es": "Instituto <b>"})) == '<span lang="es">Instituto &lt;b&gt;</span>'
    assert words.period("2024-Q1") == "T1 2024"
    assert words.size(1234567) == "1,2 MB"
