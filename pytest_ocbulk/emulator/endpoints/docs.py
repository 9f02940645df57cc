"""`GET /objects/{object}/docs`: the calls on an object as a Swagger 2.0 document (protocol.md 8).

The query parameters `discovery`, `resolveReferences`, `basic` and `version` are accepted; they change nothing.
"""

from __future__ import annotations

from typing import Any

from ..connectors import FieldDefinition, ObjectDefinition
from ..messages import BASE_PATH
from .call import Answer, Call
from .discovery import find_shape, known_fields

_TYPES: dict[str, dict[str, str]] = {
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string"},  # printed without a zone, hence no date-time of Swagger's (11.2)
}

_REFUSALS = {
    "400": "Bad Request - Often due to a missing request parameter",
    "401": "Unauthorized - An invalid element token, user secret and/or org secret provided",
    "403": "Forbidden - Access to the resource by the provider is forbidden",
    "404": "Not found - The requested resource is not found",
}

_LIST_PARAMETERS = {
    "where": "The CEQL search expression, or the where clause, without the WHERE keyword",
    "fields": "The fields to return on the response, separated by commas",
    "orderBy": "A field and asc or desc",
    "page": "The page number, from 1",
    "pageSize": "The number of records in a page",
    "nextPage": "The next page cursor, taken from the response header `elements-next-page-token`",
}


def object_docs(call: Call) -> Answer:
    """The document; valid by the Swagger 2.0 schema, with `x-primary-key` in the definition of the object."""
    shape = find_shape(call)
    fields = known_fields(call, shape)
    name = shape.name.replace("/", "_")
    return Answer(
        {
            "swagger": "2.0",
            "info": {"title": call.instance.connector.name, "version": "api-v2"},
            "host": call.request.header("host") or "localhost",
            "basePath": BASE_PATH,
            "schemes": ["http", "https"],
            "tags": [{"name": shape.name}],
            "paths": _paths(shape, name),
            "definitions": {
                name: _definition(shape, fields, [each for each in fields if each.required]),
                f"{name}Patch": _definition(shape, fields, []),
            },
        }
    )


def _paths(shape: ObjectDefinition, name: str) -> dict[str, Any]:
    listed = {"type": "array", "items": {"$ref": f"#/definitions/{name}"}}
    record = {"$ref": f"#/definitions/{name}"}
    created = {"type": "object"} if shape.answers else record
    paths: dict[str, Any] = {
        f"/{shape.name}": {
            "get": _operation(shape, f"get{name}", listed, [_query(each) for each in _LIST_PARAMETERS]),
            "post": _operation(shape, f"create{name}", created, [_body(record)]),
        }
    }
    if shape.primary_key:
        wanted = {"name": "id", "in": "path", "required": True, "type": "string", "description": "The ID"}
        change = {"$ref": f"#/definitions/{name}Patch"}
        paths[f"/{shape.name}/{{id}}"] = {
            "get": _operation(shape, f"get{name}ById", record, [wanted]),
            "patch": _operation(shape, f"update{name}ById", record, [wanted, _body(change)]),
            "put": _operation(shape, f"replace{name}ById", record, [wanted, _body(record)]),
            "delete": _operation(shape, f"delete{name}ById", None, [wanted]),
        }
    return paths


def _operation(
    shape: ObjectDefinition, name: str, answer: dict[str, Any] | None, parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    credentials = {
        "name": "Authorization",
        "in": "header",
        "required": True,
        "type": "string",
        "description": "The format for the header value is 'Element <token>, User <user secret>'",
    }
    success: dict[str, Any] = {"description": "OK - Everything worked as expected"}
    if answer is not None:
        success["schema"] = answer
    return {
        "operationId": name,
        "tags": [shape.name],
        "parameters": [credentials, *parameters],
        "responses": {"200": success, **{code: {"description": text} for code, text in _REFUSALS.items()}},
    }


def _query(name: str) -> dict[str, Any]:
    kind = "integer" if name in ("page", "pageSize") else "string"
    return {
        "name": name,
        "in": "query",
        "required": False,
        "type": kind,
        "description": _LIST_PARAMETERS[name],
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": "body", "in": "body", "required": True, "schema": schema}


def _definition(
    shape: ObjectDefinition, fields: list[FieldDefinition], required: list[FieldDefinition]
) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: _property(each) for each in fields},
    }
    if required:
        definition["required"] = [each.name for each in required]
    if shape.primary_key:
        definition["x-primary-key"] = shape.primary_key
    return definition


def _property(field: FieldDefinition) -> dict[str, Any]:
    shown: dict[str, Any] = dict(_TYPES.get(field.type, {"type": "string"}))
    if field.format and field.type == "string":
        shown["format"] = field.format
    if field.max_length is not None:
        shown["maxLength"] = field.max_length
    if field.pattern:
        shown["pattern"] = f"^(?:{field.pattern})$"
    if field.read_only:
        shown["readOnly"] = True
    if text := field.description or field.display_name:
        shown["description"] = text
    return shown
