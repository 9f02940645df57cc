"""How the service words things, and its oddities as switches of one frozen value.

Both wordings of the end are real: `documented` follows the walk-through of SAP's pages, `live` the vendor's own
tests and every known client. Everything else in which elements or releases of the service differ is a switch
of `Quirks` (protocol.md 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Literal, NamedTuple

from .clock import LONGEST, seconds
from .errors import OcBulkError, nearest
from .jobs import CANCELLED, COMPLETED

MOST_DAYS = int(LONGEST // 86_400)
"""The largest number of days that a quirk takes."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """The switches. Each has the default that the evidence favours; its source stands beside it."""

    json_shape: Literal["lines", "array"] = field(
        default="lines",
        metadata={"doc": "JSON results as JSON lines or as one array, both as application/json (3.7)"},
    )
    id_type: Literal["string", "number"] = field(
        default="string", metadata={"doc": "job ids as strings (newer) or numbers (older swagger) (3.1)"}
    )
    jobs_generation: Literal["newer", "older"] = field(
        default="newer",
        metadata={"doc": "field names of the jobs list: id/status or job_id/job_status (3.5)"},
    )
    status_generation: Literal["v1", "v3"] = field(
        default="v3",
        metadata={
            "doc": "the status of POST /bulk/download jobs has recordCount, jobStatus ... too (v3) or not (v1) (3.6)"
        },
    )
    counts_include_failed: bool = field(
        default=True, metadata={"doc": "recordsCount counts failed rows too (live test, 3.4)"}
    )
    token_on_last_page: bool = field(
        default=False, metadata={"doc": "a next-page token also on a short last page (9.2, BIO)"}
    )
    filter_nulls: bool = field(
        default=True, metadata={"doc": "null values are missing keys (9.1); filter.response.nulls"}
    )
    malformed_query_status: Literal[400, 500] = field(
        default=400, metadata={"doc": "a malformed query answers 400 now, 500 before 2017-02 (3.2)"}
    )
    metadata_booleans: Literal["boolean", "string"] = field(
        default="boolean", metadata={"doc": 'true or "true" in object metadata (8)'}
    )
    cancelled_word: Literal["CANCELLED", "CANCELED"] = field(
        default="CANCELLED", metadata={"doc": "spelling of the cancelled status (4)"}
    )
    unknown_object: Literal["accept", "refuse"] = field(
        default="accept",
        metadata={"doc": "an upload to an unknown object is accepted and fails row by row, or is 400 (3.3)"},
    )
    accept_must_match: bool = field(
        default=True, metadata={"doc": "v3 results: an Accept that differs from the format is 400 (3.6)"}
    )
    result_object_checked: bool = field(
        default=False, metadata={"doc": "whether the object in a result URL must be that of the query (3.7)"}
    )
    hub_checked: bool = field(
        default=False, metadata={"doc": "whether a wrong hub in the path is 404; the service ignores it (1)"}
    )
    retention_days: int = field(
        default=3, metadata={"doc": "days until the result files of queries are gone: 3 or 7 (3.7)"}
    )
    callback_lag: float = field(
        default=0.0,
        metadata={"doc": "seconds between the end and the callback; up to 60 in old services (7)"},
    )
    visibility_lag: float = field(
        default=0.0, metadata={"doc": "seconds until bulk records show up in lists (13, no. 15)"}
    )


class Dialect(NamedTuple):
    """One wording: its name, its final word, and the quirks in force."""

    name: Literal["documented", "live"]
    complete: str
    quirks: Quirks = Quirks()

    def word(self, status: str) -> str:
        """A status as this dialect spells it on the wire."""
        if status == COMPLETED:
            return self.complete
        return self.quirks.cancelled_word if status == CANCELLED else status

    def with_quirks(self, switches: Mapping[str, object]) -> Dialect:
        """The same wording with some switches set; raises `OcBulkError` for an unknown name or value."""
        return self._replace(quirks=set_quirks(self.quirks, switches)) if switches else self


DOCUMENTED = Dialect("documented", "COMPLETE")
LIVE = Dialect("live", "COMPLETED")
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (DOCUMENTED, LIVE)}


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; raises `OcBulkError` with the nearest one."""
    if name not in DIALECTS:
        raise OcBulkError(f"unknown dialect {name!r}{nearest(name, DIALECTS)}")
    return DIALECTS[name]


def set_quirks(quirks: Quirks, switches: Mapping[str, object]) -> Quirks:
    """Set switches by name; text values (from a command line) are read as the switch's own type.

    Raises `OcBulkError` for an unknown name, and for a value of another kind or out of range.
    """
    known = {each.name: each for each in fields(Quirks)}
    values: dict[str, object] = {}
    for name, value in switches.items():
        if name not in known:
            raise OcBulkError(f"unknown quirk {name!r}{nearest(name, known)}")
        values[name] = _read(name, value, known[name].default)
    return replace(quirks, **values)  # type: ignore[arg-type]  # checked against the fields just above


def _read(name: str, value: object, default: object) -> object:
    if isinstance(default, float):
        return _duration(name, value)
    if isinstance(value, str) and not isinstance(default, str):
        value = _from_text(value, default)
    choices = _CHOICES.get(name)
    if choices is not None:
        if value not in choices:
            raise OcBulkError(f"quirk {name} is one of {', '.join(map(repr, choices))}, got {value!r}")
    elif isinstance(default, bool):
        if not isinstance(value, bool):
            raise OcBulkError(f"quirk {name} is true or false, got {value!r}")
    elif type(value) is not int or not 0 <= value <= MOST_DAYS:
        raise OcBulkError(f"quirk {name} is a whole number from 0 to {MOST_DAYS}, got {value!r}")
    return value


def _duration(name: str, value: object) -> float:
    with suppress(ValueError):  # text that is no bare number of seconds
        value = float(value) if isinstance(value, str) else value
    try:
        return seconds(value)  # type: ignore[arg-type]  # it refuses everything else
    except OcBulkError as error:
        raise OcBulkError(f"quirk {name}: {error}") from None


def _from_text(text: str, default: object) -> object:
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return int(text)
    except ValueError:
        return text


_CHOICES: dict[str, tuple[object, ...]] = {
    "json_shape": ("lines", "array"),
    "id_type": ("string", "number"),
    "jobs_generation": ("newer", "older"),
    "status_generation": ("v1", "v3"),
    "malformed_query_status": (400, 500),
    "metadata_booleans": ("boolean", "string"),
    "cancelled_word": ("CANCELLED", "CANCELED"),
    "unknown_object": ("accept", "refuse"),
}
