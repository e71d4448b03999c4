"""The page on method, confidentiality and formats, and how agencies fetch everything."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.catalogue import border, protection, survey
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.texts import texts


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page about the catalogue."""
    yield Page("about", "about.html", partial(_content, catalogue), lambda words: str(words.texts["about"]["title"]))


def _content(catalogue: Catalogue, words: Words) -> Content:
    return {
        "questions": texts("questions", words.lang)["title"] if catalogue.library.modules.questions else "",
        "border": texts("border", words.lang)["title"] if border.is_used(catalogue) else "",
        "survey": survey.title(words),
        "protection": protection.link(words) if catalogue.views else "",
        "protections": [(flow.name, flow.protection.reason) for flow in catalogue.flows],
        "formats": [
            (each, f"{each.folder}/<FLOW>/<AREA>/{each.file}")
            for each in catalogue.formats.values()
            if _is_published(catalogue, each.file, each.folder)
        ],
        "source_types": _source_types(catalogue),
    }


def _is_published(catalogue: Catalogue, file: str, folder: str) -> bool:
    return any(path.startswith(f"{folder}/") and path.endswith(f"/{file}") for path in catalogue.written)


def _source_types(catalogue: Catalogue) -> list[tuple[str, object]]:
    """The kinds of source in use, with the name of each."""
    codelist = catalogue.library.list_of("SOURCE_TYPE")
    used = {code for view in catalogue.views.values() for code in view.used.get("SOURCE_TYPE", ())}
    codes = codelist.codes.values() if codelist is not None else ()
    return [(code.id, code.name) for code in codes if code.id in used]
