"""What codes are called: `metadata/aliases.csv` and the names of the code lists, as words to compare.

The file has one row a way of naming a code: demonyms (masculine singular; the other forms are made
here), names and short names, historical names (a state that fell apart has a row a successor),
abbreviations, special labels that only the table can settle, and places that are no nationality.
Its list MONTH names the months; WORD spells abbreviated words out, and names those that say only
what kind of state or territory a name is of. Names of countries follow UNSD's M49 and UNTERM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.framework import Codelist
from pipeline.labels import folded
from pipeline.library import authored

KINDS = frozenset(
    ("name", "short", "demonym", "historical", "abbreviation", "special", "place", "government", "territory")
)
OFFICIAL = "official"  # the kind of a name that the code list itself gives
GENERAL = "general"  # a special label of every list, which goes after those of the list itself
UNSURE = ("special", "place", GENERAL)

_STOP = frozenset(re.findall(r"\w+", "a and as da das de del do dos e el en la las los o of os the y"))
_ACRONYM = re.compile(r"\b(?:\w{1,2}\.\s?){2,}")
_ACCENTS = (("á", "a"), ("é", "e"), ("í", "i"), ("ó", "o"), ("ú", "u"))
_ENDINGS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("es", "o"): ("o", "a", "os", "as"),
    **{("es", f"{a}{n}"): (f"{a}{n}", f"{b}{n}a", f"{b}{n}es", f"{b}{n}as") for a, b in _ACCENTS for n in "ns"},
    ("es", "s"): ("s", "sa", "ses", "sas"),
    ("es", "n"): ("n", "na", "nes", "nas"),
    ("es", "l"): ("l", "la", "les", "las"),
    ("es", "í"): ("í", "í", "íes", "ís"),
    ("es", "ú"): ("ú", "ú", "úes", "ús"),
    ("pt", "ês"): ("ês", "esa", "eses", "esas"),
    ("pt", "ão"): ("ão", "ã", "ãos", "ãs", "ães", "ões"),  # before the next, which is shorter
    ("pt", "o"): ("o", "a", "os", "as"),
    ("pt", "eu"): ("eu", "eia", "eus", "eias"),
    ("pt", "l"): ("l", "la", "is", "las"),
    ("pt", "m"): ("m", "m", "ns", "ns"),
}


@dataclass(frozen=True)
class Alias:
    """One row of the file: in this code list, this text names this code."""

    codelist: str
    code: str
    language: str
    kind: str
    text: str


@dataclass(frozen=True)
class Aliases:
    """The whole file. `words` spells abbreviated words out; the two sets are folded words."""

    rows: tuple[Alias, ...]
    words: Mapping[str, str]
    government: frozenset[str]
    territory: frozenset[str]


@dataclass(frozen=True)
class Name:
    """One way to write the name of a code: folded, and as the set of words that carry its meaning."""

    code: str
    kind: str
    shown: str
    folded: str
    words: frozenset[str]


def aliases(path: Path) -> Aliases:
    """Load `metadata/aliases.csv`.

    Raises:
        SetupError: a kind is not known, or a text is blank.
    """
    rows: list[Alias] = []
    for row, cells in authored.rows(path, ("codelist", "code", "language", "kind", "text")):
        if cells["kind"] not in KINDS:
            authored.refuse(path, row, f'kind "{cells["kind"]}" must be one of {", ".join(sorted(KINDS))}')
        if not cells["text"]:
            authored.refuse(path, row, "text is empty")
        rows.append(Alias(**cells))
    words = [row for row in rows if row.codelist == "WORD"]
    return Aliases(
        tuple(row for row in rows if row.codelist != "WORD"),
        {folded(row.text): folded(row.code) for row in words if row.kind == "abbreviation"},
        frozenset(folded(row.text) for row in words if row.kind == "government"),
        frozenset(folded(row.text) for row in words if row.kind == "territory"),
    )


def words_of(text: str, known: Aliases) -> frozenset[str]:
    """The words of a name that carry meaning, without order: an inversion has the same ones.

    "Venezuela (Rep. Bol. de)" → {venezuela, republica, bolivariana}
    """
    plain = _ACRONYM.sub(lambda match: re.sub(r"[.\s]", "", match[0]) + " ", folded(text))
    found = (known.words.get(word, word) for word in re.findall(r"\w+", plain))
    return frozenset(word for words in found for word in words.split() if word not in _STOP)


def names_of(codelist: Codelist, known: Aliases, allowed: Iterable[str]) -> Iterator[Name]:
    """Every way to name the allowed codes of a list."""
    within = frozenset(allowed)
    for code in codelist.codes.values():
        if code.id in within:
            is_special = code.id.startswith("_") or code.notes.get("kind") == "special"
            for text in dict.fromkeys(code.name.values()):
                yield from _names(code.id, "special" if is_special else OFFICIAL, [text], known)
            if code.notes.get("iso3"):
                yield from _names(code.id, "abbreviation", [code.notes["iso3"]], known)
    for row in known.rows:
        if row.codelist in (codelist.id, "*") and row.code in within:
            yield from _alias_names(row, known)


def month_names(known: Aliases) -> Iterator[Name]:
    """The names of the months, by two figures."""
    for row in known.rows:
        if row.codelist == "MONTH":
            yield from _alias_names(row, known)


def _alias_names(row: Alias, known: Aliases) -> Iterator[Name]:
    is_demonym = row.kind in ("demonym", "historical") and row.text[0].islower()
    forms = inflected(row.text, row.language) if is_demonym else [row.text]
    return _names(row.code, GENERAL if row.codelist == "*" else row.kind, forms, known)


def _names(code: str, kind: str, texts: Iterable[str], known: Aliases) -> Iterator[Name]:
    for text in texts:
        yield Name(code, kind, text, folded(text), words_of(text, known))


def inflected(text: str, language: str) -> list[str]:
    """Masculine, feminine and plural forms of a demonym: chileno, chilena, chilenos, chilenas."""
    words = text.split(" ")  # what follows "de" keeps its form: coreana del norte
    forms = [[word] if set(words[:i]) & _STOP else _forms(word, language) for i, word in enumerate(words)]
    count = max(len(each) for each in forms)
    return list(dict.fromkeys(" ".join(each[min(i, len(each) - 1)] for each in forms) for i in range(count)))


def _forms(word: str, language: str) -> list[str]:
    if word in _STOP or not word[0].islower():
        return [word]
    for (lang, ending), endings in _ENDINGS.items():
        if lang == language and word.endswith(ending):
            return [word.removesuffix(ending) + each for each in endings]
    return [word, word, f"{word}s", f"{word}s"]
