"""The turns that requests and answers take on one connection.

Everything that happens ends in `Connection._advance`, the one place that decides what happens next. The
connection owns its transport, so that a reset is a real RST and a body that is cut is really cut.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, cast

from ..emulator.messages import Disconnect, Reception, Request, Response
from .limits import Limits
from .reader import Reader, Refused
from .reception import Incoming
from .transmission import BLOCK, Pause, Step, outgoing, refusal, release

log = logging.getLogger("pytest_ocbulk.server")

Answer = Response | Disconnect

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# A socket closed with this option sends RST instead of FIN. Windows has shorts where others have ints.
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class App(Protocol):
    """What a server serves; `Emulator` is one."""

    def handle(self, request: Request) -> Answer:
        """Answer one request whose body has arrived in full."""
        ...

    def receive(self, request_head: Request) -> Reception:
        """Say how a body is to be received; called when a head that promises one has arrived."""
        ...

    def work(self) -> bool:
        """Do one slice of background work; true when there is more."""
        ...

    def next_due(self) -> float | None:
        """Seconds until `tick` has something to do; None when that is not before the next call."""
        ...

    def tick(self) -> None:
        """Let everything happen that is due."""
        ...


@dataclass(slots=True)
class Site:
    """What all connections of a server share.

    `in_thread` runs a call away from the loop, `settle` is called after each exchange, `on_exchange` with the
    request, its answer and the seconds from the arrival of the head until the answer was known.
    """

    app: App
    limits: Limits
    loop: asyncio.AbstractEventLoop
    in_thread: Callable[[Callable[[], None]], None]
    settle: Callable[[], None]
    on_exchange: Callable[[Request, Answer, float], None] | None = None
    connections: set[Connection] = field(default_factory=set)
    _written: list[Connection] = field(default_factory=list)

    def ask(self, request: Request) -> Answer:
        """The app's answer, or 500 when it raises."""
        try:
            return self.app.handle(request)
        except Exception:
            log.exception("%s %s could not be answered", request.method, request.path)
            return refusal(500, "The fake failed while answering this call; its log says why.")

    def flush_soon(self, connection: Connection) -> None:
        """Send what has been written at the end of this turn of the loop.

        Answers to many clients then leave one after the other, and a load generator or proxy is woken once for
        all of them: a quarter more requests per second with 16 connections.
        """
        if not self._written:
            self.loop.call_soon(self._flush)
        self._written.append(connection)

    def _flush(self) -> None:
        written, self._written = self._written, []
        for connection in written:
            connection.flush()


class Connection(asyncio.Protocol):
    """The server's end of one connection.

    While it is `_busy` an answer is on its way and the next request waits. `_held` is the timer of a body that is
    read slowly on purpose, `_delayed` that of an answer. `_blocked` means that the client does not read, `_ended`
    that it will not write, `_lingering` that we have refused and wait for it to go.
    """

    _transport: asyncio.Transport

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reader = Reader(site.limits)
        self._busy = self._blocked = self._ended = self._lingering = False
        self._held: asyncio.TimerHandle | None = None
        self._delayed: asyncio.TimerHandle | None = None
        self._sending: Answer | None = None
        self._steps: Iterator[Step] | None = None
        self._stays = True
        self._unsent = b""
        self._head_deadline = self._deadline = math.inf

    # ---- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or refuse it when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        self._site.connections.add(self)
        most = self._site.limits.max_connections
        if most is not None and len(self._site.connections) > most:
            self._refuse(refusal(503, f"All {most} connections are in use; close one and try again."))
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, then do what has become possible."""
        reader = self._reader
        if reader.finished:
            return
        heads = reader.heads
        try:
            reader.feed(data)
        except Refused as refused:
            self._refuse(refused.answer)
        if reader.in_head and reader.heads != heads:
            self._head_deadline = time.monotonic() + self._site.limits.body_timeout
        self._advance()

    def eof_received(self) -> bool:
        """The client will write no more; what it has asked for in full is still answered."""
        self._ended = True
        return self._busy or self._ready()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._blocked = True
        self._deadline = time.monotonic() + self._site.limits.idle_timeout

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._blocked = False
        if self._steps is not None:
            self._site.loop.call_soon(self._pump)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio names it
        """Let go of everything, above all of an iterator that nobody will read."""
        self._site.connections.discard(self)
        self._reader.close()
        for timer in (self._held, self._delayed):
            if timer is not None:
                timer.cancel()
        self._let_go()

    # ---- called by the server

    def expire(self, now: float) -> None:
        """Close when the deadline has passed; a client whose request has begun is told so."""
        if now < self._deadline:
            return
        if self._lingering or self._blocked or not (self._reader.queue or self._reader.in_head):
            self._transport.abort()
            return
        size = self._reader.queue[0].size if self._reader.queue else 0
        silence = f"nothing came for {self._site.limits.body_timeout:g} s after {size} bytes of the body"
        self._refuse(refusal(408, f"The request did not arrive in full: {silence}."))
        self._advance()

    def flush(self) -> None:
        """Send what was written."""
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self._transport.write(unsent)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    # ---- taking turns

    def _ready(self) -> bool:
        return bool(self._reader.queue) and self._reader.queue[0].complete

    def _advance(self) -> None:
        """Go as far as possible."""
        queue = self._reader.queue
        while queue and not (self._busy or self._blocked or self._held or self._transport.is_closing()):
            front = queue[0]
            if not front.admitted:
                self._admit(front)
            self._pace(front)
            if self._held or not front.complete or self._transport.is_closing():
                break
            queue.popleft()
            self._busy = True
            self._respond(front)
        self._wait()

    def _wait(self) -> None:
        """Leave the socket unread while its bytes could not be used, and set the deadline for what is awaited."""
        queue, limits = self._reader.queue, self._site.limits
        if self._held or (queue and (self._busy or self._blocked)):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
        if self._blocked or self._lingering:
            return  # the deadline was set when this began
        if self._busy or self._held:
            self._deadline = math.inf
        elif queue:
            self._deadline = time.monotonic() + limits.body_timeout
        elif self._reader.in_head:
            self._deadline = self._head_deadline
        else:
            self._deadline = time.monotonic() + limits.idle_timeout

    def _admit(self, incoming: Incoming) -> None:
        """Ask the app how it wants the body, and tell the client to send it."""
        incoming.admitted = True
        incoming.started = time.monotonic()
        if incoming.refusal is not None or not incoming.has_body:
            return
        try:
            incoming.reception = self._site.app.receive(incoming.head)
        except Exception:
            log.exception("%s %s could not be received", incoming.head.method, incoming.head.path)
            self._turn_away(
                incoming, refusal(500, "The fake failed while receiving this call; its log says why.")
            )
        limit = incoming.reception.limit
        if limit is not None and incoming.announced > limit:
            self._turn_away(incoming, _too_large(limit))
        if incoming.expects_continue and not incoming.complete:
            self._write(_CONTINUE)

    def _pace(self, incoming: Incoming) -> None:
        """Receive as the app wishes: not too much, not too fast, perhaps not to the end."""
        wish = incoming.reception
        if incoming.refusal is not None:
            return
        if wish.reset_after is not None and incoming.size >= wish.reset_after:
            self._reset()
        elif wish.limit is not None and incoming.size > wish.limit:
            self._turn_away(incoming, _too_large(wish.limit))
        elif wish.stall_after is not None or wish.bytes_per_second:
            pause = incoming.hold(time.monotonic())
            if pause > 0:
                self._held = self._site.loop.call_later(pause, self._read_on)

    def _read_on(self) -> None:
        self._held = None
        self._advance()

    def _refuse(self, answer: Response) -> None:
        """Answer what is arriving by ourselves, when its turn comes, and hear no more."""
        queue = self._reader.queue
        if not queue or queue[-1].complete:
            queue.append(Incoming(Request("-", ()), http10=False, keep_alive=False))
        queue[-1].refuse(answer)
        self._reader.finished = True

    def _turn_away(self, front: Incoming, answer: Response) -> None:
        """Answer the request whose turn it is by ourselves, and forget what came behind it."""
        front.refuse(answer)
        while self._reader.queue[-1] is not front:
            self._reader.queue.pop()
        self._reader.finished = True

    # ---- answering

    def _write(self, data: bytes | memoryview) -> None:
        """Send soon; at once when it is much, or when no other client could gain by waiting."""
        if self._unsent:
            self._unsent += data
        elif len(data) < BLOCK and len(self._site.connections) > 1:
            self._unsent = bytes(data)
            self._site.flush_soon(self)
        else:
            self._transport.write(data)
        if len(self._unsent) >= BLOCK:
            self.flush()

    def _respond(self, incoming: Incoming) -> None:
        if incoming.refusal is not None:
            self._answer(incoming, incoming.refusal)
        elif incoming.spooled:
            self._site.in_thread(partial(self._ask_in_thread, incoming))
        else:
            self._answer(incoming, self._site.ask(incoming.request()))

    def _ask_in_thread(self, incoming: Incoming) -> None:
        answer = self._site.ask(incoming.request())
        try:
            self._site.loop.call_soon_threadsafe(self._answer_late, incoming, answer)
        except RuntimeError:  # the loop is closed: the server was stopped meanwhile
            release(answer)

    def _answer_late(self, incoming: Incoming, answer: Answer) -> None:
        self._answer(incoming, answer)
        self._advance()

    def _answer(self, incoming: Incoming, answer: Answer) -> None:
        site = self._site
        site.settle()
        if site.on_exchange is not None:
            site.on_exchange(incoming.head, answer, time.monotonic() - incoming.started)
        self._sending = answer
        delay = answer.delay if isinstance(answer, Disconnect) else answer.delivery.delay
        if delay > 0 and not self._transport.is_closing():
            self._delayed = site.loop.call_later(delay, self._deliver_late, incoming, answer)
        else:
            self._deliver(incoming, answer)

    def _deliver_late(self, incoming: Incoming, answer: Answer) -> None:
        self._delayed = None
        self._deliver(incoming, answer)
        self._advance()

    def _deliver(self, incoming: Incoming, answer: Answer) -> None:
        if self._transport.is_closing():
            self._let_go()
        elif isinstance(answer, Disconnect):
            self._reset()
        else:
            self._send(incoming, answer)

    def _send(self, incoming: Incoming, answer: Response) -> None:
        message = outgoing(
            answer, method=incoming.head.method, http10=incoming.http10, keep_alive=incoming.keep_alive
        )
        self._stays = message.stays
        self._lingering = incoming.refusal is not None
        self._write(message.first)
        if message.steps is None:
            self._finish()
            return
        self._steps = message.steps
        self._site.loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Take one step of a long answer; the next one when the loop has seen to the other connections."""
        self._delayed = None
        if self._steps is None or self._blocked:
            return
        try:
            step = next(self._steps, None)
        except Exception:
            log.exception("the body of an answer broke off")
            self._reset()
            return
        if step is None:
            self._finish()
            self._advance()
        elif isinstance(step, Pause):
            self._delayed = self._site.loop.call_later(step, self._pump)
        else:
            self._write(step)
            if not self._blocked:
                self._site.loop.call_soon(self._pump)

    def _finish(self) -> None:
        """The answer is written: go on, or close."""
        self._let_go()
        self._busy = False
        if not self._stays or self._ended:
            self.flush()
        if self._lingering and not self._ended:
            # Closing now, with bytes unread, would send RST, and that could destroy the answer on its way.
            self._deadline = time.monotonic() + self._site.limits.linger
            self._transport.write_eof()
        elif not self._stays or (self._ended and not self._ready()):
            self._transport.close()

    def _let_go(self) -> None:
        answer, self._sending, self._steps = self._sending, None, None
        if answer is None:
            return
        try:
            release(answer)
        except Exception:
            log.exception("the body of an answer could not be closed")

    def _reset(self) -> None:
        """Break the connection so that the client sees ECONNRESET."""
        self.flush()
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


def _too_large(limit: int) -> Response:
    return refusal(413, f"The body is larger than the {limit} bytes accepted here.")
