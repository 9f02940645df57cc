"""JSON as callers send it. What could not be sent back as JSON is refused where it is read, not where it is shown."""

from __future__ import annotations

import json
from typing import Any


def read_json(data: bytes | str) -> Any:
    """The value of a JSON text; raises `ValueError` with the reason, for people.

    Refused besides what is no JSON: NaN, infinite numbers, and text that is no Unicode (lone surrogates), all of which
    Python would take.
    """
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise ValueError(str(error)) from None
    except (ValueError, RecursionError):
        raise ValueError("not text or nested too deeply") from None
    write_json(value)
    return value


def write_json(value: Any) -> bytes:
    """A value as compact JSON; raises `ValueError` with the reason when JSON cannot carry it."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise ValueError("Not valid Unicode text") from None
    except ValueError:
        raise ValueError("Not a number that JSON has") from None
    except RecursionError:
        raise ValueError("Nested too deeply") from None
