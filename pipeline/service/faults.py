"""What the service says when it cannot answer: SDMX error messages (SDMX 2.1 section 7).

The statistical agencies that serve SDMX answer a semantic fault with status 400; so do we.
"""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape

NO_RESULTS, TOO_LARGE, SYNTAX, SEMANTIC, INTERNAL, NOT_IMPLEMENTED = 100, 130, 140, 150, 500, 501
NOT_ACCEPTABLE, NOT_READY = 406, 503  # HTTP has a status for them, SDMX no number
STATUSES = {NO_RESULTS: 404, TOO_LARGE: 413, SYNTAX: 400, SEMANTIC: 400}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas"


class RequestError(Exception):
    """A request that has no answer: number of the SDMX standard, and what to do, for whoever asked."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUSES.get(self.code, self.code)


def media_type(base: str) -> str:
    """The form of an error message, as the base address writes: `v1`, `v2` or `v2xml`."""
    return "application/vnd.sdmx.data+json;version=2.0.0" if base == "v2" else "application/xml; charset=utf-8"


def message(fault: RequestError, base: str) -> bytes:
    """The body of the error message; what of a request cannot stand in XML is a replacement character there."""
    if base == "v2":
        return json.dumps({"errors": [{"code": fault.code, "title": fault.text}]}, ensure_ascii=False).encode()
    schemas = f"{_SCHEMAS}/{'v2_1' if base == 'v1' else 'v3_0'}"
    said = _NOT_XML.sub("\ufffd", fault.text)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<mes:Error xmlns:mes="{schemas}/message" '
        f'xmlns:com="{schemas}/common"><mes:ErrorMessage code="{fault.code}">'
        f'<com:Text xml:lang="en">{escape(said)}</com:Text></mes:ErrorMessage></mes:Error>\n'
    )
    return text.encode()
