"""What a delivery changes of what was published before it: by key, for the rules REV and as a table for users.

The figures that stand in `build/public` are the old vintage. A delivery that changes nothing of them is
compared with what these replaced in their turn, as the published table of revisions has it: so the same
delivery, published again, tells the same revisions in the same bytes. A figure that is withheld, now or
then, is no revision and is never written here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import conditions
from pipeline.checks.finding import Mask, key_numbers
from pipeline.checks.revision import (
    CHANGE,
    IS_GONE,
    IS_NOTED,
    NEW,
    OLD_STATUS,
    OLD_VALUE,
    REVISED,
    STATUS,
    VANISHED,
)
from pipeline.formats.columns import figure
from pipeline.framework import LANGUAGES, Dataflow, RevisionNote
from pipeline.model import LINEAGE, Library, Origin, Protected
from pipeline.thresholds import is_withheld

_HAD, _HIDDEN = "HAD_VALUE", "WAS_WITHHELD"  # a value that may no longer be told is known to have been there
_NOTE = "NOTE"  # number of the note that explains the change, -1 for none
_EQUAL = 1e-9  # of decimal figures that went through a file
_COLUMNS = ("old", "new", "r", "old_status", "new_status", "note_date", *(f"note_{lang}" for lang in LANGUAGES))


@dataclass(frozen=True)
class Changes:
    """The figures of a delivery beside those of the release `against`; `release` is the one they came with.

    `frame` has the columns that `pipeline.checks.revision` describes: the rows of the delivery in their
    order, then the observations that are gone, which belong to the last of `sources`.
    """

    area: str
    flow: Dataflow
    frame: pd.DataFrame
    sources: tuple[Origin, ...]
    notes: tuple[RevisionNote, ...]
    release: str
    against: str


def path(area: str, flow: str) -> str:
    """Where a release keeps the table of revisions of one country and dataflow."""
    return f"reports/{area}/revisions/{flow}.csv"


def changes(
    new: Protected,
    old: Protected,
    library: Library,
    *,
    notes: Sequence[RevisionNote],
    vintage: str,
    release: str,
    published: bytes = b"",
) -> Changes | None:
    """Compare a delivery with what stands: `old`, published in release `vintage` with its table of revisions.

    None where nothing has changed, and where the old figures were identified in another way.
    """
    key = new.flow.structure.key
    if any(component not in old.frame for component in key):
        return None
    base = _base(old.frame, key)
    found = _compared(new.frame, base, key)
    if not (found[CHANGE] != "").any() and published:
        rows = pd.read_csv(io.BytesIO(published), dtype=str, keep_default_na=False, na_filter=False)
        release, vintage = rows["release"].iloc[0], rows["against"].iloc[0]
        found = _compared(new.frame, _undone(base, rows, key), key)
    if not (found[CHANGE] != "").any():
        return None
    mine = tuple(n for n in notes if n.flow == new.flow.id and n.date >= vintage.partition(".")[0])
    found[_NOTE] = _explained(found, mine, library)
    found[IS_NOTED] = found[_NOTE] >= 0
    gone = found[IS_GONE].to_numpy(dtype=bool)
    # Rows differ, so that each is counted; no cell has column 0.
    for name, said in zip(LINEAGE, (len(new.sources), np.arange(1, gone.sum() + 1), 0), strict=True):
        places = found[name].to_numpy(dtype=np.float64, copy=True)
        places[gone] = said
        found[name] = places.astype(np.int64)
    files = ", ".join(dict.fromkeys(source.file for source in new.sources))
    sources = (*new.sources, Origin(files, "", "", "", "", {}, {}))
    return Changes(new.area, new.flow, found, sources, mine, release, vintage)


def written(changes: Changes) -> bytes:
    """The table of revisions: one row for each observation that is new, gone or another.

    `old` and `new` stand where both figures are public, and `r` = (new - old) / old where old is not zero.
    """
    key, frame = changes.flow.structure.key, changes.frame
    frame = frame[frame[CHANGE] != ""]
    told = (frame[CHANGE] == REVISED) | (frame[CHANGE] == STATUS)
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(columns(changes.flow))
    of_frame = [CHANGE, *key, OLD_VALUE, "OBS_VALUE", OLD_STATUS, "OBS_STATUS", _NOTE]
    for is_told, (kind, *rest) in zip(told, frame[of_frame].itertuples(index=False), strict=True):
        *codes, old, value, old_status, status, number = rest
        figures = _figures(old, value) if is_told else ("", "", "")
        note = changes.notes[number] if number >= 0 else None
        reason = [note.date, *(note.reason.get(lang, "") for lang in LANGUAGES)] if note else [""] * 4
        table.writerow((changes.release, changes.against, kind, *codes, *figures, old_status, status, *reason))
    return file.getvalue().encode()


def columns(flow: Dataflow) -> tuple[str, ...]:
    """The headings of the table of revisions."""
    return ("release", "against", "kind", *flow.structure.key, *_COLUMNS)


def counts(changes: Changes) -> dict[str, int]:
    """Observations by kind of change."""
    found = changes.frame[CHANGE].value_counts()
    return {kind: int(found.get(kind, 0)) for kind in (REVISED, STATUS, NEW, VANISHED)}


def _figures(old: float, new: float) -> tuple[str, str, str]:
    if np.isnan(old) or np.isnan(new):
        return ("", "", "")
    return figure(old), figure(new), figure(round((new - old) / old, 6)) if old else ""


def _base(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Published figures as the old side of a comparison."""
    base = frame[list(key)].astype("str")
    base[OLD_VALUE] = frame["OBS_VALUE"].astype("float64")
    base[OLD_STATUS] = frame["OBS_STATUS"].astype("str")
    base[_HAD] = frame["OBS_VALUE"].notna()
    base[_HIDDEN] = is_withheld(frame)
    return base.reset_index(drop=True)


def _compared(new: pd.DataFrame, base: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """The new rows with what stood there before, then the rows of `base` that are gone."""
    keys = pd.concat([new[list(key)].astype("str"), base[list(key)]], ignore_index=True)
    numbers = key_numbers(keys, key)
    before = pd.Series(np.arange(len(base)), index=numbers[len(new) :])
    at = before.reindex(numbers[: len(new)])
    known, place = at.notna().to_numpy(), at.fillna(0).to_numpy(dtype=np.int64)
    old = base.iloc[place].reset_index(drop=True) if len(base) else base.reindex(range(len(new)))
    found = new.reset_index(drop=True)
    found[OLD_VALUE] = old[OLD_VALUE].where(known)
    found[OLD_STATUS] = old[OLD_STATUS].where(known, "")
    found[CHANGE] = _kinds(found, old, known)
    found[IS_GONE] = False
    gone = base[~np.isin(numbers[len(new) :], numbers[: len(new)])]
    if not len(gone):
        return found
    lost = gone[[*key, OLD_VALUE, OLD_STATUS]].copy()
    lost[CHANGE], lost[IS_GONE] = VANISHED, True
    coded = [c for c in found if isinstance(found[c].dtype, pd.CategoricalDtype)]
    whole = pd.concat([found.astype(dict.fromkeys(coded, "str")), lost], ignore_index=True)
    blank = [c for c in found if c not in ("OBS_VALUE", "CV", "SE", "N_OBS", *LINEAGE, OLD_VALUE)]
    return whole.fillna(dict.fromkeys(blank, ""))


def _kinds(found: pd.DataFrame, old: pd.DataFrame, known: Mask) -> npt.NDArray[np.str_]:
    """The kind of change of each row; blank where nothing changed or a figure is withheld now or then."""
    value, status = found["OBS_VALUE"], found["OBS_STATUS"].astype("str")
    has, had = value.notna().to_numpy(), old[_HAD].to_numpy(dtype=bool)
    is_open = known & ~is_withheld(found) & ~old[_HIDDEN].to_numpy(dtype=bool)
    before = old[OLD_VALUE].to_numpy(dtype=np.float64)
    same = np.isclose(value.to_numpy(dtype=np.float64), before, rtol=_EQUAL, atol=0)
    return np.select(
        [
            ~known | (is_open & has & ~had),
            is_open & had & ~has,
            is_open & has & had & ~same,
            is_open & (status != old[OLD_STATUS]).to_numpy(),
        ],
        [NEW, VANISHED, REVISED, STATUS],
        "",
    )


def _undone(base: pd.DataFrame, rows: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """The figures that stood before the published revisions `rows`, as far as these may tell them."""
    numbers = key_numbers(pd.concat([base[list(key)], rows[list(key)]], ignore_index=True), key)
    place = pd.Series(np.arange(len(base)), index=numbers[: len(base)]).reindex(numbers[len(base) :])
    kinds, is_there = rows["kind"].to_numpy(), place.notna().to_numpy()
    at = place.fillna(0).to_numpy(dtype=np.int64)
    base = base.copy()
    changed = is_there & np.isin(kinds, (REVISED, STATUS, VANISHED))
    old = pd.to_numeric(rows["old"].replace("", None)).to_numpy(dtype=np.float64)
    base.loc[at[changed], OLD_STATUS] = rows["old_status"].to_numpy()[changed]
    told = changed & ~np.isnan(old)
    base.loc[at[told], OLD_VALUE] = old[told]
    base.loc[at[is_there & (kinds == VANISHED)], _HAD] = True
    arrived = is_there & (kinds == NEW)
    base.loc[at[arrived], _HAD] = False
    base.loc[at[arrived], OLD_STATUS] = rows["old_status"].to_numpy()[arrived]
    first = arrived & (rows["old_status"] == "").to_numpy()
    gone = rows[~is_there & (kinds == VANISHED)]
    back = gone[[*key, "old_status"]].rename(columns={"old_status": OLD_STATUS})
    back[OLD_VALUE], back[_HAD], back[_HIDDEN] = np.nan, back[OLD_STATUS] != "Q", False
    before: pd.DataFrame = pd.concat([base.drop(index=at[first]), back], ignore_index=True)
    return before


def _explained(found: pd.DataFrame, notes: Sequence[RevisionNote], library: Library) -> pd.Series[int]:
    """For each changed row, the first note whose scope holds there."""
    numbers = pd.Series(-1, index=found.index)
    for number, note in reversed(list(enumerate(notes))):
        numbers[conditions.holds(conditions.parse(note.scope), found, library.list_of)] = number
    return numbers.where(found[CHANGE] != "", -1)
