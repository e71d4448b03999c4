"""Search: the page that lists all pages with the words they are found by, and an index of their texts.

The list alone answers without a server, and without script it is a list. The index is made by
pagefind and fetched in pieces, when someone searches.
"""

from __future__ import annotations

import json
import logging
import posixpath
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from markupsafe import escape

from pipeline import names
from pipeline.catalogue.render import Content, Page, file_path
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.labels import folded

log = logging.getLogger("trayecto")

_ALIASES = Path(__file__).parents[2] / "metadata/aliases.csv"
_KINDS = ("demonym", "name", "short", "abbreviation")
_GROUPS = ("datasets", "countries", "corridors", "topics", "codes", "pages")
_ENGINE = "pagefind"
_ENTRY = "pagefind-entry.json"
_SCRIPTS = ("pagefind.js", "pagefind-worker.js")
_PARTS = (".pagefind", ".pf_meta", ".pf_index", ".pf_fragment", ".pf_filter")


def page(catalogue: Catalogue, every: Iterable[Page]) -> Page:
    """The page where one searches, over all the others."""
    return Page("find", "find.html", partial(_content, catalogue, tuple(every)), _name, group="pages")


def _name(words: Words) -> str:
    return str(words.texts["find"]["title"])


def _content(catalogue: Catalogue, every: tuple[Page, ...], words: Words) -> Content:
    groups = [
        (name, words.texts["groups"][name], [_item(page, words) for page in every if page.group == name])
        for name in _GROUPS
    ]
    return {
        "groups": [(name, title, sorted(items, key=_by_name)) for name, title, items in groups if items],
        "engine": f"../../{_ENGINE}/pagefind.js",
        "record": {"pages": [{"name": p.name(words), "path": file_path(words.lang, p.path)} for p in every]},
    }


def _by_name(item: tuple[str, str, str]) -> str:
    return folded(item[1])


def _item(page: Page, words: Words) -> tuple[str, str, str]:
    """(page, name, further words that find it)."""
    return page.path, page.name(words), " ".join(other_names(page.areas, words.lang))


def other_names(areas: Iterable[str], lang: str) -> list[str]:
    """What people of the countries are called, and other names of these, in a language."""
    known = _others()
    return [text for area in areas for text in known.get((area, lang), ())]


@cache
def _others() -> Mapping[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in names.aliases(_ALIASES).rows:
        if row.codelist in ("CL_ORIGIN", "CL_AREA") and row.kind in _KINDS:
            key = row.code, row.language
            found[key] = (*found.get(key, ()), row.text)
    return found


class Texts:
    """The texts of the pages, each written as it comes so that none is held, and the index over them."""

    def __init__(self, folder: Path) -> None:
        self._sites, self._out = folder / "sites", folder / "out"

    def add(self, path: str, content: bytes, areas: Iterable[str]) -> None:
        """One page in one language, with the further words by which it is found."""
        lang = path.partition("/")[0]
        further = " ".join(other_names(areas, lang))
        place = self._sites / lang / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.replace(b"</main>", f"<p>{escape(further)}</p></main>".encode(), 1))

    def index(self) -> Iterator[tuple[str, bytes]]:
        """Yield (path, content) of the index, each language by itself: pagefind holds the texts it is given.

        Equal pages give equal bytes: no filters, whose order pagefind leaves open, and its languages in ours.
        """
        try:
            import pagefind_bin
        except ImportError:  # a kind of machine for which it is not built
            log.warning("pagefind is not installed: the search page of this release finds pages by their names alone")
            return
        entry: dict[str, Any] = {}
        for site in sorted(self._sites.iterdir()):
            command = [pagefind_bin.get_executable(), "--site", site, "--output-path", self._out]
            options = ["--keep-index-url", "--quiet"]
            subprocess.run([*map(str, command), *options], check=True, capture_output=True)  # noqa: S603 (our own tool)
            made = json.loads((self._out / _ENTRY).read_bytes())
            entry = {**made, "languages": {**entry.get("languages", {}), **made["languages"]}}
        yield posixpath.join(_ENGINE, _ENTRY), json.dumps(entry, sort_keys=True).encode()
        for found in sorted(each for each in self._out.rglob("*") if each.is_file()):
            path = found.relative_to(self._out).as_posix()
            if path in _SCRIPTS or found.suffix in _PARTS:
                yield posixpath.join(_ENGINE, path), found.read_bytes()
