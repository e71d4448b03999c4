"""The brief of a country as a PDF that can be printed and read aloud (PDF/UA-1), set by Typst."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

from pipeline.catalogue.render import Content, address, file_path
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.workers import apart

NAME = "brief.pdf"
_COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{3,8});")


def brief(content: Content, words: Words, *, path: str, catalogue: Catalogue) -> bytes:
    """The PDF of what the page at `path` shows; equal content gives equal bytes.

    What it says reaches Typst as data, never as markup.
    """
    settings, said = catalogue.settings, content["b"]
    year, month, day = map(int, settings.release_day.split("-"))
    told = {
        "lang": words.lang,
        "title": content["title"],
        "site": words.name(settings.title),
        "day": {"year": year, "month": month, "day": day},
        "date": words.day(settings.release_day),
        "eyebrow": said["eyebrow"],
        "lead": said["lead"],
        "notice": words.name(settings.notice) if settings.notice else "",
        "address": address(catalogue, file_path(words.lang, path)),
        "country_address": address(catalogue, file_path(words.lang, path.rpartition("/")[0])),
        "full": said["full"],
        "source": words.texts["chart"]["source"],
        "topics": [
            {
                "name": words.name(topic["flow"].name),
                "value": topic["figure"]["value"],
                "what": _joined(topic["figure"], ("measure", "detail", "unit", "period")),
                "sentences": topic["sentences"],
                "charts": [_line_chart(each, words) for each in topic["charts"]],
            }
            for topic in content["topics"]
        ],
        "origins": said["origins"],
        "bars": [_bar_chart(each, words) for each in content["bars"]],
        "sources_title": said["sources"],
        "sources": f"{'; '.join(content['sources'])}.",
        "withheld": said["withheld"].format(n=words.number(content["withheld"])) if content["withheld"] else "",
        "colours": _colours(catalogue.site / "assets/theme.css"),
    }
    # Typst sets paragraphs in threads that it keeps.
    return apart(partial(_set, catalogue.site / "templates/brief.typ", json.dumps(told)))


def _set(template: Path, data: str) -> bytes:
    """The document, by the fonts that Typst brings, so that no machine sets it in others.

    A sign that they lack is a box on paper, which PDF/UA does not allow: such a document makes no claim to it.
    """
    import typst  # slow to import

    setter = _setter(template)
    try:
        made: bytes = setter.compile(format="pdf", sys_inputs={"data": data}, pdf_standards=["ua-1"])
    except typst.TypstError:
        made = setter.compile(format="pdf", sys_inputs={"data": data})
    return made


@cache
def _setter(template: Path) -> Any:
    import typst

    return typst.Compiler(template, ignore_system_fonts=True)


@cache
def _colours(theme: Path) -> Mapping[str, str]:
    """The colours of the site on paper: the first of each name, for those of dark screens come after."""
    return dict(reversed(_COLOUR.findall(theme.read_text(encoding="utf-8"))))


def _line_chart(item: Content, words: Words) -> Content:
    said = words.texts["chart"]["line_desc"].format(latest="; ".join(item["chart"].latest))
    return _drawn(item, ("unit", "detail"), said, names=item["names"])


def _bar_chart(item: Content, words: Words) -> Content:
    said = words.texts["chart"]["bar_desc"].format(largest="; ".join(item["chart"].largest))
    period = {"period": item["periods"][0]}
    return _drawn({**item, **period}, ("measure", "unit", "detail", "period"), said, names=[])


def _drawn(item: Content, noted: Sequence[str], said: str, *, names: Sequence[str]) -> Content:
    """A chart with what stands above it, and what it says to those who do not see it."""
    return {
        "title": item["title"],
        "note": _joined(item, noted),
        "names": names,
        "source": item["source"],
        "chart": asdict(item["chart"]),
        "alt": f"{item['title']}. {said}",
    }


def _joined(of: Content, parts: Sequence[str]) -> str:
    return " · ".join(of[part] for part in parts if of[part])
