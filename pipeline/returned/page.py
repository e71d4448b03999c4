"""The report as one HTML page that needs nothing else: no script, no other file but the marked copies it links to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.model import Library, Report
from pipeline.report import Told

_CELLS_SHOWN = 24  # of one issue; the marked copy has them all


def page(
    report: Report,
    told: Sequence[Told],
    library: Library,
    *,
    language: str,
    words: Mapping[str, str],
    copies: Mapping[str, str],
    site: Path,
    message: str = "",
) -> bytes:
    """The page in `language`. `copies` gives, by delivered file, the path of its marked copy beside the page.

    `message` says why the delivery could not be read.
    """
    flow = library.dataflows[report.flow]
    names = {"area": library.area_name(report.area), "flow": flow.name}
    text = (
        _templates(site)
        .get_template("returned.html")
        .render(
            lang=language,
            w=words,
            subject={key: name.get(language) or name["en"] for key, name in names.items()} | {"id": report.flow},
            verdict=_verdict(report, message),
            message=message,
            counts=Counter(each.issue.severity for each in told),
            files=_files(told, report.area, copies),
            rules=[
                (code, library.issue_types[code].title.get(language) or library.issue_types[code].title["en"], rows)
                for code, rows in report.applied.items()
            ],
            cells_shown=_CELLS_SHOWN,
            number=lambda value: format_decimal(value, locale=language),
            look=(site / "assets/theme.css").read_text(encoding="utf-8"),
        )
    )
    return text.encode()


def _templates(site: Path) -> Environment:
    found = Environment(
        loader=FileSystemLoader(site / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["coded"] = _coded
    return found


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
