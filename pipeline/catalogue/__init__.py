"""The catalogue site: the release as pages for people, in every language, that need no server and no script."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment

from pipeline.catalogue import (
    about,
    agencies,
    border,
    brief,
    capacity,
    codes,
    compare,
    coordination,
    corridors,
    country,
    dataset,
    find,
    flow,
    home,
    indicators,
    mirror,
    protection,
    quality,
    questions,
    survey,
)
from pipeline.catalogue.render import Page, environment, render, sitemap
from pipeline.catalogue.view import Catalogue, catalogue
from pipeline.catalogue.wording import Words, languages
from pipeline.formats import formats
from pipeline.model import Library, Release, Settings, Written
from pipeline.texts import texts as terminal
from pipeline.workers import shared_out

_KINDS = (
    home,
    flow,
    dataset,
    country,
    brief,
    corridors,
    codes,
    quality,
    mirror,
    compare,
    indicators,
    capacity,
    coordination,
    agencies,
    about,
    border,
    questions,
    survey,
    protection,
)


def pages(
    release: Release, library: Library, settings: Settings, *, site: Path, written: Mapping[str, Written]
) -> Iterator[tuple[str, bytes]]:
    """Yield (path below the release, content) of every page and asset; equal input gives equal bytes.

    `site` holds templates, assets and texts. `written` holds the files of the release made so far:
    a page offers those and no others.
    """
    for asset in sorted((site / "assets").iterdir()):
        yield f"assets/{asset.name}", asset.read_bytes()
    words = languages(site / "text")
    templates = environment(site / "templates")
    everything = catalogue(release, library, settings, formats=formats(), written=written, site=site)
    start = templates.get_template("start.html")
    yield "index.html", start.render(settings=settings, languages=words, base=settings.base_url.rstrip("/")).encode()
    lost = templates.get_template("lost.html")  # a host shows it at any address, so that its links begin at the root
    yield "404.html", lost.render(settings=settings, languages=words, root=urlsplit(settings.base_url).path).encode()
    every = [page for kind in _KINDS for page in kind.pages(everything)]
    every.append(find.page(everything, every))
    by_path = {page.path: page for page in every}
    with tempfile.TemporaryDirectory() as folder:
        texts = find.Texts(Path(folder))
        tasks = [partial(_rendered, page, everything, words, templates, by_path) for page in every]
        said = terminal("terminal", settings.language)["progress_pages"]
        for page, files in zip(every, shared_out(tasks, said), strict=True):
            for path, content in files:
                if path.endswith(".html"):
                    texts.add(path, content, page.areas)
                yield path, content
        yield "sitemap.xml", sitemap(everything, every)
        robots = f"User-agent: *\nAllow: /\nSitemap: {settings.base_url.rstrip('/')}/sitemap.xml\n"
        yield "robots.txt", robots.encode()
        yield from texts.index()


def _rendered(
    page: Page, everything: Catalogue, words: Mapping[str, Words], templates: Environment, pages: Mapping[str, Page]
) -> list[tuple[str, bytes]]:
    return list(render(page, everything, words, site=templates, pages=pages))
