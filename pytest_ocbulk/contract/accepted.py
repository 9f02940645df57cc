"""Accepted differences: a TOML file in which each has its reason and the day until which it holds.

[[accepted]]
case = "an_upload_ends_well"
fact = "final word"              # left out: any fact of the case
seen = '"COMPLETED"'             # left out: whatever is seen
reason = "this account speaks the live dialect"
until = 2027-06-30
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pytest_ocbulk.emulator.errors import OcBulkError, nearest


@dataclass(frozen=True, slots=True)
class Accepted:
    """One difference that is known. `seen` is JSON text, as the table prints it."""

    case: str
    reason: str
    until: date
    fact: str = ""
    seen: str = ""


def read(path: Path, cases: Collection[str]) -> list[Accepted]:
    """The accepted differences of a file; `cases` are the names there are.

    Raises `OcBulkError` naming file, entry and what was expected.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OcBulkError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    entries = document.pop("accepted", [])
    if document or not isinstance(entries, list):
        raise OcBulkError(
            f"{path}: expected [[accepted]] tables only, got {', '.join(document) or 'another kind'}"
        )
    return [_entry(f"{path}, entry {number}", entry, cases) for number, entry in enumerate(entries, 1)]


def _entry(place: str, entry: dict[str, Any], cases: Collection[str]) -> Accepted:
    kinds: dict[str, type] = {"case": str, "fact": str, "seen": str, "reason": str, "until": date}
    for name, value in entry.items():
        if name not in kinds:
            raise OcBulkError(f"{place}: unknown key {name!r}{nearest(name, kinds)}")
        if not isinstance(value, kinds[name]):
            wanted = "a date like 2027-06-30" if name == "until" else "a text"
            raise OcBulkError(f"{place}: {name} takes {wanted}, got {value!r}")
    for name in ("case", "reason", "until"):
        if not entry.get(name):
            raise OcBulkError(
                f"{place}: {name} is missing; an accepted difference has a case, a reason and a day"
            )
    if entry["case"] not in cases:
        raise OcBulkError(f"{place}: there is no case {entry['case']!r}{nearest(entry['case'], cases)}")
    return Accepted(**entry)
