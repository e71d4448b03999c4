"""The layout of each table of a run, for `metadata/national/<AREA>/`, with what the run measured."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.framework import LANGUAGES, Text
from pipeline.methods.border.national import BORDER_KEYS, KEYS, Frame
from pipeline.methods.layout import written

CODES = "component,column,label,code,note\nSEX,SEX,F,F,\nSEX,SEX,M,M,\n"  # one-letter labels are never guessed
_WORDS = {"DF_FLOW": "flow", "DF_BORDER": "crossings", "DF_STOCK": "stock"}
_RESIDENCE = {"R12_16": "M12_16", "R12_12": "M12_12"}


def layout(
    flow: str, frame: Frame, *, provider: str, licence: str, phrases: Mapping[str, Text], facts: Mapping[str, str]
) -> str:
    """The TOML of one dataflow: where the parts of its table stand, and its reference metadata."""
    keys = BORDER_KEYS if flow == "DF_BORDER" else KEYS
    labels = {key: key for key in keys} | {"OBS_STATUS": "OBS_STATUS"}
    labels |= {"REF_DATE": "REF_DATE"} if flow == "DF_STOCK" else {}
    constants = {
        "REF_AREA": frame.area,
        "SOURCE_TYPE": "ADM_BRD",
        "COUNTRY_BIRTH": "_T",
        "REASON": "_Z" if flow == "DF_STOCK" else "_T",
        "METHOD": frame.method,
        "RES_CRITERION": _RESIDENCE.get(frame.method, "_O"),
        **({"BORDER_POST": "_T"} if flow == "DF_BORDER" else {}),
    }
    word = _WORDS[flow]
    named = {
        "table.title": f"border_title_{word}",
        "table.source_operation": "border_operation",
        "table.stat_pop": f"border_pop_{word}",
        "metadata.STAT_CONC_DEF": "border_concept",
        "metadata.ACCURACY_OVERALL": "border_accuracy",
        "metadata.NONSAMPLING_ERR": "border_nonsampling",
        "metadata.COLL_METHOD": "border_collection",
        "metadata.IMPUTATION": "border_imputation",
        "metadata.MIG_ID_POLICY": "border_identity",
    }
    return written(
        flow,
        provider=provider,
        licence=licence,
        labels=labels,
        constants=constants,
        texts={
            place: {lang: _filled(phrase, lang, phrases, facts) for lang in LANGUAGES}
            for place, phrase in named.items()
        },
        above=['hierarchies = ["HCL_AGE5"]'] if flow == "DF_FLOW" else [],
    )


def _filled(phrase: str, lang: str, phrases: Mapping[str, Text], facts: Mapping[str, str]) -> str:
    linked = phrases["border_linked" if facts["pairs"] != "0" else "border_not_linked"][lang].format_map(facts)
    return phrases[phrase][lang].format_map({**facts, "links": linked})
