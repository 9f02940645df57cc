"""The outgoing half of a connection: one answer at a time, no faster than the client reads.

It owns the socket for writing, so that a reset is a real RST and a body that is cut is really cut.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator

from ..emulator.messages import Disconnect
from .reception import Incoming
from .site import Answer, Site
from .transmission import BLOCK, Pause, Step, outgoing, release

log = logging.getLogger("pytest_ocbulk.server")

# A socket closed with this option sends RST instead of FIN. Windows has shorts where others have ints.
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Sender:
    """Writes answers to `transport`. `blocked` means that the client does not read.

    `finished` is called when an answer is out, with whether the connection stays; not after a reset.
    """

    def __init__(self, site: Site, transport: asyncio.Transport, finished: Callable[[bool], None]) -> None:
        self.blocked = False
        self._site = site
        self._transport = transport
        self._finished = finished
        self._answer: Answer | None = None
        self._steps: Iterator[Step] | None = None
        self._stays = True
        self._timer: asyncio.TimerHandle | None = None
        self._unsent = b""

    def send(self, incoming: Incoming, answer: Answer) -> None:
        """Let an answer travel, now or after its delay."""
        self._answer = answer
        delay = answer.delay if isinstance(answer, Disconnect) else answer.delivery.delay
        if delay > 0:
            self._timer = self._site.loop.call_later(delay, self._begin, incoming, answer)
        else:
            self._begin(incoming, answer)

    def write(self, data: bytes | memoryview) -> None:
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

    def flush(self) -> None:
        """Send what was written."""
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self._transport.write(unsent)

    def unblock(self) -> None:
        """The client has caught up."""
        self.blocked = False
        if self._steps is not None:
            self._site.loop.call_soon(self._pump)

    def reset(self) -> None:
        """Break the connection so that the client sees ECONNRESET."""
        self.flush()
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def close(self) -> None:
        """Let go of everything, above all of an iterator that nobody will read."""
        # Otherwise connection and sender would hold each other until the garbage collector comes.
        self._finished = _nobody
        if self._timer is not None:
            self._timer.cancel()
        self._let_go()

    def _begin(self, incoming: Incoming, answer: Answer) -> None:
        if isinstance(answer, Disconnect):
            self.reset()
            return
        message = outgoing(
            answer, method=incoming.head.method, http10=incoming.http10, keep_alive=incoming.keep_alive
        )
        self.write(message.first)
        self._stays = message.stays
        self._steps = message.steps
        if self._steps is None:
            self._finish()
        else:
            self._site.loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Take one step of a long answer; the next one when the loop has seen to the other connections."""
        if self._steps is None or self.blocked:  # `unblock` comes back
            return
        try:
            step = next(self._steps, None)
        except Exception:
            log.exception("the body of an answer broke off")
            self.reset()
            return
        if step is None:
            self._finish()
        elif isinstance(step, Pause):
            self._timer = self._site.loop.call_later(step, self._pump)
        else:
            self.write(step)
            self._site.loop.call_soon(self._pump)

    def _finish(self) -> None:
        self._let_go()
        self._finished(self._stays)

    def _let_go(self) -> None:
        answer, self._answer, self._steps = self._answer, None, None
        if answer is None:
            return
        try:
            release(answer)
        except Exception:
            log.exception("the body of an answer could not be closed")


def _nobody(_stays: bool) -> None:
    """The connection is gone."""
