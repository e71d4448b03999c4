"""What goes back to the provider: a report for people and one for machines, and each table with its faults marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline import report as words_of
from pipeline.model import Layout, Library, Report
from pipeline.plain import as_json
from pipeline.report import Told
from pipeline.returned.copies import copied
from pipeline.returned.listing import list_issues
from pipeline.returned.marks import mark
from pipeline.returned.page import page
from pipeline.texts import texts

_ANY = Layout(file="", provider="", licence="", values=())  # of a workbook that says its own


def returned(report: Report, library: Library, *, language: str, received: Path) -> dict[str, bytes]:
    """The files that answer a delivery, by path: `<FLOW>.json`, `<FLOW>.html` and `<FLOW>/<file>.problemas.xlsx`.

    `received` is the folder of the country's tables, `data/<AREA>`. A table gets a copy with its
    cells marked when it has an error or a warning; the table itself is only read.
    """
    words, flow = texts("returned", language), report.flow
    told = [words_of.told(issue, library, language) for issue in words_of.ordered(report)]
    layouts = library.countries[report.area].series[flow].layouts
    copies: dict[str, tuple[str, bytes]] = {}  # delivered file → the path of its copy, and the copy
    for file in dict.fromkeys(each.issue.file for each in told if each.issue.severity != "I" and each.issue.file):
        # A note can be about several files, with a comma between them.
        mine = [each for each in told if file in (each.issue.file, *each.issue.file.split(", "))]
        inside = file.removeprefix(f"{report.area}/")
        suffix, content = _marked(received, _layout_of(inside, layouts), mine, words)
        taken = {path for path, _ in copies.values()}
        names = (f"{flow}/{name}.{words['suffix']}{suffix}" for name in (Path(file).stem, Path(file).name))
        copies[file] = (next(name for name in names if name not in taken), content)
    shown = page(
        report,
        told,
        library,
        language=language,
        words=words,
        copies={f: path for f, (path, _) in copies.items()},
    )
    return {f"{flow}.json": as_json(words_of.record(report)), f"{flow}.html": shown, **dict(copies.values())}


def _layout_of(file: str, layouts: Sequence[Layout]) -> Layout:
    """The layout of one file. One that was tried from elsewhere is told by its name alone, and has its path there."""
    for layout in layouts:
        if Path(layout.file).is_absolute() and Path(layout.file).name == file:
            return layout
    return replace(next((each for each in layouts if fnmatchcase(file, each.file)), _ANY), file=file)


def refused(area: str, flow: str, library: Library, *, language: str, message: str) -> dict[str, bytes]:
    """The files that answer a delivery that could not be read: the report with the reason in `message`."""
    nothing, words = Report(area, flow, (), {}), texts("returned", language)
    shown = page(nothing, [], library, language=language, words=words, copies={}, message=message)
    record = {**words_of.record(nothing), "fit": False, "message": message}
    return {f"{flow}.json": as_json(record), f"{flow}.html": shown}


def _marked(received: Path, layout: Layout, told: Sequence[Told], words: Mapping[str, str]) -> tuple[str, bytes]:
    path = received / layout.file
    copy = copied(path, received, layout)
    mark(copy, told, words)
    list_issues(copy, told, words, file=path.name)
    return copy.suffix, copy.saved()
