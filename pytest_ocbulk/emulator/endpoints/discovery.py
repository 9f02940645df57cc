"""What an instance offers: objects, their metadata, health (protocol.md 8, 12)."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from ..connectors import FieldDefinition, ObjectDefinition
from ..errors import NotFound
from ..instances import Instance
from .call import Answer, Call


def list_objects(call: Call) -> Answer:
    """`GET /objects`: names in the page's order; with `Elements-Version: Helium` objects with their type."""
    instance = call.instance
    names = _object_names(call)
    if call.request.header("elements-version").lower() != "helium":
        return Answer(names)
    return Answer(
        [{"name": name, "vendorName": _vendor_name(instance, name), "type": "vendor"} for name in names]
    )


def _object_names(call: Call) -> list[str]:
    """The catalogue's names, the configured tables, and those with a configured prefix that hold records by now."""
    instance = call.instance
    names = [*instance.connector.object_names(instance.dialect.name), *instance.tables]
    if prefixes := instance.table_prefixes:
        names += [name for name in call.emulator.store.names(instance.id) if name.startswith(prefixes)]
    return list(dict.fromkeys(names))


def _vendor_name(instance: Instance, name: str) -> str:
    shape = instance.shape(name)
    return (shape.vendor_name if shape else "") or name


def object_metadata(call: Call) -> Answer:
    """`GET /objects/{object}/metadata`: the fields, or the custom ones only; 404 for an unknown object."""
    shape = find_shape(call)
    booleans = call.instance.dialect.quirks.metadata_booleans == "boolean"
    fields = known_fields(call, shape)
    if call.request.query.get("customFieldsOnly", "").lower() == "true":
        fields = [each for each in fields if each.custom]
    return Answer({"fields": [_metadata(shape, each, booleans) for each in fields]})


def known_fields(call: Call, shape: ObjectDefinition) -> list[FieldDefinition]:
    """The declared fields; of an object without any those that its records have by now, after its key."""
    if shape.declared:
        return list(shape.fields.values())
    records = call.emulator.store.collection(call.instance.id, shape.name, shape)
    key = FieldDefinition(shape.primary_key, "integer", read_only=True)
    return [key, *(FieldDefinition(path) for path in records.columns if path != shape.primary_key)]


def find_shape(call: Call) -> ObjectDefinition:
    """The object that the path names; raises `NotFound`."""
    name = call.names["object"]
    shape = call.instance.shape(name)
    if shape is None:
        raise NotFound(f"Object {name!r} does not exist")
    return shape


_MASKS = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd'T'HH:mm:ss.SSS"}
_TYPES = {"integer": "number", "datetime": "date"}


def _metadata(shape: ObjectDefinition, field: FieldDefinition, booleans: bool) -> dict[str, Any]:
    flags = {
        "vendorReadOnly": field.read_only,
        "vendorRequired": field.required,
        "filterable": True,
        "createable": not field.read_only,
        "updateable": not field.read_only and field.name != shape.primary_key,
        "custom": field.custom,
    }
    texts = {"vendorDisplayName": field.display_name, "description": field.description}
    shown: dict[str, Any] = {
        "vendorPath": field.name,
        "type": _TYPES.get(field.type, field.type),
        **{name: text for name, text in texts.items() if text},
        "vendorNativeType": field.native_type or field.type,
        "mask": _MASKS.get(field.type),
        "format": field.format or (field.type if field.type in _MASKS else None),
    }
    return shown | (flags if booleans else {name: str(value).lower() for name, value in flags.items()})


def ping(call: Call) -> Answer:
    """`GET /ping`: health of the instance."""
    return Answer({"dateTime": iso(call.now), "endpoint": call.instance.connector.key, "valid": True})
