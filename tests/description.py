"""`pytest_ocbulk/openapi.json` as a judge: which operation a call is, and whether an answer is one it describes.

The schemas are judged by jsonschema, not by code of ours. `python -m tests.description` writes the file anew in its
one format, after a change by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import MethodNotAllowed, NotFound
from pytest_ocbulk.emulator.instances import Credentials
from pytest_ocbulk.emulator.messages import Request
from pytest_ocbulk.emulator.routes import match, strip

from .doors import Sent

FILE = Path(__file__).parent.parent / "pytest_ocbulk" / "openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
TRANSPORT = frozenset(
    {"content-length", "content-type", "connection", "keep-alive", "transfer-encoding", "date"}
)
"""Headers that OpenAPI leaves to HTTP."""

_SCHEMA_WIDTH = 110


class Undescribed(AssertionError):
    """An answer that the description does not know."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its method and path template, and what the file says of it."""

    method: str
    template: str
    said: Mapping[str, Any]

    @property
    def statuses(self) -> set[int]:
        """The statuses it declares."""
        return {int(status) for status in self.said["responses"]}


class Description:
    """The description, ready to judge."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = [
            Operation(method.upper(), template, said)
            for template, path in document["paths"].items()
            for method, said in path.items()
            if method in METHODS
        ]
        self._validators: dict[str, Draft202012Validator] = {}
        self._by_call = {(each.method, each.template): each for each in self.operations}

    def operation(self, method: str, template: str) -> Operation:
        """The operation of a method and a template; raises `Undescribed`."""
        if (method, template) not in self._by_call:
            raise Undescribed(f"{method} {template} is not described")
        return self._by_call[method, template]

    def meant(self, emulator: Emulator, sent: Sent) -> Operation | None:
        """The operation that a request is about, None for an unknown path or method."""
        request = Request.of(sent.method, sent.target, sent.headers)
        instance = emulator.instances.get(Credentials.parse(request.header("authorization")).element)
        try:
            below = strip(request.segments)[1]
            route, _ = match(sent.method, instance.connector.fold(below) if instance else below)
        except (NotFound, MethodNotAllowed):
            return None
        return self.operation(route.method, route.template)

    def judge(self, operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `Undescribed` unless the operation describes this answer; header names in lower case."""
        said = operation.said["responses"].get(str(status))
        call = f"{operation.method} {operation.template} -> {status}"
        if said is None:
            raise Undescribed(f"{call}: the status is not declared; {body[:200]!r}")
        said = self.resolved(said)
        self._judge_headers(call, said.get("headers", {}), headers)
        content = said.get("content")
        if content is None:
            if body:
                raise Undescribed(f"{call}: expected an empty body, got {body[:200]!r}")
            return
        if headers.get("content-type") not in content:
            raise Undescribed(
                f"{call}: content type {headers.get('content-type')!r} is none of {list(content)}"
            )
        schema = content[headers["content-type"]].get("schema", {})
        self._judge_value(call, schema, _value(headers["content-type"], body))

    def judge_refusal(self, call: str, body: bytes) -> None:
        """Raise `Undescribed` unless the body is the one of every refusal."""
        self._judge_value(call, {"$ref": "#/components/schemas/Error"}, json.loads(body))

    def _judge_headers(self, call: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        for name, found in said.items():
            header = self.resolved(found)
            if name in headers:
                self._judge_value(f"{call} header {name}", header["schema"], headers[name])
            elif header.get("required"):
                raise Undescribed(f"{call}: header {name} is missing")
        unknown = {name for name in headers if not name.startswith("access-control-")} - set(said) - TRANSPORT
        if unknown - {"elements-element-instance-id"}:  # refusals carry it when the token was known
            raise Undescribed(f"{call}: undeclared headers {sorted(unknown)}")

    def _judge_value(self, place: str, schema: Mapping[str, Any], value: Any) -> None:
        error = next(self._validator(schema).iter_errors(value), None)
        if error is not None:
            raise Undescribed(f"{place}: {error.json_path}: {error.message[:300]}")

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        return self._validators[key]

    def resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a `$ref` stands for."""
        found: Any = value
        while "$ref" in found:
            reference, found = found["$ref"], self.document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
        return dict(found)


def _value(content_type: str, body: bytes) -> Any:
    """The body as a value: JSON where a charset is told, which files never have."""
    return json.loads(body) if "charset" in content_type else body.decode()


def read() -> Description:
    """The description that ships."""
    return Description(json.loads(FILE.read_text()))


def written(value: Any, indent: str = "") -> str:
    """JSON sorted by key, everything on one line that fits."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(indent) + len(line) <= _SCHEMA_WIDTH or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        inner = [written(each, deeper) for each in value]
        return "[\n" + ",\n".join(deeper + each for each in inner) + f"\n{indent}]"
    items = [f"{json.dumps(key)}: {written(each, deeper)}" for key, each in sorted(value.items())]
    return "{\n" + ",\n".join(deeper + each for each in items) + f"\n{indent}}}"


if __name__ == "__main__":
    FILE.write_text(written(json.loads(FILE.read_text())) + "\n")
