"""What answers each kind of query: the observations or artefacts found, bound to the writer of the form asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import IO

import duckdb

from pipeline.model import Description, Protected
from pipeline.service import figures, lookup, stubs
from pipeline.service.ask import Ask, Pairs, ask_v1, ask_v2, choice, given
from pipeline.service.faults import NO_RESULTS, SYNTAX, RequestError
from pipeline.service.media import Media
from pipeline.service.standing import Standing
from pipeline.structures.resources import Answer, described
from pipeline.structures.tree import content

Writer = Callable[[IO[bytes]], None]


def answer(
    address: str,
    parts: Sequence[str],
    query: Pairs,
    at: Standing,
    form: Media,
    *,
    database: duckdb.DuckDBPyConnection,
    limit: int,
) -> Writer:
    """The writer of the answer to the `parts` below the address of a version of the service, which is its last part.

    Raises:
        RequestError: it has none.
    """
    kind, *rest = parts
    base = address.rpartition("/")[2]
    if kind not in ("data", "availability", "availableconstraint"):
        chosen, found = lookup.found(parts, query, at)
        body: bytes = form.write(found, message_id="STRUCTURES", **at.header)
        detail = given(query).get("detail", "full")
        place = address if base == "v1" else f"{address}/structure"
        return partial(_written, body=stubs.emptied(body, detail, stubs.named(chosen), address=place))
    ask = (ask_v1 if base == "v1" else ask_v2)(rest, query, at.library)
    if kind == "data":
        if ask.components:
            raise RequestError(
                SYNTAX, "Only availability is asked by component: filter data by key or by c[DIMENSION]."
            )
        return _data(ask, at, form, database, limit=limit)
    constraint = _available(ask, at, database, limit=limit)
    return partial(_written, body=form.write(constraint, message_id="STRUCTURES", **at.header))


def _written(file: IO[bytes], body: bytes) -> None:
    file.write(body)


# ---------------------------------------------------------------- data


def _data(ask: Ask, at: Standing, form: Media, database: duckdb.DuckDBPyConnection, *, limit: int) -> Writer:
    found = _history(ask, at, database, limit=limit) if ask.has_history else [_standing(ask, at, database, limit=limit)]
    return partial(form.write, found, at.library, is_flat=ask.is_flat)


def _standing(
    ask: Ask, at: Standing, database: duckdb.DuckDBPyConnection, *, limit: int
) -> tuple[Protected, Description]:
    return figures.found(ask, at, database, limit=limit), at.descriptions[ask.flow.id]


def _history(
    ask: Ask, at: Standing, database: duckdb.DuckDBPyConnection, *, limit: int
) -> list[tuple[Protected, Description]]:
    """The figures as every release had them, one after the other; VINTAGE says which."""
    versions: list[tuple[Protected, Description]] = []
    for release in figures.releases_of(ask, at):
        one = replace(ask, has_history=False, release=release)
        try:
            version, said = _standing(one, at, database, limit=limit)
        except RequestError as fault:
            if fault.code != NO_RESULTS:
                raise
        else:
            versions.append((version, replace(said, vintage=release, last_update=release.partition(".")[0])))
    if not versions:
        raise RequestError(NO_RESULTS, "No observation of any release fits the query.")
    names = {name for version, _ in versions for name in version.frame}
    columns = [name for name in ask.flow.structure.components if name in names]
    return [
        (replace(version, frame=version.frame.reindex(columns=columns)), description)
        for version, description in versions
    ]


# ---------------------------------------------------------------- availability


def _available(ask: Ask, at: Standing, database: duckdb.DuckDBPyConnection, *, limit: int) -> Answer:
    """What is there of what the query leaves: codes, periods and counts."""
    references, _ = (choice(ask.parameters, name) for name in ("references", "mode"))
    found = figures.found(replace(ask, detail="dataonly"), at, database, limit=limit)
    constraint = content(at.built, found, components=ask.components)
    if references == "none":
        return (constraint,)
    flow = at.built.dataflows[ask.flow.id]
    beside: Answer = (flow, *described(at.built, flow))
    wanted = lookup.KINDS.get(references)
    return (*(each for each in beside if wanted is None or isinstance(each, wanted)), constraint)
