"""What pages say of the sites that a regional hub has gathered: of each table, and the list of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.catalogue.render import Content
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

PATH = "sources.json"


def gathered(of: Mapping[str, str], words: Words) -> Content:
    """The site that a table was gathered from: a sentence with a link in it."""
    say = texts("hub", words.lang)
    sentence = say["gathered"].format(
        site="\0", release=of["release"], signature=say[of["signature"]], day=words.day(of["moment"][:10])
    )
    before, _, after = sentence.partition("\0")
    return {"before": before, "after": after, "address": of["address"], "name": of["agency"] or of["address"]}


def sites(catalogue: Catalogue, words: Words) -> list[Content]:
    """The sites of the release, as `sources.json` lists them; none where it is a country's own."""
    record = json.loads(catalogue.release.records.get(PATH, b'{"sites": []}'))
    return [dict(_site(each, catalogue, words)) for each in record["sites"]]


def _site(of: Mapping[str, Any], catalogue: Catalogue, words: Words) -> Iterator[tuple[str, Any]]:
    say = texts("hub", words.lang)
    yield "address", of["address"]
    yield "name", of["agency"] or of["address"]
    yield "state", say[f"state_{of['state']}"]
    yield "release", of["release"]
    yield "signature", say[of["signature"]] if of["signature"] else ""
    yield "tables", len(of["tables"])
    last = max((each["gathered"] for each in of["tables"]), default="")
    yield "last_change", words.day(last[:10]) if last else ""
    yield "areas", [words.name(catalogue.library.area_name(each)) for each in of["areas"] if each in catalogue.areas]
    yield "endpoints", list(of["endpoints"].items())
