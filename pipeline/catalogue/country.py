"""The page of a country: its figures in profile, its datasets, who produces them under what agreement."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.catalogue import parts
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_PLACES = (("DF_STOCK", ("COUNTRY_BIRTH", "CITIZENSHIP")), ("DF_EMIG", ("COUNTERPART_AREA",)))


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """One page for each country of the run."""
    for area in catalogue.areas:
        yield Page(
            f"country/{area}",
            "country.html",
            partial(_content, catalogue, area),
            partial(_name, catalogue, area),
            "countries",
            (area,),
        )


def _name(catalogue: Catalogue, area: str, words: Words) -> str:
    return words.name(catalogue.library.area_name(area))


def _content(catalogue: Catalogue, area: str, words: Words) -> Content:
    views = catalogue.of_area(area)
    held_back = {flow: reason for (held, flow), reason in catalogue.release.held_back.items() if held == area}
    return {
        "area": area,
        "area_name": catalogue.library.area_name(area),
        "datasets": [_dataset(catalogue, view, words) for view in views],
        "has_several_sources": any(len(view.used.get("SOURCE_TYPE", ())) > 1 for view in views),
        "mirror": texts("mirror", words.lang)["link"] if catalogue.release.compared.mirrors and views else "",
        "places": list(_places(catalogue, area, words)),
        "producers": _producers(catalogue, area, words),
        "held_back": [(catalogue.library.dataflows[flow].name, reason) for flow, reason in held_back.items()],
    }


def _dataset(catalogue: Catalogue, view: View, words: Words) -> Content:
    mandatory = sum(field.obligation == "M" for field in catalogue.library.fields.values())
    figures, said = parts.key_figures(catalogue, view, words, most=3)
    return {
        "flow": view.flow,
        "path": view.path,
        "figures": figures,
        "said": said,
        "covered": words.span(view.periods[0], view.periods[-1]) if view.periods else "",
        "observations": words.number(len(view.package.data.frame)),
        "mandatory": mandatory,
        "stated": mandatory - len(view.package.description.missing),
        "suppressed": view.suppressed,
    }


def _places(catalogue: Catalogue, area: str, words: Words) -> Iterator[Content]:
    """Where people come from and where they live, as the broadest tables say it."""
    for flow, dimensions in _PLACES:
        view = catalogue.views.get((area, flow))
        for shown in view.breakdowns if view is not None else ():
            if view is not None and shown.dimension in dimensions:
                yield parts.bar_chart(catalogue, view, shown, words)


def _producers(catalogue: Catalogue, area: str, words: Words) -> list[Content]:
    """National producers with the dataflows they agreed to deliver, then the international sources used."""
    country = catalogue.country(area)
    national = list(country.providers.values()) if country is not None else []
    agreements = country.agreements if country is not None else frozenset()
    used = {source.provider for view in catalogue.of_area(area) for source in view.package.data.sources}
    international = [
        p for p in catalogue.library.providers.values() if p.id in used and p.id not in {n.id for n in national}
    ]
    return [
        {
            "provider": provider,
            "is_focal": country is not None and provider.id == country.focal,
            "is_international": provider in international,
            "flows": [
                flow.name for flow in catalogue.library.dataflows.values() if (provider.id, flow.id) in agreements
            ],
        }
        for provider in (*national, *international)
    ]
