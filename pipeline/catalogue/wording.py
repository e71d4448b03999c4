"""The words and numbers of one language: interface texts, names of codes, figures, dates, sizes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_compact_decimal, format_decimal
from markupsafe import Markup, escape

from pipeline.framework import LANGUAGES, Codelist, Text
from pipeline.texts import LOCALES

_CODE = re.compile(r"`([^`]+)`")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_SIZE_UNITS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True)
class Words:
    """Everything that is said differently in each language of the site."""

    lang: str
    texts: Mapping[str, Any]  # site/text/<lang>.toml
    _numbers: dict[tuple[float, int], str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(LOCALES[self.lang])

    def language_of(self, text: Text) -> str:
        """The language in which the text is shown: this one, or the first that it has."""
        return next((lang for lang in (self.lang, *LANGUAGES, *text) if text.get(lang)), self.lang)

    def name(self, text: Text) -> str:
        """A text in this language, or in another when it lacks this one."""
        return text.get(self.language_of(text), "")

    def say(self, text: Text) -> Markup:
        """The same as HTML: a text in another language says which."""
        lang = self.language_of(text)
        words = escape(text.get(lang, ""))
        return words if lang == self.lang else Markup('<span lang="{}">{}</span>').format(lang, words)

    def code(self, codelist: Codelist | None, code: str) -> str:
        """The name of a code; a code that no list knows is its own name."""
        if codelist is None or code not in codelist.codes:
            return code
        return self.name(codelist.codes[code].name)

    def number(self, value: float, decimals: int = 3) -> str:
        """A figure as people write it in this language."""
        if (value, decimals) not in self._numbers:
            pattern = "#,##0." + "#" * decimals
            self._numbers[value, decimals] = format_decimal(value, format=pattern, locale=self.locale)
        return self._numbers[value, decimals]

    def compact(self, value: float) -> str:
        """A round number in few signs, for axes: 1.5M, 500 mil."""
        if abs(value) < 10_000:
            return self.number(value)
        return format_compact_decimal(value, locale=self.locale, fraction_digits=1)

    def period(self, period: str) -> str:
        """A time period of SDMX in words: 2024, March 2024, Q1 2024."""
        if found := _QUARTER.fullmatch(period):
            return str(self.texts["period"]["quarter"]).format(quarter=found[2], year=found[1])
        if found := _MONTH.fullmatch(period):
            return format_skeleton("yMMM", date(int(found[1]), int(found[2]), 1), locale=self.locale)
        return period

    def span(self, first: str, last: str) -> str:
        """A range of periods, or the one period when both are the same."""
        return self.period(first) if first == last else f"{self.period(first)}–{self.period(last)}"

    def day(self, iso: str) -> str:
        """A date in words; what is not a date stays as it is."""
        try:
            return format_date(date.fromisoformat(iso), format="long", locale=self.locale)
        except ValueError:
            return iso

    def size(self, count: int) -> str:
        """A file size in steps of a thousand bytes."""
        value, step = float(count), 0
        while value >= 1000 and step < len(_SIZE_UNITS) - 1:
            value, step = value / 1000, step + 1
        return f"{self.number(value, 0 if value >= 10 else 1)} {_SIZE_UNITS[step]}"

    def count(self, number: int, forms: Mapping[str, str]) -> str:
        """A number with its noun: `forms` has the noun for one and for any other number."""
        return forms["one" if number == 1 else "other"].format(n=self.number(number))

    def listed(self, names: list[str]) -> str:
        """Names in a row, the last one after "and"."""
        return format_list(names, locale=self.locale) if names else ""

    def prose(self, text: str) -> Markup:
        """A sentence of the interface; what stands in backticks is code."""
        return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped)


def languages(folder: Path) -> dict[str, Words]:
    """The words of every language, from `site/text/<lang>.toml`."""
    return {
        lang: Words(lang, tomllib.loads((folder / f"{lang}.toml").read_text(encoding="utf-8"))) for lang in LANGUAGES
    }
