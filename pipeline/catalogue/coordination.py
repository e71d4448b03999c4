"""Coordination: who produces what, under which agreement, what came last, and what is late."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.delivered import Delivery
from pipeline.framework import Planned
from pipeline.methods import coordination as method
from pipeline.texts import texts

PATH = "coordination"
_FILES = (method.DELIVERIES, method.LATE, "registrations.xml", "calendar.ics")


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """One page, where the release has agreements."""
    if catalogue.release.deliveries:
        yield Page(PATH, "coordination.html", partial(_content, catalogue), lambda words: str(_words(words)["title"]))


def _words(words: Words) -> Any:
    return texts("coordination", words.lang)


def _content(catalogue: Catalogue, words: Words) -> Content:
    found = catalogue.release.deliveries
    late = method.late(found)
    return {
        "c": _words(words),
        "day": words.day(catalogue.settings.release_day),
        "late": [row(catalogue, each, words) for each in late],
        "agreements": [row(catalogue, each, words) for each in found],
        "known": sum(1 for each in found if each.agreement.is_known),
        "producers": list(_producers(catalogue, words)),
        "calendar": [_planned(catalogue, each, words) for each in _calendar(catalogue)],
        "files": [path for path in _FILES if path in catalogue.written],
        "record": {"late": [{"agreement": method.agreement(each), "state": each.state} for each in late]},
    }


def row(catalogue: Catalogue, each: Delivery, words: Words) -> Content:
    """One agreement and dataflow: parties, basis, last delivery, what is expected, and whether it is late."""
    said, of = _words(words), each.agreement
    view = catalogue.views.get((each.area, each.flow))
    return {
        "area": each.area,
        "area_name": words.name(catalogue.library.area_name(each.area)),
        "flow": catalogue.library.dataflows[each.flow].name,
        "path": view.path if view is not None and each.last_period else "",
        "provider": _name(catalogue, each.area, of.provider, words),
        "parties": words.listed([_name(catalogue, each.area, party, words) for party in of.parties]),
        "basis": of.basis,
        "text": of.text,
        "source": of.source,
        "is_known": of.is_known,
        "is_expired": each.is_expired,
        "since": of.since,
        "until": of.until,
        "every": words.count(each.interval, said["months"]) if each.interval else "",
        "by": said["basis"][each.basis] if each.basis else "",
        "last": words.period(each.last_period) if each.last_period else "",
        "released": each.last_release,
        "next": each.next_period_ends,
        "due": each.due,
        "state": each.state,
        "state_name": said["states"][each.state],
        "agreement": method.agreement(each),
    }


def _name(catalogue: Catalogue, area: str, identifier: str, words: Words) -> str:
    provider = catalogue.provider(area, identifier)
    return words.name(provider.name) if provider is not None else identifier


def _producers(catalogue: Catalogue, words: Words) -> Iterator[Content]:
    """The institutions of each country with the datasets that they deliver; those without any are named too."""
    for area in catalogue.areas:
        country = catalogue.country(area)
        for provider in country.providers.values() if country is not None else ():
            own = [
                each
                for each in catalogue.release.deliveries
                if each.area == area and each.agreement.provider == provider.id
            ]
            yield {
                "area": area,
                "area_name": words.name(catalogue.library.area_name(area)),
                "provider": provider,
                "is_focal": country is not None and provider.id == country.focal,
                "flows": [row(catalogue, each, words) for each in own],
            }


def _calendar(catalogue: Catalogue) -> list[Planned]:
    """What is announced or agreed and still to come, by day."""
    day = catalogue.settings.release_day
    agreed = method.expected(catalogue.release.deliveries, catalogue.library, day=day)
    planned = (each for each in catalogue.library.planned if each.date > day)
    return sorted((*planned, *agreed), key=lambda each: (each.date, each.area, each.flow))


def _planned(catalogue: Catalogue, each: Planned, words: Words) -> Content:
    return {
        "day": words.day(each.date),
        "area_name": words.name(catalogue.library.area_name(each.area)),
        "flow": catalogue.library.dataflows[each.flow].name,
        "period": each.period,
        "note": each.note,
    }
