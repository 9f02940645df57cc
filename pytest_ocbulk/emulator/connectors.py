"""Connectors as data: objects, fields, keys and limits, read from TOML and checked when read.

A connector is what Cloud Elements calls an element. The built-in ones lie in `catalogue/`; a user's own file has
the same form. A wrong file is refused with file, key and reason, so nothing half understood is ever served.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from .errors import OcBulkError, nearest

CATALOGUE = Path(__file__).parent / "catalogue"
BUILT_IN = ("marketing", "sage200", "sqlserver")
TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
FORMATS = ("email",)
SOURCES = ("created", "updated")

WHOLE_FILE = 0
"""A batch size of zero: all rows of the file stand or fall together."""


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One declared field: its type and what a value must satisfy. `max_length` counts characters.

    `display_name`, `description` and `custom` are for the metadata alone (protocol.md 8).
    """

    name: str
    type: str = "string"
    required: bool = False
    unique: bool = False
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    read_only: bool = False
    source: str | None = None
    native_type: str | None = None
    display_name: str | None = None
    description: str | None = None
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """One object: its fields (none declared: any column is accepted), its key and what may be done with it.

    `requires_one_of` is checked on the whole file (protocol.md 3.3, Pardot). `answers` names a field with which
    alone a create is answered while the record appears `visible_after` seconds later (protocol.md 11.2, `urn`).
    """

    name: str
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)
    primary_key: str = "id"
    vendor_name: str = ""
    upload: bool = True
    download: bool = True
    requires_one_of: tuple[str, ...] = ()
    answers: str | None = None
    visible_after: float = 0.0

    @property
    def declared(self) -> bool:
        """Whether fields are declared; if not, any column is accepted."""
        return bool(self.fields)

    @property
    def unique_fields(self) -> tuple[str, ...]:
        """The declared unique fields other than the primary key."""
        return tuple(each.name for each in self.fields.values() if each.unique)


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector: hub, catalogue of objects, and the limits its pages state."""

    key: str
    name: str
    hub: str
    id: int = 0
    objects: Mapping[str, ObjectDefinition] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batch_size: int = 1
    list_cap: int | None = None
    default_action: str = "create"
    script_queries: bool = False
    required_configuration: tuple[str, ...] = ()
    secret_configuration: tuple[str, ...] = ()
    quirks: Mapping[str, object] = field(default_factory=dict)

    def object_names(self, dialect: str) -> tuple[str, ...]:
        """What `GET /objects` lists in that dialect, in the page's order."""
        return self.listed.get(dialect) or tuple(self.objects)

    def fold(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """Join path segments that together name a declared object, such as `products/groups`."""
        for start in range(len(segments) - 1):
            pair = f"{segments[start]}/{segments[start + 1]}"
            if pair in self.objects:
                return (*segments[:start], pair, *segments[start + 2 :])
        return segments


@cache
def built_in(key: str) -> Connector:
    """A connector of the catalogue; raises `OcBulkError` with the nearest name."""
    if key not in BUILT_IN:
        raise OcBulkError(f"unknown connector {key!r}{nearest(key, BUILT_IN)}")
    return load(CATALOGUE / f"{key}.toml")


def find(name: str) -> Connector:
    """A connector by its key, or from a file when the name ends in `.toml`."""
    return load(Path(name)) if name.endswith(".toml") else built_in(name)


def load(path: Path) -> Connector:
    """Read a connector file; raises `OcBulkError` naming file, key and reason."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OcBulkError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OcBulkError(f"{path}: not valid TOML: {error}") from None
    return _Reader(path).connector(document)


class _Reader:
    """Turns a TOML document into values; every complaint names the file and the key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connector(self, document: dict[str, Any]) -> Connector:
        objects: dict[str, ObjectDefinition] = {}
        for included in document.pop("includes", []):
            objects.update(built_in(included).objects)
        tables = self._take(document, "objects", "", dict, {})
        objects.update({name: self.object(name, table) for name, table in tables.items()})
        configuration = self._take(document, "configuration", "", dict, {})
        values: dict[str, Any] = {
            "objects": objects,
            "listed": {name: tuple(of) for name, of in self._take(document, "listed", "", dict, {}).items()},
            "required_configuration": tuple(configuration.get("required", ())),
            "secret_configuration": tuple(configuration.get("secret", ())),
            "batch_size": self._batch_size(document.pop("batch_size", 1)),
        }
        for key in ("key", "name", "hub"):
            if key not in document:
                self._refuse(key, "is missing; a connector has key, name and hub")
        connector = Connector(**values, **self._checked(document, Connector, ""))
        self._check_listed(connector)
        return connector

    def object(self, name: str, table: dict[str, Any]) -> ObjectDefinition:
        where = f"objects.{name}"
        declared = self._take(table, "fields", where, dict, {})
        definitions = {each: self.field(f"{where}.fields.{each}", each, of) for each, of in declared.items()}
        if "requires_one_of" in table:
            table["requires_one_of"] = tuple(table["requires_one_of"])
        return ObjectDefinition(name, definitions, **self._checked(table, ObjectDefinition, where))

    def field(self, where: str, name: str, table: Any) -> FieldDefinition:
        if not isinstance(table, dict):
            self._refuse(where, f"must be a table like {{ type = 'string' }}, got {table!r}")
        for key, choices in (("type", TYPES), ("format", FORMATS), ("source", SOURCES)):
            if key in table and table[key] not in choices:
                self._refuse(f"{where}.{key}", f"is one of {', '.join(choices)}, got {table[key]!r}")
        return FieldDefinition(name, **self._checked(table, FieldDefinition, where))

    def _batch_size(self, value: Any) -> int:
        if value == "file":
            return WHOLE_FILE
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._refuse("batch_size", f"is a number of rows from 1, or 'file', got {value!r}")
        return int(value)

    def _check_listed(self, connector: Connector) -> None:
        for dialect, names in connector.listed.items():
            for name in names:
                if name not in connector.objects:
                    self._refuse(f"listed.{dialect}", f"names {name!r}{nearest(name, connector.objects)}")

    def _checked(self, table: dict[str, Any], shape: type, where: str) -> dict[str, Any]:
        known = {each.name: str(each.type) for each in fields(shape)}
        for key, value in table.items():
            place = f"{where}.{key}".lstrip(".")
            if key not in known:
                self._refuse(place, f"is not a key of a connector file{nearest(key, known)}")
            expected = _KINDS.get(known[key].removesuffix(" | None"))
            if expected and (not isinstance(value, expected) or (expected is int and value is True)):
                self._refuse(place, f"must be a {expected.__name__}, got {value!r}")
        return table

    def _take(self, table: dict[str, Any], key: str, where: str, kind: type, default: Any) -> Any:
        value = table.pop(key, default)
        if not isinstance(value, kind):
            self._refuse(f"{where}.{key}".lstrip("."), f"must be a table, got {value!r}")
        return value

    def _refuse(self, key: str, reason: str) -> None:
        raise OcBulkError(f"{self.path}: {key} {reason}")


_KINDS = {"str": str, "int": int, "bool": bool}
