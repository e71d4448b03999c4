"""A national label → the codes that it may mean, ranked. A guess is shown to a person and never applied.

The levels, from the surest: the same text; the same words in another order, spelt out ("Corea, Rep.
de"); the same words without those that say what kind of state it is; the first of two names; text
that differs by a letter or two (edit distance of Damerau and Levenshtein, transpositions included,
among the names that share trigrams). A guess is sure only when one code alone stands on its level:
the two Koreas, the two Congos and the heirs of Yugoslavia are never told apart by a program.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.framework import Codelist
from pipeline.labels import folded
from pipeline.model import Library
from pipeline.names import GENERAL, OFFICIAL, UNSURE, Aliases, Name, aliases, month_names, names_of, words_of

_ALIASES = Path(__file__).parents[1] / "metadata/aliases.csv"

SURE = 0.9  # from here on a guess is sure, if no other code comes near
_NEAR = 0.05
_CAP = 0.85  # of what only the table can settle
_LETTER = 0.6  # a one-letter label is a matter of its table (docs/decisions/0002)
_SHOWN = 5
_ALIKE, _ALIKE_BESIDE = 0.6, 0.75  # letters in common, for a name to be shown at all, and beside a name that is met
_HEAD = re.compile(r"\s*[/:(,;]\s*")
_LIMITS = (("menor", "menos", "under", "below", "hasta", "less", "ate"), ("mas", "mais", "mayor", "over", "more", "+"))


@dataclass(frozen=True)
class Guess:
    """A code that a label may mean. `why` names the level, `text` the name that was met."""

    code: str
    score: float
    why: str
    text: str
    is_sure: bool = False
    is_tied: bool = False
    rank: int = 0


@dataclass
class Guesser:
    """The names of one component, ready to be compared with labels."""

    known: Aliases
    codelist: Codelist | None
    names: list[Name]
    by_text: dict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))
    by_words: dict[frozenset[str], list[Name]] = field(default_factory=lambda: defaultdict(list))
    by_core: dict[frozenset[str], list[Name]] = field(default_factory=lambda: defaultdict(list))
    by_trigram: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for number, name in enumerate(self.names):
            self.by_text[name.folded].append(name)
            self.by_words[name.words].append(name)
            if name.kind not in UNSURE:
                self.by_core[self._core(name.words)].append(name)
                for trigram in _trigrams(name.folded):
                    self.by_trigram[trigram].append(number)

    def guesses(self, label: str) -> list[Guess]:
        """At most five codes for a label, best first; those of one rank are equally likely."""
        best: dict[str, Guess] = {}
        for guess in (*self._exact(label), *self._of_age(label)):
            _keep(best, guess)
        is_met = max((guess.score for guess in best.values()), default=0) >= _CAP
        for guess in (*self._head(label), *self._part(label), *self._misspelt(label, is_met=is_met)):
            _keep(best, guess)
        text = folded(label)
        is_place = any(name.kind == "place" for name in self._met(label))
        cap = _LETTER if len(text) == 1 else _CAP if is_place or text.startswith(("total", "tot.")) else 1.0
        ranked = _ranked(best.values(), cap)
        has_other = self.codelist is not None and "FOR_O" in self.codelist.codes
        is_untold = bool(ranked) and ranked[0].is_tied and ranked[0].score >= SURE
        if has_other and is_untold and "FOR_O" not in {guess.code for guess in ranked}:
            ranked.append(Guess("FOR_O", 0.3, "untold", "", rank=ranked[-1].rank + 1))
        return ranked

    def sure(self, label: str) -> Guess | None:
        """The one guess that is sure, if there is one."""
        return next((guess for guess in self.guesses(label) if guess.is_sure), None)

    def _core(self, words: frozenset[str]) -> frozenset[str]:
        return words - self.known.government - self.known.territory or words

    def _met(self, label: str) -> list[Name]:
        head = _HEAD.split(label, maxsplit=1)[0]
        return [*self.by_text.get(folded(label), ()), *self.by_text.get(folded(head), ())]

    def _exact(self, label: str) -> Iterable[Guess]:
        words = words_of(label, self.known)
        for names, score, why in (
            (self.by_text.get(folded(label), ()), 1.0, "same"),
            (self.by_words.get(words, ()) if words else (), 0.97, "words"),
            (self.by_core.get(self._core(words), ()) if words else (), 0.91, "core"),
        ):
            for name in names:
                if name.kind in UNSURE and why == "core":
                    continue
                yield Guess(name.code, min(score, _cap_of(name)), name.kind if why == "same" else why, name.shown)

    def _head(self, label: str) -> Iterable[Guess]:
        """The first of two names: "Anguila/Territorio Británico de Ultramar"."""
        head = _HEAD.split(label, maxsplit=1)[0]
        if head == label or not head:
            return
        is_place_of = "/" in label and bool(words_of(label, self.known) & self.known.territory)
        for name in self.by_words.get(words_of(head, self.known), ()):
            if name.words:
                yield Guess(name.code, min(0.91 if is_place_of else 0.8, _cap_of(name)), "head", name.shown)

    def _part(self, label: str) -> Iterable[Guess]:
        """A longer official name that has all words of the label: "O'Higgins"."""
        words = self._core(words_of(label, self.known))
        if words and max(map(len, words)) > 3:
            for name in self.names:
                if name.kind == OFFICIAL and words < name.words:
                    yield Guess(name.code, 0.7, "part", name.shown)

    def _misspelt(self, label: str, *, is_met: bool) -> Iterable[Guess]:
        text = folded(label)
        if any(letter.isdigit() for letter in text):
            return
        shared = Counter(number for trigram in _trigrams(text) for number in self.by_trigram.get(trigram, ()))
        nearest: dict[str, tuple[int, Name]] = {}
        # A letter changes three trigrams at most: names with fewer in common are further than what is looked for.
        least = max(2, max(shared.values(), default=0) // 4)
        for number in sorted(number for number, count in shared.items() if count >= least):
            name = self.names[number]
            farthest = max(len(text), len(name.folded)) * (1 - (_ALIKE_BESIDE if is_met else _ALIKE))
            if abs(len(text) - len(name.folded)) > farthest:
                continue
            found = distance(text, name.folded)
            if found <= farthest and found < nearest.get(name.code, (99, name))[0]:
                nearest[name.code] = (found, name)
        ordered = sorted(nearest.values(), key=lambda each: each[0])
        for place, (found, name) in enumerate(ordered):
            others = ordered[1][0] if len(ordered) > 1 else 99
            allowed = 1 if len(text) < 10 else 2
            is_clear = place == 0 and not is_met and len(text) >= 6 and found <= allowed and others >= found + 2
            likeness = 1 - found / max(len(text), len(name.folded))
            if is_clear or likeness >= (_ALIKE_BESIDE if is_met else _ALIKE):
                yield Guess(name.code, 0.92 if is_clear else 0.8 * likeness, "spelling", name.shown)

    def _of_age(self, label: str) -> Iterable[Guess]:
        """An age group by its limits: "25 a 29 años", "65 y más", "Menores de 18"."""
        if self.codelist is None or not any("min_years" in code.notes for code in self.codelist.codes.values()):
            return
        limits = _years(folded(label))
        if limits is None:
            return
        low, high = limits
        for code in self.codelist.codes.values():
            if not code.notes.get("min_years"):
                continue
            first, last = int(code.notes["min_years"]), int(code.notes["max_years"] or 999)
            if (first, last) == (low, high):
                yield Guess(code.id, 0.97, "age", code.name["en"])
            elif first <= low and high <= last:
                yield Guess(code.id, 0.75 - (low - first + min(last, 120) - min(high, 120)) / 500, "holds", "")


def guesser(component: str, area: str, library: Library, known: Aliases) -> Guesser | None:
    """The names for one component of one country: areas are those of the country alone."""
    if component in ("TIME_PERIOD", "REF_DATE"):
        return Guesser(known, None, list(month_names(known)))
    codelist = library.list_of(component)
    if codelist is None:
        return None
    allowed: Iterable[str] = codelist.descendants(area) if component == "REF_AREA" else codelist.codes
    names = list(names_of(codelist, known, allowed))
    if component == "REF_AREA":
        names += _of_whole(names, known, codelist, area)
    return Guesser(known, codelist, names)


_FINDERS: dict[tuple[str, str], tuple[Library, Guesser | None]] = {}


def nearest(component: str, area: str, label: str, library: Library) -> Guess | None:
    """The sure guess for a label that validation did not know, for its message; the names are indexed once."""
    held = _FINDERS.get((component, area))
    if held is None or held[0] is not library:
        held = _FINDERS[component, area] = library, guesser(component, area, library, aliases(_ALIASES))
    return held[1].sure(label) if held[1] is not None else None


def _of_whole(names: list[Name], known: Aliases, codelist: Codelist, area: str) -> list[Name]:
    """Total and unknown of a country's areas are the country itself and its area unknown."""
    places = {"_T": area, "_U": f"{area}-_U"}
    return [
        Name(places[row.code], "special", row.text, folded(row.text), words_of(row.text, known))
        for row in known.rows
        if row.codelist == "*" and row.code in places and places[row.code] in codelist.codes
    ]


def distance(one: str, other: str) -> int:
    """Letters to change, add, drop or swap with the next to make one text the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def _cap_of(name: Name) -> float:
    return 0.8 if name.kind == GENERAL else _CAP if name.kind in UNSURE else 1.0


def _keep(best: dict[str, Guess], guess: Guess) -> None:
    if guess.code not in best or guess.score > best[guess.code].score:
        best[guess.code] = guess


def _ranked(guesses: Iterable[Guess], cap: float) -> list[Guess]:
    """Best first; equal scores share a rank. The first is sure when it is high and nothing comes near it."""
    scored = [replace(guess, score=round(min(guess.score, cap), 2)) for guess in guesses]
    ordered = sorted(scored, key=lambda guess: -guess.score)
    ties = sum(guess.score == ordered[0].score for guess in ordered)
    is_alone = len(ordered) < 2 or ordered[0].score - ordered[1].score > _NEAR
    found: list[Guess] = []
    for place, guess in enumerate(ordered[: max(_SHOWN, ties)]):
        rank = found[-1].rank if place and ordered[place - 1].score == guess.score else place + 1
        is_tied = place < ties and ties > 1
        found.append(replace(guess, rank=rank, is_tied=is_tied, is_sure=not place and is_alone and guess.score >= SURE))
    return found


def _years(text: str) -> tuple[int, int] | None:
    """The lowest and highest age of a group, 999 where it is open."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    is_low, is_high = (any(word in text for word in words) for words in _LIMITS)
    if not numbers or len(numbers) > 2 or "mes" in text.split() or "meses" in text or "month" in text:
        return None
    if len(numbers) == 2:
        return (numbers[0], numbers[1]) if numbers[0] <= numbers[1] else None
    if is_low and not is_high and numbers[0]:
        closed = any(word in text for word in ("hasta", "ate"))
        return 0, numbers[0] - (0 if closed else 1)
    return numbers[0], 999 if is_high else numbers[0]
