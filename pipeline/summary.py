"""What the command line says at the end of a run, in the language of `publish.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline import report
from pipeline.errors import TrayectoError
from pipeline.model import Issue, Ledger, Library, Release, Settings
from pipeline.texts import said, texts
from pipeline.validate import untranslated

ISSUES, LOG = "issues.txt", "publish.log"  # in build/reports/
_ERRORS_SHOWN = 20  # of one table; all of them stand in the file
_PLACES_SHOWN = 6


def words(language: str) -> Mapping[str, str]:
    """The words of the command line."""
    return texts("terminal", language)


def every(made: Release, library: Library) -> list[Issue]:
    """Every error and warning of a run, those of the framework first."""
    of_tables = (issue for each in made.reports.values() for issue in each.issues)
    return [i for i in (*untranslated(library), *of_tables, *made.compared.issues) if i.severity != "I"]


def listing(issues: Iterable[Issue], library: Library, language: str) -> str:
    """Each issue in full, as the file that the run leaves has them."""
    return "".join(f"{report.terminal(issue, library, language)}\n" for issue in issues)


def errors(issues: Iterable[Issue], library: Library, language: str, *, path: Path) -> Iterator[str]:
    """The errors in full, the first of each table; `path` is where the others stand."""
    by_table: dict[tuple[str, str], list[Issue]] = {}
    for issue in issues:
        if issue.severity == "E":
            by_table.setdefault((issue.area, issue.flow), []).append(issue)
    for found in by_table.values():
        yield from (report.terminal(issue, library, language) for issue in found[:_ERRORS_SHOWN])
        if len(found) > _ERRORS_SHOWN:
            yield words(language)["more_errors"].format(count=len(found) - _ERRORS_SHOWN, path=path)


def grouped(issues: Iterable[Issue], library: Library, language: str, *, path: Path) -> Iterator[str]:
    """The warnings by kind, with the countries they are of; `path` is where each stands in full."""
    counts, places, failed = dict[str, int](), dict[str, dict[str, None]](), 0
    for issue in issues:
        failed += issue.severity == "E"
        if issue.severity == "W":
            counts[issue.code] = counts.get(issue.code, 0) + 1
            places.setdefault(issue.code, {})[issue.area or issue.flow] = None
    if not counts and not failed:
        return
    say = words(language)
    yield say["found"].format(warnings=sum(counts.values()), errors=failed)
    for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        where = [each for each in places[code] if each]
        shown = ", ".join(where[:_PLACES_SHOWN]) + (" …" if len(where) > _PLACES_SHOWN else "")
        title = said(library.issue_types[code].title, language)
        yield say["found_line"].format(count=count, code=code, title=title, where=shown).removesuffix(": ")
    yield say["all_of_it"].format(path=path)


def held_back(made: Release, language: str) -> Iterator[str]:
    """Why a table was held back, a line each."""
    for (area, flow), reason in made.held_back.items():
        yield words(language)["held_back"].format(area=area, flow=flow, reason=said(reason, language))
    if made.held_back:
        yield words(language)["held_back_stays"]


def failed(error: TrayectoError, language: str) -> str:
    """Why a verb stopped."""
    return words(language)["error"].format(error=error.told.said(language))


def published(made: Release, settings: Settings, *, public: Path, reports: Path) -> Iterator[str]:
    """What stands where, and how to look at it."""
    say = words(settings.language)
    areas = {package.data.area for package in made.packages}
    yield say["published"].format(
        release=settings.release, tables=len(made.packages), areas=len(areas), folder=public.as_posix()
    )
    yield say["look"]
    yield say["open"].format(path=public / "index.html")
    yield say["sign"].format(path=reports / f"director.{settings.language}.html")
    yield say["kept"].format(path=reports / LOG)


def read(area: str, flow: str, ledger: Ledger, language: str) -> str:
    """What became of the cells of a table, in one line."""
    return words(language)["read"].format(
        area=area,
        flow=flow,
        read=ledger.read,
        observations=ledger.observations,
        ignored=sum(ledger.ignored.values()),
        rejected=sum(ledger.rejected.values()),
    )


def verdict(issues: Iterable[Issue], language: str, *, is_fit: bool) -> str:
    """Whether a table may be published, in one line."""
    counts = {"E": 0, "W": 0, "I": 0}
    for issue in issues:
        counts[issue.severity] += not issue.waiver
    return words(language)["fit" if is_fit else "unfit"].format(warnings=counts["W"], errors=counts["E"])
