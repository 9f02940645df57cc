"""Results of every shape, streamed to rows or to a file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import responses

from pytest_ocbulk.client import (
    BadRequest,
    BulkClient,
    ConnectionFailed,
)

from .raw_service import answer, raw_service
from .stand_ins import BASE, at


def result(service: responses.RequestsMock, body: str, accept: str) -> None:
    service.get(
        f"{BASE}/bulk/7/contact",
        body=body,
        match=[responses.matchers.header_matcher({"Accept": accept})],
    )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ('[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{\n  "a": 1\n}\n', [{"a": 1}]),
        ("[]", []),
        ("", []),
    ],
    ids=["lines", "array", "single object", "empty array", "empty body"],
)
def test_json_results_give_rows_whatever_their_shape(
    client: BulkClient, service: responses.RequestsMock, body: str, rows: list[dict[str, int]]
) -> None:
    result(service, body, "application/json")
    assert list(client.download("7", "contact", format="json")) == rows


def test_csv_results_give_rows_by_their_header(client: BulkClient, service: responses.RequestsMock) -> None:
    result(service, 'Name,Parent.Name\nchild,"a ""b"",\nc"\n', "text/csv")
    assert list(client.download("7", "contact")) == [{"Name": "child", "Parent.Name": 'a "b",\nc'}]


def test_a_download_to_a_path_is_the_file_as_it_is(
    client: BulkClient, service: responses.RequestsMock, tmp_path: Path
) -> None:
    result(service, "a\n1\n", "text/csv")
    seen: list[tuple[int, int | None]] = []
    path = tmp_path / "x.csv"
    client.download("7", "contact", to=path, progress=lambda *done: seen.append(done))
    assert path.read_bytes() == b"a\n1\n"
    assert seen == [(4, None)]
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"]


def test_a_download_goes_into_an_open_file_too(client: BulkClient, service: responses.RequestsMock) -> None:
    result(service, "a\n1\n", "text/csv")
    file = io.BytesIO(b"before:")
    file.seek(0, io.SEEK_END)
    client.download("7", "contact", to=file)
    assert file.getvalue() == b"before:a\n1\n"


def test_a_download_that_breaks_off_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"old")
    cut = answer(body="a\n1\n", Content_Length="400")
    with (
        raw_service(cut) as service,
        at(service.base_url) as client,
        pytest.raises(ConnectionFailed, match=r"^GET /bulk/7/contact: the body broke off: Incomplete"),
    ):
        client.download("7", "contact", to=path)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"]


def test_rows_that_break_off_say_so_after_those_that_came() -> None:
    """Rows come chunk by chunk; those of whole chunks are handed out, then the break is told."""
    cut = answer(body='{"a": 1}\n' * 10_000, Content_Length="1000000")
    with raw_service(cut) as service, at(service.base_url) as client:
        rows = client.download("7", "contact", format="json")
        assert [next(rows) for _ in range(5_000)] == [{"a": 1}] * 5_000
        with pytest.raises(ConnectionFailed, match=r"^GET /bulk/7/contact: the body broke off: Incomplete"):
            list(rows)


def test_a_refused_download_is_a_refusal(
    client: BulkClient, service: responses.RequestsMock, tmp_path: Path
) -> None:
    service.get(f"{BASE}/bulk/7/contact", status=400, json={"message": "The job is not complete"})
    with pytest.raises(BadRequest, match="The job is not complete"):
        client.download("7", "contact", to=tmp_path / "x.csv")
    with pytest.raises(BadRequest, match="The job is not complete"):
        list(client.download("7", "contact"))
    assert list(tmp_path.iterdir()) == []
