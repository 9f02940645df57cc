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
    names = [*instance.connector.object_names(instance.dialect.name), *instance.tables]
    if call.request.header("elements-version").lower() != "helium":
        return Answer(names)
    return Answer(
        [{"name": name, "vendorName": _vendor_name(instance, name), "type": "vendor"} for name in names]
    )


def _vendor_name(instance: Instance, name: str) -> str:
    shape = instance.shape(name)
    return (shape.vendor_name if shape else "") or name


def object_metadata(call: Call) -> Answer:
    """`GET /objects/{object}/metadata`: the fields; 404 for an unknown object."""
    shape = find_shape(call)
    booleans = call.instance.dialect.quirks.metadata_booleans == "boolean"
    fields = [_metadata(shape, each, booleans) for each in shape.fields.values()]
    if call.request.query.get("customFieldsOnly", "").lower() == "true":
        fields = []  # no connector of ours declares custom fields
    return Answer({"fields": fields})


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
        "custom": False,
    }
    shown: dict[str, Any] = {
        "vendorPath": field.name,
        "type": _TYPES.get(field.type, field.type),
        "vendorNativeType": field.native_type or field.type,
        "mask": _MASKS.get(field.type),
        "format": field.format or (field.type if field.type in _MASKS else None),
    }
    return shown | (flags if booleans else {name: str(value).lower() for name, value in flags.items()})


def ping(call: Call) -> Answer:
    """`GET /ping`: health of the instance."""
    return Answer({"dateTime": iso(call.now), "endpoint": call.instance.connector.key, "valid": True})
