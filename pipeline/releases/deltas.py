"""What one snapshot of a table changes of the one before it: an SDMX-CSV 2.0 message that makes it of that one.

A snapshot is the text of a published `data.csv`, and nothing else is looked at: a delta says what the two
published tables say. Its rows carry the actions of SDMX-CSV 2.0 (SDMX 3.0 section 5): `A` an observation that
is new, `R` one that now reads otherwise, `D` one that is gone, of which the key alone is said. A row without a
key has what is said of the whole data set.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import BinaryIO

import numpy as np
import pandas as pd

from pipeline.checks.finding import key_numbers
from pipeline.formats.columns import chunks, rendered
from pipeline.formats.csv20 import quoted
from pipeline.model import Writer

APPEND, REPLACE, DELETE = "A", "R", "D"
ACTIONS = (APPEND, REPLACE, DELETE)
ON_DATASET = ("VINTAGE", "LAST_UPDATE", "LICENCE")
_PIECE = 2**24  # bytes of a snapshot that are looked at together
_FIXED = ("STRUCTURE", "STRUCTURE_ID", "ACTION")


def read(content: bytes) -> pd.DataFrame:
    """A snapshot or a delta as text, every cell as it is written."""
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, na_filter=False)


def key(snapshot: pd.DataFrame) -> tuple[str, ...]:
    """The columns that identify an observation: those before its value."""
    names = list(snapshot.columns)
    return tuple(names[len(_FIXED) : names.index("OBS_VALUE")])


def delta(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What makes `after` of `before`, in the order of `after`; the observations that are gone come last.

    Both are snapshots with the same key.
    """
    columns = _columns(before, after)
    old, new = _filled(before, columns), _filled(after, columns)
    numbers = key_numbers(pd.concat([old, new], ignore_index=True), key(after))
    of_old, of_new = numbers[: len(old)], numbers[len(old) :]
    place = pd.Series(np.arange(len(old)), index=of_old).reindex(of_new)
    is_known = place.notna().to_numpy()
    said = [name for name in columns if name not in (*_FIXED, *key(after), *ON_DATASET)]
    same = is_known.copy()
    at = place.fillna(0).to_numpy(dtype=np.int64)
    for name in said if len(old) else ():
        same &= old[name].to_numpy()[at] == new[name].to_numpy()
    new["ACTION"] = np.where(is_known, REPLACE, APPEND)
    gone = old[~np.isin(of_old, of_new)].assign(ACTION=DELETE, **dict.fromkeys((*said, *ON_DATASET), ""))
    parts = [_of_dataset(old, new), new[~same], gone]
    return pd.concat([part for part in parts if len(part)] or [new[:0]], ignore_index=True)


def of_nothing(after: bytes) -> tuple[Writer, int] | None:
    """What writes the message that `delta` makes of no snapshot and this one, and the number of its observations.

    No row is read. None where it takes a closer look: where a text has a line break, or the columns stand in another
    order.
    """
    start = after.find(b"\n") + 1
    names = tuple(after[:start].decode().rstrip("\n").split(","))
    of = b"\n" + b",".join(after[start : after.find(b"\n", start)].split(b",", 2)[:2])
    is_plain = names[: len(_FIXED)] == _FIXED and names[-len(ON_DATASET) :] == ON_DATASET
    if not is_plain or any(not _is_plain(lines, of + b",I,") for lines in _pieces(after, start)):
        return None
    return partial(_write_of_nothing, after, start, of), after.count(b"\n") - 1


def _write_of_nothing(after: bytes, start: int, of: bytes, file: BinaryIO) -> None:
    file.write(after[:start])
    file.writelines((b"\n" + lines).replace(of + b",I,", of + b",A,")[1:] for lines in _pieces(after, start))


def _is_plain(lines: bytes, opening: bytes) -> bool:
    """Whether each line opens so, and none ends in the middle of a text."""
    texts = lines.split(b'"')
    return (
        len(texts) % 2 == 1
        and not any(b"\n" in text for text in texts[1::2])
        and (lines.endswith(b"\n") and (b"\n" + lines).count(opening) == lines.count(b"\n"))
    )


def _pieces(text: bytes, start: int) -> Iterator[bytes]:
    """Some lines at a time, from a place on."""
    while start < len(text):
        end = text.rfind(b"\n", start, start + _PIECE) + 1 or text.find(b"\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def applied(before: pd.DataFrame, change: pd.DataFrame) -> pd.DataFrame:
    """The snapshot that a delta makes of `before`; the order of its rows is not that of the published one."""
    columns = _columns(before, change)
    old, new = _filled(before, columns), _filled(change, columns)
    keyed = key(change)
    is_of_dataset = (new[list(keyed)] == "").all(axis=1).to_numpy()
    on_dataset = new[is_of_dataset]
    new = new[~is_of_dataset]
    numbers = key_numbers(pd.concat([old, new], ignore_index=True), keyed)
    old = old[~np.isin(numbers[: len(old)], numbers[len(old) :])]
    found = pd.concat([old, new[new["ACTION"] != DELETE]], ignore_index=True)
    for name in ON_DATASET:
        said = [*on_dataset[name], *new.loc[new["ACTION"] != DELETE, name], *old[name][:1]]
        found[name] = said[0] if said else ""
    found["ACTION"] = "I"
    blank = [name for name in found if name not in (*_FIXED, *keyed, "OBS_VALUE") and (found[name] == "").all()]
    return found.drop(columns=blank)


def counts(change: pd.DataFrame) -> dict[str, int]:
    """Observations by action."""
    actions = change.loc[(change[list(key(change))] != "").any(axis=1), "ACTION"]
    return {action: int((actions == action).sum()) for action in ACTIONS}


def written(change: pd.DataFrame) -> bytes:
    """The message."""
    head = ",".join(map(quoted, change.columns)) + "\n"
    arrays = [rendered(change[name], quoted) for name in change.columns]
    return head.encode() + b"".join(chunks(arrays, ",", "\n"))


def _columns(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """The columns of two snapshots, those of the second in their order, the attributes of the data set last."""
    every: Iterable[str] = dict.fromkeys([*second.columns, *first.columns])
    return [*(name for name in every if name not in ON_DATASET), *ON_DATASET]


def _filled(snapshot: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return snapshot.reindex(columns=list(columns), fill_value="").reset_index(drop=True)


def _of_dataset(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """A row for the attributes of the whole data set, where one of them now reads otherwise."""
    first = new[:1].assign(**dict.fromkeys(new.columns.difference([*_FIXED, *ON_DATASET]), ""), ACTION=APPEND)
    names = list(ON_DATASET)
    is_other = len(old) and len(new) and old[names].iloc[0].tolist() != new[names].iloc[0].tolist()
    return first if is_other else first[:0]
