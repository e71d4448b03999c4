"""The report as one HTML page that needs nothing else: no script, no other file but the marked copies it links to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from babel.numbers import format_decimal
from markupsafe import Markup

from pipeline.model import Library, Report
from pipeline.report import Told
from pipeline.texts import SITE, environment, said

_CELLS_SHOWN = 24  # of one issue; the marked copy has them all


def page(
    report: Report,
    told: Sequence[Told],
    library: Library,
    *,
    language: str,
    words: Mapping[str, str],
    copies: Mapping[str, str],
    message: str = "",
) -> bytes:
    """The page in `language`. `copies` gives, by delivered file, the path of its marked copy beside the page.

    `message` says why the delivery could not be read.
    """
    flow = library.dataflows[report.flow]
    names = {"area": library.area_name(report.area), "flow": flow.name}
    templates = environment()
    templates.filters["coded"] = _coded
    text = templates.get_template("returned.html").render(
        lang=language,
        w=words,
        subject={key: said(name, language) for key, name in names.items()} | {"id": report.flow},
        verdict=_verdict(report, message),
        message=message,
        counts=Counter(each.issue.severity for each in told),
        files=_files(told, report.area, copies),
        rules=[(code, said(library.issue_types[code].title, language), rows) for code, rows in report.applied.items()],
        cells_shown=_CELLS_SHOWN,
        number=lambda value: format_decimal(value, locale=language),
        look=(SITE / "assets/theme.css").read_text(encoding="utf-8"),
    )
    return text.encode()


def _coded(text: str) -> Markup:
    """Words to be typed as they are, which the texts put between backquotes."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(text.split("`"))
    )


def _verdict(report: Report, message: str) -> str:
    """A key of the words: how the delivery stands."""
    if message:
        return "refused"
    if not report.is_fit:
        return "unfit"
    return "fit_warned" if any(issue.severity == "W" or issue.waiver for issue in report.issues) else "fit"


def _files(told: Sequence[Told], area: str, copies: Mapping[str, str]) -> list[tuple[str, str, list[Told]]]:
    """(name, link to the marked copy, issues) of each delivered file; the delivery as a whole comes last."""
    by_file: dict[str, list[Told]] = {file: [] for file in copies}
    for each in told:
        by_file.setdefault(each.issue.file, []).append(each)
    whole = by_file.pop("", [])
    found = [
        (", ".join(Path(part).name for part in file.split(", ")), quote(copies.get(file, "")), issues)
        for file, issues in by_file.items()
    ]
    return found + ([("", "", whole)] if whole else [])
