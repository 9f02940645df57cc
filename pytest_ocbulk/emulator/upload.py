"""An upload request becomes a file and its options (protocol.md 3.3, 5).

The form is `multipart/form-data` with a file part named `file` and, in any order, a text part `metaData` that
holds a JSON object. The vendor's transfer example sends the same options as query parameters: they are accepted,
and the part wins. What reads forms is imported by the first one that comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from .errors import BadRequest, nearest
from .json_text import read_json
from .messages import Request

if TYPE_CHECKING:
    from .form import Form

ACTIONS = ("create", "update", "upsert")
FORMATS = ("csv", "json")
_QUERY_OPTIONS = ("action", "primaryKeyName", "identifierFieldName", "bulkUploadRecordSize", "format")


class Options(NamedTuple):
    """What `metaData` asks for; `batch_size` is in rows, None where the connector's default holds."""

    action: str | None = None
    key: str | None = None
    batch_size: int | None = None
    file_format: str = "csv"
    callback_payload: Any = None
    text: str | None = None


class Upload(NamedTuple):
    """The uploaded file, its size in bytes, the options that came with it, and its SHA-256 in hex digits.

    `kept` is the key under which a data file has it already, empty if none has.
    """

    file: BinaryIO
    size: int
    options: Options
    digest: str = ""
    kept: str = ""


def parse(request: Request) -> Upload:
    """Read the form of an upload request; raises `BadRequest` saying what was expected and what came."""
    form, request.passage.form = request.passage.form or read_ahead(request), None
    upload = None
    try:
        if form.refusal is not None:
            raise form.refusal
        upload = _upload(request, form)
        return upload
    finally:
        form.close(keep=upload.file if upload else None)


def read_ahead(request: Request) -> Form:
    """Read a form without knowing yet who sends it: `parse` finds it, or why it cannot be read, in the passage.

    It takes a second for some hundred MB, and nobody else has to wait for it.
    """
    from .form import Form, read_form

    form = request.passage.form = Form()
    try:
        read_form(request, form)
    except BadRequest as refusal:
        form.refusal = refusal
    return form


def read_metadata(request: Request) -> dict[str, Any]:
    """The metaData of a form that needs no file, as a query may have one (protocol.md 3.2); empty without a form."""
    if not request.header("content-type").startswith("multipart/form-data"):
        return {}
    from .form import Form, read_form

    form = Form()
    try:
        read_form(request, form)
        return _json_object(form.metadata) if form.metadata and form.metadata.strip() else {}
    finally:
        form.close()


def _upload(request: Request, form: Form) -> Upload:
    if form.file is None:
        found = ", ".join(map(repr, form.names)) or "none"
        raise BadRequest(f"Expected a file part named 'file', got parts: {found}")
    size = form.file.tell()
    form.file.seek(0)
    options = parse_options(form.metadata, request.query)
    return Upload(form.file, size, options, form.digest.hexdigest(), form.kept)


def parse_options(metadata: bytes | None, query: Mapping[str, str]) -> Options:
    """Read the options from the metaData part and the query; raises `BadRequest` for a wrong value."""
    values: dict[str, Any] = {name: query[name] for name in _QUERY_OPTIONS if name in query}
    text = None
    if metadata is not None and metadata.strip():
        given = _json_object(metadata)
        values |= given
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    action = _one_of("action", values.get("action"), ACTIONS)
    key = _text("identifierFieldName", values) or _text("primaryKeyName", values)
    if action in ("update", "upsert") and not key:
        raise BadRequest(
            f"Expected metaData primaryKeyName or identifierFieldName with action {action!r}, got neither"
        )
    return Options(
        action=action,
        key=key,
        batch_size=_batch_size(values.get("bulkUploadRecordSize")),
        file_format=_one_of("format", values.get("format"), FORMATS) or "csv",
        callback_payload=values.get("callback-payload"),
        text=text,
    )


def _json_object(metadata: bytes) -> dict[str, Any]:
    try:
        value = read_json(metadata)
    except ValueError as error:
        raise BadRequest(f"Expected metaData to be a JSON object, got invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"Expected metaData to be a JSON object, got {json.dumps(value)[:40]}")
    return value


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> str | None:
    if value is None or value == "":
        return None
    if str(value).lower() not in choices:
        hint = nearest(str(value).lower(), choices)
        raise BadRequest(
            f"Expected metaData {name} to be one of {', '.join(choices)}, got {value!r}{hint if '?' in hint else ''}"
        )
    return str(value).lower()


def _text(name: str, values: Mapping[str, Any]) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"Expected metaData {name} to be the name of a field, got {json.dumps(value)[:40]}")
    return value or None


def _batch_size(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else 0
    except ValueError:
        number = 0
    if number < 1:
        raise BadRequest(
            f"Expected metaData bulkUploadRecordSize to be a number of rows from 1, got {value!r}"
        )
    return number
