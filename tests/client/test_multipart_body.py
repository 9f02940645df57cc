"""The streaming form, byte for byte, and that what it needs does not grow with the file."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ocbulk.client.multipart_body import CHUNK, FileContent, multipart_body


def test_the_form_is_what_rfc_7578_asks_for() -> None:
    content = FileContent.of(b"a\n1\n", "a.csv")
    body = multipart_body(content, "text/csv", '{"action": "create"}', boundary="XX")
    assert body.content_type == "multipart/form-data; boundary=XX"
    assert b"".join(body) == (
        b"--XX\r\n"
        b'Content-Disposition: form-data; name="metaData"\r\n'
        b"\r\n"
        b'{"action": "create"}\r\n'
        b"--XX\r\n"
        b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n"
        b"\r\n"
        b"a\n1\n"
        b"\r\n--XX--\r\n"
    )


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_the_length_is_that_of_what_is_sent(size: int) -> None:
    body = multipart_body(FileContent.of(b"x" * size), metadata='{"a": "ä"}')
    assert len(body) == len(b"".join(body))  # type: ignore[arg-type]  # a sized source makes a sized body


def test_a_source_without_a_length_makes_a_body_without_one() -> None:
    body = multipart_body(FileContent.of(iter([b"a", b"", b"b"])), boundary="XX")
    assert not hasattr(body, "__len__")
    assert b"\r\n\r\nab\r\n--XX--" in b"".join(body)
    assert all(body_chunk for body_chunk in multipart_body(FileContent.of(iter([b"a", b""]))))


def test_a_pipe_has_no_length() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\n1\n")
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor has no path
        content = FileContent.of(pipe)
        assert content.size is None
        assert b"".join(content.chunks()) == b"a\n1\n"


def test_every_body_has_a_boundary_of_its_own() -> None:
    content = FileContent.of(b"a")
    assert multipart_body(content).content_type != multipart_body(content).content_type


@pytest.mark.parametrize(
    ("name", "quoted"),
    [('a"b.csv', "a%22b.csv"), ("a\r\nX: y.csv", "a%0D%0AX: y.csv"), ("käse.csv", "käse.csv")],
)
def test_a_file_name_cannot_break_out_of_its_quotes(name: str, quoted: str) -> None:
    body = b"".join(multipart_body(FileContent.of(b"a", name)))
    assert f'filename="{quoted}"\r\n'.encode() in body


def test_names_come_from_paths_and_open_files(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"a")
    with path.open("rb") as file:
        assert [FileContent.of(source).name for source in (path, str(path), file)] == ["people.csv"] * 3
    assert FileContent.of(b"a").name == FileContent.of(io.BytesIO(b"a")).name == "upload.csv"


def test_a_large_file_needs_no_more_memory_than_a_small_one() -> None:
    class Endless(io.RawIOBase):
        """64 MiB that are nowhere."""

        position = 0

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def tell(self) -> int:
            return self.position

        def seek(self, offset: int, whence: int = 0, /) -> int:
            self.position = offset + (64 << 20 if whence == io.SEEK_END else 0)
            return self.position

        def read(self, size: int = -1, /) -> bytes:
            size = min(size, (64 << 20) - self.position)
            self.position += size
            return bytes(size)

    def drain(chunks: Iterator[bytes]) -> int:
        return sum(len(chunk) for chunk in chunks)

    body = multipart_body(FileContent.of(Endless()))
    tracemalloc.start()
    try:
        total = drain(iter(body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total > 64 << 20
    assert peak < 4 * CHUNK
