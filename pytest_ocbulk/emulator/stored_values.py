"""A value as SQLite keeps it, and a record as its values make it.

Text and numbers are kept as such, everything else as a BLOB of JSON, a missing value as NULL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .checks import Value
from .json_text import write_json
from .nesting import nest

_NUMBER = re.compile("-?[0-9]{1,18}")


def encode(value: Value) -> Any:
    """A value as SQLite keeps it; raises `ValueError` with the reason for what JSON cannot carry."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("Not valid Unicode text") from None
        return value
    if value is None or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    written = write_json(value)
    return value if isinstance(value, float) else written


def decode(value: Any) -> Any:
    """The value that `encode` kept."""
    return json.loads(value) if isinstance(value, bytes) else value


def record(paths: Sequence[str], values: Sequence[Any], *, nulls: bool = False) -> dict[str, Any]:
    """The JSON object of a row: nested, values decoded, missing ones left out unless `nulls`."""
    pairs = [
        (path, decode(value)) for path, value in zip(paths, values, strict=True) if nulls or value is not None
    ]
    return nest(pairs) if any("." in path or path.endswith("]") for path, _ in pairs) else dict(pairs)


def other_spelling(value: Any) -> Any:
    """`12` for `"12"` and the other way round; a number in any other form is another text."""
    if isinstance(value, str):
        return int(value) if _NUMBER.fullmatch(value) else value
    return str(value)
