"""Pages from templates: the same page in every language, each link relative to where the page stands."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from pipeline import texts
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.framework import LANGUAGES

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """One page: its folder below that of the language, its template, and its content in a language."""

    path: str
    template: str
    content: Callable[[Words], Content]


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
    page: Page, catalogue: Catalogue, languages: Mapping[str, Words], *, site: Environment
) -> Iterator[tuple[str, bytes]]:
    """Yield the page in each language, with its path below the release."""
    template = site.get_template(page.template)
    for lang in LANGUAGES:
        words, path = languages[lang], file_path(lang, page.path)
        text = template.render(
            **page.content(words),
            lang=lang,
            t=words.texts,
            w=words,
            here=page.path,
            link=_links(path),
            page=_pages(path, lang),
            languages=[
                (each, languages[each].texts["language"]["name"], file_path(each, page.path)) for each in LANGUAGES
            ],
            settings=catalogue.settings,
            has=catalogue.written.__contains__,
        )
        yield path, text.encode()


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
