"""The release as a DCAT-AP 3 catalogue: one dataset a country and dataflow, one distribution a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from lxml import etree
from rdflib import DCAT, DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, Namespace, URIRef

from pipeline.formats import Format
from pipeline.framework import LANGUAGES, Provider, Text
from pipeline.model import Library, Package, Settings, Written

_SPDX = Namespace("http://spdx.org/rdf/terms#")
_VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
_MEDIA = "https://www.iana.org/assignments/media-types/"
_FREQUENCIES = {"A": "ANNUAL", "Q": "QUARTERLY", "M": "MONTHLY"}
_LANGUAGES = {"en": "ENG", "es": "SPA", "pt": "POR"}


def catalogue(
    packages: Sequence[Package],
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    written: Mapping[str, Written],
) -> Iterator[tuple[str, bytes]]:
    """Yield `catalog.ttl`, `catalog.jsonld` and `catalog.rdf`. Every node has an address: equal input, equal bytes."""
    graph = Graph()
    for prefix, namespace in {
        "dcat": DCAT,
        "dct": DCTERMS,
        "foaf": FOAF,
        "spdx": _SPDX,
        "vcard": _VCARD,
    }.items():
        graph.bind(prefix, namespace)
    base = settings.base_url.rstrip("/")
    home = URIRef(f"{base}/catalog")
    graph.add((home, RDF.type, DCAT.Catalog))
    _texts(graph, home, DCTERMS.title, settings.title)
    _texts(graph, home, DCTERMS.description, library.phrases["catalogue"])
    graph.add((home, DCTERMS.issued, Literal(settings.release_day, datatype=XSD.date)))
    graph.add((home, DCTERMS.publisher, _agent(graph, base, library.agency, library.agencies[library.agency])))
    graph.add((home, FOAF.homepage, _typed(graph, f"{base}/", FOAF.Document)))
    for code in _LANGUAGES.values():
        graph.add((home, DCTERMS.language, _typed(graph, f"{_AUTHORITY}language/{code}", DCTERMS.LinguisticSystem)))
    for package in packages:
        dataset = _dataset(graph, base, package, library)
        graph.add((home, DCAT.dataset, dataset))
        for each in formats.values():
            path = each.path(package.data.flow.id, package.data.area)
            if path in written:
                _distribution(graph, base, dataset, package=package, form=each, path=path, file=written[path])
    yield "catalog.ttl", graph.serialize(format="turtle").encode()
    yield "catalog.jsonld", _ordered(graph.serialize(format="json-ld", auto_compact=True))
    yield "catalog.rdf", _arranged(graph.serialize(format="xml"))


def _dataset(graph: Graph, base: str, package: Package, library: Library) -> URIRef:
    data, description = package.data, package.description
    node = URIRef(f"{base}/dataset/{data.flow.id}/{data.area}")
    graph.add((node, RDF.type, DCAT.Dataset))
    _texts(graph, node, DCTERMS.title, description.title)
    _texts(graph, node, DCTERMS.description, description.fields["DATA_DESCR"])
    graph.add((node, DCTERMS.identifier, Literal(str(node))))
    graph.add((node, DCTERMS.modified, Literal(description.last_update, datatype=XSD.date)))
    graph.add((node, URIRef(f"{DCAT}version"), Literal(description.vintage)))
    country = library.countries[data.area]
    focal = country.providers[country.focal]
    # Who puts the release out; the producers of the figures are its sources, and the focal office its contact.
    graph.add((node, DCTERMS.publisher, _agent(graph, base, library.agency, library.agencies[library.agency])))
    _spatial(graph, node, data.area, library)
    _period(graph, node, data.frame["TIME_PERIOD"])
    theme = _typed(graph, f"{_AUTHORITY}data-theme/SOCI", SKOS.Concept)
    _texts(graph, theme, SKOS.prefLabel, library.phrases["theme"])
    graph.add((node, DCAT.theme, theme))
    frequency = next(each for each in _FREQUENCIES if (data.frame["FREQ"] == each).any())
    address = f"{_AUTHORITY}frequency/{_FREQUENCIES[frequency]}"
    graph.add((node, DCTERMS.accrualPeriodicity, _typed(graph, address, DCTERMS.Frequency)))
    for lang in LANGUAGES:
        page = URIRef(f"{base}/{lang}/data/{data.flow.id}/{data.area}/")
        graph.add((node, DCAT.landingPage, page))
        graph.add((page, RDF.type, FOAF.Document))
        graph.add((node, DCAT.keyword, Literal(data.flow.name[lang], lang=lang)))
        graph.add((node, DCAT.keyword, Literal(library.area_name(data.area)[lang], lang=lang)))
    _contact(graph, node, description.fields.get("CONTACT_EMAIL"), focal)
    return node


def _distribution(
    graph: Graph, base: str, dataset: URIRef, *, package: Package, form: Format, path: str, file: Written
) -> None:
    node, address = URIRef(f"{base}/{path}#distribution"), URIRef(f"{base}/{path}")
    graph.add((dataset, DCAT.distribution, node))
    graph.add((node, RDF.type, DCAT.Distribution))
    _texts(graph, node, DCTERMS.title, form.label)
    for predicate in (DCAT.accessURL, DCAT.downloadURL):
        graph.add((node, predicate, address))
    graph.add((node, DCAT.mediaType, _media_type(graph, form.media_type)))
    graph.add((node, DCAT.byteSize, Literal(file.bytes, datatype=XSD.nonNegativeInteger)))
    graph.add((node, DCTERMS.modified, Literal(package.description.last_update, datatype=XSD.date)))
    licence = URIRef(package.description.licences[0].url)
    for each in package.description.licences:
        graph.add((URIRef(each.url), RDF.type, DCTERMS.LicenseDocument))
    graph.add((node, DCTERMS.license, licence))
    checksum = URIRef(f"{base}/{path}#checksum")
    graph.add((node, _SPDX.checksum, checksum))
    graph.add((checksum, RDF.type, _SPDX.Checksum))
    algorithm = _typed(graph, f"{_SPDX}checksumAlgorithm_sha256", _SPDX.ChecksumAlgorithm)
    graph.add((checksum, _SPDX.algorithm, algorithm))
    graph.add((checksum, _SPDX.checksumValue, Literal(file.sha256, datatype=XSD.hexBinary)))


def _agent(graph: Graph, base: str, identifier: str, name: Text) -> URIRef:
    node = _typed(graph, f"{base}/agent/{identifier}", FOAF.Agent)
    _texts(graph, node, FOAF.name, name)
    return node


def _contact(graph: Graph, dataset: URIRef, email: Text | None, focal: Provider) -> None:
    node = URIRef(f"{dataset}#contact")
    if not email and not focal.url:
        return
    graph.add((dataset, DCAT.contactPoint, node))
    for kind in (_VCARD.Organization, _VCARD.Kind):
        graph.add((node, RDF.type, kind))
    _texts(graph, node, _VCARD.fn, focal.name)
    if email:
        graph.add((node, _VCARD.hasEmail, URIRef(f"mailto:{email['en']}")))
    if focal.url:
        graph.add((node, _VCARD.hasURL, URIRef(focal.url)))


def _spatial(graph: Graph, dataset: URIRef, area: str, library: Library) -> None:
    areas = library.list_of("REF_AREA")
    assert areas is not None
    node = URIRef(f"{_AUTHORITY}country/{areas.codes[area].notes['iso3']}")
    graph.add((node, RDF.type, DCTERMS.Location))
    graph.add((dataset, DCTERMS.spatial, node))


def _period(graph: Graph, dataset: URIRef, periods: pd.Series[str]) -> None:
    distinct = [pd.Period(period) for period in set(periods.astype(str))]
    node = URIRef(f"{dataset}#period")
    graph.add((dataset, DCTERMS.temporal, node))
    graph.add((node, RDF.type, DCTERMS.PeriodOfTime))
    first, last = min(p.start_time for p in distinct), max(p.end_time for p in distinct)
    graph.add((node, DCAT.startDate, Literal(first.date().isoformat(), datatype=XSD.date)))
    graph.add((node, DCAT.endDate, Literal(last.date().isoformat(), datatype=XSD.date)))


def _media_type(graph: Graph, media_type: str) -> URIRef:
    return _typed(graph, _MEDIA + media_type.partition(";")[0], DCTERMS.MediaType)


def _typed(graph: Graph, address: str, kind: URIRef) -> URIRef:
    """A node with its class said, as DCAT-AP's shapes want of every value."""
    node = URIRef(address)
    graph.add((node, RDF.type, kind))
    return node


def _texts(graph: Graph, node: URIRef, predicate: URIRef, text: Text) -> None:
    for lang in LANGUAGES:
        if text.get(lang):
            graph.add((node, predicate, Literal(text[lang], lang=lang)))


def _ordered(content: str) -> bytes:
    """JSON-LD with every unordered list in a fixed order: rdflib writes sets as they come."""
    return json.dumps(_sorted(json.loads(content)), ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _arranged(content: str) -> bytes:
    """RDF/XML with every list of siblings in a fixed order."""
    root = etree.fromstring(content.encode(), etree.XMLParser(remove_blank_text=True))
    for parent in [*root, root]:
        parent[:] = sorted(parent, key=lambda each: etree.tostring(each, method="c14n"))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _sorted(value: Any) -> Any:
    match value:
        case dict():
            return {key: _sorted(each) for key, each in value.items()}
        case list():
            return sorted((_sorted(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
        case _:
            return value
