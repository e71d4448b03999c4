"""Columns whose headings say that they identify people: no delivery of records may have them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMING = re.compile(
    r"(^|_)(names?|nombres?|nomes?|apellidos?|sobrenomes?|surnames?|(pass|docu)\w*|pasaporte\w*|c[eé]dulas?|dni|rut|curp"
    r"|ssn|tax_id|cpf|phone|tel[eé]fono|e?mail|correo|address|direcci[oó]n|endere[cç]o)($|_)",
    re.IGNORECASE,
)


def naming(columns: Iterable[str]) -> list[str]:
    """The columns that look like names, documents or addresses."""
    return [name for name in columns if _NAMING.search(name)]
