"""The bytes of an answer, without a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.messages import PROMPT, Delivery, Disconnect, Response
from pytest_ocbulk.http1.transmission import BLOCK, Outgoing, Pause, outgoing, release, server_refusal


def written(
    response: Response, *, method: str = "GET", http10: bool = False, keep_alive: bool = True
) -> Outgoing:
    return outgoing(response, method=method, http10=http10, keep_alive=keep_alive)


def whole(message: Outgoing) -> bytes:
    steps = [] if message.steps is None else list(message.steps)
    return message.first + b"".join(step for step in steps if not isinstance(step, Pause))


def test_a_small_answer_is_one_piece() -> None:
    message = written(Response(200, {"Content-Type": "text/plain"}, b"abc"))
    assert message == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc",
        None,
        True,
    )


def test_an_answer_without_headers_of_its_own_is_framed() -> None:
    assert written(Response(404, {})).first == b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def test_a_status_without_a_name_is_written() -> None:
    assert written(Response(599, {})).first.startswith(b"HTTP/1.1 599 \r\n")


def test_the_framing_is_ours_whatever_the_app_says() -> None:
    headers = {"content-length": "99", "Transfer-Encoding": "gzip", "CONNECTION": "upgrade"}
    assert written(Response(200, headers, b"abc")).first == b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    message = written(Response(status, {}, b"ignored"))
    assert message.first.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in message.first
    assert message.stays


def test_letters_beyond_latin_1_are_written_as_utf_8() -> None:
    assert "x: Zoë\r\n".encode("latin-1") in written(Response(200, {"x": "Zoë"})).first
    assert "x: 名\r\n".encode() in written(Response(200, {"x": "名"})).first


def test_a_cut_answer_does_not_announce_that_it_will_close() -> None:
    message = written(Response(200, {}, b"abc", Delivery(truncate_after=1)))
    assert not message.stays
    assert b"Connection" not in message.first


def test_small_pieces_are_joined_and_large_ones_kept_apart() -> None:
    pieces = [b"a", b"b", b"c" * BLOCK, b"d" * BLOCK, b"e"]
    message = written(Response(200, {}, iter(pieces)), http10=True)
    assert [len(step) for step in message.steps or () if isinstance(step, bytes)] == [BLOCK + 2, BLOCK, 1]


PIECES = st.lists(st.binary(max_size=30), max_size=8)


@given(pieces=PIECES, after=st.integers(0, 200), stall=st.integers(0, 200))
def test_a_stall_pauses_once_at_its_place_and_loses_nothing(
    pieces: list[bytes], after: int, stall: int
) -> None:
    body = b"".join(pieces)
    message = written(Response(200, {}, iter(pieces), Delivery(stall_after=after, stall=stall)), http10=True)
    steps = list(message.steps or ())
    pauses = [place for place, step in enumerate(steps) if isinstance(step, Pause)]

    assert whole(message) == message.first
    assert b"".join(step for step in steps if not isinstance(step, Pause)) == body
    if after > len(body):
        assert pauses == []
    else:
        (place,) = pauses
        assert isinstance(steps[place], Pause)
        assert float(steps[place]) == stall
        assert b"".join(steps[:place]) == body[:after]  # type: ignore[arg-type]


@given(pieces=PIECES, after=st.integers(0, 200))
def test_a_cut_ends_at_its_place(pieces: list[bytes], after: int) -> None:
    body = b"".join(pieces)
    delivery = Delivery(truncate_after=after)
    streamed = written(Response(200, {}, iter(pieces), delivery), http10=True)
    held = written(Response(200, {}, body, delivery))
    assert whole(streamed) == streamed.first + body[:after]
    assert whole(held) == held.first + body[:after]


def test_a_stall_and_a_cut_can_be_combined() -> None:
    delivery = Delivery(stall_after=2, stall=3, truncate_after=4)
    assert list(written(Response(200, {}, b"012345", delivery)).steps or ()) == [b"01", 3, b"23"]


def test_a_stall_at_the_beginning_does_not_end_the_chunks() -> None:
    steps = list(written(Response(200, {}, iter([b"abc"]), Delivery(stall_after=0, stall=1))).steps or ())
    assert steps == [1.0, b"3\r\nabc\r\n", b"0\r\n\r\n"]


def test_an_empty_piece_does_not_end_the_chunks() -> None:
    message = written(Response(200, {}, iter([b"", b"a", b""])))
    assert whole(message).endswith(b"\r\n\r\n1\r\na\r\n0\r\n\r\n")


def test_an_answer_is_prompt_unless_told_otherwise() -> None:
    assert Response(200, {}).delivery is PROMPT


def test_an_answer_that_is_not_read_lets_go_of_what_it_holds() -> None:
    closed = []

    def body() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    started = body()
    next(started)
    release(Response(200, {}, started))
    release(Response(200, {}, iter([b"no close method"])))
    release(Response(200, {}, b"bytes"))
    release(Disconnect())
    assert closed == [True]


def test_a_refusal_has_the_shape_of_the_services_errors() -> None:
    made = server_refusal(400, "Why.")
    request_id = made.headers["elements-request-id"]
    assert len(request_id) == 24
    assert made.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert made.body == b'{"requestId": "%s", "message": "Why."}' % request_id.encode()
