"""The catalogue site: the release as pages for people, in every language, that need no server and no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.catalogue import about, border, codes, country, dataset, flow, home, mirror, quality
from pipeline.catalogue.render import environment, render
from pipeline.catalogue.view import catalogue
from pipeline.catalogue.wording import languages
from pipeline.formats import formats
from pipeline.model import Library, Release, Settings, Written

_KINDS = (home, flow, dataset, country, codes, quality, mirror, about, border)


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
    everything = catalogue(release, library, settings, formats=formats(), written=written)
    start = templates.get_template("start.html")
    yield "index.html", start.render(settings=settings, languages=words).encode()
    for kind in _KINDS:
        for page in kind.pages(everything):
            yield from render(page, everything, words, site=templates)
