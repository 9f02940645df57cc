"""Forms of uploads: taken apart, redacted part by part, and put together again under a boundary of our own."""

from __future__ import annotations

import json
from typing import Any

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from .redaction import Redactor

BOUNDARY = "ocbulk-recording"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def redacted_form(redactor: Redactor, content_type: str, body: bytes) -> tuple[str, bytes]:
    """The content type and the body of a form without secrets; a form that cannot be read is left out."""
    _, parameters = parse_options_header(content_type)
    try:
        parts = _parts(parameters.get("boundary", ""), body)
    except (MultipartError, ValueError):
        return CONTENT_TYPE, b""
    is_json = _announces_json(parts)
    written = b""
    for name, file_name, content in parts:
        disposition = f'form-data; name="{name}"'
        kind = "application/json" if name == "metaData" or is_json else "text/csv"
        if file_name:
            disposition += f'; filename="upload.{"json" if is_json else "csv"}"'
        redacted = redactor.body(kind, content)
        written += f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + redacted + b"\r\n"
    return CONTENT_TYPE, written + f"--{BOUNDARY}--\r\n".encode()


def _parts(boundary: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    found: list[tuple[str, str | None, bytes]] = []
    with PushMultipartParser(boundary, max_segment_count=100) as parser:
        content = b""
        segment: MultipartSegment | None = None
        for event in (*parser.parse(body), *parser.parse(b"")):
            if isinstance(event, MultipartSegment):
                segment, content = event, b""
            elif event:
                content += event
            elif segment is not None:
                found.append((segment.name, segment.filename, content))
                segment = None
    return found


def _announces_json(parts: list[tuple[str, str | None, bytes]]) -> bool:
    """Whether the metaData says that the file is JSON (protocol.md 5)."""
    for name, _, content in parts:
        if name == "metaData":
            try:
                options: Any = json.loads(content)
            except ValueError:
                return False
            return isinstance(options, dict) and str(options.get("format", "")).lower() == "json"
    return False
