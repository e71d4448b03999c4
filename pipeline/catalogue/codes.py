"""The pages of the code lists: codes with their names in every language, and where they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from pipeline.catalogue.machine import structure_files
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.framework import Codelist, Dataflow, Text

_CLASS = "urn:sdmx:org.sdmx.infomodel.codelist"
_CONCEPT = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept"


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The list of lists, and a page for each."""
    yield Page("code", "codes.html", partial(_index, catalogue), lambda words: str(words.texts["code"]["all"]))
    yield Page("concepts", "concepts.html", partial(_concepts, catalogue), _concepts_name)
    for codelist in catalogue.library.codelists.values():
        yield Page(
            f"code/{codelist.id}", "code.html", partial(_content, catalogue, codelist), _named(codelist.name), "codes"
        )


def _named(text: Text) -> Callable[[Words], str]:
    return lambda words: words.name(text)


def urn(codelist: Codelist) -> str:
    """The name of the list in any SDMX registry."""
    return f"{_CLASS}.Codelist={codelist.ref}"


def _concepts_name(words: Words) -> str:
    return str(words.texts["concepts"]["title"])


def _concepts(catalogue: Catalogue, words: Words) -> Content:
    """Every concept with its meaning, its values, its URN, and the dataflows that use it; then the terms."""
    library, published = catalogue.library, {flow.id for flow in catalogue.flows}
    scheme = f"{_CONCEPT}={library.agency}:CS_MIG(1.0.0)"
    rows = [
        {
            "concept": each,
            "codelist": library.codelists.get(each.representation),
            "urn": f"{scheme}.{each.id}",
            "users": [f for f in library.dataflows.values() if each.id in f.structure.components and f.id in published],
        }
        for each in library.concepts.values()
    ]
    return {
        "rows": rows,
        "terms": list(library.terms.values()),
        "record": {"concepts": [{"id": each, "urn": f"{scheme}.{each}"} for each in library.concepts]},
    }


def _users(catalogue: Catalogue, codelist: Codelist) -> list[Dataflow]:
    return [
        flow
        for flow in catalogue.library.dataflows.values()
        if any(
            each.codelist is not None and each.codelist.ref == codelist.ref
            for each in flow.structure.components.values()
        )
    ]


def _index(catalogue: Catalogue, words: Words) -> Content:
    ordered = sorted(catalogue.library.codelists.values(), key=lambda each: words.name(each.name).casefold())
    return {"lists": [(each, len(each.codes), len(_users(catalogue, each))) for each in ordered]}


def _content(catalogue: Catalogue, codelist: Codelist, words: Words) -> Content:
    published = {flow.id for flow in catalogue.flows}
    direct = f"sdmx/v1/codelist/{codelist.agency}/{codelist.id}/{codelist.version}/index.xml"
    return {
        "codelist": codelist,
        "record": {
            "urn": urn(codelist),
            "codes": [{"id": c.id, "parent": c.parent, "name": words.name(c.name)} for c in codelist.codes.values()],
        },
        "urn": urn(codelist),
        "notes": sorted({note for code in codelist.codes.values() for note in code.notes}),
        "depth": {code: len(codelist.ancestors(code)) - 1 for code in codelist.codes},
        "users": [(flow, flow.id in published) for flow in _users(catalogue, codelist)],
        "files": [path for path in (direct, *structure_files(catalogue)) if path in catalogue.written],
    }
