"""The layout of each table of a survey, for `metadata/national/<AREA>/`, with how its weights were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.framework import LANGUAGES, Text
from pipeline.methods.layout import text, written
from pipeline.methods.survey.design import Design, Wanted
from pipeline.methods.survey.national import PRECISION

CODES = (
    "component,column,label,code,note\nSEX,SEX,F,F,\nSEX,SEX,M,M,\n"
    + "".join(f"RELIABILITY,RELIABILITY,{label},{label},\n" for label in "RWN")
    + "".join(f"CONF_STATUS,CONF_STATUS,{code},{code},\n" for code in "FN")
)  # one-letter labels are never guessed
_METHODS = {"linear": "CAL_GREG", "raking": "CAL_RAKE", "logit": "CAL_LOGIT", "linear_trunc": "CAL_LOGIT"}
_USUAL = {"FREQ": "A", "SOURCE_TYPE": "SUR_HH", "COUNTERPART_AREA": "_Z"}
_METADATA = ("ADJUSTMENT", "SAMPLING_ERR", "ACCURACY_OVERALL")


def method(name: str, variables: int) -> str:
    """The code of a method of calibration: one margin met by cells is post-stratification."""
    return "CAL_PS" if variables == 1 and name in ("linear", "raking") else _METHODS[name]


def layout(
    wanted: Wanted,
    design: Design,
    *,
    dimensions: Sequence[str],
    facts: Mapping[str, str],
    said: Mapping[str, Text],
    phrases: Mapping[str, Text],
) -> str:
    """The TOML of one dataflow: where the parts of its table stand, and its reference metadata.

    `facts` are the words to fill into phrases, and area, provider, licence and method; `said` are words that differ by
    language.
    """
    constants = {each: _USUAL.get(each, "_T") for each in dimensions if each not in wanted.dimensions}
    constants |= {"REF_AREA": facts["area"], "MIG_MEASURE": wanted.measure, "TIME_PERIOD": wanted.period}
    constants |= {"UNIT_MULT": "0"} if wanted.measure == "SHR" else {}
    constants |= {"METHOD": facts["method"], **wanted.constants}
    labels = {each: each for each in (*wanted.dimensions, "OBS_STATUS", "CONF_STATUS", *PRECISION)}
    constants = {each: code for each, code in constants.items() if each not in wanted.dimensions}
    texts = {
        f"table.{name}": getattr(wanted, name) or phrases[f"survey_{name}"]
        for name in ("title", "source_operation", "stat_pop")
    }
    for field in _METADATA:
        phrase = phrases[f"survey_{field.lower()}"]
        texts[f"metadata.{field}"] = {
            lang: phrase[lang].format_map({**facts, **{name: of[lang] for name, of in said.items()}})
            for lang in LANGUAGES
        }
    return written(
        wanted.flow,
        provider=facts["provider"],
        licence=facts["licence"],
        labels=labels,
        constants=constants,
        texts=texts,
        above=[f"reliability = {text(design.standard)}"],
        beside=['missing = { Q = "Q" }'],
    )
