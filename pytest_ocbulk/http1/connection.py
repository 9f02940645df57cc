"""The turns that requests and answers take on one connection.

Whatever happens ends in `Connection._advance`, the one place that decides what comes next.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import cast

from .. import machine_time
from ..emulator.messages import Request, Response
from .reader import Reader, Refused
from .reception import Incoming
from .sender import Sender
from .site import Answer, Site
from .transmission import release, server_refusal

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """The server's end of one connection.

    While it is `_busy` an answer is on its way and the next request waits. `_held` is the timer of a body that is
    read slowly on purpose. `_ended` means that the client will not write any more, `_lingering` that we have
    refused something and wait for the client to go.
    """

    _transport: asyncio.Transport
    _sender: Sender

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reader = Reader(site.limits)
        self._advancing = self._busy = self._ended = self._lingering = False
        self._held: asyncio.TimerHandle | None = None
        self._head_deadline = self._deadline = math.inf

    # ---- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or refuse it when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        self._sender = Sender(self._site, self._transport, self._finished)
        self._site.connections.add(self)
        most = self._site.limits.max_connections
        if most is not None and len(self._site.connections) > most:
            self._refuse(server_refusal(503, f"All {most} connections are in use; close one and try again."))
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
            self._head_deadline = machine_time.monotonic() + self._site.limits.body_timeout
        self._advance()

    def eof_received(self) -> bool:
        """The client will write no more; what it has asked for in full is still answered."""
        self._ended = True
        return self._busy or self._ready()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._sender.blocked = True
        self._deadline = machine_time.monotonic() + self._site.limits.idle_timeout

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._sender.unblock()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio names it
        """Forget everything."""
        self._site.connections.discard(self)
        self._reader.close()
        self._sender.close()
        if self._held is not None:
            self._held.cancel()

    # ---- called by the server

    def expire(self, now: float) -> None:
        """Close when the deadline has passed; a client whose request has begun is told so."""
        if now < self._deadline:
            return
        queue = self._reader.queue
        if self._lingering or self._sender.blocked or not (queue or self._reader.in_head):
            self._transport.abort()
            return
        size = queue[0].size if queue else 0
        silence = f"nothing came for {self._site.limits.body_timeout:g} s after {size} bytes of the body"
        self._refuse(server_refusal(408, f"The request did not arrive in full: {silence}."))
        self._advance()

    def finish(self) -> bool:
        """Close when nothing is under way, else after the answers that are; whether any is."""
        if self._busy or self._reader.queue:
            return True
        self._sender.flush()
        self._transport.close()
        return False

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    # ---- taking turns

    def _ready(self) -> bool:
        return bool(self._reader.queue) and self._reader.queue[0].complete

    def _stuck(self) -> bool:
        return self._busy or self._sender.blocked or self._held is not None or self._transport.is_closing()

    def _advance(self) -> None:
        """Go as far as possible. An answer that is out at once comes back here, and finds it under way."""
        if self._advancing:
            return
        self._advancing = True
        try:
            self._take_turns()
        finally:
            self._advancing = False
        self._wait()

    def _take_turns(self) -> None:
        queue = self._reader.queue
        while queue and not self._stuck():
            front = queue[0]
            self._receive(front)
            if self._stuck() or not front.complete:
                return
            queue.popleft()
            self._busy = True
            self._respond(front)

    def _wait(self) -> None:
        """Leave the socket unread while its bytes could not be used, and set the deadline for what is awaited."""
        queue, blocked = self._reader.queue, self._sender.blocked
        if self._held or (queue and (self._busy or blocked)):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
        if blocked or self._lingering:
            return  # the deadline was set when this began
        if self._busy or self._held:
            self._deadline = math.inf
        elif queue:
            self._deadline = machine_time.monotonic() + self._site.limits.body_timeout
        elif self._reader.in_head:
            self._deadline = self._head_deadline
        else:
            self._deadline = machine_time.monotonic() + self._site.limits.idle_timeout

    # ---- receiving

    def _receive(self, front: Incoming) -> None:
        """Receive as the app wishes: not too much, not too fast, perhaps not to the end."""
        if not front.admitted:
            self._admit(front)
        wish = front.reception
        if front.refusal is not None:
            return
        if wish.reset_after is not None and front.size >= wish.reset_after:
            self._sender.reset()
        elif wish.limit is not None and front.size > wish.limit:
            self._turn_away(front, _too_large(wish.limit))
        elif wish.stall_after is not None or wish.bytes_per_second:
            pause = front.hold(machine_time.monotonic())
            if pause > 0:
                self._held = self._site.loop.call_later(pause, self._read_on)

    def _admit(self, front: Incoming) -> None:
        """Ask the app how it wants the body, and tell a client that waits for it to send."""
        front.admitted = True
        front.started = machine_time.monotonic()
        if front.refusal is not None or not front.has_body:
            return
        wish = self._site.how_to_receive(front)
        if wish is None:
            self._turn_away(
                front, server_refusal(500, "The fake failed while receiving this call; its log says why.")
            )
            return
        front.reception = wish
        if wish.limit is not None and front.announced > wish.limit:
            self._turn_away(front, _too_large(wish.limit))
        elif front.expects_continue:
            self._sender.write(_CONTINUE)

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

    def _respond(self, incoming: Incoming) -> None:
        if incoming.refusal is not None:
            self._lingering = True
            self._answer(incoming, incoming.refusal)
        elif incoming.spooled:
            self._site.in_thread(partial(self._ask_in_thread, incoming))
        else:
            self._answer(incoming, self._site.ask(incoming))

    def _ask_in_thread(self, incoming: Incoming) -> None:
        answer = self._site.ask(incoming)
        try:
            self._site.loop.call_soon_threadsafe(self._answer, incoming, answer)
        except RuntimeError:  # the loop is closed: the server was stopped meanwhile
            release(answer)

    def _answer(self, incoming: Incoming, answer: Answer) -> None:
        self._site.settle()
        self._site.report(incoming, answer)
        if self._transport.is_closing():
            release(answer)
        else:
            self._sender.send(incoming, answer)

    def _finished(self, stays: bool) -> None:
        """An answer is out: go on, or close."""
        self._busy = False
        if not stays or self._ended:
            self._sender.flush()
        if self._lingering and not self._ended:
            self._linger()
        elif not stays or (self._ended and not self._ready()):
            self._transport.close()
        self._advance()

    def _linger(self) -> None:
        """Wait for the client to go: closing with bytes unread sends RST and may destroy the answer on its way."""
        self._deadline = machine_time.monotonic() + self._site.limits.linger
        try:
            self._transport.write_eof()
        except OSError:  # it has gone already
            self._transport.abort()


def _too_large(limit: int) -> Response:
    return server_refusal(413, f"The body is larger than the {limit} bytes accepted here.")
