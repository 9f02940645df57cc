"""The webhook receiver, used by foreign clients: it collects, verifies, answers as told, and is quick to go."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from pytest_ocbulk.client import verify_signature
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.receiver import Receiver

from .patience import PATIENCE
from .ports import closed_port

VECTORS = json.loads((Path(__file__).parent.parent / "fixtures/vectors/signature.json").read_text())
VECTOR = VECTORS["valid"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def signed() -> dict[str, str]:
    """The headers of the published example."""
    return {VECTORS["header"]: VECTOR["signature"], "Content-Type": "text/plain"}


def test_it_collects_bodies_as_they_came_with_their_headers_and_time(receiver: Receiver) -> None:
    before = time.time()
    requests.post(receiver.url, data=b'{"id":  "1234"}\r\n', headers={"X-Thing": "a"}, timeout=PATIENCE)
    requests.post(receiver.url + "/other?x=1", data=b"second", timeout=PATIENCE)
    first, second = receiver.received
    assert (first.body, first.json(), first.headers["x-thing"]) == (
        b'{"id":  "1234"}\r\n',
        {"id": "1234"},
        "a",
    )
    assert (first.path, second.path, second.body) == ("/callback", "/callback/other?x=1", b"second")
    assert before <= first.at <= second.at <= time.time()
    assert (first.answered, first.verified, len(receiver)) == (200, None, 2)


def test_a_signature_is_verified_over_the_raw_bytes() -> None:
    with Receiver(VECTOR["key"]) as receiver:
        requests.post(receiver.url, data=VECTOR["body"], headers=signed(), timeout=PATIENCE)
        requests.post(receiver.url, data=VECTOR["body"] + "\n", headers=signed(), timeout=PATIENCE)
        requests.post(receiver.url, data=VECTOR["body"], timeout=PATIENCE)
        assert [each.verified for each in receiver.received] == [True, False, False]
        assert [each.signature for each in receiver.received] == [VECTOR["signature"]] * 2 + [""]


@pytest.mark.parametrize("name", [VECTORS["header"], VECTORS["header"].lower(), VECTORS["header"].upper()])
def test_a_header_is_found_by_its_name_in_any_case(receiver: Receiver, name: str) -> None:
    requests.post(receiver.url, data=VECTOR["body"], headers=signed(), timeout=PATIENCE)
    got = receiver.wait_for()
    assert verify_signature(VECTOR["key"], got.body, got.headers.get(name, ""))  # as in docs/client.md
    assert VECTORS["header"] in list(got.headers)
    assert name in got.headers
    assert f"'{VECTORS['header']}': '{VECTOR['signature']}'" in repr(got.headers)
    assert len(got.headers) == len(list(got.headers))


def test_it_answers_as_it_is_told_and_then_200(receiver: Receiver) -> None:
    receiver.answer_with(500, 503)
    receiver.answer_with(302)
    answers = [
        requests.post(receiver.url, timeout=PATIENCE, allow_redirects=False).status_code for _ in range(5)
    ]
    assert answers == [each.answered for each in receiver.received] == [500, 503, 302, 200, 200]


def test_a_strict_one_refuses_what_is_not_signed_whatever_its_turn() -> None:
    with Receiver(VECTOR["key"], answers=[204], strict=True) as receiver:
        unsigned = requests.post(receiver.url, data=b"x", timeout=PATIENCE).status_code
        right = requests.post(
            receiver.url, data=VECTOR["body"], headers=signed(), timeout=PATIENCE
        ).status_code
    assert (unsigned, right) == (401, 204)


def test_waiting_ends_as_soon_as_enough_has_come(receiver: Receiver) -> None:
    posting = threading.Thread(
        target=lambda: [requests.post(receiver.url, data=str(n), timeout=PATIENCE) for n in range(3)]
    )
    posting.start()
    assert receiver.wait_for(3, PATIENCE).body == b"2"
    assert receiver.wait_for(1, timeout=0).body == b"0"
    posting.join(PATIENCE)


@pytest.mark.parametrize(("posted", "came"), [(0, "0 came"), (1, "1 came")])
def test_waiting_in_vain_tells_what_came(receiver: Receiver, posted: int, came: str) -> None:
    for _ in range(posted):
        requests.post(receiver.url, timeout=PATIENCE)
    with pytest.raises(OcBulkError) as error:
        receiver.wait_for(2, timeout=0.01)
    assert str(error.value) == (
        f"waited 0.01 s for 2 callbacks at {receiver.url}, {came}; a callback comes when its job has ended: end it,"
        " ocbulk.jobs[-1].finish(), or let the fake's time go on, ocbulk.clock.advance('10m')"
    )


def test_what_came_can_be_forgotten(receiver: Receiver) -> None:
    receiver.answer_with(500)
    requests.post(receiver.url, data=b"1", timeout=PATIENCE)
    receiver.answer_with(500)
    receiver.clear()
    assert requests.post(receiver.url, data=b"2", timeout=PATIENCE).status_code == 200
    assert [each.body for each in receiver.received] == [b"2"]


def test_a_body_in_chunks_is_collected_as_a_whole(receiver: Receiver) -> None:
    requests.post(receiver.url, data=iter([b"first", b" ", b"x" * 100_000]), timeout=PATIENCE)
    requests.post(receiver.url, data=iter([]), timeout=PATIENCE)
    assert [each.body for each in receiver.received] == [b"first " + b"x" * 100_000, b""]


def test_a_request_that_is_not_http_is_refused_and_not_collected(receiver: Receiver) -> None:
    address = urlsplit(receiver.url)
    with closing(socket.create_connection((address.hostname or "", address.port), timeout=PATIENCE)) as wrong:
        wrong.sendall(b"POST /callback HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        assert b" 400 " in wrong.recv(1000)
    assert receiver.received == ()


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n64\r\nhalf"]
)
def test_what_breaks_off_has_not_arrived(receiver: Receiver, framing: bytes) -> None:
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname or "", address.port), timeout=PATIENCE) as broken:
        broken.sendall(b"POST /callback HTTP/1.1\r\n" + framing)
        broken.shutdown(socket.SHUT_WR)
        assert b" 400 " in broken.recv(1000)
    assert receiver.received == ()


def test_a_client_that_goes_away_in_the_middle_disturbs_nobody(
    receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname or "", address.port), timeout=PATIENCE) as rude:
        rude.sendall(b"POST /callback HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    assert requests.post(receiver.url, data=b"whole", timeout=PATIENCE).status_code == 200
    assert receiver.received[-1].body == b"whole"
    assert capfd.readouterr() == ("", "")


def test_it_starts_and_stops_without_waiting_and_frees_its_port() -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with Receiver() as receiver:
            port = urlsplit(receiver.url).port
        times.append(time.perf_counter() - start)
        with closed_port(port or 0):
            pass
    assert min(times) < 0.4  # the library looks every 0.5 s whether to stop, unless told otherwise


def test_what_came_is_there_after_the_stop_and_the_url_is_not(receiver: Receiver) -> None:
    requests.post(receiver.url, data=b"x", timeout=PATIENCE)
    receiver.stop()
    receiver.stop()
    assert len(receiver.received) == 1
    with pytest.raises(OcBulkError) as error:
        receiver.url  # noqa: B018  # reading it is what fails
    assert str(error.value) == "the receiver does not listen; write: with Receiver() as receiver: ..."


def test_it_may_be_started_again(receiver: Receiver) -> None:
    receiver.start()
    receiver.stop()
    receiver.start()
    assert requests.post(receiver.url, timeout=PATIENCE).status_code == 200


def test_strictness_without_a_key_is_refused() -> None:
    with pytest.raises(OcBulkError) as error:
        Receiver(strict=True)
    assert str(error.value) == (
        "Receiver(strict=True) needs the key that callbacks are signed with: Receiver(key=...)"
    )


def test_it_needs_the_standard_library_only() -> None:
    code = (
        "import sys, pytest_ocbulk.receiver;"
        " print({'requests', 'responses', 'faker', 'httptools', 'pytest', 'multipart'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "set()\n"


def test_a_receiver_shows_where_it_listens_and_what_came_and_not_its_key() -> None:
    receiver = Receiver(key="s3cret")
    assert repr(receiver) == "<Receiver that does not listen, 0 received>"
    with receiver:
        assert repr(receiver) == f"<Receiver at {receiver.url}, 0 received>"
