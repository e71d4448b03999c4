"""What the service says when it cannot answer: SDMX error messages (SDMX 2.1 section 7).

The statistical agencies that serve SDMX answer a semantic fault with status 400; so do we.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

NO_RESULTS, TOO_LARGE, SYNTAX, SEMANTIC, INTERNAL, NOT_IMPLEMENTED = 100, 130, 140, 150, 500, 501
NOT_ACCEPTABLE = 406  # HTTP has a status for it, SDMX no number
_STATUS = {NO_RESULTS: 404, TOO_LARGE: 413, SYNTAX: 400, SEMANTIC: 400}
_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas"


class RequestError(Exception):
    """A request that has no answer: number of the SDMX standard, and what to do, for whoever asked."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS.get(self.code, self.code)


def message(fault: RequestError, base: str) -> tuple[str, bytes]:
    """(media type, body) of the error message, as the base address writes: `v1`, `v2` or `v2xml`."""
    if base == "v2":
        content = {"errors": [{"code": fault.code, "title": fault.text}]}
        return "application/vnd.sdmx.data+json;version=2.0.0", json.dumps(content, ensure_ascii=False).encode()
    schemas = f"{_SCHEMAS}/{'v2_1' if base == 'v1' else 'v3_0'}"
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<mes:Error xmlns:mes="{schemas}/message" '
        f'xmlns:com="{schemas}/common"><mes:ErrorMessage code="{fault.code}">'
        f'<com:Text xml:lang="en">{escape(fault.text)}</com:Text></mes:ErrorMessage></mes:Error>\n'
    )
    return "application/xml; charset=utf-8", text.encode()
