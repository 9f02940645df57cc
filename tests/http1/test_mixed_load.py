"""Many rude clients and every accident at once: nothing is left behind, nothing unforeseen is logged."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from pytest_ocbulk.emulator.messages import PROMPT, Delivery, Disconnect, Reception, Request, Response
from pytest_ocbulk.server import Limits, Server

from ..patience import PATIENCE
from .plain_app import PlainApp, answer, get, request, say, text

CLIENTS, ROUNDS = 12, 10


class Rows:
    """An iterator body that says when it is opened and closed."""

    def __init__(self, pieces: list[bytes], count: Callable[[int], None]) -> None:
        self._pieces = iter(pieces)
        self._count = count
        count(1)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        self._count(-1)


class Moody(PlainApp):
    """Answers by a dice with a seed, and knows how many of its iterators are open."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(self._answer, Reception())
        self._dice = dice
        self.open = 0
        self._lock = threading.Lock()

    def _count(self, change: int) -> None:
        with self._lock:
            self.open += change

    def receive(self, head: Request) -> Reception:
        dice = self._dice.choice
        return Reception(
            limit=dice([None, None, 10]),
            stall_after=dice([None, 10]),
            stall=0.002,
            reset_after=dice([None, None, 50_000]),
            bytes_per_second=dice([None, 10**9]),
        )

    def _answer(self, _: Request) -> Response | Disconnect:
        dice = self._dice.choice
        delivery = Delivery(
            delay=dice([0.0, 0.001]),
            truncate_after=dice([None, None, 5]),
            stall_after=dice([None, 3]),
            stall=0.002,
        )
        kind = dice(["rows", "rows", "bytes", "short", "reset", "error"])
        if kind == "reset":
            return Disconnect(dice([0.0, 0.001]))
        if kind == "error":
            raise ZeroDivisionError
        if kind == "short":
            return text("short")
        body = (
            Rows([b"r" * dice([1, 70_000])] * 30, self._count)
            if kind == "rows"
            else b"b" * dice([10, 2_000_000])
        )
        return Response(200, {}, body, dice([PROMPT, delivery]))


def rude(server: Server, dice: random.Random) -> None:
    for _ in range(ROUNDS):
        with (
            contextlib.suppress(OSError),
            socket.create_connection((server.host, server.port), timeout=0.05) as client,
        ):
            for _ in range(dice.randrange(1, 5)):
                length = dice.choice([1, 70_000, 2_000_000])
                posted = request("POST", "/", f"Content-Length: {length}", body=b"q" * length)
                client.sendall(
                    dice.choice([get(), get() * 20, posted, posted[: length // 2], dice.randbytes(50)])
                )
                if dice.random() < 0.6:
                    client.recv(dice.choice([1, 1000, 1_000_000]))
            if dice.random() < 0.3:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rude_clients_and_every_accident_leave_nothing_behind(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pytest_ocbulk.server")  # the errors of the app are meant
    app = Moody(random.Random(seed))
    with Server(app, limits=Limits(body_timeout=0.5, linger=0.2)) as server:
        clients = [
            threading.Thread(target=rude, args=(server, random.Random(seed * 100 + n)), daemon=True)
            for n in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(PATIENCE)
        assert [client for client in clients if client.is_alive()] == []
        app.handler = lambda _: text("still here")
        assert answer(say(server, get("/", "Connection: close")))[1] == b"still here"
    assert app.open == 0
    assert caplog.text == ""
