"""`RawTable` + `Country` → `Observations`: shared codes for national labels, every cell accounted for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.dominance import CONTRIBUTORS
from pipeline.framework import Dataflow, Structure
from pipeline.grid import Grid, grid
from pipeline.labels import coded, parts, pieces
from pipeline.model import LINEAGE, Country, Layout, Ledger, Library, Observations, Origin, RawTable

_BLANK = "blank"
_ADDED = "added"
_LABEL = "label of "
_UNSURE = r"[-−]?\d{1,3}[.,]\d{3}"


def recode(tables: Iterable[RawTable], country: Country, flow: Dataflow, library: Library) -> Observations:
    """Turn the tables of one country and dataflow into coded observations.

    Each of `tables` says which of the country's layouts reads it. Labels without a code keep their text, and
    figures that are not numbers keep theirs in the column `text`; `validate` reports both. Tables that come from an
    iterator that lets go of them are not in memory beside what is made of them.

    Raises:
        InputError: a table has no heading or column that its layout names.
    """
    series = country.series[flow.id]
    found = [_recoded(raw, country, flow) for raw in tables]
    frames = [part[0].assign(table=number) for number, part in enumerate(found)]
    said = [part[1:] for part in found]
    found.clear()
    frame = pd.concat(frames, ignore_index=True)
    frames.clear()  # the columns are not in memory twice
    ignored, rejected = Counter[str](), Counter[str]()
    for _, ledger, _ in said:
        ignored.update(ledger.ignored)
        rejected.update(ledger.rejected)
    frame = _typed(frame, flow.structure, library)
    return Observations(
        country.area,
        flow,
        frame,
        tuple(origin for origin, _, _ in said),
        Ledger(sum(ledger.read for _, ledger, _ in said), len(frame), dict(ignored), dict(rejected)),
        series.hierarchies,
        series.rounding_base,
        {path: sheets for _, _, hidden in said for path, sheets in hidden.items()},
    )


def _recoded(
    raw: RawTable, country: Country, flow: Dataflow
) -> tuple[pd.DataFrame, Origin, Ledger, dict[str, tuple[str, ...]]]:
    """The coded figures of one table, where they come from, what became of its cells, and its hidden sheets."""
    layout = country.series[flow.id].layouts[raw.layout]
    cells = grid(raw, layout)
    figures = _figures(cells, layout)
    read = len(figures) + sum(cells.ignored.values()) + sum(cells.unknown.values())
    frame, ignored = _coded(figures, cells, layout, country, flow=flow)
    ignored.update(cells.ignored)
    ledger = Ledger(read, len(frame), ignored, cells.unknown)
    return frame, _origin(raw, layout, cells), ledger, {raw.path: raw.hidden} if raw.hidden else {}


def _figures(cells: Grid, layout: Layout) -> pd.DataFrame:
    """One row a figure cell: its place, its text and its value. Marks of absence become a status."""
    block = cells.body[list(cells.values)]
    text = block.to_numpy(dtype=object).ravel()
    frame = pd.DataFrame(
        {
            "row": np.repeat(block.index.to_numpy(), len(cells.values)),
            "column": np.tile(np.asarray(cells.values), len(block)),
            "text": pd.Series(text, dtype=object).str.strip(),
        }
    )
    frame["text"], marked = _unmarked(frame["text"], layout)
    is_number = cells.is_number[list(cells.values)].to_numpy().ravel() if cells.is_number is not None else None
    plain = _plain(frame["text"], layout)
    if is_number is not None:
        if not layout.thousands:
            # Beside true numbers, the text "1.200" may be a thousand as well: nobody can tell, so it is no figure.
            plain = plain.mask(frame["text"].str.fullmatch(_UNSURE))
        plain = plain.where(~pd.Series(is_number), frame["text"])
    status = frame["text"].map(dict(layout.missing)).astype(object)
    # A mark of absence is no figure, even where it is written as one.
    frame["OBS_VALUE"] = pd.to_numeric(plain, errors="coerce").where(status.isna())
    frame["status"] = status.fillna(marked)
    # What could not be read as a figure stays as text; a figure's own text is dropped here.
    frame["text"] = frame["text"].where(frame["OBS_VALUE"].isna() & status.isna(), "")
    frame["is_blank"] = frame["OBS_VALUE"].isna() & status.isna() & (frame["text"] == "")
    return frame


def _unmarked(text: pd.Series[str], layout: Layout) -> tuple[pd.Series[str], pd.Series[str]]:
    """Figures without the footnote marks beside them, and the status that each mark means."""
    status = pd.Series("", index=text.index, dtype=object)
    if not layout.marks:
        return text, status
    mark = "|".join(re.escape(each) for each in sorted(layout.marks, key=len, reverse=True))
    found = text.str.extract(rf"^({mark})?\s*(.*?)\s*({mark})?$")
    which = found[2].fillna(found[0])
    is_marked = which.notna() & ~text.isin(layout.missing.keys()) & found[1].str.contains(r"\d", na=False)
    return text.mask(is_marked, found[1]), status.mask(is_marked, which.map(dict(layout.marks)))


def _plain(text: pd.Series[str], layout: Layout) -> pd.Series[str]:
    """Figures with `.` and no separators; anything that is not written as the layout says becomes blank."""
    t, d = re.escape(layout.thousands), re.escape(layout.decimal)
    grouped = rf"\d{{1,3}}(?:{t}\d{{3}})+|\d+" if layout.thousands else r"\d+"
    right = text.str.fullmatch(rf"[-−]?(?:{grouped})(?:{d}\d+)?")
    plain = text.str.replace("−", "-", regex=False)
    if layout.thousands:
        plain = plain.str.replace(layout.thousands, "", regex=False)
    return plain.str.replace(layout.decimal, ".", regex=False).where(right.astype(bool), None)


@dataclass(frozen=True)
class Mapped:
    """The labels of one component, or of one part of it, with what became of each; one for each figure."""

    component: str
    part: str
    is_whole: bool
    heading: str
    text: pd.Series[str]
    periods: pd.Series[str]
    codes: pd.Series[str]
    ignored: pd.Series[str]


def mapped(tables: Sequence[RawTable], country: Country, flow: Dataflow) -> Iterator[Mapped]:
    """All labels of the tables of one country and dataflow that stand over or beside a figure."""
    for raw in tables:
        layout = country.series[flow.id].layouts[raw.layout]
        cells = grid(raw, layout)
        frame = _figures(cells, layout)
        for _, found in _mapped(frame[~frame["is_blank"]], cells, layout, country, flow=flow):
            yield from found


def _mapped(
    frame: pd.DataFrame, cells: Grid, layout: Layout, country: Country, *, flow: Dataflow
) -> Iterator[tuple[pd.Series[str], tuple[Mapped, ...]]]:
    """Each component that has labels: its codes, and its parts. The period comes first; other rows may hang on it."""
    periods = pd.Series(layout.constants.get("TIME_PERIOD", ""), index=frame.index)
    templates = (*layout.labels.items(), *layout.headings.items())
    for component, template in sorted(templates, key=lambda item: item[0] != "TIME_PERIOD"):
        is_row = component in layout.headings
        codelist = flow.structure.components[component].codelist
        found: list[Mapped] = []
        is_whole = parts(template) == [template]
        for part in parts(template):
            heading, text = "" if is_row else part, cells.labels(part, frame, is_row=is_row)
            known = codelist if is_whole else None
            codes, ignored = coded(
                text,
                periods,
                component=component,
                column=heading,
                country=country,
                codelist=known,
                is_template=layout.is_template,
            )
            found.append(Mapped(component, part, is_whole, heading, text, periods, codes, ignored))
        filled = _filled(template, {piece.part: piece.codes for piece in found}, frame.index)
        if component == "TIME_PERIOD":
            periods = filled
        yield filled, tuple(found)


def _coded(
    frame: pd.DataFrame, cells: Grid, layout: Layout, country: Country, *, flow: Dataflow
) -> tuple[pd.DataFrame, Counter[str]]:
    """Give each figure the code of every component, and leave out the cells declared to be ignored."""
    reason = pd.Series("", index=frame.index)
    for codes, found in _mapped(frame, cells, layout, country, flow=flow):
        for piece in found:
            if piece.component in layout.add:
                frame[f"{_LABEL}{piece.component}"] = piece.text
            reason = reason.where(reason != "", piece.ignored)
        frame[found[0].component] = codes
    for name, heading in layout.contributors.items():
        said = cells.labels(heading, frame, is_row=False)
        frame[name] = pd.to_numeric(said if cells.is_number is not None else _plain(said, layout), errors="coerce")
    texts = {"SOURCE_OPERATION": layout.source_operation["en"], "STAT_POP": layout.stat_pop["en"]}
    for component, text in texts.items():  # a sentence on every row
        frame[component] = pd.Categorical.from_codes(np.zeros(len(frame), dtype=np.int8), pd.Index([text]))
    for component, constant in layout.constants.items():
        if component in flow.structure.components:
            frame[component] = constant
    reason = reason.mask(frame["is_blank"], _BLANK)
    frame, is_kept = frame.drop(columns="is_blank"), reason == ""
    kept = frame if is_kept.all() else frame[is_kept]  # a full table is not in memory twice
    counts = Counter(reason[~is_kept].to_list())
    merged = _added(kept, layout, flow.structure)
    if len(kept) > len(merged):
        counts[_ADDED] = len(kept) - len(merged)
    return merged, counts


def _filled(template: str, codes: Mapping[str, pd.Series[str]], index: pd.Index[int]) -> pd.Series[str]:
    if parts(template) == [template]:
        return codes[template]
    text = pd.Series("", index=index)
    for position, piece in enumerate(pieces(template)):
        text = text + (codes[piece] if position % 2 else piece)
    return text


def _added(frame: pd.DataFrame, layout: Layout, structure: Structure) -> pd.DataFrame:
    """Add up the figures of one table whose labels share a code, where the layout allows it.

    Labels that are the same are no two parts of a whole: a row that stands twice is left for STR-05.
    """
    labels = [c for c in frame.columns if c.startswith(_LABEL)]
    kept = frame.drop(columns=labels)
    others = [c for c in kept.columns if c not in ("OBS_VALUE", "row", "column")]
    if not labels:
        return kept
    is_twice = frame.duplicated([*others, *labels], keep=False)
    by_key = kept[~is_twice].groupby(others, sort=False, observed=True, dropna=False)
    added = by_key[["row", "column"]].first().assign(OBS_VALUE=by_key["OBS_VALUE"].sum(min_count=1))
    return pd.concat([kept[is_twice], added.reset_index()[list(kept.columns)]])


def _typed(frame: pd.DataFrame, structure: Structure, library: Library) -> pd.DataFrame:
    """All components in order: derived attributes filled, codes and words as categoricals."""
    for each in structure.components.values():
        if each.id not in frame and each.attachment != "dataset":
            frame[each.id] = np.nan if each.is_number else ""
    frame["OBS_STATUS"] = frame["status"].where(frame["status"] != "", frame["OBS_STATUS"].fillna("").replace("", "A"))
    frame["CONF_STATUS"] = frame["CONF_STATUS"].fillna("").replace("", "F")
    _derive(frame, structure, library)
    columns = [c for c in structure.components if c in frame]
    for name in columns:
        component = structure.components[name]
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            continue
        if component.is_word:
            frame[name] = frame[name].fillna("").astype("category")
        elif component.role == "time":
            frame[name] = frame[name].fillna("")
        elif component.role == "attribute":
            frame[name] = _number(frame, name)
    frame = frame.astype(dict.fromkeys(LINEAGE, "int32"))
    return frame[[*columns, *LINEAGE, "text", *(each for each in CONTRIBUTORS if each in frame)]]


def _number(frame: pd.DataFrame, component: str) -> pd.Series[float]:
    """An attribute as numbers; what is none goes to `text`, for STR-08 to tell."""
    numbers = pd.to_numeric(frame[component].replace("", None), errors="coerce").astype("float64")
    wrong = numbers.isna() & frame[component].notna() & (frame[component] != "")
    frame["text"] = frame["text"].where(~wrong, frame[component].astype(str))
    return numbers


def _derive(frame: pd.DataFrame, structure: Structure, library: Library) -> None:
    """Unit, multiplier and time of collection follow from the measure where the table is silent (framework §3.3)."""
    measures = library.list_of(structure.measure_dimension)
    units = library.list_of("UNIT_MEASURE")
    assert measures is not None
    assert units is not None
    measure = frame[structure.measure_dimension]
    counts = dict.fromkeys(units.select("count=yes"), "0")
    for component, note in (("UNIT_MEASURE", "unit"), ("TIME_PER_COLLECT", "collect")):
        derived = measure.map({code.id: code.notes.get(note, "") for code in measures.codes.values()}).fillna("")
        stated = frame[component].fillna("")
        frame[component] = stated.where(stated != "", derived)
    stated = frame["UNIT_MULT"].fillna("")
    frame["UNIT_MULT"] = stated.where(stated != "", frame["UNIT_MEASURE"].map(counts).fillna(""))


def _origin(raw: RawTable, layout: Layout, cells: Grid) -> Origin:
    places: dict[str, tuple[str, int]] = {}
    for component, template in (*layout.labels.items(), *layout.headings.items()):
        if place := cells.place(parts(template)[0], is_row=component in layout.headings):
            places[component] = place
    return Origin(raw.path, raw.sheet, raw.sha256, layout.provider, layout.licence, places, cells.headings)
