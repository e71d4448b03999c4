"""Stocks and flows from border-control records: crossings → stays → residence status → tables.

It runs inside the producing agency. What has keys of persons (`events`) stays there; the tables go through
validation and protection like any other before anything is published.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.address import has_password
from pipeline.errors import InputError, SetupError
from pipeline.framework import Text
from pipeline.methods.border import distributed, embedded, quality, received, results, written
from pipeline.methods.border.days import day_number
from pipeline.methods.border.linking import link
from pipeline.methods.border.persons import MOST_CROSSINGS
from pipeline.methods.border.rule import Rule
from pipeline.model import Issue

ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class Asked:
    """What one run is asked for: the options of the command line."""

    crossings: Path  # a table, or a query `.sql` that is asked in `database`
    out: Path
    obs_end: str
    threshold_days: int = 365
    window_days: int = 487
    initial_status: Path | None = None
    deaths: Path | None = None
    database: str = ""
    engine: str = "duckdb"
    memory: str = "4GB"
    imputed_at: str = "midpoint"
    permitted_days: int = 0
    uncontrolled: Sequence[str] = ()
    time_zone: str = ""
    layout: Path | None = None
    new_keys: bool = False
    link_documents: bool = False
    sensitivity: bool = False
    previous: Path | None = None
    area: str = ""
    provider: str = ""
    licence: str = "CC-BY-4.0"
    base: Path | None = None
    phrases: Mapping[str, Text] = field(default_factory=dict)
    most_crossings: int = MOST_CROSSINGS


@dataclass(frozen=True)
class Made:
    """What a run found and wrote."""

    issues: tuple[Issue, ...]
    files: tuple[Path, ...] = ()
    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def is_fit(self) -> bool:
        return not any(issue.severity == "E" for issue in self.issues)


def border(asked: Asked) -> Made:
    """Decide every crossing of a delivery and write what follows from it to `asked.out`, all files or none.

    Raises:
        SetupError: an option is not one.
        InputError: a file cannot be opened or read.
    """
    rule = rule_of(asked)
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".next-", dir=asked.out) as work:
        folder = Path(work)
        try:
            made = _run(asked, rule, folder)
        except duckdb.OutOfMemoryException:
            raise InputError(
                "{file}: {memory} of memory is not enough, or the disk of {folder} is full. Give more with --memory, "
                "or free space.",
                file=asked.crossings.name,
                memory=asked.memory,
                folder=asked.out,
            ) from None
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException):
            raise  # a fault of ours
        except duckdb.Error as error:
            raise InputError(
                "{file}: it cannot be read to its end ({error}).",
                file=asked.crossings.name,
                error=str(error).strip().partition("\n")[0],
            ) from None
        return made


def rule_of(asked: Asked) -> Rule:
    """The rule that the options say."""
    if asked.engine not in ENGINES:
        raise SetupError('--engine "{engine}" must be one of {known}.', engine=asked.engine, known=", ".join(ENGINES))
    if bool(asked.database) != (asked.crossings.suffix.lower() == ".sql"):
        raise SetupError("A file .sql with a query goes with --database, and no other does.")
    if has_password(asked.database):
        raise SetupError("No password may stand in --database; write ${{NAME}} for a variable of the environment.")
    try:
        end = day_number(asked.obs_end)
    except ValueError:
        raise SetupError('--obs-end "{text}" must be a day written YYYY-MM-DD.', text=asked.obs_end) from None
    return Rule(asked.threshold_days, asked.window_days, end, asked.imputed_at, asked.permitted_days)


def _run(asked: Asked, rule: Rule, folder: Path) -> Made:
    beside = {"initial": asked.initial_status, "deaths": asked.deaths}
    with received.engine(memory=asked.memory, share=embedded.SORTS, folder=folder) as connection:
        file = received.copied(asked.crossings, asked.database, folder) if asked.database else asked.crossings
        delivery = received.opened(
            connection,
            file,
            name=asked.crossings.name,
            obs_end=asked.obs_end,
            uncontrolled=asked.uncontrolled,
            time_zone=asked.time_zone,
            layout=asked.layout,
            beside={name: path for name, path in beside.items() if path},
        )
        if not delivery.is_fit:
            return Made(delivery.issues)
        pairs = link(connection, delivery.reading) if asked.link_documents else 0
        delivery = replace(delivery, reading=replace(delivery.reading, has_links=asked.link_documents))
        suffix = ".csv" if received.is_loose(asked.crossings.name) else ".parquet"
        with written.EventsFile(folder / f"events{suffix}") as events:
            tables = (distributed if asked.engine == "spark" else embedded).counted(
                delivery,
                rule,
                connection=connection,
                folder=folder,
                memory=asked.memory,
                person_key=_person_key(is_new=asked.new_keys),
                sink=events.write,
                most_crossings=asked.most_crossings,
                compare=asked.sensitivity,
            )
    if asked.database:
        file.unlink()
    results.write(folder, asked, tables, results.Run(rule, delivery, pairs))
    issues = (*delivery.issues, *quality.issues(tables, delivery.name))
    files = tuple(sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()))
    return Made(issues, tuple(_moved(folder / each, asked.out / each) for each in files), tables)


def _person_key(*, is_new: bool) -> str:
    """How the key of a person is written: as it came, or hashed with a salt that this run alone knows and forgets."""
    return f"left(sha2('{secrets.token_hex(32)}' || {{person}}, 256), 32)" if is_new else "{person}"


def _moved(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)  # noqa: PTH105  # one step, also over a file that is there
    return target
