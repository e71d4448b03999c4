"""The capacity assessment: the region in profile, and each country's answers beside what its tables show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.assessed import Assessed, Finding, Item, Profile, TableScore
from pipeline.catalogue import coordination, parts
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.framework import Code
from pipeline.methods.capacity.records import items_path, tables_path
from pipeline.methods.capacity.scores import WEIGHTS
from pipeline.texts import texts

PATH = "capacity"
_WIDTH, _ROW, _BAR = 360, 46, 8


@dataclass(frozen=True)
class Bars:
    """One dimension of a profile as it is drawn: what is answered above, what the tables show below."""

    name: str
    y: int
    answered: float | None
    derived: float | None
    answered_text: str
    derived_text: str

    @property
    def answered_width(self) -> float:
        """How long the bar of the answers is; 0 where nothing is answered."""
        return round(_WIDTH * (self.answered or 0), 1)

    @property
    def derived_width(self) -> float:
        """How long the bar of the evidence is; 0 where nothing is derived."""
        return round(_WIDTH * (self.derived or 0), 1)


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page of the region, and one for each country that was assessed."""
    profiles = _ordered(catalogue)
    if not profiles:
        return
    yield Page(PATH, "capacity.html", partial(_region, catalogue, profiles), lambda words: str(_words(words)["title"]))
    for each in profiles:
        yield Page(
            f"{PATH}/{each.area}",
            "capacity-country.html",
            partial(_country, catalogue, each),
            partial(_named, catalogue, each.area),
            areas=(each.area,),
        )


def _ordered(catalogue: Catalogue) -> list[Profile]:
    """The profiles in the order in which the site names countries, which is no ranking."""
    by_area = {each.area: each for each in catalogue.release.profiles}
    return [by_area[area] for area in catalogue.areas if area in by_area]


def _words(words: Words) -> Any:
    return texts("capacity", words.lang)


def _named(catalogue: Catalogue, area: str, words: Words) -> str:
    return f"{_words(words)['title']}: {words.name(catalogue.library.area_name(area))}"


def _dimensions(catalogue: Catalogue) -> list[Code]:
    found = catalogue.library.list_of("CAP_DIM")
    assert found is not None
    return list(found.codes.values())


# ---------------------------------------------------------------- the region


def _region(catalogue: Catalogue, profiles: list[Profile], words: Words) -> Content:
    of, every = catalogue.library.capacity, [each for profile in profiles for each in profile.items]
    return {
        "k": _words(words),
        "areas": [(each.area, words.name(catalogue.library.area_name(each.area))) for each in profiles],
        "rows": [
            (words.name(each.name), each.id, [_cell(profile, each.id, words) for profile in profiles])
            for each in _dimensions(catalogue)
        ],
        "answered": sum(1 for each in every if each.reply is not None),
        "asked": len(every),
        "gaps": sum(1 for each in every if each.has_gap),
        "findings": [_finding(catalogue, each, words) for each in of.findings if not each.areas],
        "unclear": [_finding(catalogue, each, words) for each in of.findings if not each.is_clear],
        "groups": [
            (words.name(each.name), each.id, [_question(item, words) for item in _items(catalogue, each.id)])
            for each in _dimensions(catalogue)
        ],
        "sources": [_source(catalogue, each, words) for each in of.sources],
        "formula": _formula(words),
        "record": {"profiles": {each.area: _profile_record(catalogue, each) for each in profiles}},
    }


def _cell(profile: Profile, dimension: str, words: Words) -> Content:
    answered, derived = profile.answered(dimension), profile.derived(dimension)
    return {
        "area": profile.area,
        "answered": _share(answered, words),
        "derived": _share(derived, words),
        "answered_width": round(40 * (answered or 0), 1),
        "derived_width": round(40 * (derived or 0), 1),
    }


def _profile_record(catalogue: Catalogue, profile: Profile) -> Content:
    return {
        each.id: {"answered": _rounded(profile.answered(each.id)), "derived": _rounded(profile.derived(each.id))}
        for each in _dimensions(catalogue)
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _share(value: float | None, words: Words) -> str:
    return "–" if value is None else words.number(value, 2)


def _items(catalogue: Catalogue, dimension: str) -> list[Item]:
    return [each for each in catalogue.library.capacity.items.values() if each.dimension == dimension]


def _question(item: Item, words: Words) -> Content:
    said = _words(words)
    return {"id": item.id, "text": item.text, "kind": said["kinds"][item.kind], "derived": _derived(item, words)}


def _derived(item: Item, words: Words) -> str:
    """How an item is worked out, in words; blank where it can only be answered."""
    how = item.derivation
    return str(_words(words)["ways"][how.way]).format(names=", ".join(how.names)) if how is not None else ""


def _formula(words: Words) -> list[tuple[str, str, str]]:
    """The parts of the score of a table: sign, weight, and what it is in words."""
    return [(name, words.number(weight, 2), str(_words(words)["parts"][name])) for name, weight in WEIGHTS.items()]


def _source(catalogue: Catalogue, identifier: str, words: Words) -> Content:
    of = catalogue.library.capacity.sources[identifier]
    return {"id": of.id, "title": of.title, "url": of.url, "date": words.day(of.date)}


def _finding(catalogue: Catalogue, each: Finding, words: Words) -> Content:
    return {
        "text": each.text,
        "areas": words.listed([words.name(catalogue.library.area_name(area)) for area in each.areas]),
        "is_clear": each.is_clear,
        "dimension": parts.name_of(catalogue, "CAP_DIM", each.dimension, words) if each.dimension else "",
        "source": _source(catalogue, each.source, words),
    }


# ---------------------------------------------------------------- one country


def _country(catalogue: Catalogue, profile: Profile, words: Words) -> Content:
    library, area = catalogue.library, profile.area
    flow = library.capacity.flow
    own = [each for each in library.capacity.findings if area in each.areas]
    gaps = [each for each in profile.items if each.has_gap]
    answered = [each for each in profile.items if each.reply is not None]
    files = (items_path(flow, area), tables_path(flow, area), f"files/{flow}/{area}/data.csv")
    return {
        "k": _words(words),
        "area": area,
        "area_name": library.area_name(area),
        "flow": flow,
        "has_dataset": (area, flow) in catalogue.views,
        "bars": _bars(catalogue, profile, words),
        "width": _WIDTH,
        "height": _ROW * len(_dimensions(catalogue)),
        "answered": len(answered),
        "asked": len(profile.items),
        "derived": sum(1 for each in profile.items if each.derived is not None),
        "gaps": [_item(catalogue, each, words) for each in gaps],
        "findings": [_finding(catalogue, each, words) for each in own],
        "groups": [
            (words.name(each.name), each.id, [_item(catalogue, one, words) for one in _of(profile.items, each.id)])
            for each in _dimensions(catalogue)
        ],
        "tables": [_table(catalogue, each, words) for each in profile.tables],
        "formula": _formula(words),
        "files": [path for path in files if path in catalogue.written],
        "deliveries": [
            coordination.row(catalogue, each, words) for each in catalogue.release.deliveries if each.area == area
        ],
        "c": texts("coordination", words.lang),
        "record": {
            "area": area,
            "profile": _profile_record(catalogue, profile),
            "gaps": [each.item.id for each in gaps],
            "findings": [{"text": dict(each.text), "source": each.source, "is_clear": each.is_clear} for each in own],
        },
    }


def _of(items: Iterable[Assessed], dimension: str) -> list[Assessed]:
    return [each for each in items if each.item.dimension == dimension]


def _bars(catalogue: Catalogue, profile: Profile, words: Words) -> list[Bars]:
    return [
        Bars(
            words.name(each.name),
            number * _ROW,
            profile.answered(each.id),
            profile.derived(each.id),
            _share(profile.answered(each.id), words),
            _share(profile.derived(each.id), words),
        )
        for number, each in enumerate(_dimensions(catalogue))
    ]


def _item(catalogue: Catalogue, each: Assessed, words: Words) -> Content:
    """An item with its answer and its evidence, each with where it comes from."""
    of, reply, item = catalogue.library.capacity, each.reply, each.item
    said = _words(words)
    return {
        **_question(item, words),
        "answer": _answer(catalogue, each, words),
        "worth": _share(each.answered, words) if reply is not None else "",
        "year": reply.year if reply is not None else "",
        "role": of.roles[reply.role].name if reply is not None else {},
        "is_office": reply is not None and of.roles[reply.role].is_office,
        "comment": reply.comment if reply is not None else {},
        "source": _source(catalogue, reply.source, words) if reply is not None and reply.source else None,
        "url": reply.url if reply is not None else "",
        "score": _share(each.score, words),
        "evidence": _share(each.derived, words),
        "is_derived": each.derived is not None,
        "made_of": said["part"].format(part=words.number(each.part, 2), out_of=words.number(each.out_of, 2)),
        "select": item.derivation.select if item.derivation is not None else "",
        "has_gap": each.has_gap,
    }


def _answer(catalogue: Catalogue, each: Assessed, words: Words) -> str:
    """The answer by its name; a number or a list as it was given."""
    if each.reply is None:
        return ""
    codes = next(c for c in catalogue.library.codelists.values() if c.id == "CL_CAP_ANSWER")
    return words.code(codes, each.reply.answer)


def _table(catalogue: Catalogue, each: TableScore, words: Words) -> Content:
    counts = {name: " / ".join(words.number(part) for part in of) for name, of in each.counts.items()}
    return {
        "table": each.table,
        "flow": catalogue.library.dataflows[each.flow],
        "select": each.select,
        "latest": words.period(each.latest) if each.latest else "",
        "parts": [(words.number(each.shares[name], 2), counts.get(name, "")) for name in WEIGHTS],
        "score": words.number(each.score, 2),
    }
