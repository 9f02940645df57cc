"""A multipart body that is read while it is sent, and whose length is known before.

`requests` asks an iterable body for its length and then sends what it yields, so the memory needed does not depend
on the size of the file; `files=` would read all of it first. A source without a length makes a body without
one, which `requests` sends chunked.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from .errors import ConfigurationError, SourceChanged

CHUNK = 256 * 1024
"""Bytes per read: larger ones bring no speed, smaller ones cost it."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes of the file that are done, and their total (None if nobody knows it)."""

Source = str | os.PathLike[str] | BinaryIO | bytes | Iterable[bytes]
"""A path, a file open for reading bytes, bytes, or chunks of bytes."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """What is uploaded: a name, a size in bytes (None if unknown) and a way to read it from the start, once."""

    name: str
    size: int | None
    chunks: Callable[[], Iterator[bytes]]

    @classmethod
    def of(cls, source: Source, name: str | None = None) -> FileContent:
        """Take any source. Raises `ConfigurationError` for text where bytes are needed."""
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            return cls(name or path.name, path.stat().st_size, lambda: _read_path(path))
        if isinstance(source, (bytes, bytearray, memoryview)):
            content = bytes(source)
            return cls(name or "upload.csv", len(content), lambda: _read(io.BytesIO(content)))
        if hasattr(source, "read"):
            file = cast(BinaryIO, source)
            named = Path(str(getattr(file, "name", "upload.csv"))).name
            return cls(name or named, _remaining(file), lambda: _read(file))
        chunks = source
        return cls(name or "upload.csv", None, lambda: _checked(chunks))


class MultipartBody:
    """The form as an iterable of bytes, without a length.

    `metadata` is the JSON text of the part `metaData`, sent first so that a server knows what the file is before
    it arrives; None leaves the part out.
    """

    def __init__(
        self,
        content: FileContent,
        content_type: str,
        metadata: str | None = None,
        progress: Progress | None = None,
        boundary: str | None = None,
    ) -> None:
        self._content = content
        self._progress = progress
        self._boundary = boundary or secrets.token_hex(16)
        self.head = self._metadata_part(metadata) + self._file_head(content_type)
        self.tail = f"\r\n--{self._boundary}--\r\n".encode()

    @property
    def content_type(self) -> str:
        """The value of the request's Content-Type header."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __iter__(self) -> Iterator[bytes]:
        head = self.head  # with the first chunk: a packet of its own wakes the server for nothing
        for chunk in self._file():
            yield head + chunk
            head = b""
        yield head + self.tail

    def _file(self) -> Iterator[bytes]:
        size, sent = self._content.size, 0
        for chunk in self._content.chunks():
            sent += len(chunk)
            if size is not None and sent > size:
                raise SourceChanged(_changed(self._content.name, size, "grew"))
            yield chunk
            if self._progress:
                self._progress(sent, size)
        if size is not None and sent < size:
            raise SourceChanged(_changed(self._content.name, size, f"ended after {sent} bytes"))

    def _metadata_part(self, metadata: str | None) -> bytes:
        if metadata is None:
            return b""
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="metaData"\r\n\r\n'
        return f"{head}{metadata}\r\n".encode()

    def _file_head(self, content_type: str) -> bytes:
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{_quoted(self._content.name)}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        ).encode(errors="replace")  # a file's name need not be text


class SizedMultipartBody(MultipartBody):
    """The same with a length, so that the request says `Content-Length`."""

    def __len__(self) -> int:
        return len(self.head) + (self._content.size or 0) + len(self.tail)


def multipart_body(
    content: FileContent,
    content_type: str = "text/csv",
    metadata: str | None = None,
    progress: Progress | None = None,
    boundary: str | None = None,
) -> MultipartBody:
    """The body for this content: with a length if the content has one. `boundary` is random unless given."""
    kind = MultipartBody if content.size is None else SizedMultipartBody
    return kind(content, content_type, metadata, progress, boundary)


def _read_path(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        yield from _read(file)


def _read(file: BinaryIO | io.RawIOBase) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        if not isinstance(chunk, bytes):
            raise ConfigurationError(
                f"the file's read() gave {type(chunk).__name__}, not bytes; open it in binary mode"
            )
        yield chunk


def _checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if not isinstance(chunk, bytes):
            raise ConfigurationError(f"an upload takes chunks of bytes, got {type(chunk).__name__}")
        if chunk:  # an empty chunk would end a chunked body
            yield chunk


def _remaining(file: BinaryIO | io.TextIOBase) -> int | None:
    """Bytes from where the file stands to its end; None for a pipe. Raises `ConfigurationError` for text."""
    if isinstance(file, io.TextIOBase):
        raise ConfigurationError("the file is open for text; open it in binary mode: open(path, 'rb')")
    try:
        here = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError):
        return None
    return end - here


def _quoted(name: str) -> str:
    """A file name inside quotes, escaped the way browsers do (WHATWG HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _changed(name: str, size: int, what: str) -> str:
    return (
        f"{name} had {size} bytes when the upload began and {what}; no job was created."
        " Upload it again when nothing writes to it"
    )
