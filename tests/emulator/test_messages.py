"""The messages that cross the seam: targets are decoded once, bodies are measured, answers keep what they are."""

from __future__ import annotations

import io

import pytest

from pytest_ocbulk.emulator.messages import PROMPT, Delivery, Request, Response


@pytest.mark.parametrize(
    ("target", "segments", "query"),
    [
        ("/a/b", ("a", "b"), {}),
        ("//a//b/", ("a", "b"), {}),
        ("", (), {}),
        ("/a%2Fb/c%20d", ("a/b", "c d"), {}),
        ("/a?x=1&y=&x=2", ("a",), {"x": "2", "y": ""}),
        ("/a?q=a+b%2Bc", ("a",), {"q": "a b+c"}),
        ("/a?b?c=/d", ("a",), {"b?c": "/d"}),
        ("/%C3%A4?n=%C3%B6", ("ä",), {"n": "ö"}),
        ("/%FF", ("\ufffd",), {}),
        ("/a?flag", ("a",), {"flag": ""}),
    ],
)
def test_a_target_is_split_before_it_is_decoded(
    target: str, segments: tuple[str, ...], query: dict[str, str]
) -> None:
    request = Request.of("GET", target)
    assert (request.segments, dict(request.query)) == (segments, query)


def test_a_path_is_shown_decoded() -> None:
    assert Request.of("GET", "/a%2Fb/c?x=1").path == "/a/b/c"
    assert Request.of("GET", "/").path == "/"


def test_header_names_are_lower_case_inside_and_found_in_any_case() -> None:
    request = Request.of("GET", "/", {"Content-TYPE": "Text/CSV"})
    assert dict(request.headers) == {"content-type": "Text/CSV"}
    assert request.header("Content-Type") == request.header("content-type") == "Text/CSV"


def test_a_missing_header_is_empty_or_the_default() -> None:
    assert Request.of("GET", "/").header("accept") == ""
    assert Request.of("GET", "/").header("accept", "text/csv") == "text/csv"


def test_a_body_of_bytes_is_a_file_with_its_size() -> None:
    request = Request.of("POST", "/", body=b"abc")
    assert (request.size, request.body.read()) == (3, b"abc")


def test_a_body_file_is_measured_and_begun_anew() -> None:
    body = io.BytesIO(b"abcdef")
    body.seek(4)
    request = Request.of("POST", "/", body=body)
    assert (request.size, request.body.read()) == (6, b"abcdef")


def test_without_a_body_the_size_is_zero() -> None:
    request = Request.of("GET", "/")
    assert (request.size, request.body.read()) == (0, b"")


def test_an_answer_travels_promptly_unless_it_is_told_otherwise() -> None:
    answer = Response(200, {"a": "b"}, b"c")
    assert answer.delivery is PROMPT
    late = answer.delivered(Delivery(delay=2.0, truncate_after=1))
    assert (late.status, late.headers, late.body) == (200, {"a": "b"}, b"c")
    assert (late.delivery.delay, late.delivery.truncate_after) == (2.0, 1)
    assert answer.delivery is PROMPT
