"""The layout of a table that a method makes, for `metadata/national/<AREA>/`: TOML like any that a country writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pipeline.framework import LANGUAGES, Text


def written(
    flow: str,
    *,
    provider: str,
    licence: str,
    labels: Mapping[str, str],
    constants: Mapping[str, str],
    texts: Mapping[str, Text],
    above: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> str:
    """Where the parts of the table of a dataflow stand, and its texts by their place, such as `metadata.IMPUTATION`.

    `above` are lines of the whole dataflow, `beside` further lines of the table.
    """
    lines = [
        *([*above, ""] if above else []),
        "[[table]]",
        f"file = {text(flow + '.csv')}",
        f"provider = {text(provider)}",
        f"licence = {text(licence)}",
        f"labels = {{ {', '.join(f'{key} = {text(of)}' for key, of in labels.items())} }}",
        'values = ["OBS_VALUE"]',
        *beside,
        "",
        "[table.constants]",
        *(f"{component} = {text(code)}" for component, code in constants.items()),
    ]
    for place, said in texts.items():
        lines += ["", f"[{place}]", *(f"{lang} = {text(said[lang])}" for lang in LANGUAGES)]
    return "\n".join(lines) + "\n"


def text(words: str) -> str:
    """Words as a string of TOML."""
    return json.dumps(words, ensure_ascii=False)
