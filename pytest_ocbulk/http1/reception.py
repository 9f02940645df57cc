"""A request while it arrives: its head, its body and the pace at which the app wants it read.

A body stays in memory up to `SPOOL_BYTES` and goes to a temporary file beyond, so that no upload is ever
in memory as a whole.
"""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import BinaryIO

from ..emulator.messages import OPEN_RECEPTION, SPOOL_BYTES, Reception, Request, Response

_FILE_BUFFER = 256 * 1024


class _Unattended(io.FileIO):
    """A file that nobody has to close. The buffer above needs the same: the garbage collector keeps no order."""

    def __del__(self) -> None:
        self.close()


class Spool(io.BufferedRandom):
    """A temporary file that closes with its last reference, so that an app may keep a body beyond the call."""

    def __del__(self) -> None:
        self.close()


def _spool() -> Spool:
    from tempfile import TemporaryFile  # most bodies are small

    with TemporaryFile(buffering=0) as file:
        return Spool(_Unattended(os.dup(file.fileno()), "r+b"), _FILE_BUFFER)


class Incoming:
    """One request on its way in. `refusal` is set when the server answers by itself, without the app."""

    __slots__ = (
        "_file",
        "_memory",
        "_stalled",
        "admitted",
        "complete",
        "head",
        "http10",
        "keep_alive",
        "reception",
        "refusal",
        "size",
        "started",
    )

    def __init__(self, head: Request, *, http10: bool, keep_alive: bool) -> None:
        self.head = head
        self.http10 = http10
        self.keep_alive = keep_alive
        self.refusal: Response | None = None
        self.reception: Reception = OPEN_RECEPTION
        self.complete = False
        self.admitted = False
        self.started = 0.0
        self.size = 0
        self._memory: bytearray | None = None
        self._file: Spool | None = None
        self._stalled = False

    @property
    def announced(self) -> int:
        """The length of the body by its Content-Length, in bytes; 0 when none was given."""
        return int(self.head.headers.get("content-length", 0))

    @property
    def has_body(self) -> bool:
        """Whether the head promises a body."""
        return self.announced > 0 or "transfer-encoding" in self.head.headers

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends its body (RFC 9110, 10.1.1)."""
        wanted = self.head.headers.get("expect", "").lower() == "100-continue"
        return wanted and not (self.http10 or self.size or self.complete)

    @property
    def spooled(self) -> bool:
        """Whether the body was too large for memory and lies in a file."""
        return self._file is not None

    def refuse(self, answer: Response) -> None:
        """Let the server answer by itself, now; the connection is closed afterwards."""
        self.refusal = answer
        self.complete = True
        self.keep_alive = False
        self._memory = self._file = None

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body. Raises `OSError` when the temporary directory is full."""
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
        elif self._memory is None:
            self._memory = bytearray(data)
        else:
            self._memory += data
        if self._memory is not None and self.size > SPOOL_BYTES:
            self._file = _spool()
            self._file.write(self._memory)
            self._memory = None

    def hold(self, now: float) -> float:
        """Seconds for which the socket is to be left unread at this point, by the app's wish."""
        wish, pause = self.reception, 0.0
        if wish.stall_after is not None and self.size >= wish.stall_after and not self._stalled:
            self._stalled = True
            pause = wish.stall
        if wish.bytes_per_second:
            pause = max(pause, self.started + self.size / wish.bytes_per_second - now)
        return pause

    def request(self) -> Request:
        """The whole request, its body at the beginning."""
        body: BinaryIO
        if self._file is not None:
            self._file.seek(0)
            body = self._file
        elif self._memory is not None:
            body = io.BytesIO(self._memory)
        else:
            return self.head
        return replace(self.head, body=body, size=self.size)
