"""What tells others of a release: a feed for people, the status for machines, registrations for a registry.

Atom is RFC 4287. The registrations are an SDMX-ML 2.1 registry message (section 3B), as a registry
that pulls data, in the manner of the IMF's SDDS Plus, takes it: one data source a provision agreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]

from pipeline import provision
from pipeline.framework import LANGUAGES
from pipeline.model import Library, Package, Release, Settings, Written
from pipeline.plain import as_json
from pipeline.texts import said, texts

_ATOM = "http://www.w3.org/2005/Atom"
_SDMX = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def notices(
    release: Release, library: Library, settings: Settings, *, written: Mapping[str, Written]
) -> Iterator[tuple[list[str], bytes]]:
    """Yield (paths, document); `written` are the files of the release that stand already."""
    base = settings.base_url.rstrip("/")
    for language in LANGUAGES:
        paths = [f"{language}/feed.atom", *(["feed.atom"] if language == settings.language else [])]
        yield paths, _feed(release, library, settings, base, language)
    yield ["status.json"], _status(release, settings, base)
    yield ["registrations.xml"], _registrations(release, library, settings, base, written)


# ---------------------------------------------------------------- people


def _feed(release: Release, library: Library, settings: Settings, base: str, language: str) -> bytes:
    """One entry a dataset, the newest first: what it is, of which release, and where it stands."""
    atom, words = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM}), texts("notices", language)
    packages = sorted(release.packages, key=lambda p: (p.description.last_update, p.description.vintage), reverse=True)
    newest = packages[0].description.last_update if packages else settings.release_day
    feed = atom.feed(
        atom.id(f"{base}/{language}/"),
        atom.title(said(settings.title, language)),
        atom.updated(_moment(newest)),
        atom.link(rel="self", type="application/atom+xml", href=f"{base}/{language}/feed.atom"),
        atom.link(rel="alternate", type="text/html", hreflang=language, href=f"{base}/{language}/"),
        atom.author(atom.name(said(library.agencies[library.agency], language))),
        *(_entry(atom, each, base, language, words) for each in packages),
    )
    feed.set(_XML_LANG, language)
    return _xml(feed)


def _entry(atom: Any, package: Package, base: str, language: str, words: Mapping[str, Any]) -> etree._Element:
    description = package.description
    page = f"{base}/{language}/data/{description.flow}/{description.area}/"
    count = len(package.data.frame)
    return atom.entry(  # type: ignore[no-any-return]
        atom.id(f"{page}#{description.vintage}"),
        atom.title(said(description.title, language)),
        atom.updated(_moment(description.last_update)),
        atom.link(rel="alternate", type="text/html", hreflang=language, href=page),
        atom.category(term=description.flow),
        atom.category(term=description.area),
        atom.summary(words["entry"].format(release=description.vintage, count=count)),
        atom.rights(description.licence),
    )


# ---------------------------------------------------------------- machines


def _status(release: Release, settings: Settings, base: str) -> bytes:
    """The release and each of its datasets: since when, how many figures, and what validation found."""
    datasets = []
    for package in release.packages:
        of = package.description
        report = release.reports.get((of.area, of.flow))
        found = [issue.severity for issue in report.issues] if report is not None else []
        datasets.append(
            {
                "dataflow": of.flow,
                "area": of.area,
                "release": of.vintage,
                "last_update": of.last_update,
                "observations": len(package.data.frame),
                "withheld": sum(package.data.suppressed.values()),
                "licence": of.licence,
                "issues": {severity: found.count(severity) for severity in ("E", "W", "I")},
                "is_held_back": (of.area, of.flow) in release.held_back,
                "data": f"{base}/files/{of.flow}/{of.area}/",
            }
        )
    content = {
        "release": settings.release,
        "published": _moment(settings.release_day),
        "datasets": sorted(datasets, key=lambda each: (str(each["dataflow"]), str(each["area"]))),
        "held_back": [{"dataflow": flow, "area": area} for area, flow in sorted(release.held_back)],
    }
    return as_json(content)


def _registrations(
    release: Release, library: Library, settings: Settings, base: str, written: Mapping[str, Written]
) -> bytes:
    spaces = {name: f"{_SDMX}/{path}" for name, path in (("mes", "message"), ("reg", "registry"), ("com", "common"))}
    mes, reg = (ElementMaker(namespace=spaces[name], nsmap=spaces) for name in ("mes", "reg"))
    requests = [
        reg.RegistrationRequest(
            reg.Registration(
                reg.ProvisionAgreement(_reference(library, agreement)),
                reg.Datasource(reg.SimpleDataSource(f"{base}/{path}")),
                id=agreement.replace("PA_", "REG_", 1),
                lastUpdated=_moment(last_update),
                indexTimeSeries="true",
            ),
            action="Replace",
        )
        for agreement, path, last_update in _sources(release, library)
        if path in written
    ]
    header = mes.Header(
        mes.ID(f"REGISTRATIONS_{settings.release.replace('.', '_')}"),
        mes.Test("false"),
        mes.Prepared(_moment(settings.release_day)),
        mes.Sender(id=library.agency),
        mes.Receiver(id="ALL"),
    )
    parts = [header, mes.SubmitRegistrationsRequest(*requests)] if requests else [header]
    return _xml(mes.RegistryInterface(*parts))


def _sources(release: Release, library: Library) -> Iterator[tuple[str, str, str]]:
    """(provision agreement, path of the data, last update) of every provider with figures in the release."""
    for package in release.packages:
        described = package.description
        for agreement in provision.of(package, library):
            yield agreement, f"files/{described.flow}/{described.area}/data.xml", described.last_update


def _reference(library: Library, agreement: str) -> etree._Element:
    return etree.Element("Ref", agencyID=library.agency, id=agreement, version="1.0.0")


def _moment(day: str) -> str:
    return f"{day}T00:00:00Z"


def _xml(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
