"""Issues on the cells of a workbook: a colour for how grave, and a comment with what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openpyxl.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.framework import Severity
from pipeline.report import Told
from pipeline.returned.copies import Copy

FILLS: Mapping[Severity, PatternFill] = {
    "E": PatternFill("solid", start_color="FFF4B5AB"),
    "W": PatternFill("solid", start_color="FFFFE38A"),
    "I": PatternFill("solid", start_color="FFD3E5F5"),
}
AUTHOR = "Trayecto"
_GRAVITY = "EWI"
_COMMENT_SIGNS = 32_000  # Excel allows 32,767
_OWN_SIGNS = 2_000  # nobody reads more in a box beside a cell
_WIDTH_PIXELS, _LINE_PIXELS, _LINE_SIGNS = 340, 19, 46


def mark(copy: Copy, told: Iterable[Told], words: Mapping[str, str]) -> None:
    """Colour and comment every cell that an issue names; all issues of a cell share one comment."""
    by_cell: dict[tuple[str, str], list[Told]] = {}
    for each in told:
        if each.issue.sheet in copy.sheets:
            for cell in each.issue.cells:
                at = anchor(copy.sheets[each.issue.sheet], cell)
                by_cell.setdefault((each.issue.sheet, at), []).append(each)
    for (sheet, at), found in by_cell.items():
        cell = copy.sheets[sheet][at]
        cell.fill = FILLS[min((each.issue.severity for each in found), key=_GRAVITY.index)]
        cell.comment = _comment(cell.comment, found, words)


def anchor(sheet: Worksheet, cell: str) -> str:
    """The cell itself, or the first of the merged range that covers it: no other can hold anything."""
    if not isinstance(sheet[cell], MergedCell):
        return cell
    return next((str(area.start_cell.coordinate) for area in sheet.merged_cells.ranges if cell in area), cell)


def _comment(standing: Comment | None, found: list[Told], words: Mapping[str, str]) -> Comment:
    """Our comment, below the provider's own where there is one."""
    texts = dict.fromkeys(
        f"{each.severity.upper()} {each.issue.code}. {each.message}\n{words['remedy']}: {each.remedy}" for each in found
    )
    ours = "\n\n".join(texts)
    theirs = f"{standing.text}\n\n" if standing is not None and standing.text else ""
    room = max(0, min(_OWN_SIGNS, _COMMENT_SIGNS - len(theirs)))
    if len(ours) > room:
        rest = words["see_sheet"].format(sheet=words["sheet"])
        ours = f"{ours[: max(0, room - len(rest))]}{rest}"
    text = theirs + ours
    lines = sum(1 + len(line) // _LINE_SIGNS for line in text.split("\n"))
    author = standing.author if standing is not None and standing.author else AUTHOR
    return Comment(text, author, height=min(600, _LINE_PIXELS * (lines + 1)), width=_WIDTH_PIXELS)
