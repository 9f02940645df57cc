"""The emulator called directly: what the doors without a socket have in common.

Nothing waits here. An answer that is late moves the clock of the instance that gave it, so that code which
measures time by the fake's clock sees the delay, and a client whose timeout is shorter gets its timeout.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast

from .emulator.clock import ManualClock
from .emulator.emulator import Emulator
from .emulator.jobs import Job
from .emulator.messages import SPOOL_BYTES, Disconnect, Request, Response

INSTANCE_HEADER = "elements-element-instance-id"


class ConnectionReset(Exception):
    """The fake gave no answer; each door raises what its library raises for a reset connection."""


class AnswerTooLate(Exception):
    """The answer takes longer than the client waits; each door raises what its library raises for a read timeout."""


class PolledForEver(BaseException):
    """The code under test asks for a job's status and lets no time pass: it would never end.

    Not an `Exception`, so that a client's `except Exception: try again` does not swallow it; as `SleptTooLong`.
    """


MOST_POLLS = 10_000
"""Calls for the status of one job at one instant after which it is certain that nobody lets the clock move."""


class Stray(NamedTuple):
    """A call that no instance could be found for: wrong or missing credentials, or a path outside of the API."""

    method: str
    path: str
    status: int


@dataclass(slots=True)
class InProcess:
    """An emulator for the doors without a socket. `deliver` runs after each call: callbacks may be due."""

    emulator: Emulator
    deliver: Callable[[], None] = lambda: None
    strays: deque[Stray] = field(default_factory=lambda: deque(maxlen=100))

    def ask(self, request: Request, timeout: float | None = None) -> Response:
        """Answer one request of a client that waits `timeout` seconds for it, None: for ever.

        Raises `ConnectionReset` and `AnswerTooLate`, and `PolledForEver` where it would be asked for ever.
        """
        answer = self.emulator.handle(request)
        self.note(request, answer)
        self.deliver()
        if (job := request.passage.polled) is not None and job.course.asked > MOST_POLLS:
            raise PolledForEver(self._endless(job))
        if isinstance(answer, Disconnect):
            raise ConnectionReset
        if answer.delivery.delay:
            self._be_late(int(answer.headers[INSTANCE_HEADER]), answer.delivery.delay, timeout)
        return answer

    def note(self, request: Request, answer: Response | Disconnect) -> None:
        """Remember a call that no instance has in its journal."""
        if isinstance(answer, Response) and answer.status >= 400 and INSTANCE_HEADER not in answer.headers:
            self.strays.append(Stray(request.method, request.path, answer.status))

    def _endless(self, job: Job) -> str:
        instance = self.emulator.instances.by_id(job.instance_id)
        status = instance.dialect.word(job.status) if instance is not None else job.status
        asked = (
            f"job {job.id} was asked for its status {MOST_POLLS:,} times while the fake's clock stood still"
        )
        if job.terminal:
            return f"{asked}; it is {status}, which is final, and the code under test does not take it for an end"
        return (
            f"{asked}, so it stays {status} for ever: let the pauses of the code under test move the clock with"
            " `with ocbulk.clock.drives_sleep():`, or plan the job in looks, next_job('CREATED x3 COMPLETE'), or move"
            " the clock yourself, ocbulk.clock.advance('10m')"
        )

    def _be_late(self, instance_id: int, delay: float, timeout: float | None) -> None:
        if timeout is not None and timeout < delay:
            self.pass_time(instance_id, timeout)
            raise AnswerTooLate
        self.pass_time(instance_id, delay)

    def pass_time(self, instance_id: int, seconds: float) -> None:
        """Move the clock of an instance; what is due by then happens."""
        instance = self.emulator.instances.by_id(instance_id)
        if instance is not None and isinstance(instance.clock, ManualClock):
            instance.clock.advance(seconds)
            self.emulator.tick()
            self.deliver()

    def now(self, instance_id: int) -> float:
        """The present instant of an instance, in seconds since 1970-01-01 UTC; 0 if there is none."""
        instance = self.emulator.instances.by_id(instance_id)
        return instance.clock.now() if instance is not None else 0.0


def spooled(pieces: Iterable[bytes]) -> BinaryIO:
    """A body that comes in pieces, as a file: in memory while it is small, on disk beyond that."""
    body = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # closed by its reader
    for piece in pieces:
        body.write(piece)
    body.seek(0)
    return body


@contextmanager
def body_file(body: object) -> Iterator[BinaryIO]:
    """A request body of any kind that HTTP libraries take (bytes, text, file, iterable), as a file to read.

    Text is UTF-8, as urllib3 sends it. A file is read from where it stands, as a real connection would.
    """
    file = _as_file(body)
    try:
        yield file
    finally:
        file.close()


def _as_file(body: object) -> BinaryIO:
    if body is None:
        return BytesIO()
    if isinstance(body, str):
        return BytesIO(body.encode())
    if isinstance(body, bytes | bytearray | memoryview):
        return BytesIO(body)
    read = getattr(body, "read", None)
    pieces = (
        iter(lambda: read(SPOOL_BYTES), b"") if read is not None else iter(cast("Iterable[object]", body))
    )
    return spooled(piece.encode() if isinstance(piece, str) else cast("bytes", piece) for piece in pieces)
