"""Uploads as they look on the wire, read by the standard library."""

from __future__ import annotations

import io
from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import cast

import pytest
import requests
import responses

from pytest_ocbulk.client import (
    BulkClient,
    ConfigurationError,
    Job,
    SourceChanged,
)

from .raw_service import answer, raw_service
from .stand_ins import BASE, STUB, at

Part = tuple[str | None, str, object]
"""File name, content type, content."""


def form_of(request: requests.PreparedRequest) -> dict[str, Part]:
    """The parts of a form by their names, read by the standard library."""
    content = b"".join(cast(Iterable[bytes], request.body))
    return parsed(request.headers["Content-Type"], content)


def parsed(content_type: str, body: bytes) -> dict[str, Part]:
    form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return {
        str(part.get_param("name", header="content-disposition")): (
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in form.iter_parts()
    }


def test_an_upload_is_a_form_with_metadata_and_file(
    client: BulkClient, service: responses.RequestsMock, tmp_path: Path
) -> None:
    path = tmp_path / 'sam"ple.csv'
    path.write_bytes(b"C_EmailAddress\r\n\xc3\xa4@x.com\r\n")
    service.post(f"{BASE}/bulk/contact", body=STUB)
    job = client.upload("contact", path, {"bulkUploadRecordSize": 1}, "https://me.example/done")
    assert job == Job("42114492", "CREATED", 425904)
    request = service.calls[0].request
    assert request.headers["Elements-Async-Callback-Url"] == "https://me.example/done"
    assert form_of(request) == {
        "metaData": (None, "text/plain", b'{"bulkUploadRecordSize": 1}'),
        "file": ("sam%22ple.csv", "text/csv", b"C_EmailAddress\r\n\xc3\xa4@x.com\r\n"),
    }


def test_an_upload_without_options_has_no_metadata_part(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.post(f"{BASE}/bulk/contact", body=STUB)
    client.upload("contact", b"a\n1\n")
    assert list(form_of(service.calls[0].request)) == ["file"]
    assert "Elements-Async-Callback-Url" not in service.calls[0].request.headers


def test_a_json_upload_is_labelled_json(client: BulkClient, service: responses.RequestsMock) -> None:
    service.post(f"{BASE}/bulk/contact", body=STUB)
    client.upload("contact", b'{"a": 1}\n', {"format": "json"}, file_name="rows.json")
    assert form_of(service.calls[0].request)["file"] == ("rows.json", "application/json", b'{"a": 1}\n')


def test_a_sized_upload_says_its_length_and_an_unsized_one_is_chunked(tmp_path: Path) -> None:
    content = b"a\n" + b"1\n" * 300_000
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    created = answer(body=STUB)
    with (
        raw_service(created, created, created, created, keep=1 << 21) as service,
        at(service.base_url) as client,
    ):
        client.upload("contact", path)
        with path.open("rb") as file:
            client.upload("contact", file)
        client.upload("contact", content)
        client.upload("contact", (content[i : i + 1000] for i in range(0, len(content), 1000)))
    *sized, unsized = service.received
    for received in service.received:
        content_type = received.head.partition("Content-Type: ")[2].partition("\r\n")[0]
        assert parsed(content_type, received.body)["file"][2] == content
    assert [f"Content-Length: {each.size}" in each.head for each in sized] == [True, True, True]
    assert "Transfer-Encoding: chunked" in unsized.head
    assert "Content-Length" not in unsized.head


def test_an_open_file_is_sent_from_where_it_stands(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.post(f"{BASE}/bulk/contact", body=STUB)
    file = io.BytesIO(b"skipped\na\n1\n")
    file.readline()
    client.upload("contact", file)
    assert form_of(service.calls[0].request)["file"][2] == b"a\n1\n"


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 600_000)
    seen: list[tuple[int, int | None]] = []
    with raw_service(answer(body=STUB)) as service, at(service.base_url) as client:
        client.upload("contact", path, progress=lambda sent, total: seen.append((sent, total)))
    assert seen == [(262_144, 600_000), (524_288, 600_000), (600_000, 600_000)]


def test_a_text_file_is_refused_before_anything_is_sent(client: BulkClient) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client.upload("contact", io.StringIO("a\n1\n"))  # type: ignore[arg-type]  # the mistake under test
    assert str(caught.value) == "the file is open for text; open it in binary mode: open(path, 'rb')"


def test_chunks_of_text_are_refused(tmp_path: Path) -> None:
    with raw_service() as service, at(service.base_url) as client:
        with pytest.raises(ConfigurationError, match=r"^an upload takes chunks of bytes, got str$"):
            client.upload("contact", iter(["a\n"]))  # type: ignore[arg-type]  # the mistake under test
        assert service.received == []


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"12345", "ended after 5 bytes"), (b"12345678901", "grew")],
)
def test_a_file_that_changes_while_it_is_sent_makes_no_job(content: bytes, what: str) -> None:
    class Changing(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return 10 if whence == io.SEEK_END else super().seek(offset, whence)

    with raw_service(answer(body=STUB)) as service, at(service.base_url) as client:
        with pytest.raises(SourceChanged) as caught:
            client.upload("contact", Changing(content), file_name="a.csv")
        assert str(caught.value) == (
            f"a.csv had 10 bytes when the upload began and {what}; no job was created."
            " Upload it again when nothing writes to it"
        )
