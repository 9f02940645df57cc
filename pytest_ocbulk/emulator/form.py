"""A `multipart/form-data` body, read as a stream: its file goes to a spooled temporary file, its metaData to memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from .errors import BadRequest
from .messages import SPOOL_BYTES, Request

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

METADATA_LIMIT = 1024 * 1024
"""Bytes that are read of a metaData part."""


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


def read_form(request: Request, form: Form) -> None:
    """Read the body of a request into a form; raises `BadRequest` saying what was expected and what came."""
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
