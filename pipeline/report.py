"""Issues in words: on the terminal, as machine records, and as the pages of `docs/issues/`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.framework import LANGUAGES, IssueType, Rule, Severity, Text
from pipeline.model import Issue, Ledger, Library, Report
from pipeline.plain import as_json
from pipeline.texts import said, texts

_CODES_SHOWN = 8
_CELLS_SHOWN = 3
_ORDER: Mapping[Severity, int] = {"E": 0, "W": 1, "I": 2}


class _Blank(dict[str, str]):
    """Placeholders of a template for which there is nothing to say."""

    def __missing__(self, key: str) -> str:
        return "…"


@dataclass(frozen=True)
class Told:
    """One issue in the words of a language: how grave, what kind, what was found, what to do and who does it."""

    issue: Issue
    severity: str
    title: str
    message: str
    remedy: str
    who: str


def terminal(issue: Issue, library: Library, language: str) -> str:
    """One issue in two lines: where it stands and what was found; what to do next and where to read more."""
    words, each, first_cells = _words(language), told(issue, library, language), with_first_cells(issue)
    start = f"{each.severity} {issue.code}  "
    where = _where(first_cells, words)
    first = f"{start}{where}{': ' if where else ''}{each.message}  {_count(first_cells, words)}".rstrip()
    return f"{first}\n{' ' * len(start)}{each.remedy}  docs/issues/{issue.code}"


def told(issue: Issue, library: Library, language: str) -> Told:
    """One issue in words; a language that a text lacks is told in English."""
    words, kind = _words(language), library.issue_types[issue.code]
    parts = _said(issue, library, language)
    return Told(
        issue,
        words["waived"].format(reference=issue.waiver) if issue.waiver else words[issue.severity],
        said(kind.title, language),
        said(kind.message, language).format_map(parts),
        said(kind.remedy, language).format_map(parts) + _nearest(issue, library, language),
        words[kind.who],
    )


def with_first_cells(issue: Issue) -> Issue:
    """The issue as a line or a record shows it; the workbook that goes back marks every cell."""
    return replace(issue, cells=issue.cells[:_CELLS_SHOWN])


def ordered(report: Report) -> list[Issue]:
    """The issues of a report, errors first, in the order of the rules within a severity."""
    return by_severity(report.issues)


def by_severity(issues: Iterable[Issue]) -> list[Issue]:
    """Issues with errors first, else in their order."""
    return sorted(issues, key=lambda issue: _ORDER[issue.severity])


def reason(report: Report) -> Text:
    """Why a delivery was held back, by language: its errors, with the number of cells each stands in."""
    counts: dict[str, int] = {}
    for issue in report.issues:
        if issue.severity == "E" and not issue.waiver:
            counts[issue.code] = counts.get(issue.code, 0) + issue.count
    return {
        language: "; ".join(
            _words(language)["held_back"].format(code=code, count=count) for code, count in counts.items()
        )
        for language in LANGUAGES
    }


def record(report: Report) -> dict[str, object]:
    """A report for machines: what, where and how often. What was found stays with the office."""
    return {
        "area": report.area,
        "dataflow": report.flow,
        "fit": report.is_fit,
        "applied": dict(report.applied),
        "ledger": ledger(report.ledger, is_fit=report.is_fit) if report.ledger else {},
        "issues": [
            {
                key: value
                for key, value in asdict(with_first_cells(issue)).items()
                if value not in ("", ()) and key not in ("area", "flow", "found")
            }
            for issue in ordered(report)
        ],
    }


def ledger(of: Ledger, *, is_fit: bool) -> dict[str, object]:
    """What became of the cells that were read: published + suppressed + ignored + rejected = read.

    Of a delivery that is not fit every cell is rejected: those of no named heading are counted under `*`.
    """
    held = {} if is_fit or not of.observations else {"*": of.observations}
    return {
        "read": of.read,
        "published": of.observations - of.suppressed if is_fit else 0,
        "suppressed": of.suppressed if is_fit else 0,
        "ignored": dict(of.ignored),
        "rejected": {**of.rejected, **held},
    }


def record_path(area: str, flow: str) -> str:
    """Where a release keeps the machine record of a delivery's validation."""
    return f"reports/{area}/{flow}.json"


def restored(content: bytes) -> Report:
    """The report that an earlier release published with `records`."""
    found = json.loads(content)
    area, flow = found["area"], found["dataflow"]
    issues = (Issue(**{"area": area, "flow": flow, "found": "", "expected": ""} | each) for each in found["issues"])
    listed = (replace(issue, cells=tuple(issue.cells)) for issue in issues)
    return Report(area, flow, tuple(listed), found["applied"], _restored_ledger(found.get("ledger")))


def _restored_ledger(of: dict[str, Any] | None) -> Ledger | None:
    if not of:
        return None
    return Ledger(of["read"], of["published"] + of["suppressed"], of["ignored"], of["rejected"], of["suppressed"])


def records(
    reports: Mapping[tuple[str, str], Report], verdicts: Mapping[tuple[str, str], Mapping[str, object]]
) -> dict[str, bytes]:
    """The machine record of each delivery, with the verdict of its suite, by path in the release."""
    return {
        record_path(area, flow): as_json({**record(report), "suite": verdicts.get((area, flow), {})})
        for (area, flow), report in reports.items()
    }


def issue_pages(library: Library, cases: Path) -> Iterator[tuple[str, str]]:
    """`docs/issues/<CODE>.md` for each kind of issue, in three languages, with its example in `cases`."""
    rules: dict[str, dict[Rule, None]] = {}
    for flow in library.dataflows.values():
        for rule in flow.rules:
            rules.setdefault(rule.id, {})[rule] = None
    for code, kind in library.issue_types.items():
        example = (cases / code / "case.csv").read_text(encoding="utf-8")
        yield f"docs/issues/{code}.md", _page(kind, tuple(rules.get(code, ())), example)


# ---------------------------------------------------------------- words


def _words(language: str) -> Mapping[str, str]:
    return texts("report", language)


def _said(issue: Issue, library: Library, language: str) -> _Blank:
    """What the placeholders of a template stand for. `metadata/issues.csv` may use these and no others."""
    concept, field = library.concepts.get(issue.component), library.fields.get(issue.found)
    codelist = library.list_of(issue.component) if concept else None
    expected, reason = library.concepts.get(issue.expected), library.reasons.get(issue.found)
    found = said(reason, language) if reason else issue.found
    return _Blank(
        found=f"{said(field.name, language)} ({field.id})" if field else found,
        expected=said(expected.name, language) if expected else _short(issue.expected),
        component=f"{said(concept.name, language)} ({concept.id})" if concept else issue.component,
        allowed=_short(", ".join(codelist.codes)) if codelist else "",
        area=issue.area,
        flow=issue.flow,
    )


def _nearest(issue: Issue, library: Library, language: str) -> str:
    """The code that an unknown label surely means, asked and not assumed; nothing where there is doubt."""
    if issue.code != "STR-03" or not issue.component:
        return ""
    from pipeline.guess import nearest

    guess, codelist = nearest(issue.component, issue.area, issue.found, library), library.list_of(issue.component)
    if guess is None or codelist is None or guess.code not in codelist.codes:
        return ""
    name = said(codelist.codes[guess.code].name, language)
    return " " + _words(language)["guess"].format(code=guess.code, name=name)


def _short(text: str) -> str:
    """The first words of a long enumeration."""
    found = text.split(" ")
    return text if len(found) <= 2 * _CODES_SHOWN else f"{' '.join(found[:_CODES_SHOWN])} …"


def _where(issue: Issue, words: Mapping[str, str]) -> str:
    file = issue.file.removeprefix(f"{issue.area}/")  # of a real table the path begins with its country
    parts = ["/".join(filter(None, (issue.area, file or issue.flow)))]
    if issue.sheet:
        parts.append(words["sheet"].format(sheet=issue.sheet))
    if issue.cells:
        word = words["cell" if len(issue.cells) == 1 else "cells"]
        parts.append(word.format(cells=", ".join(issue.cells)))
    if issue.heading:
        parts.append(words["column"].format(heading=issue.heading))
    return ", ".join(filter(None, parts))


def _count(issue: Issue, words: Mapping[str, str]) -> str:
    if not issue.file:
        return ""
    if issue.count == 1:
        return "" if issue.cells else words["count_one"]
    is_cut = 0 < len(issue.cells) < issue.count
    return words["count_shown" if is_cut else "count"].format(count=issue.count, shown=len(issue.cells))


def _page(kind: IssueType, rules: tuple[Rule, ...], example: str) -> str:
    lines = [f"# {kind.code}", ""]
    for language in LANGUAGES:
        words = _words(language)
        lines += [f"## {words['language']}: {said(kind.title, language)}", ""]
        for name, text in (("when", kind.when), ("message", kind.message), ("remedy", kind.remedy)):
            lines += [f"**{words[name]}.** {said(text, language).format_map(_Blank(area='AREA', flow='FLOW'))}", ""]
        lines += [f"**{words['who']}.** {words[kind.who][0].upper()}{words[kind.who][1:]}.", ""]
    if rules:
        lines += [
            "## dsd/rules.csv",
            "",
            "| | stage | check | argument | when | then |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {r.severity} | {r.stage} | {r.check} | {r.argument} | {r.when} | {r.then} |".replace("  ", " ")
            for r in rules
        ]
        lines.append("")
    lines += [f"## tests/cases/{kind.code}/case.csv", "", "```csv", example.rstrip("\n"), "```", ""]
    return "\n".join(lines)
