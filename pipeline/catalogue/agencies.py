"""The page for agencies: addresses of every service, registrations, agreements, notices, and code to fetch with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.catalogue import machine, sites
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_CATALOGUES = ("catalog.ttl", "catalog.jsonld", "catalog.rdf")
_NOTICES = ("registrations.xml", "feed.atom", "calendar.ics", "status.json", "releases/index.json", "manifest.json")


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page for those who fetch everything."""
    yield Page("agencies", "agencies.html", partial(_content, catalogue), _title)


def _title(words: Words) -> str:
    return str(texts("agencies", words.lang)["title"])


def _content(catalogue: Catalogue, words: Words) -> Content:
    first = next(iter(catalogue.views.values()), None)
    flow, area = (first.flow.id, first.area) if first is not None else ("", "")
    return {
        "a": texts("agencies", words.lang),
        "agency": catalogue.library.agency,
        "agency_name": catalogue.library.agencies.get(catalogue.library.agency, {}),
        "base": catalogue.settings.base_url.rstrip("/"),
        "structure_files": machine.structure_files(catalogue),
        "catalogues": [path for path in _CATALOGUES if path in catalogue.written],
        "notices": [(path, path.replace("/", "_").replace(".", "_")) for path in _NOTICES if path in catalogue.written],
        "services": [(each, machine.addresses(catalogue, each.id)) for each in catalogue.flows],
        "agreements": list(_agreements(catalogue, words)),
        "hub": texts("hub", words.lang),
        "sites": sites.sites(catalogue, words),
        "snippets": machine.snippets(catalogue, flow, area) if flow else {},
        "record": {
            "agency": catalogue.library.agency,
            "services": {each.id: dict(machine.addresses(catalogue, each.id)) for each in catalogue.flows},
        },
    }


def _agreements(catalogue: Catalogue, words: Words) -> Iterator[Content]:
    """Who delivers which dataflow of which country, and whether the release has it."""
    for area in catalogue.areas:
        country = catalogue.country(area)
        for identifier, flow in sorted(country.agreements) if country is not None else ():
            provider, view = catalogue.provider(area, identifier), catalogue.views.get((area, flow))
            sources = {origin.provider for origin in view.package.data.sources} if view is not None else set()
            yield {
                "area": words.name(catalogue.library.area_name(area)),
                "flow": catalogue.library.dataflows[flow].name,
                "provider": words.name(provider.name) if provider is not None else identifier,
                "path": view.path if view is not None and identifier in sources else "",
                "updated": words.day(view.package.description.last_update)
                if view is not None and identifier in sources
                else "",
            }
