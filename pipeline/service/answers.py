"""What answers each kind of query: the observations or artefacts found, bound to the writer of the form asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import IO

import duckdb

from pipeline.model import Description, Protected
from pipeline.service import figures, lookup
from pipeline.service.ask import Ask, Pairs, ask_v1, ask_v2
from pipeline.service.faults import NO_RESULTS, NOT_IMPLEMENTED, SYNTAX, RequestError
from pipeline.service.media import Media
from pipeline.service.standing import Standing
from pipeline.structures.resources import Answer, described
from pipeline.structures.tree import content

Writer = Callable[[IO[bytes]], None]


def answer(
    base: str,
    parts: Sequence[str],
    query: Pairs,
    at: Standing,
    form: Media,
    *,
    database: duckdb.DuckDBPyConnection,
    limit: int,
) -> Writer:
    """The writer of the answer to the address `parts` below a base.

    Raises:
        RequestError: it has none.
    """
    kind, *rest = parts
    if kind not in ("data", "availability", "availableconstraint"):
        return _structures(lookup.found(parts, query, at), at, form)
    ask = (ask_v1 if base == "v1" else ask_v2)(rest, query, at.library)
    if kind == "data":
        return _data(ask, at, form, database, limit=limit)
    return _structures(_available(ask, at, database, limit=limit), at, form)


def _structures(found: Answer, at: Standing, form: Media) -> Writer:
    body: bytes = form.write(found, message_id="STRUCTURES", **at.header)
    return lambda file: _written(file, body)


def _written(file: IO[bytes], body: bytes) -> None:
    file.write(body)


# ---------------------------------------------------------------- data


def _data(ask: Ask, at: Standing, form: Media, database: duckdb.DuckDBPyConnection, *, limit: int) -> Writer:
    write = form.write_flat if ask.is_flat else form.write
    if write is None:
        raise RequestError(NOT_IMPLEMENTED, f"{form.type} is written by series: leave dimensionAtObservation out.")
    if ask.has_history:
        return _history(ask, at, form, database, limit=limit)
    found = figures.found(ask, at, database, limit=limit)
    return partial(write, found, _description(ask, at), at.library)


def _description(ask: Ask, at: Standing) -> Description:
    return at.descriptions[ask.flow.id]


def _history(ask: Ask, at: Standing, form: Media, database: duckdb.DuckDBPyConnection, *, limit: int) -> Writer:
    """The figures as every release had them, one after the other; VINTAGE says which."""
    if form.id != "csv":
        raise RequestError(NOT_IMPLEMENTED, "History is answered in SDMX-CSV: accept application/vnd.sdmx.data+csv.")
    versions: list[tuple[str, Protected]] = []
    for release in figures.releases_of(ask, at):
        one = replace(ask, has_history=False, release=release)
        try:
            versions.append((release, figures.found(one, at, database, limit=limit)))
        except RequestError as fault:
            if fault.code != NO_RESULTS:
                raise
    if not versions:
        raise RequestError(NO_RESULTS, "No observation of any release fits the query.")
    names = {name: None for _, version in versions for name in version.frame}
    columns = [name for name in ask.flow.structure.components if name in names]

    def write(file: IO[bytes]) -> None:
        for number, (release, version) in enumerate(versions):
            day = release.partition(".")[0]
            said = replace(_description(ask, at), vintage=release, last_update=day)
            whole = replace(version, frame=version.frame.reindex(columns=columns))
            form.write(whole, said, at.library, _WithoutHeading(file) if number else file)

    return write


class _WithoutHeading:
    """A file that drops the first thing written to it: a table's heading, which its writer writes alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._is_begun = file, False

    def write(self, content: bytes) -> None:
        if self._is_begun:
            self._file.write(content)
        self._is_begun = True

    def writelines(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            self.write(part)


# ---------------------------------------------------------------- availability


def _available(ask: Ask, at: Standing, database: duckdb.DuckDBPyConnection, *, limit: int) -> Answer:
    """What is there of what the query leaves: codes, periods and counts."""
    references = ask.parameters.get("references", "none")
    if references not in ("none", "all", "dataflow", "datastructure", "codelist", "conceptscheme"):
        raise RequestError(SYNTAX, "references is none, all, dataflow, datastructure, codelist or conceptscheme here.")
    if ask.parameters.get("mode", "exact") not in ("exact", "available"):
        raise RequestError(SYNTAX, "mode is exact or available.")
    found = figures.found(replace(ask, detail="dataonly"), at, database, limit=limit)
    constraint = content(at.built, found)
    if references == "none":
        return (constraint,)
    flow = at.built.dataflows[ask.flow.id]
    beside: Answer = (flow, *described(at.built, flow))
    wanted = lookup.KINDS.get(references)
    return (*(each for each in beside if wanted is None or isinstance(each, wanted)), constraint)
