"""Microdata as they came: CSV, Parquet, SPSS or Stata. Opened for the columns asked for, and never written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline.errors import InputError, Told

if TYPE_CHECKING:
    from collections.abc import Callable

Codes = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

MISSING = -1
_KINDS = Told("Parquet (.parquet), SPSS (.sav, .zsav), Stata (.dta), or CSV with a line of headings in UTF-8 (.csv)")
_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Categories:
    """A column of categories: for each record the place of its label, or `MISSING`."""

    codes: Codes
    labels: tuple[str, ...]


def headings(file: Path) -> list[str]:
    """The columns of a file of microdata.

    Raises:
        InputError: it is not there, or is no table that can be opened.
    """
    if not file.is_file():
        raise InputError("{file}: there is no such file.", file=file.name)
    return [str(name) for name in _opened(file, _headings)]


def read(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of a file of microdata.

    Raises:
        InputError: it cannot be read to its end.
    """
    found: pd.DataFrame = _opened(file, lambda path: _read(path, list(columns)))
    return found


def categories(column: pd.Series[Any]) -> Categories:
    """A column as categories, all text: 1.0 is 1, blanks and missing values are no category."""
    codes, values = pd.factorize(column)
    words = pd.Series([_word(value) for value in values], dtype=object)
    again, labels = pd.factorize(words.where(words != "", None))
    place = np.append(again, MISSING).astype(np.int64)  # the last is where missing ones point to
    return Categories(place[codes], tuple(str(each) for each in labels))


def numbers(column: pd.Series[Any]) -> Figures:
    """A column as numbers; NaN where it is none."""
    found = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isinf(found), np.nan, found)


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _opened(file: Path, task: Callable[[Path], Any]) -> Any:
    """Do a task on a file; what a reader says of its content is not repeated, for it may quote records."""
    try:
        return task(file)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  # readers of SPSS and Stata raise many kinds
        raise InputError(
            "{file}: not microdata that can be read ({error}). Expected {kinds}. Export the file again, and check that "
            "it is whole.",
            file=file.name,
            error=type(error).__name__,
            kinds=_KINDS,
        ) from None


def _headings(file: Path) -> list[str]:
    match file.suffix.lower():
        case ".parquet":
            return list(pq.read_schema(file).names)
        case ".sav" | ".zsav" | ".dta":
            return list(_statistical(file, metadataonly=True).columns)
        case ".csv":
            with pa_csv.open_csv(file, parse_options=_parse(file)) as reader:
                return list(reader.schema.names)
    raise InputError(
        '{file}: a file of kind "{kind}" is not read. Expected {kinds}.', file=file.name, kind=file.suffix, kinds=_KINDS
    )


def _read(file: Path, columns: list[str]) -> pd.DataFrame:
    match file.suffix.lower():
        case ".parquet":
            return _frame(pq.read_table(file, columns=columns))
        case ".csv":
            options = pa_csv.ConvertOptions(
                include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            )
            return _frame(pa_csv.read_csv(file, parse_options=_parse(file), convert_options=options))
    return _statistical(file, usecols=columns)


def _frame(table: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pandas()
    return found


def _statistical(file: Path, **options: Any) -> pd.DataFrame:
    import pyreadstat

    reader = pyreadstat.read_dta if file.suffix.lower() == ".dta" else pyreadstat.read_sav
    found: pd.DataFrame = reader(str(file), **options)[0]
    return found


def _parse(file: Path) -> pa_csv.ParseOptions:
    """The separator is the one that the line of headings has most of."""
    with file.open("rb") as opened:
        first = opened.readline(1 << 20).decode("utf-8-sig")
    return pa_csv.ParseOptions(delimiter=max(_SEPARATORS, key=first.count))
