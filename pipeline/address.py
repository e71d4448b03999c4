"""Addresses of databases, as SQLAlchemy writes them."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"://[^/@]*:(?!\$\{)[^/@]+@")


def has_password(address: str) -> bool:
    """Whether an address says a password that is not taken from the environment, as `${NAME}` is."""
    return _PASSWORD.search(address) is not None
