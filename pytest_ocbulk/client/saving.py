"""A streamed body into a file, which is never seen half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pytest_ocbulk.emulator.whole_file import written

from .multipart_body import Progress


def save(chunks: Iterator[bytes], path: Path, progress: Progress | None = None) -> None:
    """Write beside `path` and move it there when it is whole; whatever goes wrong leaves `path` as it was."""
    with written(path) as file:
        pour(chunks, file, progress)


def pour(chunks: Iterator[bytes], file: BinaryIO, progress: Progress | None = None) -> None:
    """Write to an open file; `progress` is called with the bytes written and None for the unknown total."""
    done = 0
    for chunk in chunks:
        file.write(chunk)
        done += len(chunk)
        if progress:
            progress(done, None)
