"""Pages from templates: the same page in every language, each link relative to where the page stands."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment
from lxml import etree
from markupsafe import Markup

from pipeline import texts
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.framework import LANGUAGES
from pipeline.plain import as_json

Content = Mapping[str, Any]

SECTIONS = (  # page → its name among the words of the header
    ("corridors", "corridors"),
    ("compare", "compare"),
    ("indicators", "indicators"),
    ("capacity", "capacity"),
    ("code", "codes"),
    ("quality", "quality"),
    ("agencies", "agencies"),
    ("about", "about"),
)


@dataclass(frozen=True)
class Page:
    """One page: its folder below that of the language, its template, its content and its name in a language.

    `group` is that of the list of all pages, and `areas` the countries by whose other names it is found.
    `further` makes the files that stand beside it in each language, by name, from its content.
    """

    path: str
    template: str
    content: Callable[[Words], Content]
    name: Callable[[Words], str]
    group: str = "pages"
    areas: tuple[str, ...] = ()
    further: Mapping[str, Callable[[Content, Words], bytes]] = field(default_factory=dict)


def environment(templates: Path) -> Environment:
    """What makes the pages of the catalogue."""
    found = texts.environment(templates)
    found.filters["embedded"] = embedded
    return found


def embedded(value: object) -> Markup:
    """JSON that can stand in a script element: no sign of it can end the element (HTML, 4.12.1.3)."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    for sign, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, escape)
    return Markup(text)  # noqa: S704 (every sign that HTML minds is escaped above)


def render(
    page: Page, catalogue: Catalogue, languages: Mapping[str, Words], *, site: Environment, pages: Mapping[str, Page]
) -> Iterator[tuple[str, bytes]]:
    """Yield the page in each language, and beside it its record for machines, with their paths below the release.

    `pages` are all the pages of the site by path: the header leads to those of them that are sections.
    """
    template = site.get_template(page.template)
    for lang in LANGUAGES:
        words, path = languages[lang], file_path(lang, page.path)
        content = dict(page.content(words))
        record = {**_about(page, words, catalogue, path), **content.pop("record", {})}
        text = template.render(
            **content,
            lang=lang,
            t=words.texts,
            w=words,
            here=page.path,
            link=_links(path),
            page=_pages(path, lang),
            public=partial(address, catalogue),
            canonical=address(catalogue, path),
            sections=[(each, words.texts["nav"][name]) for each, name in SECTIONS if each in pages],
            languages=[
                (each, languages[each].texts["language"]["name"], file_path(each, page.path)) for each in LANGUAGES
            ],
            settings=catalogue.settings,
            has=catalogue.written.__contains__,
            pages=pages,
        )
        yield path, text.encode()
        yield posixpath.join(lang, page.path, "index.json"), as_json(record)
        for name, made in page.further.items():
            yield posixpath.join(lang, page.path, name), made(content, words)


def address(catalogue: Catalogue, path: str) -> str:
    """Where a page stands for the public: its folder, without the name of the index document."""
    return f"{catalogue.settings.base_url.rstrip('/')}/{path.removesuffix('index.html')}"


def _about(page: Page, words: Words, catalogue: Catalogue, path: str) -> Content:
    """What the record of every page says: what it is, in which language, of which release, and where the others are."""
    return {
        "url": address(catalogue, path),
        "name": page.name(words),
        "language": words.lang,
        "kind": page.template.removesuffix(".html"),
        "release": catalogue.settings.release,
        "translations": {each: address(catalogue, file_path(each, page.path)) for each in LANGUAGES},
    }


def file_path(lang: str, page: str) -> str:
    """The file of a page below the release. Links name it in full, so that they work without a server."""
    return posixpath.join(lang, page, "index.html")


def _links(path: str) -> Callable[[str], str]:
    folder = posixpath.dirname(path)
    return lambda target: posixpath.relpath(target, folder or ".")


def _pages(path: str, lang: str) -> Callable[[str], str]:
    link = _links(path)

    def page(target: str = "") -> str:
        name, sign, anchor = target.partition("#")
        return link(file_path(lang, name)) + sign + anchor

    return page


def sitemap(catalogue: Catalogue, pages: Iterable[Page]) -> bytes:
    """Every page in every language with its translations (sitemaps.org 0.9 and its links to other languages)."""
    sites, html = "http://www.sitemaps.org/schemas/sitemap/0.9", "http://www.w3.org/1999/xhtml"
    root = etree.Element(f"{{{sites}}}urlset", nsmap={None: sites, "xhtml": html})  # type: ignore[dict-item]  # None: the default one
    for page in pages:
        places = {lang: address(catalogue, file_path(lang, page.path)) for lang in LANGUAGES}
        for place in places.values():
            entry = etree.SubElement(root, f"{{{sites}}}url")
            etree.SubElement(entry, f"{{{sites}}}loc").text = place
            etree.SubElement(entry, f"{{{sites}}}lastmod").text = catalogue.settings.release_day
            for lang, other in places.items():
                etree.SubElement(entry, f"{{{html}}}link", rel="alternate", hreflang=lang, href=other)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
