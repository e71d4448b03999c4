"""`Protected` + `Country` → `Description`: the reference metadata of one package (framework §5).

What the country says stands; what can be worked out from the figures, the framework and the
validation is filled in; mandatory fields that are still empty are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline import elapsed
from pipeline.framework import LANGUAGES, Licence, Provider, Text
from pipeline.model import Country, Description, Layout, Library, Protected, Report, Series, Settings


@dataclass(frozen=True)
class _Subject:
    """What the derivations draw on."""

    data: Protected
    country: Country
    library: Library
    report: Report
    settings: Settings

    @property
    def series(self) -> Series:
        return self.country.series[self.data.flow.id]

    @property
    def stated(self) -> Sequence[Mapping[str, Text]]:
        """What was written of the dataflow, of a provider that all its tables are of, and of the country."""
        providers = {layout.provider for layout in self.series.layouts}
        own = [self.provider(each).metadata for each in providers if len(providers) == 1]
        return [self.series.metadata, *own, self.country.metadata]

    def phrase(self, identifier: str, **parts: Text | str | int) -> Text:
        """A phrase of `metadata/phrases.csv` in each language, its places filled in that language."""
        phrase = self.library.phrases[identifier]
        return {
            lang: phrase[lang].format(
                **{
                    name: part.get(lang, part["en"]) if isinstance(part, Mapping) else part
                    for name, part in parts.items()
                }
            )
            for lang in LANGUAGES
        }

    def used(self, component: str) -> list[str]:
        """Codes or values of a component that stand in the table, in order, without blanks."""
        if component not in self.data.frame:
            return []
        return [str(value) for value in sorted(self.data.frame[component].dropna().unique(), key=str) if value != ""]

    def names(self, component: str) -> Text:
        """The names of the codes used, joined."""
        codelist = self.library.list_of(component)
        assert codelist is not None
        return joined(codelist.codes[code].name for code in self.used(component) if code in codelist.codes)

    def provider(self, identifier: str) -> Provider:
        return {**self.library.providers, **self.country.providers}[identifier]


def joined(texts: Iterable[Text], separator: str = ", ") -> Text:
    """Several texts as one, each only once, in every language."""
    every = list(texts)
    return {lang: separator.join(dict.fromkeys(text.get(lang, text["en"]) for text in every)) for lang in LANGUAGES}


def describe(data: Protected, country: Country, library: Library, *, report: Report, settings: Settings) -> Description:
    """Fill the fields of `metadata/fields.csv` for one country and dataflow."""
    subject = _Subject(data, country, library, report, settings)
    fields, stated = dict[str, Text](), subject.stated
    for field in library.fields.values():
        written = next((said[field.id] for said in stated if said.get(field.id)), None)
        text = written or (_DERIVED[field.derived](subject) if field.derived else None)
        if text and any(text.values()):
            fields[field.id] = text
    missing = [f.id for f in library.fields.values() if f.obligation == "M" and f.id not in fields]
    not_known = subject.series.not_known | country.not_known
    layouts = subject.series.layouts
    return Description(
        area=data.area,
        flow=data.flow.id,
        title=subject.phrase("title", flow=data.flow.name, area=library.area_name(data.area)),
        fields=fields,
        missing=tuple(missing),
        not_known=tuple(each for each in missing if each in not_known),
        licences=tuple(library.licences[each] for each in dict.fromkeys(layout.licence for layout in layouts)),
        sources=tuple(_source(subject, layout) for layout in layouts),
        vintage=settings.release,
        last_update=settings.release_day,
    )


def united(descriptions: Sequence[Description], library: Library) -> Description:
    """The description of a whole dataflow: what its countries' packages have in common."""
    first = descriptions[0]
    licences = dict.fromkeys(licence for each in descriptions for licence in each.licences)
    return replace(
        first,
        area="",
        title=library.dataflows[first.flow].name,
        fields={},
        missing=(),
        not_known=(),
        gathered=(),
        licences=tuple(licences),
        sources=tuple(source for each in descriptions for source in each.sources),
        vintage=max(each.vintage for each in descriptions),
        last_update=max(each.last_update for each in descriptions),
    )


def released(record: Mapping[str, Any], library: Library) -> Description:
    """The description that an earlier release published in `metadata.json`, its licences named in every language."""
    content = dict(record["description"])
    licences = [Licence(**each) for each in content["licences"]]
    named = {each: each for each in library.licences.values()}
    content["licences"] = tuple(named.get(each, each) for each in licences)
    listed = {name: tuple(content.get(name, ())) for name in ("missing", "not_known", "sources", "gathered")}
    return Description(**content | listed)


def _source(subject: _Subject, layout: Layout) -> dict[str, str]:
    provider = subject.provider(layout.provider)
    return {
        "title": f"{provider.name['en']}: {layout.title['en']}",
        "path": layout.url or provider.url,
        "provider": layout.provider,
        "licence": layout.licence,
    }


# ---------------------------------------------------------------- derivations, by the name in fields.csv


def _contact_organisation(subject: _Subject) -> Text:
    return subject.provider(subject.country.focal).name


def _last_update(subject: _Subject) -> Text:
    return dict.fromkeys(LANGUAGES, subject.settings.release_day)


def _description(subject: _Subject) -> Text:
    return subject.data.flow.description


def _classifications(subject: _Subject) -> Text:
    lists = {c.codelist.ref for c in subject.data.flow.structure.of_role("dimension") if c.codelist is not None}
    return subject.phrase("classifications", lists=", ".join(sorted(lists)))


def _units(subject: _Subject) -> Text:
    return subject.names("UNIT_MEASURE")


def _populations(subject: _Subject) -> Text:
    return joined((layout.stat_pop for layout in subject.series.layouts), "; ")


def _area(subject: _Subject) -> Text:
    return subject.library.area_name(subject.data.area)


def _periods(subject: _Subject) -> Text:
    periods = subject.used("TIME_PERIOD")
    return subject.phrase("periods" if len(periods) > 1 else "periods_one", first=periods[0], last=periods[-1])


def _reference_dates(subject: _Subject) -> Text:
    dates = subject.used("REF_DATE")
    return subject.phrase("reference_dates", dates=", ".join(dates)) if dates else subject.phrase("reference_periods")


def _protection(subject: _Subject) -> Text:
    law = subject.data.flow.protection.law
    said = _protected(subject)
    return {lang: f"{said[lang]} {law[lang]}" for lang in LANGUAGES} if law else said


def _protected(subject: _Subject) -> Text:
    counts, reason = subject.data.suppressed, subject.data.flow.protection.reason
    if subject.data.flow.protection.is_by_chance:
        is_rounded = subject.data.flow.protection.method == "controlled_rounding"
        name = "protection_rounded" if is_rounded else "protection_by_chance"
        return subject.phrase(name, reason=reason, withheld=sum(counts.values()))
    if not any(counts.values()):
        return subject.phrase("protection_none", reason=reason)
    return subject.phrase("protection", reason=reason, primary=counts.get("A", 0), secondary=counts.get("D", 0))


def _frequencies(subject: _Subject) -> Text:
    return subject.names("FREQ")


def _page(subject: _Subject) -> Text:
    path = f"data/{subject.data.flow.id}/{subject.data.area}/"
    return {lang: f"{subject.settings.base_url}/{lang}/{path}" for lang in LANGUAGES}


def _source_urls(subject: _Subject) -> Text:
    urls = dict.fromkeys(layout.url for layout in subject.series.layouts if layout.url)
    return dict.fromkeys(LANGUAGES, " ".join(urls))


def _completeness(subject: _Subject) -> Text:
    tables = subject.data.flow.minimum_tables
    if not tables:
        return subject.phrase("completeness_none")
    given = {name: _is_given(subject.data.frame, selection) for name, selection in tables.items()}
    listed = {
        answer: ", ".join(name for name, is_given in given.items() if is_given is answer) or subject.phrase("none")
        for answer in (True, False)
    }
    return subject.phrase("completeness", present=listed[True], absent=listed[False])


def _is_given(frame: pd.DataFrame, selection: Mapping[str, frozenset[str]]) -> bool:
    """Whether a minimum table is there: half of the codes of each of its dimensions, or ten of them."""
    inside = pd.Series(data=True, index=frame.index)
    for component, codes in selection.items():
        inside &= frame[component].isin(list(codes))
    rows = frame[inside]
    return all(rows[component].nunique() >= min(len(codes) / 2, 10) for component, codes in selection.items())


def _timeliness(subject: _Subject) -> Text:
    latest = elapsed.latest(subject.used("TIME_PERIOD"))
    months = elapsed.months(latest, subject.settings.release_day)
    return subject.phrase("timeliness", months=months, period=latest)


def _breaks(subject: _Subject) -> Text:
    frame = subject.data.frame
    broken = sorted(set(frame.loc[frame["OBS_STATUS"] == "B", "TIME_PERIOD"].astype(str)))
    if broken:
        return subject.phrase("breaks", periods=", ".join(broken))
    periods = subject.used("TIME_PERIOD")
    return subject.phrase("breaks_none", count=len(periods), first=periods[0], last=periods[-1])


def _sources_side_by_side(subject: _Subject) -> Text:
    several = len(subject.used("SOURCE_TYPE")) > 1
    return subject.phrase("sources_side_by_side" if several else "sources_one", types=subject.names("SOURCE_TYPE"))


def _sums(subject: _Subject) -> Text:
    applied = sum(count for rule, count in subject.report.applied.items() if rule.startswith("ACC"))
    errors = sum(i.count for i in subject.report.issues if i.code.startswith("ACC") and i.severity == "E")
    return subject.phrase("sums", applied=applied, errors=errors)


def _sources(subject: _Subject) -> Text:
    types = subject.library.list_of("SOURCE_TYPE")
    assert types is not None
    return joined(
        (
            subject.phrase(
                "source",
                operation=layout.source_operation,
                provider=subject.provider(layout.provider).name,
                type=types.codes[layout.constants["SOURCE_TYPE"]].name,
            )
            for layout in subject.series.layouts
            if layout.constants.get("SOURCE_TYPE") in types.codes
        ),
        "; ",
    )


def _validation(subject: _Subject) -> Text:
    count = {s: sum(1 for issue in subject.report.issues if issue.severity == s) for s in "EWI"}
    return subject.phrase(
        "validation",
        rules=len(subject.report.applied),
        errors=count["E"],
        warnings=count["W"],
        notes=count["I"],
    )


def _methods(subject: _Subject) -> Text:
    return (
        subject.phrase("methods", methods=subject.names("METHOD"))
        if subject.used("METHOD")
        else subject.phrase("methods_none")
    )


def _residence(subject: _Subject) -> Text:
    if not subject.used("RES_CRITERION"):
        return subject.phrase("residence_none")
    return subject.phrase("residence", criteria=subject.names("RES_CRITERION"))


_DERIVED: Mapping[str, Callable[[_Subject], Text]] = {
    "contact_organisation": _contact_organisation,
    "last_update": _last_update,
    "description": _description,
    "classifications": _classifications,
    "units": _units,
    "populations": _populations,
    "area": _area,
    "periods": _periods,
    "reference_dates": _reference_dates,
    "protection": _protection,
    "frequencies": _frequencies,
    "page": _page,
    "source_urls": _source_urls,
    "completeness": _completeness,
    "timeliness": _timeliness,
    "breaks": _breaks,
    "sources_side_by_side": _sources_side_by_side,
    "sums": _sums,
    "sources": _sources,
    "validation": _validation,
    "methods": _methods,
    "residence": _residence,
}
DERIVATIONS = frozenset(_DERIVED)
