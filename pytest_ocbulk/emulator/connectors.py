"""Connectors as data: objects, fields, keys and limits, read from TOML and checked when read.

A connector is what Cloud Elements calls an element. The built-in ones lie in `catalogue/`; a user's own file has
the same form. A wrong file is refused with file, key and reason, so nothing half understood is ever served.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, get_type_hints

from .dialect import DIALECTS, Quirks, set_quirks
from .errors import OcBulkError, nearest

CATALOGUE = Path(__file__).parent / "catalogue"
BUILT_IN = ("marketing", "sage200", "sqlserver")
TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
FIELD_FORMATS = ("email",)
SOURCES = ("created", "updated")

WHOLE_FILE = 0
"""A batch size of zero: all rows of the file stand or fall together."""

_NONE: Mapping[str, Any] = MappingProxyType({})


class FieldDefinition(NamedTuple):
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


class ObjectDefinition(NamedTuple):
    """One object: its fields (none declared: any column is accepted), its key and what may be done with it.

    `requires_one_of` is checked on the whole file (protocol.md 3.3, Pardot). `answers` names a field with which
    alone a create is answered while the record appears `visible_after` seconds later (protocol.md 11.2, `urn`).
    """

    name: str
    fields: Mapping[str, FieldDefinition] = _NONE
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


class Connector(NamedTuple):
    """One connector: hub, catalogue of objects, and the limits its pages state."""

    key: str
    name: str
    hub: str
    id: int = 0
    objects: Mapping[str, ObjectDefinition] = _NONE
    listed: Mapping[str, tuple[str, ...]] = _NONE
    batch_size: int = 1
    list_cap: int | None = None
    script_queries: bool = False
    required_configuration: tuple[str, ...] = ()
    secret_configuration: tuple[str, ...] = ()
    quirks: Mapping[str, object] = _NONE

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


@cache
def _types(shape: type) -> dict[str, Any]:
    """The types of the fields of a definition by name."""
    return get_type_hints(shape)


class _Reader:
    """Turns a TOML document into values; every complaint names the file and the key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connector(self, document: dict[str, Any]) -> Connector:
        self._check_keys(document, _FILE_KEYS, "")
        for key in ("key", "name", "hub"):
            if key not in document:
                self._refuse(key, "is missing; a connector has key, name and hub")
        objects: dict[str, ObjectDefinition] = {}
        for included in self._texts(document.pop("includes", []), "includes"):
            if included not in BUILT_IN:
                self._refuse("includes", f"names {included!r}{nearest(included, BUILT_IN)}")
            objects.update(built_in(included).objects)
        tables = self._table(document, "objects", "")
        objects |= {name: self.object_of(name, tables, f"objects.{name}") for name in tables}
        configuration = self._table(document, "configuration", "")
        self._check_keys(configuration, ("required", "secret"), "configuration")
        values: dict[str, Any] = {
            "objects": objects,
            "listed": self._listed(self._table(document, "listed", ""), objects),
            "quirks": self._quirks(self._table(document, "quirks", "")),
            "batch_size": self._batch_size(document.pop("batch_size", 1)),
            **{
                f"{key}_configuration": self._texts(configuration.get(key, []), f"configuration.{key}")
                for key in ("required", "secret")
            },
        }
        return Connector(**values, **self._checked(document, Connector, ""))

    def object_of(self, name: str, tables: dict[str, Any], where: str) -> ObjectDefinition:
        table = self._table(tables, name, "objects", drop=False)
        self._check_keys(table, _OBJECT_KEYS, where)
        declared = self._table(table, "fields", where)
        definitions = {each: self.field_of(each, declared, f"{where}.fields.{each}") for each in declared}
        found = ObjectDefinition(name, definitions, **self._checked(table, ObjectDefinition, where))
        for key, names in (("requires_one_of", found.requires_one_of), ("answers", [found.answers])):
            for each in names:
                if definitions and each is not None and each not in definitions:
                    self._refuse(f"{where}.{key}", f"names {each!r}{nearest(each, definitions)}")
        return found

    def field_of(self, name: str, declared: dict[str, Any], where: str) -> FieldDefinition:
        table = self._table(declared, name, where.rpartition(".")[0], drop=False)
        self._check_keys(table, _FIELD_KEYS, where)
        for key, choices in (("type", TYPES), ("format", FIELD_FORMATS), ("source", SOURCES)):
            if key in table and table[key] not in choices:
                self._refuse(f"{where}.{key}", f"is one of {', '.join(choices)}, got {table[key]!r}")
        found = FieldDefinition(name, **self._checked(table, FieldDefinition, where))
        try:
            re.compile(found.pattern or "")
        except re.error as error:
            self._refuse(f"{where}.pattern", f"is not a regular expression: {error}")
        return found

    def _batch_size(self, value: Any) -> int:
        if value == "file":
            return WHOLE_FILE
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._refuse("batch_size", f"is a number of rows from 1, or 'file', got {value!r}")
        return int(value)

    def _listed(self, table: dict[str, Any], objects: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
        self._check_keys(table, DIALECTS, "listed")
        listed = {dialect: self._texts(names, f"listed.{dialect}") for dialect, names in table.items()}
        for dialect, names in listed.items():
            for name in names:
                if name not in objects:
                    self._refuse(f"listed.{dialect}", f"names {name!r}{nearest(name, objects)}")
        return listed

    def _quirks(self, table: dict[str, Any]) -> dict[str, object]:
        try:
            set_quirks(Quirks(), table)
        except OcBulkError as error:
            self._refuse("quirks", f"are wrong: {error}")
        return table

    def _check_keys(self, table: Mapping[str, object], known: Iterable[str], where: str) -> None:
        for key in table:
            if key not in known:
                self._refuse(
                    f"{where}.{key}".lstrip("."), f"is not a key of a connector file{nearest(key, known)}"
                )

    def _checked(self, table: dict[str, Any], shape: type, where: str) -> dict[str, Any]:
        """The values of a table as the fields of `shape` want them."""
        kinds = _types(shape)
        return {
            key: self._value(value, kinds[key], f"{where}.{key}".lstrip(".")) for key, value in table.items()
        }

    def _value(self, value: Any, kind: Any, place: str) -> Any:
        if kind == tuple[str, ...]:
            return self._texts(value, place)
        expected, spelled = _KINDS[kind]
        if not isinstance(value, expected) or (isinstance(value, bool) and kind is not bool):
            self._refuse(place, f"must be {spelled}, got {value!r}")
        if not isinstance(value, str) and value < 0:
            self._refuse(place, f"cannot be negative, got {value!r}")
        return value

    def _texts(self, value: Any, place: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._refuse(place, f"must be a list of texts, got {value!r}")
        return tuple(value)

    def _table(self, table: dict[str, Any], key: str, where: str, *, drop: bool = True) -> dict[str, Any]:
        value = table.pop(key, {}) if drop else table[key]
        if not isinstance(value, dict):
            self._refuse(f"{where}.{key}".lstrip("."), f"must be a table, got {value!r}")
        return dict(value)

    def _refuse(self, key: str, reason: str) -> NoReturn:
        raise OcBulkError(f"{self.path}: {key} {reason}")


_FILE_KEYS = (
    "key", "name", "hub", "id", "includes", "batch_size", "list_cap", "script_queries", "listed", "configuration",
    "quirks", "objects",
)  # fmt: skip
_OBJECT_KEYS = tuple(name for name in ObjectDefinition._fields if name != "name")
_FIELD_KEYS = tuple(name for name in FieldDefinition._fields if name != "name")
_KINDS: dict[Any, tuple[Any, str]] = {
    str: (str, "a text"),
    str | None: (str, "a text"),
    int: (int, "a whole number"),
    int | None: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
}
