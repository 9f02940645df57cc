"""An upload request becomes a file and its options (protocol.md 3.3, 5).

The form is `multipart/form-data` with a file part named `file` and, in any order, a text part `metaData` that
holds a JSON object. The vendor's transfer example sends the same options as query parameters: they are accepted,
and the part wins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from .errors import BadRequest, nearest
from .json_text import read_json
from .messages import SPOOL_BYTES, Request

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

ACTIONS = ("create", "update", "upsert")
FORMATS = ("csv", "json")
METADATA_LIMIT = 1024 * 1024
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


@dataclass(slots=True)
class Form:
    """The parts of a form that matter, as they come in."""

    file: BinaryIO | None = None
    metadata: bytes | None = None
    names: list[str] = field(default_factory=list)
    opened: list[BinaryIO] = field(default_factory=list)
    digest: Hash = field(
        default_factory=sha256
    )  # of the file; of the algorithms at hand the fastest but SHA-1
    refusal: BadRequest | None = None
    kept: str = ""

    def close(self, keep: BinaryIO | None = None) -> None:
        """Close all parts but the one to keep."""
        for part in self.opened:
            if part is not keep:
                part.close()


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
    form = request.passage.form = Form()
    try:
        _read_form(request, form)
    except BadRequest as refusal:
        form.refusal = refusal
    return form


def read_metadata(request: Request) -> dict[str, Any]:
    """The metaData of a form that needs no file, as a query may have one (protocol.md 3.2); empty without a form."""
    if not request.header("content-type").startswith("multipart/form-data"):
        return {}
    form = Form()
    try:
        _read_form(request, form)
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


def _read_form(request: Request, form: Form) -> None:
    content_type, parameters = parse_options_header(request.header("content-type"))
    if content_type != "multipart/form-data":
        came = repr(content_type) if content_type else "no Content-Type"
        raise BadRequest(f"Expected a multipart/form-data body with a file part, got {came}")
    if not parameters.get("boundary"):
        raise BadRequest("Expected a boundary in the Content-Type of the multipart body, got none")
    try:
        with PushMultipartParser(parameters["boundary"], max_segment_count=100) as parser:
            _receive(parser, request.body, form)
    except (MultipartError, UnicodeDecodeError) as error:
        raise BadRequest(f"The multipart body cannot be read: {error}") from None


def _receive(parser: PushMultipartParser, body: BinaryIO, form: Form) -> None:
    body.seek(0)
    sink: BinaryIO | None = None
    while not parser.closed:
        block = body.read(256 * 1024)
        for event in parser.parse(block):
            if isinstance(event, MultipartSegment):
                sink = _open_part(form, event)
            elif event and sink is not None:
                sink.write(event)
                if sink is form.file:
                    form.digest.update(event)
            elif event is None and sink is not None and form.names[-1] == "metaData":
                sink.seek(0)
                form.metadata = sink.read(METADATA_LIMIT)
        if not block:
            return


def _open_part(form: Form, segment: MultipartSegment) -> BinaryIO | None:
    form.names.append(segment.name)
    if segment.name not in ("file", "metaData"):
        return None
    sink = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # the form or job closes it
    form.opened.append(sink)
    if segment.name == "file":
        form.file = sink
    return sink


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
