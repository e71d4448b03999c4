"""The quality page: rules applied, issues found, tables held back, figures withheld, metadata missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from pipeline import waivers
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.framework import LANGUAGES, Text
from pipeline.model import Issue, Report
from pipeline.texts import texts

_SEVERITIES, _WAIVED = "EWI", "waived"
_ORDER = ("E", _WAIVED, "W", "I")


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The quality page."""
    yield Page(
        "quality", "quality.html", partial(_content, catalogue), lambda words: str(words.texts["quality"]["title"])
    )


def issue_counts(report: Report | None, words: Words) -> list[tuple[str, str]]:
    """(severity, issues) of a report, the gravest first."""
    issues = report.issues if report is not None else ()
    return [(severity, words.number(sum(_shown(i) == severity for i in issues))) for severity in _SEVERITIES]


def issue_rows(catalogue: Catalogue, report: Report | None, words: Words) -> list[Content]:
    """The issues of a report by code: what it means and how many cells. No figure is named."""
    cells: Counter[tuple[str, str]] = Counter()
    for issue in report.issues if report is not None else ():
        cells[_shown(issue), issue.code] += issue.count
    ordered = sorted(cells, key=lambda each: (_ORDER.index(each[0]), each[1]))
    return [
        {
            "severity": severity,
            "code": code,
            "title": _title(catalogue, code),
            "cells": words.number(cells[severity, code]),
        }
        for severity, code in ordered
    ]


def _shown(issue: Issue) -> str:
    """The severity as people see it: an error that a waiver covers is waived."""
    return _WAIVED if issue.waiver else issue.severity


def _waivers(catalogue: Catalogue, words: Words) -> list[Content]:
    """What an office answers for although a rule says no, with its reason, from when to when."""
    return [
        {
            "area": catalogue.library.area_name(each.area),
            "flow": catalogue.library.dataflows[each.flow].name,
            "code": each.code,
            "title": _title(catalogue, each.code),
            "scope": each.scope,
            "reason": each.reason,
            "role": each.role,
            "span": f"{words.day(each.date)} – {words.day(each.expiry)}",
            "state": waivers.state(each, catalogue.settings.release_day),
            "reference": each.reference,
        }
        for each in catalogue.library.waivers
    ]


def _title(catalogue: Catalogue, code: str) -> Text:
    known = catalogue.library.issue_types.get(code)
    return known.title if known is not None else dict.fromkeys(LANGUAGES, code)


def _content(catalogue: Catalogue, words: Words) -> Content:
    reports = catalogue.release.reports
    every = [issue for report in reports.values() for issue in report.issues]
    return {
        "tables": [_table(catalogue, area, flow, words) for area, flow in _order(catalogue)],
        "totals": [
            (severity, words.number(count))
            for severity in _ORDER
            if (count := sum(_shown(i) == severity for i in every)) or severity != _WAIVED
        ],
        "waivers": _waivers(catalogue, words),
        "rules": _rules(catalogue, words),
        "ledger": _ledger(catalogue, words),
        "mirror": texts("mirror", words.lang)["link"] if catalogue.release.compared.mirrors else "",
        "suppressed": words.number(sum(view.suppressed for view in catalogue.views.values())),
        "held_back": [
            (catalogue.library.area_name(area), catalogue.library.dataflows[flow].name, reason)
            for (area, flow), reason in catalogue.release.held_back.items()
        ],
        "incomplete": [
            _incomplete(catalogue, view) for view in catalogue.views.values() if view.package.description.missing
        ],
        "untranslated": words.number(len(catalogue.library.untranslated)),
    }


def _ledger(catalogue: Catalogue, words: Words) -> list[tuple[str, str]]:
    """What became of all cells read for the figures of the release: (what, how many), the first being all of them."""
    reports = catalogue.release.reports
    every = [ledger for key in catalogue.views if key in reports and (ledger := reports[key].ledger) is not None]
    ignored = [each.ignored for each in every]
    named = {reason: sum(each.get(reason, 0) for each in ignored) for reason in ("blank", "added")}
    rows = [
        (words.texts["ledger"]["read"], sum(each.read for each in every)),
        (words.texts["ledger"]["published"], sum(each.observations - each.suppressed for each in every)),
        (words.texts["ledger"]["suppressed"], sum(each.suppressed for each in every)),
        (words.texts["ledger"]["blank"], named["blank"]),
        (words.texts["ledger"]["added"], named["added"]),
        (words.texts["ledger"]["others"], sum(sum(each.values()) for each in ignored) - sum(named.values())),
        (words.texts["ledger"]["rejected_all"], sum(sum(each.rejected.values()) for each in every)),
    ]
    return [(what, words.number(count)) for what, count in rows if count]


def _order(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Every table that was looked at, country by country."""
    known = {**catalogue.views, **catalogue.release.reports, **catalogue.release.held_back}
    flows = [flow.id for flow in catalogue.flows]
    areas = list(dict.fromkeys((*catalogue.areas, *sorted(area for area, _ in known))))
    return [(area, flow) for area in areas for flow in flows if (area, flow) in known]


def _table(catalogue: Catalogue, area: str, flow: str, words: Words) -> Content:
    view: View | None = catalogue.views.get((area, flow))
    report = catalogue.release.reports.get((area, flow))
    mandatory = sum(field.obligation == "M" for field in catalogue.library.fields.values())
    missing = len(view.package.description.missing) if view is not None else 0
    return {
        "area": catalogue.library.area_name(area),
        "flow": catalogue.library.dataflows[flow].name,
        "path": view.path if view is not None else "",
        "counts": issue_counts(report, words) if report is not None else [],
        "issues": issue_rows(catalogue, report, words),
        "suppressed": words.number(view.suppressed) if view is not None else "",
        "fields": f"{mandatory - missing}/{mandatory}" if view is not None else "",
        "held_back": (area, flow) in catalogue.release.held_back,
    }


def _rules(catalogue: Catalogue, words: Words) -> list[Content]:
    """Each rule with the tables and the rows that it looked at, and what it found."""
    tables: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    for report in catalogue.release.reports.values():
        for rule, count in report.applied.items():
            tables[rule] += 1
            rows[rule] += count
        for issue in report.issues:
            cells[issue.code] += issue.count
    return [
        {
            "code": rule,
            "title": _title(catalogue, rule),
            "tables": words.number(tables[rule]),
            "rows": words.number(rows[rule]),
            "cells": words.number(cells[rule]),
        }
        for rule in sorted({*tables, *cells})
    ]


def _incomplete(catalogue: Catalogue, view: View) -> Content:
    missing = [catalogue.library.fields[each].name for each in view.package.description.missing]
    return {
        "area": catalogue.library.area_name(view.area),
        "flow": view.flow.name,
        "path": view.path,
        "missing": missing,
    }
