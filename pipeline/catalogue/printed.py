"""The brief of a country as a PDF that can be printed and read aloud (PDF/UA-1), set by Typst."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.catalogue.render import Content, address, file_path
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words

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
        "publisher": words.name(settings.title),
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
                "what": " · ".join(
                    topic["figure"][part] for part in ("measure", "detail", "unit", "period") if topic["figure"][part]
                ),
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
    return _set(catalogue.site / "templates/brief.typ", json.dumps(told))


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
    ends = [f"{c.name}, {c.dots[-1].text}" if c.name else c.dots[-1].text for c in item["chart"].curves if c.dots]
    return {
        "title": item["title"],
        "note": " · ".join(each for each in (item["unit"], item["detail"]) if each),
        "names": item["names"],
        "source": item["source"],
        "chart": asdict(item["chart"]),
        "alt": f"{item['title']}. {words.texts['chart']['line_desc'].format(latest='; '.join(ends))}",
    }


def _bar_chart(item: Content, words: Words) -> Content:
    largest = [f"{bar.name}, {bar.value}" for bar in item["chart"].bars[:3]]
    return {
        "title": item["title"],
        "note": " · ".join(
            each for each in (item["measure"], item["unit"], item["detail"], item["periods"][0]) if each
        ),
        "names": [],
        "source": item["source"],
        "chart": asdict(item["chart"]),
        "alt": f"{item['title']}. {words.texts['chart']['bar_desc'].format(largest='; '.join(largest))}",
    }
