"""What a fake in a test starts with, and where that is said.

A marker wins over the command line, that over the environment, that over the ini file, that over the default. A
wrong value is refused with the place it came from and the nearest right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from .addresses import DEFAULT_BASE_URL, base_url
from .emulator.connectors import BUILT_IN, Connector, find
from .emulator.dialect import DIALECTS, DOCUMENTED, Dialect, dialect_named, set_quirks
from .emulator.errors import OcBulkError, nearest
from .emulator.timeline import Timeline

BOTH = "both"
MARKER_KEYS = ("connector", "dialect", "job", "quirks", "seed", "allow")
ALLOWANCES = (
    "client_warning",
    "stray_call",
    "undelivered_callback",
    "unfinished_job",
    "unfired_fault",
    "unused_job",
)
"""What a test may leave behind when it says so: `@pytest.mark.ocbulk(allow=...)`."""


class Settings(NamedTuple):
    """What a fake starts with; `seed` is what its contacts and secrets are made from."""

    connector: Connector
    dialect: Dialect = DOCUMENTED
    job: Timeline | None = None
    quirks: Mapping[str, object] = MappingProxyType({})
    seed: str = ""
    allow: frozenset[str] = frozenset()
    base_url: str = DEFAULT_BASE_URL


def read_settings(values: Mapping[str, Any], seed: str, folder: Callable[[], Path]) -> Settings:
    """Settings from values by name; a connector file is looked for in `folder`. Raises `OcBulkError`.

    `seed` is what the test itself contributes; a value `seed` varies it.
    """
    _check_names(values)
    given = values.get("seed")
    return Settings(
        connector=_connector(values.get("connector") or "marketing", folder),
        dialect=_dialect(values.get("dialect") or "documented"),
        job=None if values.get("job") is None else Timeline.parse(values["job"]),
        quirks=_quirks(values.get("quirks") or {}),
        seed=seed if given is None else f"{seed} {given}",
        allow=_allowances(values.get("allow") or ()),
        base_url=base_url(values["base_url"]) if "base_url" in values else DEFAULT_BASE_URL,
    )


def _check_names(values: Iterable[str]) -> None:
    """Refuse a name that no setting has."""
    for name in values:
        if name not in MARKER_KEYS and name != "base_url":
            raise OcBulkError(f"unknown keyword {name!r}{nearest(name, MARKER_KEYS)}")


def checked(name: str, value: str, folder: Path) -> str:
    """A setting from outside of a test, checked, a connector file's name made absolute. Raises `OcBulkError`."""
    if name == "dialect" and value not in (*DIALECTS, BOTH):
        raise OcBulkError(f"unknown dialect {value!r}{nearest(value, (*DIALECTS, BOTH))}")
    if name == "connector":
        _connector(value, lambda: folder)
        return str(folder / value) if value.endswith(".toml") else value
    return base_url(value) if name == "base_url" else value


def _connector(name: object, folder: Callable[[], Path]) -> Connector:
    if isinstance(name, Connector):
        return name
    if not isinstance(name, str):
        raise OcBulkError(f"connector is a name like 'sage200' or a file like 'mine.toml', got {name!r}")
    if name.endswith(".toml"):
        return find(str(folder() / name))
    if name not in BUILT_IN:
        raise OcBulkError(
            f"unknown connector {name!r} (a file of your own ends in .toml){nearest(name, BUILT_IN)}"
        )
    return find(name)


def _dialect(name: object) -> Dialect:
    if isinstance(name, Dialect):
        return name
    if not isinstance(name, str):
        raise OcBulkError(f"dialect is 'documented', 'live' or 'both', got {name!r}")
    if name == BOTH:
        raise OcBulkError(
            "dialect 'both' runs a test twice, so it is for the marker and the options; one fake speaks one dialect"
        )
    if name not in DIALECTS:
        raise OcBulkError(f"unknown dialect {name!r}{nearest(name, (*DIALECTS, BOTH))}")
    return dialect_named(name)


def _quirks(switches: object) -> Mapping[str, object]:
    if not isinstance(switches, Mapping):
        raise OcBulkError(f"quirks is a dictionary like {{'id_type': 'number'}}, got {switches!r}")
    if switches:
        set_quirks(DOCUMENTED.quirks, switches)
    return dict(switches)


def _allowances(names: object) -> frozenset[str]:
    words = (names,) if isinstance(names, str) else names
    if not isinstance(words, Iterable):
        raise OcBulkError(f"allow is a name or several, got {names!r}")
    allowed = frozenset(map(str, words))
    for word in sorted(allowed):
        if word not in ALLOWANCES:
            several = word.replace(",", " ").split()
            if len(several) > 1 and set(several) <= set(ALLOWANCES):
                raise OcBulkError(f"several allowances go in a list: allow={several!r}, got {word!r}")
            raise OcBulkError(f"unknown allowance {word!r}{nearest(word, ALLOWANCES)}")
    return allowed
