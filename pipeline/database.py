"""The result of a query in a database, which is only read from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from pipeline.errors import InputError
from pipeline.workbook import SHEET_CELLS

_AT_ONCE = 10_000  # rows


def rows(where: str, query: str, address: str, folder: Path) -> list[Sequence[Any]]:
    """The names of the columns, then the rows, as the database gives them.

    Raises:
        InputError: as `parts`, and where the result is larger than a sheet may be.
    """
    found: list[Sequence[Any]] = []
    for part in parts(where, query, address, folder, at_once=_AT_ONCE):
        found += part
        if len(found) * len(found[0]) > SHEET_CELLS:
            raise InputError(
                "{where}: the query gives more than {cells:,} cells. Let it add up first.",
                where=where,
                cells=SHEET_CELLS,
            )
    return found


def parts(where: str, query: str, address: str, folder: Path, *, at_once: int) -> Iterator[list[Sequence[Any]]]:
    """The names of the columns as the one row of a part, then the rows, `at_once` in each part.

    `address` is a SQLAlchemy URL. `${NAME}` in it stands for an environment variable, and the file of a
    `sqlite` address is looked for in `folder`.

    Raises:
        InputError: the database cannot be reached or refuses the query.
    """
    url = _url(where, address, folder)
    shown = url.render_as_string(hide_password=True) if url.get_backend_name() != "sqlite" else address
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            # As it is written: neither a colon nor a percent sign is a parameter. Nothing is ever committed.
            asked = connection.execution_options(
                no_parameters=True, stream_results=True, postgresql_readonly=url.get_backend_name() == "postgresql"
            )
            result = asked.exec_driver_sql(query)
            if not result.returns_rows:
                raise InputError("{where}: the query gives no rows. It must be a SELECT.", where=where)
            yield [list(result.keys())]
            while part := result.fetchmany(at_once):
                yield list(part)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise InputError(
            "{where}: no driver for {shown} is installed ({error}). Install it beside Trayecto.",
            where=where,
            shown=shown,
            error=error,
        ) from None
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise InputError(
            "{where}: {shown} refused the query ({said}). Correct it, or the right to read.",
            where=where,
            shown=shown,
            said=said,
        ) from None


def _url(where: str, address: str, folder: Path) -> URL:
    try:
        url = make_url(Template(address).substitute(os.environ))
    except KeyError as error:
        raise InputError(
            "{where}: the environment variable {variable} of its `database` is not set. Set it and run again.",
            where=where,
            variable=error.args[0],
        ) from None
    except (ArgumentError, ValueError):
        raise InputError(
            "{where}: `database` is not the address of a database, such as sqlite:///registro.db", where=where
        ) from None
    if url.get_backend_name() != "sqlite":
        return url
    path = folder / (url.database or "")
    if not path.is_file():
        raise InputError(
            "{where}: there is no file {area}/{file}. Put it beside the query.",
            where=where,
            area=folder.name,
            file=url.database,
        )
    return url.set(database=f"file:{quote(str(path.resolve()))}", query={"mode": "ro", "uri": "true"})
